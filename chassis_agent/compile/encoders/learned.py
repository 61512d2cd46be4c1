"""Lookups in tables of learned bindings, and what is to be learned.

Lookups are subroutine calls: their arguments go into fixed registers, whose content is
kept on the stack meanwhile. What is to be learned goes to the agent the same way.
"""

from collections.abc import Sequence
from typing import Final

from chassis_agent import tables
from chassis_agent.compile.encoders.encoding import Encoding
from chassis_agent.compile.encoders.punting import punt_to
from chassis_agent.compile.fields import subfield
from chassis_agent.compile.splice import Assembly, constant
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.oxm import FIELDS, Subfield, whole
from chassis_agent.punt.opcodes import Opcode
from logical_flow.action import (
    BackendAnswer,
    ClaimAddress,
    GetFdb,
    GetNeighbour,
    LookupAddress,
    LookupFdb,
    LookupNeighbour,
    PutFdb,
    PutNeighbour,
)
from logical_flow.fields import FieldSlice

_FOUND: Final = Subfield(FIELDS[tables.FLAGS], tables.FOUND_BIT, 1)
_UNKNOWN: Final = act.load(_FOUND, 0)
_ETH_SRC: Final = whole(FIELDS["eth_src"])
_ETH_DST: Final = whole(FIELDS["eth_dst"])
_INPORT: Final = whole(FIELDS[tables.INPORT])
_OUTPORT: Final = whole(FIELDS[tables.OUTPORT])
_ADDRESS: Final = {4: whole(FIELDS["reg0"]), 6: whole(FIELDS["xxreg0"])}

Parameter = tuple[Subfield, Subfield]
"""Where a subroutine wants an argument, and where it is found."""


def encode_get_neighbour(action: GetNeighbour, _: Encoding) -> Assembly:
    table = tables.ARP_GET if action.family == 4 else tables.ND_GET
    parameters = _parameters((_OUTPORT, action.port), (_ADDRESS[action.family], action.address))
    return constant(_call(parameters, act.load(_ETH_DST, 0) + act.resubmit(table)))


def encode_put_neighbour(action: PutNeighbour, _: Encoding) -> Assembly:
    opcode = Opcode.PUT_ARP if action.family == 4 else Opcode.PUT_ND
    return constant(_call(_neighbour_parameters(action), punt_to(opcode)))


def encode_claim_address(action: ClaimAddress, _: Encoding) -> Assembly:
    """The agent is told of which family the address is."""
    address = _ADDRESS[action.family]
    parameters = _parameters((_INPORT, action.port), (address, action.address))
    family = bytes((action.family,))
    return constant(_call(parameters, punt_to(Opcode.VIRTUAL_BIND, family)))


def encode_backend_answer(_action: BackendAnswer, _: Encoding) -> Assembly:
    return constant(punt_to(Opcode.BACKEND_ANSWER))


def encode_lookup_neighbour(action: LookupNeighbour, _: Encoding) -> Assembly:
    table = tables.ARP_LOOKUP if action.family == 4 else tables.ND_LOOKUP
    asked = _call(_neighbour_parameters(action), _UNKNOWN + act.resubmit(table))
    return constant(asked + act.move(_FOUND, subfield(action.result)))


def encode_lookup_address(action: LookupAddress, _: Encoding) -> Assembly:
    """The table that gives a neighbour's MAC address says whether it had one."""
    table = tables.ARP_GET if action.family == 4 else tables.ND_GET
    parameters = _parameters((_OUTPORT, action.port), (_ADDRESS[action.family], action.address))
    asked = act.push(_ETH_DST) + _UNKNOWN + act.resubmit(table) + act.pop(_ETH_DST)
    return constant(_call(parameters, asked) + act.move(_FOUND, subfield(action.result)))


def encode_get_fdb(action: GetFdb, _: Encoding) -> Assembly:
    asked = act.load(_OUTPORT, 0) + act.resubmit(tables.FDB_GET)
    where = subfield(action.result)
    if where != _OUTPORT:
        asked = act.push(_OUTPORT) + asked + act.move(_OUTPORT, where) + act.pop(_OUTPORT)
    return constant(_call(_parameters((_ETH_DST, action.mac)), asked))


def encode_put_fdb(action: PutFdb, _: Encoding) -> Assembly:
    parameters = _parameters((_INPORT, action.port), (_ETH_SRC, action.mac))
    return constant(_call(parameters, punt_to(Opcode.PUT_FDB)))


def encode_lookup_fdb(action: LookupFdb, _: Encoding) -> Assembly:
    parameters = _parameters((_INPORT, action.port), (_ETH_SRC, action.mac))
    asked = _call(parameters, _UNKNOWN + act.resubmit(tables.FDB_LOOKUP))
    return constant(asked + act.move(_FOUND, subfield(action.result)))


def _neighbour_parameters(action: PutNeighbour | LookupNeighbour) -> list[Parameter]:
    address = _ADDRESS[action.family]
    return _parameters((_INPORT, action.port), (address, action.address), (_ETH_SRC, action.mac))


def _parameters(*pairs: tuple[Subfield, FieldSlice]) -> list[Parameter]:
    """Return the arguments that aren't already in their places."""
    placed = [(place, subfield(given)) for place, given in pairs]
    return [(place, given) for place, given in placed if place != given]


def _call(parameters: Sequence[Parameter], body: bytes) -> bytes:
    """Run `body` with its arguments in place, and put back what they displaced.

    All arguments are on the stack before the first is put in its place: one's
    place may be where another comes from.
    """
    save = b"".join(act.push(place) for place, _ in parameters)
    fetch = b"".join(act.push(given) for _, given in parameters)
    arrange = b"".join(act.pop(place) for place, _ in reversed(parameters))
    restore = b"".join(act.pop(place) for place, _ in reversed(parameters))
    return save + fetch + arrange + body + restore
