"""The flows that a switch has for all of its ports."""

from incremental import Read
from translator.derivations.result import Flows
from translator.features.acl.flows import switch_acl_flows
from translator.features.answering.flows import switch_answer_flows
from translator.features.load_balancing.flows import switch_balancing_flows
from translator.features.port_security.flows import closed_switch_flow, switch_security_flows
from translator.features.switching.flows import switch_forwarding_flows
from translator.inputs import LogicalSwitch


def switch_flows(read: Read, switch: str) -> Flows:
    """
    >>> from incremental import RecordedFacts
    >>> for flow in switch_flows(RecordedFacts({}), "s").flows:
    ...     print(flow)
    table=...(ls_in_port_sec_l2), priority=100, match=(vlan.present), action=(drop;)
    table=...(ls_in_port_sec_l2), priority=100, match=(eth.src[40]), action=(drop;)
    table=...(ls_out_port_sec_l2), priority=100, match=(eth.mcast), action=(output;)
    ...(ls_in_l2_lkup), priority=70, match=(eth.mcast), action=(outport = "_MC_flood"; output;)
    """
    row = read(LogicalSwitch, switch)
    passes_tags = row is not None and row.vlan_passthru
    flows = (
        *switch_security_flows(passes_tags=passes_tags),
        *switch_answer_flows(passes_tags=passes_tags),
        *switch_forwarding_flows(read, switch),
        *switch_acl_flows(read, switch),
        *switch_balancing_flows(read, switch),
    )
    return Flows(switch, "logical_switch", switch, flows)


def closed_switch_flows(_read: Read, switch: str) -> Flows:
    """Return flows for a switch that could not be derived, which let nothing enter."""
    return Flows(switch, "logical_switch", switch, (closed_switch_flow(),))
