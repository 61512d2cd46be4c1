"""Matches and actions on the registers that carry logical metadata."""

from collections.abc import Iterable

from chassis_agent import tables
from chassis_agent.desired.flow import Flow
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.oxm import FIELDS, OxmField, Term, layout, match

METADATA = FIELDS[tables.DATAPATH]
INPORT = FIELDS[tables.INPORT]
OUTPORT = FIELDS[tables.OUTPORT]
FLAGS = FIELDS[tables.FLAGS]
PORT_ZONE = FIELDS[tables.PORT_ZONE]
DNAT_ZONE = FIELDS[tables.DNAT_ZONE]
SNAT_ZONE = FIELDS[tables.SNAT_ZONE]

CLEAR_GENERAL = (
    act.set_field(FIELDS["xxreg0"], 0)
    + act.set_field(FIELDS["xxreg1"], 0)
    + act.set_field(FIELDS["xreg4"], 0)
)
"""Zero reg0 to reg9: between pipelines nothing in them has a meaning."""


def on(datapath_key: int, **fields: int) -> list[Term]:
    """The packets of a datapath for which each field has that value.

    >>> [term.field.name for term in on(1, reg15=2)]
    ['metadata', 'reg15']
    """
    return [Term(METADATA, datapath_key), *(Term(FIELDS[name], v) for name, v in fields.items())]


def flag(bit: int, *, is_set: bool) -> Term:
    """The packets for which one bit of the flags register is set, or is not."""
    return Term(FLAGS, bit if is_set else 0, bit)


def flow(table: int, priority: int, terms: Iterable[Term], actions: bytes, *, cookie: int) -> Flow:
    """A flow that applies `actions`; no actions drop."""
    return Flow(table, priority, match(terms), act.apply_actions(actions), cookie)


class MatchShape:
    """A match of fields that stay, for values that differ: encoded once, then filled.

    >>> shape = MatchShape([*on(0, reg15=0), flag(1, is_set=False)])
    >>> shape.fill(metadata=7, reg15=2) == match([*on(7, reg15=2), flag(1, is_set=False)])
    True
    """

    def __init__(self, terms: Iterable[Term]) -> None:
        self._data, self._slots = layout(terms)

    def fill(self, **values: int) -> bytes:
        """The match with these values in the fields of these names."""
        data = bytearray(self._data)
        for name, value in values.items():
            encoded = FIELDS[name].value_bytes(value)
            for slot in self._slots[name]:
                part = encoded[slot.source : slot.source + slot.length]
                data[slot.value : slot.value + slot.length] = part
        return bytes(data)


def set_nonzero(*values: tuple[OxmField, int]) -> bytes:
    """Set the fields whose value isn't 0."""
    return b"".join(act.set_field(field, value) for field, value in values if value)
