"""Ingress of a logical router: from a router port to the next hop's address and port.

==================  =========================================================
``xreg0[0..47]``    until routing: the MAC address of the input port
``reg0, xxreg0``    from routing on: the next hop (``xxreg0`` overlays the above)
``reg5, xxreg1``    from routing on: the output port's address, to ask from
``reg9[2]``         the neighbour is known as it presents itself
``reg9[3]``         the packet tells of a neighbour that may be learned
``reg9[9]``         from routing on: the next hop is an IPv4 address
==================  =========================================================
"""

from logical_flow.roles import Role
from logical_flow.template import Pipeline, Priority, Stage, Template


class LrInAdmission(Stage, name="lr_in_admission", default="drop", role=Role.ADMISSION):
    """What a router port takes: its own MAC address, and multicast.

    A port that is disabled, or is a port of a disabled router, takes nothing.
    """

    closed = Template(65535, "1", "drop;")
    vlan_tagged = Template(100, "vlan.present", "drop;")
    multicast_source = Template(100, "eth.src[40]", "drop;")
    multicast = Template(
        50, "inport == {port:lport} && eth.mcast", "xreg0[0..47] = {mac:mac}; next;"
    )
    unicast = Template(
        50, "inport == {port:lport} && eth.dst == {mac:mac}", "xreg0[0..47] = {mac:mac}; next;"
    )


class LrInLookupNeighbour(Stage, name="lr_in_lookup_neighbor", role=Role.LEARNING):
    """Whether a neighbour that presents itself is already known like that.

    A router learns addresses in its port's networks, and next hops of routes through the
    port. It learns none that no host has: addresses of its own, network and broadcast ones.
    """

    arp_of_none = Template(110, "inport == {port:lport} && arp.spa == {ip:ip4}", "next;")
    solicitation_of_none = Template(
        110, "inport == {port:lport} && nd_ns && ip6.src == {ip:ip6}", "next;"
    )
    advertisement_of_none = Template(
        110, "inport == {port:lport} && nd_na && nd.target == {ip:ip6}", "next;"
    )
    no_address = Template(110, "nd_ns && nd.sll == 00:00:00:00:00:00", "next;")
    unsolicited = Template(110, "nd_na && nd.tll == 00:00:00:00:00:00", "next;")

    arp = Template(
        100,
        "inport == {port:lport} && arp.op == {1, 2} && arp.spa == {network:cidr4}",
        "reg9[2] = lookup_arp(inport, arp.spa, arp.sha); reg9[3] = 1; next;",
    )
    advertisement = Template(
        100,
        "inport == {port:lport} && nd_na && nd.target == {network:cidr6}",
        "reg9[2] = lookup_nd(inport, nd.target, nd.tll); reg9[3] = 1; next;",
    )
    solicitation = Template(
        100,
        "inport == {port:lport} && nd_ns && ip6.src == {network:cidr6}",
        "reg9[2] = lookup_nd(inport, ip6.src, nd.sll); reg9[3] = 1; next;",
    )


class LrInLearnNeighbour(Stage, name="lr_in_learn_neighbor", role=Role.LEARNING):
    """Learns neighbours that are new or have moved."""

    known = Template(100, "reg9[2] == 1", "next;")
    arp = Template(90, "arp && reg9[3] == 1", "put_arp(inport, arp.spa, arp.sha); next;")
    advertisement = Template(
        90, "nd_na && reg9[3] == 1", "put_nd(inport, nd.target, nd.tll); next;"
    )
    solicitation = Template(90, "nd_ns && reg9[3] == 1", "put_nd(inport, ip6.src, nd.sll); next;")


_OWN4, _OWN6 = "ip4.dst == {ip:ip4}", "ip6.dst == {ip:ip6}"
_LINK_LOCAL6 = f"inport == {{port:lport}} && {_OWN6}"
"""Link-local addresses mean something at their own port only."""
_UDP, _TCP, _SCTP = (f"!ip.later_frag && {protocol}" for protocol in ("udp", "tcp", "sctp"))
_ECHO6 = "icmp6.type == 128 && icmp6.code == 0"

_BACK4 = "eth.dst <-> eth.src; ip4.dst <-> ip4.src;"
_BACK6 = "eth.dst <-> eth.src; ip6.dst <-> ip6.src;"
_ECHO_REPLY4 = "ip4.dst <-> ip4.src; ip.ttl = 255; icmp4.type = 0; flags.loopback = 1; next;"
_ECHO_REPLY6 = "ip6.dst <-> ip6.src; ip.ttl = 255; icmp6.type = 129; flags.loopback = 1; next;"
_RESET4, _RESET6 = (f"tcp_reset {{ {back} next; }};" for back in (_BACK4, _BACK6))
_ABORT4, _ABORT6 = (f"sctp_abort {{ {back} next; }};" for back in (_BACK4, _BACK6))


def _error4(kind: int, code: int) -> str:
    error = f"ip.ttl = 255; icmp4.type = {kind}; icmp4.code = {code};"
    return f"icmp4 {{ {_BACK4} {error} next; }};"


def _error6(kind: int, code: int) -> str:
    error = f"ip.ttl = 255; icmp6.type = {kind}; icmp6.code = {code};"
    return f"icmp6 {{ {_BACK6} {error} next; }};"


_PORT_UNREACHABLE4, _UNKNOWN_PROTOCOL4 = _error4(3, 3), _error4(3, 2)
_PORT_UNREACHABLE6 = _error6(1, 4)
_UNKNOWN_HEADER6 = f"icmp6_unknown_header {{ {_BACK6} ip.ttl = 255; next; }};"


class LrInIpInput(Stage, name="lr_in_ip_input", role=Role.ANSWERING):
    """What is for the router itself, and what no router forwards."""

    martian4 = Template(
        100,
        "ip4.src_mcast || ip4.src == {255.255.255.255, 127.0.0.0/8, 0.0.0.0/8} "
        "|| ip4.dst == {127.0.0.0/8, 0.0.0.0/8, 255.255.255.255}",
        "drop;",
    )
    martian6 = Template(100, "ip6.src == {::1, ff00::/8} || ip6.dst == ::1", "drop;")
    spoofed4 = Template(100, "ip4.src == {ip:ip4}", "drop;")
    broadcast_source = Template(100, "ip4.src == {broadcast:ip4}", "drop;")
    spoofed6 = Template(100, "ip6.src == {ip:ip6}", "drop;")

    arp = Template(
        90,
        "inport == {port:lport} && arp.op == 1 && arp.tpa == {ip:ip4} "
        "&& arp.spa == {network:cidr4}",
        "eth.dst = eth.src; eth.src = xreg0[0..47]; "
        "arp.op = 2; arp.tha = arp.sha; arp.sha = xreg0[0..47]; arp.tpa <-> arp.spa; "
        "outport = inport; flags.loopback = 1; output;",
    )
    arp_probe = Template(
        90,
        "inport == {port:lport} && arp.op == 1 && arp.tpa == {ip:ip4} && arp.spa == 0.0.0.0",
        "eth.dst = eth.src; eth.src = xreg0[0..47]; "
        "arp.op = 2; arp.tha = arp.sha; arp.sha = xreg0[0..47]; arp.tpa <-> arp.spa; "
        "outport = inport; flags.loopback = 1; output;",
    )
    nd = Template(
        90,
        "inport == {port:lport} && nd_ns && ip6.dst == {{ip:ip6}, {group:ip6}} "
        "&& nd.target == {ip:ip6}",
        "nd_na_router { eth.src = xreg0[0..47]; ip6.src = nd.target; nd.tll = xreg0[0..47]; "
        "outport = inport; flags.loopback = 1; output; };",
    )
    ping4 = Template(90, f"{_OWN4} && icmp4.type == 8 && icmp4.code == 0", _ECHO_REPLY4)
    unspecified6 = Template(89, "ip6.src == ::", "drop;")
    ping6 = Template(88, f"{_OWN6} && {_ECHO6}", _ECHO_REPLY6)
    ping6_link_local = Template(88, f"{_LINK_LOCAL6} && {_ECHO6}", _ECHO_REPLY6)
    other_neighbour = Template(85, "arp || rarp || nd || nd_rs || nd_ra", "drop;")
    multicast = Template(82, "eth.mcast || ip4.dst == 224.0.0.0/4 || ip6.dst == ff00::/8", "drop;")

    udp4 = Template(80, f"{_OWN4} && {_UDP}", _PORT_UNREACHABLE4)
    tcp4 = Template(80, f"{_OWN4} && {_TCP}", _RESET4)
    sctp4 = Template(80, f"{_OWN4} && {_SCTP}", _ABORT4)
    icmp4 = Template(75, f"{_OWN4} && icmp4", "drop;")
    protocol4 = Template(70, f"{_OWN4} && !ip.later_frag", _UNKNOWN_PROTOCOL4)
    own4 = Template(60, _OWN4, "drop;")

    udp6 = Template(80, f"{_OWN6} && {_UDP}", _PORT_UNREACHABLE6)
    tcp6 = Template(80, f"{_OWN6} && {_TCP}", _RESET6)
    sctp6 = Template(80, f"{_OWN6} && {_SCTP}", _ABORT6)
    icmp6 = Template(75, f"{_OWN6} && icmp6", "drop;")
    protocol6 = Template(70, f"{_OWN6} && !ip.later_frag", _UNKNOWN_HEADER6)
    own6 = Template(60, _OWN6, "drop;")

    udp6_link_local = Template(80, f"{_LINK_LOCAL6} && {_UDP}", _PORT_UNREACHABLE6)
    tcp6_link_local = Template(80, f"{_LINK_LOCAL6} && {_TCP}", _RESET6)
    sctp6_link_local = Template(80, f"{_LINK_LOCAL6} && {_SCTP}", _ABORT6)
    icmp6_link_local = Template(75, f"{_LINK_LOCAL6} && icmp6", "drop;")
    protocol6_link_local = Template(70, f"{_LINK_LOCAL6} && !ip.later_frag", _UNKNOWN_HEADER6)
    own6_link_local = Template(60, _LINK_LOCAL6, "drop;")

    expired4 = Template(
        31,
        "inport == {port:lport} && ip4 && ip.ttl == {0, 1} && !ip.later_frag",
        "icmp4 { eth.dst <-> eth.src; ip4.dst = ip4.src; ip4.src = {ip:ip4}; ip.ttl = 254; "
        "icmp4.type = 11; icmp4.code = 0; outport = inport; flags.loopback = 1; output; };",
    )
    expired4_from = Template(
        32,
        "inport == {port:lport} && ip4.src == {network:cidr4} "
        "&& ip.ttl == {0, 1} && !ip.later_frag",
        "icmp4 { eth.dst <-> eth.src; ip4.dst = ip4.src; ip4.src = {ip:ip4}; ip.ttl = 254; "
        "icmp4.type = 11; icmp4.code = 0; outport = inport; flags.loopback = 1; output; };",
    )
    expired6 = Template(
        31,
        "inport == {port:lport} && ip6 && ip.ttl == {0, 1} && !ip.later_frag",
        "icmp6 { eth.dst <-> eth.src; ip6.dst = ip6.src; ip6.src = {ip:ip6}; ip.ttl = 254; "
        "icmp6.type = 3; icmp6.code = 0; outport = inport; flags.loopback = 1; output; };",
    )
    expired6_from = Template(
        32,
        "inport == {port:lport} && ip6.src == {network:cidr6} "
        "&& ip.ttl == {0, 1} && !ip.later_frag",
        "icmp6 { eth.dst <-> eth.src; ip6.dst = ip6.src; ip6.src = {ip:ip6}; ip.ttl = 254; "
        "icmp6.type = 3; icmp6.code = 0; outport = inport; flags.loopback = 1; output; };",
    )
    expired = Template(30, "ip && ip.ttl == {0, 1}", "drop;")


class LrInIpRouting(Stage, name="lr_in_ip_routing", default="drop", role=Role.ROUTING):
    """The longest prefix that holds the destination chooses next hop and output port.

    Among equal prefixes a connected network comes before a static route, and that
    before a route by source address. What has a link-local address stays on its link
    (RFC 4291 section 2.5.6), whatever other routes there are.
    """

    ON_LINK, OFF_LINK = 2000, 1900
    """Above those of all prefixes."""

    SCALE = 8
    BY_SOURCE, STATIC, CONNECTED = 0, 4, 6
    """What a route's origin adds to its prefix length times `SCALE`."""

    connected4 = Template(
        Priority(CONNECTED, "plen", SCALE),
        "ip4.dst == {network:cidr4}",
        "ip.ttl--; reg9[9] = 1; reg0 = ip4.dst; reg5 = {source:ip4}; eth.src = {mac:mac}; "
        "outport = {port:lport}; flags.loopback = 1; next;",
    )
    connected6 = Template(
        Priority(CONNECTED, "plen", SCALE),
        "ip6.dst == {network:cidr6}",
        "ip.ttl--; reg9[9] = 0; xxreg0 = ip6.dst; xxreg1 = {source:ip6}; eth.src = {mac:mac}; "
        "outport = {port:lport}; flags.loopback = 1; next;",
    )
    off_link = Template(OFF_LINK, "ip6.src == fe80::/10 || ip6.dst == fe80::/10", "drop;")
    from_link_local = Template(
        ON_LINK,
        "inport == {port:lport} && ip6.src == fe80::/10 && ip6.dst == {network:cidr6}",
        "ip.ttl--; reg9[9] = 0; xxreg0 = ip6.dst; xxreg1 = {source:ip6}; eth.src = {mac:mac}; "
        "outport = {port:lport}; flags.loopback = 1; next;",
    )
    link_local = Template(
        ON_LINK,
        "inport == {port:lport} && ip6.dst == {network:cidr6}",
        "ip.ttl--; reg9[9] = 0; xxreg0 = ip6.dst; xxreg1 = {source:ip6}; eth.src = {mac:mac}; "
        "outport = {port:lport}; flags.loopback = 1; next;",
    )
    static4 = Template(
        Priority(STATIC, "plen", SCALE),
        "ip4.dst == {prefix:cidr4}",
        "ip.ttl--; reg9[9] = 1; reg0 = {nexthop:ip4}; reg5 = {source:ip4}; eth.src = {mac:mac}; "
        "outport = {port:lport}; flags.loopback = 1; next;",
    )
    static4_via6 = Template(
        Priority(STATIC, "plen", SCALE),
        "ip4.dst == {prefix:cidr4}",
        "ip.ttl--; reg9[9] = 0; xxreg0 = {nexthop:ip6}; xxreg1 = {source:ip6}; "
        "eth.src = {mac:mac}; outport = {port:lport}; flags.loopback = 1; next;",
    )
    static6 = Template(
        Priority(STATIC, "plen", SCALE),
        "ip6.dst == {prefix:cidr6}",
        "ip.ttl--; reg9[9] = 0; xxreg0 = {nexthop:ip6}; xxreg1 = {source:ip6}; "
        "eth.src = {mac:mac}; outport = {port:lport}; flags.loopback = 1; next;",
    )
    discard4 = Template(Priority(STATIC, "plen", SCALE), "ip4.dst == {prefix:cidr4}", "drop;")
    discard6 = Template(Priority(STATIC, "plen", SCALE), "ip6.dst == {prefix:cidr6}", "drop;")
    by_source4 = Template(
        Priority(BY_SOURCE, "plen", SCALE),
        "ip4.src == {prefix:cidr4}",
        "ip.ttl--; reg9[9] = 1; reg0 = {nexthop:ip4}; reg5 = {source:ip4}; eth.src = {mac:mac}; "
        "outport = {port:lport}; flags.loopback = 1; next;",
    )
    by_source4_via6 = Template(
        Priority(BY_SOURCE, "plen", SCALE),
        "ip4.src == {prefix:cidr4}",
        "ip.ttl--; reg9[9] = 0; xxreg0 = {nexthop:ip6}; xxreg1 = {source:ip6}; "
        "eth.src = {mac:mac}; outport = {port:lport}; flags.loopback = 1; next;",
    )
    by_source6 = Template(
        Priority(BY_SOURCE, "plen", SCALE),
        "ip6.src == {prefix:cidr6}",
        "ip.ttl--; reg9[9] = 0; xxreg0 = {nexthop:ip6}; xxreg1 = {source:ip6}; "
        "eth.src = {mac:mac}; outport = {port:lport}; flags.loopback = 1; next;",
    )
    discard_by_source4 = Template(
        Priority(BY_SOURCE, "plen", SCALE), "ip4.src == {prefix:cidr4}", "drop;"
    )
    discard_by_source6 = Template(
        Priority(BY_SOURCE, "plen", SCALE), "ip6.src == {prefix:cidr6}", "drop;"
    )


class LrInArpResolve(Stage, name="lr_in_arp_resolve", default="drop", role=Role.NEXT_HOP):
    """The next hop's MAC address: known from intent, or learned."""

    static4 = Template(
        100,
        "outport == {port:lport} && reg9[9] == 1 && reg0 == {ip:ip4}",
        "eth.dst = {mac:mac}; next;",
    )
    static6 = Template(
        100,
        "outport == {port:lport} && reg9[9] == 0 && xxreg0 == {ip:ip6}",
        "eth.dst = {mac:mac}; next;",
    )
    learned4 = Template(1, "ip && reg9[9] == 1", "get_arp(outport, reg0); next;")
    learned6 = Template(1, "ip && reg9[9] == 0", "get_nd(outport, xxreg0); next;")


class LrInArpRequest(Stage, name="lr_in_arp_request", default="drop", role=Role.NEXT_HOP):
    """Asks for the next hop's MAC address while it isn't known, else sends the packet on.

    A neighbour solicitation goes to the multicast group of its target. By itself that
    is the group of the packet's destination, so next hops of routes are told apart.
    """

    nd_for_next_hop = Template(
        200,
        "ip && eth.dst == 00:00:00:00:00:00 && reg9[9] == 0 && xxreg0 == {nexthop:ip6}",
        "nd_ns { eth.dst = {group_mac:mac}; ip6.src = xxreg1; ip6.dst = {group:ip6}; "
        "nd.target = xxreg0; output; };",
    )
    arp = Template(
        100,
        "ip4 && eth.dst == 00:00:00:00:00:00 && reg9[9] == 1",
        "arp { eth.dst = ff:ff:ff:ff:ff:ff; arp.spa = reg5; arp.tpa = reg0; arp.op = 1; output; };",
    )
    nd = Template(
        100,
        "ip6 && eth.dst == 00:00:00:00:00:00 && reg9[9] == 0",
        "nd_ns { ip6.src = xxreg1; nd.target = xxreg0; output; };",
    )
    resolved = Template(0, "1", "output;")


LR_IN = Pipeline(
    "lr_in",
    kind="lr",
    direction="ingress",
    stages=[
        LrInAdmission,
        LrInLookupNeighbour,
        LrInLearnNeighbour,
        LrInIpInput,
        LrInIpRouting,
        LrInArpResolve,
        LrInArpRequest,
    ],
)
