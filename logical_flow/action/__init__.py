"""Actions of logical flows: one class an action, with its text, holes and effect.

An action list is a tuple of them. Actions with braces hold a list of their own, which
may run on another packet: a copy, or a packet that the action makes from the current one.
:func:`logical_flow.action_parser.parse_actions` makes them from text, and
:func:`format_actions` gives text that parses to an equal tree.
"""

from logical_flow.action.assignment import Assign, DecrementTtl, Exchange, Move
from logical_flow.action.balancing import Balance
from logical_flow.action.base import (
    Action,
    Actions,
    Function,
    Statement,
    bind_actions,
    every_action,
    format_actions,
    holes,
)
from logical_flow.action.control import Clone, Drop, Next, Output
from logical_flow.action.dhcp import DhcpReply
from logical_flow.action.generated import Generate, PacketKind
from logical_flow.action.learned import (
    BackendAnswer,
    ClaimAddress,
    Family,
    GetFdb,
    GetNeighbour,
    LookupAddress,
    LookupFdb,
    LookupNeighbour,
    PutFdb,
    PutNeighbour,
)
from logical_flow.action.registry import ACTIONS
from logical_flow.action.selection import (
    Member,
    Select,
    decode_members,
    decode_watched,
    encode_members,
    encode_watched,
)
from logical_flow.action.tracking import CtClear, CtCommit, CtNat, CtNext, Zone, zone_on
from logical_flow.action.watching import SEVERITIES, VERDICTS, Log, LogMeter, SetMeter, SetQueue

__all__ = [
    "ACTIONS",
    "SEVERITIES",
    "VERDICTS",
    "Action",
    "Actions",
    "Assign",
    "BackendAnswer",
    "Balance",
    "ClaimAddress",
    "Clone",
    "CtClear",
    "CtCommit",
    "CtNat",
    "CtNext",
    "DecrementTtl",
    "DhcpReply",
    "Drop",
    "Exchange",
    "Family",
    "Function",
    "Generate",
    "GetFdb",
    "GetNeighbour",
    "Log",
    "LogMeter",
    "LookupAddress",
    "LookupFdb",
    "LookupNeighbour",
    "Member",
    "Move",
    "Next",
    "Output",
    "PacketKind",
    "PutFdb",
    "PutNeighbour",
    "Select",
    "SetMeter",
    "SetQueue",
    "Statement",
    "Zone",
    "bind_actions",
    "decode_members",
    "decode_watched",
    "encode_members",
    "encode_watched",
    "every_action",
    "format_actions",
    "holes",
    "zone_on",
]
