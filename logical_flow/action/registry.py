"""All logical actions that this release knows. A new one is added to the list here."""

from logical_flow.action.assignment import Assign, DecrementTtl, Exchange, Move
from logical_flow.action.balancing import Balance
from logical_flow.action.base import Action, Function, Statement
from logical_flow.action.control import Clone, Drop, Next, Output
from logical_flow.action.dhcp import DhcpReply
from logical_flow.action.generated import Generate
from logical_flow.action.learned import (
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
from logical_flow.action.liveness import HandleBfd
from logical_flow.action.naming import DnsLookup
from logical_flow.action.selection import Select
from logical_flow.action.sizes import CheckPktLarger, PacketTooBig
from logical_flow.action.tracking import CtClear, CtCommit, CtNat, CtNext
from logical_flow.action.watching import Log, SetMeter, SetQueue

ACTIONS: tuple[type[Action], ...] = (
    Next,
    Output,
    Drop,
    Clone,
    Assign,
    Move,
    Exchange,
    DecrementTtl,
    CtNext,
    CtCommit,
    CtClear,
    CtNat,
    Balance,
    Generate,
    DhcpReply,
    GetNeighbour,
    PutNeighbour,
    LookupNeighbour,
    LookupAddress,
    GetFdb,
    ClaimAddress,
    BackendAnswer,
    PutFdb,
    LookupFdb,
    DnsLookup,
    HandleBfd,
    CheckPktLarger,
    PacketTooBig,
    Select,
    Log,
    SetMeter,
    SetQueue,
)

STATEMENTS: dict[str, type[Statement]] = {
    word: kind for kind in ACTIONS if issubclass(kind, Statement) for word in kind.words
}
"""The actions that begin with a word."""

FUNCTIONS: dict[str, type[Function]] = {
    word: kind for kind in ACTIONS if issubclass(kind, Function) for word in kind.words
}
"""The actions whose word follows ``field =``."""
