"""The rows of realised state, as stored, watched and cached.

The translator and the chassis agents share nothing but these types. Every row
is an immutable record with a key that is unique within its table and one or
more *scopes*: the unit in which an agent subscribes to rows. A row may only be
sent to an agent that subscribed to one of its scopes.

========================  ====================================================
scope                     rows
========================  ====================================================
``global``                :class:`Stage`, :class:`Template`, :class:`Chassis`
``datapath:<id>``         :class:`Datapath`, :class:`PortBinding`,
                          :class:`FlowGroup`, :class:`MacBinding`,
                          :class:`FdbEntry`, :class:`RouterAdvertisement`,
                          :class:`DnsName`, :class:`Announcement`,
                          :class:`BfdSession`, :class:`BfdStatus`,
                          :class:`BackendCheck`
``port:<name or id>``     the :class:`PortBinding` of that name or id, and
                          those that are nested in it
``chassis:<name>``        each :class:`PortBinding` for which the chassis may be elected
``set:<sigil and name>``  :class:`SetMember`; of backends also :class:`VirtualAddress`,
                          :class:`BackendCheck` and :class:`BackendStatus`
========================  ====================================================

Addresses are text in their canonical form (lower-case, RFC 5952 for IPv6).
"""

from typing import ClassVar, Literal, TypeAlias

import msgspec

from southbound.port_types import PlacedBy, PortKind, kind_of

GLOBAL_SCOPE = "global"

RowId: TypeAlias = tuple[str, str]
"""Names one row everywhere: its table and its key."""


def datapath_scope(datapath: str) -> str:
    return f"datapath:{datapath}"


def port_scope(name: str) -> str:
    return f"port:{name}"


def chassis_scope(name: str) -> str:
    return f"chassis:{name}"


def set_scope(name: str) -> str:
    """`name` carries its sigil: ``$web-addresses`` or ``@web-ports``."""
    return f"set:{name}"


class Row(msgspec.Struct, frozen=True, array_like=True, tag_field="table_name"):
    """Base of all rows: ``table`` names the table, ``key`` the row in it.

    On the wire a row is an array that starts with its table's name (the struct's
    tag), so that rows of all tables travel in one list: see :data:`AnyRow`.
    """

    table: ClassVar[str]

    @property
    def key(self) -> str:
        raise AssertionError(f"{type(self).__name__} has no key")

    @property
    def row_id(self) -> RowId:
        return (self.table, self.key)

    @property
    def scopes(self) -> tuple[str, ...]:
        return (GLOBAL_SCOPE,)


class Encap(msgspec.Struct, frozen=True, array_like=True):
    """A tunnel endpoint of a chassis; `ip` is where its Geneve packets go."""

    type: str
    ip: str


class Stage(Row, frozen=True, array_like=True, tag="stage"):
    """A stage of a pipeline. `place` orders those of one pipeline (0 is the first).

    `default` says what becomes of packets that no flow takes, `failure` what becomes of
    those that a flow is for which can't be made: ``next`` or ``drop``. `role` is one of
    :class:`logical_flow.roles.Role`, or one that only newer releases know.
    """

    table: ClassVar[str] = "stage"

    name: str
    pipeline: str
    place: int
    default: str
    failure: str = "drop"
    role: str = ""

    @property
    def key(self) -> str:
        return self.name


class Template(Row, frozen=True, array_like=True, tag="template"):
    """A flow template as data: what an agent needs to compile it.

    `id` is the hash of what its flows are. Where `stage` stands in its pipeline doesn't
    count in that: `table_number` and `stage_default` are those of the :class:`Stage`, for
    agents that don't read such rows.
    """

    table: ClassVar[str] = "template"

    id: int
    pipeline: str
    stage: str
    table_number: int
    stage_default: str
    priority: str
    match: str
    actions: str
    only: str

    @property
    def key(self) -> str:
        return str(self.id)


class Chassis(Row, frozen=True, array_like=True, tag="chassis"):
    """A hypervisor, named by its ``system-id``.

    `alive` turns false when the lease that its connection renews has run out. `monitors` are
    the chassis that it watches by BFD, which takes both ends.
    """

    table: ClassVar[str] = "chassis"

    name: str
    hostname: str = ""
    encaps: tuple[Encap, ...] = ()
    external_ids: dict[str, str] = {}
    alive: bool = True
    monitors: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return self.name


class Datapath(Row, frozen=True, array_like=True, tag="datapath"):
    """A logical switch (`ls`) or router (`lr`) with its 24-bit tunnel key."""

    table: ClassVar[str] = "datapath"

    id: str
    kind: Literal["ls", "lr"]
    name: str
    tunnel_key: int

    @property
    def key(self) -> str:
        return self.id

    @property
    def scopes(self) -> tuple[str, ...]:
        return (datapath_scope(self.id),)


class PortBinding(Row, frozen=True, array_like=True, tag="port_binding"):
    """A logical port and where it is bound.

    The first part is intent, written by the translator. `chassis`, `up` and
    `candidates` are facts, written by the southbound store as agents come and claim
    the port. `requested_chassis` are names as users wrote them; `candidates` are
    the chassis that these stand for and that alone may have the port, or None where
    any chassis may. `type` is one of
    :data:`southbound.port_types.PORT_KINDS`, or one that only newer servers know; `kind` says
    what such ports can do. A `patch` port joins its datapath to `peer_datapath` through the
    port named `peer` and is on every chassis. `multicast` lists the multicast groups
    of the datapath that the port is a member of (``_MC_flood``, ``_MC_unknown``, …),
    `neighbours` the networks in which a router port learns who its neighbours are. A port
    that is nested in another has that one's id and name as `parent` and `parent_name`, and is
    told from the others there by its VLAN `tag`. One that leads outside leads to the provider
    network `network`, where its frames have the VLAN tag `tag`, or none if that is 0; if it
    `passes_tags`, also any that they have by themselves. `has_service_tag` says that its tag is
    one of 802.1ad.

    A port that moves may be on `additional_chassis` beside its own, which are facts as well: all
    of them are sent its packets. With an `activation` it is blocked on these, but for packets
    that tell that it has come; `activated` are those where it has.

    Of a port that is elected, `candidates` are in the order of their ranks, `chassis` is the one
    that said last that it is in charge, and a `preemptive` one goes back to a higher rank that
    has returned. `distributed_port` is the gateway port that a `chassisredirect` stands for.
    A virtual port is the address `virtual_ip`, which one of the ports named `virtual_parents` may
    have at a time: the `virtual_parent`, a fact, is the one that spoke for it last.
    """

    table: ClassVar[str] = "port_binding"

    id: str
    datapath: str
    name: str
    tunnel_key: int
    type: str
    enabled: bool = True
    addresses: tuple[str, ...] = ()
    multicast: tuple[str, ...] = ()
    peer: str = ""
    peer_datapath: str = ""
    requested_chassis: tuple[str, ...] = ()
    options: dict[str, str] = {}
    chassis: str = ""
    up: bool = False
    candidates: tuple[str, ...] | None = None
    neighbours: tuple[str, ...] = ()
    parent: str = ""
    parent_name: str = ""
    tag: int = 0
    activation: tuple[str, ...] = ()
    additional_chassis: tuple[str, ...] = ()
    activated: tuple[str, ...] = ()
    distributed_port: str = ""
    preemptive: bool = True
    network: str = ""
    virtual_ip: str = ""
    virtual_parents: tuple[str, ...] = ()
    virtual_parent: str = ""
    passes_tags: bool = False
    has_service_tag: bool = False

    @property
    def key(self) -> str:
        return self.id

    @property
    def scopes(self) -> tuple[str, ...]:
        """Its datapath and what it is called; what is nested goes with its parent as well.

        One that is elected is also for the chassis that may be.
        """
        called = {*self.iface_ids, self.parent, self.parent_name} - {""}
        return (
            datapath_scope(self.datapath),
            *map(port_scope, sorted(called)),
            *map(chassis_scope, self.electorate),
        )

    @property
    def electorate(self) -> tuple[str, ...]:
        """The chassis among which it is elected where the port is, the highest rank first."""
        is_elected = self.kind.placed_by is PlacedBy.ELECTED
        return (self.candidates or ()) if is_elected else ()

    def with_facts_of(self, other: "PortBinding") -> "PortBinding":
        """Return the same intent with the facts of another row of the port."""
        facts = {name: getattr(other, name) for name in _PORT_FACTS}
        return msgspec.structs.replace(self, **facts)

    def without_facts(self) -> "PortBinding":
        """Return the intent alone."""
        return self.with_facts_of(_NO_FACTS)

    @property
    def all_chassis(self) -> tuple[str, ...]:
        """Where the port is: its chassis, if it has one, and those that it is on as well."""
        return (self.chassis, *self.additional_chassis) if self.chassis else ()

    @property
    def iface_ids(self) -> tuple[str, ...]:
        """What an interface may have as its ``iface-id`` to stand for the port: name and id."""
        return (self.name,) if self.name == self.id else (self.name, self.id)

    @property
    def kind(self) -> PortKind:
        """What ports of this type can do."""
        return kind_of(self.type)

    @property
    def joins_datapaths(self) -> bool:
        """Whether what leaves through it enters the datapath of its peer."""
        return kind_of(self.type).joins_datapaths


_PORT_FACTS = (
    "chassis",
    "up",
    "candidates",
    "additional_chassis",
    "activated",
    "virtual_parent",
)
_NO_FACTS = PortBinding("", "", "", 0, "")


class FlowGroup(Row, frozen=True, array_like=True, tag="flow_group"):
    """All logical flows of one derivation on one datapath.

    `id` is the OpenFlow cookie. `payload` is MessagePack, ``[[template id,
    argument, …], …]`` in canonical order. `cause_kind` and `cause_id` name the
    northbound object, `revision` the one in which the payload last changed.
    """

    table: ClassVar[str] = "flow_group"

    id: int
    datapath: str
    cause_kind: str
    cause_id: str
    revision: int
    payload: bytes

    @property
    def key(self) -> str:
        return str(self.id)

    @property
    def scopes(self) -> tuple[str, ...]:
        return (datapath_scope(self.datapath),)


class SetMember(Row, frozen=True, array_like=True, tag="set_member"):
    """One address of an address set, or one port name of a port group.

    `set` carries its sigil.
    """

    table: ClassVar[str] = "set_member"

    set: str
    member: str

    @property
    def key(self) -> str:
        return f"{self.set}/{self.member}"

    @property
    def scopes(self) -> tuple[str, ...]:
        return (set_scope(self.set),)


class MacBinding(Row, frozen=True, array_like=True, tag="mac_binding"):
    """A neighbour that a router learned on one of its ports.

    `learned_at` is seconds since the epoch on the server's clock.
    """

    table: ClassVar[str] = "mac_binding"

    datapath: str
    port: str
    ip: str
    mac: str
    chassis: str = ""
    learned_at: float = 0.0

    @property
    def key(self) -> str:
        return f"{self.port}/{self.ip}"

    @property
    def scopes(self) -> tuple[str, ...]:
        return (datapath_scope(self.datapath),)


class FdbEntry(Row, frozen=True, array_like=True, tag="fdb"):
    """A MAC address that a switch learned behind one of its `unknown` ports."""

    table: ClassVar[str] = "fdb"

    datapath: str
    mac: str
    port: str
    chassis: str = ""
    learned_at: float = 0.0

    @property
    def key(self) -> str:
        return f"{self.datapath}/{self.mac}"

    @property
    def scopes(self) -> tuple[str, ...]:
        return (datapath_scope(self.datapath),)


class RouterAdvertisement(Row, frozen=True, array_like=True, tag="router_advertisement"):
    """What a router port tells hosts of its network (RFC 4861 section 4.2).

    `id` and `port` are the router port's. `body` is the ICMPv6 message after its checksum. It is
    told to those who ask, and without being asked every `min_interval` to `max_interval` seconds
    unless these are 0.
    """

    table: ClassVar[str] = "router_advertisement"

    id: str
    datapath: str
    port: str
    body: bytes
    min_interval: int = 0
    max_interval: int = 0

    @property
    def key(self) -> str:
        return self.id

    @property
    def scopes(self) -> tuple[str, ...]:
        return (datapath_scope(self.datapath),)


class Announcement(Row, frozen=True, array_like=True, tag="announcement"):
    """Addresses that are at one MAC address on a switch that leads outside, and move at times.

    The chassis on which `port` is tells the provider network that they are there: the port is a
    redirect port, or any other that is on one chassis at a time. `id` is that of what has the
    addresses: a router port, a NAT. Without addresses it is the MAC address alone that is told.
    """

    table: ClassVar[str] = "announcement"

    id: str
    datapath: str
    port: str
    mac: str
    addresses: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return self.id

    @property
    def scopes(self) -> tuple[str, ...]:
        return (datapath_scope(self.datapath),)


class DnsName(Row, frozen=True, array_like=True, tag="dns_name"):
    """A name that workloads on a switch can look up.

    `id` is that of the record. `name` and `pointer` are in lower case, without the dot at the
    end. Of a name that is `owned` there is nothing else; one that `covers` speaks for all names
    below it, too, and has no addresses.
    """

    table: ClassVar[str] = "dns_name"

    id: str
    datapath: str
    name: str
    ttl: int
    addresses: tuple[str, ...] = ()
    pointer: str = ""
    owned: bool = False
    covers: bool = False

    @property
    def key(self) -> str:
        return f"{self.datapath}/{self.id}"

    @property
    def scopes(self) -> tuple[str, ...]:
        return (datapath_scope(self.datapath),)


class BfdSession(Row, frozen=True, array_like=True, tag="bfd_session"):
    """A BFD session of router port `port` with the host `neighbour` (RFC 5881).

    It is run where the port `resident` is, from the address `source`. Intervals are milliseconds.
    One whose `resident` is empty is run nowhere.
    """

    table: ClassVar[str] = "bfd_session"

    id: str
    datapath: str
    port: str
    resident: str
    source: str
    neighbour: str
    min_tx: int
    min_rx: int
    detect_mult: int
    enabled: bool = True

    @property
    def key(self) -> str:
        return self.id

    @property
    def scopes(self) -> tuple[str, ...]:
        return (datapath_scope(self.datapath),)


class BfdStatus(Row, frozen=True, array_like=True, tag="bfd_status"):
    """How the BFD session of that id is, by the chassis that runs it: a fact.

    `state` is ``admin-down``, ``down``, ``init`` or ``up``, the diagnostics are numbers of RFC 5880
    section 4.1, `since` seconds since the epoch on the server's clock.
    """

    table: ClassVar[str] = "bfd_status"

    id: str
    datapath: str
    chassis: str
    state: str
    diagnostic: int = 0
    remote_diagnostic: int = 0
    since: float = 0.0

    @property
    def key(self) -> str:
        return self.id

    @property
    def scopes(self) -> tuple[str, ...]:
        return (datapath_scope(self.datapath),)


class VirtualAddress(Row, frozen=True, array_like=True, tag="virtual_address"):
    """The virtual address that a set of backends is for.

    `set` carries its sigil. `port` is 0, and `protocol` empty, where it is for the whole address.
    If it `ends_connections`, those to backends that are no longer in use end.
    """

    table: ClassVar[str] = "virtual_address"

    set: str
    address: str
    port: int = 0
    protocol: str = ""
    ends_connections: bool = True

    @property
    def key(self) -> str:
        return self.set

    @property
    def scopes(self) -> tuple[str, ...]:
        return (set_scope(self.set),)


class BackendCheck(Row, frozen=True, array_like=True, tag="backend_check"):
    """That a member of a set of backends is in use only while it answers, and who asks it.

    `port` is the logical port behind which it is, on the switch `datapath`; the agent that has the
    port asks, from the address `source`. Both are empty if there is no such port. `mac` is the
    backend's own, empty if that isn't known. `interval` and `timeout` are seconds, the counts are
    of answers, or of questions without one, that follow each other.
    """

    table: ClassVar[str] = "backend_check"

    set: str
    member: str
    protocol: str
    datapath: str
    port: str
    mac: str
    source: str
    interval: int
    timeout: int
    success_count: int
    failure_count: int

    @property
    def key(self) -> str:
        return f"{self.set}/{self.member}"

    @property
    def scopes(self) -> tuple[str, ...]:
        ask = (datapath_scope(self.datapath),) if self.datapath else ()
        return (set_scope(self.set), *ask)


class BackendStatus(Row, frozen=True, array_like=True, tag="backend_status"):
    """Whether a member of a set of backends answers, as its chassis said last.

    `reason` says why not. `since` is seconds since the epoch on the server's clock.
    """

    table: ClassVar[str] = "backend_status"

    set: str
    member: str
    up: bool
    reason: str = ""
    chassis: str = ""
    since: float = 0.0

    @property
    def key(self) -> str:
        return f"{self.set}/{self.member}"

    @property
    def scopes(self) -> tuple[str, ...]:
        return (set_scope(self.set),)


ROW_TYPES: dict[str, type[Row]] = {
    row.table: row
    for row in (
        Stage,
        Template,
        Chassis,
        Datapath,
        PortBinding,
        FlowGroup,
        SetMember,
        MacBinding,
        FdbEntry,
        RouterAdvertisement,
        DnsName,
        Announcement,
        BfdSession,
        BfdStatus,
        VirtualAddress,
        BackendCheck,
        BackendStatus,
    )
}

AnyRow: TypeAlias = (
    Stage
    | Template
    | Chassis
    | Datapath
    | PortBinding
    | FlowGroup
    | SetMember
    | MacBinding
    | FdbEntry
    | RouterAdvertisement
    | DnsName
    | Announcement
    | BfdSession
    | BfdStatus
    | VirtualAddress
    | BackendCheck
    | BackendStatus
)
"""Any row, as a type that msgspec decodes by the table's name."""
