"""Relations between routers and the addresses that they translate."""

from collections.abc import Iterator
from typing import NamedTuple

from incremental import Read
from translator.features.nat.rows import Nat


class TranslatedAddress(NamedTuple):
    """An address whose packets a router's later stages decide on, not its own answers."""

    router: str
    ip: bytes


def external_address(read: Read, nat_id: str) -> TranslatedAddress | None:
    """Return the external address of a NAT, on its router."""
    nat = read(Nat, nat_id)
    if nat is None or nat.stateless:
        return None
    return TranslatedAddress(nat.router, nat.external_ip)


def translating_routers(nat_id: str, found: TranslatedAddress) -> Iterator[tuple[str, str]]:
    """Router -> its NATs that need connections."""
    yield found.router, nat_id


def translated_addresses(
    _key: str, found: TranslatedAddress
) -> Iterator[tuple[tuple[str, bytes], str]]:
    """(Router, address) -> what translates it there."""
    yield (found.router, found.ip), _key
