"""The stages of ACLs after load balancing, which see the backend that a connection has.

They stand between the choice of a backend and the commit of connections, and are as those before:
tiers, then what follows from the verdict. What ACLs before load balancing have blocked, what
state alone decides and what no ACL sees go past them.

A connection to a virtual address is committed as it gets its backend. So one that is denied here
is marked as blocked though it is new, and whoever is refused is told by the virtual address.
"""

from collections.abc import Iterator

from logical_flow.roles import Role
from logical_flow.template import LogicalFlow, Stage, Template, Variants
from translator.features.acl.stages import (
    ESTABLISHED_REQUEST,
    NEIGHBOUR_DISCOVERY,
    TIERS,
    acl_eval,
    reject_text,
)
from translator.features.load_balancing.stages import BACK4, BACK6, NO_PORT_TOLD

_PAST = "next(ls_in_acl_commit);"


class LsInAclAfterLbPre(Stage, name="ls_in_acl_after_lb_pre", role=Role.CONNECTION_STATE):
    """Keeps from ACLs after load balancing what they have not to decide."""

    settled = Template(100, "flags[2] == 1", _PAST)
    blocked = Template(100, "reg0[2] == 1", _PAST)
    self_made = Template(100, "flags[1] == 1", _PAST)
    discovery = Template(100, NEIGHBOUR_DISCOVERY, _PAST)


LS_IN_ACL_AFTER_LB_EVAL = tuple(
    acl_eval("ingress", tier, part="acl_after_lb", decided="asked") for tier in range(TIERS)
)


_REFUSED = "reg8[18] == 1 && ct.dnat && !ct.rpl"
_ADDRESS4 = "reg1 = ct_nw_dst;"
_ADDRESS6 = (
    "reg1 = ct_ip6_dst[96..127]; reg2 = ct_ip6_dst[64..95]; reg4 = ct_ip6_dst[32..63]; "
    "reg7 = ct_ip6_dst[0..31];"
)


class LsInAclAfterLbAsked(Stage, name="ls_in_acl_after_lb_asked", role=Role.ACL_VERDICT):
    """Keeps in registers what the client asked for that is to be told that it is refused.

    A switch knows no more of a packet's connection once that has been marked.
    """

    untold4 = Template(
        110,
        f"{_REFUSED} && ip4 && {NO_PORT_TOLD}",
        f"reg0[7] = 1; reg0[16..31] = sctp.dst; {_ADDRESS4} next;",
    )
    untold6 = Template(
        110,
        f"{_REFUSED} && ip6 && {NO_PORT_TOLD}",
        f"reg0[7] = 1; reg0[16..31] = sctp.dst; {_ADDRESS6} next;",
    )
    refused4 = Template(
        100,
        f"{_REFUSED} && ip4",
        f"reg0[7] = 1; reg0[16..31] = ct_tp_dst; {_ADDRESS4} next;",
    )
    refused6 = Template(
        100,
        f"{_REFUSED} && ip6",
        f"reg0[7] = 1; reg0[16..31] = ct_tp_dst; {_ADDRESS6} next;",
    )


class LsInAclAfterLbBlock(Stage, name="ls_in_acl_after_lb_block", role=Role.ACL_VERDICT):
    """Marks connections that are denied, while their packet has its backend."""

    established = Template(
        100,
        f"reg8[17] == 1 && {ESTABLISHED_REQUEST}",
        "ct_commit { ct_mark.blocked = 1; }; next;",
    )
    balanced = Template(
        100,
        "reg8[17] == 1 && ct.new && ct.dnat && ct_mark.blocked == 0",
        "ct_commit { ct_mark.blocked = 1; }; next;",
    )


_REJECT = reject_text("ingress")
_WITH_PORT, _WITHOUT_PORT, _AS_IT_IS, _DROP = 110, 100, 90, 80


def _rejects_as_asked() -> Variants:
    """Return the templates that tell clients by the address and port which they asked for."""
    made: dict[str, Template] = {}
    for family, address in ((4, BACK4), (6, BACK6)):
        match = f"reg8[18] == 1 && reg0[7] == 1 && ip{family}"
        for protocol in ("tcp", "udp", "sctp"):
            made[f"{protocol}{family}"] = Template(
                _WITH_PORT,
                f"{match} && {protocol}",
                f"{address} {protocol}.dst = reg0[16..31]; {_REJECT}",
            )
        made[f"any{family}"] = Template(_WITHOUT_PORT, match, f"{address} {_REJECT}")
    return Variants(made)


class LsInAclAfterLbAction(Stage, name="ls_in_acl_after_lb_action", role=Role.ACL_VERDICT):
    """Ends what is denied, and tells who is refused."""

    reject_as_asked = _rejects_as_asked()
    reject = Template(_AS_IT_IS, "reg8[18] == 1", _REJECT)
    drop = Template(_DROP, "reg8[17] == 1", "drop;")


def after_lb_flows(*, tracks: bool, balances: bool) -> Iterator[LogicalFlow]:
    """Yield the flows of a switch that has such ACLs."""
    yield LsInAclAfterLbPre.self_made()
    yield LsInAclAfterLbPre.discovery()
    yield LsInAclAfterLbAction.reject()
    yield LsInAclAfterLbAction.drop()
    if tracks:
        yield LsInAclAfterLbPre.settled()
        yield LsInAclAfterLbBlock.established()
    if balances:
        yield LsInAclAfterLbPre.blocked()
        for template in LsInAclAfterLbAsked.templates:
            yield template()
        yield LsInAclAfterLbBlock.balanced()
        for template in LsInAclAfterLbAction.reject_as_asked.values():
            yield template()
