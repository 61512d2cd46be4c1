"""The flows of a virtual address on a router: who answers for it, and who gets its connections."""

from collections.abc import Iterator
from typing import Any

from incremental import Read
from logical_flow.addresses import solicited_node
from logical_flow.template import LogicalFlow, Variants
from translator.derivations.relations import switch_port_towards
from translator.derivations.result import Flows
from translator.features.gateways.relations import (
    GatewayPort,
    gateway_of,
    gateway_ports_of,
    redirect_of,
)
from translator.features.load_balancing.fronts import front_key, may_be_fragmented
from translator.features.load_balancing.relations import (
    Front,
    answered_set,
    answerers_set,
    backends_set,
    front,
    gateways_of_vip,
    held_set,
    router_vips,
)
from translator.features.load_balancing.router_stages import LrInDefrag, LrInLb, LrInNoBackend
from translator.features.nat.places import ports_around
from translator.features.nat.stages import (
    LrInDnat,
    LrInUnsnat,
    LrOutEgressLoop,
    LrOutSnat,
    LrOutUndnat,
    variant,
)
from translator.features.neighbours.stages import LrInArpResolve
from translator.features.router.stages import LrInIpInput
from translator.features.switching.stages import LsInL2Lookup
from translator.inputs import LogicalRouter, LogicalRouterPort


def router_vip_flows(read: Read, placement: tuple[str, str]) -> Flows | None:
    """The flows of a virtual address on a router.

    Where it has no gateway it only answers for the address, as switches balance.

    >>> from incremental import RecordedFacts
    >>> router = LogicalRouter("r", "r", True, 1, "hv1")
    >>> facts = RecordedFacts({
    ...     LogicalRouter: {"r": router},
    ...     front: {"v": Front(bytes([192, 0, 2, 80]), 80, "tcp", True)},
    ... })
    >>> for flow in router_vip_flows(facts, ("r", "v")).flows:
    ...     print(str(flow).partition(", ")[2])
    priority=100, match=(ip4.dst == 192.0.2.80), action=(reg9[10] = 1; ct_dnat;)
    priority=120, match=(reg9[10] == 1 && ct.new && !ct.rel && ip4.dst == 192.0.2.80 \
&& tcp.dst == 80), action=(ct_lb("&v");)
    """
    router, vip = placement
    address = read(front, vip)
    row = read(LogicalRouter, router)
    if address is None or row is None:
        return None
    flows = tuple(_vip_flows(read, row, vip, address)) if row.enabled else ()
    return Flows(router, "load_balancer_vip", vip, flows)


def asked_ports(read: Read, placement: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """The router ports that answer for a virtual address, each with it."""
    router, vip = placement
    address = read(front, vip)
    if address is None or address.neighbor_responder == "none":
        return ()
    if isinstance(address.address, str):
        return ()
    ports = ports_around(read, router, address.address)
    return tuple((port.id, vip) for port in ports if not _is_own(port, address))


def vips_asked_for(_key: object, asked: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, str]]:
    """Router port -> the virtual addresses that it answers for."""
    yield from asked


def asked_vip_flows(read: Read, asked: tuple[str, str]) -> Flows | None:
    """The flows by which a switch gives questions for a virtual address to its router."""
    lrp, vip = asked
    address, port = read(front, vip), read(LogicalRouterPort, lrp)
    if address is None or port is None or isinstance(address.address, str):
        return None
    leading = switch_port_towards(read, port)
    if leading is None or not leading.enabled:
        return None
    flow = _question_flow(address.address, leading.name)
    return Flows(leading.switch, "load_balancer_vip", vip, (flow,))


def router_balancing_flows(read: Read, router: str) -> Iterator[LogicalFlow]:
    """Yield the flows that a router with a gateway has for all of its virtual addresses."""
    if not read.any(router_vips, router):
        return
    pinned = bool(gateway_of(read, router))
    if not pinned and not gateway_ports_of(read, router):
        return
    yield LrInDnat.balanced_ping4()
    yield LrInDnat.balanced_ping6()
    yield LrInDnat.unbalanced()
    if pinned:
        yield LrOutUndnat.router_balanced()
        yield from _source_flows(read, router)


def _source_flows(read: Read, router: str) -> Iterator[LogicalFlow]:
    """Yield the flows that put sources in place of clients', or keep these, on a gateway router."""
    yield LrInLb.skipped()
    yield LrOutSnat.skipped()
    row = read(LogicalRouter, router)
    if row is None or not (row.forced_sources or row.forces_own_source):
        return
    yield LrInLb.forced()
    for ip in row.forced_sources:
        yield (LrOutSnat.forced4 if len(ip) == 4 else LrOutSnat.forced6)(external=ip)
        yield LrInUnsnat.reply[variant("router", len(ip) == 4)](external=ip)
        around = tuple(ports_around(read, router, ip))
        if not any(network.ip == ip for port in around for network in port.networks):
            yield from answer_flows(ip, around, ())


def own_source_flows(read: Read, port: LogicalRouterPort) -> Iterator[LogicalFlow]:
    """Yield the flows by which what is balanced leaves through a port with the port's address."""
    row = read(LogicalRouter, port.router)
    if row is None or not row.forces_own_source or not read.any(router_vips, port.router):
        return
    for network in port.networks4[:1]:
        yield LrOutSnat.forced_at4(port=port.name, external=network.ip)
    for network in port.networks6[:1]:
        yield LrOutSnat.forced_at6(port=port.name, external=network.ip)
    for network in (*port.networks4[:1], *port.networks6[:1]):
        is_ip4 = len(network.ip) == 4
        yield LrInUnsnat.reply[variant("router", is_ip4)](external=network.ip)


def forced_sources(read: Read, port: LogicalRouterPort) -> frozenset[bytes]:
    """Return the addresses of a port that backends see as the source of what is balanced."""
    row = read(LogicalRouter, port.router)
    if row is None or not read.any(router_vips, port.router):
        return frozenset()
    if row.forces_own_source or redirect_of(port):
        return frozenset(each.ip for each in (*port.networks4[:1], *port.networks6[:1]))
    return frozenset(row.forced_sources)


def answering_flows(read: Read, port: LogicalRouterPort) -> Iterator[LogicalFlow]:
    """Yield the flows by which a port answers who asks for virtual addresses in its networks.

    A gateway port answers on the chassis that is in charge of it.
    """
    if not read.any(vips_asked_for, port.id):
        return
    redirect = redirect_of(port)
    for family, template, resident in (
        (4, LrInIpInput.balanced_arp, LrInIpInput.balanced_arp_resident),
        (6, LrInIpInput.balanced_nd, LrInIpInput.balanced_nd_resident),
    ):
        asked = {"port": port.name, "ips": answered_set(port.id, family)}
        yield resident(**asked, redirect=redirect) if redirect else template(**asked)


def gateway_balancing_flows(read: Read, port: LogicalRouterPort) -> Iterator[LogicalFlow]:
    """Yield the flows that give replies of backends their virtual address at a gateway port.

    What leaves for an address of the port itself comes in again, from the port's own address: who
    is inside reaches virtual addresses as from outside, and replies come back to the gateway.
    """
    redirect = redirect_of(port)
    if not redirect or not read.any(router_vips, port.router):
        return
    at: dict[str, Any] = {"port": port.name, "redirect": redirect}
    yield LrOutEgressLoop.to_itself(mac=port.mac, **at)
    for network in (*port.networks4[:1], *port.networks6[:1]):
        is_ip4, ip = len(network.ip) == 4, network.ip
        again = LrOutSnat.inside4 if is_ip4 else LrOutSnat.inside6
        yield again(mac=port.mac, external=ip, **at)
        yield LrInUnsnat.reply[variant("gateway", is_ip4)](external=ip, **at)
        yield _resolving_flow(port, ip)
    for family, resolve in ((4, LrInArpResolve.balanced4), (6, LrInArpResolve.balanced6)):
        yield resolve(port=port.name, ips=held_set(port.id, family), mac=port.mac)
    for family, template in (
        (4, LrOutUndnat.gateway_balanced4),
        (6, LrOutUndnat.gateway_balanced6),
    ):
        backends = answerers_set(port.router, family)
        yield template(port=port.name, redirect=redirect, backends=backends)


def _vip_flows(
    read: Read, router: LogicalRouter, vip: str, address: Front
) -> Iterator[LogicalFlow]:
    is_ip4, ip = address.family == 4, address.address
    around = () if isinstance(ip, str) else tuple(ports_around(read, router.id, ip))
    gateways = gateway_ports_of(read, router.id)
    if router.chassis:
        yield (LrInDefrag.router4 if is_ip4 else LrInDefrag.router6)(vip=address.address)
        place = "router"
        if address.skip_snat:
            place = "router_skip"
        elif _forces(router, address):
            place = "router_force"
        yield from _balancing_flows(place, vip, address)
    for gateway in gateways_of_vip(read, router.id, address.address):
        holes = {"redirect": gateway.redirect}
        look_up = LrInDefrag.gateway4 if is_ip4 else LrInDefrag.gateway6
        yield look_up(vip=address.address, port=gateway.port.name, **holes)
        yield from _balancing_flows("gateway", vip, address, holes)
    is_own = any(_is_own(port, address) for port in around)
    if address.neighbor_responder == "all" and not is_own:
        if isinstance(ip, str):
            yield from _answers_for_variable(ip, address.family, gateways)
        else:
            yield from _answers_elsewhere(ip, around, gateways)


def _forces(router: LogicalRouter, address: Front) -> bool:
    """Tell whether backends see an address of the router instead of who asks."""
    is_ip4 = address.family == 4
    forced = router.forced_sources
    return router.forces_own_source or any((len(ip) == 4) is is_ip4 for ip in forced)


def _resolving_flow(port: LogicalRouterPort, ip: bytes) -> LogicalFlow:
    """Return the flow by which the next hop of an address at a port is the port itself."""
    resolve = LrInArpResolve.static4 if len(ip) == 4 else LrInArpResolve.static6
    return resolve(port=port.name, ip=ip, mac=port.mac)


def _balancing_flows(
    place: str, vip: str, address: Front, holes: dict[str, str] | None = None
) -> Iterator[LogicalFlow]:
    """Yield the flow that gives connections to backends, and that for when there may be none.

    The first is there without backends, too: agents end connections in datapaths that name the set.
    """
    matched: dict[str, Any] = {"vip": address.address, **(holes or {})}
    if address.port is not None:
        matched["port"] = address.port
    arguments = {**matched, "backends": backends_set(vip)}
    name = place
    if address.hash_fields:
        name += "_by"
        arguments["hash_fields"] = address.hash_fields.encode()
    balancing: Variants = getattr(LrInLb, name)
    yield balancing[front_key(address)](**arguments)
    if address.has_backends and may_be_fragmented(address):
        of_fragments: Variants = getattr(LrInLb, f"{place}_fragment")
        yield of_fragments[front_key(address)](**matched, backends=backends_set(vip))
    if address.may_lack_backends:
        name = place.partition("_")[0] + ("_reject" if address.rejects else "_drop")
        if address.is_checked and address.has_backends:
            name += "_down"
        ending: Variants = getattr(LrInNoBackend, name)
        yield ending[front_key(address)](**matched)


def answer_flows(
    ip: bytes, around: tuple[LogicalRouterPort, ...], gateways: tuple[GatewayPort, ...]
) -> Iterator[LogicalFlow]:
    """Yield the flows by which ports around an address that is no port's own answer for it.

    A gateway port answers on the chassis that is in charge of it.
    """
    is_ip4 = len(ip) == 4
    resident = LrInIpInput.translated_arp_resident if is_ip4 else LrInIpInput.translated_nd_resident
    for gateway in gateways:
        if gateway.port in around:
            yield resident(port=gateway.port.name, redirect=gateway.redirect, **_asked(ip))
    at = LrInIpInput.translated_arp_at if is_ip4 else LrInIpInput.nd
    for port in around:
        if not redirect_of(port):
            yield at(port=port.name, **_asked(ip))


def _answers_elsewhere(
    ip: bytes, around: tuple[LogicalRouterPort, ...], gateways: tuple[GatewayPort, ...]
) -> Iterator[LogicalFlow]:
    """Yield the flows that answer who asks for an address where it is in no network.

    A gateway port answers on the chassis that is in charge of it.
    """
    is_ip4 = len(ip) == 4
    resident = LrInIpInput.translated_arp_resident if is_ip4 else LrInIpInput.translated_nd_resident
    for gateway in gateways:
        if gateway.port not in around:
            yield resident(port=gateway.port.name, redirect=gateway.redirect, **_asked(ip))
    if not gateways:
        yield (LrInIpInput.translated_arp if is_ip4 else LrInIpInput.translated_nd)(**_asked(ip))


def _answers_for_variable(
    variable: str, family: int, gateways: tuple[GatewayPort, ...]
) -> Iterator[LogicalFlow]:
    """Yield the flows that answer who asks for what a variable is on the chassis where he asks.

    A gateway port answers on the chassis that is in charge of it. The group of an address of IPv6
    would be another variable, and isn't asked for.
    """
    arp, nd = LrInIpInput.translated_arp_resident, LrInIpInput.variable_nd_resident
    resident = arp if family == 4 else nd
    for gateway in gateways:
        yield resident(port=gateway.port.name, redirect=gateway.redirect, ip=variable)
    if not gateways:
        yield (LrInIpInput.translated_arp if family == 4 else LrInIpInput.variable_nd)(ip=variable)


def _asked(ip: bytes) -> dict[str, Any]:
    return {"ip": ip} if len(ip) == 4 else {"ip": ip, "group": solicited_node(ip)}


def _question_flow(ip: bytes, port: str) -> LogicalFlow:
    if len(ip) == 4:
        return LsInL2Lookup.external_arp(ip=ip, port=port)
    return LsInL2Lookup.external_nd(ip=ip, group=solicited_node(ip), port=port)


def _is_own(port: LogicalRouterPort, address: Front) -> bool:
    return any(network.ip == address.address for network in port.networks)
