"""What questions to the controller carry, and what it answers: plain data, all of it immutable.

Everything here can be encoded as MessagePack and read again by its type. Rows of realised
state are those of :mod:`southbound.rows`.
"""

from typing import Any, NamedTuple

import msgspec

from southbound.chassis_status import ChassisStatus
from southbound.hits import Hits
from southbound.rows import AnyRow, Chassis, FlowGroup, PortBinding


class ChassisReport(NamedTuple):
    """A chassis, how many ports are bound there, and what is known of its agent."""

    row: Chassis
    ports: int
    status: ChassisStatus


class PortFilter(msgspec.Struct, frozen=True):
    """Which port bindings to list; None stands for any.

    `datapath` is the id of a logical switch or router.
    """

    datapath: str | None = None
    chassis: str | None = None
    up: bool | None = None


class BoundPort(NamedTuple):
    """A port binding with the name of its datapath, and what is wrong with its place.

    Of a port that one chassis has at a time `hosting_chassis` is the one that last said so, for a
    gateway port by what stands for it; empty for others, and where none has.
    """

    row: PortBinding
    datapath: str
    problems: tuple[str, ...]
    hosting_chassis: str = ""


class PortPlace(NamedTuple):
    """Where a port is: `chassis` and its `hostname` are "" while it is bound nowhere."""

    chassis: str
    hostname: str
    up: bool


class Places(msgspec.Struct, frozen=True):
    """Where ports are, by id, and which chassis hosts are, by name.

    Ports that aren't translated yet, and names that stand for no chassis or for several, are
    left out. `bridges` has the names of the integration bridges of the chassis that occur.
    """

    ports: dict[str, PortPlace]
    hosts: dict[str, str]
    bridges: dict[str, str]


class FlowFilter(msgspec.Struct, frozen=True):
    """Which flow groups to list; None stands for any. `cause` is the kind and id of an object."""

    datapath: str | None = None
    cause: tuple[str, str] | None = None


class FlowGroups(NamedTuple):
    """Flow groups in the order of their ids, and the names of their datapaths by id."""

    groups: list[FlowGroup]
    datapaths: dict[str, str]


class Origin(NamedTuple):
    """What the cookie of an OpenFlow flow stands for, as far as it is known.

    For a logical flow that is its `group`, with the derivation that made it; for an agent's own
    flow `group` is None. `datapath` and `port` are names, "" where there are none.
    """

    group: FlowGroup | None
    derivation: str
    datapath: str
    port: str


class AclHits(msgspec.Struct, frozen=True):
    """What an ACL has decided: packets and bytes in all, and by each chassis that has decided some.

    `last_hit` is in seconds since the epoch, None where that isn't known. `not_counted` says of
    chassis that have the ACL why what they decided since they last said so is missing.
    """

    packets: int
    bytes: int
    last_hit: float | None
    chassis: dict[str, Hits]
    not_counted: dict[str, str]


class BackendReport(NamedTuple):
    """A backend of a virtual address, and what its health check has come to.

    `up` and `since` (seconds since the epoch) are None while nothing is known of it, or it isn't
    checked; `reason` says why it isn't up.
    """

    member: str
    checked: bool
    up: bool | None
    reason: str
    chassis: str
    since: float | None


class Fault(NamedTuple):
    """A derivation that failed for one key; its stage fell back to its default."""

    derivation: str
    key: str
    message: str


class Progress(NamedTuple):
    """How far the last change has come, and what there is."""

    revision: int
    """The one that the logical flows realise."""
    flow_groups: int
    chassis: int
    chassis_alive: int
    chassis_degraded: int
    port_bindings: int
    ports_up: int
    """Of ports of workloads; patch ports always are."""
    takeovers: int
    """Ports that were up on a live chassis and went to another one that has them, too."""
    faults: list[Fault]
    trouble: str
    """Why translation is not getting on; "" while it is."""
    port_problems: list[tuple[str, str]]
    """Ports and what is wrong with their place: the first :data:`MOST_PROBLEMS`."""
    port_problems_total: int
    chassis_problems: list[tuple[str, str]]
    """Chassis and why they aren't well, by name: the first :data:`MOST_PROBLEMS`."""
    chassis_problems_total: int


MOST_PROBLEMS = 100
"""So many of a kind are told in words; the others are counted."""


class NarrowTunnel(NamedTuple):
    """The narrowest tunnel of a chassis: it carries less than workloads there may send.

    Both sizes are bytes of IP packets: `mtu` is carried to `peer`, `largest` may be sent (0 where
    an older agent doesn't tell).
    """

    chassis: str
    peer: str
    mtu: int
    largest: int


class RowImages(NamedTuple):
    """A row of intent before and after a change; None where it isn't there."""

    table: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class ProposedChange(msgspec.Struct, frozen=True):
    """A change to the intent of `revision` that is not made."""

    revision: int
    rows: list[RowImages]


class View(msgspec.Struct, frozen=True):
    """What packets can meet that enter some ports: realised state as of one moment.

    `datapaths` has the rows of each datapath, by id, that the ports are on or that can be
    reached from there; `shared` all templates, members of sets, virtual addresses, checks of
    backends with what came of them, and chassis with their variables. `statuses` tells of the
    agent of each chassis.

    Where a change is proposed the rows are as they would be with it, `revision` is the one
    that it is a change to, `faults` are what of it could not be translated, `changed` the port
    bindings that it makes or changes, and `replaced` those that it changes or takes away, as
    they are without it.
    """

    revision: int
    datapaths: dict[str, list[AnyRow]]
    shared: list[AnyRow]
    statuses: dict[str, ChassisStatus]
    faults: list[Fault] = []
    changed: list[PortBinding] = []
    replaced: list[PortBinding] = []
