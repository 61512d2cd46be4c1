"""The stage that notes which workload speaks for a virtual address."""

from logical_flow.roles import Role
from logical_flow.template import Stage, Template


class LsInVirtualParent(Stage, name="ls_in_virtual_parent", role=Role.LEARNING):
    """Tells the agent which of the parents of a virtual port speaks for its address.

    After port security, which has to let a parent speak for the address, and ACLs.
    """

    arp = Template(
        100,
        "inport == {parent:lport} && ((arp.op == 1 && arp.spa == {ip:ip4} && arp.tpa == {ip:ip4}) "
        "|| (arp.op == 2 && arp.spa == {ip:ip4}))",
        "claim_arp(inport, arp.spa); next;",
    )
    nd = Template(
        100,
        "inport == {parent:lport} && nd_na && nd.target == {ip:ip6}",
        "claim_nd(inport, nd.target); next;",
    )
