"""The flows that send frames to ports, and learn who is behind them."""

from collections.abc import Iterator

from incremental import Read
from logical_flow.template import LogicalFlow
from translator.derivations.relations import unknown_ports
from translator.features.switching.stages import (
    LsInL2Lookup,
    LsInL2Unknown,
    LsInLookupFdb,
    LsInPutFdb,
)
from translator.inputs import LogicalRouterPort, LogicalSwitchPort


def switch_forwarding_flows(read: Read, switch: str) -> Iterator[LogicalFlow]:
    """Yield the flows for multicast and for destinations that no port is known to have."""
    yield LsInL2Lookup.multicast()
    if read.any(unknown_ports, switch):
        yield LsInL2Lookup.unknown()
        yield LsInL2Unknown.flood()
        yield LsInL2Unknown.learned()


def port_forwarding_flows(port: LogicalSwitchPort) -> Iterator[LogicalFlow]:
    """Yield the flows that lead to the port of a workload, and learn who is behind it."""
    if port.learns:
        yield LsInLookupFdb.lookup(port=port.name)
        yield LsInPutFdb.learn(port=port.name)
    for host in port.hosts:
        yield LsInL2Lookup.unicast(mac=host.mac, port=port.name)


def router_forwarding_flows(port: str, peer: LogicalRouterPort) -> Iterator[LogicalFlow]:
    """Yield the flows that lead to the router port `peer` through a switch port."""
    yield LsInL2Lookup.router_request(mac=peer.mac)
    yield LsInL2Lookup.unicast(mac=peer.mac, port=port)


def disabled_forwarding_flows(port: LogicalSwitchPort) -> Iterator[LogicalFlow]:
    """Yield the flows that drop frames for the addresses of a disabled port."""
    for host in port.hosts:
        yield LsInL2Lookup.disabled(mac=host.mac)
