"""What a switch does for one of its ports."""

from collections.abc import Iterator
from itertools import chain

from incremental import Read
from logical_flow.template import LogicalFlow
from translator.addresses import link_local, solicited_node
from translator.derivations.port_security import port_security_flows
from translator.derivations.relations import peer_router_port, stateful_acls
from translator.derivations.result import Flows
from translator.inputs import Host, LogicalRouter, LogicalRouterPort, LogicalSwitchPort
from translator.pipeline.ls_in import (
    LsInAclPre,
    LsInArpRsp,
    LsInL2Lookup,
    LsInLookupFdb,
    LsInPutFdb,
)
from translator.pipeline.ls_out import LsOutAclPre, LsOutPortSecL2


def switch_port_flows(read: Read, lsp: str) -> Flows | None:
    """All flows of one switch port, on its switch.

    >>> from incremental import RecordedFacts
    >>> from translator.addresses import ip_bytes, mac_bytes
    >>> host = Host(mac_bytes("0a:00:00:00:00:01"), (ip_bytes("10.0.0.1"),), ())
    >>> port = LogicalSwitchPort(
    ...     "p", "s", "web-1", 1, True, (host,), (), False, (), False, "", ())
    >>> for flow in switch_port_flows(RecordedFacts({LogicalSwitchPort: {"p": port}}), "p").flows:
    ...     print(str(flow)[:89])
    table=0(ls_in_port_sec_l2), priority=50, match=(inport == "web-1"), action=(next;)
    table=8(ls_out_port_sec_l2), priority=50, match=(outport == "web-1"), action=(output;)
    table=12(ls_in_arp_rsp), priority=100, match=(inport == "web-1" && arp.op == 1 && arp.tpa
    table=12(ls_in_arp_rsp), priority=50, match=(eth.bcast && arp.op == 1 && arp.tpa == 10.0.
    table=13(ls_in_l2_lkup), priority=50, match=(eth.dst == 0a:00:00:00:00:01), action=(outpo
    """
    port = read(LogicalSwitchPort, lsp)
    if port is None:
        return None
    flows: Iterator[LogicalFlow]
    if not port.enabled:
        flows = chain(_disabled_flows(port), _vif_answers(port))
    elif port.is_router_type:
        flows = _router_type_flows(read, port)
    else:
        flows = _vif_flows(port)
    return Flows(port.switch, "logical_switch_port", lsp, tuple(flows))


def closed_switch_port_flows(read: Read, lsp: str) -> Flows | None:
    """What stands in for a port's flows that could not be derived: those of a disabled port."""
    port = read(LogicalSwitchPort, lsp)
    if port is None:
        return None
    return Flows(port.switch, "logical_switch_port", lsp, tuple(_disabled_flows(port)))


def _disabled_flows(port: LogicalSwitchPort) -> Iterator[LogicalFlow]:
    yield LsOutPortSecL2.disabled(port=port.name)
    for host in port.hosts:
        yield LsInL2Lookup.disabled(mac=host.mac)


def _vif_flows(port: LogicalSwitchPort) -> Iterator[LogicalFlow]:
    yield from port_security_flows(port)
    if port.takes_unknown and not port.security:
        yield LsInLookupFdb.lookup(port=port.name)
        yield LsInPutFdb.learn(port=port.name)
    yield from _vif_answers(port)
    for host in port.hosts:
        yield LsInL2Lookup.unicast(mac=host.mac, port=port.name)


def _router_type_flows(read: Read, port: LogicalSwitchPort) -> Iterator[LogicalFlow]:
    yield from port_security_flows(port)
    if read.any(stateful_acls, port.switch):
        yield LsInAclPre.router_port(port=port.name)
        yield LsOutAclPre.router_port(port=port.name)
        yield LsOutAclPre.reply_to_router(port=port.name)
    peer = peer_router_port(read, port)
    if peer is not None:
        router = read(LogicalRouter, peer.router)
        if router is not None and router.enabled:
            yield from _router_answers(port.name, peer)
        yield LsInL2Lookup.router_request(mac=peer.mac)
        yield LsInL2Lookup.unicast(mac=peer.mac, port=port.name)


def _vif_answers(port: LogicalSwitchPort) -> Iterator[LogicalFlow]:
    """Also of a disabled port, whose addresses are as taken as before.

    Not of one that takes unknown destinations: who is there answers for himself.
    """
    if not port.takes_unknown:
        for host in port.hosts:
            yield from _answers(port.name, host)


def _answers(port: str, host: Host) -> Iterator[LogicalFlow]:
    """What answers for the addresses of a workload."""
    for ip in host.ip4:
        yield LsInArpRsp.own_arp(port=port, ip=ip)
        yield LsInArpRsp.arp(mac=host.mac, ip=ip)
    for ip in host.ip6:
        yield LsInArpRsp.own_nd(port=port, ip=ip)
        yield LsInArpRsp.nd(mac=host.mac, ip=ip, group=solicited_node(ip))


def _router_answers(port: str, peer: LogicalRouterPort) -> Iterator[LogicalFlow]:
    """What answers for the addresses of the router port behind a switch port."""
    for network in peer.networks4:
        yield LsInArpRsp.own_arp(port=port, ip=network.ip)
        yield LsInArpRsp.arp(mac=peer.mac, ip=network.ip)
    for ip in (*(network.ip for network in peer.networks6), link_local(peer.mac)):
        yield LsInArpRsp.own_nd(port=port, ip=ip)
        yield LsInArpRsp.nd_router(mac=peer.mac, ip=ip, group=solicited_node(ip))
