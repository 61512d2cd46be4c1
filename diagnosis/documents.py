"""The question for a trace and its answer, with the live check beside it, as JSON documents."""

from typing import Annotated, Any, Literal

from pydantic import Field

from diagnosis.live.documents import LiveCheck
from diagnosis.trace.documents import Assumption, ProposedChange, TracedConnection
from northbound.specs.base import Reference, StrictModel
from northbound.specs.dns import DomainName

Change = dict[str, Any]


class TraceRequest(StrictModel):
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
    length: Annotated[int, Field(ge=14, le=65550)] | None = None
    """Its bytes with the Ethernet header, where they matter; else it is taken to fit everywhere."""
    dns_name: DomainName | None = None
    """What a DNS query asks for, where the packet is one: the network may answer it."""
    dns_type: Literal["A", "AAAA", "PTR", "ANY"] = "A"
    """Of which type."""
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
    entry_chassis: Reference | None = None
    """With `live`: on which chassis a packet comes in that a provider network brings.

    Else it is the one that takes it in: where its gateway is, or who it is for.
    """


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
