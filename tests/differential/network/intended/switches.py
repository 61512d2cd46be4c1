"""Where switches differ from OVN's on purpose: in ACLs, port security and who is asked.

Entries of :mod:`intended`, which says what they are.
"""

from tests.differential.network.acls import has_tracking_acls
from tests.differential.network.outside import EXTERNAL, LOCALNET
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
from translator.addresses import mac_bytes
from translator.features.acl.stages import LsOutAclAction, LsOutAclPre
from translator.features.answering.stages import LsInArpRsp
from translator.features.dhcp.stages import LsInDhcpOptions
from translator.features.external_ports.stages import LsInExternalPort
from translator.features.load_balancing.stages import LsInHairpin
from translator.features.neighbours.stages import LrInArpResolve
from translator.features.port_security.stages import LsInPortSecNd
from translator.features.switching.stages import LsInL2Lookup


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


def _replies_to_routers_refused(document: Document, flows: Flows) -> Flows:
    """Where only load balancers track, ACLs decide on replies that leave by a router port, too."""
    ports = {
        name
        for switch in document["logical_switches"].values()
        if not has_tracking_acls(document, switch)
        for name in switch["ports"]
    }
    return [
        flow
        for flow in flows
        if flow.template is not LsOutAclPre.reply_to_router or flow.named_args["port"] not in ports
    ]


def _l2_gateways_answered(document: Document, flows: Flows) -> Flows:
    """Who asks from outside by a port of type l2gateway is answered as all others are."""
    ports = {
        name
        for switch in document["logical_switches"].values()
        for name, port in switch["ports"].items()
        if port.get("type") == "l2gateway"
    }
    return [
        flow
        for flow in flows
        if flow.template is not LsInArpRsp.from_outside or flow.named_args["port"] not in ports
    ]


SWITCHES = (
    Difference(
        "refusals pass",
        "OVN's egress ACLs look at the answer of a reject as well, and may drop or reject it. "
        "An answer of the network itself passes here, so that its receiver learns of it.",
        reworded("flags[1] = 1; ", "", LsOutAclAction.reject, LsOutAclAction.block_and_reject),
    ),
    Difference(
        "replies to routers pass where load balancers track",
        "On a switch with load balancers, but without ACLs that allow what is related, OVN asks "
        "ACLs about replies that leave by a router port, and about no others. Here none is asked "
        "about a reply.",
        _replies_to_routers_refused,
    ),
    Difference(
        "clients that are their own backends pass ACLs",
        "To what a client sends to itself by a virtual address OVN applies the to-lport ACLs. "
        "Here no ACL stands between a workload and itself.",
        without(LsOutAclPre.hairpin),
    ),
    Difference(
        "workloads are their own backends by each of their addresses",
        "A client that gets another address of its own port as backend meets itself. In OVN it "
        "does only by the address that it sends from; else the packet ends where it came from.",
        undo_all(
            reworded(
                "ip4.dst == {ip:ip4}",
                "ip4.src == {ip:ip4} && ip4.dst == {ip:ip4}",
                LsInHairpin.to_itself4,
            ),
            reworded(
                "ip6.dst == {ip:ip6}",
                "ip6.src == {ip:ip6} && ip6.dst == {ip:ip6}",
                LsInHairpin.to_itself6,
            ),
        ),
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
        "routers learn who asks from ports with unknown addresses",
        "Who asks for a router from such a port is answered by the switch in OVN, at that port. "
        "Here the router answers and learns of him, and the answer goes where the MAC address is "
        "that it is sent to.",
        without(LsInArpRsp.arp_for_router, LsInArpRsp.nd_for_router),
    ),
    Difference(
        "hosts behind an l2gateway port ask workloads themselves",
        "Who asks from outside is answered by the switch in OVN if he comes by an l2gateway port, "
        "and by whom he asks if he comes by a localnet port. Here it is the latter by both.",
        _l2_gateways_answered,
    ),
    Difference(
        "external ports are seen",
        "To OVN's switches all that comes from outside comes from the localnet port. Here what the "
        "workload of an external port sends is from that: ACLs and port groups see it.",
        undo_all(
            reworded(
                "inport = {port:lport}; next;",
                "next;",
                LsInExternalPort.in_charge,
                LsInExternalPort.elsewhere,
            ),
            where(
                lambda flow: flow.named_args.get("port") == EXTERNAL,
                reworded(
                    "inport == {port:lport} && ",
                    f'inport == "{LOCALNET}" && ',
                    LsInDhcpOptions.dhcpv4,
                    LsInDhcpOptions.dhcpv6,
                ),
            ),
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
)
