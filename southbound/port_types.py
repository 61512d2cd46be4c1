"""Types of port bindings, and what ports of each can do.

A port binding names its type. Translator and agents ask what ports of that type can do
(:attr:`southbound.rows.PortBinding.kind`), and never compare names, so that a new type is a
new entry of this table, and what it can that none could before.

The name is open: an agent may be sent a type that only newer servers know. Such a port is
:data:`UNKNOWN`: other rows may name it, no packet gets to it, and the agent says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Literal


class PlacedBy(Enum):
    """Who decides where a port is."""

    PLUG = auto()
    """The plug: it is on the chassis where an interface for it was plugged in, or nowhere."""
    PARENT = auto()
    """The port that it is nested in: it is where that is."""
    SPEAKER = auto()
    """The port of a workload that speaks for its address: it is where that is."""
    NONE_NEEDED = auto()
    """It is on every chassis that needs it, and is never bound to one."""
    ELECTED = auto()
    """The chassis that it names: it is on the highest-ranked one that is alive, as each chassis
    sees it by itself; where it names one only, there."""
    NOT_KNOWN = auto()


class Transport(Enum):
    """How packets for a port get from one chassis to where the port is."""

    TUNNEL = auto()
    """Through the tunnel to its chassis."""
    HERE = auto()
    """Not at all: it is where they are."""
    NOWHERE = auto()
    """There is no way."""


@dataclass(frozen=True, slots=True)
class PortKind:
    """What ports of one type can do. `name` is what port bindings say."""

    name: str
    has_interface: bool
    """An interface of a chassis, with the port's name as ``iface-id``, stands for it."""
    is_workload: bool
    """Behind it is a workload, with addresses of its own."""
    placed_by: PlacedBy
    transport: Transport
    joins_datapaths: bool = False
    """What leaves through it enters the datapath of its peer."""
    leads_outside: bool = False
    """What leaves through it goes to a network outside of the overlay: it stands for a bridge of
    its chassis that leads there."""
    stays_local: bool = False
    """What is sent through it goes to ports of the same chassis only."""

    @property
    def is_bound(self) -> bool:
        """Whether such a port is on certain chassis at a time, and not wherever it is needed."""
        return self.placed_by not in (PlacedBy.NONE_NEEDED, PlacedBy.NOT_KNOWN)

    @property
    def is_everywhere(self) -> bool:
        """Whether the workload behind such a port is on each chassis by itself, bound to none."""
        return self.is_workload and not self.is_bound

    @property
    def is_native(self) -> bool:
        """Whether what goes between chassis goes through it, and through no tunnel."""
        return self.leads_outside and self.transport is Transport.HERE


VIF: Final = PortKind("vif", True, True, PlacedBy.PLUG, Transport.TUNNEL)
"""A port of a workload."""
NESTED: Final = PortKind("nested", False, True, PlacedBy.PARENT, Transport.TUNNEL)
"""A port of a workload inside of another, such as a container in a virtual machine: its frames
have a VLAN tag on the interface of the port that it is nested in."""
VIRTUAL: Final = PortKind("virtual", False, False, PlacedBy.SPEAKER, Transport.TUNNEL)
"""An address that several workloads may have, one at a time."""
PATCH: Final = PortKind(
    "patch", False, False, PlacedBy.NONE_NEEDED, Transport.HERE, joins_datapaths=True
)
"""One end of a link between two logical switches and routers."""
CHASSIS_REDIRECT: Final = PortKind(
    "chassisredirect", False, False, PlacedBy.ELECTED, Transport.TUNNEL
)
"""What stands for a gateway port on its router: packets to it leave through the gateway port,
on the chassis that is in charge of that."""
L3_GATEWAY: Final = PortKind(
    "l3gateway", False, False, PlacedBy.ELECTED, Transport.TUNNEL, joins_datapaths=True
)
"""One end of a link that is on one chassis only: between a gateway router and the rest."""
LOCALNET: Final = PortKind(
    "localnet",
    has_interface=False,
    is_workload=False,
    placed_by=PlacedBy.NONE_NEEDED,
    transport=Transport.HERE,
    leads_outside=True,
)
"""The way from a logical switch to a provider network, on each chassis that has a bridge to it:
what goes between chassis goes there, and through no tunnel."""
L2_GATEWAY: Final = PortKind(
    "l2gateway", False, False, PlacedBy.ELECTED, Transport.TUNNEL, leads_outside=True
)
"""The way from a logical switch to a provider network that is on one chassis only: the others
get there through the tunnel to it."""
LOCALPORT: Final = PortKind(
    "localport", True, True, PlacedBy.NONE_NEEDED, Transport.HERE, stays_local=True
)
"""A port of the same workload on every chassis that has an interface for it, such as a proxy for
metadata: whoever speaks to it speaks to the one on his chassis."""
EXTERNAL: Final = PortKind("external", False, True, PlacedBy.ELECTED, Transport.HERE)
"""A port of a workload on the provider network that the datapath leads to: each chassis that is
on it gets there by itself, and the one that the port is on serves it."""
UNKNOWN: Final = PortKind("", False, False, PlacedBy.NOT_KNOWN, Transport.NOWHERE)
"""What ports are of a type that this release doesn't know."""

TypeName = Literal[
    "vif",
    "nested",
    "virtual",
    "patch",
    "chassisredirect",
    "l3gateway",
    "localnet",
    "l2gateway",
    "localport",
    "external",
]
"""The names of the types, for those who describe them."""

PORT_KINDS: Final[Mapping[str, PortKind]] = {
    kind.name: kind
    for kind in (
        VIF,
        NESTED,
        VIRTUAL,
        PATCH,
        CHASSIS_REDIRECT,
        L3_GATEWAY,
        LOCALNET,
        L2_GATEWAY,
        LOCALPORT,
        EXTERNAL,
    )
}
"""All that this release knows, by the names of their types."""


def kind_of(type_name: str) -> PortKind:
    """Return what ports of a type can do, :data:`UNKNOWN` for one that isn't known.

    >>> kind_of("vif").has_interface, kind_of("teleporter").transport
    (True, <Transport.NOWHERE: 3>)
    """
    return PORT_KINDS.get(type_name, UNKNOWN)
