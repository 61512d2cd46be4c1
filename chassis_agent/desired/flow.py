"""An OpenFlow flow as the bytes that the switch holds.

`match` is the whole `ofp_match` structure, `instructions` all instructions; no
instructions mean drop. Both are canonical: exactly what Open vSwitch sends back
when asked for its flows, so that "is it already there?" is a comparison of bytes.
"""

from typing import Final, NamedTuple

from chassis_agent.openflow.oxm import FIELDS

FlowKey = tuple[int, int, bytes]
"""Table, priority, match: what makes two flows the same flow to the switch."""


class Flow(NamedTuple):
    table: int
    priority: int
    match: bytes
    instructions: bytes
    cookie: int

    @property
    def key(self) -> FlowKey:
        return self[:3]


_APPLY_ACTIONS: Final = bytes.fromhex("0004")
_CONJUNCTION: Final = bytes.fromhex("ffff 0010 00002320 0022")
_INSTRUCTION_HEADER: Final = 8
_CONJUNCTION_LENGTH: Final = 16
_MATCH_HEADER: Final = 4
_CONJUNCTION_ID: Final = FIELDS["conj_id"].header()


def is_clause(instructions: bytes) -> bool:
    """True for a flow whose action is `conjunction(…)`."""
    return (
        instructions[:2] == _APPLY_ACTIONS
        and instructions[_INSTRUCTION_HEADER : _INSTRUCTION_HEADER + len(_CONJUNCTION)]
        == _CONJUNCTION
    )


def is_conjunction(match: bytes) -> bool:
    """True for the flow that a satisfied conjunction leads to (`conj_id=…`)."""
    first_field = match[_MATCH_HEADER : _MATCH_HEADER + len(_CONJUNCTION_ID)]
    return first_field == _CONJUNCTION_ID


def merge_clauses(clauses: list[bytes]) -> bytes:
    """One flow's instructions that state every `conjunction(…)` of `clauses`."""
    actions = sorted(
        {
            instructions[start : start + _CONJUNCTION_LENGTH]
            for instructions in clauses
            for start in range(_INSTRUCTION_HEADER, len(instructions), _CONJUNCTION_LENGTH)
        }
    )
    length = _INSTRUCTION_HEADER + _CONJUNCTION_LENGTH * len(actions)
    return _APPLY_ACTIONS + length.to_bytes(2, "big") + bytes(4) + b"".join(actions)
