"""Where a switch sends frames, and on which ports it learns."""

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
    """Where frames go whose destination is no port's alone."""
    yield LsInL2Lookup.multicast()
    if read.any(unknown_ports, switch):
        yield LsInL2Lookup.unknown()
        yield LsInL2Unknown.flood()
        yield LsInL2Unknown.learned()


def port_forwarding_flows(port: LogicalSwitchPort) -> Iterator[LogicalFlow]:
    """The way to the port of a workload, and who is learned behind it."""
    if port.takes_unknown and not port.security:
        yield LsInLookupFdb.lookup(port=port.name)
        yield LsInPutFdb.learn(port=port.name)
    for host in port.hosts:
        yield LsInL2Lookup.unicast(mac=host.mac, port=port.name)


def router_forwarding_flows(port: str, peer: LogicalRouterPort) -> Iterator[LogicalFlow]:
    """The way to the router port `peer`, to which a switch port leads."""
    yield LsInL2Lookup.router_request(mac=peer.mac)
    yield LsInL2Lookup.unicast(mac=peer.mac, port=port)


def disabled_forwarding_flows(port: LogicalSwitchPort) -> Iterator[LogicalFlow]:
    """Nothing gets to a port that is disabled, by its addresses or where all may be."""
    for host in port.hosts:
        yield LsInL2Lookup.disabled(mac=host.mac)
