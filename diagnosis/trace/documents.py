"""The JSON documents of traces, for the API's description in OpenAPI."""

from typing import Literal

from diagnosis.answers import AssumptionKind
from northbound.specs.base import StrictModel

Connection = Literal["new", "established", "reply"]


class ObjectReference(StrictModel):
    """An object, named."""

    kind: str
    id: str
    name: str
    """Unique within the project; empty where objects of the kind have none."""
    project: str


class Cause(StrictModel):
    """The object that a logical flow is there for."""

    kind: str
    id: str


class ExplainedCause(Cause):
    """An object behind a logical flow, as it is now, and who made it so."""

    name: str | None
    text: str
    """The object in words."""
    revision: int | None
    """In which it last changed; `null` if it is gone, or only proposed like this."""
    author: str | None
    proposed: bool
    """Whether this is how a proposed change would make it."""


class Assumption(StrictModel):
    """What an answer takes for granted."""

    kind: AssumptionKind
    text: str
    """It is assumed that …"""
    otherwise: str | None
    """What the answer would be if it were not so, where that was found out."""


class TraceStep(StrictModel):
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


class TraceDelivery(StrictModel):
    """A packet that left through a port."""

    port: str
    packet: str
    original: bool
    """Whether it is the packet itself, not one that an action made."""


class Absence(StrictModel):
    """A port that, by how chassis are, neither sends nor receives."""

    port: str
    chassis: str | None
    """Where it is bound."""
    problem: Literal["unbound", "dead-chassis", "not-up"]
    text: str


class Hindrance(StrictModel):
    """What keeps chassis from carrying a packet, or leaves it unknown whether they do."""

    chassis: str
    peer: str | None
    """The chassis at the other end, where a tunnel is the trouble."""
    problem: Literal[
        "not-connected",
        "unacknowledged",
        "degraded",
        "unreachable",
        "unprobed",
        "no-bridge",
        "no-gateway",
        "too-big",
    ]
    certain: bool
    """Whether the packet is lost; `false` where that is not known."""
    text: str


class Verdict(StrictModel):
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


class TracedConnection(StrictModel):
    """What becomes of a packet if its connection is like this."""

    connection: Connection
    blocked: bool
    verdict: Verdict
    steps: list[TraceStep]


class ProposedChange(StrictModel):
    """What the change that a trace assumes would do."""

    created: list[ObjectReference]
    updated: list[ObjectReference]
    deleted: list[ObjectReference]
    faults: list[str]
    """What of it could not be translated to logical flows; a fallback stands in for it."""
