"""Ports that move here while they are elsewhere still: blocked until their workloads speak. Pure.

A port is on this chassis beside its own while it is moved. If it has an activation, what its
workload sends and is sent is dropped here until a packet tells that it runs here. That is decided
here: the server is told, and remembers it should this agent start anew.
"""

from collections.abc import Iterable

from southbound.rows import PortBinding


class MovingPorts:
    """Which ports have become active here. `own` is this chassis."""

    def __init__(self, own: str) -> None:
        self._own = own
        self._active: dict[str, str] = {}

    @property
    def active(self) -> tuple[str, ...]:
        """The names of the ports that became active here and are elsewhere still."""
        return tuple(sorted(self._active.values()))

    def activate(self, row: PortBinding) -> bool:
        """Note that a port is active here; returns whether that is news."""
        if not self.is_blocked(row):
            return False
        self._active[row.id] = row.name
        return True

    def is_blocked(self, row: PortBinding) -> bool:
        """Whether a port that is here waits for its workload to speak."""
        is_further = self._own in row.additional_chassis and self._own not in row.activated
        return bool(row.activation) and is_further and (row.parent or row.id) not in self._active

    def retain(self, rows: Iterable[PortBinding]) -> None:
        """Forget the ports that are not among these, or are no longer on their way here."""
        coming = {row.id for row in rows if self._own in row.additional_chassis}
        self._active = {id_: name for id_, name in self._active.items() if id_ in coming}
