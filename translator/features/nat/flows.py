"""The flows of a NAT: what comes in and what leaves, and who answers for its address."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from incremental import Read
from logical_flow.addresses import solicited_node
from logical_flow.template import LogicalFlow, Template, Variants
from translator.derivations.relations import switch_port_towards
from translator.derivations.result import Flows
from translator.features.acl.flows import matches_of
from translator.features.gateways.stages import LrInGwRedirect
from translator.features.nat.places import (
    Place,
    is_on_provider_network,
    place_of,
    ports_around,
)
from translator.features.nat.relations import is_translated
from translator.features.nat.rows import TABLE, Nat
from translator.features.nat.stages import (
    LrInDnat,
    LrInUnsnat,
    LrInWholeErrors,
    LrOutEgressLoop,
    LrOutPostSnat,
    LrOutSnat,
    LrOutUndnat,
    variant,
)
from translator.features.neighbours.stages import LrInArpResolve
from translator.features.path_mtu.flows import is_limited_beyond
from translator.features.path_mtu.stages import LrInTooBig
from translator.features.router.stages import LrInAdmission, LrInIpInput
from translator.features.switching.stages import LsInL2Lookup
from translator.inputs import AddressSet, LogicalRouter, LogicalRouterPort


def nat_flows(read: Read, nat_id: str) -> Flows | None:
    """The flows of a NAT on its router; none without a gateway, where the outside would begin.

    >>> from incremental import RecordedFacts
    >>> from translator.addresses import interface, ip_bytes
    >>> nat = Nat("n", "r", "dnat_and_snat", ip_bytes("192.0.2.7"), interface("10.0.0.7"),
    ...     None, "", b"", "", False)
    >>> router = LogicalRouter("r", "r", True, 1, "hv1")
    >>> facts = RecordedFacts({Nat: {"n": nat}, LogicalRouter: {"r": router}})
    >>> for flow in nat_flows(facts, "n").flows:
    ...     print(str(flow).partition(", ")[2])
    priority=90, match=(arp.op == 1 && arp.tpa == 192.0.2.7), action=(eth.dst = eth.src; \
eth.src = xreg0[0..47]; arp.op = 2; arp.tha = arp.sha; arp.sha = xreg0[0..47]; \
arp.tpa <-> arp.spa; outport = inport; flags.loopback = 1; output;)
    priority=100, match=(ip4.dst == 192.0.2.7), action=(ct_dnat(10.0.0.7);)
    priority=66, match=(ip4.src == 10.0.0.7), action=(reg9[0] = 1; ct_snat(192.0.2.7, zone=dnat);)
    """
    nat = read(Nat, nat_id)
    router = None if nat is None else read(LogicalRouter, nat.router)
    if nat is None or router is None:
        return None
    place = place_of(read, nat) if router.enabled else None
    flows = () if place is None else tuple(_flows(read, nat, place))
    return Flows(nat.router, TABLE.name, nat_id, flows)


def nat_switch_flows(read: Read, nat_id: str) -> Flows | None:
    """The flows of a NAT on the switch at which its address is: who asks for it, asks the router.

    Routers that ask are heard by no other router but for this.
    """
    nat = read(Nat, nat_id)
    place = None if nat is None else place_of(read, nat)
    if nat is None or place is None:
        return None
    ports = [place.port] if place.port else ports_around(read, nat.router, nat.external_ip)
    for port in ports:
        leading = switch_port_towards(read, port)
        if leading is not None and leading.enabled:
            flows = tuple(_asked(nat, place, leading.name))
            return Flows(leading.switch, TABLE.name, nat_id, flows)
    return None


def _asked(nat: Nat, place: Place, port: str) -> Iterator[LogicalFlow]:
    asked: dict[str, Any] = {"ip": nat.external_ip, "port": port}
    if not nat.is_ip4:
        asked["group"] = solicited_node(nat.external_ip)
    if place.name != "local":
        yield (LsInL2Lookup.external_arp if nat.is_ip4 else LsInL2Lookup.external_nd)(**asked)
        return
    here = {"logical_port": place.outgoing["logical_port"]}
    ask = LsInL2Lookup.external_arp_here if nat.is_ip4 else LsInL2Lookup.external_nd_here
    yield ask(**asked, **here)
    yield LsInL2Lookup.floating(mac=nat.external_mac, port=port, **here)


def translating_flows() -> Iterator[LogicalFlow]:
    """Yield the flows of a router that translates connections, wherever it does."""
    yield LrInWholeErrors.error4()
    yield LrInWholeErrors.error6()
    yield LrOutPostSnat.as_it_was()


def gateway_router_error_flows() -> Iterator[LogicalFlow]:
    """Yield the flows that translate errors of those who are no end of a connection."""
    for error in (LrOutUndnat.error, LrOutSnat.error):
        for is_ip4 in (True, False):
            yield error[variant("router", is_ip4)]()


def forced_flows(read: Read, router: str) -> Iterator[LogicalFlow]:
    """Yield the flows by which a gateway router has replies come back to itself."""
    row = read(LogicalRouter, router)
    for ip in () if row is None else row.dnat_sources:
        reply, source = LrInUnsnat.dnat_forced4, LrOutSnat.dnat_forced4
        if len(ip) != 4:
            reply, source = LrInUnsnat.dnat_forced6, LrOutSnat.dnat_forced6
        yield reply(ip=ip)
        yield source(ip=ip)


def gateway_port_error_flows(port: str, redirect: str) -> Iterator[LogicalFlow]:
    """Yield the same flows for a gateway port."""
    for error in (LrOutUndnat.error, LrOutSnat.error):
        for is_ip4 in (True, False):
            yield error[variant("gateway", is_ip4)](port=port, redirect=redirect)


def expired_elsewhere_flows(read: Read, port: LogicalRouterPort) -> Iterator[LogicalFlow]:
    """Yield the flows by which a gateway port hears of itself from where floating IPs are."""
    if not is_on_provider_network(read, port):
        return
    for network in (*port.networks4, *port.networks6):
        stage = LrInIpInput
        expired = stage.expired_elsewhere4 if len(network.ip) == 4 else stage.expired_elsewhere6
        yield expired(port=port.name, own=network.ip)


def _flows(read: Read, nat: Nat, place: Place) -> Iterator[LogicalFlow]:
    ports = tuple(ports_around(read, nat.router, nat.external_ip))
    is_own = any(network.ip == nat.external_ip for port in ports for network in port.networks)
    if not is_own:
        yield from _answers(nat, place, ports)
    if place.port is not None:
        yield from _way_back(read, nat, place, place.port)
    yield from _incoming(read, nat, place)
    if not is_own and (nat.allowed or nat.exempted or nat.match or not nat.incoming):
        yield _for(LrInDnat.nowhere, nat, place)(external=nat.external_ip, **place.incoming)
    yield from _outgoing(read, nat, place)
    if _makes_errors(nat, place) and is_limited_beyond(read, nat.router, place.port):
        yield from _too_big(nat, place)


def _makes_errors(nat: Nat, place: Place) -> bool:
    """Whether errors about what is too big inside are a floating IP's own as they are made.

    The chassis in charge could not translate them for lack of a connection. Of IPv6 it could, but
    Open vSwitch's own datapath spoils the error as it does.
    """
    if nat.stateless or place.name == "local":
        return True
    is_floating = nat.type == "dnat_and_snat" and nat.ports is None
    return is_floating and not nat.is_ip4 and place.name == "gateway"


def _too_big(nat: Nat, place: Place) -> Iterator[LogicalFlow]:
    """Yield the flows by which such errors come from a floating IP, and leave as they are."""
    external = nat.external_ip
    error = _for(LrInTooBig.floating, nat, place)
    yield error(logical=nat.logical.ip, external=external, **place.incoming)
    if place.name == "local":
        leave = LrInGwRedirect.floating4 if nat.is_ip4 else LrInGwRedirect.floating6
        yield leave(logical=external, external=external, **place.outgoing)
    if place.name != "router":
        as_it_is = _for(LrOutUndnat.translated_error, nat, place)
        yield as_it_is(external=external, **place.incoming)


def _incoming(read: Read, nat: Nat, place: Place) -> Iterator[LogicalFlow]:
    """Yield the flows for what comes in: replies to translated sources, and for what is behind."""
    external, holes = nat.external_ip, place.incoming
    if nat.type == "snat":
        yield _for(LrInUnsnat.reply, nat, place)(external=external, **holes)
    if not nat.incoming:
        return
    to: dict[str, Any] = {"external": external, "logical": nat.logical.ip, **holes}
    if nat.stateless:
        yield _for(LrInDnat.to_stateless, nat, place)(**to)
        yield _for(LrInDnat.error_stateless, nat, place)(**to)
        return
    outside = _outside(read, nat, "src")
    place_of_destinations = place
    if place.name == "router" and _is_forced(read, nat):
        place_of_destinations = place._replace(name="forced")
    template = _for(_kind(_DESTINATIONS, nat, outside), nat, place_of_destinations)
    yield template(**to, **_ports(nat), **outside.allowed)
    if outside.exempted:
        apart = _for(LrInDnat.to_except, nat, place)
        yield apart(external=external, **outside.exempted, **holes)


def _outgoing(read: Read, nat: Nat, place: Place) -> Iterator[LogicalFlow]:
    """Yield the flows for what leaves: replies of what is behind, and translated sources."""
    external, holes = nat.external_ip, place.outgoing
    if nat.stateless:
        for reply in (LrOutUndnat.reply_stateless, LrOutUndnat.error_stateless):
            template = _for(reply, nat, place)
            yield template(external=external, logical=nat.logical.ip, **holes)
        return
    if not nat.outgoing:
        yield _for(LrOutUndnat.reply, nat, place)(logical=nat.logical.ip, **holes)
        return
    outside = _outside(read, nat, "dst")
    source: dict[str, Any] = {"plen": nat.logical.plen, "logical": nat.logical.network}
    if nat.match:
        del source["plen"]
    to = _for(_kind(_FLOATING if nat.incoming else _SOURCES, nat, outside), nat, place)
    yield to(external=external, **source, **_ports(nat), **outside.allowed, **holes)
    if outside.exempted:
        apart = _for(LrOutSnat.to_except, nat, place)
        yield apart(**source, **outside.exempted, **place.incoming)


def _way_back(read: Read, nat: Nat, place: Place, port: LogicalRouterPort) -> Iterator[LogicalFlow]:
    """Yield the flows by which packets from inside for the external address come in again.

    Those of a floating IP of a port on this chassis leave here.
    """
    external = nat.external_ip
    mac = nat.external_mac or port.mac
    resolve = LrInArpResolve.static4 if nat.is_ip4 else LrInArpResolve.static6
    yield resolve(port=port.name, ip=external, mac=mac)
    yield _for(LrOutEgressLoop.again, nat, place)(external=external, **place.incoming)
    if nat.type == "snat":
        yield _for(LrOutSnat.error_for_itself, nat, place)(external=external, **place.incoming)
    if place.name == "local" and port.enabled:
        holes = place.incoming
        yield LrInAdmission.floating(external_mac=nat.external_mac, mac=port.mac, **holes)
        leave = LrInGwRedirect.floating4 if nat.is_ip4 else LrInGwRedirect.floating6
        yield leave(logical=nat.logical.ip, external=external, **place.outgoing)
        for network in port.networks4 if nat.is_ip4 else port.networks6:
            if is_translated(read, nat.router, network.ip):
                comes = LrInIpInput.translated_source4
                if not nat.is_ip4:
                    comes = LrInIpInput.translated_source6
                yield comes(own=network.ip, external=external, **holes)


def _for(templates: Variants, nat: Nat, place: Place) -> Template:
    """Return the template for a NAT: for its place and its family."""
    return templates[variant(place.name, nat.is_ip4)]


_DESTINATIONS: Final = {
    ("", False): LrInDnat.to,
    ("if", False): LrInDnat.to_if,
    ("matching", False): LrInDnat.to_matching,
    ("", True): LrInDnat.to_ports,
    ("if", True): LrInDnat.to_ports_if,
    ("matching", True): LrInDnat.to_ports_matching,
}
_SOURCES: Final = {
    ("", False): LrOutSnat.to,
    ("if", False): LrOutSnat.to_if,
    ("matching", False): LrOutSnat.to_matching,
    ("", True): LrOutSnat.to_ports,
    ("if", True): LrOutSnat.to_ports_if,
    ("matching", True): LrOutSnat.to_ports_matching,
}
_FLOATING: Final = {
    ("", False): LrOutSnat.floating,
    ("if", False): LrOutSnat.floating_if,
    ("", True): LrOutSnat.floating_ports,
    ("if", True): LrOutSnat.floating_ports_if,
}
"""By whether packets have to fit something, and whether there is a range of ports."""


def _kind(
    templates: Mapping[tuple[str, bool], Variants], nat: Nat, outside: "_Outside"
) -> Variants:
    when = "matching" if nat.match else "if" if outside.allowed else ""
    return templates[when, nat.ports is not None]


def _is_forced(read: Read, nat: Nat) -> bool:
    router = read(LogicalRouter, nat.router)
    return router is not None and any(len(ip) == len(nat.external_ip) for ip in router.dnat_sources)


class _Outside(NamedTuple):
    """For which packets a NAT is, and for which not, as templates want it; empty for all.

    With a match that comes with its priority.
    """

    allowed: Mapping[str, Any]
    exempted: Mapping[str, Any]


def _outside(read: Read, nat: Nat, side: str) -> _Outside:
    """Return for whom a NAT is; `side` is that of packets on which they are: `src` or `dst`."""
    field = f"ip{4 if nat.is_ip4 else 6}.{side}"

    def within(set_id: str) -> str:
        named = read(AddressSet, set_id) if set_id else None
        return "" if named is None else f"{field} == ${named.name}"

    allowed = within(nat.allowed)
    exempted = within(nat.exempted)
    apart: Mapping[str, Any] = {"condition": exempted} if exempted else {}
    if not nat.match:
        return _Outside({"condition": allowed} if allowed else {}, apart)
    match, _ = matches_of(nat.match)
    condition = f"({match}) && {allowed}" if allowed else match
    return _Outside({"condition": condition, "priority": nat.priority}, apart)


def _ports(nat: Nat) -> dict[str, Any]:
    if nat.ports is None:
        return {}
    return {"first_port": nat.ports[0], "last_port": nat.ports[1]}


def _answers(nat: Nat, place: Place, ports: Sequence[LogicalRouterPort]) -> Iterator[LogicalFlow]:
    """Yield the flows that answer for an external address which is no port's own.

    A gateway router answers at the ports in whose networks it is, and for one that is routed
    to everyone. A gateway port answers on the chassis where packets for it are translated.
    """
    ip = nat.external_ip
    asked: dict[str, Any] = {"ip": ip} if nat.is_ip4 else {"ip": ip, "group": solicited_node(ip)}
    by = "arp" if nat.is_ip4 else "nd"
    if place.name == "router":
        at: Template = getattr(LrInIpInput, "translated_arp_at" if nat.is_ip4 else "nd")
        for port in ports:
            yield at(port=port.name, **asked)
        if not ports:
            everywhere: Template = getattr(LrInIpInput, f"translated_{by}")
            yield everywhere(**asked)
        return
    kind = "local" if place.name == "local" else "resident"
    answer: Template = getattr(LrInIpInput, f"translated_{by}_{kind}")
    yield answer(**asked, **(place.outgoing if kind == "local" else place.incoming))
