"""Judges made from ACLs in the form in which the translator makes flows of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from chassis_agent.revocation.verdict import AclJudge
from logical_flow.template import LogicalFlow, Template
from translator.features.acl.after_lb import LS_IN_ACL_AFTER_LB_EVAL, after_lb_flows
from translator.features.acl.stages import (
    LS_IN_ACL_EVAL,
    LS_OUT_ACL_EVAL,
    LsInAclAction,
    LsInAclPre,
    LsInAclState,
    LsOutAclAction,
    LsOutAclPre,
    LsOutAclState,
)
from translator.pipeline import PIPELINES

Acl = tuple[str, int, str, str]
"""Direction, priority, match, verdict."""


def judge(
    *acls: Acl,
    tier: int = 0,
    sets: Mapping[str, Collection[str]] | None = None,
    templates: Iterable[Template] = (),
    after_lb: Iterable[Acl] = (),
) -> AclJudge:
    """A judge of a stateful switch with these ACLs."""
    flows: list[LogicalFlow] = []
    for pre, state, action in (
        (LsInAclPre, LsInAclState, LsInAclAction),
        (LsOutAclPre, LsOutAclState, LsOutAclAction),
    ):
        flows += [pre.track(), pre.discovery(), state.reply(), state.invalid()]
        flows += [action.block(), action.block_and_reject(), action.drop(), action.reject()]
        flows += [action.commit()]
    for direction, priority, match, verdict in acls:
        stages = LS_IN_ACL_EVAL if direction == "from-lport" else LS_OUT_ACL_EVAL
        template = getattr(stages[tier], verdict)
        flows.append(template(priority=priority, match=match))
    flows += after_lb_flows(tracks=True, balances=True) if after_lb else ()
    for _, priority, match, verdict in after_lb:
        template = getattr(LS_IN_ACL_AFTER_LB_EVAL[tier], verdict)
        flows.append(template(priority=priority, match=match))
    declared = [template for pipeline in PIPELINES for template in pipeline.templates]
    return AclJudge(flows, sets, [*declared, *templates])
