"""Where routers with gateways, NAT or load balancers differ from OVN's on purpose.

Entries of :mod:`intended`, which says what they are.
"""

from collections.abc import Iterator

from logical_flow.addresses import link_local
from logical_flow.template import LogicalFlow
from tests.differential.network.outside import is_gateway, is_gateway_port
from tests.differential.network.topologies import Document
from tests.differential.network.undoing import (
    Difference,
    Flows,
    origin,
    reworded,
    saying,
    undo_all,
    where,
    without,
)
from translator.addresses import ip_bytes, mac_bytes
from translator.features.load_balancing.router_stages import LrInDefrag
from translator.features.nat.stages import (
    LrInDnat,
    LrInUnsnat,
    LrOutEgressLoop,
    LrOutSnat,
    LrOutUndnat,
)
from translator.features.neighbours.stages import LrInArpResolve
from translator.features.router.stages import LrInAgain, LrInIpInput
from translator.features.switching.stages import LsInL2Lookup

_PROTOCOLS = ("udp", "tcp", "sctp", "protocol")
_REFUSALS = {
    template.id
    for template in (
        *(
            getattr(LrInIpInput, f"{protocol}{family}")
            for protocol in _PROTOCOLS
            for family in ("4", "6", "6_link_local")
        ),
        *(
            template
            for protocol in _PROTOCOLS
            for template in getattr(LrInDnat, f"own_{protocol}").values()
        ),
    )
}


def _gateways_silent(document: Document, flows: Flows) -> Flows:
    """Routers with gateways refuse nothing that is for their own addresses."""
    ports = [
        port
        for router in document["logical_routers"].values()
        if is_gateway(router)
        for port in router["ports"].values()
    ]
    ips = {ip_bytes(text.partition("/")[0]) for port in ports for text in port["networks"]}
    ips |= {link_local(mac_bytes(port["mac"])) for port in ports}
    return [
        flow for flow in flows if not (origin(flow) in _REFUSALS and flow.named_args["ip"] in ips)
    ]


def _expiry_told_as_destination(document: Document, flows: Flows) -> Flows:
    """That a TTL is over is told by a gateway port as if from the packet's destination.

    If the router has taken the packet in again, it goes to whom that was about to be sent.
    """
    ports = {
        name
        for router in document["logical_routers"].values()
        for name, port in router["ports"].items()
        if is_gateway_port(port)
    }
    as_destination = undo_all(
        reworded(
            "ip4.dst = ip4.src; ip4.src = {ip:ip4};",
            "ip4.dst <-> ip4.src;",
            LrInIpInput.expired4,
            LrInIpInput.expired4_from,
            LrInAgain.expired4,
            LrInAgain.expired4_from,
        ),
        reworded(
            "ip6.dst = ip6.src; ip6.src = {ip:ip6};",
            "ip6.dst <-> ip6.src;",
            LrInIpInput.expired6,
            LrInIpInput.expired6_from,
            LrInAgain.expired6,
            LrInAgain.expired6_from,
        ),
        reworded("eth.dst <-> eth.src; ", "", *_AGAIN),
        reworded(
            "flags.loopback = 1; next(lr_in_unsnat);",
            "outport = inport; flags.loopback = 1; output;",
            *_AGAIN,
        ),
    )
    at_gateways = where(lambda flow: flow.named_args.get("port") in ports, as_destination)
    return at_gateways(document, flows)


_AGAIN = (
    LrInAgain.expired4,
    LrInAgain.expired4_from,
    LrInAgain.expired6,
    LrInAgain.expired6_from,
)


def _requests_flooded(document: Document, flows: Flows) -> Flows:
    """Who asks for an external address is heard by all of its switch.

    Unless it is one of sources alone, so is who asks for it by unicast. If it is a NAT's, it is
    like that on all switches of the router.
    """
    sources, translated = _external_sources(document), _translated_back(document)
    by_unicast = where(
        lambda flow: origin(flow) in _ASKED and flow.named_args["ip"] not in sources,
        _HEARD_IF_UNICAST,
    )
    heard = list(undo_all(_HEARD, by_unicast)(document, flows))
    for flow in flows:
        if flow.template is LsInL2Lookup.unicast:
            port = str(flow.named_args["port"])
            heard.extend(
                (_heard4 if len(ip) == 4 else _heard6)(ip=ip, port=port)
                for ip in translated.get(port, ())
            )
    return heard


def _external_sources(document: Document) -> set[bytes]:
    """The external addresses that are put in place of sources only, and are no router's own."""
    nats = [
        nat for router in document["logical_routers"].values() for nat in router.get("nats", ())
    ]
    sources = {nat["external_ip"] for nat in nats if nat["type"] == "snat"}
    back = {nat["external_ip"] for nat in nats if nat["type"] != "snat"}
    back |= {
        network.partition("/")[0]
        for router in document["logical_routers"].values()
        for port in router["ports"].values()
        for network in port["networks"]
    }
    balancers = document.get("load_balancers", {}).values()
    back |= {vip["address"] for balancer in balancers for vip in balancer["vips"]}
    return {ip_bytes(ip) for ip in sources - back}


def _translated_back(document: Document) -> dict[str, list[bytes]]:
    """The addresses that NATs put others in place of, by the switch ports towards their routers."""
    routers = {
        port: router for router in document["logical_routers"].values() for port in router["ports"]
    }
    return {
        name: [
            ip_bytes(nat["external_ip"])
            for nat in routers[port["router_port"]].get("nats", ())
            if nat["type"] != "snat"
        ]
        for switch in document["logical_switches"].values()
        for name, port in switch["ports"].items()
        if port.get("type") == "router"
    }


_ASKED = {LsInL2Lookup.external_arp.id, LsInL2Lookup.external_arp_here.id}
_BY_ALL = 'clone { outport = {port:lport}; output; }; outport = "_MC_flood_l2"; output;'
_HEARD = reworded(
    "outport = {port:lport}; output;",
    _BY_ALL,
    LsInL2Lookup.external_arp,
    LsInL2Lookup.external_arp_here,
    LsInL2Lookup.external_nd,
    LsInL2Lookup.external_nd_here,
)
_HEARD_IF_UNICAST = reworded(
    "eth.mcast && arp", "arp", LsInL2Lookup.external_arp, LsInL2Lookup.external_arp_here
)
_heard4 = saying(LsInL2Lookup.external_arp, "arp.op == 1 && arp.tpa == {ip:ip4}", _BY_ALL)
_heard6 = saying(LsInL2Lookup.external_nd, "nd_ns && nd.target == {ip:ip6}", _BY_ALL)


def _external_answered_everywhere(document: Document, flows: Flows) -> Flows:
    """A router with a gateway answers for external addresses at all of its ports."""
    ips = {ip_bytes(text) for text in _external_addresses(document)}
    added: list[LogicalFlow] = []
    for flow in flows:
        everywhere = _EVERYWHERE.get(origin(flow))
        values = flow.named_args
        if everywhere is not None and values["ip"] in ips:
            holes = {hole.name: values[hole.name] for hole in everywhere.arguments}
            added.append(everywhere(**holes))
    return [*_VIPS_EVERYWHERE(document, flows), *added]


def _external_addresses(document: Document) -> Iterator[str]:
    for router in document["logical_routers"].values():
        yield from (nat["external_ip"] for nat in router.get("nats", ()))
        yield from router.get("lb_force_snat_ips", ())
        yield from router.get("dnat_force_snat_ips", ())
    for balancer in document.get("load_balancers", {}).values():
        yield from (vip["address"] for vip in balancer["vips"] if balancer.get("routers"))


_VIPS_EVERYWHERE = reworded(
    "inport == {port:lport} && ",
    "",
    LrInIpInput.balanced_arp,
    LrInIpInput.balanced_arp_resident,
    LrInIpInput.balanced_nd,
    LrInIpInput.balanced_nd_resident,
)
_EVERYWHERE = {
    LrInIpInput.arp.id: LrInIpInput.translated_arp,
    LrInIpInput.translated_arp_at.id: LrInIpInput.translated_arp,
    LrInIpInput.translated_arp_resident.id: LrInIpInput.translated_arp,
    LrInIpInput.translated_arp_local.id: LrInIpInput.translated_arp,
    LrInIpInput.nd.id: LrInIpInput.translated_nd,
    LrInIpInput.translated_nd_resident.id: LrInIpInput.translated_nd,
    LrInIpInput.translated_nd_local.id: LrInIpInput.translated_nd,
}


def _external_sources_pass(document: Document, flows: Flows) -> Flows:
    """What comes in at a gateway port from the external address of a NAT passes as it is."""
    loops = {template.id for template in LrOutEgressLoop.again.values()}
    added: list[LogicalFlow] = []
    for flow in flows:
        if origin(flow) in loops:
            values = flow.named_args
            passing = _passing4 if len(values["external"]) == 4 else _passing6
            added.append(passing(port=values["port"], ip=values["external"]))
    return [*flows, *added]


_passing4 = saying(
    LrInIpInput.translated_source4, "inport == {port:lport} && ip4.src == {ip:ip4}", "next;"
)
_passing6 = saying(
    LrInIpInput.translated_source6, "inport == {port:lport} && ip6.src == {ip:ip6}", "next;"
)


_UNSPECIFIC = (LrOutSnat.to["router4"], LrOutSnat.to["router6"])


def _replies_keep_their_source(document: Document, flows: Flows) -> Flows:
    """On gateway routers all is looked up as it leaves, and replies aren't translated."""
    if all(flow.template not in _UNSPECIFIC for flow in flows):
        return flows
    four, six = _UNSPECIFIC
    keeping = undo_all(
        reworded("ip4.src == {logical:cidr4}", "ip4.src == {logical:cidr4} && !ct.rpl", four),
        reworded("ip6.src == {logical:cidr6}", "ip6.src == {logical:cidr6} && !ct.rpl", six),
    )
    return [*keeping(document, flows), LrOutUndnat.router_balanced()]


def _balanced_in_charge(document: Document, flows: Flows) -> Flows:
    """Virtual addresses at a gateway port are balanced on the chassis in charge alone, for all."""
    return _unresolved(document, _balanced_inside(document, flows))


def _unresolved(document: Document, flows: Flows) -> Flows:
    """Of a gateway port only who is outside reaches virtual addresses at it."""
    inside = {template.id for template in (LrOutSnat.inside4, LrOutSnat.inside6)}
    own = {
        (flow.named_args["port"], flow.named_args["external"])
        for flow in flows
        if origin(flow) in inside
    }
    return [
        flow
        for flow in without(*_FROM_INSIDE)(document, flows)
        if not (
            (flow.template in _RESOLVED and _at(flow, "ip") in own)
            or (flow.template in _REPLIES and _at(flow, "external") in own)
        )
    ]


def _balanced_inside(document: Document, flows: Flows) -> list[LogicalFlow]:
    """What is for a virtual address is balanced by whichever port it comes in, or goes on."""
    added: list[LogicalFlow] = []
    for flow in flows:
        look_up = _LOOK_UP_INSIDE.get(origin(flow))
        if look_up is not None:
            added.append(look_up(vip=flow.named_args["vip"]))
    return [*_UNBALANCED_OUTSIDE(document, flows), *added]


def _at(flow: LogicalFlow, address: str) -> tuple[object, object]:
    return flow.named_args["port"], flow.named_args[address]


_FROM_INSIDE = (
    LrInArpResolve.balanced4,
    LrInArpResolve.balanced6,
    LrOutEgressLoop.to_itself,
    LrOutSnat.inside4,
    LrOutSnat.inside6,
)
_LOOK_UP_INSIDE = {
    template.id: saying(
        template,
        f"ip{family}.dst == {{vip:ip{family}}}",
        "reg9[10] = 1; reg9[15] = 1; ct_dnat;",
        priority="90",
    )
    for family, template in ((4, LrInDefrag.gateway4), (6, LrInDefrag.gateway6))
}
_UNBALANCED_OUTSIDE = reworded(
    "reg9[10] == 1 && !ct.dnat",
    "reg9[10] == 1 && reg9[15] == 0 && !ct.dnat",
    LrInDnat.balanced_ping4,
    LrInDnat.balanced_ping6,
    LrInDnat.unbalanced,
)
_RESOLVED = (LrInArpResolve.static4, LrInArpResolve.static6)
_REPLIES = (LrInUnsnat.reply["gateway4"], LrInUnsnat.reply["gateway6"])


FROM_INSIDE = "virtual addresses at a gateway port are reached from inside, too"

GATEWAYS = (
    Difference(
        "gateways refuse, too",
        "Routers with a gateway drop without a word in OVN what is for their own addresses and "
        "isn't answered. Here they refuse it as all others do.",
        _gateways_silent,
    ),
    Difference(
        "an expired TTL is told by the router",
        "At a gateway port OVN's routers say that a TTL is over as if the packet's destination "
        "had said so. Here the address is the router's own (RFC 1812 section 4.3.2.4).",
        _expiry_told_as_destination,
    ),
    Difference(
        "requests for external addresses go to their router",
        "Who asks for the external address of a NAT is heard by all of the switch in OVN, and "
        "by the router, even if he asks the router alone, or on another switch of the router than "
        "that of the address. Here it is the router alone that can answer.",
        _requests_flooded,
    ),
    Difference(
        "external addresses are answered for where they belong",
        "OVN's routers answer requests for the external addresses of their NATs at each of their "
        "ports. Here they do so where the address is in the port's network.",
        _external_answered_everywhere,
    ),
    Difference(
        "external addresses are sources like all others",
        "What comes in at a gateway port from the external address of a NAT passes OVN's router as "
        "it is. Here its TTL ends, too, and if the address is the router's own it is dropped.",
        _external_sources_pass,
    ),
    Difference(
        FROM_INSIDE,
        "Who is inside and asks for a virtual address at a gateway port has his connections "
        "balanced there, as if he were outside, wherever he is. In OVN that is done on the chassis "
        "in charge, and a backend next to him answers past it; elsewhere the router asks outside.",
        _balanced_in_charge,
    ),
    Difference(
        "what is for a virtual address and isn't balanced goes nowhere",
        "For a virtual address OVN's routers ask for a host that has it, where no load balancer "
        "takes a packet. Here it is dropped, unless it is a ping.",
        without(LrInDnat.unbalanced),
    ),
    Difference(
        "ovn-trace: replies to what came in untranslated",
        "OVN's gateway routers leave the source of what the zone of DNAT knows as a reply. To "
        "ovn-trace that is every reply, also of connections that aren't translated.",
        _replies_keep_their_source,
    ),
)

AT_OTHER_CHASSIS = Difference(
    FROM_INSIDE,
    "To ovn-trace all are on the chassis in charge. From another one the router asks outside.",
    _unresolved,
)
"""How it is undone on real switches for who isn't on the chassis in charge."""
