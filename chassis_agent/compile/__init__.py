"""From logical flows to OpenFlow flows.

:func:`compile_template` does the thinking, once a template: it parses, and with the
first flow normalises and encodes, leaving gaps for what differs from flow to flow.
:func:`pack_group` fills them. What a flow needs to know of its surroundings
comes through a :class:`PackContext`.
"""

from chassis_agent.compile.conjunctions import ConjunctionIds
from chassis_agent.compile.context import PackContext
from chassis_agent.compile.errors import (
    BadArgumentsError,
    BadTemplateError,
    CompileError,
    MissingQueueError,
    UnknownPortError,
)
from chassis_agent.compile.group import PackedGroup, Unresolved, pack_group, templates_of
from chassis_agent.compile.sets import FlowsBySet
from chassis_agent.compile.shelf import Lack, Shape, TemplateShelf, Unreadable, read_template
from chassis_agent.compile.stages import Stage, StageBook, StageKey, UsedStages
from chassis_agent.compile.template import CompiledTemplate, compile_template

__all__ = [
    "BadArgumentsError",
    "BadTemplateError",
    "CompileError",
    "CompiledTemplate",
    "ConjunctionIds",
    "FlowsBySet",
    "Lack",
    "MissingQueueError",
    "PackContext",
    "PackedGroup",
    "Shape",
    "Stage",
    "StageBook",
    "StageKey",
    "TemplateShelf",
    "UnknownPortError",
    "Unreadable",
    "Unresolved",
    "UsedStages",
    "compile_template",
    "pack_group",
    "read_template",
    "templates_of",
]
