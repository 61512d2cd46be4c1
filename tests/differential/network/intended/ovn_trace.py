"""Where ``ovn-trace`` differs from OVN itself, and from Treadle with it.

Entries of :mod:`intended`, which says what they are.
"""

from collections.abc import Iterator
from itertools import chain

from logical_flow.addresses import link_local
from logical_flow.holes import Argument
from logical_flow.template import LogicalFlow, Template
from tests.differential.network.acls import has_tracking_acls
from tests.differential.network.topologies import Document
from tests.differential.network.treadle import LEFT_OVER
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
from translator.addresses import host, ip_bytes
from translator.features.acl.stages import LsInAclPre, LsOutAclPre, LsOutAclState
from translator.features.dhcp.stages import LsInDhcpOptions
from translator.features.load_balancing.stages import LsInHairpin, LsInHairpinSnat
from translator.features.nat.stages import LrOutSnat, LrOutUndnat
from translator.features.port_security.stages import LsInPortSecIp, LsInPortSecNd, LsOutPortSecIp

_MOST_HOPS = 255
_LEVELS_A_HOP = 4
"""A router's egress, a switch's ingress and egress, and the next router."""

_SECURED_NETWORKS = {
    template.id
    for template in (
        LsInPortSecNd.arp_from,
        LsInPortSecNd.advertisement_of,
        LsInPortSecIp.source4,
        LsInPortSecIp.source6,
        LsOutPortSecIp.destination4,
        LsOutPortSecIp.destination6,
    )
}
_LAST = 0xFF
"""How broadcast addresses end, and no hosts."""


def _hosts_for_networks(_document: Document, flows: Flows) -> Iterator[LogicalFlow]:
    """The first address of a network instead of all of it, and no broadcast address."""
    for flow in flows:
        network = flow.named_args.get("ip")
        if flow.template.id not in _SECURED_NETWORKS or not isinstance(network, bytes):
            yield flow
            continue
        width = len(network) // 2
        host = network[:width] + b"\xff" * width
        if width != 4 or host[3] != _LAST:
            yield LogicalFlow(
                flow.template, tuple(host if arg == network else arg for arg in flow.args)
            )


def _ip4_setup_from_ip6_only(_document: Document, flows: Flows) -> Flows:
    """ARP and DHCP pass from MAC addresses that are secured with IPv6 addresses alone."""
    secured: dict[Template, set[tuple[Argument, Argument]]] = {
        LsInPortSecNd.arp_from: set(),
        LsInPortSecNd.advertisement_of: set(),
    }
    for flow in flows:
        if flow.template in secured:
            secured[flow.template].add((flow.named_args["port"], flow.named_args["mac"]))
    ip6_only = secured[LsInPortSecNd.advertisement_of] - secured[LsInPortSecNd.arp_from]
    return [
        *flows,
        *(LsInPortSecNd.arp(port=port, mac=mac) for port, mac in ip6_only),
        *(LsInPortSecIp.dhcp(port=port, mac=mac) for port, mac in ip6_only),
    ]


def _ip6_link_local_from_ip4_only(_document: Document, flows: Flows) -> Flows:
    """IPv6 passes from link-local addresses of MAC addresses secured with IPv4 addresses alone."""
    secured: dict[Template, set[tuple[bytes, bytes]]] = {
        LsInPortSecNd.arp_from: set(),
        LsInPortSecNd.advertisement_of: set(),
    }
    for flow in flows:
        if flow.template in secured:
            port, mac = flow.named_args["port"], flow.named_args["mac"]
            secured[flow.template].add((port, mac))
    ip4_only = secured[LsInPortSecNd.arp_from] - secured[LsInPortSecNd.advertisement_of]
    added = [
        (
            LsInPortSecNd.solicitation(port=port, mac=mac),
            LsInPortSecNd.advertisement(port=port, mac=mac),
            LsInPortSecIp.source6(port=port, mac=mac, ip=host(link_local(mac))),
        )
        for port, mac in ip4_only
    ]
    return [*flows, *chain.from_iterable(added)]


def _link_addresses_unseen(document: Document, flows: Flows) -> Flows:
    """Solicitations and advertisements of MAC addresses that are secured alone name any other."""
    alone = {
        (flow.named_args["port"], flow.named_args["mac"])
        for flow in flows
        if flow.template is LsInPortSecNd.arp
    }
    unseen = undo_all(
        reworded(" && nd.sll == {00:00:00:00:00:00, {mac:mac}}", "", LsInPortSecNd.solicitation),
        reworded(" && nd.tll == {00:00:00:00:00:00, {mac:mac}}", "", LsInPortSecNd.advertisement),
    )
    of_alone = where(
        lambda flow: (flow.named_args.get("port"), flow.named_args.get("mac")) in alone, unseen
    )
    return of_alone(document, flows)


def _state_lasts_on_the_way_to_routers(document: Document, flows: Flows) -> Flows:
    """What leaves by a router port has the state with which it came in.

    OVN itself clears that on switches that track for load balancers alone.
    """
    ports = {
        name
        for switch in document["logical_switches"].values()
        if has_tracking_acls(document, switch)
        for name in switch["ports"]
    }
    lasting = where(
        lambda flow: flow.named_args.get("port") in ports,
        reworded("ct_clear; next;", _LASTS, LsOutAclPre.router_port),
    )
    return lasting(document, flows)


_LASTS = f"{LEFT_OVER} = 1; ct_next;"


_DHCP_ANSWER = "flags[1] == 1 && udp.src == {67, 547}"


def _answers_are_of_the_connection(_document: Document, flows: Flows) -> Flows:
    """Answers to DHCP clients are tracked, and dropped where that says that they are invalid."""
    if not any(flow.template is LsOutAclState.invalid for flow in flows):
        return flows
    tracked = saying(LsOutAclPre.self_made, f"{_DHCP_ANSWER} && ip", "ct_next;", "65001")
    passed = saying(LsOutAclState.invalid, f"{_DHCP_ANSWER} && !ct.inv", "next(ls_out_acl_action);")
    return [*flows, LogicalFlow(tracked, ()), LogicalFlow(passed, ())]


def _own_backends_unknown(document: Document, flows: Flows) -> Flows:
    """Clients are found to be their own backends by ports, and keep their source."""
    vips = [
        ip_bytes(vip["address"])
        for balancer in document.get("load_balancers", {}).values()
        for vip in balancer["vips"]
        if "port" in vip
    ]
    found: list[LogicalFlow] = []
    for flow in _KEEPING_SOURCE(document, flows):
        field, family = _ASKED_FOR.get(origin(flow), ("", ""))
        if not field:
            found.append(flow)
            continue
        text = flow.template.as_text()  # It may be reworded already.
        match = f"{text.match} && {field} == {{vip:{family}}}"
        by_port = saying(flow.template, match, text.actions)
        port, own = flow.named_args["port"], flow.named_args["ip"]
        assert isinstance(own, bytes)
        same_family = (vip for vip in vips if len(vip) == len(own))
        found += (by_port(port=port, ip=own, vip=vip) for vip in same_family)
    return found


_KEEPING_SOURCE = undo_all(
    reworded("ct_snat({source:ip4});", "next;", LsInHairpinSnat.vip4),
    reworded("ct_snat({source:ip6});", "next;", LsInHairpinSnat.vip6),
)
_ASKED_FOR = {
    LsInHairpin.to_itself4.id: ("ct_nw_dst", "ip4"),
    LsInHairpin.to_itself6.id: ("ct_ip6_dst", "ip6"),
}


OVN_TRACE = (
    Difference(
        "ovn-trace: unspecified sources in port security",
        "What a host sends from :: before it has an address passes the port security of OVN "
        "and of Treadle, but not that of ovn-trace.",
        without(LsInPortSecIp.no_source6),
    ),
    Difference(
        "ovn-trace: networks in port security",
        "Of a network in port security ovn-trace knows the first address only, and no "
        "broadcast address; OVN and Treadle allow all of it.",
        lambda document, flows: list(_hosts_for_networks(document, flows)),
    ),
    Difference(
        "ovn-trace: ARP and DHCP without IPv4 addresses",
        "A MAC address that is secured with IPv6 addresses alone may send neither ARP nor DHCP "
        "in OVN and Treadle; ovn-trace lets it.",
        _ip4_setup_from_ip6_only,
    ),
    Difference(
        "ovn-trace: link-local sources without IPv6 addresses",
        "A MAC address that is secured with IPv4 addresses alone may not speak IPv6 in OVN and "
        "Treadle; ovn-trace lets it do so from its link-local address.",
        _ip6_link_local_from_ip4_only,
    ),
    Difference(
        "ovn-trace: link addresses in port security",
        "Solicitations and advertisements from a MAC address that is secured without IP addresses "
        "have to name that one, but to ovn-trace.",
        _link_addresses_unseen,
    ),
    Difference(
        "ovn-trace: state of connections lasts",
        "Where a packet isn't tracked, it has no connection. To ovn-trace it still has the one "
        "that it was found to belong to by an earlier switch, or at its input port.",
        undo_all(
            reworded(
                "ct_clear; next;",
                _LASTS,
                LsInAclPre.multicast,
                LsInAclPre.router_port,
                LsOutAclPre.multicast,
            ),
            _state_lasts_on_the_way_to_routers,
            reworded(
                "ct_clear; next(ls_in_acl_eval_0);",
                _LASTS,
                LsInAclPre.stateless,
            ),
            reworded(
                "ct_clear; next(ls_out_acl_eval_0);",
                _LASTS,
                LsOutAclPre.stateless,
            ),
            # Here errors are looked up as they leave a gateway, so that nothing is left over.
            without(*LrOutUndnat.error.values(), *LrOutSnat.error.values()),
        ),
    ),
    Difference(
        "ovn-trace: clients that are their own backends",
        "Who gets himself as backend on a switch meets himself by the virtual address in OVN and "
        "Treadle. To ovn-trace it is by his own one, and where the virtual address has no port, he "
        "is a backend like any other.",
        _own_backends_unknown,
    ),
    Difference(
        "ovn-trace: answers of DHCP stay broadcast",
        "ovn-controller and Treadle send the answer to a DHCP client to the address that it is "
        "given; ovn-trace leaves the destination as it was.",
        reworded(
            "ip4.src = {server:ip4};",
            "ip4.src = {server:ip4}; ip4.dst = 255.255.255.255;",
            LsInDhcpOptions.dhcpv4,
        ),
    ),
    Difference(
        "ovn-trace: answers of DHCP are of a connection",
        "An answer to a DHCP client is a new packet, of no connection that there is. ovn-trace "
        "takes it for one of the connection that the question is said to be of, and drops it where "
        "that is invalid.",
        _answers_are_of_the_connection,
    ),
    Difference(
        "ovn-trace: packets go around until their TTL is over",
        "What routers send to one another in a circle is dropped after some fifty times, and that "
        "is said; Open vSwitch ends it like that, too. ovn-trace goes on until the TTL is over.",
        undo_all(),
        max_depth=_MOST_HOPS * _LEVELS_A_HOP,
    ),
)
