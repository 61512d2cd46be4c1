"""What hosts ask of whichever server or router there is, and the network leaves unanswered.

These are messages of DHCP clients, and router solicitations. That another workload gets them, too,
is no answer.
"""

from collections.abc import Iterator
from ipaddress import ip_interface
from typing import Final

from diagnosis.explain import packets
from diagnosis.explain.checks import Obstacle, ObstacleKind
from diagnosis.explain.dhcp import unserved
from diagnosis.explain.lookups import closed_port
from diagnosis.explain.scene import Scene
from logical_flow.evaluate import Packet
from northbound.models import LogicalRouterPort
from southbound.rows import PortBinding

_EARLIER: Final = (ObstacleKind.PORT_SECURITY, ObstacleKind.DISABLED, ObstacleKind.ADMISSION)
"""What ends a message before the network would answer it, which ACLs don't keep it from."""


def unanswered(scene: Scene, packet: Packet, ended: Obstacle | None = None) -> Obstacle | None:
    """Return why the network doesn't answer `packet`; None if it isn't for whoever answers.

    `ended` is where it ended, which counts where that is before anything that would answer.
    """
    if ended is not None and ended.kind in _EARLIER:
        return ended
    return unserved(scene, packet) or _unadvertised(scene, packet) or ended


def _unadvertised(scene: Scene, packet: Packet) -> Obstacle | None:
    """Return why no router answers a router solicitation; None if one does, or it is none."""
    name = packet.get("inport")
    port = scene.ports.get(name) if isinstance(name, str) else None
    if port is None or not port.kind.is_workload or not packets.is_router_solicitation(packet):
        return None
    switch = scene.causes.of("logical_switch", port.datapath)
    links = [scene.ports[each.peer] for each in _links(scene, port.datapath)]
    rows = [(link, scene.reader.by_id(LogicalRouterPort, link.id)) for link in links]
    silent = "not answered by a router"
    if not any(row is not None for _, row in rows):
        text = f"{silent}: {switch.text} leads to none"
        return Obstacle(ObstacleKind.UNADVERTISED, text, switch, dict(packet))
    for link, row in rows:
        closed = closed_port(scene, link) if row is not None and row.ipv6_ra else None
        if closed is not None:
            text = f"{silent}, because {scene.authored(closed)}, is disabled"
            return Obstacle(ObstacleKind.DISABLED, text, closed, dict(packet))
    if any(row is not None and row.ipv6_ra for _, row in rows):
        return None
    found = next((row for _, row in rows if row is not None and _network6(row)), None)
    first = found or next(row for _, row in rows if row is not None)
    cause = scene.causes.of("logical_router_port", first.id)
    text = f"{silent}: {scene.authored(cause)}, has no ipv6_ra, so that it tells hosts nothing"
    return Obstacle(ObstacleKind.UNADVERTISED, text, cause, dict(packet), detail=_network6(first))


def _links(scene: Scene, datapath: str) -> Iterator[PortBinding]:
    """Yield the ports of a switch that lead to routers."""
    return (
        each
        for each in scene.snapshot.ports
        if each.datapath == datapath and each.joins_datapaths and each.peer in scene.ports
    )


def _network6(row: LogicalRouterPort) -> str:
    """Return the first IPv6 network of a router port, empty without one."""
    networks = (ip_interface(each).network for each in row.networks)
    return next((str(each) for each in networks if each.version == 6), "")
