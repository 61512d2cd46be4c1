"""The agent's end of the watch: rows in, facts out, over a connection that comes and goes.

A :class:`WatchClient` keeps what its user asked for (subscriptions, claims, ports that
are up) and says it again to the server after each reconnect. To its user the rows never
vanish: while the connection is away they stay, and after it is back the user gets the
difference.
"""

import ssl
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from southbound.rows import Chassis, Row, RowId
from southbound.watch.cache import RowCache


class Batch(NamedTuple):
    """Changes that belong together, with the revision that the rows realise then."""

    puts: tuple[Row, ...]
    deletes: tuple[RowId, ...]
    revision: int
    serial: int


class WatchClient:
    """One agent's rows, kept current. Belongs to one event loop.

    `run` connects and reconnects until it is cancelled; another task reads `next_batch`,
    applies what it got to its switch and then calls `acknowledge`. While that task is
    busy, changes gather into one next batch (the last state of each row), not a queue.
    """

    def __init__(
        self,
        address: str,
        chassis: Chassis,
        *,
        token: str = "",
        tls: ssl.SSLContext | None = None,
        cache: RowCache | None = None,
    ) -> None:
        """`address` is ``ws://host:port`` or ``wss://host:port``."""
        raise NotImplementedError

    async def run(self) -> None:
        raise NotImplementedError

    async def next_batch(self) -> Batch:
        """The next changes. The first batch after start may come from the cache (headless)."""
        raise NotImplementedError

    def acknowledge(self, batch: Batch) -> None:
        """What `batch` asked for is in the switch (or concerned nothing there).

        Subscribe to scopes that a batch calls for before acknowledging it: a waiter for
        the revision then waits for their rows, too.
        """
        raise NotImplementedError

    @property
    def connected(self) -> bool:
        raise NotImplementedError

    @property
    def last_error(self) -> str:
        """Why the connection is away, or was refused; empty while connected."""
        raise NotImplementedError

    @property
    def revision(self) -> int:
        raise NotImplementedError

    @property
    def rows(self) -> Mapping[RowId, Row]:
        """All rows of the subscribed scopes, as of the last batch taken."""
        raise NotImplementedError

    @property
    def in_sync(self) -> frozenset[str]:
        """Subscribed scopes whose rows are complete as of the last batch taken."""
        raise NotImplementedError

    @property
    def subscriptions(self) -> frozenset[str]:
        raise NotImplementedError

    def subscribe(self, scopes: Iterable[str]) -> None:
        raise NotImplementedError

    def unsubscribe(self, scopes: Iterable[str]) -> None:
        """The rows that no other subscribed scope holds leave with the next batch."""
        raise NotImplementedError

    def set_chassis(self, chassis: Chassis) -> None:
        """The host's encapsulations or names changed: registers anew."""
        raise NotImplementedError

    def claim_only(self, ports: Iterable[str]) -> None:
        """All ports with an interface here; call it once OVSDB is read, and after a re-read."""
        raise NotImplementedError

    def claim(self, port: str) -> None:
        """An interface for `port` was plugged in."""
        raise NotImplementedError

    def release(self, port: str) -> None:
        raise NotImplementedError

    def set_up(self, port: str, up: bool) -> None:
        """The flows of `port` are in the switch (or no longer). Call when bound here."""
        raise NotImplementedError

    def learned_mac(self, port: str, ip: str, mac: str) -> None:
        raise NotImplementedError

    def learned_fdb(self, port: str, mac: str) -> None:
        raise NotImplementedError

    def count(self, values: Mapping[str, int]) -> None:
        """The agent's counters, for the server to show."""
        raise NotImplementedError
