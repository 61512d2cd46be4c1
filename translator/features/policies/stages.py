"""The stages of routing policies."""

from itertools import product

from logical_flow.roles import Role
from logical_flow.template import Alive, Priority, Stage, Template, Variants
from translator.features.policies.reasons import DROPPED
from translator.features.routing.stages import choice

_PRIORITY = Priority(1, "priority")
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
_ALIVE = Alive("members")


def spread_key(family: int, *, is_watched: bool, is_hashed: bool, is_marked: bool) -> str:
    """Return the key of the template that spreads packets over the next hops of a policy.

    >>> spread_key(6, is_watched=False, is_hashed=True, is_marked=True)
    'hashed6_marked'
    """
    parts = {"watched": is_watched, "hashed": is_hashed}
    told = "_".join(part for part, has_part in parts.items() if has_part)
    return f"{told}{family}{'_marked' if is_marked else ''}"


def _spreading() -> Variants:
    made: dict[str, Template] = {}
    for is_watched, is_hashed, is_marked in product((False, True), repeat=3):
        chosen = choice(is_watched=is_watched, is_hashed=is_hashed)
        for family, match in ((4, f"ip4 && {_ASKED}"), (6, _ASKED)):
            key = spread_key(
                family, is_watched=is_watched, is_hashed=is_hashed, is_marked=is_marked
            )
            made[key] = Template(
                _PRIORITY,
                match,
                f"{_MARK if is_marked else ''}reg9[13] = 1; reg8[0..15] = {{number:int}}; {chosen}",
                _ALIVE if is_watched else None,
            )
    return Variants(made)


class LrInPolicy(Stage, name="lr_in_policy", role=Role.ROUTING, failure="drop"):
    """The policies of a router, by chain and priority; what none takes goes by its route.

    Replies that go back by the way by which their requests came aren't asked about.
    """

    reply = Template(65535, "reg9[7] == 1", "next;")
    allow = Template(_PRIORITY, _ASKED, "next;")
    allow_marked = Template(_PRIORITY, _ASKED, f"{_MARK}next;")
    drop = Template(_PRIORITY, _ASKED, "drop;", because=DROPPED)
    jump = Template(_PRIORITY, _ASKED, "reg9[16..31] = {to:int}; next(lr_in_policy);")
    reroute4 = Template(_PRIORITY, f"ip4 && {_ASKED}", _WAY4)
    reroute4_marked = Template(_PRIORITY, f"ip4 && {_ASKED}", f"{_MARK}{_WAY4}")
    reroute6 = Template(_PRIORITY, _ASKED, _WAY6)
    reroute6_marked = Template(_PRIORITY, _ASKED, f"{_MARK}{_WAY6}")
    spread = _spreading()
    reroute_watched4 = Template(_PRIORITY, f"ip4 && {_ASKED}", _WAY4, _ALIVE)
    reroute_watched4_marked = Template(_PRIORITY, f"ip4 && {_ASKED}", f"{_MARK}{_WAY4}", _ALIVE)
    reroute_watched6 = Template(_PRIORITY, _ASKED, _WAY6, _ALIVE)
    reroute_watched6_marked = Template(_PRIORITY, _ASKED, f"{_MARK}{_WAY6}", _ALIVE)


_CHOSEN = "reg9[13] == 1 && reg8[0..15] == {number:int} && reg8[16..31] == {member:int}"


class LrInPolicyEcmp(Stage, name="lr_in_policy_ecmp", role=Role.ROUTING, failure="drop"):
    """The next hop that a policy has chosen among several."""

    member4 = Template(100, _CHOSEN, _WAY4)
    member6 = Template(100, _CHOSEN, _WAY6)
