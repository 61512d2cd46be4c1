"""The stages of routing policies."""

from logical_flow.roles import Role
from logical_flow.template import Alive, Priority, Stage, Template
from translator.features.policies.reasons import DROPPED

_ASKED = "reg9[16..31] == {chain:int} && {match:expr}"
_MARK = "pkt.mark = {mark:int}; "
_WAY4 = (
    "reg9[9] = 1; reg0 = {nexthop:ip4}; reg5 = {source:ip4}; eth.src = {mac:mac}; "
    "outport = {port:lport}; flags.loopback = 1; next;"
)
_WAY6 = (
    "reg9[9] = 0; xxreg0 = {nexthop:ip6}; xxreg1 = {source:ip6}; eth.src = {mac:mac}; "
    "outport = {port:lport}; flags.loopback = 1; next;"
)
_SPREAD = "reg9[13] = 1; reg8[0..15] = {number:int}; reg8[16..31] = select({members:weights});"
_SPREAD_WATCHED = _SPREAD.replace("weights", "watched")
_ALIVE = Alive("members")


class LrInPolicy(Stage, name="lr_in_policy", role=Role.ROUTING, failure="drop"):
    """The policies of a router, by chain and priority; what none takes goes by its route.

    Replies that go back by the way by which their requests came aren't asked about.
    """

    PRIORITY = Priority(1, "priority")

    reply = Template(65535, "reg9[7] == 1", "next;")
    allow = Template(PRIORITY, _ASKED, "next;")
    allow_marked = Template(PRIORITY, _ASKED, f"{_MARK}next;")
    drop = Template(PRIORITY, _ASKED, "drop;", because=DROPPED)
    jump = Template(PRIORITY, _ASKED, "reg9[16..31] = {to:int}; next(lr_in_policy);")
    reroute4 = Template(PRIORITY, f"ip4 && {_ASKED}", _WAY4)
    reroute4_marked = Template(PRIORITY, f"ip4 && {_ASKED}", f"{_MARK}{_WAY4}")
    reroute6 = Template(PRIORITY, _ASKED, _WAY6)
    reroute6_marked = Template(PRIORITY, _ASKED, f"{_MARK}{_WAY6}")
    spread4 = Template(PRIORITY, f"ip4 && {_ASKED}", _SPREAD)
    spread4_marked = Template(PRIORITY, f"ip4 && {_ASKED}", f"{_MARK}{_SPREAD}")
    spread6 = Template(PRIORITY, _ASKED, _SPREAD)
    spread6_marked = Template(PRIORITY, _ASKED, f"{_MARK}{_SPREAD}")
    reroute_watched4 = Template(PRIORITY, f"ip4 && {_ASKED}", _WAY4, _ALIVE)
    reroute_watched4_marked = Template(PRIORITY, f"ip4 && {_ASKED}", f"{_MARK}{_WAY4}", _ALIVE)
    reroute_watched6 = Template(PRIORITY, _ASKED, _WAY6, _ALIVE)
    reroute_watched6_marked = Template(PRIORITY, _ASKED, f"{_MARK}{_WAY6}", _ALIVE)
    spread_watched4 = Template(PRIORITY, f"ip4 && {_ASKED}", _SPREAD_WATCHED, _ALIVE)
    spread_watched4_marked = Template(
        PRIORITY, f"ip4 && {_ASKED}", f"{_MARK}{_SPREAD_WATCHED}", _ALIVE
    )
    spread_watched6 = Template(PRIORITY, _ASKED, _SPREAD_WATCHED, _ALIVE)
    spread_watched6_marked = Template(PRIORITY, _ASKED, f"{_MARK}{_SPREAD_WATCHED}", _ALIVE)


_CHOSEN = "reg9[13] == 1 && reg8[0..15] == {number:int} && reg8[16..31] == {member:int}"


class LrInPolicyEcmp(Stage, name="lr_in_policy_ecmp", role=Role.ROUTING, failure="drop"):
    """The next hop that a policy has chosen among several."""

    member4 = Template(100, _CHOSEN, _WAY4)
    member6 = Template(100, _CHOSEN, _WAY6)
