"""The external addresses of NATs, for provider networks to hear where they are."""

from incremental import Read
from southbound.rows import Announcement
from translator.features.announcing.relations import announcement
from translator.features.gateways.relations import resident_of
from translator.features.nat.places import place_of, ports_around
from translator.features.nat.rows import Nat
from translator.inputs import LogicalRouterPort


def nat_announcement(read: Read, nat_id: str) -> Announcement | None:
    """Return the external address of a NAT, unless it is a router port's own: that is told anyway.

    It is told by the chassis that translates it, of a gateway router by the port around it.
    """
    nat = read(Nat, nat_id)
    place = None if nat is None else place_of(read, nat)
    if nat is None or place is None:
        return None
    around = tuple(ports_around(read, nat.router, nat.external_ip))
    if any(network.ip == nat.external_ip for port in around for network in port.networks):
        return None
    at: LogicalRouterPort | None = place.port or next(iter(around), None)
    if at is None:
        return None
    where = place.incoming.get("logical_port") or resident_of(read, at)
    mac = nat.external_mac if place.name == "local" else at.mac
    return announcement(read, nat_id, at, where, mac, (nat.external_ip,))
