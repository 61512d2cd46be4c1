"""What a switch does for all of its ports."""

from collections.abc import Iterator

from incremental import Read
from logical_flow.template import LogicalFlow
from translator.derivations.relations import acls_in_direction, stateful_acls, unknown_ports
from translator.derivations.result import Flows
from translator.pipeline.ls_in import (
    LsInAclAction,
    LsInAclPre,
    LsInAclState,
    LsInL2Lookup,
    LsInL2Unknown,
    LsInPortSecL2,
)
from translator.pipeline.ls_out import (
    LsOutAclAction,
    LsOutAclPre,
    LsOutAclState,
    LsOutPortSecL2,
)


def switch_flows(read: Read, switch: str) -> Flows:
    """
    >>> from incremental import RecordedFacts
    >>> for flow in switch_flows(RecordedFacts({}), "s").flows:
    ...     print(flow)
    table=0(ls_in_port_sec_l2), priority=100, match=(vlan.present), action=(drop;)
    table=0(ls_in_port_sec_l2), priority=100, match=(eth.src[40]), action=(drop;)
    table=13(ls_in_l2_lkup), priority=70, match=(eth.mcast), action=(outport = "_MC_flood"; output;)
    table=8(ls_out_port_sec_l2), priority=100, match=(eth.mcast), action=(output;)
    """
    flows = [
        LsInPortSecL2.vlan_tagged(),
        LsInPortSecL2.multicast_source(),
        LsInL2Lookup.multicast(),
        LsOutPortSecL2.multicast(),
    ]
    if read.any(unknown_ports, switch):
        flows += [LsInL2Lookup.unknown(), LsInL2Unknown.flood(), LsInL2Unknown.learned()]
    if read.any(stateful_acls, switch):
        flows += [*_stateful_flows(), *_verdict_flows()]
    elif any(
        read.any(acls_in_direction, (switch, direction)) for direction in ("from-lport", "to-lport")
    ):
        flows += _verdict_flows()
    return Flows(switch, "logical_switch", switch, tuple(flows))


def closed_switch_flows(_read: Read, switch: str) -> Flows:
    """What stands in for a switch's flows that could not be derived: nothing enters."""
    return Flows(switch, "logical_switch", switch, (LsInPortSecL2.closed(),))


def _verdict_flows() -> Iterator[LogicalFlow]:
    """What makes verdicts of ACLs come true, and what ACLs don't get to see."""
    for pre, action in ((LsInAclPre, LsInAclAction), (LsOutAclPre, LsOutAclAction)):
        yield pre.unreadable()
        yield pre.self_made()
        yield pre.discovery()
        yield action.reject()
        yield action.drop()


def _stateful_flows() -> Iterator[LogicalFlow]:
    """What tracks connections and keeps them in line with the verdicts."""
    for pre, state, action in (
        (LsInAclPre, LsInAclState, LsInAclAction),
        (LsOutAclPre, LsOutAclState, LsOutAclAction),
    ):
        yield pre.multicast()
        yield pre.track()
        yield state.invalid()
        yield state.blocked_reply()
        yield state.blocked_related()
        yield state.reply()
        yield state.related()
        yield action.block_and_reject()
        yield action.block()
        yield action.commit_labelled()
        yield action.commit()
