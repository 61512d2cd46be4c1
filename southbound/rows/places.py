"""Rows of hypervisors, datapaths, and the ports that these have."""

from operator import attrgetter
from typing import ClassVar, Literal

import msgspec

from southbound.port_types import PlacedBy, PortKind, kind_of
from southbound.rows.base import Row, chassis_scope, datapath_scope, port_scope


class Encap(msgspec.Struct, frozen=True, array_like=True):
    """A tunnel endpoint of a chassis; `ip` is where its Geneve packets go."""

    type: str
    ip: str


class Chassis(Row, frozen=True, array_like=True, tag="chassis"):
    """A hypervisor, named by its ``system-id``.

    `alive` turns false when the lease that its connection renews has run out. `monitors` are
    the chassis that it watches by BFD, which takes both ends.
    """

    table: ClassVar[str] = "chassis"

    name: str
    hostname: str = ""
    encaps: tuple[Encap, ...] = ()
    external_ids: dict[str, str] = msgspec.field(default_factory=dict)
    alive: bool = True
    monitors: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return self.name


class Datapath(Row, frozen=True, array_like=True, tag="datapath"):
    """A logical switch (`ls`) or router (`lr`) with its 24-bit tunnel key.

    Neighbours that a router has learned are forgotten after `neighbour_age` seconds: 0 for never,
    -1 for what the server is set to.
    """

    table: ClassVar[str] = "datapath"

    id: str
    kind: Literal["ls", "lr"]
    name: str
    tunnel_key: int
    neighbour_age: int = -1

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
    has returned. `distributed_port` is the gateway port that a `chassisredirect` stands for;
    with a `network` packets get by that one to where it is, from other chassis.
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
    options: dict[str, str] = msgspec.field(default_factory=dict)
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
        called = {*self.iface_ids}
        if self.parent:
            called |= {self.parent, self.parent_name} - {""}
        scopes = (datapath_scope(self.datapath), *map(port_scope, sorted(called)))
        return (*scopes, *map(chassis_scope, self.electorate)) if self.candidates else scopes

    @property
    def electorate(self) -> tuple[str, ...]:
        """The chassis among which it is elected where the port is, the highest rank first."""
        is_elected = self.kind.placed_by is PlacedBy.ELECTED
        return (self.candidates or ()) if is_elected else ()

    def with_facts_of(self, other: "PortBinding") -> "PortBinding":
        """Return the same intent with the facts of another row of the port."""
        facts = _facts_of(other)
        if _facts_of(self) == facts:
            return self
        return msgspec.structs.replace(self, **dict(zip(_PORT_FACTS, facts, strict=True)))

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
_facts_of = attrgetter(*_PORT_FACTS)
_NO_FACTS = PortBinding("", "", "", 0, "")
