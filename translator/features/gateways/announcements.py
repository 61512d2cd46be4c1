"""The addresses of gateways themselves, for provider networks to hear where they are."""

from incremental import Read
from southbound.rows import Announcement
from translator.features.announcing.relations import announcement
from translator.features.gateways.relations import resident_of
from translator.inputs import LogicalRouterPort


def gateway_announcement(read: Read, lrp: str) -> Announcement | None:
    """Return the addresses of a port that is on one chassis at a time, where that tells them."""
    port = read(LogicalRouterPort, lrp)
    if port is None:
        return None
    where = resident_of(read, port)
    if not where:
        return None
    ips = (*(network.ip for network in port.networks4), *port.addresses6)
    return announcement(read, lrp, port, where, port.mac, ips)
