"""The ACL stages, made for both directions of a switch: see the package for how they work."""

from logical_flow.roles import Role
from logical_flow.template import Direction, Priority, Stage, Template
from translator.features.acl.reasons import CONNECTION, HEADERS_CUT_SHORT

TIERS = 4

UNTRACKED_BY_ACL = Priority(1000, "priority")
"""In ``acl_pre``, ACL priorities 0 to 32767 lie at 1000 to 33767."""

REFUSING = Priority(1, "priority", 2)
OTHERWISE = Priority(0, "priority", 2)
"""In ``acl_eval``, ACL priority *n* is *2n + 1* for what drops or rejects, else *2n*."""

EXEMPT_PREDICATES = ("nd", "nd_rs", "nd_ra", "mldv1", "mldv2")
NEIGHBOUR_DISCOVERY = " || ".join(EXEMPT_PREDICATES)
"""What no ACL ever sees."""

_LINE = "name={log_name:bytes}, severity={severity:int}, verdict={verdict:int}"
LOG = f"log({_LINE}); "
METERED = f"log({_LINE}, meter={{meter:meter}}); "
"""A line that counts against a meter of the operator's."""

NEW_OR_UNBLOCKED = "((ct.new && !ct.est) || (ct.est && !ct.rpl && ct_mark.blocked == 1))"
ESTABLISHED_REQUEST = "ct.est && !ct.rpl && ct_mark.blocked == 0"

UNREADABLE, EXEMPT = 65001, 65000
"""Above all ACLs: what they never see."""
SETTLED, UNTRACKED, TRACKED = 111, 110, 100


class AclPre(Stage, name="acl_pre", role=Role.CONNECTION_TRACKING):
    """Which packets are tracked, and which can't be judged.

    Where the headers of an IPv6 packet end too soon, Open vSwitch takes protocol and hop
    limit for 0. Fragments can be cut like that, so that no ACL sees the protocol of what
    their receiver puts together: they are dropped, as RFC 7112 allows.

    Neighbour discovery, router discovery and multicast listener discovery never
    reach an ACL. Multicast and packets from or to a router are looked at untracked:
    the router may see one direction of a connection only. So is what an
    ``allow-stateless`` ACL claims, whatever stateful ones there are. A reply on its
    way out to a router needs no ACL: where it came in it was found to be one.
    """

    unreadable: Template
    self_made: Template
    discovery: Template
    multicast: Template
    router_port: Template
    reply_to_router: Template
    """In the egress pipeline only."""
    hairpin: Template
    """In the egress pipeline only, on switches with load balancers."""
    stateless: Template
    track: Template
    translate: Template
    """On switches with load balancers, in the place of `track`."""


class AclState(Stage, name="acl_state", role=Role.CONNECTION_STATE):
    """What the state of a connection decides by itself.

    Replies and related packets pass while the connection isn't blocked. Invalid
    packets and those of a blocked connection go nowhere, except in the request
    direction: there the ACLs are asked again.
    """

    invalid: Template
    blocked_reply: Template
    blocked_related: Template
    reply: Template
    related: Template


class AclEval(Stage, name="acl_eval", role=Role.ACL):
    """The ACLs of one tier, by priority; whatever they don't decide goes to the next tier.

    A priority of ours is two of the stage's: of ACLs with the same priority those that drop
    or reject decide before those that allow or pass. An ACL whose match asks for ports, ICMP
    types or TCP flags decides on whole packets only, and has one more flow that drops the
    fragments it may concern, unless it allows.
    """

    allow: Template
    allow_labelled: Template
    drop: Template
    reject: Template
    pass_on: Template
    allow_logged: Template
    allow_labelled_logged: Template
    drop_logged: Template
    reject_logged: Template
    pass_on_logged: Template
    allow_metered: Template
    allow_labelled_metered: Template
    drop_metered: Template
    reject_metered: Template
    pass_on_metered: Template


class AclAction(Stage, name="acl_action", role=Role.ACL_VERDICT):
    """What follows from the verdict, for the packet and for its connection."""

    block_and_reject: Template
    block: Template
    reject: Template
    drop: Template
    commit_labelled: Template
    commit: Template
    commit_later: Template
    """In the ingress pipeline only, on switches with load balancers, as are the next ones."""
    block_later: Template
    block_and_reject_later: Template


def acl_pre(direction: Direction) -> type[AclPre]:
    prefix, port = _prefix(direction), _port(direction)
    to_action = f"ct_clear; next({prefix}_acl_action);"

    class Pre(AclPre, name=f"{prefix}_acl_pre"):
        __doc__ = AclPre.__doc__

        unreadable = Template(
            UNREADABLE, "ip6 && ip.proto == 0 && ip.ttl == 0", "drop;", because=HEADERS_CUT_SHORT
        )
        self_made = Template(EXEMPT, "flags[1] == 1", to_action)
        discovery = Template(EXEMPT, NEIGHBOUR_DISCOVERY, to_action)
        multicast = Template(UNTRACKED, "eth.mcast", "ct_clear; next;")
        router_port = Template(UNTRACKED, f"ip && {port} == {{port:lport}}", "ct_clear; next;")
        if direction == "egress":
            hairpin = Template(SETTLED, "flags.hairpin == 1", to_action)
            reply_to_router = Template(
                SETTLED, f"ip && {port} == {{port:lport}} && flags[2] == 1", to_action
            )
        stateless = Template(
            UNTRACKED_BY_ACL,
            "{match:expr}",
            f"ct_clear; next({prefix}_acl_eval_0);",
        )
        track = Template(TRACKED, "ip", "ct_next;")
        translate = Template(TRACKED, "ip", "ct_dnat;")

    return Pre


def acl_state(direction: Direction) -> type[AclState]:
    prefix = _prefix(direction)
    note = "flags[2] = 1; " if direction == "ingress" else ""
    to_action = f"{note}next({prefix}_acl_action);"
    pure = "!ct.new && !ct.inv"

    class State(AclState, name=f"{prefix}_acl_state"):
        __doc__ = AclState.__doc__

        invalid = Template(100, "ct.inv", "drop;", because=CONNECTION)
        blocked_reply = Template(
            100, "ct.est && ct.rpl && ct_mark.blocked == 1", "drop;", because=CONNECTION
        )
        blocked_related = Template(
            100, "ct.rel && !ct.new && ct_mark.blocked == 1", "drop;", because=CONNECTION
        )
        reply = Template(
            90, f"ct.est && !ct.rel && {pure} && ct.rpl && ct_mark.blocked == 0", to_action
        )
        related = Template(90, f"!ct.est && ct.rel && {pure} && ct_mark.blocked == 0", to_action)

    return State


def acl_eval(
    direction: Direction, tier: int, part: str = "acl", decided: str = "action"
) -> type[AclEval]:
    """Return the stage of a tier; with a verdict packets go on to the stage `decided`.

    Stages of the same `part` have names that begin alike.
    """
    prefix = f"{_prefix(direction)}_{part}"
    to_action = f"next({prefix}_{decided});"
    match = "{match:expr}"
    allow_text = to_action
    labelled_text = f"reg0[13] = 1; reg3 = {{label:int}}; {to_action}"
    drop_text = f"reg8[17] = 1; {to_action}"
    reject_text = f"reg8[17..18] = 3; {to_action}"

    class Eval(AclEval, name=f"{prefix}_eval_{tier}"):
        __doc__ = AclEval.__doc__

        allow = Template(OTHERWISE, match, allow_text)
        allow_labelled = Template(OTHERWISE, match, labelled_text)
        drop = Template(REFUSING, match, drop_text)
        reject = Template(REFUSING, match, reject_text)
        pass_on = Template(OTHERWISE, match, "next;")
        allow_logged = Template(OTHERWISE, match, LOG + allow_text)
        allow_labelled_logged = Template(OTHERWISE, match, LOG + labelled_text)
        drop_logged = Template(REFUSING, match, LOG + drop_text)
        reject_logged = Template(REFUSING, match, LOG + reject_text)
        pass_on_logged = Template(OTHERWISE, match, LOG + "next;")
        allow_metered = Template(OTHERWISE, match, METERED + allow_text)
        allow_labelled_metered = Template(OTHERWISE, match, METERED + labelled_text)
        drop_metered = Template(REFUSING, match, METERED + drop_text)
        reject_metered = Template(REFUSING, match, METERED + reject_text)
        pass_on_metered = Template(OTHERWISE, match, METERED + "next;")

    return Eval


def acl_action(direction: Direction) -> type[AclAction]:
    prefix = _prefix(direction)
    mark = "" if direction == "ingress" else " ct_mark.egress = 1;"
    block_text = f"ct_commit {{ ct_mark.blocked = 1;{mark} }};"
    reject_text = _REJECTS[direction]

    class Action(AclAction, name=f"{prefix}_acl_action"):
        __doc__ = AclAction.__doc__

        block_and_reject = Template(
            110, f"reg8[18] == 1 && {ESTABLISHED_REQUEST}", f"{block_text} {reject_text}"
        )
        block = Template(100, f"reg8[17] == 1 && {ESTABLISHED_REQUEST}", block_text)
        reject = Template(90, "reg8[18] == 1", reject_text)
        drop = Template(80, "reg8[17] == 1", "drop;")
        commit_labelled = Template(
            70,
            f"ip && reg0[13] == 1 && {NEW_OR_UNBLOCKED}",
            f"ct_commit {{ ct_mark.blocked = 0;{mark} ct_label[96..127] = reg3; }}; next;",
        )
        commit = Template(
            60, f"ip && {NEW_OR_UNBLOCKED}", f"ct_commit {{ ct_mark.blocked = 0;{mark} }}; next;"
        )
        if direction == "ingress":
            asked = f"reg0[5] == 1 && {ESTABLISHED_REQUEST}"
            block_and_reject_later = Template(
                115, f"reg8[18] == 1 && {asked}", f"reg0[2] = 1; {reject_text} next;"
            )
            block_later = Template(105, f"reg8[17] == 1 && {asked}", "reg0[2] = 1; next;")
            commit_later = Template(60, f"ip && {NEW_OR_UNBLOCKED}", "reg0[1] = 1; next;")

    return Action


class LsInAclCommit(Stage, name="ls_in_acl_commit", role=Role.ACL_VERDICT):
    """Commits connections that were let in, on switches with load balancers.

    One that got a backend is committed already, and is only marked here. One that is to be
    blocked goes no further.
    """

    block = Template(120, "reg0[2] == 1", "ct_commit { ct_mark.blocked = 1; };")
    labelled = Template(
        110,
        "reg0[1] == 1 && reg0[13] == 1",
        "ct_commit { ct_mark.blocked = 0; ct_label[96..127] = reg3; }; next;",
    )
    plain = Template(100, "reg0[1] == 1", "ct_commit { ct_mark.blocked = 0; }; next;")


_REJECTS = {
    "ingress": "reject { outport = inport; flags.loopback = 1; flags[1] = 1; output; };",
    "egress": "reject { outport <-> inport; flags[1] = 1; next(ls_in_l2_lkup); };",
}


def reject_text(direction: Direction) -> str:
    """Return the actions that tell the sender of a packet that it is refused."""
    return _REJECTS[direction]


def _prefix(direction: Direction) -> str:
    return "ls_in" if direction == "ingress" else "ls_out"


def _port(direction: Direction) -> str:
    return "inport" if direction == "ingress" else "outport"


LsInAclPre = acl_pre("ingress")
LsInAclState = acl_state("ingress")
LS_IN_ACL_EVAL = tuple(acl_eval("ingress", tier) for tier in range(TIERS))
LsInAclAction = acl_action("ingress")

LsOutAclPre = acl_pre("egress")
LsOutAclState = acl_state("egress")
LS_OUT_ACL_EVAL = tuple(acl_eval("egress", tier) for tier in range(TIERS))
LsOutAclAction = acl_action("egress")
