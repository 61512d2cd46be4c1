"""How a derivation sees the world: through `Read`, and through nothing else."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Protocol, TypeVar, overload

Row = TypeVar("Row")
Key = TypeVar("Key")
Value = TypeVar("Value")
GroupKey = TypeVar("GroupKey")
Element = TypeVar("Element")

Projection = Callable[[Any, Any], Iterable[tuple[GroupKey, Element]]]
"""A group's function: from a key and its row (or result) to `(group, element)` pairs."""


class Read(Protocol):
    """What a derivation may look at. Every call is recorded, misses included."""

    @overload
    def __call__(self, source: type[Row], key: Hashable) -> Row | None: ...

    @overload
    def __call__(self, source: "Callable[[Read, Key], Value]", key: Key) -> Value | None: ...

    def members(self, group: Projection[GroupKey, Element], key: GroupKey) -> tuple[Element, ...]:
        """All elements of one group, sorted. Only for groups that stay small."""

    def any(self, group: Projection[GroupKey, Element], key: GroupKey) -> bool:
        """Whether the group has an element; recorded as just that question."""


class RecordedFacts:
    """A `Read` over fixed facts, for tests, examples, and questions outside of a graph.

    >>> facts = RecordedFacts({str: {1: "one"}})
    >>> facts(str, 1), facts(str, 2)
    ('one', None)
    """

    def __init__(
        self,
        facts: Mapping[Any, Mapping[Any, Any]],
        groups: Mapping[Any, Mapping[Any, Iterable[Any]]] | None = None,
    ) -> None:
        self._facts = facts
        self._groups = groups or {}

    def __call__(self, source: Any, key: Any) -> Any:
        return self._facts.get(source, {}).get(key)

    def members(self, group: Any, key: Any) -> tuple[Any, ...]:
        return tuple(sorted(self._groups.get(group, {}).get(key, ())))

    def any(self, group: Any, key: Any) -> bool:
        return bool(self.members(group, key))
