"""Egress of a logical switch: what reaches the output port, on that port's chassis.

The ACL stages have registers of their own, see :mod:`translator.pipeline.acl`.
"""

from logical_flow.roles import Role
from logical_flow.template import Pipeline, Stage, Template
from translator.pipeline.acl import TIERS, acl_action, acl_eval, acl_pre, acl_state

LsOutAclPre = acl_pre("egress")
LsOutAclState = acl_state("egress")
LS_OUT_ACL_EVAL = tuple(acl_eval("egress", tier) for tier in range(TIERS))
LsOutAclAction = acl_action("egress")


class LsOutPortSecIp(Stage, name="ls_out_port_sec_ip", role=Role.PORT_SECURITY):
    """Port security on destination IP addresses.

    Only for MAC addresses that are secured together with IP addresses. Multicast and
    the broadcast addresses reach them too.
    """

    destination4 = Template(
        90, "outport == {port:lport} && eth.dst == {mac:mac} && ip4.dst == {ip:cidr4}", "next;"
    )
    multicast4 = Template(
        90,
        "outport == {port:lport} && eth.dst == {mac:mac} "
        "&& ip4.dst == {255.255.255.255, 224.0.0.0/4}",
        "next;",
    )
    destination6 = Template(
        90, "outport == {port:lport} && eth.dst == {mac:mac} && ip6.dst == {ip:cidr6}", "next;"
    )
    multicast6 = Template(
        90, "outport == {port:lport} && eth.dst == {mac:mac} && ip6.dst == ff00::/8", "next;"
    )
    other = Template(80, "outport == {port:lport} && eth.dst == {mac:mac} && ip", "drop;")


class LsOutPortSecL2(Stage, name="ls_out_port_sec_l2", default="drop", role=Role.PORT_SECURITY):
    """Port security on the destination MAC address, and delivery.

    A port that is disabled has no flow here but the one that keeps multicast from it.
    """

    disabled = Template(150, "outport == {port:lport}", "drop;")
    multicast = Template(100, "eth.mcast", "output;")
    any_destination = Template(50, "outport == {port:lport}", "output;")
    destination = Template(50, "outport == {port:lport} && eth.dst == {mac:mac}", "output;")


LS_OUT = Pipeline(
    "ls_out",
    kind="ls",
    direction="egress",
    stages=[
        LsOutAclPre,
        LsOutAclState,
        *LS_OUT_ACL_EVAL,
        LsOutAclAction,
        LsOutPortSecIp,
        LsOutPortSecL2,
    ],
)
