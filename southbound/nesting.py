"""Which ports are nested in which: they are where their parents are.

Kept row by row. Pure bookkeeping: no clock, no I/O.
"""

from collections.abc import Iterable

from southbound.rows import PortBinding


class Nesting:
    """The ports that are nested in others, by the ids of both."""

    def __init__(self) -> None:
        self._nested: dict[str, set[str]] = {}
        self._parents: dict[str, str] = {}

    def put(self, binding: PortBinding) -> None:
        """Take the row of a port."""
        if self._parents.get(binding.id, "") == binding.parent:
            return
        self.remove(binding.id)
        if binding.parent:
            self._parents[binding.id] = binding.parent
            self._nested.setdefault(binding.parent, set()).add(binding.id)

    def remove(self, port_id: str) -> None:
        """Forget a port that is gone."""
        parent = self._parents.pop(port_id, "")
        if parent:
            nested = self._nested[parent]
            nested.discard(port_id)
            if not nested:
                del self._nested[parent]

    def inside(self, parents: Iterable[str]) -> list[str]:
        """Return the ids of the ports that are nested in any of `parents`, in order."""
        return sorted(port for parent in parents for port in self._nested.get(parent, ()))
