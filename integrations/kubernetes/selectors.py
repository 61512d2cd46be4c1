"""Label selectors in one canonical form, and an index from labels to the selectors they satisfy.

Two selectors that are written differently and ask the same (the order of expressions, of values,
``matchLabels`` or ``In`` with one value) are equal. What selects pods is shared by its selector.

:class:`SelectorIndex` finds the selectors that labels satisfy without asking all: each is filed
under one of the labels that it can't do without.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from integrations.kubernetes.errors import UnsayableError
from integrations.kubernetes.reading import Json, list_at, object_at, only_fields, text_at

Labels = Mapping[str, str]
Operator = Literal["In", "NotIn", "Exists", "DoesNotExist"]

T = TypeVar("T")


class Requirement(NamedTuple):
    """What a selector asks of one label; `values` are sorted, and empty without `In`, `NotIn`."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def holds(self, labels: Labels) -> bool:
        if self.operator == "In":
            return labels.get(self.key) in self.values
        if self.operator == "NotIn":
            # As the API defines it: also where there is no such label.
            return labels.get(self.key) not in self.values
        return (self.key in labels) is (self.operator == "Exists")

    def __str__(self) -> str:
        if self.operator == "Exists":
            return self.key
        if self.operator == "DoesNotExist":
            return f"!{self.key}"
        if self.operator == "In" and len(self.values) == 1:
            return f"{self.key}={self.values[0]}"
        word = "in" if self.operator == "In" else "notin"
        return f"{self.key} {word} ({','.join(self.values)})"


class LabelSelector(NamedTuple):
    """All requirements have to hold; without any it selects everything."""

    requirements: tuple[Requirement, ...] = ()

    def selects(self, labels: Labels) -> bool:
        return all(requirement.holds(labels) for requirement in self.requirements)

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))


EVERYTHING = LabelSelector()


def parse_selector(value: Any, path: str) -> LabelSelector:
    """Read a ``LabelSelector`` of the API.

    >>> a = {"matchLabels": {"app": "web"}}
    >>> b = {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "web"]}]}
    >>> parse_selector(a, "") == parse_selector(b, ""), str(parse_selector(a, ""))
    (True, 'app=web')

    Raises UnsayableError.
    """
    fields = only_fields(value, ("matchLabels", "matchExpressions"), path)
    requirements: set[Requirement] = set()
    for key, wanted in (object_at(fields, "matchLabels", path) or {}).items():
        if not isinstance(wanted, str):
            raise UnsayableError(f"{path}.matchLabels.{key}: has to be a text")
        requirements.add(Requirement(key, "In", (wanted,)))
    for i, expression in enumerate(list_at(fields, "matchExpressions", path)):
        requirements.add(_requirement(expression, f"{path}.matchExpressions[{i}]"))
    return LabelSelector(tuple(sorted(requirements)))


def _requirement(value: Any, path: str) -> Requirement:
    fields: Json = only_fields(value, ("key", "operator", "values"), path)
    key, operator = text_at(fields, "key", path), text_at(fields, "operator", path)
    values = list_at(fields, "values", path)
    if not key:
        raise UnsayableError(f"{path}.key: is missing")
    if not all(isinstance(each, str) for each in values):
        raise UnsayableError(f"{path}.values: has to be a list of texts")
    match operator:
        case "In" | "NotIn":
            if not values:
                raise UnsayableError(f"{path}.values: {operator} needs some")
            return Requirement(key, operator, tuple(sorted(set(values))))
        case "Exists" | "DoesNotExist":
            if values:
                raise UnsayableError(f"{path}.values: {operator} takes none")
            return Requirement(key, operator)
        case _:
            raise UnsayableError(f"{path}.operator: {operator[:80]!r} isn't supported")


class SelectorIndex(Generic[T]):
    """Things by the selectors that they have."""

    def __init__(self) -> None:
        self._things: dict[LabelSelector, set[T]] = {}
        self._by_label: defaultdict[tuple[str, str | None], set[LabelSelector]] = defaultdict(set)
        self._others: set[LabelSelector] = set()

    def __bool__(self) -> bool:
        return bool(self._things)

    def add(self, selector: LabelSelector, thing: T) -> None:
        things = self._things.get(selector)
        if things is None:
            things = self._things[selector] = set()
            places = _places(selector)
            for place in places:
                self._by_label[place].add(selector)
            if not places:
                self._others.add(selector)
        things.add(thing)

    def remove(self, selector: LabelSelector, thing: T) -> None:
        things = self._things[selector]
        things.remove(thing)
        if things:
            return
        del self._things[selector]
        self._others.discard(selector)
        for place in _places(selector):
            filed = self._by_label[place]
            filed.discard(selector)
            if not filed:
                del self._by_label[place]

    def selecting(self, labels: Labels) -> Iterator[T]:
        """Yield the things whose selectors select what has these labels."""
        candidates = set(self._others)
        for key, value in labels.items():
            candidates |= self._by_label.get((key, value), _NONE)
            candidates |= self._by_label.get((key, None), _NONE)
        for selector in candidates:
            if selector.selects(labels):
                yield from self._things[selector]


_NONE: frozenset[LabelSelector] = frozenset()


def _places(selector: LabelSelector) -> list[tuple[str, str | None]]:
    """Return the labels, or keys of any value, of which what it selects has one.

    Those of the requirement with the fewest values, which tells the most apart; none where it
    asks for no label to be there.
    """
    chosen: list[tuple[str, str | None]] = []
    for requirement in selector.requirements:
        places: list[tuple[str, str | None]]
        if requirement.operator == "In":
            places = [(requirement.key, value) for value in requirement.values]
        elif requirement.operator == "Exists":
            places = [(requirement.key, None)]
        else:
            continue
        if not chosen or len(places) < len(chosen) or chosen[0][1] is None:
            chosen = places
    return chosen
