"""The messages between a watch server and chassis agents.

One WebSocket, one MessagePack array a message, its type first. An agent opens
with :class:`Register`; the server answers :class:`Hello` or :class:`Refused`.
From then on the server sends :class:`Update`, :class:`Denied` for a write that isn't the
agent's to make, and now and then an :class:`Ask`, which the agent gives one :class:`Answer`.

An **update** takes an agent from one position of the server's history to another,
at once and for all of its scopes: applied whole, it leaves the agent with rows that
belong together. It has a :class:`Part` for each scope that has news. A part is either
*full* (all rows of the scope: what it doesn't list is gone) or a difference to what
the agent was sent before. A scope is in sync from its first part on.

A chassis may watch what its ports need (:mod:`southbound.watch.access`). Any other scope
has no rows for it, until it may: then it is sent in full. What it may follows from its
claims, so an agent states these, with :class:`ClaimOnly`, soon after it connected; before,
it is sent nothing while one of its scopes is not, or not yet, for it.

An agent may leave a scope and take it again while parts of its first subscription are
still on their way. So each update says how many of the agent's subscribe and unsubscribe
messages the server had *heard* when it composed it, and the agent takes no part of a
scope from an update that is older than its subscription.

**Positions** count changes in the server's memory, so they are comparable only within
one `epoch`, a name for one life of the server process. **Revisions** are the
northbound's: an update says which revision its rows realise. **Serials** number the
updates of one connection; an agent acknowledges a serial once the switch has it.

The encoding of parts is the server's largest cost, so a part is encoded once and the
bytes go into the updates of all agents that are due it: see :func:`frame`.
"""

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias, TypeVar

import msgspec

from southbound.errors import ProtocolError
from southbound.questions import GroupHits, Question, Result
from southbound.rows import AnyRow, Chassis, RowId
from southbound.vocabulary import Vocabulary

PROTOCOL: Final = 3
"""Goes up when an end of an older release would misunderstand what it knows. What it doesn't
know it skips (:mod:`southbound.vocabulary`): additions need no new number."""

OLDEST_AGENT: Final = 1
"""The oldest protocol of agents that are still served: servers are upgraded first."""

QUESTIONS: Final = 2
"""The first protocol whose agents can be asked."""

CONFINED: Final = 3
"""The first protocol whose agents know that a scope may have no rows because it is not for
them: an older one may resume with such a scope as if the rows that it lacks were none."""

REFUSED_PROTOCOL: Final = "protocol"
REFUSED_TOKEN: Final = "unauthorised"  # noqa: S105
REFUSED_IN_USE: Final = "chassis-in-use"
REFUSED_MALFORMED: Final = "malformed"
REFUSED_CHASSIS: Final = "chassis-not-allowed"
"""What the chassis says of itself, such as a tunnel address, is wrong or another's."""
REFUSED_LIMIT: Final = "limit"
"""The agent asks for more than the server holds for one chassis."""


class Message(msgspec.Struct, frozen=True, array_like=True):
    """Base of all messages."""


# --- agent to server


class Resume(Message, frozen=True, array_like=True):
    """What an agent still has: the rows of `scopes` as of `position` in `epoch`."""

    epoch: str
    position: int
    scopes: tuple[str, ...]


class Register(Message, frozen=True, array_like=True, tag="register"):
    """Opens a session. `instance` names one life of the agent's process.

    A second session of the same chassis is refused while the first one lives, unless it
    is of the same instance (which then reconnected before the server noticed the cut).
    An agent without a `vocabulary` is of a release that is not open.
    """

    protocol: int
    chassis: Chassis
    instance: str
    resume: Resume | None = None
    vocabulary: Vocabulary | None = None


class Subscribe(Message, frozen=True, array_like=True, tag="subscribe"):
    scopes: tuple[str, ...]


class Unsubscribe(Message, frozen=True, array_like=True, tag="unsubscribe"):
    scopes: tuple[str, ...]


class ClaimOnly(Message, frozen=True, array_like=True, tag="claim-only"):
    """All ports whose interfaces are on this chassis; what it claimed besides is released."""

    ports: tuple[str, ...]


class Claim(Message, frozen=True, array_like=True, tag="claim"):
    """An interface for `port` was plugged in just now."""

    port: str


class Release(Message, frozen=True, array_like=True, tag="release"):
    port: str


class PortUp(Message, frozen=True, array_like=True, tag="port-up"):
    """The flows of a port that is bound here are in the switch, or no longer are."""

    port: str
    up: bool


class Activated(Message, frozen=True, array_like=True, tag="activated"):
    """The ports that are on this chassis beside their own and have spoken here.

    All of them, each time, by name.
    """

    ports: tuple[str, ...]


class SpeaksFor(Message, frozen=True, array_like=True):
    """A port here, by name, speaks for a virtual port; `age` is how many seconds ago it did."""

    virtual: str
    parent: str
    age: float


class VirtualPorts(Message, frozen=True, array_like=True, tag="virtual-ports"):
    """The virtual ports that ports of this chassis speak for. All of them, each time."""

    spoken: tuple[SpeaksFor, ...]


class BackendState(Message, frozen=True, array_like=True):
    """Whether a member of a set of backends answers; `reason` says why not."""

    set: str
    member: str
    up: bool
    reason: str = ""


class BackendStates(Message, frozen=True, array_like=True, tag="backend-states"):
    """The backends behind ports of this chassis of which it is known whether they answer.

    All of them, each time.
    """

    states: tuple[BackendState, ...]


class LearnedMac(Message, frozen=True, array_like=True, tag="learned-mac"):
    """A neighbour seen by router port `port`; sending it again refreshes its age."""

    port: str
    ip: str
    mac: str


class LearnedFdb(Message, frozen=True, array_like=True, tag="learned-fdb"):
    """A source address seen from switch port `port`; sending it again refreshes its age."""

    port: str
    mac: str


class Acknowledge(Message, frozen=True, array_like=True, tag="ack"):
    """All updates up to `serial` are in the switch."""

    serial: int


class Counters(Message, frozen=True, array_like=True, tag="counters"):
    """The agent's own counters, shown with its chassis."""

    values: dict[str, int]


class AclHits(Message, frozen=True, array_like=True, tag="acl-hits"):
    """Counters of ACLs that went up since the agent last said so; in all, not since then."""

    hits: tuple[GroupHits, ...]


class UnreachableChassis(Message, frozen=True, array_like=True):
    """A chassis that packets don't get to from here.

    `address` is where they are sent, "" where no address family is common to both; `other`
    the chassis that answers there instead, if its name is known. `age` is for how many
    seconds it has been so.
    """

    chassis: str
    reason: Literal["no-answer", "other-chassis", "no-common-family"]
    address: str
    other: str
    age: float


class NarrowTunnel(Message, frozen=True, array_like=True):
    """A chassis to which a tunnel carries less than workloads send: IP packets up to `mtu`."""

    chassis: str
    mtu: int


class Tunnels(Message, frozen=True, array_like=True, tag="tunnels"):
    """The tunnels in use that are not well, and the chassis of which that isn't known yet.

    All of them, each time: those that are not named are well, or not in use.
    """

    unreachable: tuple[UnreachableChassis, ...]
    pending: tuple[str, ...]
    narrow: tuple[NarrowTunnel, ...] = ()
    largest: int = 0
    """Bytes of the biggest IP packet that workloads here may send; 0 where that isn't told."""


class Conditions(Message, frozen=True, array_like=True, tag="conditions"):
    """Why the agent is degraded: all reasons, each time, by the name of the condition."""

    reasons: dict[str, str]


class Monitors(Message, frozen=True, array_like=True, tag="monitors"):
    """The chassis that this one watches by BFD: all of them, each time."""

    chassis: tuple[str, ...]


class BfdState(Message, frozen=True, array_like=True):
    """How the session of that id is, and for how many seconds (`age`): see `rows.BfdStatus`."""

    session: str
    state: str
    diagnostic: int
    remote_diagnostic: int
    age: float


class BfdStates(Message, frozen=True, array_like=True, tag="bfd-states"):
    """The BFD sessions with next hops that this chassis runs: all of them, each time."""

    sessions: tuple[BfdState, ...]


class Leave(Message, frozen=True, array_like=True, tag="leave"):
    """The host takes another name: this chassis is no more. The server closes the session."""


class Answer(Message, frozen=True, array_like=True, tag="answer"):
    """To the :class:`Ask` of that number; without a result `error` says why not."""

    number: int
    result: Result | None
    error: str = ""


FromAgent: TypeAlias = (
    Register
    | Subscribe
    | Unsubscribe
    | ClaimOnly
    | Claim
    | Release
    | PortUp
    | Activated
    | VirtualPorts
    | BackendStates
    | LearnedMac
    | LearnedFdb
    | Acknowledge
    | Counters
    | AclHits
    | Tunnels
    | Conditions
    | Monitors
    | BfdStates
    | Leave
    | Answer
)


# --- server to agent


class Hello(Message, frozen=True, array_like=True, tag="hello"):
    protocol: int
    epoch: str
    learned_refresh: float
    """Seconds after which an agent should send what it learned again, if it is in use."""
    vocabulary: Vocabulary | None = None


class Part(Message, frozen=True, array_like=True):
    scope: str
    full: bool
    puts: tuple[AnyRow, ...] = ()
    deletes: tuple[RowId, ...] = ()


class Update(Message, frozen=True, array_like=True, tag="update"):
    serial: int
    heard: int
    position: int
    revision: int
    parts: tuple[Part, ...]


class Refused(Message, frozen=True, array_like=True, tag="refused"):
    """The last message of a session that the server will not have."""

    code: str
    reason: str


class Denied(Message, frozen=True, array_like=True, tag="denied"):
    """A write that is not this chassis' to make; the session goes on."""

    reason: str


class Ask(Message, frozen=True, array_like=True, tag="ask"):
    """A question about the agent's switch; answers may come in any order, or too late."""

    number: int
    question: Question


FromServer: TypeAlias = Hello | Update | Refused | Denied | Ask

_M = TypeVar("_M")

_encoder = msgspec.msgpack.Encoder()
_from_agent: msgspec.msgpack.Decoder[FromAgent] = msgspec.msgpack.Decoder(FromAgent)
_from_server: msgspec.msgpack.Decoder[FromServer] = msgspec.msgpack.Decoder(FromServer)


def encode(message: Message) -> bytes:
    return _encoder.encode(message)


def decode_from_agent(data: bytes) -> FromAgent:
    return _decode(_from_agent, data)


def decode_from_server(data: bytes) -> FromServer:
    return _decode(_from_server, data)


def frame(
    serial: int, heard: int, position: int, revision: int, parts: Sequence[bytes]
) -> list[bytes]:
    """The pieces of an :class:`Update` of parts that :func:`encode` made earlier.

    Joined, they are what ``encode(Update(...))`` gives; the parts themselves are not
    copied, so that many agents can be sent the same large part.
    """
    fields = b"".join(map(_encoder.encode, ("update", serial, heard, position, revision)))
    return [_array_header(6) + fields + _array_header(len(parts)), *parts]


def _array_header(length: int) -> bytes:
    """MessagePack's: one byte below 16, else a marker and two or four bytes."""
    if length < 16:
        return bytes([0x90 | length])
    if length < 1 << 16:
        return b"\xdc" + length.to_bytes(2, "big")
    return b"\xdd" + length.to_bytes(4, "big")


def _decode(decoder: msgspec.msgpack.Decoder[_M], data: bytes) -> _M:
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"not a message of the watch protocol: {error}") from error
