"""YAML from strangers: plain data, no key twice, bounded in depth, size and aliases.

It is built from the parser's events, one after the other: libyaml's own way to build a
document goes down into it by recursion, and a text of nothing but brackets ends the
process. What an alias stands for counts as often as it is used, and a long text for as
many values as it has parts of 64 characters, so that aliases multiply neither.

Only the plain tags are known (texts, numbers, dates, lists, mappings), and ``<<``, which
merges other mappings into one.
"""

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from api.errors import TooComplexError, UnreadableBodyError
from api.json_text import MAXIMUM_DEPTH, MAXIMUM_VALUES, shorten, unkeepable
from northbound.errors import InvalidError

_PLAIN = "tag:yaml.org,2002:"
_TEXT, _LIST, _MAPPING, _MERGE = f"{_PLAIN}str", f"{_PLAIN}seq", f"{_PLAIN}map", f"{_PLAIN}merge"
_SCALARS = frozenset(_PLAIN + name for name in ("bool", "int", "float", "null", "timestamp"))
_LONGEST_NUMBER = 64
_CHARACTERS = 64
"""How much text counts as one value."""
_LARGEST = 1 << 63


def parse_mapping(text: str, maximum_values: int = MAXIMUM_VALUES) -> dict[Hashable, Any]:
    """`text` as a mapping; raises what :func:`parse_yaml` does.

    >>> parse_mapping("document: shop")
    {'document': 'shop'}
    """
    value = parse_yaml(text, maximum_values)
    if not isinstance(value, dict):
        raise InvalidError.of(reason="a document is a mapping")
    return value


def parse_yaml(text: str, maximum_values: int = MAXIMUM_VALUES) -> Any:
    """The one document of `text`; None if it has none.

    Raises :class:`UnreadableBodyError` for what is no YAML or not plain, and
    :class:`TooComplexError` for more than `maximum_values` values.
    """
    loader = yaml.CSafeLoader(text)
    try:
        return _Reader(loader, maximum_values).read()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        at = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise UnreadableBodyError(f"not YAML: {error.problem}{at}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise UnreadableBodyError(f"not YAML: {error}") from error
    finally:
        loader.dispose()


@dataclass(slots=True)
class _Built:
    """A finished value: how many values it is made of, itself included, and how deep."""

    value: Any
    size: int = 1
    height: int = 0
    merges: bool = False
    """Whether it is the key ``<<``."""


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come."""

    container: list[Any] | dict[Hashable, Any]
    anchor: str | None
    start: Any
    size: int = 1
    height: int = 0
    key: _Built | None = None
    merged: list[Mapping[Hashable, Any]] = field(default_factory=list)


class _Reader:
    """Builds the value of one document."""

    def __init__(self, loader: yaml.CSafeLoader, maximum_values: int) -> None:
        self._loader = loader
        self._maximum = maximum_values
        self._open: list[_Open] = []
        self._anchors: dict[str, _Built] = {}
        self._values = 0
        self._result: _Built | None = None

    def read(self) -> Any:
        while not isinstance(event := self._loader.get_event(), yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent) and self._result is not None:
                raise _fault("expected a single document", event)
            if isinstance(event, yaml.ScalarEvent):
                scalar = self._scalar(event)
                self._count(scalar.size)
                self._add(scalar, event)
            elif isinstance(event, yaml.AliasEvent):
                meant = self._alias(event)
                self._count(meant.size)
                self._add(meant, event)
            elif isinstance(event, yaml.SequenceStartEvent):
                self._begin([], _LIST, event)
            elif isinstance(event, yaml.MappingStartEvent):
                self._begin({}, _MAPPING, event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end(event)
        return None if self._result is None else self._result.value

    def _begin(self, container: list[Any] | dict[Hashable, Any], tag: str, event: Any) -> None:
        if event.tag not in (None, "!", tag):
            raise _fault(f"the tag {shorten(event.tag)} is not known", event)
        if len(self._open) >= MAXIMUM_DEPTH:
            raise _too_deep(event)
        if event.anchor is not None:
            self._anchors.pop(event.anchor, None)
        self._count(1)
        self._open.append(_Open(container, event.anchor, event))

    def _end(self, event: Any) -> None:
        done = self._open.pop()
        if isinstance(done.container, dict):
            for mapping in done.merged:
                for key, value in mapping.items():
                    done.container.setdefault(key, value)
        built = _Built(done.container, done.size, done.height + 1)
        if done.anchor is not None:
            self._anchors[done.anchor] = built
        self._add(built, event)

    def _add(self, built: _Built, event: Any) -> None:
        """Put a finished value into what is open around it."""
        if not self._open:
            self._result = built
            return
        around = self._open[-1]
        around.size += built.size
        around.height = max(around.height, built.height)
        if len(self._open) + built.height > MAXIMUM_DEPTH:
            raise _too_deep(event)
        if isinstance(around.container, list):
            around.container.append(built.value)
        elif around.key is None:
            around.key = self._key(around, built, event)
        else:
            self._member(around, around.key, built, event)
            around.key = None

    def _key(self, around: _Open, built: _Built, event: Any) -> _Built:
        if built.height or not isinstance(built.value, Hashable):
            raise _fault("a list or mapping is no key", event)
        if not built.merges and built.value in around.container:
            raise _fault(f"the key {shorten(str(built.value))} is given twice", event)
        return built

    def _member(self, around: _Open, key: _Built, built: _Built, event: Any) -> None:
        if not key.merges:
            assert isinstance(around.container, dict)  # noqa: S101 - only mappings have keys
            around.container[key.value] = built.value
            return
        mappings = built.value if isinstance(built.value, list) else [built.value]
        if not all(isinstance(mapping, Mapping) for mapping in mappings):
            raise _fault("<< takes a mapping, or a list of them", event)
        around.merged += mappings

    def _alias(self, event: Any) -> _Built:
        if event.anchor not in self._anchors:
            # Also where it stands inside of its own anchor: such a document has no end.
            raise _fault(f"no value before it has the anchor {shorten(event.anchor)}", event)
        return self._anchors[event.anchor]

    def _count(self, values: int) -> None:
        self._values += values
        if self._values > self._maximum:
            raise TooComplexError(
                f"the document has more than {self._maximum} values, with what its aliases "
                "stand for"
            )

    def _scalar(self, event: Any) -> _Built:
        if fault := unkeepable(event.value):
            raise _fault(f"the text {fault}", event)
        tag = event.tag
        if tag in (None, "!"):
            resolve: Callable[..., str] = self._loader.resolve
            tag = resolve(yaml.ScalarNode, event.value, event.implicit)
        if tag == _TEXT:
            built = _Built(event.value, 1 + len(event.value) // _CHARACTERS)
        elif tag == _MERGE:
            built = _Built(event.value, merges=True)
        elif tag in _SCALARS:
            built = _Built(self._construct(tag, event))
        else:
            raise _fault(f"the tag {shorten(tag)} is not known", event)
        if event.anchor is not None:
            self._anchors[event.anchor] = built
        return built

    def _construct(self, tag: str, event: Any) -> Any:
        if len(event.value) > _LONGEST_NUMBER:
            raise _fault(f"{shorten(event.value)} is too long for a number or date", event)
        construct: Callable[[Any, yaml.ScalarNode], Any] = self._loader.yaml_constructors[tag]
        node = yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark)
        try:
            value = construct(self._loader, node)
        except (ValueError, LookupError, AttributeError, ArithmeticError) as error:
            kind = tag.removeprefix(_PLAIN)
            raise _fault(f"{shorten(event.value)} is no {kind}", event) from error
        if isinstance(value, float) and not math.isfinite(value):
            raise _fault(f"{shorten(event.value)} is no number that is taken", event)
        if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
            raise _fault(f"{shorten(event.value)} does not fit into 64 bits", event)
        return value


def _fault(problem: str, event: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)


def _too_deep(event: Any) -> yaml.MarkedYAMLError:
    return _fault(f"nested too deeply: {MAXIMUM_DEPTH} levels are the most", event)
