"""What a router port that advertises itself gets: its message as a row, and flows that answer."""

from incremental import Read
from logical_flow.addresses import link_local
from southbound.rows import RouterAdvertisement
from translator.derivations.result import Flows
from translator.features.router_advertisements.message import message_body
from translator.features.router_advertisements.stages import LrInNdRa
from translator.inputs import LogicalRouter, LogicalRouterPort


def advertises(port: LogicalRouterPort) -> bool:
    """Whether a router port shall advertise itself."""
    return port.advertisement is not None and port.enabled


def router_advertisement(read: Read, lrp: str) -> RouterAdvertisement | None:
    """The message of a router port, for agents to send; none while it is disabled."""
    port = _advertising(read, lrp)
    if port is None or port.advertisement is None:
        return None
    told = port.advertisement
    return RouterAdvertisement(
        id=lrp,
        datapath=port.router,
        port=port.name,
        body=message_body(told, port.mac, port.networks6),
        min_interval=told.min_interval,
        max_interval=told.max_interval,
    )


def router_advertisement_flows(read: Read, lrp: str) -> Flows | None:
    """The flow that answers hosts behind a router port which look for routers.

    >>> from incremental import RecordedFacts
    >>> from translator.addresses import interface, mac_bytes
    >>> from translator.features.router_advertisements.message import Advertisement
    >>> told = Advertisement("slaac", "medium", 65535, None, 0, 0, (), (), ())
    >>> lrp = LogicalRouterPort("q", "r", "r-web", 1, True, mac_bytes("0a:00:00:00:00:02"), (),
    ...     (interface("fd00::1/64"),), "", advertisement=told)
    >>> facts = RecordedFacts({LogicalRouterPort: {"q": lrp},
    ...     LogicalRouter: {"r": LogicalRouter("r", "r", True, 1)}})
    >>> for flow in router_advertisement_flows(facts, "q").flows:
    ...     print(str(flow.match))
    inport == "r-web" && nd_rs && ip6.dst == ff02::2
    """
    port = _advertising(read, lrp)
    if port is None:
        return None
    answer = LrInNdRa.solicited(port=port.name, mac=port.mac, ip=link_local(port.mac))
    return Flows(port.router, "logical_router_port", lrp, (answer,))


def _advertising(read: Read, lrp: str) -> LogicalRouterPort | None:
    port = read(LogicalRouterPort, lrp)
    if port is None or not advertises(port):
        return None
    router = read(LogicalRouter, port.router)
    return port if router is not None and router.enabled else None
