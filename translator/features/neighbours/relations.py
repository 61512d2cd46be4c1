"""Relations between switch ports and the router ports that know them or learn from them."""

from collections.abc import Iterator

from incremental import Read
from southbound.port_types import VIRTUAL
from translator.derivations.relations import (
    attached_router_ports,
    peer_router_port,
    router_ports_that_know,
)
from translator.inputs import LogicalSwitchPort


def resolvers(read: Read, lsp: str) -> tuple[str, ...]:
    """The router ports that have to know a switch port as a neighbour: all on its switch.

    Routers that ask for others don't know what leads to those.
    """
    port = read(LogicalSwitchPort, lsp)
    if port is None or not (port.hosts or port.kind.joins_datapaths) or port.kind is VIRTUAL:
        return ()
    group = router_ports_that_know if port.kind.joins_datapaths else attached_router_ports
    attached = read.members(group, port.switch)
    own = peer_router_port(read, port)
    return tuple(lrp for lrp in attached if own is None or lrp != own.id)


def neighbours(lsp: str, router_ports: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Switch port -> router ports that have to know it."""
    for lrp in router_ports:
        yield lsp, lrp


def asked_router_ports(read: Read, place: tuple[str, str]) -> tuple[str, ...]:
    """The router ports that learn who is behind a port with unknown addresses from his questions.

    The port is given as one of `unknown_ports`. Who is on a provider network asks for himself.
    """
    switch, lsp = place
    port = read(LogicalSwitchPort, lsp)
    if port is None or port.kind.leads_outside:
        return ()
    return tuple(read.members(attached_router_ports, switch))


def asking(place: tuple[str, str], router_ports: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Switch port -> router ports that are asked for behind it."""
    _switch, lsp = place
    for lrp in router_ports:
        yield lsp, lrp
