"""What a switch does for all of its ports."""

from incremental import Read
from translator.derivations.relations import unknown_ports
from translator.derivations.result import Flows
from translator.features.acl.flows import switch_acl_flows
from translator.features.port_security.stages import LsInPortSecL2, LsOutPortSecL2
from translator.features.switching.stages import LsInL2Lookup, LsInL2Unknown


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
    flows += switch_acl_flows(read, switch)
    return Flows(switch, "logical_switch", switch, tuple(flows))


def closed_switch_flows(_read: Read, switch: str) -> Flows:
    """What stands in for a switch's flows that could not be derived: nothing enters."""
    return Flows(switch, "logical_switch", switch, (LsInPortSecL2.closed(),))
