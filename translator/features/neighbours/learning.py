"""The flows that decide which neighbours a router port learns, and from whose questions."""

from collections.abc import Iterator

from incremental import Read
from logical_flow.addresses import link_local, solicited_node
from logical_flow.holes import Argument
from logical_flow.template import LogicalFlow
from translator.addresses import LINK_LOCAL_NETWORK, broadcast, has_broadcast
from translator.derivations.relations import switch_port_towards
from translator.derivations.result import Flows
from translator.features.answering.stages import LsInArpRsp
from translator.features.neighbours.stages import LrInLookupNeighbour
from translator.inputs import LogicalRouter, LogicalRouterPort, LogicalSwitchPort


def neighbours_in(port: str, network: bytes) -> Iterator[LogicalFlow]:
    """Yield the flows that learn the addresses of a network, given as value and mask."""
    if len(network) == 2 * 4:
        yield LrInLookupNeighbour.arp(port=port, network=network)
    else:
        yield LrInLookupNeighbour.advertisement(port=port, network=network)
        yield LrInLookupNeighbour.solicitation(port=port, network=network)


def learning_flows(port: LogicalRouterPort, *, always: bool) -> Iterator[LogicalFlow]:
    """Yield the flows that learn the hosts in the networks of a router port.

    Not `always` are those learned that ask for other hosts.
    """
    if always:
        for network in port.networks:
            yield from neighbours_in(port.name, network.network)
        yield from neighbours_in(port.name, LINK_LOCAL_NETWORK)
    else:
        yield from _choosing_flows(port)
    for ip in _addresses_of_no_host(port):
        if len(ip) == 4:
            yield LrInLookupNeighbour.arp_of_none(port=port.name, ip=ip)
        else:
            yield LrInLookupNeighbour.solicitation_of_none(port=port.name, ip=ip)
            yield LrInLookupNeighbour.advertisement_of_none(port=port.name, ip=ip)


def _choosing_flows(port: LogicalRouterPort) -> Iterator[LogicalFlow]:
    """Yield the flows that learn who answers, and of those who ask whom it is of use to know."""
    for network in port.networks4:
        at: dict[str, Argument] = {"port": port.name, "network": network.network}
        yield LrInLookupNeighbour.answers(**at)
        yield LrInLookupNeighbour.asks4(**at)
        yield LrInLookupNeighbour.asks_for_own4(own=network.ip, **at)
    own6 = [(network.ip, network.network) for network in port.networks6]
    for ip, value in (*own6, (link_local(port.mac), LINK_LOCAL_NETWORK)):
        at = {"port": port.name, "network": value}
        yield LrInLookupNeighbour.advertisement(**at)
        yield LrInLookupNeighbour.asks6(**at)
        yield LrInLookupNeighbour.tells_all(**at)
        yield LrInLookupNeighbour.asks_for_own6(own=ip, **at)


def _addresses_of_no_host(port: LogicalRouterPort) -> Iterator[bytes]:
    """Yield the addresses in a router port's networks that no neighbour has.

    They are its own; network and broadcast addresses; of IPv6 networks the one that every
    router there has (RFC 4291 section 2.6.1).
    """
    for network in port.networks:
        yield network.ip
        if has_broadcast(network):
            yield broadcast(network)
        if has_broadcast(network) or (len(network.ip) == 16 and network.plen < _POINT_TO_POINT6):
            yield network.network[: len(network.ip)]
    yield link_local(port.mac)


_POINT_TO_POINT6 = 127
"""Networks with this prefix or a longer one give all their addresses to hosts (RFC 6164)."""


def asking_flows(read: Read, pair: tuple[str, str]) -> Flows | None:
    """Lets a router port hear who asks for it behind a port with unknown addresses.

    For others the switch answers, and the router knows them anyhow. From here the router has
    to learn who is where, so that he who asks for his gateway is not taken for another one
    who presented himself with the same address before.

    >>> from incremental import RecordedFacts
    >>> from southbound.port_types import PATCH, VIF
    >>> from translator.derivations.relations import switch_ports_towards
    >>> from translator.addresses import interface, mac_bytes
    >>> lsp = LogicalSwitchPort("p", "s", "any", 1, True, (), ("unknown",), True, (), VIF, "", ())
    >>> leads = LogicalSwitchPort("t", "s", "s-r", 2, True, (), (), False, (), PATCH, "r-s", ())
    >>> lrp = LogicalRouterPort("q", "r", "r-s", 1, True, mac_bytes("0a:00:00:00:00:02"),
    ...     (interface("10.0.0.254/24"),), (), "")
    >>> facts = RecordedFacts(
    ...     {LogicalSwitchPort: {"p": lsp, "t": leads}, LogicalRouterPort: {"q": lrp},
    ...      LogicalRouter: {"r": LogicalRouter("r", "r", 3, True)}},
    ...     {switch_ports_towards: {"r-s": ["t"]}})
    >>> for flow in asking_flows(facts, ("p", "q")).flows:
    ...     print(str(flow).partition(", action")[0])
    table=...(ls_in_arp_rsp), priority=60, match=(inport == "any" && eth.bcast && arp.op == 1 \
&& arp.tpa == 10.0.0.254 && arp.spa == 10.0.0.0/24)
    table=...(ls_in_arp_rsp), priority=60, match=(inport == "any" && nd_ns && \
ip6.dst == ff02::1:ff00:2 && nd.target == fe80::800:ff:fe00:2)
    """
    lsp, lrp = pair
    port = read(LogicalSwitchPort, lsp)
    router_port = read(LogicalRouterPort, lrp)
    router = None if router_port is None else read(LogicalRouter, router_port.router)
    if port is None or router_port is None or router is None:
        return None
    leading = switch_port_towards(read, router_port)
    flows: tuple[LogicalFlow, ...] = ()
    hears = router.enabled and router_port.enabled
    if hears and leading is not None and leading.switch == port.switch and leading.enabled:
        flows = tuple(_asking(port.name, leading.name, router_port))
    return Flows(port.switch, "logical_switch_port", lsp, flows)


def _asking(port: str, leading: str, router_port: LogicalRouterPort) -> Iterator[LogicalFlow]:
    for network in router_port.networks4:
        yield LsInArpRsp.arp_for_router(
            port=port, router=leading, ip=network.ip, network=network.network
        )
    for ip in router_port.addresses6:
        yield LsInArpRsp.nd_for_router(port=port, router=leading, ip=ip, group=solicited_node(ip))
