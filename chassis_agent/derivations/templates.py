"""Templates of flows: parsed when they arrive, compiled for the first flow made from them.

There are few, and they change with a release: who needs templates reads all of
them as one thing, instead of each one that each flow is made from.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from chassis_agent.compile import (
    CompiledTemplate,
    StageBook,
    StageKey,
    compile_template,
    template_of,
)
from incremental import Read
from logical_flow.roles import OF_ACLS
from southbound.rows import Template

EVERYTHING: Final = ""
"""The one key of what exists once."""


class Shape(NamedTuple):
    """The stages in which flows of some templates are, and whether any is one of ACLs."""

    stages: frozenset[StageKey]
    has_acls: bool


class TemplateShelf(dict[int, CompiledTemplate]):
    """Compiled templates by id.

    Most groups are made from the same templates as many others, so what these come to
    is remembered.
    """

    def __init__(self, templates: dict[int, CompiledTemplate]) -> None:
        super().__init__(templates)
        self._shapes: dict[tuple[object, ...], Shape] = {}

    def shape(self, identifiers: tuple[object, ...]) -> Shape:
        """What flows come to that are made from the templates of these ids."""
        shape = self._shapes.get(identifiers)
        if shape is None:
            used = [template_of(identifier, self) for identifier in identifiers]
            shape = self._shapes[identifiers] = Shape(
                frozenset(template.stage for template in used),
                any(template.template.role in OF_ACLS for template in used),
            )
        return shape


def compiled_template(read: Read, key: int) -> CompiledTemplate | None:
    row = read(Template, key)
    return None if row is None else compile_template(row)


def all_templates(key: int, _row: Template) -> Iterator[tuple[str, int]]:
    yield EVERYTHING, key


def once(_key: int, _row: Template) -> Iterator[tuple[str, str]]:
    """One pair, while there is any template: the key of what is made of all of them."""
    yield EVERYTHING, EVERYTHING


def stage_book(read: Read, _pair: tuple[str, str]) -> StageBook:
    """Every stage that some template names."""
    rows = (read(Template, key) for key in read.members(all_templates, EVERYTHING))
    return StageBook.of(row for row in rows if row is not None)


def template_shelf(read: Read, _pair: tuple[str, str]) -> TemplateShelf:
    """The compiled templates by id, without those that can't be parsed."""
    found = {key: read(compiled_template, key) for key in read.members(all_templates, EVERYTHING)}
    return TemplateShelf({key: template for key, template in found.items() if template is not None})


def compiled_templates(read: Read) -> TemplateShelf:
    """All that are known."""
    return read(template_shelf, (EVERYTHING, EVERYTHING)) or TemplateShelf({})
