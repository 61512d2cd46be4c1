"""Which connections were translated as no NAT of their router says any more. Pure."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

from chassis_agent.revocation.conntrack import TrackedConnection
from southbound.rows import Translation

Address = IPv4Address | IPv6Address


class _Exchange(NamedTuple):
    """One address put in place of another: of a destination, if it is `inwards`."""

    external: Address
    logical: Address
    inwards: bool


class LostTranslations:
    """What was translated in one datapath and isn't any more."""

    def __init__(self, lost: Iterable[Translation], current: Iterable[Translation]) -> None:
        self._lost = _by_external(lost)
        self._current = _by_external(current)

    def has_lost(self, connection: TrackedConnection) -> bool:
        """Return whether a connection is translated as lost NATs did it, and no other one does.

        Those that others translate the same are left alone, even if the two had other matches.
        """
        exchange = _exchange(connection)
        if exchange is None:
            return False
        return _has(self._lost, exchange) and not _has(self._current, exchange)


def _by_external(rows: Iterable[Translation]) -> dict[Address, list[Translation]]:
    found: dict[Address, list[Translation]] = {}
    for row in rows:
        found.setdefault(ip_address(row.external), []).append(row)
    return found


def _has(rows: dict[Address, list[Translation]], exchange: _Exchange) -> bool:
    return any(
        (row.inwards if exchange.inwards else row.outwards)
        and exchange.logical in ip_network(row.logical)
        for row in rows.get(exchange.external, ())
    )


def _exchange(connection: TrackedConnection) -> _Exchange | None:
    to, original = connection.translated, connection.original
    if to is None:
        return None
    if connection.has_new_source:
        return _Exchange(to.source, original.source, inwards=False)
    return _Exchange(original.destination, to.destination, inwards=True)
