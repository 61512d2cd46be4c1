"""The flows of router ports that lead to networks with small packets, and of all others beside."""

from collections.abc import Iterator
from typing import Final

from incremental import Read
from logical_flow.template import LogicalFlow
from translator.derivations.result import Flows
from translator.features.path_mtu.stages import LrInChkPktLen, LrInLargerPkts, LrInTooBig
from translator.inputs import LogicalRouterPort

ETHERNET_HEADER: Final = 14
"""Bytes that a frame has beside the IP packet."""


def is_limited(port: LogicalRouterPort) -> bool:
    """Whether packets have to be small beyond a router port."""
    return port.gateway_mtu > 0


def limited_ports(lrp: str, port: LogicalRouterPort) -> Iterator[tuple[str, str]]:
    """Router -> its ports beyond which packets have to be small."""
    if is_limited(port):
        yield port.router, lrp


def is_limited_beyond(read: Read, router: str, port: LogicalRouterPort | None) -> bool:
    """Whether packets that come in by a port of a router, None for any, may be too big for it."""
    own = "" if port is None else port.id
    return any(lrp != own for lrp in read.members(limited_ports, router))


def limit_flows(read: Read, lrp: str) -> Flows | None:
    """The flows that look at the size of what leaves by a router port."""
    port = read(LogicalRouterPort, lrp)
    if port is None or not is_limited(port):
        return None
    length = port.gateway_mtu + ETHERNET_HEADER
    flows = (
        LrInChkPktLen.check(port=port.name, length=length),
        LrInLargerPkts.larger(port=port.name, mtu=port.gateway_mtu),
        LrInTooBig.larger(port=port.name),
    )
    return Flows(port.router, "logical_router_port", lrp, flows)


def too_big_flows(read: Read, lrp: str) -> Flows | None:
    """The flows that tell who sends by a router port that packets are too big.

    >>> from incremental import RecordedFacts
    >>> too_big_flows(RecordedFacts({}), "q")
    """
    port = read(LogicalRouterPort, lrp)
    if port is None or not read.members(limited_ports, port.router):
        return None
    return Flows(port.router, "logical_router_port", lrp, tuple(_errors(port)))


def _errors(port: LogicalRouterPort) -> Iterator[LogicalFlow]:
    if port.networks4:
        ip = port.networks4[0].ip
        yield LrInTooBig.error4(port=port.name, mac=port.mac, ip=ip)
    if port.networks6:
        ip = port.networks6[0].ip
        yield LrInTooBig.error6(port=port.name, mac=port.mac, ip=ip)
