"""Relations between routers and the addresses that they translate."""

from collections.abc import Hashable, Iterator
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


def translating_routers(key: Hashable, found: TranslatedAddress) -> Iterator[tuple[str, Hashable]]:
    """Router -> its NATs and virtual addresses that need connections."""
    yield found.router, key


def translated_addresses(
    _key: Hashable, found: TranslatedAddress
) -> Iterator[tuple[tuple[str, bytes], Hashable]]:
    """(Router, address) -> what translates it there."""
    yield (found.router, found.ip), _key
