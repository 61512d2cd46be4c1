"""The JSON documents of the API, for its description in OpenAPI.

What a user may say about an object is its spec; what the API says about it is
its spec and some facts. Responses are made from dictionaries that the services
return; that they are as described here is what the tests check.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from diagnosis.trace.documents import Cause, ExplainedCause, ObjectReference
from northbound.specs.base import ObjectName, Reference, StrictModel
from northbound.tokens import LONGEST_LIFE
from southbound.port_types import TypeName


class Document(StrictModel):
    """Base of the documents that are no specs."""


class Facts(BaseModel):
    """What every object has, whether or not its spec said so: hence fields of specs again."""

    model_config = ConfigDict(use_attribute_docstrings=True, defer_build=True)

    id: str
    """UUID: the one that was given when the object was made, or one that was made up."""
    project: str
    """Whose the object is."""
    document: str | None = None
    """The declarative document that owns the object (`POST /v1/apply`)."""
    version: int
    """The revision in which the object last changed; its `ETag`."""


class ObjectKind(Document):
    """A kind of object, for clients that show objects of any kind."""

    kind: str
    title: str
    """The kind's name as people write it."""
    plural: str
    path: str
    """The path of the list of all objects of the kind."""
    owners: list[str]
    """The fields that say what an object is part of: one of them is not `null`."""
    collection: str | None
    """What an owner calls the objects that are part of it."""
    columns: list[str]
    """The fields that a table of objects shows."""


class Encap(Document):
    """A tunnel endpoint."""

    type: str
    ip: str


class Chassis(Document):
    """A hypervisor that an agent has registered."""

    name: str
    """Its `system-id`."""
    hostname: str
    encaps: list[Encap]
    external_ids: dict[str, str]
    alive: bool
    """Whether its agent has been heard within the lease."""
    connected: bool
    """Whether its agent is connected now."""
    applied_revision: int
    """The revision up to which its switch has all that concerns it; 0 if not connected."""
    last_heard: datetime | None
    """When its agent was last heard of; `null` if that was before the server started."""
    ports: int
    """How many logical ports are bound there."""
    degraded: dict[str, str]
    """What its agent says is wrong, by the name of the condition."""
    unknown_to_agent: list[str]
    """What the server may send that the agent, of an older release, doesn't know."""
    unknown_to_server: dict[str, int]
    """What the agent, of a newer release, said that the server doesn't know, and how often."""
    tunnels: "Tunnels"


class Tunnels(Document):
    """What a chassis' agent knows of its tunnels to chassis that it shares networks with."""

    probed: bool
    """Whether it says; if not, nothing is known of any of its tunnels."""
    unreachable: list["UnreachableChassis"]
    """The chassis that packets don't get to from there."""
    pending: list[str]
    """The chassis of which it isn't known yet. Those that are not named answer, or don't matter."""
    mtus: dict[str, int]
    """Bytes of the biggest IP packet for chassis to which workloads there may send bigger ones."""


class UnreachableChassis(Document):
    """A chassis that packets don't get to, and why."""

    chassis: str
    reason: Literal["no-answer", "other-chassis", "no-common-family"]
    address: str | None
    """Where packets for it are sent."""
    answered_by: str | None
    """The chassis that answers at that address instead, if it is one that is known."""
    since: datetime
    text: str


class PortBinding(Document):
    """A logical port as it is realised."""

    id: str
    """That of the logical port."""
    name: str
    datapath: str
    """Name of the logical switch or router."""
    datapath_id: str
    type: TypeName
    tunnel_key: int
    addresses: list[str]
    enabled: bool
    requested_chassis: list[str]
    peer: str | None
    """The port at the other end of a patch port."""
    chassis: str | None
    """Where it is bound; a patch port is on every chassis."""
    hosting_chassis: str | None
    """Of a port that is on one chassis at a time, such as a gateway: the one that last said that it
    is in charge. A gateway port has it, too, though its router is everywhere."""
    additional_chassis: list[str]
    """Where it is, too, while it moves."""
    activated: list[str]
    """Of all these, the ones that it has spoken from, where it waits for that."""
    virtual_parent: str | None
    """Of a virtual port: the port that has spoken for its address last."""
    up: bool
    """Whether its flows are in the switch there."""
    problems: list[str]
    """What is wrong with its place, a sentence each: a requested chassis that isn't there,
    another chassis that has an interface for it, too."""


class LogicalFlow(Document):
    """One logical flow."""

    datapath: str
    """Name of the logical switch or router."""
    datapath_id: str
    pipeline: Literal["ls_in", "ls_out", "lr_in", "lr_out"]
    table: int
    stage: str
    priority: int
    match: str
    actions: str
    text: str
    """All of it in one line."""
    group: str
    """The flow group: the cookie of its OpenFlow flows, in hexadecimal."""
    cause: Cause
    revision: int
    """The revision in which the flow group last changed."""


class Hits(Document):
    """How much was decided, and when the last was."""

    packets: int
    bytes: int
    last_hit: datetime | None
    """`null` where that isn't known: nothing was, or not since the agent and the server run."""


class BackendHealth(Document):
    """A backend of a virtual address; `up` is null while nothing is known, or nothing checked."""

    backend: str
    checked: bool
    up: bool | None
    reason: str | None
    chassis: str | None
    since: str | None


class BackendsHealth(Document):
    """Which backends of a virtual address are up."""

    vip: str
    backends: list[BackendHealth]


class BfdStatus(Document):
    """How a BFD session is, by the chassis that runs it; null while none has said anything."""

    session: str
    state: Literal["admin-down", "down", "init", "up"] | None
    chassis: str | None
    since: str | None
    diagnostic: int | None
    """Why the session last went down, as RFC 5880 section 4.1 numbers it."""
    reason: str | None
    """The same in words, unless it is up."""
    remote_diagnostic: int | None
    """What the neighbour says of why."""


class AclHits(Hits):
    """What an ACL has decided since the switches have it.

    That are packets in the direction of requests, each time, and packets that are not tracked; the
    replies of a connection pass by its state.
    """

    acl: str
    name: str | None
    chassis: dict[str, Hits]
    """By chassis. A packet is counted where it enters for `from-lport`, where it leaves for
    `to-lport`."""
    not_counted: dict[str, str]
    """Chassis whose agents did not answer, and why; they count as they last said."""


class Cookie(Document):
    """What the cookie of OpenFlow flows stands for."""

    cookie: str
    kind: Literal["logical", "physical"]
    """`physical` for flows of the agent's own, which lead to and from ports."""
    text: str
    datapath: str | None
    port: str | None
    """For physical flows: the port, or multicast group, that they are there for."""
    origin: str | None
    """Which derivation made the flow group, and for which key."""
    revision: int | None
    """In which the flow group last changed."""
    author: str | None
    """Of that revision."""
    cause: ExplainedCause | None
    flows: list[LogicalFlow]


class Change(Document):
    """What a revision did to one row."""

    table: str
    object_id: str
    before: dict[str, Any] | None
    """The row before; `null` for a new one."""
    after: dict[str, Any] | None
    """The row after; `null` for a deleted one."""


class Revision(Document):
    """One committed change of the network: when, and by whom."""

    id: int
    created_at: datetime | None
    """`null` for revision 0, the empty network."""
    author: str
    comment: str


class RevisionWithChanges(Revision):
    """A revision and all that it did."""

    changes: list[Change] | None
    """`null` where they are forgotten: `server.history` says how many revisions keep them."""


class Fault(Document):
    """A derivation that failed; its stage fell back to its default."""

    derivation: str
    key: str
    message: str


class Status(Document):
    """How far the last change has come."""

    version: str
    """Of Treadle."""
    revision: int
    """Committed last."""
    translated_revision: int
    """Translated to logical flows last."""
    logical_flow_groups: int
    chassis: int
    chassis_alive: int
    chassis_degraded: int
    """Of how many something is said to be wrong, such as a tunnel that leads nowhere."""
    ports_up: int
    faults: list[Fault]
    """Derivations that failed; empty on a healthy server."""
    trouble: str
    """Why translation is not getting on; empty while it is."""
    port_problems: list["PortProblem"]
    """What is wrong with what was asked for ports; the first hundred."""
    port_problems_total: int
    """How many there are."""
    chassis_problems: list["ChassisProblem"]
    """Whose agents are away or turned away, or say that something is wrong; the first hundred."""
    chassis_problems_total: int
    """How many there are."""
    mtu_problems: list["MtuProblem"]
    """Where workloads may send bigger packets than tunnels carry; the first hundred."""
    mtu_problems_total: int
    """How many there are."""


class MtuProblem(Document):
    """What lets workloads send bigger packets than a tunnel carries; sizes are of IP packets."""

    kind: Literal["dhcp_options", "logical_router_port", "chassis"]
    """What tells them their MTU; a chassis stands for interfaces and provider networks there."""
    id: str
    """A chassis has its name here, too."""
    name: str
    mtu: int | None
    """What is told, or the largest MTU of the interfaces; `null` if an agent doesn't tell it."""
    tunnel_mtu: int
    """What the narrowest tunnel carries."""
    chassis: str
    """Where that tunnel begins."""
    peer: str
    """The chassis at its other end."""
    text: str


class ChassisProblem(Document):
    """What is wrong with a chassis, in the words of its agent or of the server."""

    chassis: str
    text: str


class PortProblem(Document):
    """What is wrong with what was asked for a port, such as a chassis that isn't there."""

    port: str
    text: str


class Differences(Document):
    """Where realised state is not what a full translation of the intent gives."""

    differences: list[str]
    """One a line, for people; empty on a healthy server."""


class OperationResult(Document):
    """What one operation did."""

    action: str
    kind: str
    id: str
    object: dict[str, Any] | None
    """The object after the whole batch; `null` where it is gone, or only members were changed."""


class TransactionResult(Document):
    """What a batch did."""

    revision: int
    changed: bool
    """Whether anything was written; if not, `revision` is the one before."""
    results: list[OperationResult]


class TokenRequest(Document):
    """A token to be made."""

    name: Reference
    role: Literal["admin", "operator", "viewer", "chassis"]
    chassis: Reference | None = None
    """For the role `chassis`: the `system-id` of the only chassis that may use it."""
    hostname: Reference | None = None
    """For the role `chassis`: the only host name that it may have; no other chassis may."""
    encap_ips: list[Reference] = Field(default_factory=list, max_length=16)
    """For the role `chassis`: its tunnel addresses; it may have no others, and they no other."""
    project: ObjectName | None = None
    """For the roles `operator` and `viewer`: the only project that it is for."""
    expires_in: float | None = Field(default=None, gt=0, le=LONGEST_LIFE)
    """Seconds after which it is no longer good; without it, it stays."""


class ApplyResult(Document):
    """What applying a document did, or with `dry_run` would do."""

    document: str
    revision: int
    changed: bool
    """Whether anything was written; if not, `revision` is the one before."""
    dry_run: bool
    created: list[ObjectReference]
    updated: list[ObjectReference]
    deleted: list[ObjectReference]


class Token(Document):
    """A token, without its secret."""

    id: str
    name: str
    role: Literal["admin", "operator", "viewer", "chassis"]
    chassis: str | None
    hostname: str | None
    encap_ips: list[str]
    project: str | None
    """The only project that it is for; `null` for all."""
    created_at: datetime
    expires_at: datetime | None


class NewToken(Token):
    """A token with its secret, which is shown only now."""

    token: str
