"""The stages of routes."""

from itertools import product

from logical_flow.roles import Role
from logical_flow.template import Alive, Priority, Stage, Template, Variants
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
_ALIVE = Alive("members")


def choice(*, is_watched: bool, is_hashed: bool) -> str:
    """Return the action that puts the number of one of several next hops into a register.

    They are watched where some go by BFD sessions, and hashed where fields are named for it.
    """
    members = "{members:watched}" if is_watched else "{members:weights}"
    fields = ", hash_fields={hash_fields:bytes}" if is_hashed else ""
    return f"reg8[16..31] = select({members}{fields});"


def spread_key(family: int, *, is_watched: bool, is_hashed: bool, by_source: bool) -> str:
    """Return the key of the template that spreads packets over the routes of a group.

    >>> spread_key(4, is_watched=True, is_hashed=False, by_source=True)
    'watched_by_source4'
    """
    parts = {"watched": is_watched, "hashed": is_hashed, "by_source": by_source}
    return "_".join(part for part, has_part in parts.items() if has_part) + str(family)


def _spreading() -> Variants:
    made: dict[str, Template] = {}
    for is_watched, is_hashed, by_source in product((False, True), repeat=3):
        chosen = choice(is_watched=is_watched, is_hashed=is_hashed)
        for family, match in (
            (4, _FROM4 if by_source else _TO4),
            (6, _FROM6 if by_source else _TO6),
        ):
            key = spread_key(
                family, is_watched=is_watched, is_hashed=is_hashed, by_source=by_source
            )
            made[key] = Template(
                Priority(0, "rank"),
                match,
                f"ip.ttl--; reg9[14] = 1; {chosen}",
                _ALIVE if is_watched else None,
            )
    return Variants(made)


_REQUEST = "inport == {{port:lport}} && ip{n}.src == {{prefix:cidr{n}}}"
_REQUEST_BY_SOURCE = "inport == {{port:lport}} && ip{n}.dst == {{prefix:cidr{n}}}"
_LOOK_UP = "ct_next(route);"


class LrInEcmpLookup(Stage, name="lr_in_ecmp_lookup", role=Role.LEARNING, failure="next"):
    """Looks up connections whose replies go back by the way by which their requests came.

    They have a conntrack zone of their own, in which nothing is translated. Requests come in by a
    route's port from where it leads to, and replies are for there.
    """

    request4 = Template(100, _REQUEST.format(n=4), _LOOK_UP)
    request6 = Template(100, _REQUEST.format(n=6), _LOOK_UP)
    request_by_source4 = Template(100, _REQUEST_BY_SOURCE.format(n=4), _LOOK_UP)
    request_by_source6 = Template(100, _REQUEST_BY_SOURCE.format(n=6), _LOOK_UP)
    reply4 = Template(90, _TO4, _LOOK_UP)
    reply6 = Template(90, _TO6, _LOOK_UP)
    reply_by_source4 = Template(90, _FROM4, _LOOK_UP)
    reply_by_source6 = Template(90, _FROM6, _LOOK_UP)


_BEGINS = "ct.trk && !ct.rpl && !ct.rel && !ct.inv"
_REMEMBER = (
    "ct_commit(route) { ct_mark.ecmp_reply_port = {key:int}; "
    "ct_label.ecmp_reply_eth = eth.src; }; next;"
)


class LrInEcmpStateful(Stage, name="lr_in_ecmp_stateful", role=Role.LEARNING, failure="next"):
    """Remembers with each connection by which port its requests come, and from which next hop.

    The last request decides: who is outside may choose another way at any time.
    """

    request4 = Template(100, f"{_REQUEST.format(n=4)} && {_BEGINS}", _REMEMBER)
    request6 = Template(100, f"{_REQUEST.format(n=6)} && {_BEGINS}", _REMEMBER)
    request_by_source4 = Template(100, f"{_REQUEST_BY_SOURCE.format(n=4)} && {_BEGINS}", _REMEMBER)
    request_by_source6 = Template(100, f"{_REQUEST_BY_SOURCE.format(n=6)} && {_BEGINS}", _REMEMBER)


_REPLY = "ct.rpl && ct_mark.ecmp_reply_port == {key:int}"
_BACK = (
    "ip.ttl--; reg9[7] = 1; eth.src = {mac:mac}; eth.dst = ct_label.ecmp_reply_eth; "
    "outport = {port:lport}; flags.loopback = 1; next;"
)


class LrInIpRouting(
    Stage, name="lr_in_ip_routing", default="drop", role=Role.ROUTING, because=NO_ROUTE
):
    """The longest prefix that holds the destination chooses next hop and output port.

    Static routes are in tables; packets find those of the table that the router port
    names by which they came in. Among equal prefixes a static route that overrides comes
    first, then a connected network, a static route, one that was learned, and at last one
    by source address. What has a link-local address stays on its link
    (RFC 4291 section 2.5.6), whatever other routes there are.

    Where several routes are equal in all that, packets are spread over them, by a hash of
    addresses, protocol and ports, or of the fields that all of the routes name. Routes that
    go by a BFD session are there while that is up.

    Replies of connections that came in by a route with symmetric reply go back to the next hop that
    sent the requests, by the port where they came in, whatever other routes there are.
    """

    ON_LINK, OFF_LINK, REPLY = 2000, 1900, 1800
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
    reply4 = Template(REPLY, f"{_REPLY} && {_TO4}", _BACK)
    reply6 = Template(REPLY, f"{_REPLY} && {_TO6}", _BACK)
    reply_by_source4 = Template(REPLY, f"{_REPLY} && {_FROM4}", _BACK)
    reply_by_source6 = Template(REPLY, f"{_REPLY} && {_FROM6}", _BACK)
    static4 = Template(Priority(0, "rank"), _TO4, f"ip.ttl--; {_WAY4}")
    static4_via6 = Template(Priority(0, "rank"), _TO4, f"ip.ttl--; {_WAY6}")
    static6 = Template(Priority(0, "rank"), _TO6, f"ip.ttl--; {_WAY6}")
    spread = _spreading()
    watched4 = Template(Priority(0, "rank"), _TO4, f"ip.ttl--; {_WAY4}", _ALIVE)
    watched4_via6 = Template(Priority(0, "rank"), _TO4, f"ip.ttl--; {_WAY6}", _ALIVE)
    watched6 = Template(Priority(0, "rank"), _TO6, f"ip.ttl--; {_WAY6}", _ALIVE)
    discard4 = Template(Priority(0, "rank"), _TO4, "drop;", because=DISCARDED)
    discard6 = Template(Priority(0, "rank"), _TO6, "drop;", because=DISCARDED)
    by_source4 = Template(Priority(0, "rank"), _FROM4, f"ip.ttl--; {_WAY4}")
    by_source4_via6 = Template(Priority(0, "rank"), _FROM4, f"ip.ttl--; {_WAY6}")
    by_source6 = Template(Priority(0, "rank"), _FROM6, f"ip.ttl--; {_WAY6}")
    watched_by_source4 = Template(Priority(0, "rank"), _FROM4, f"ip.ttl--; {_WAY4}", _ALIVE)
    watched_by_source4_via6 = Template(Priority(0, "rank"), _FROM4, f"ip.ttl--; {_WAY6}", _ALIVE)
    watched_by_source6 = Template(Priority(0, "rank"), _FROM6, f"ip.ttl--; {_WAY6}", _ALIVE)
    discard_by_source4 = Template(Priority(0, "rank"), _FROM4, "drop;", because=DISCARDED)
    discard_by_source6 = Template(Priority(0, "rank"), _FROM6, "drop;", because=DISCARDED)


class LrInIpRoutingEcmp(Stage, name="lr_in_ip_routing_ecmp", role=Role.ROUTING, failure="drop"):
    """Next hop and output port of the route that was chosen among several."""

    member4 = Template(100, "reg9[14] == 1 && reg8[16..31] == {number:int}", _WAY4)
    member6 = Template(100, "reg9[14] == 1 && reg8[16..31] == {number:int}", _WAY6)
