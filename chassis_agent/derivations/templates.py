"""Templates of flows: parsed when they arrive, compiled for the first flow made from them.

There are few, and they change with a release: who needs templates reads all of
them as one thing, instead of each one that each flow is made from.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from chassis_agent.compile import (
    CompiledTemplate,
    StageBook,
    TemplateShelf,
    Unreadable,
    read_template,
)
from incremental import Read
from southbound.rows import Stage, Template

EVERYTHING: Final = ""
"""The one key of what exists once."""

NO_TEMPLATES: Final = TemplateShelf({}, StageBook.of(()))


def compiled_template(read: Read, key: int) -> CompiledTemplate | Unreadable | None:
    row = read(Template, key)
    return None if row is None else read_template(row, read(Stage, row.stage))


def all_templates(key: int, _row: Template) -> Iterator[tuple[str, int]]:
    yield EVERYTHING, key


def all_stages(key: str, _row: Stage) -> Iterator[tuple[str, str]]:
    yield EVERYTHING, key


def once(_key: int, _row: Template) -> Iterator[tuple[str, str]]:
    """Singleton key, present while any template exists."""
    yield EVERYTHING, EVERYTHING


def stage_book(read: Read, _pair: tuple[str, str]) -> StageBook:
    """Every stage that the server tells, or that some template names."""
    templates = (read(Template, key) for key in read.members(all_templates, EVERYTHING))
    stages = (read(Stage, key) for key in read.members(all_stages, EVERYTHING))
    return StageBook.of(filter(None, templates), filter(None, stages))


def template_shelf(read: Read, pair: tuple[str, str]) -> TemplateShelf:
    """All templates by id, those that can't be compiled apart."""
    found = {key: read(compiled_template, key) for key in read.members(all_templates, EVERYTHING)}
    return TemplateShelf(
        {key: each for key, each in found.items() if isinstance(each, CompiledTemplate)},
        read(stage_book, pair) or StageBook.of(()),
        {key: each for key, each in found.items() if isinstance(each, Unreadable)},
    )


def compiled_templates(read: Read) -> TemplateShelf:
    """All that are known."""
    shelf = read(template_shelf, (EVERYTHING, EVERYTHING))
    return NO_TEMPLATES if shelf is None else shelf


def shelf_of(rows: Callable[[Any], Mapping[Any, Any]]) -> TemplateShelf:
    """All that are known, by what gives the results of a derivation by key."""
    shelf: TemplateShelf = rows(template_shelf).get((EVERYTHING, EVERYTHING), NO_TEMPLATES)
    return shelf
