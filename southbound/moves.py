"""Ports that are on several chassis while they move: where they are ready, and have become active.

Kept by what agents say. Pure bookkeeping: no clock, no I/O.
"""

from collections.abc import Collection, Iterable


class Moves:
    """What chassis say of ports that they have beside, or before, the chassis of the port."""

    def __init__(self) -> None:
        self._ready: dict[str, set[str]] = {}
        self._activated: dict[str, frozenset[str]] = {}

    def set_ready(self, port_id: str, chassis: str, ready: bool) -> None:
        """The flows of the port are in the switch of a chassis that it is on as well, or not."""
        found = self._ready.setdefault(port_id, set())
        if ready:
            found.add(chassis)
        else:
            found.discard(chassis)
        if not found:
            del self._ready[port_id]

    def is_ready(self, port_id: str, chassis: str) -> bool:
        """Whether the flows of the port were in the switch of `chassis` before it was its own."""
        return chassis in self._ready.get(port_id, ())

    def replace_activated(self, chassis: str, ports: Collection[str]) -> Collection[str]:
        """Take all ports that have become active on a chassis; returns those that are news."""
        now, before = frozenset(ports), self._activated.pop(chassis, frozenset())
        if now:
            self._activated[chassis] = now
        return now ^ before

    def activated(self, port: Iterable[str]) -> set[str]:
        """Return the chassis on which a port, given by all that it is called, is active."""
        if not self._activated:
            return set()
        called = set(port)
        return {name for name, ports in self._activated.items() if not called.isdisjoint(ports)}

    def end(self, port_id: str, port: Iterable[str], further: Collection[str]) -> None:
        """A port is on these chassis beside its own: on others it is neither ready nor active."""
        for name in self._ready.get(port_id, set()) - set(further):
            self.set_ready(port_id, name, False)
        if not self._activated:
            return
        called = set(port)
        for name in self.activated(called) - set(further):
            self.replace_activated(name, self._activated[name] - called)

    def forget_chassis(self, chassis: str) -> Collection[str]:
        """A chassis is no more. Returns the ports that were active there."""
        for port_id in [port for port, ready in self._ready.items() if chassis in ready]:
            self.set_ready(port_id, chassis, False)
        return self._activated.pop(chassis, frozenset())

    def remove(self, port_id: str) -> None:
        """A port is no more."""
        self._ready.pop(port_id, None)
