"""Ingress of a logical switch: from the port where a packet enters to its output port.

=============  ==============================================================
``reg0[11]``   the source MAC address is known behind this port
=============  ==============================================================

The ACL stages have registers of their own, see :mod:`translator.pipeline.acl`.
"""

from logical_flow.roles import Role
from logical_flow.template import Pipeline, Stage, Template
from translator.pipeline.acl import TIERS, acl_action, acl_eval, acl_pre, acl_state


class LsInPortSecL2(Stage, name="ls_in_port_sec_l2", default="drop", role=Role.PORT_SECURITY):
    """What may enter at all, and from which source MAC address.

    A port that is disabled has no flow here, so nothing enters through it.
    """

    closed = Template(65535, "1", "drop;")
    vlan_tagged = Template(100, "vlan.present", "drop;")
    multicast_source = Template(100, "eth.src[40]", "drop;")
    any_source = Template(50, "inport == {port:lport}", "next;")
    source = Template(50, "inport == {port:lport} && eth.src == {mac:mac}", "next;")


class LsInPortSecNd(Stage, name="ls_in_port_sec_nd", role=Role.PORT_SECURITY):
    """Port security inside ARP and neighbour discovery, and of what sets up other hosts.

    A port with port security may speak of its own addresses only. Asking whether
    an address is taken (an ARP probe, or a solicitation from ``::``) is no claim to it.
    Neighbour discovery in fragments, which RFC 6980 forbids, can't be looked into: fragments
    of ICMPv6 that have its hop limit are dropped.

    A port with port security is no router, which would advertise itself or redirect hosts,
    and no DHCP server, which would answer clients. Such an answer in fragments can't be told
    from other datagrams, and passes.
    """

    router = Template(
        95, "inport == {port:lport} && icmp6.type == {134, 137} && !ip.is_frag", "drop;"
    )
    dhcp_server = Template(
        95,
        "inport == {port:lport} && !ip.is_frag "
        "&& ((ip4 && udp.dst == 68) || (ip6 && udp.dst == 546))",
        "drop;",
    )

    arp = Template(
        90, "inport == {port:lport} && eth.src == {mac:mac} && arp.sha == {mac:mac}", "next;"
    )
    arp_from = Template(
        90,
        "inport == {port:lport} && eth.src == {mac:mac} && arp.sha == {mac:mac} "
        "&& arp.spa == {ip:cidr4}",
        "next;",
    )
    arp_probe = Template(
        90,
        "inport == {port:lport} && eth.src == {mac:mac} && arp.sha == {mac:mac} "
        "&& arp.spa == 0.0.0.0 && arp.op == 1",
        "next;",
    )
    solicitation = Template(
        90,
        "inport == {port:lport} && eth.src == {mac:mac} && nd_ns "
        "&& nd.sll == {00:00:00:00:00:00, {mac:mac}}",
        "next;",
    )
    advertisement = Template(
        90,
        "inport == {port:lport} && eth.src == {mac:mac} && nd_na "
        "&& nd.tll == {00:00:00:00:00:00, {mac:mac}}",
        "next;",
    )
    advertisement_of = Template(
        90,
        "inport == {port:lport} && eth.src == {mac:mac} && nd_na "
        "&& nd.tll == {00:00:00:00:00:00, {mac:mac}} && nd.target == {ip:cidr6}",
        "next;",
    )
    other = Template(
        80,
        "inport == {port:lport} && (arp || nd || (icmp6 && ip.ttl == 255 && ip.is_frag))",
        "drop;",
    )


class LsInPortSecIp(Stage, name="ls_in_port_sec_ip", role=Role.PORT_SECURITY):
    """Port security on source IP addresses.

    Only for MAC addresses that are secured together with IP addresses. One that has
    none of a family may not speak that family at all. DHCP discovery, duplicate
    address detection and multicast listener reports come before an address does.
    """

    source4 = Template(
        90, "inport == {port:lport} && eth.src == {mac:mac} && ip4.src == {ip:cidr4}", "next;"
    )
    dhcp = Template(
        90,
        "inport == {port:lport} && eth.src == {mac:mac} && ip4.src == 0.0.0.0 "
        "&& ip4.dst == 255.255.255.255 && udp.src == 68 && udp.dst == 67",
        "next;",
    )
    source6 = Template(
        90, "inport == {port:lport} && eth.src == {mac:mac} && ip6.src == {ip:cidr6}", "next;"
    )
    no_source6 = Template(
        90,
        "inport == {port:lport} && eth.src == {mac:mac} && ip6.src == :: "
        "&& ip6.dst == ff02::/16 && icmp6.type == {131, 135, 143} && icmp6.code == 0",
        "next;",
    )
    other = Template(80, "inport == {port:lport} && eth.src == {mac:mac} && ip", "drop;")


class LsInLookupFdb(Stage, name="ls_in_lookup_fdb", role=Role.LEARNING):
    """Whether the source MAC address has to be learned, on ports where that is done.

    These are the ports that take unknown destinations and have no port security.
    """

    lookup = Template(
        100, "inport == {port:lport}", "reg0[11] = lookup_fdb(inport, eth.src); next;"
    )


class LsInPutFdb(Stage, name="ls_in_put_fdb", role=Role.LEARNING):
    """Learns the source MAC address if it wasn't known."""

    learn = Template(
        100, "inport == {port:lport} && reg0[11] == 0", "put_fdb(inport, eth.src); next;"
    )


LsInAclPre = acl_pre("ingress")
LsInAclState = acl_state("ingress")
LS_IN_ACL_EVAL = tuple(acl_eval("ingress", tier) for tier in range(TIERS))
LsInAclAction = acl_action("ingress")


class LsInArpRsp(Stage, name="ls_in_arp_rsp", role=Role.ANSWERING):
    """Answers ARP and neighbour solicitation for known addresses, at the asker's chassis.

    An address's own port is not answered: it asks whether anybody else has its
    address. Unicast requests go to whom they are for, as solicitations do that were
    sent to other groups than their target's. A router answers for itself where it
    learns from the question: on ports with unknown addresses.
    """

    own_arp = Template(100, "inport == {port:lport} && arp.op == 1 && arp.tpa == {ip:ip4}", "next;")
    own_nd = Template(100, "inport == {port:lport} && nd_ns && nd.target == {ip:ip6}", "next;")
    arp_for_router = Template(
        60,
        "inport == {port:lport} && eth.bcast && arp.op == 1 && arp.tpa == {ip:ip4} "
        "&& arp.spa == {network:cidr4}",
        "outport = {router:lport}; output;",
    )
    nd_for_router = Template(
        60,
        "inport == {port:lport} && nd_ns && ip6.dst == {group:ip6} && nd.target == {ip:ip6}",
        "outport = {router:lport}; output;",
    )
    arp = Template(
        50,
        "eth.bcast && arp.op == 1 && arp.tpa == {ip:ip4}",
        "eth.dst = eth.src; eth.src = {mac:mac}; "
        "arp.op = 2; arp.tha = arp.sha; arp.sha = {mac:mac}; "
        "arp.tpa = arp.spa; arp.spa = {ip:ip4}; "
        "outport = inport; flags.loopback = 1; output;",
    )
    nd = Template(
        50,
        "nd_ns && ip6.dst == {group:ip6} && nd.target == {ip:ip6}",
        "nd_na { eth.src = {mac:mac}; ip6.src = {ip:ip6}; nd.target = {ip:ip6}; "
        "nd.tll = {mac:mac}; outport = inport; flags.loopback = 1; output; };",
    )
    nd_router = Template(
        50,
        "nd_ns && ip6.dst == {group:ip6} && nd.target == {ip:ip6}",
        "nd_na_router { eth.src = {mac:mac}; ip6.src = {ip:ip6}; nd.target = {ip:ip6}; "
        "nd.tll = {mac:mac}; outport = inport; flags.loopback = 1; output; };",
    )


class LsInL2Lookup(Stage, name="ls_in_l2_lkup", default="drop", role=Role.FORWARDING):
    """Where the Ethernet destination chooses the logical output port.

    What routers ask of neighbours, or announce, concerns no other router: those are
    known to each other.
    """

    router_request = Template(
        75,
        "eth.mcast && eth.src == {mac:mac} && (arp.op == 1 || rarp.op == 3 || nd_ns)",
        'outport = "_MC_flood_l2"; output;',
    )
    multicast = Template(70, "eth.mcast", 'outport = "_MC_flood"; output;')
    unicast = Template(50, "eth.dst == {mac:mac}", "outport = {port:lport}; output;")
    disabled = Template(50, "eth.dst == {mac:mac}", "drop;")
    unknown = Template(0, "1", "outport = get_fdb(eth.dst); next;")


class LsInL2Unknown(Stage, name="ls_in_l2_unknown", default="drop", role=Role.FORWARDING):
    """Destinations that no port has: where they were learned, else wherever they may be.

    Only on switches with a port whose addresses include ``unknown``.
    """

    flood = Template(50, 'outport == ""', 'outport = "_MC_unknown"; output;')
    learned = Template(0, "1", "output;")


LS_IN = Pipeline(
    "ls_in",
    kind="ls",
    direction="ingress",
    stages=[
        LsInPortSecL2,
        LsInPortSecNd,
        LsInPortSecIp,
        LsInLookupFdb,
        LsInPutFdb,
        LsInAclPre,
        LsInAclState,
        *LS_IN_ACL_EVAL,
        LsInAclAction,
        LsInArpRsp,
        LsInL2Lookup,
        LsInL2Unknown,
    ],
)
