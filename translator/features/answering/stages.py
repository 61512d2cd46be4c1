"""The stage in which a switch answers for others."""

from logical_flow.roles import Role
from logical_flow.template import Resident, Stage, Template


class LsInArpRsp(Stage, name="ls_in_arp_rsp", role=Role.ANSWERING):
    """Answers ARP and neighbour solicitation for known addresses, at the asker's chassis.

    An address's own port is not answered: it asks whether anybody else has its
    address. Unicast requests go to whom they are for, as solicitations do that were
    sent to other groups than their target's. A router answers for itself where it
    learns from the question: on ports with unknown addresses. What comes from a provider
    network comes to every chassis that is on it: who is asked for answers for himself there.
    Where
    backends of load balancers are asked from is answered for if it is no port's address. A switch
    that passes VLAN tags on doesn't know in which VLAN somebody is, and answers nothing.
    """

    any_vlan = Template(110, "1", "next;")
    from_outside = Template(100, "inport == {port:lport}", "next;")

    own_arp = Template(100, "inport == {port:lport} && arp.op == 1 && arp.tpa == {ip:ip4}", "next;")
    own_nd = Template(100, "inport == {port:lport} && nd_ns && nd.target == {ip:ip6}", "next;")
    arp_for_router = Template(
        60,
        "inport == {port:lport} && eth.bcast && arp.op == 1 && arp.tpa == {ip:ip4} "
        "&& arp.spa == {network:cidr4}",
        "outport = {router:lport}; output;",
    )
    nd_for_router = Template(
        60,
        "inport == {port:lport} && nd_ns && ip6.dst == {group:ip6} && nd.target == {ip:ip6}",
        "outport = {router:lport}; output;",
    )
    arp = Template(
        50,
        "eth.bcast && arp.op == 1 && arp.tpa == {ip:ip4}",
        "eth.dst = eth.src; eth.src = {mac:mac}; "
        "arp.op = 2; arp.tha = arp.sha; arp.sha = {mac:mac}; "
        "arp.tpa = arp.spa; arp.spa = {ip:ip4}; "
        "outport = inport; flags.loopback = 1; output;",
    )
    dhcp_server = Template(
        40,
        "inport == {port:lport} && eth.bcast && arp.op == 1 && arp.tpa == {ip:ip4}",
        "eth.dst = eth.src; eth.src = {mac:mac}; "
        "arp.op = 2; arp.tha = arp.sha; arp.sha = {mac:mac}; "
        "arp.tpa = arp.spa; arp.spa = {ip:ip4}; "
        "outport = inport; flags.loopback = 1; output;",
        only=Resident("port"),
    )
    prober4 = Template(
        30,
        "inport == {port:lport} && arp.op == 1 && arp.tpa == {ip:ip4}",
        "eth.dst = eth.src; eth.src = {mac:mac}; "
        "arp.op = 2; arp.tha = arp.sha; arp.sha = {mac:mac}; "
        "arp.tpa = arp.spa; arp.spa = {ip:ip4}; "
        "outport = inport; flags.loopback = 1; output;",
        only=Resident("port"),
    )
    prober6 = Template(
        30,
        "inport == {port:lport} && nd_ns && nd.target == {ip:ip6}",
        "nd_na { eth.src = {mac:mac}; ip6.src = {ip:ip6}; nd.target = {ip:ip6}; "
        "nd.tll = {mac:mac}; outport = inport; flags.loopback = 1; output; };",
        only=Resident("port"),
    )
    nd = Template(
        50,
        "nd_ns && ip6.dst == {group:ip6} && nd.target == {ip:ip6}",
        "nd_na { eth.src = {mac:mac}; ip6.src = {ip:ip6}; nd.target = {ip:ip6}; "
        "nd.tll = {mac:mac}; outport = inport; flags.loopback = 1; output; };",
    )
    nd_router = Template(
        50,
        "nd_ns && ip6.dst == {group:ip6} && nd.target == {ip:ip6}",
        "nd_na_router { eth.src = {mac:mac}; ip6.src = {ip:ip6}; nd.target = {ip:ip6}; "
        "nd.tll = {mac:mac}; outport = inport; flags.loopback = 1; output; };",
    )
