"""The stage in which a router answers hosts that look for routers."""

from logical_flow.roles import Role
from logical_flow.template import Stage, Template


class LrInNdRa(Stage, name="lr_in_nd_ra", role=Role.ANSWERING):
    """Answers router solicitations, at the asker's chassis.

    The agent makes the answer of the router port's row.
    """

    solicited = Template(
        50,
        "inport == {port:lport} && nd_rs && ip6.dst == ff02::2",
        "nd_ra { eth.src = {mac:mac}; ip6.src = {ip:ip6}; "
        "outport = inport; flags.loopback = 1; output; };",
    )
