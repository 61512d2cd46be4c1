"""Which switch ports and router ports belong together: look-ups and joins between rows.

The projections here are fan-ins (groups of the graph); they take a key and its
row, and yield `(group, element)` pairs. Joins are derivations whose results such
projections take apart again, so that what is derived per pair never looks at all
members of a group.
"""

from collections.abc import Iterator
from typing import NamedTuple

from incremental import Read
from translator.inputs import LogicalRouter, LogicalRouterPort, LogicalSwitchPort

# --- switch ports -------------------------------------------------------------


def unknown_ports(lsp: str, port: LogicalSwitchPort) -> Iterator[tuple[str, str]]:
    """Switch -> its ports that take frames for unknown destinations."""
    if port.takes_unknown and port.enabled:
        yield port.switch, lsp


def ports_leading_outside(lsp: str, port: LogicalSwitchPort) -> Iterator[tuple[str, str]]:
    """Switch -> its ports that lead to provider networks."""
    if port.kind.leads_outside and port.enabled:
        yield port.switch, lsp


# --- switch ports and router ports --------------------------------------------


def router_ports_named(lrp: str, port: LogicalRouterPort) -> Iterator[tuple[str, str]]:
    """Qualified name -> the router port of that name."""
    yield port.qualified or port.name, lrp


def switch_ports_towards(lsp: str, port: LogicalSwitchPort) -> Iterator[tuple[str, str]]:
    """Qualified name of a router port -> the switch ports that lead there."""
    if leads_to_router_port(port):
        yield port.router_port, lsp


def switch_port_towards(read: Read, port: LogicalRouterPort) -> LogicalSwitchPort | None:
    """Return the switch port that leads to a router port, also one that is disabled.

    There is one at most: the northbound refuses others.
    """
    found = read.members(switch_ports_towards, port.qualified or port.name)
    return read(LogicalSwitchPort, found[0]) if found else None


def router_port_named(read: Read, name: str) -> LogicalRouterPort | None:
    found = read.members(router_ports_named, name)
    return read(LogicalRouterPort, found[0]) if found else None


def peer_router_port(read: Read, port: LogicalSwitchPort) -> LogicalRouterPort | None:
    """The router port that a switch port of type router leads to."""
    if not leads_to_router_port(port):
        return None
    return router_port_named(read, port.router_port)


class Attachment(NamedTuple):
    """`knows_routers` says that the router knows all others on the switch, and doesn't ask."""

    router: str
    switch: str
    router_port: str
    knows_routers: bool


def leads_to_router_port(port: LogicalSwitchPort) -> bool:
    """Whether a switch port is of the type that leads to a router port, and names one."""
    return port.kind.joins_datapaths and bool(port.router_port)


def attachment(read: Read, lsp: str) -> Attachment | None:
    """That a switch port attaches a router port to its switch."""
    port = read(LogicalSwitchPort, lsp)
    peer = None if port is None else peer_router_port(read, port)
    if port is None or peer is None:
        return None
    router = read(LogicalRouter, peer.router)
    return Attachment(peer.router, port.switch, peer.id, router is None or not router.asks_routers)


def router_ports_that_know(_lsp: str, found: Attachment) -> Iterator[tuple[str, str]]:
    """Switch -> router ports attached to it whose routers know all others there."""
    if found.knows_routers:
        yield found.switch, found.router_port


def attached_router_ports(_lsp: str, found: Attachment) -> Iterator[tuple[str, str]]:
    """Switch -> router ports attached to it."""
    yield found.switch, found.router_port


def switches_of_router(_lsp: str, found: Attachment) -> Iterator[tuple[str, str]]:
    """Router -> switches that it is attached to."""
    yield found.router, found.switch
