"""Matches as text."""

from collections.abc import Iterator

from chassis_agent import tables
from chassis_agent.openflow.oxm import Term, terms_of
from chassis_agent.show.names import Names, field_name, masked, register_halves

_FIRST = (tables.DATAPATH, "conj_id", "in_port", tables.INPORT, tables.OUTPORT)
"""What a reader asks first; the rest stays in the switch's order."""


def format_match(match: bytes, names: Names) -> str:
    """The terms of a match, separated by commas.

    >>> from chassis_agent.openflow.oxm import FIELDS, match
    >>> format_match(match([Term(FIELDS["reg14"], 3), Term(FIELDS["metadata"], 7)]), Names())
    'datapath=7,inport=3'
    """
    datapath = names.datapath_of(match)
    terms = [narrow for term in terms_of(match) for narrow in _narrow(term)]
    terms.sort(key=lambda term: _rank(term.field.name))
    return ",".join(
        f"{field_name(where.name)}="
        f"{masked(where, value, where.full_mask if mask is None else mask, names, datapath)}"
        for where, value, mask, _ in terms
    )


def _rank(name: str) -> int:
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)


def _narrow(term: Term) -> Iterator[Term]:
    """A 64-bit register as the 32-bit registers that it is matched for."""
    where, value, mask, _ = term
    if not where.name.startswith("xreg"):
        yield term
        return
    mask = where.full_mask if mask is None else mask
    for register, shift in zip(register_halves(where), (32, 0), strict=True):
        part = mask >> shift & register.full_mask
        if part:
            yield Term(register, value >> shift & register.full_mask, part)
