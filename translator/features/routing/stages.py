"""The stages of routes."""

from logical_flow.roles import Role
from logical_flow.template import Alive, Priority, Stage, Template
from translator.features.routing.reasons import DISCARDED, LINK_LOCAL_ONLY, NO_ROUTE


class LrInIpRoutingPre(Stage, name="lr_in_ip_routing_pre", role=Role.ROUTING, failure="drop"):
    """The table of static routes for packets from a router port, where that isn't the main one."""

    table = Template(100, "inport == {port:lport}", "reg7 = {table:int}; next;")


_WAY4 = (
    "reg9[9] = 1; reg0 = {nexthop:ip4}; reg5 = {source:ip4}; eth.src = {mac:mac}; "
    "outport = {port:lport}; flags.loopback = 1; next;"
)
_WAY6 = (
    "reg9[9] = 0; xxreg0 = {nexthop:ip6}; xxreg1 = {source:ip6}; eth.src = {mac:mac}; "
    "outport = {port:lport}; flags.loopback = 1; next;"
)
_TO4, _TO6 = (f"ip{n}.dst == {{prefix:cidr{n}}} && reg7 == {{table:int}}" for n in (4, 6))
_FROM4, _FROM6 = (f"ip{n}.src == {{prefix:cidr{n}}} && reg7 == {{table:int}}" for n in (4, 6))
_SPREAD = "ip.ttl--; reg9[14] = 1; reg8[16..31] = select({members:weights});"
_SPREAD_WATCHED = "ip.ttl--; reg9[14] = 1; reg8[16..31] = select({members:watched});"
_ALIVE = Alive("members")


class LrInIpRouting(
    Stage, name="lr_in_ip_routing", default="drop", role=Role.ROUTING, because=NO_ROUTE
):
    """The longest prefix that holds the destination chooses next hop and output port.

    Static routes are in tables; packets find those of the table that the router port
    names by which they came in. Among equal prefixes a static route that overrides comes
    first, then a connected network, a static route, one that was learned, and at last one
    by source address. What has a link-local address stays on its link
    (RFC 4291 section 2.5.6), whatever other routes there are.

    Where several routes are equal in all that, packets are spread over them. Routes that go by a
    BFD session are there while that is up.
    """

    ON_LINK, OFF_LINK = 2000, 1900
    """Above those of all prefixes."""

    SCALE = 8
    BY_SOURCE, LEARNED, STATIC, CONNECTED, OVERRIDE = 0, 2, 4, 6, 7
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
    static4 = Template(Priority(0, "rank"), _TO4, f"ip.ttl--; {_WAY4}")
    static4_via6 = Template(Priority(0, "rank"), _TO4, f"ip.ttl--; {_WAY6}")
    static6 = Template(Priority(0, "rank"), _TO6, f"ip.ttl--; {_WAY6}")
    spread4 = Template(Priority(0, "rank"), _TO4, _SPREAD)
    spread6 = Template(Priority(0, "rank"), _TO6, _SPREAD)
    watched4 = Template(Priority(0, "rank"), _TO4, f"ip.ttl--; {_WAY4}", _ALIVE)
    watched4_via6 = Template(Priority(0, "rank"), _TO4, f"ip.ttl--; {_WAY6}", _ALIVE)
    watched6 = Template(Priority(0, "rank"), _TO6, f"ip.ttl--; {_WAY6}", _ALIVE)
    spread_watched4 = Template(Priority(0, "rank"), _TO4, _SPREAD_WATCHED, _ALIVE)
    spread_watched6 = Template(Priority(0, "rank"), _TO6, _SPREAD_WATCHED, _ALIVE)
    discard4 = Template(Priority(0, "rank"), _TO4, "drop;", because=DISCARDED)
    discard6 = Template(Priority(0, "rank"), _TO6, "drop;", because=DISCARDED)
    by_source4 = Template(Priority(0, "rank"), _FROM4, f"ip.ttl--; {_WAY4}")
    by_source4_via6 = Template(Priority(0, "rank"), _FROM4, f"ip.ttl--; {_WAY6}")
    by_source6 = Template(Priority(0, "rank"), _FROM6, f"ip.ttl--; {_WAY6}")
    spread_by_source4 = Template(Priority(0, "rank"), _FROM4, _SPREAD)
    spread_by_source6 = Template(Priority(0, "rank"), _FROM6, _SPREAD)
    watched_by_source4 = Template(Priority(0, "rank"), _FROM4, f"ip.ttl--; {_WAY4}", _ALIVE)
    watched_by_source4_via6 = Template(Priority(0, "rank"), _FROM4, f"ip.ttl--; {_WAY6}", _ALIVE)
    watched_by_source6 = Template(Priority(0, "rank"), _FROM6, f"ip.ttl--; {_WAY6}", _ALIVE)
    spread_watched_by_source4 = Template(Priority(0, "rank"), _FROM4, _SPREAD_WATCHED, _ALIVE)
    spread_watched_by_source6 = Template(Priority(0, "rank"), _FROM6, _SPREAD_WATCHED, _ALIVE)
    discard_by_source4 = Template(Priority(0, "rank"), _FROM4, "drop;", because=DISCARDED)
    discard_by_source6 = Template(Priority(0, "rank"), _FROM6, "drop;", because=DISCARDED)


class LrInIpRoutingEcmp(Stage, name="lr_in_ip_routing_ecmp", role=Role.ROUTING, failure="drop"):
    """Next hop and output port of the route that was chosen among several."""

    member4 = Template(100, "reg9[14] == 1 && reg8[16..31] == {number:int}", _WAY4)
    member6 = Template(100, "reg9[14] == 1 && reg8[16..31] == {number:int}", _WAY6)
