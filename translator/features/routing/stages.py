"""The stage of routes."""

from logical_flow.roles import Role
from logical_flow.template import Priority, Stage, Template
from translator.features.routing.reasons import DISCARDED, LINK_LOCAL_ONLY, NO_ROUTE


class LrInIpRouting(
    Stage, name="lr_in_ip_routing", default="drop", role=Role.ROUTING, because=NO_ROUTE
):
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
    off_link = Template(
        OFF_LINK, "ip6.src == fe80::/10 || ip6.dst == fe80::/10", "drop;", because=LINK_LOCAL_ONLY
    )
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
    discard4 = Template(
        Priority(STATIC, "plen", SCALE), "ip4.dst == {prefix:cidr4}", "drop;", because=DISCARDED
    )
    discard6 = Template(
        Priority(STATIC, "plen", SCALE), "ip6.dst == {prefix:cidr6}", "drop;", because=DISCARDED
    )
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
        Priority(BY_SOURCE, "plen", SCALE), "ip4.src == {prefix:cidr4}", "drop;", because=DISCARDED
    )
    discard_by_source6 = Template(
        Priority(BY_SOURCE, "plen", SCALE), "ip6.src == {prefix:cidr6}", "drop;", because=DISCARDED
    )
