"""The virtual addresses of routers, for provider networks to hear where they are."""

from incremental import Read
from southbound.rows import Announcement
from translator.features.announcing.relations import announcement
from translator.features.gateways.relations import resident_of
from translator.features.load_balancing.relations import front
from translator.inputs import LogicalRouterPort


def vip_announcement(read: Read, asked: tuple[str, str]) -> Announcement | None:
    """Return a virtual address that a gateway port, or a port of a gateway router, answers for."""
    lrp, vip = asked
    port, address = read(LogicalRouterPort, lrp), read(front, vip)
    if port is None or address is None or isinstance(address.address, str):
        return None
    where = resident_of(read, port)
    if not where:
        return None
    return announcement(read, f"{vip}/{lrp}", port, where, port.mac, (address.address,))
