"""Relations between routers and the addresses that they translate."""

from collections.abc import Hashable, Iterator
from typing import Final, NamedTuple

from incremental import Read
from translator.features.nat.rows import Nat
from translator.inputs import LogicalRouter

ANY_ADDRESS: Final = {4: b"4", 6: b"6"}
"""Stands for any address of an IP version: which one it is each chassis knows for itself."""


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


def forces_sources(row: LogicalRouter) -> bool:
    """Whether a router translates the source of what it translates the destination of."""
    return bool(row.dnat_sources)


def forced_address4(read: Read, router: str) -> TranslatedAddress | None:
    """Return the IPv4 address as which connections go on whose destination a router translates."""
    return _forced_address(read, router, 4)


def forced_address6(read: Read, router: str) -> TranslatedAddress | None:
    """Return the IPv6 address as which connections go on whose destination a router translates."""
    return _forced_address(read, router, 16)


def _forced_address(read: Read, router: str, length: int) -> TranslatedAddress | None:
    row = read(LogicalRouter, router)
    for ip in () if row is None else row.dnat_sources:
        if len(ip) == length:
            return TranslatedAddress(router, ip)
    return None


def translating_routers(key: Hashable, found: TranslatedAddress) -> Iterator[tuple[str, Hashable]]:
    """Router -> its NATs and virtual addresses that need connections."""
    yield found.router, key


def translated_addresses(
    _key: Hashable, found: TranslatedAddress
) -> Iterator[tuple[tuple[str, bytes], Hashable]]:
    """(Router, address) -> what translates it there."""
    yield (found.router, found.ip), _key


def is_translated(read: Read, router: str, ip: bytes) -> bool:
    """Tell whether a router may translate an address, on some chassis at least."""
    if read.any(translated_addresses, (router, ip)):
        return True
    return read.any(translated_addresses, (router, ANY_ADDRESS[4 if len(ip) == 4 else 6]))
