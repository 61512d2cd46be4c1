"""Which ports are where others are: those that are nested in them, or may be their address.

Kept row by row. Pure bookkeeping: no clock, no I/O.
"""

from collections.abc import Iterable

from southbound.rows import PortBinding


class Nesting:
    """The ports that follow others: by id those nested in an id, or virtual ones of a name."""

    def __init__(self) -> None:
        self._nested: dict[str, set[str]] = {}
        self._parents: dict[str, tuple[str, ...]] = {}

    def put(self, binding: PortBinding) -> None:
        """Take the row of a port."""
        parents = (binding.parent,) if binding.parent else binding.virtual_parents
        if self._parents.get(binding.id, ()) == parents:
            return
        self.remove(binding.id)
        if parents:
            self._parents[binding.id] = parents
        for parent in parents:
            self._nested.setdefault(parent, set()).add(binding.id)

    def remove(self, port_id: str) -> None:
        """Forget a port that is gone."""
        for parent in self._parents.pop(port_id, ()):
            nested = self._nested[parent]
            nested.discard(port_id)
            if not nested:
                del self._nested[parent]

    def inside(self, parents: Iterable[str]) -> list[str]:
        """Return the ids of the ports that follow any of `parents`, in order."""
        if not self._nested:
            return []
        return sorted({port for parent in parents for port in self._nested.get(parent, ())})
