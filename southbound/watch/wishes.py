"""What an agent's user asked for, so that each new connection can hear it first.

Each method notes a wish and returns the message that tells it, if there is one to tell.
:meth:`Wishes.repeated` tells all of them. Pure: the caller sends the messages.
"""

from collections.abc import Callable, Iterable, Iterator, Set
from typing import TypeAlias

from southbound import wire
from southbound.watch.subscriptions import Subscriptions

Source: TypeAlias = Callable[[], wire.Message]
"""Makes a message that says how something is now, all of it."""


class Wishes:
    """Subscriptions, claims, ports that are up, and what is told of the host."""

    def __init__(self) -> None:
        self.subscriptions = Subscriptions()
        self.sources: dict[Source, None] = {}
        self._claims: set[str] | None = None
        self._ups: set[str] = set()

    @property
    def ups(self) -> Set[str]:
        """The ports that are up."""
        return self._ups

    def claim_only(self, ports: Iterable[str]) -> wire.ClaimOnly:
        """All ports with an interface here: those that aren't named are no longer claimed.

        What is up is called by its name, what is claimed as its interface calls it, which may
        be by its id: only what was claimed is down for being claimed no longer.
        """
        claims = set(ports)
        self._ups -= (self._claims or set()) - claims
        self._claims = claims
        return wire.ClaimOnly(tuple(sorted(self._claims)))

    def claim(self, port: str) -> wire.Claim | None:
        """One port more, once all were stated."""
        if self._claims is None or port in self._claims:
            return None
        self._claims.add(port)
        return wire.Claim(port)

    def release(self, port: str) -> wire.Release | None:
        """One port less, once all were stated."""
        if self._claims is None or port not in self._claims:
            return None
        self._claims.discard(port)
        self._ups.discard(port)
        return wire.Release(port)

    def set_up(self, port: str, up: bool) -> wire.PortUp:
        """The flows of `port` are in the switch, or no longer."""
        (self._ups.add if up else self._ups.discard)(port)
        return wire.PortUp(port, up)

    def repeated(self, resumed: Set[str], based: Set[str]) -> Iterator[wire.Message | Source]:
        """All of it, for a server that was told of the `resumed` scopes when registering."""
        yield from self.subscriptions.connected(resumed, based)
        if self._claims is not None:
            yield wire.ClaimOnly(tuple(sorted(self._claims)))
            for port in sorted(self._ups):
                yield wire.PortUp(port, True)
        yield from self.sources
