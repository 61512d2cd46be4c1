"""The flows of an ACL on a switch, one in the stage of its tier and one for fragments.

Fragments show no transport fields. An ACL that asks for some decides on whole packets, and
the fragments that it may be about are dropped, unless it is one that allows: see
:mod:`logical_flow.fragments`.
"""

from collections.abc import Iterator
from functools import lru_cache

from incremental import Read
from logical_flow.action import SEVERITIES, VERDICTS
from logical_flow.expression import FALSE
from logical_flow.fragments import doubtful_match, sure_match
from logical_flow.match_parser import parse_match
from logical_flow.template import LogicalFlow, Template
from translator.derivations.result import Flows
from translator.features.acl.after_lb import LS_IN_ACL_AFTER_LB_EVAL, after_lb_flows
from translator.features.acl.copies import LsInAclCopy, LsOutAclCopy, copy_flows, without_exempt
from translator.features.acl.meters import log_meter
from translator.features.acl.names import match_for_flows
from translator.features.acl.relations import (
    acls_after_lb,
    acls_in_direction,
    negating_acls,
    stateful_acls,
)
from translator.features.acl.stages import (
    LS_IN_ACL_EVAL,
    LS_OUT_ACL_EVAL,
    AclEval,
    LsInAclAction,
    LsInAclCommit,
    LsInAclPre,
    LsInAclState,
    LsOutAclAction,
    LsOutAclPre,
    LsOutAclState,
)
from translator.features.load_balancing.relations import vip_placements
from translator.inputs import Acl

_TEMPLATES = {
    "allow": "allow",
    "allow-related": "allow",
    "allow-stateless": "allow",
    "drop": "drop",
    "reject": "reject",
    "pass": "pass_on",
}
"""Which templates of a stage an action uses."""

_VERDICTS = {action: action.partition("-")[0] for action in _TEMPLATES}
"""What is logged of an action."""


def acl_flows(read: Read, placement: tuple[str, str]) -> Flows | None:
    """The flows of an ACL on a switch to which it, or its port group, belongs.

    >>> from incremental import RecordedFacts
    >>> acl = Acl("a", "s", "", "to-lport", 0, 10, "tcp.dst==80", "drop", "", False, "", 0)
    >>> for flow in acl_flows(RecordedFacts({Acl: {"a": acl}}), ("s", "a")).flows:
    ...     print(flow)
    table=...(ls_out_acl_eval_0), priority=21, match=(tcp.dst == 80 && !ip.is_frag), \
action=(reg8[17] = 1; next(ls_out_acl_action);)
    table=...(ls_out_acl_eval_0), priority=21, match=(tcp && ip.is_frag), \
action=(reg8[17] = 1; next(ls_out_acl_action);)
    """
    switch, acl_id = placement
    acl = read(Acl, acl_id)
    if acl is None:
        return None
    acl = acl._replace(match=match_for_flows(read, acl.match, acl.project))
    sure, doubtful = matches_of(acl.match)
    flows = [_verdict_flow(read, acl, acl.action, sure)]
    if doubtful and _TEMPLATES[acl.action] != "allow":
        flows.append(_verdict_flow(read, acl, "drop", doubtful))
    if acl.action == "allow-stateless" and tracks(read, switch):
        flows.append(_untracked_flow(acl))
    return Flows(switch, "acl", acl_id, tuple(flows))


def closed_acl_flows(read: Read, placement: tuple[str, str]) -> Flows | None:
    """Return flows for an ACL that could not be derived, which drop everything.

    It is not known any more what it was to let through or to keep out.
    """
    switch, acl_id = placement
    acl = read(Acl, acl_id)
    if acl is None:
        return None
    flow = _stage(acl).drop(priority=acl.priority, match="1")
    return Flows(switch, "acl", acl_id, (flow,))


def switch_acl_flows(read: Read, switch: str) -> Iterator[LogicalFlow]:
    """Yield the flows that a switch has for all of its ACLs, if any applies on it."""
    for direction, stage in (("from-lport", LsInAclCopy), ("to-lport", LsOutAclCopy)):
        if read.any(negating_acls, (switch, direction, True)):
            yield from copy_flows(stage, with_varying=True)
        elif read.any(negating_acls, (switch, direction, False)):
            yield from copy_flows(stage, with_varying=False)
    balances, decides_late = read.any(vip_placements, switch), read.any(acls_after_lb, switch)
    if decides_late:
        yield from after_lb_flows(tracks=tracks(read, switch), balances=balances)
    if tracks(read, switch):
        yield from _stateful_flows(balances=balances, commits_late=balances or decides_late)
        yield from _verdict_flows()
    elif any(
        read.any(acls_in_direction, (switch, direction)) for direction in ("from-lport", "to-lport")
    ):
        yield from _verdict_flows()


def untracked_port_flows(read: Read, switch: str, port: str) -> Iterator[LogicalFlow]:
    """Yield the flows that keep packets of a port untracked on a stateful switch."""
    if tracks(read, switch):
        yield LsInAclPre.router_port(port=port)
        yield LsOutAclPre.router_port(port=port)
        yield LsOutAclPre.reply_to_router(port=port)


def tracks(read: Read, switch: str) -> bool:
    """Return whether a switch tracks connections: for ACLs, or for load balancers."""
    return read.any(stateful_acls, switch) or read.any(vip_placements, switch)


def _verdict_flows() -> Iterator[LogicalFlow]:
    """Yield the flows that carry out verdicts, and keep from ACLs what they don't see."""
    for pre, action in ((LsInAclPre, LsInAclAction), (LsOutAclPre, LsOutAclAction)):
        yield pre.unreadable()
        yield pre.self_made()
        yield pre.discovery()
        yield action.reject()
        yield action.drop()


def _stateful_flows(*, balances: bool, commits_late: bool) -> Iterator[LogicalFlow]:
    """Yield the flows that track connections and keep them in line with the verdicts.

    Where a load balancer is, connections are translated as they are looked up. A new one that
    enters is committed only once it is known that no load balancer takes it, and that ACLs after
    load balancing let it in.
    """
    for pre, state, action in (
        (LsInAclPre, LsInAclState, LsInAclAction),
        (LsOutAclPre, LsOutAclState, LsOutAclAction),
    ):
        yield pre.multicast()
        yield pre.translate() if balances else pre.track()
        yield state.invalid()
        yield state.blocked_reply()
        yield state.blocked_related()
        yield state.reply()
        yield state.related()
        yield action.block_and_reject()
        yield action.block()
    if balances:
        yield LsOutAclPre.hairpin()
        yield LsInAclAction.block_and_reject_later()
        yield LsInAclAction.block_later()
        yield LsInAclCommit.block()
    if commits_late:
        yield LsInAclAction.commit_later()
        yield LsInAclCommit.labelled()
        yield LsInAclCommit.plain()
    else:
        yield LsInAclAction.commit_labelled()
        yield LsInAclAction.commit()
    yield LsOutAclAction.commit_labelled()
    yield LsOutAclAction.commit()


def _stage(acl: Acl) -> type[AclEval]:
    if acl.apply_after_lb:
        return LS_IN_ACL_AFTER_LB_EVAL[acl.tier]
    stages = LS_IN_ACL_EVAL if acl.direction == "from-lport" else LS_OUT_ACL_EVAL
    return stages[acl.tier]


def _verdict_flow(read: Read, acl: Acl, action: str, match: str) -> LogicalFlow:
    name = _TEMPLATES[action]
    arguments: dict[str, str | int | bytes] = {
        "priority": acl.priority,
        "match": match,
    }
    if acl.label and name == "allow":
        name = "allow_labelled"
        arguments["label"] = acl.label
    if acl.log:
        meter = log_meter(read, acl)
        name += "_logged" if meter is None else "_metered"
        arguments.update(_log_arguments(acl, action))
        if meter is not None:
            arguments["meter"] = str(meter)
    template: Template = getattr(_stage(acl), name)
    return template(**arguments)


def _log_arguments(acl: Acl, action: str) -> Iterator[tuple[str, str | int | bytes]]:
    yield "log_name", acl.name.encode()
    yield "severity", SEVERITIES.index(acl.severity)
    yield "verdict", VERDICTS.index(_VERDICTS[action])


def _untracked_flow(acl: Acl) -> LogicalFlow:
    stage = LsInAclPre if acl.direction == "from-lport" else LsOutAclPre
    return stage.stateless(priority=acl.priority, match=matches_of(acl.match)[0])


@lru_cache(maxsize=4096)
def matches_of(text: str) -> tuple[str, str]:
    """Return the match of what fits for sure, and that of the fragments that perhaps fit.

    >>> matches_of("udp.dst==53")
    ('udp.dst == 53 && !ip.is_frag', 'udp && ip.is_frag')
    >>> matches_of("ip4.src==$web && tcp")
    ('ip4.src == $web && tcp', '')
    """
    match = without_exempt(parse_match(text, negations=True))
    doubtful = doubtful_match(match)
    return str(sure_match(match)), "" if doubtful == FALSE else str(doubtful)
