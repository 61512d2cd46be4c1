"""The flows that a switch has for one of its ports."""

from collections.abc import Iterator
from itertools import chain

from incremental import Read
from logical_flow.template import LogicalFlow
from southbound.port_types import EXTERNAL, VIRTUAL
from translator.derivations.relations import peer_router_port
from translator.derivations.result import Flows
from translator.features.acl.flows import untracked_port_flows
from translator.features.answering.flows import answer_flows, router_answer_flows
from translator.features.external_ports.flows import external_port_flows
from translator.features.load_balancing.flows import port_balancing_flows
from translator.features.port_security.flows import disabled_port_flow, port_security_flows
from translator.features.provider.flows import outside_port_flows
from translator.features.switching.flows import (
    disabled_forwarding_flows,
    port_forwarding_flows,
    router_forwarding_flows,
)
from translator.features.virtual_ports.flows import virtual_port_flows
from translator.inputs import LogicalRouter, LogicalSwitchPort


def switch_port_flows(read: Read, lsp: str) -> Flows | None:
    """All flows of one switch port, on its switch.

    >>> from incremental import RecordedFacts
    >>> from translator.addresses import ip_bytes, mac_bytes
    >>> from southbound.port_types import VIF
    >>> from translator.inputs import Host
    >>> host = Host(mac_bytes("0a:00:00:00:00:01"), (ip_bytes("10.0.0.1"),), ())
    >>> port = LogicalSwitchPort(
    ...     "p", "s", "web-1", 1, True, (host,), (), False, (), VIF, "", ())
    >>> for flow in switch_port_flows(RecordedFacts({LogicalSwitchPort: {"p": port}}), "p").flows:
    ...     print(str(flow)[:89])
    table=...(ls_in_port_sec_l2), priority=50, match=(inport == "web-1"), action=(next;)
    table=...(ls_out_port_sec_l2), priority=50, match=(outport == "web-1"), action=(output;)
    table=...(ls_in_arp_rsp), priority=100, match=(inport == "web-1" && arp.op == 1 && arp.tpa
    table=...(ls_in_arp_rsp), priority=50, match=(eth.bcast && arp.op == 1 && arp.tpa == 10.0.
    table=...(ls_in_l2_lkup), priority=50, match=(eth.dst == 0a:00:00:00:00:01), action=(outpo
    """
    port = read(LogicalSwitchPort, lsp)
    if port is None:
        return None
    flows: Iterator[LogicalFlow]
    if not port.enabled:
        flows = chain(_disabled_flows(port), answer_flows(port))
    elif port.kind is VIRTUAL:
        flows = virtual_port_flows(read, port)
    elif port.kind.joins_datapaths:
        flows = _router_type_flows(read, port)
    elif port.kind is EXTERNAL:
        flows = external_port_flows(read, port)
    elif port.kind.leads_outside:
        flows = outside_port_flows(read, port)
    else:
        flows = _vif_flows(read, port)
    return Flows(port.switch, "logical_switch_port", lsp, tuple(flows))


def closed_switch_port_flows(read: Read, lsp: str) -> Flows | None:
    """Return flows for a port that could not be derived: those of a disabled port."""
    port = read(LogicalSwitchPort, lsp)
    if port is None:
        return None
    return Flows(port.switch, "logical_switch_port", lsp, tuple(_disabled_flows(port)))


def _disabled_flows(port: LogicalSwitchPort) -> Iterator[LogicalFlow]:
    yield disabled_port_flow(port.name)
    yield from disabled_forwarding_flows(port)


def _vif_flows(read: Read, port: LogicalSwitchPort) -> Iterator[LogicalFlow]:
    yield from port_security_flows(port)
    yield from answer_flows(port)
    yield from port_forwarding_flows(port)
    yield from port_balancing_flows(read, port)


def _router_type_flows(read: Read, port: LogicalSwitchPort) -> Iterator[LogicalFlow]:
    yield from port_security_flows(port)
    yield from untracked_port_flows(read, port.switch, port.name)
    peer = peer_router_port(read, port)
    if peer is not None:
        router = read(LogicalRouter, peer.router)
        if router is not None and router.enabled:
            yield from router_answer_flows(port.name, peer)
        yield from router_forwarding_flows(port.name, peer)
