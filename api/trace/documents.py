"""The JSON documents of traces, for the API's description in OpenAPI."""

from typing import Any, Literal

from pydantic import Field

from api.documents import Assumption, Document, ExplainedCause, ObjectReference
from api.live.documents import LiveCheck
from northbound.specs.base import Reference

Connection = Literal["new", "established", "reply"]

Change = dict[str, Any]


class TraceRequest(Document):
    """A packet, and what to assume of its connection. Give `packet` or `match`."""

    packet: str | None = Field(default=None, max_length=1000)
    """In words: `tcp web-1 -> db-1:5432`."""
    match: str | None = Field(default=None, max_length=32768)
    """As a match that the packet fits: `inport == "web-1" && ip4.dst == 10.0.0.2 && tcp`."""
    inport: Reference | None = None
    """Where the packet enters, if that isn't where it comes from; a port's name."""
    connection: Literal["new", "established", "reply", "both"] = "new"
    """What the connection tracker knows: nothing, the connection, or that this is a reply.

    `both` is `new`, and `established` as an alternative.
    """
    blocked: bool = False
    """Whether the connection, if there is one, was blocked by an ACL since it was made."""
    change: Change | list[Change] | None = Field(default=None, alias="with")
    """A change to assume: a document as of `POST /v1/apply`, or a batch of operations as of
    `POST /v1/transactions`; or a list of these, made one after the other. It is not made.
    """
    adopt: bool = False
    """Whether the documents in `with` may own objects that they name and nobody owns."""
    guests: Literal["direct", "via-gateway"] = "direct"
    """How workloads send to their own subnet: themselves, or `via-gateway` as everything else."""
    live: bool = False
    """Whether to compare with what is really in the switches on the way, by their agents.

    Not with `with`: no switch has a change that isn't made.
    """


class TraceStep(Document):
    """Something that happened to a packet, and what became of the packets it led to."""

    kind: Literal["visit", "crossing", "made", "noted", "delivery", "drop"]
    text: str
    datapath: str | None
    stage: str | None
    flow: str | None
    """The logical flow; `null` where a stage's default was followed."""
    group: str | None
    """The flow's group, its cookie in OpenFlow; `null` for one that is only proposed."""
    cause: ExplainedCause | None
    changes: list[str]
    """What changed in the packet."""
    packet: str | None
    """The packet as it was delivered, dropped or made."""
    steps: list["TraceStep"]


class TraceDelivery(Document):
    """A packet that left through a port."""

    port: str
    packet: str
    original: bool
    """Whether it is the packet itself, not one that an action made."""


class Absence(Document):
    """That a port, by how chassis are, neither sends nor receives."""

    port: str
    chassis: str | None
    """Where it is bound."""
    problem: Literal["unbound", "dead-chassis", "not-up"]
    text: str


class Hindrance(Document):
    """What keeps chassis from carrying a packet, or leaves it unknown whether they do."""

    chassis: str
    peer: str | None
    """The chassis at the other end, where a tunnel is the trouble."""
    problem: Literal["not-connected", "unacknowledged", "degraded", "unreachable", "unprobed"]
    certain: bool
    """Whether the packet is lost; `false` where that is not known."""
    text: str


class Verdict(Document):
    """How a trace ended."""

    outcome: Literal["delivered", "answered", "asked", "dropped", "ended", "unknown"]
    """`asked` if the next hop's address has to be found first; `ended` if nothing left;
    `unknown` if it is not known what becomes of it: `text` says why."""
    text: str
    datapath: str | None
    """Where it was answered or dropped."""
    stage: str | None
    flow: str | None
    cause: ExplainedCause | None
    """The object that decided; `null` for a stage's default."""
    deliveries: list[TraceDelivery]
    absences: list[Absence]
    """What stands against it in practice, of the sender's port and those delivered to.

    Logical flows alone decide the outcome; a chassis has to carry it out.
    """
    hindrances: list[Hindrance]
    """What stands against it on the chassis that it passes, and between them."""


class TracedConnection(Document):
    """What becomes of a packet if its connection is like this."""

    connection: Connection
    blocked: bool
    verdict: Verdict
    steps: list[TraceStep]


class ProposedChange(Document):
    """What the change that a trace assumes would do."""

    created: list[ObjectReference]
    updated: list[ObjectReference]
    deleted: list[ObjectReference]
    faults: list[str]
    """What of it could not be translated to logical flows; a fallback stands in for it."""


class Trace(TracedConnection):
    """What becomes of a packet, by the logical flows that are stored or would be."""

    inport: str
    packet: str
    revision: int
    """The revision that the logical flows realise."""
    proposed: ProposedChange | None
    """The change that was assumed on top of that revision."""
    alternatives: list[TracedConnection]
    """With `both`: the same packet of an established connection."""
    assumptions: list[Assumption]
    """What the words don't say and was taken for granted."""
    live: LiveCheck | None
    """What the switches would do, if that was asked for."""
