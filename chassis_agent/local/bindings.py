"""Which logical ports are on this host. Pure.

An interface of the integration bridge with ``external_ids:iface-id`` binds the
logical port of that id or name, once the switch has a device for it: an interface
whose network device is gone counts as unplugged. With a port go those that are nested in it.
Router ports and other patch ports have no interface, and are on every host that needs them.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from chassis_agent.ovsdb.view import Interface
from southbound.port_types import UNKNOWN
from southbound.rows import PortBinding

IFACE_ID = "iface-id"


class Plugged(NamedTuple):
    """An interface that stands for a logical port, with the switch's port and its queues."""

    port: str
    interface: str
    ofport: int
    switch_port: str = ""
    queues: frozenset[int] = frozenset()


class Bound(NamedTuple):
    """A logical port of this host, with its row."""

    row: PortBinding
    plugged: Plugged


class Bindings(NamedTuple):
    """The interfaces with an ``iface-id``, sorted by what they come to.

    `bound` is by the port's name. `refused` says for a port, as its interface names it, why it
    isn't bound here though its interface is; `unknown` are the names that the server has no port
    for (yet).
    """

    bound: Mapping[str, Bound]
    refused: Mapping[str, str]
    unknown: frozenset[str]


def plugged_ports(interfaces: Iterable[Interface]) -> dict[str, Plugged]:
    """The logical ports that have an interface here, by their ``iface-id``.

    Of two interfaces for one port, the one that was plugged in last counts:
    OpenFlow port numbers go up.
    """
    found: dict[str, Plugged] = {}
    for interface in interfaces:
        port = interface.external_ids.get(IFACE_ID)
        if not port or not interface.is_plugged or interface.ofport is None:
            continue
        other = found.get(port)
        if other is None or other.ofport < interface.ofport:
            found[port] = Plugged(
                port,
                interface.name,
                interface.ofport,
                interface.port or interface.name,
                interface.queues,
            )
    return found


def settle(
    plugged: Mapping[str, Plugged],
    rows: Mapping[str, PortBinding],
    chassis: str,
    nested: Callable[[str], Iterable[PortBinding]] = lambda _parent: (),
) -> Bindings:
    """Decides which plugged ports are bound here, given their rows by ``iface-id``.

    `nested` has the ports that are inside of the port of an id.

    Two interfaces may stand for one port, by its name and by its id: the last one counts.

    A port that no chassis holds yet is taken as ours while the claim travels, so
    that its flows are on their way before the server answers. Whether we may have it
    is what the server made of `requested_chassis`, which may be host names.
    """
    bound: dict[str, Bound] = {}
    refused: dict[str, str] = {}
    unknown = set()
    for name, interface in plugged.items():
        row = rows.get(name)
        if row is None:
            unknown.add(name)
        elif not row.kind.has_interface:
            refused[name] = f"a port of type {row.type} takes no interface"
            if row.kind is UNKNOWN:
                refused[name] = f"this agent knows no ports of type {row.type}"
        elif row.candidates is not None and chassis not in row.candidates:
            refused[name] = f"requested on {', '.join(row.requested_chassis)}"
        elif row.chassis not in ("", chassis) and chassis not in row.additional_chassis:
            refused[name] = f"held by {row.chassis}"
        elif row.name not in bound or bound[row.name].plugged.ofport < interface.ofport:
            bound[row.name] = Bound(row, interface)
    for parent in list(bound.values()):
        for row in nested(parent.row.id):
            bound[row.name] = Bound(row, parent.plugged)
    return Bindings(bound, refused, frozenset(unknown))
