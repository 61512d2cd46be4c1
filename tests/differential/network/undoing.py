"""What an intended difference is, and how the flows of one are changed to what they would be."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import NamedTuple
from zlib import crc32

from logical_flow.template import LogicalFlow, Stage, Template
from logical_flow.walk import MAX_DEPTH
from tests.differential.network.topologies import Document
from tests.differential.network.treadle import Undo

Flows = Sequence[LogicalFlow]


class Difference(NamedTuple):
    """`undo` takes a network and the flows of a group, and returns other flows.

    Their walk goes on to `max_depth`.
    """

    name: str
    why: str
    undo: Callable[[Document, Flows], Flows]
    max_depth: int = MAX_DEPTH


def undoing(differences: Iterable[Difference], document: Document) -> Undo:
    """Undoes all of them."""

    def undo(flows: Flows) -> Flows:
        for difference in differences:
            flows = difference.undo(document, flows)
        return flows

    return undo


UndoFlows = Callable[[Document, Flows], Flows]


def undo_all(*undos: UndoFlows) -> UndoFlows:
    def undo(document: Document, flows: Flows) -> Flows:
        for each in undos:
            flows = each(document, flows)
        return flows

    return undo


def where(fits: Callable[[LogicalFlow], bool], undo: UndoFlows) -> UndoFlows:
    """Undoes it in the flows that fit, of which each is taken by itself."""
    return lambda document, flows: [
        each for flow in flows for each in (undo(document, [flow]) if fits(flow) else [flow])
    ]


def without(*templates: Template) -> UndoFlows:
    ids = {template.id for template in templates}
    return lambda _document, flows: [flow for flow in flows if origin(flow) not in ids]


def reworded(old: str, new: str, *templates: Template) -> UndoFlows:
    """Another text in matches and actions of these templates."""
    for template in templates:
        text = template.as_text()
        if old not in text.match and old not in text.actions:
            raise ValueError(f"{template!r} does not say {old}")
    ids = {template.id for template in templates}

    def reword(flow: LogicalFlow) -> LogicalFlow:
        if origin(flow) not in ids:
            return flow
        template = _with_text(flow.template, old, new)
        _ORIGINS[template.id] = origin(flow)
        values = flow.named_args
        return LogicalFlow(template, tuple(values[hole.name] for hole in template.arguments))

    return lambda _document, flows: [reword(flow) for flow in flows]


_ORIGINS: dict[int, int] = {}
"""The ids of templates that reworded ones come from, by the ids of those."""


def origin(flow: LogicalFlow) -> int:
    return _ORIGINS.get(flow.template.id, flow.template.id)


@cache
def _with_text(template: Template, old: str, new: str) -> Template:
    text = template.as_text()
    return saying(template, text.match.replace(old, new), text.actions.replace(old, new))


@cache
def saying(template: Template, match: str, actions: str, priority: str = "") -> Template:
    """A template of the same stage, and of the same priority unless that is said."""
    text = template.as_text()
    identifier = crc32(f"{text.id} {match} {actions}{priority}".encode())
    said = {"match": match, "actions": actions, "priority": priority or text.priority}
    return Template.from_text(text._replace(id=identifier, only="", **said))


def moved(stage: type[Stage], *templates: Template) -> UndoFlows:
    """These templates' flows in another stage of the same pipeline."""
    there = next(iter(stage.templates)).as_text()
    ids = {template.id for template in templates}

    def move(flow: LogicalFlow) -> LogicalFlow:
        if origin(flow) not in ids:
            return flow
        text = flow.template.as_text()
        template = Template.from_text(
            there._replace(
                id=crc32(f"{text.id} {there.stage}".encode()),
                priority=text.priority,
                match=text.match,
                actions=text.actions,
                only="",
            )
        )
        _ORIGINS[template.id] = origin(flow)
        values = flow.named_args
        return LogicalFlow(template, tuple(values[hole.name] for hole in template.arguments))

    return lambda _document, flows: [move(flow) for flow in flows]
