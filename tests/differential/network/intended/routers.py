"""Where routers differ from OVN's on purpose, whether or not they have gateways.

Entries of :mod:`intended`, which says what they are.
"""

from zlib import crc32

from logical_flow.template import LogicalFlow, Template
from tests.differential.network.topologies import Document
from tests.differential.network.undoing import (
    Difference,
    Flows,
    origin,
    reworded,
    undo_all,
    where,
    without,
)
from translator.features.neighbours.stages import LrInArpRequest
from translator.features.router.stages import LrInAgain, LrInIpInput
from translator.features.routing.stages import LrInIpRouting


def _expiry_told_to_neighbours(_document: Document, flows: Flows) -> Flows:
    """Of a packet's end by TTL only senders in an IPv6 network of the input port are told."""
    for stage in (LrInIpInput, LrInAgain):
        flows = _told_to_neighbours(stage, flows)
    return flows


def _told_to_neighbours(stage: type[LrInIpInput | LrInAgain], flows: Flows) -> Flows:
    tellers = {
        (flow.named_args["port"], flow.named_args["ip"])
        for flow in flows
        if flow.template is stage.expired6
    }
    told = [
        stage.expired6_from(port=values["port"], ip=values["source"], network=values["network"])
        for flow in flows
        if flow.template is LrInIpRouting.connected6
        and (values := flow.named_args)
        and (values["port"], values["source"]) in tellers
    ]
    return [*told, *(flow for flow in flows if flow.template is not stage.expired6)]


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


def _main_routes_hold_in_all_tables(document: Document, flows: Flows) -> Flows:
    """Routes by source that are in the main table hold for packets of every table."""
    ids = {template.id for template in _BY_SOURCE}
    in_all_tables = where(
        lambda flow: origin(flow) in ids and flow.named_args["table"] == 0,
        reworded(" && reg7 == {table:int}", "", *_BY_SOURCE),
    )
    return in_all_tables(document, flows)


_BY_SOURCE = (
    LrInIpRouting.by_source4,
    LrInIpRouting.by_source6,
    LrInIpRouting.spread["by_source4"],
    LrInIpRouting.spread["by_source6"],
    LrInIpRouting.discard_by_source4,
    LrInIpRouting.discard_by_source6,
)


ROUTERS = (
    Difference(
        "routers ask for themselves",
        "OVN's routers solicit an IPv6 neighbour with the source address of the packet that "
        "is waiting, which RFC 4861 doesn't allow. Here it is the router's own, as in ARP.",
        reworded("ip6.src = xxreg1; ", "", LrInArpRequest.nd, LrInArpRequest.nd_for_next_hop),
    ),
    Difference(
        "routers answer address probes",
        "A host that has no address yet asks by ARP from 0.0.0.0 whether one is taken (RFC 5227). "
        "OVN's routers answer only who is in their network, so that nobody says so to hosts on a "
        "provider network.",
        without(LrInIpInput.arp_probe),
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
        without(LrInIpInput.expired4_from, LrInAgain.expired4_from),
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
        "routes by source are in a table, too",
        "OVN's routes by source in the main table hold for packets that look into another one, "
        "while those by destination don't. Here no route of the main table does.",
        _main_routes_hold_in_all_tables,
    ),
)
