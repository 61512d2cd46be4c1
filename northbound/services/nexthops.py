"""Next hops: which addresses can be one, seen from the ports of a router.

A next hop is another host on one of the router's networks. The router's own addresses
and those that name a network, or everyone in it, are none: no host answers for them, and
each packet would make the router ask all over again.
"""

import ipaddress
from collections.abc import Iterable, Sequence

from sqlalchemy import select

from northbound.addresses import Address, link_local
from northbound.errors import FieldProblem, InvalidError
from northbound.models import LogicalRouterPort, StaticRoute
from northbound.models.routing import StaticMacBinding
from northbound.transaction import Reader


def ports_of(reader: Reader, router_id: str) -> Sequence[LogicalRouterPort]:
    """The ports of a router, by name."""
    query = select(LogicalRouterPort).where(LogicalRouterPort.logical_router_id == router_id)
    return reader.session.scalars(query.order_by(LogicalRouterPort.name)).all()


def why_no_nexthop(
    nexthop: Address, ports: Iterable[LogicalRouterPort], output_port: LogicalRouterPort | None
) -> str | None:
    """Why packets cannot be handed on to `nexthop`; None if they can.

    Without an `output_port` it has to be in a network of one of the router's `ports`.
    """
    ports = list(ports)
    for port in ports:
        if reason := why_no_host(nexthop, port.name, port.mac, port.networks):
            return reason
    if output_port is None:
        if any(nexthop in network for port in ports for network in _networks(port)):
            return None
        return "is in no network of the router; name an output_port"
    if nexthop.version == 4 and all(own.version == 6 for own in _networks(output_port)):
        return f"port {output_port.name!r} has no IPv4 address to ask for it from"
    return None


def refuse_taking_nexthops(reader: Reader, port: LogicalRouterPort, networks: list[str]) -> None:
    """Raise InvalidError if `port` with `networks` makes the next hop of a route no host."""
    changed = LogicalRouterPort(name=port.name, mac=port.mac, networks=networks)
    query = select(StaticRoute.nexthop, StaticRoute.ip_prefix).where(
        StaticRoute.logical_router_id == port.logical_router_id,
        StaticRoute.nexthop.in_(sorted(_addresses_that_are_no_nexthop(changed))),
    )
    found = reader.session.execute(query.order_by(StaticRoute.ip_prefix)).first()
    if found is None:
        return
    reason = f"{found.nexthop} is the next hop of the router's route to {found.ip_prefix}"
    raise InvalidError([_problem_of(found.nexthop, networks, reason)])


def refuse_taking_neighbours(reader: Reader, port: LogicalRouterPort, networks: list[str]) -> None:
    """Raise InvalidError if `port` with `networks` makes a neighbour that was bound no host."""
    changed = LogicalRouterPort(name=port.name, mac=port.mac, networks=networks)
    query = select(StaticMacBinding.ip).where(
        StaticMacBinding.logical_router_port_id == port.id,
        StaticMacBinding.ip.in_(sorted(_addresses_that_are_no_nexthop(changed))),
    )
    ip = reader.session.scalars(query.order_by(StaticMacBinding.ip)).first()
    if ip is not None:
        reason = f"{ip} is the address of a neighbour, by a static MAC binding of the port"
        raise InvalidError([_problem_of(ip, networks, reason)])


def _problem_of(ip: str, networks: list[str], reason: str) -> FieldProblem:
    """What is wrong with the network that holds `ip`; where none does, with its link-local one."""
    place = next((i for i, own in enumerate(networks) if _is_of(ip, own)), None)
    if place is None:
        return FieldProblem(("mac",), reason, ip)
    return FieldProblem(("networks", place), reason, networks[place])


def why_no_host(nexthop: Address, port: str, mac: str, networks: Iterable[str]) -> str | None:
    """What `nexthop` is for a router's `port` where it is no host that would answer."""
    if str(nexthop) == link_local(mac):
        return f"is the link-local address of the router's own port {port!r}"
    for own in map(ipaddress.ip_interface, networks):
        if nexthop == own.ip:
            return f"is the address of the router's own port {port!r}"
        if nexthop.version == 4 and own.network.prefixlen < 31:
            if nexthop == own.network.network_address:
                return f"is the network {own.network} itself, not a host in it"
            if nexthop == own.network.broadcast_address:
                return f"is the broadcast address of {own.network}"
    return None


def _addresses_that_are_no_nexthop(port: LogicalRouterPort) -> set[str]:
    addresses = {link_local(port.mac)}
    for own in map(ipaddress.ip_interface, port.networks):
        addresses.add(str(own.ip))
        if own.version == 4 and own.network.prefixlen < 31:
            addresses |= {str(own.network.network_address), str(own.network.broadcast_address)}
    return addresses


def _is_of(nexthop: str, own: str) -> bool:
    return ipaddress.ip_address(nexthop) in ipaddress.ip_interface(own).network


def _networks(port: LogicalRouterPort) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_interface(own).network for own in port.networks]
