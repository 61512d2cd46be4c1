"""The truth of a match as a switch sees it: from the bytes of its flows alone.

A packet fits when it fits a whole flow, or a flow that asks for a `conj_id` and
for each clause of that conjunction a flow that states it.
"""

import struct
from collections import defaultdict
from collections.abc import Iterable
from functools import cache, lru_cache

from chassis_agent.compile import CompiledTemplate, ConjunctionIds, StageBook
from chassis_agent.desired.flow import Flow, is_clause
from chassis_agent.openflow.oxm import Term, terms_of
from logical_flow.evaluate import Packet
from logical_flow.expression import Expression
from logical_flow.template import Template, TemplateText
from southbound import rows
from tests.property.logical_flow.universe import ALL, MEMBERS, truth_where
from tests.unit.chassis_agent.compile.surroundings import surroundings

PORTS = {"p": 1, "q": 2, "r": 3}
DATAPATH = 5

_TEXT = TemplateText(1, "ls_in", "ls_in_acl", 3, "next", "1", "{match:expr}", "drop;", "")
_COMPILED = CompiledTemplate(Template.from_text(_TEXT))
_CONTEXT = surroundings(
    StageBook.of([rows.Template(*_TEXT)]),
    datapath_key=DATAPATH,
    ports=PORTS,
    local=PORTS,
    members=MEMBERS,
    conjunction_id=ConjunctionIds().allocate,
)
_INSTRUCTION_HEADER = 8
_CONJUNCTION = struct.Struct("!10xBBI")


def openflow_truth(expression: Expression) -> int:
    """What the flows of the expression mean, as a bit a packet of the universe."""
    return truth_of_flows(_COMPILED.pack((str(expression),), _CONTEXT, 1))


def truth_of_flows(flows: Iterable[Flow]) -> int:
    clauses: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    sizes: dict[int, int] = {}
    whole: list[tuple[int | None, int]] = []
    for flow in flows:
        conjunction, truth = _match_truth(flow.match)
        if not is_clause(flow.instructions):
            whole.append((conjunction, truth))
            continue
        for action in _conjunctions(flow.instructions):
            clause, count, number = action
            clauses[number][clause] |= truth
            sizes[number] = count
    result = 0
    for conjunction, truth in whole:
        if conjunction is not None:
            assert sizes.get(conjunction, 0) != 1, "a conjunction has two clauses or more"
            for clause in range(sizes.get(conjunction, 1)):
                truth &= clauses[conjunction][clause]
        result |= truth
    return result


def _conjunctions(instructions: bytes) -> list[tuple[int, int, int]]:
    actions = instructions[_INSTRUCTION_HEADER:]
    return [
        _CONJUNCTION.unpack_from(actions, offset)
        for offset in range(0, len(actions), _CONJUNCTION.size)
    ]


@lru_cache(maxsize=1 << 16)
def _match_truth(match: bytes) -> tuple[int | None, int]:
    """The conjunction that a match asks for, and the packets that fit the rest."""
    conjunction, truth = None, ALL
    for term in terms_of(match):
        if term.field.name == "conj_id":
            conjunction = term.value
        else:
            truth &= _term_truth(term)
    return conjunction, truth


@cache
def _term_truth(term: Term) -> int:
    field, value, mask, _ = term
    relevant = field.full_mask if mask is None else mask
    return truth_where(lambda packet: _field_value(packet, field.name) & relevant == value)


def _field_value(packet: Packet, name: str) -> int:
    match name:
        case "metadata":
            return DATAPATH
        case "xreg0" | "xreg1":
            return _number(packet, "xxreg0") >> (64 if name == "xreg0" else 0) & ((1 << 64) - 1)
        case "xreg4":
            return _number(packet, "xreg4")
        case "xreg7":
            return PORTS[str(packet["inport"])] << 32
    raise AssertionError(f"packets of the universe have no {name}")


def _number(packet: Packet, name: str) -> int:
    value = packet[name]
    assert isinstance(value, int)
    return value
