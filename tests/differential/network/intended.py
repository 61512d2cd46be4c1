"""Where Treadle differs from OVN 23.03 on purpose, or ``ovn-trace`` from OVN.

Each entry says why, and how our flows would be without the difference. With those the
two have to agree exactly: so it is checked that they differ in that way only. A case
under ``cases/`` shows each entry at work, and fails once the entry isn't needed.
"""

from collections.abc import Iterator
from itertools import chain
from zlib import crc32

from logical_flow.addresses import link_local
from logical_flow.holes import Argument
from logical_flow.template import LogicalFlow, Template
from tests.differential.network.intended_at_gateways import GATEWAYS
from tests.differential.network.topologies import Document
from tests.differential.network.treadle import LEFT_OVER
from tests.differential.network.undoing import (
    Difference,
    Flows,
    moved,
    origin,
    reworded,
    saying,
    undo_all,
    without,
)
from translator.addresses import host, mac_bytes
from translator.features.acl.stages import LsInAclPre, LsOutAclAction, LsOutAclPre
from translator.features.answering.stages import LsInArpRsp
from translator.features.dhcp.stages import LsInDhcpOptions
from translator.features.nat.stages import LrOutSnat, LrOutUndnat
from translator.features.neighbours.stages import LrInArpRequest, LrInArpResolve
from translator.features.port_security.stages import LsInPortSecIp, LsInPortSecNd, LsOutPortSecIp
from translator.features.router.stages import LrInIpInput
from translator.features.routing.stages import LrInIpRouting
from translator.features.switching.stages import LsInL2Lookup

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
    return [
        each
        for flow in flows
        for each in (
            unseen(document, [flow])
            if (flow.named_args.get("port"), flow.named_args.get("mac")) in alone
            else [flow]
        )
    ]


def _solicitations_of_routers_flooded(_document: Document, flows: Flows) -> Flows:
    """Solicitations of routers that the switch doesn't answer go to all but other routers."""
    template = saying(
        LsInL2Lookup.router_request,
        "nd_ns && nd.target == {ip:ip6}",
        'clone { outport = {port:lport}; output; }; outport = "_MC_flood_l2"; output;',
    )
    routers = {flow.named_args["ip"] for flow in flows if origin(flow) == LsInArpRsp.nd_router.id}
    ports = [
        flow.named_args
        for flow in flows
        if flow.template is LsInArpRsp.own_nd and flow.named_args["ip"] in routers
    ]
    return [*flows, *(template(ip=values["ip"], port=values["port"]) for values in ports)]


def _expiry_told_to_neighbours(_document: Document, flows: Flows) -> Flows:
    """Of a packet's end by TTL only senders in an IPv6 network of the input port are told."""
    tellers = {
        (flow.named_args["port"], flow.named_args["ip"])
        for flow in flows
        if flow.template is LrInIpInput.expired6
    }
    told = [
        LrInIpInput.expired6_from(
            port=values["port"], ip=values["source"], network=values["network"]
        )
        for flow in flows
        if flow.template is LrInIpRouting.connected6
        and (values := flow.named_args)
        and (values["port"], values["source"]) in tellers
    ]
    return [*told, *(flow for flow in flows if flow.template is not LrInIpInput.expired6)]


def _link_local_like_any_network(document: Document, flows: Flows) -> Flows:
    """A router's link is a network of 64 bits, which longer routes by source come before."""
    text = LrInIpRouting.link_local.as_text()
    priority = 64 * LrInIpRouting.SCALE + LrInIpRouting.CONNECTED
    connected = Template.from_text(
        text._replace(id=crc32(f"{text.id} {priority}".encode()), priority=str(priority))
    )
    others = without(
        LrInIpInput.unspecified6,
        LrInIpRouting.off_link,
        LrInIpRouting.link_local,
        LrInIpRouting.from_link_local,
    )
    links = [flow for flow in flows if flow.template is LrInIpRouting.link_local]
    return [*others(document, flows), *(LogicalFlow(connected, flow.args) for flow in links)]


def _disabled_routers_unknown(document: Document, flows: Flows) -> Flows:
    """Nobody knows the ports of a disabled router."""
    macs = {
        mac_bytes(port["mac"])
        for router in document["logical_routers"].values()
        for port in router["ports"].values()
        if not router.get("enabled", True)
    }
    return [
        flow
        for flow in flows
        if flow.template not in _KNOWN_BY_MAC or flow.named_args["mac"] not in macs
    ]


_KNOWN_BY_MAC = {
    LsInL2Lookup.unicast,
    LsInL2Lookup.router_request,
    LrInArpResolve.static4,
    LrInArpResolve.static6,
}


def _disabled_ports_unresolved(document: Document, flows: Flows) -> Flows:
    """Routers do not know the addresses of disabled switch ports."""
    macs = {
        mac_bytes(address.split()[0])
        for switch in document["logical_switches"].values()
        for port in switch["ports"].values()
        if not port.get("enabled", True)
        for address in port.get("addresses", ())
        if address != "unknown"
    }
    return [
        flow
        for flow in flows
        if flow.template not in (LrInArpResolve.static4, LrInArpResolve.static6)
        or flow.named_args["mac"] not in macs
    ]


def _main_routes_by_source_forundo_all(document: Document, flows: Flows) -> Flows:
    """Routes by source that are in the main table hold for packets of every table."""
    forundo_all = reworded(" && reg7 == {table:int}", "", *_BY_SOURCE)
    ids = {template.id for template in _BY_SOURCE}
    return [
        each
        for flow in flows
        for each in (
            forundo_all(document, [flow])
            if origin(flow) in ids and flow.named_args["table"] == 0
            else [flow]
        )
    ]


_BY_SOURCE = (
    LrInIpRouting.by_source4,
    LrInIpRouting.by_source6,
    LrInIpRouting.spread_by_source4,
    LrInIpRouting.spread_by_source6,
    LrInIpRouting.discard_by_source4,
    LrInIpRouting.discard_by_source6,
)


INTENDED = (
    Difference(
        "refusals pass",
        "OVN's egress ACLs look at the answer of a reject as well, and may drop or reject it. "
        "An answer of the network itself passes here, so that its receiver learns of it.",
        reworded("flags[1] = 1; ", "", LsOutAclAction.reject, LsOutAclAction.block_and_reject),
    ),
    Difference(
        "routers ask for themselves",
        "OVN's routers solicit an IPv6 neighbour with the source address of the packet that "
        "is waiting, which RFC 4861 doesn't allow. Here it is the router's own, as in ARP.",
        reworded("ip6.src = xxreg1; ", "", LrInArpRequest.nd, LrInArpRequest.nd_for_next_hop),
    ),
    Difference(
        "unicast requests go to whom they are for",
        "OVN answers requests for a known address in its port's place even if they were sent to "
        "that one alone, and floods those of routers or, if it can't answer, for routers. Such "
        "are probes of whether it is still there, and go to it here.",
        undo_all(
            reworded("eth.bcast && ", "", LsInArpRsp.arp),
            reworded("eth.mcast && ", "", LsInL2Lookup.router_request),
            reworded(
                "ip6.dst == {group:ip6}",
                "ip6.dst == {{ip:ip6}, {group:ip6}}",
                LsInArpRsp.nd,
                LsInArpRsp.nd_router,
            ),
            reworded(
                "inport == {port:lport} && nd_ns",
                "inport == {port:lport} && eth.mcast && nd_ns",
                LsInArpRsp.nd_for_router,
            ),
            _solicitations_of_routers_flooded,
        ),
    ),
    Difference(
        "disabled routers are known",
        "To OVN a disabled router does not exist: packets to it are flooded like those to any "
        "unknown address. Here they are dropped at it, and it is named as the reason.",
        _disabled_routers_unknown,
    ),
    Difference(
        "disabled ports are resolved",
        "OVN's routers do not know the addresses of a disabled port, and ask for them. Here they "
        "know them: packets are dropped at the port, and it is named as the reason.",
        _disabled_ports_unresolved,
    ),
    Difference(
        "martians are dropped in IPv6, too",
        "OVN's routers forward IPv6 packets that claim to come from the router itself, from a "
        "group or from loopback. Here they are dropped as in IPv4.",
        without(LrInIpInput.martian6, LrInIpInput.spoofed6),
    ),
    Difference(
        "link-local addresses belong to one link",
        "OVN's routers take a packet for the link-local address of any of their ports as their "
        "own. Here such an address is that of its link, as RFC 4291 says.",
        reworded(
            "inport == {port:lport} && ip6.dst == {ip:ip6}",
            "ip6.dst == {ip:ip6}",
            LrInIpInput.ping6_link_local,
            LrInIpInput.udp6_link_local,
            LrInIpInput.tcp6_link_local,
            LrInIpInput.sctp6_link_local,
            LrInIpInput.icmp6_link_local,
            LrInIpInput.protocol6_link_local,
            LrInIpInput.own6_link_local,
        ),
    ),
    Difference(
        "every sender is told of an expired TTL",
        "OVN's routers answer an IPv6 packet whose hop limit is over only to senders in a network "
        "of the input port, so that traceroute sees no further than one hop. Here all are told.",
        _expiry_told_to_neighbours,
    ),
    Difference(
        "unknown protocols are a parameter problem",
        "To an IPv6 packet for itself of a protocol that it doesn't speak, a router says so as "
        "RFC 4443 wants it; OVN says that the address is unreachable.",
        reworded(
            "icmp6_unknown_header { eth.dst <-> eth.src;",
            "icmp6 { icmp6.code = 3; eth.dst <-> eth.src;",
            LrInIpInput.protocol6,
            LrInIpInput.protocol6_link_local,
        ),
    ),
    Difference(
        "errors come from the sender's network",
        "OVN's routers say from some IPv4 address of the input port that a TTL is over. Here a "
        "sender is told from the address in its network, as in IPv6.",
        without(LrInIpInput.expired4_from),
    ),
    Difference(
        "link-local addresses stay on their link",
        "OVN's routers forward IPv6 packets from :: and, off the link, from and to link-local "
        "addresses. RFC 4291 forbids it (sections 2.5.2 and 2.5.6), and here they are dropped. "
        "On the link they pass, where OVN heeds routes by source, too.",
        _link_local_like_any_network,
    ),
    Difference(
        "groups are no hosts",
        "OVN's routers forward packets to a group or to 255.255.255.255 if they were sent to the "
        "router's MAC address, and those to a host that were sent to a group's. Here both are "
        "dropped (RFC 1812 sections 5.3.4 and 5.3.5).",
        undo_all(
            reworded(
                "eth.mcast || ip4.dst == 224.0.0.0/4 || ip6.dst == ff00::/8",
                "ip4.mcast || ip6.mcast || eth.bcast",
                LrInIpInput.multicast,
            ),
            reworded(", 255.255.255.255}", "}", LrInIpInput.martian4),
        ),
    ),
    Difference(
        "ICMP is never an unknown protocol",
        "OVN's routers refuse ICMP packets for themselves that are no echo requests, even echo "
        "replies, as of an unknown protocol. Here they are dropped.",
        without(LrInIpInput.icmp4, LrInIpInput.icmp6, LrInIpInput.icmp6_link_local),
    ),
    Difference(
        "port security knows address probes",
        "A host that has no address yet asks by ARP from 0.0.0.0 whether one is taken (RFC 5227). "
        "OVN's port security drops that.",
        without(LsInPortSecNd.arp_probe),
    ),
    Difference(
        "port security makes no routers",
        "A port with port security may be neither router nor DHCP server: its router "
        "advertisements, redirects and answers to DHCP clients are dropped. OVN lets them pass.",
        without(LsInPortSecNd.router, LsInPortSecNd.dhcp_server),
    ),
    *GATEWAYS,
    Difference(
        "routes by source are in a table, too",
        "OVN's routes by source in the main table hold for packets that look into another one, "
        "while those by destination don't. Here no route of the main table does.",
        _main_routes_by_source_forundo_all,
    ),
    Difference(
        "DHCP clients with an address of elsewhere are answered",
        "Who asks all DHCP servers from an address that isn't his here is told so, by a NAK, and "
        "starts anew (RFC 2131 section 4.3.2). OVN doesn't answer him.",
        reworded(
            "ip4.dst == {255.255.255.255, {server:ip4}}",
            "((ip4.src == 0.0.0.0 && ip4.dst == 255.255.255.255) "
            "|| (ip4.src == {ip:ip4} && ip4.dst == {255.255.255.255, {server:ip4}}))",
            LsInDhcpOptions.dhcpv4,
        ),
    ),
    Difference(
        "DHCP passes ACLs",
        "OVN asks the ACLs of a switch before it answers DHCP clients, so that a port that may "
        "send nothing gets no address. Here they are answered first.",
        moved(LsInArpRsp, LsInDhcpOptions.dhcpv4, LsInDhcpOptions.dhcpv6),
    ),
    Difference(
        "answers of DHCPv6 have a hop limit of their own",
        "It is the 255 of all packets that controllers make. OVN's have that of the question.",
        reworded(
            "ip6.src = {server:ip6};",
            "ip6.src = {server:ip6}; ip.ttl = 64;",
            LsInDhcpOptions.dhcpv6,
        ),
    ),
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
                f"{LEFT_OVER} = 1; ct_next;",
                LsInAclPre.multicast,
                LsInAclPre.router_port,
                LsOutAclPre.multicast,
                LsOutAclPre.router_port,
            ),
            reworded(
                "ct_clear; next(ls_in_acl_eval_0);",
                f"{LEFT_OVER} = 1; ct_next;",
                LsInAclPre.stateless,
            ),
            reworded(
                "ct_clear; next(ls_out_acl_eval_0);",
                f"{LEFT_OVER} = 1; ct_next;",
                LsOutAclPre.stateless,
            ),
            # Here errors are looked up as they leave a gateway, so that nothing is left over.
            without(*LrOutUndnat.error.values(), *LrOutSnat.error.values()),
        ),
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
        "ovn-trace: packets go around until their TTL is over",
        "What routers send to one another in a circle is dropped after some fifty times, and that "
        "is said; Open vSwitch ends it like that, too. ovn-trace goes on until the TTL is over.",
        undo_all(),
        max_depth=_MOST_HOPS * _LEVELS_A_HOP,
    ),
)

IN_SWITCHES = (
    Difference(
        "solicitations in port security",
        "Port security of ovn-controller 23.03 looks into solicitations with a hop limit of 225 "
        "only, a slip of the pen for 255: whose link address they name is not looked at.",
        reworded(" && nd.sll == {00:00:00:00:00:00, {mac:mac}}", "", LsInPortSecNd.solicitation),
    ),
)
"""What differs on real switches alone: ``ovn-trace`` does it as we do."""
