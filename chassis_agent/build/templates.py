"""Templates of flows: parsed when they arrive, compiled for the first flow made from them.

There are few, and they change with a release: who needs templates reads all of
them as one thing, instead of each one that each flow is made from.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from chassis_agent.compile import CompiledTemplate, StageBook, compile_template
from incremental import Read
from southbound.rows import Template

EVERYTHING: Final = ""
"""The one key of what exists once."""


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


def template_shelf(read: Read, _pair: tuple[str, str]) -> Mapping[int, CompiledTemplate]:
    """The compiled templates by id, without those that can't be parsed."""
    found = {key: read(compiled_template, key) for key in read.members(all_templates, EVERYTHING)}
    return {key: template for key, template in found.items() if template is not None}


def compiled_templates(read: Read) -> Mapping[int, CompiledTemplate]:
    """All that are known."""
    return read(template_shelf, (EVERYTHING, EVERYTHING)) or {}
