"""Next hops: which addresses can be one, seen from the ports of a router.

A next hop is another host on one of the router's networks. The router's own addresses
and those that name a network, or everyone in it, are none: no host answers for them, and
each packet would make the router ask all over again.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from sqlalchemy import bindparam, select

from northbound.addresses import Address, link_local
from northbound.errors import FieldProblem, InvalidError
from northbound.models import LogicalRouterPort, StaticRoute
from northbound.models.routing import StaticMacBinding
from northbound.services.router_networks import Port, span_of
from northbound.transaction import Reader

_PORTS = (
    select(LogicalRouterPort)
    .where(LogicalRouterPort.logical_router_id == bindparam("router"))
    .order_by(LogicalRouterPort.name)
)
_ROUTES = (
    select(StaticRoute.nexthop, StaticRoute.ip_prefix)
    .where(
        StaticRoute.logical_router_id == bindparam("router"),
        StaticRoute.nexthop.in_(bindparam("addresses", expanding=True)),
    )
    .order_by(StaticRoute.ip_prefix)
)
_NEIGHBOURS = (
    select(StaticMacBinding.ip)
    .where(
        StaticMacBinding.logical_router_port_id == bindparam("port"),
        StaticMacBinding.ip.in_(bindparam("addresses", expanding=True)),
    )
    .order_by(StaticMacBinding.ip)
)


def ports_of(reader: Reader, router_id: str) -> Sequence[LogicalRouterPort]:
    """The ports of a router, by name."""
    return reader.session.scalars(_PORTS, {"router": router_id}).all()


def why_no_nexthop(
    nexthop: Address, ports: Iterable[Port], output_port: LogicalRouterPort | None
) -> str | None:
    """Why packets cannot be handed on to `nexthop`; None if they can.

    Without an `output_port` it has to be in a network of one of the router's `ports`.
    """
    text, version, number = str(nexthop), nexthop.version, int(nexthop)
    is_near = False
    for _, name, mac, networks in ports:
        reason = _no_hosts(mac, networks).get(text)
        if reason is not None:
            return reason.format(port=repr(name))
        for network in networks:
            span = span_of(network)
            if span[0] == version and span[1] <= number <= -span[2]:
                is_near = True
    if output_port is None:
        return None if is_near else "is in no network of the router; name an output_port"
    if version == 4 and all(span_of(network).version == 6 for network in output_port.networks):
        return f"port {output_port.name!r} has no IPv4 address to ask for it from"
    return None


def refuse_taking_nexthops(reader: Reader, port: LogicalRouterPort, networks: list[str]) -> None:
    """Raise InvalidError if `port` with `networks` makes the next hop of a route no host."""
    addresses = sorted(_no_hosts(port.mac, tuple(networks)))
    values = {"router": port.logical_router_id, "addresses": addresses}
    found = reader.session.execute(_ROUTES, values).first()
    if found is None:
        return
    reason = f"{found.nexthop} is the next hop of the router's route to {found.ip_prefix}"
    raise InvalidError([_problem_of(found.nexthop, networks, reason)])


def refuse_taking_neighbours(reader: Reader, port: LogicalRouterPort, networks: list[str]) -> None:
    """Raise InvalidError if `port` with `networks` makes a neighbour that was bound no host."""
    addresses = sorted(_no_hosts(port.mac, tuple(networks)))
    ip = reader.session.scalars(_NEIGHBOURS, {"port": port.id, "addresses": addresses}).first()
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
    reason = _no_hosts(mac, tuple(networks)).get(str(nexthop))
    return None if reason is None else reason.format(port=repr(port))


@lru_cache(maxsize=1 << 14)
def _no_hosts(mac: str, networks: tuple[str, ...]) -> Mapping[str, str]:
    """Return the addresses of a port's networks that are no host's, each with what it is."""
    found = {link_local(mac): "is the link-local address of the router's own port {port}"}
    for own in map(ipaddress.ip_interface, networks):
        found.setdefault(str(own.ip), "is the address of the router's own port {port}")
        if own.version == 4 and own.network.prefixlen < 31:
            first, last = own.network.network_address, own.network.broadcast_address
            found.setdefault(str(first), f"is the network {own.network} itself, not a host in it")
            found.setdefault(str(last), f"is the broadcast address of {own.network}")
    return found


def _is_of(nexthop: str, own: str) -> bool:
    return ipaddress.ip_address(nexthop) in ipaddress.ip_interface(own).network
