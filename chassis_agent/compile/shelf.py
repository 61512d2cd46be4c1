"""The templates of all flows: compiled, or with what stands in for those that can't be.

A template that this agent can't read, and a flow whose arguments it can't read, take what
the stage declares for that (:mod:`logical_flow.stand_in`), alone: the other flows of their
groups are made as ever.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NamedTuple

from chassis_agent.compile.errors import BadTemplateError
from chassis_agent.compile.stages import StageBook, StageKey
from chassis_agent.compile.template import CompiledTemplate, compile_template, text_of
from logical_flow.errors import LogicalFlowError
from logical_flow.holes import HoleType
from logical_flow.match_parser import parse_trusted_match
from logical_flow.payload import PackedFlow
from logical_flow.roles import OF_ACLS
from logical_flow.stand_in import stand_in
from logical_flow.template import LogicalFlow, TemplateText
from logical_flow.words import HOLE_WORDS, KNOWN_WORDS, unknown_words
from southbound.rows import Stage, Template

_READINGS: Final = (KNOWN_WORDS, KNOWN_WORDS - {"{expr}"}, KNOWN_WORDS - HOLE_WORDS)
"""How much of a template to go by: all that is known, without matches that come as
arguments, without any argument."""

_READABLE: Final = 1
"""The first reading to try where the template itself is understood."""


class Lack(NamedTuple):
    """Why flows of a template can't be made: words that aren't known, or else `error`."""

    template: str
    words: tuple[str, ...]
    error: str = ""

    def __str__(self) -> str:
        if not self.words:
            return f"flows of template {self.template} can't be made: {self.error}"
        words = ", ".join(f"`{word}`" for word in self.words)
        return f"flows of template {self.template} need an agent that knows {words}"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A template that can't be compiled."""

    text: TemplateText
    lack: Lack


class Substitute(NamedTuple):
    """A template that stands in, and which of a flow's arguments it takes."""

    compiled: CompiledTemplate
    positions: tuple[int, ...]


class Shape(NamedTuple):
    """The stages in which flows of some templates are, and whether any is one of ACLs."""

    stages: frozenset[StageKey]
    has_acls: bool


class TemplateShelf(dict[int, CompiledTemplate]):
    """Compiled templates by id; `unreadable` are those that can't be.

    Most groups are made from the same templates as many others, so what these come to
    is remembered.
    """

    def __init__(
        self,
        templates: Mapping[int, CompiledTemplate],
        book: StageBook,
        unreadable: Mapping[int, Unreadable] | None = None,
    ) -> None:
        super().__init__(templates)
        self.book = book
        self.unreadable = dict(unreadable or {})
        self._shapes: dict[tuple[object, ...], Shape] = {}
        self._substitutes: dict[tuple[int, int], Substitute | None] = {}

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, TemplateShelf)
            and super().__eq__(other)
            and (self.book, self.unreadable) == (other.book, other.unreadable)
        )

    __hash__ = None

    def shape(self, identifiers: tuple[object, ...]) -> Shape:
        """What flows come to that are made from the templates of these ids."""
        shape = self._shapes.get(identifiers)
        if shape is None:
            texts = [text for each in identifiers if (text := self._text(each)) is not None]
            stages = [stage for text in texts if (stage := self.book.get(text.stage)) is not None]
            shape = self._shapes[identifiers] = Shape(
                frozenset(stage.key for stage in stages),
                any(stage.role in OF_ACLS for stage in stages),
            )
        return shape

    def substitutes(self, identifier: int) -> Iterator[Substitute]:
        """What to try instead of a template, one after the other."""
        readings = range(len(_READINGS)) if identifier in self.unreadable else range(_READABLE, 3)
        for reading in readings:
            key = identifier, reading
            if key not in self._substitutes:
                self._substitutes[key] = self._substitute(identifier, _READINGS[reading])
            substitute = self._substitutes[key]
            if substitute is not None:
                yield substitute

    def logical_flow(self, packed: PackedFlow) -> LogicalFlow | None:
        """The flow that `packed` is, or what stands in for it; None if that is nothing."""
        identifier = packed[0] if packed else None
        if not isinstance(identifier, int):
            return None
        compiled = self.get(identifier)
        flows = [] if compiled is None else [(compiled.template, packed[1:])]
        for substitute in self.substitutes(identifier):
            with suppress(IndexError):
                arguments = tuple([packed[1 + position] for position in substitute.positions])
                flows.append((substitute.compiled.template, arguments))
        for template, values in flows:
            flow = LogicalFlow(template, values)
            try:
                flow.check()
                for hole, value in zip(template.arguments, values, strict=True):
                    if hole.type is HoleType.EXPR:
                        parse_trusted_match(str(value))
            except LogicalFlowError:
                continue
            return flow
        return None

    def _substitute(self, identifier: int, known: frozenset[str]) -> Substitute | None:
        text = self._text(identifier)
        stage = None if text is None else self.book.get(text.stage)
        if text is None or stage is None:
            return None
        found = stand_in(text, stage.failure, known)
        if found is None:
            return None
        return Substitute(compile_template(Template(*found.text)), found.positions)

    def _text(self, identifier: object) -> TemplateText | None:
        if not isinstance(identifier, int):
            return None
        compiled = self.get(identifier)
        if compiled is not None:
            return compiled.text
        unreadable = self.unreadable.get(identifier)
        return None if unreadable is None else unreadable.text


def read_template(row: Template, stage: Stage | None = None) -> CompiledTemplate | Unreadable:
    """Compile a template as it came from the server, if it can be."""
    try:
        return compile_template(row, stage)
    except BadTemplateError as error:
        words = unknown_words(row.match, row.actions, row.priority)
        return Unreadable(
            text_of(row),
            Lack(f"{row.stage} {row.id:#x}", tuple(words), "" if words else str(error)),
        )
