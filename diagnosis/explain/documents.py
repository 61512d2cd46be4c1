"""The JSON documents of explanations, for the API's description in OpenAPI."""

from typing import Any, Literal

from pydantic import Field

from diagnosis.live.documents import LiveCheck
from diagnosis.trace.documents import Assumption, ExplainedCause, TraceStep, Verdict
from northbound.specs.base import Reference, StrictModel
from northbound.specs.dns import DomainName


class ReachabilityRequest(StrictModel):
    """A source, a destination and a service; or any packet, as a match."""

    source: Reference | None = None
    """A logical port by name, or an IP address."""
    destination: Reference | None = None
    """A logical port by name, or an IP address; with `match` a port that has to be reached, and
    with `dns_name` the server that is asked: without it the one that DHCP tells the source."""
    service: str | None = Field(default=None, max_length=100)
    """`tcp/443`, `udp/53`, `sctp/5060` or `icmp`, which is a ping, and what is asked without one;
    with `dns_name` that is `udp/53`."""
    dns_name: DomainName | None = None
    """The name that a DNS query asks for, where the question is what becomes of one."""
    dns_type: Literal["A", "AAAA", "PTR", "ANY"] = "A"
    """Of which type."""
    source_port: int | None = Field(default=None, ge=1, le=65535)
    """From which port the client asks; without it, from any."""
    guests: Literal["direct", "via-gateway"] | None = None
    """How workloads send to their own subnet: themselves, or `via-gateway` as everything else,
    as guests with a /32 address do. Without it `direct`, and the answer says if it hangs on that.
    """
    match: str | None = Field(default=None, max_length=32768)
    """The packet as a match that it fits, instead of source and service."""
    length: int | None = Field(default=None, ge=14, le=65550)
    """Bytes of request and reply, with the Ethernet header; without it they fit everywhere."""
    fragmented: bool = False
    """Whether request and reply have to get there in fragments, too, as large datagrams do."""
    inport: Reference | None = None
    """Where the packet enters, if that isn't where it comes from; a port's name."""
    steps: bool = False
    """Whether traces come with all their steps."""
    live: bool = False
    """Whether to compare with what is really in the switches on the way, by their agents."""
    entry_chassis: Reference | None = None
    """With `live`: on which chassis a packet comes in that a provider network brings.

    Else it is the one that takes it in: where its gateway is, or who it is for.
    """


class Remedy(StrictModel):
    """What takes an obstacle away. Of the three ways mostly one is given."""

    text: str
    operations: list[dict[str, Any]]
    """Operations of a batch."""
    packet: str | None
    """The packet to send instead, as a match."""
    commands: list[str]
    """What to run on a hypervisor."""


class Obstacle(StrictModel):
    """What is in the way, or may be."""

    kind: str
    certain: bool
    """`false` where it is not known whether it is in the way."""
    text: str
    """What happens there, and to which object's account it goes."""
    cause: ExplainedCause | None
    """The object to change."""
    remedy: Remedy | None
    """The smallest change that takes it away, where there is one to name."""


class ExplainedTrace(StrictModel):
    """A packet that was walked for an explanation."""

    inport: str
    packet: str
    match: str
    """The packet as a match, as `POST /v1/trace` takes it."""
    connection: Literal["new", "reply"]
    verdict: Verdict
    steps: list[TraceStep] | None
    """Only if they were asked for."""


class Check(StrictModel):
    """One thing that has to hold."""

    kind: Literal["binding", "resolution", "request", "reply"]
    """A port's binding; that a next hop is found by ARP or neighbour discovery; a packet."""
    port: str
    """The port that it is about, or where the packet enters."""
    chassis: str | None
    """Where that port is bound."""
    passed: bool | None
    """`null` where it is not known."""
    text: str
    trace: ExplainedTrace | None
    """The packet, where one was walked."""


class Proposal(StrictModel):
    """All that would have to change, as small as it can be."""

    text: list[str]
    """What to do, a line a change."""
    transaction: dict[str, Any] | None
    """The body for `POST /v1/transactions`; `null` where nothing is to be changed there."""
    packet: str | None
    """The packet to send instead, as a match."""
    commands: list[str]
    """What to run on hypervisors."""
    sufficient: bool | None
    """Whether the packets were walked with it, and pass; `null` where it is not known."""
    unknowns: list[str]
    """Why it is not known whether it is enough."""
    breaks: list[str]
    """What works, or may, and would not any more. It is not sufficient then."""
    remaining: list[str]
    """What is in the way still, behind what it takes away."""
    assumptions: list[Assumption]
    """What it takes for granted."""


class Reachability(StrictModel):
    """Whether one end reaches the other, and if not, what is in the way."""

    answer: Literal["yes", "no", "not-known"]
    reachable: bool | None
    """The answer as a truth value, `null` where it is not known."""
    text: str
    unknowns: list[str]
    """Why it is not known."""
    assumptions: list[Assumption]
    """What the answer takes for granted though nobody has said so."""
    source: str
    """The port where requests enter."""
    destination: str | None
    """The port that they are for, if the question or the way tells."""
    service: str
    revision: int
    """The revision that the logical flows realise."""
    checks: list[Check]
    """In the order in which packets need them, up to the first that fails."""
    obstacles: list[Obstacle]
    proposal: Proposal | None
    """`null` if nothing is in the way, or nothing to change can be named."""
    live: LiveCheck | None
    """What the switches would do with the packets of all checks, if that was asked for."""
