"""Who spoke last for the address of each virtual port.

A virtual port's address is that of whichever of its parents speaks for it: the one of them from
which gratuitous ARP or a neighbour advertisement for it came last. Chassis say how long ago that
was, so that what is repeated, after a connection was lost, outdoes nothing that came later.

Pure bookkeeping: no I/O.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Spoken(NamedTuple):
    """A parent, by name, and when it spoke for the address (seconds since the epoch)."""

    parent: str
    at: float


class VirtualParents:
    """The parent of each virtual port, by name, as far as chassis have said."""

    def __init__(self) -> None:
        self._spoken: dict[str, Spoken] = {}

    def state(self, spoken: Iterable[tuple[str, Spoken]]) -> list[str]:
        """Take who spoke for which virtual port; returns those that have another parent now."""
        changed = []
        for port, said in spoken:
            before = self._spoken.get(port)
            if before is not None and before.at >= said.at:
                continue
            self._spoken[port] = said
            if before is None or before.parent != said.parent:
                changed.append(port)
        return changed

    def parent_of(self, port: str) -> str:
        """Return the name of the parent that spoke last; empty if none is known to."""
        said = self._spoken.get(port)
        return "" if said is None else said.parent

    def remove(self, port: str) -> None:
        """A virtual port is no more."""
        self._spoken.pop(port, None)
