"""Which virtual addresses are on which switches and routers, and what is behind them."""

from collections.abc import Iterator
from typing import NamedTuple

from incremental import Read
from logical_flow.errors import UnresolvedError
from logical_flow.holes import VARIABLE_SIGIL
from logical_flow.variables import expand_address, has_variable, parse_backend_text
from translator.addresses import ip_text, is_within
from translator.derivations.relations import ports_leading_outside, switches_of_router
from translator.features.gateways.relations import (
    GatewayPort,
    chassis_of,
    gateway_ports,
    gateway_ports_of,
)
from translator.features.load_balancing.inputs import (
    LoadBalancer,
    LoadBalancerGroupRouter,
    LoadBalancerGroupSwitch,
    LoadBalancerRouter,
    LoadBalancerSwitch,
    LoadBalancerVip,
)
from translator.features.load_balancing.variables import values_of_variable
from translator.features.nat.relations import ANY_ADDRESS, TranslatedAddress
from translator.inputs import LogicalRouter, LogicalRouterPort

_WIDTHS = {4: 4, 6: 16}
"""Bytes of an address, by IP version."""


def vips_of_balancer(vip: str, row: LoadBalancerVip) -> Iterator[tuple[str, str]]:
    """Load balancer -> its virtual addresses."""
    yield row.load_balancer, vip


def switches_of_group(_key: object, row: LoadBalancerGroupSwitch) -> Iterator[tuple[str, str]]:
    """Group of load balancers -> its switches."""
    yield row.group, row.switch


def routers_of_group(_key: object, row: LoadBalancerGroupRouter) -> Iterator[tuple[str, str]]:
    """Group of load balancers -> its routers."""
    yield row.group, row.router


def switch_itself(read: Read, pair: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """A load balancer, and a switch that it names itself."""
    return () if read(LoadBalancerSwitch, pair) is None else (pair,)


def router_itself(read: Read, pair: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """A load balancer, and a router that it names itself."""
    return () if read(LoadBalancerRouter, pair) is None else (pair,)


def switches_by_group(read: Read, member: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """A load balancer with each of the switches that one of its groups brings it to."""
    group, balancer = member
    return tuple((balancer, switch) for switch in read.members(switches_of_group, group))


def routers_by_group(read: Read, member: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """A load balancer with each of the routers that one of its groups brings it to."""
    group, balancer = member
    return tuple((balancer, router) for router in read.members(routers_of_group, group))


def switches_by_router(read: Read, pair: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """A load balancer with each of the switches that a router without a gateway brings it to.

    Such a router is everywhere, and the reply to a packet may pass it on another chassis. So its
    connections are balanced where the client is.
    """
    balancer, router = pair
    row = read(LogicalRouter, router)
    if row is None or not row.enabled or row.chassis or read.any(gateway_ports, router):
        return ()
    return tuple((balancer, switch) for switch in read.members(switches_of_router, router))


def switches_of_balancer(
    _key: object, places: tuple[tuple[str, str], ...]
) -> Iterator[tuple[str, str]]:
    """Load balancer -> its switches."""
    yield from places


def routers_of_balancer(
    _key: object, places: tuple[tuple[str, str], ...]
) -> Iterator[tuple[str, str]]:
    """Load balancer -> its routers."""
    yield from places


def vips_on_switch(read: Read, pair: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """The virtual addresses that a load balancer brings to a switch."""
    balancer, switch = pair
    return tuple((switch, vip) for vip in read.members(vips_of_balancer, balancer))


def vips_on_router(read: Read, pair: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """The virtual addresses that a load balancer brings to a router."""
    balancer, router = pair
    return tuple((router, vip) for vip in read.members(vips_of_balancer, balancer))


def router_vips(_key: object, placements: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, str]]:
    """Router -> the virtual addresses on it."""
    yield from placements


def virtual_address(read: Read, placement: tuple[str, str]) -> TranslatedAddress | None:
    """Return a virtual address that a router with a gateway translates."""
    router, vip = placement
    address = read(front, vip)
    row = read(LogicalRouter, router)
    if address is None or row is None:
        return None
    if not row.chassis and not read.any(gateway_ports, router):
        return None
    if isinstance(address.address, str):
        return TranslatedAddress(router, ANY_ADDRESS[address.family])
    return TranslatedAddress(router, address.address)


def vip_placements(
    _key: object, placements: tuple[tuple[str, str], ...]
) -> Iterator[tuple[str, str]]:
    """Switch -> the virtual addresses on it."""
    yield from placements


class Front(NamedTuple):
    """What flows have to know of a virtual address: all but which backends there are."""

    address: bytes | str
    """A variable, of the IP version `variable_family`, is a text; so is one as `port`."""
    port: int | str | None
    protocol: str
    has_backends: bool
    rejects: bool = False
    """Whether it tells clients that it has no backend."""
    hash_fields: str = ""
    """What alone the choice of a backend follows from; empty for addresses and ports."""
    is_checked: bool = False
    """Whether backends may be there that are not in use."""
    is_templated: bool = False
    """Whether backends are something else on each chassis, and nothing on some."""
    variable_family: int = 0
    hairpin_source: bytes = b""
    """Whom a client sees ask that is its own backend; empty for the virtual address."""
    neighbor_responder: str = "reachable"
    """Who is told by routers that the address is theirs."""
    skip_snat: bool = False
    """Whether backends see who asks, whatever a router does to others' sources."""

    @property
    def may_lack_backends(self) -> bool:
        """Whether there may be none in use."""
        return self.is_checked or self.is_templated or not self.has_backends

    @property
    def family(self) -> int:
        """The IP version."""
        return self.variable_family or (4 if len(self.address) == 4 else 6)


def front(read: Read, vip: str) -> Front | None:
    """A virtual address without its backends, so that flows don't ask for those."""
    row = read(LoadBalancerVip, vip)
    balancer = None if row is None else read(LoadBalancer, row.load_balancer)
    if row is None or balancer is None:
        return None
    port = row.port if row.port is not None else row.port_variable
    is_variable = isinstance(row.address, str)
    family = balancer.family if is_variable else 4 if len(row.address) == 4 else 6
    return Front(
        row.address,
        port,
        balancer.protocol if port is not None else "",
        bool(row.backends),
        balancer.reject,
        is_checked=row.health_check is not None,
        hash_fields="ip_src" if balancer.affinity_timeout else ",".join(balancer.selection_fields),
        is_templated=any(map(has_variable, row.backends)),
        variable_family=family if is_variable else 0,
        hairpin_source=next(
            (ip for ip in balancer.hairpin_snat_ips if len(ip) == _WIDTHS[family]), b""
        ),
        neighbor_responder=balancer.neighbor_responder,
        skip_snat=balancer.skip_snat,
    )


def backends_set(vip: str) -> str:
    """Return the name of the set that holds the backends of a virtual address."""
    return f"&{vip}"


def backend_members(read: Read, vip: str) -> tuple[tuple[str, str], ...]:
    """The set of backends, and its members."""
    row = read(LoadBalancerVip, vip)
    return () if row is None else tuple((backends_set(vip), each) for each in row.backends)


def answerers_set(datapath: str, family: int) -> str:
    """Return the name of the set of all addresses that the backends of a router or switch have.

    They are of one family, 4 or 6.
    """
    return f"$.{datapath}_ip{family}"


def virtual_set(switch: str, family: int) -> str:
    """Return the name of the set of all virtual addresses of one family that a switch has."""
    return f"$.{switch}_vip{family}"


def answerers(read: Read, placement: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """What a virtual address adds to the set of its router's backends, if gateway ports ask it."""
    router, vip = placement
    row = read(LoadBalancerVip, vip)
    if row is None or not read.any(gateway_ports, router):
        return ()
    balancer = read(LoadBalancer, row.load_balancer)
    name = answerers_set(router, _family(row, balancer))
    return tuple((name, address) for address in _addresses(row))


def outside_addresses(read: Read, placement: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """What a virtual address adds to the sets of its switch, if that leads outside."""
    switch, vip = placement
    # Asked first: what doesn't lead outside has nothing to do with changes of backends.
    row = read(LoadBalancerVip, vip) if read.any(ports_leading_outside, switch) else None
    if row is None:
        return ()
    family = _family(row, read(LoadBalancer, row.load_balancer))
    answering = answerers_set(switch, family)
    own = (virtual_set(switch, family), address_text(row.address))
    return (own, *((answering, address) for address in _addresses(row)))


def _family(row: LoadBalancerVip, balancer: LoadBalancer | None) -> int:
    if isinstance(row.address, str):
        return 4 if balancer is None else balancer.family
    return 4 if len(row.address) == 4 else 6


def _addresses(row: LoadBalancerVip) -> tuple[str, ...]:
    """Return the addresses of the backends, each once; a variable as it is."""
    return tuple(dict.fromkeys(parse_backend_text(each).address for each in row.backends))


def address_text(address: bytes | str) -> str:
    """Return a virtual address as rows have it: a variable as it is."""
    return address if isinstance(address, str) else ip_text(address)


def held_set(port: str, family: int) -> str:
    """Return the name of the set of virtual addresses that are in a gateway port's networks.

    They are of one family, 4 or 6.
    """
    return f"$.{port}_held_ip{family}"


def held_vips(read: Read, placement: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """What a virtual address adds to the sets of the gateway ports in whose networks it is.

    For others no packet has it as its next hop.
    """
    router, vip = placement
    address = read(front, vip)
    if address is None:
        return ()
    ip, family = address.address, address.family
    found = (
        (gateway, _value_at(read, gateway, ip, family) if isinstance(ip, str) else ip)
        for gateway in gateway_ports_of(read, router)
    )
    return tuple(
        (held_set(gateway.port.id, family), ip_text(value))
        for gateway, value in found
        if value is not None and _around((gateway,), value)
    )


def _value_at(read: Read, gateway: GatewayPort, variable: str, family: int) -> bytes | None:
    """Return the address that a variable is at a gateway port, whichever chassis is in charge.

    None where those that may be have different ones: who is inside is on other chassis, which
    don't know each other's variables.
    """
    placed = chassis_of(read, gateway.port)
    if placed is None:
        return None
    name = variable.removeprefix(VARIABLE_SIGIL)
    found = [read.members(values_of_variable, (each, name)) for each in placed.chassis]
    values = {value for each in found for value in each}
    if len(values) != 1 or not all(found):
        return None
    try:
        return expand_address(variable, lambda _name: next(iter(values)), family).packed
    except UnresolvedError:
        return None


def gateways_of_vip(read: Read, router: str, ip: bytes | str) -> tuple[GatewayPort, ...]:
    """Return the gateway ports at which an address is: in whose network it is, else all.

    Where a variable is isn't known.
    """
    gateways = gateway_ports_of(read, router)
    return gateways if isinstance(ip, str) else _around(gateways, ip) or gateways


def _around(gateways: tuple[GatewayPort, ...], ip: bytes) -> tuple[GatewayPort, ...]:
    """Return those in whose networks an address is."""
    return tuple(
        gateway
        for gateway in gateways
        if any(is_within(ip, network) for network in gateway.port.networks)
    )


def answered_set(port: str, family: int) -> str:
    """Return the name of the set of virtual addresses of one family that a port answers for."""
    return f"$.{port}_answered_ip{family}"


def answered_vips(read: Read, asked: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """What a virtual address adds to the set of a router port in whose network it is."""
    port, vip = asked
    address, row = read(front, vip), read(LogicalRouterPort, port)
    if address is None or row is None or isinstance(address.address, str):
        return ()
    if address.neighbor_responder == "all" and not read.any(gateway_ports, row.router):
        return ()  # the router answers at all of its ports
    return ((answered_set(port, address.family), ip_text(address.address)),)
