"""What a NAT translates, for agents that end connections when that is over."""

from incremental import Read
from southbound.rows import Translation
from translator.addresses import ip_text
from translator.features.nat.rows import Nat


def translation(read: Read, nat_id: str) -> Translation | None:
    """Return what a NAT translates connections of, wherever its router does so.

    >>> from incremental import RecordedFacts
    >>> from translator.addresses import interface, ip_bytes
    >>> nat = Nat("n", "r", "snat", ip_bytes("192.0.2.7"), interface("10.0.0.7/24"),
    ...     None, "", b"", "", False)
    >>> translation(RecordedFacts({Nat: {"n": nat}}), "n").logical
    '10.0.0.0/24'
    """
    nat = read(Nat, nat_id)
    if nat is None or nat.stateless:
        return None
    network = nat.logical.network[: len(nat.logical.ip)]
    logical = f"{ip_text(network)}/{nat.logical.plen}"
    external = ip_text(nat.external_ip)
    return Translation(nat_id, nat.router, external, logical, nat.incoming, nat.outgoing)
