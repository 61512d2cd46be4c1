"""The stages in which a router learns its neighbours, and asks for the next hop."""

from logical_flow.roles import Role
from logical_flow.template import Stage, Template
from translator.features.neighbours.reasons import NO_NEXT_HOP


class LrInLookupNeighbour(Stage, name="lr_in_lookup_neighbor", role=Role.LEARNING):
    """Whether a neighbour that presents itself is already known like that.

    A router learns addresses in its port's networks, and next hops of routes through the
    port. It learns none that no host has: addresses of its own, network and broadcast ones.

    One that doesn't always learn from questions learns those who ask for its own addresses; of
    others who ask, or tell all hosts where they are, it learns only what has changed.
    """

    asks_for_own4 = Template(
        105,
        "inport == {port:lport} && arp.op == 1 && arp.tpa == {own:ip4} "
        "&& arp.spa == {network:cidr4}",
        "reg9[2] = lookup_arp(inport, arp.spa, arp.sha); reg9[3] = 1; next;",
    )
    asks_for_own6 = Template(
        105,
        "inport == {port:lport} && nd_ns && nd.target == {own:ip6} && ip6.src == {network:cidr6}",
        "reg9[2] = lookup_nd(inport, ip6.src, nd.sll); reg9[3] = 1; next;",
    )
    answers = Template(
        100,
        "inport == {port:lport} && arp.op == 2 && arp.spa == {network:cidr4}",
        "reg9[2] = lookup_arp(inport, arp.spa, arp.sha); reg9[3] = 1; next;",
    )
    asks4 = Template(
        100,
        "inport == {port:lport} && arp.op == 1 && arp.spa == {network:cidr4}",
        "reg9[2] = lookup_arp(inport, arp.spa, arp.sha); "
        "reg9[3] = lookup_arp_ip(inport, arp.spa); next;",
    )
    asks6 = Template(
        100,
        "inport == {port:lport} && nd_ns && ip6.src == {network:cidr6}",
        "reg9[2] = lookup_nd(inport, ip6.src, nd.sll); "
        "reg9[3] = lookup_nd_ip(inport, ip6.src); next;",
    )
    tells_all = Template(
        102,
        "inport == {port:lport} && nd_na && ip6.dst == ff00::/8 && nd.target == {network:cidr6}",
        "reg9[2] = lookup_nd(inport, nd.target, nd.tll); "
        "reg9[3] = lookup_nd_ip(inport, nd.target); next;",
    )

    arp_of_none = Template(110, "inport == {port:lport} && arp.spa == {ip:ip4}", "next;")
    solicitation_of_none = Template(
        110, "inport == {port:lport} && nd_ns && ip6.src == {ip:ip6}", "next;"
    )
    advertisement_of_none = Template(
        110, "inport == {port:lport} && nd_na && nd.target == {ip:ip6}", "next;"
    )
    no_address = Template(110, "nd_ns && nd.sll == 00:00:00:00:00:00", "next;")
    unsolicited = Template(110, "nd_na && nd.tll == 00:00:00:00:00:00", "next;")

    arp = Template(
        100,
        "inport == {port:lport} && arp.op == {1, 2} && arp.spa == {network:cidr4}",
        "reg9[2] = lookup_arp(inport, arp.spa, arp.sha); reg9[3] = 1; next;",
    )
    advertisement = Template(
        100,
        "inport == {port:lport} && nd_na && nd.target == {network:cidr6}",
        "reg9[2] = lookup_nd(inport, nd.target, nd.tll); reg9[3] = 1; next;",
    )
    solicitation = Template(
        100,
        "inport == {port:lport} && nd_ns && ip6.src == {network:cidr6}",
        "reg9[2] = lookup_nd(inport, ip6.src, nd.sll); reg9[3] = 1; next;",
    )


class LrInLearnNeighbour(Stage, name="lr_in_learn_neighbor", role=Role.LEARNING):
    """Learns neighbours that are new or have moved."""

    known = Template(100, "reg9[2] == 1", "next;")
    arp = Template(90, "arp && reg9[3] == 1", "put_arp(inport, arp.spa, arp.sha); next;")
    advertisement = Template(
        90, "nd_na && reg9[3] == 1", "put_nd(inport, nd.target, nd.tll); next;"
    )
    solicitation = Template(90, "nd_ns && reg9[3] == 1", "put_nd(inport, ip6.src, nd.sll); next;")


class LrInArpResolve(
    Stage, name="lr_in_arp_resolve", default="drop", role=Role.NEXT_HOP, because=NO_NEXT_HOP
):
    """The next hop's MAC address: known from intent, declared to override, or learned.

    Replies that go back to who sent their requests have it already.
    """

    reply = Template(200, "reg9[7] == 1", "next;")
    static4 = Template(
        100,
        "outport == {port:lport} && reg9[9] == 1 && reg0 == {ip:ip4}",
        "eth.dst = {mac:mac}; next;",
    )
    static6 = Template(
        100,
        "outport == {port:lport} && reg9[9] == 0 && xxreg0 == {ip:ip6}",
        "eth.dst = {mac:mac}; next;",
    )
    balanced4 = Template(
        100,
        "outport == {port:lport} && reg9[9] == 1 && reg0 == {ips:set}",
        "eth.dst = {mac:mac}; next;",
    )
    balanced6 = Template(
        100,
        "outport == {port:lport} && reg9[9] == 0 && xxreg0 == {ips:set}",
        "eth.dst = {mac:mac}; next;",
    )
    bound4 = Template(
        50,
        "outport == {port:lport} && reg9[9] == 1 && reg0 == {ip:ip4}",
        "eth.dst = {mac:mac}; next;",
    )
    bound6 = Template(
        50,
        "outport == {port:lport} && reg9[9] == 0 && xxreg0 == {ip:ip6}",
        "eth.dst = {mac:mac}; next;",
    )
    learned4 = Template(1, "ip && reg9[9] == 1", "get_arp(outport, reg0); next;")
    learned6 = Template(1, "ip && reg9[9] == 0", "get_nd(outport, xxreg0); next;")


class LrInArpRequest(
    Stage, name="lr_in_arp_request", default="drop", role=Role.NEXT_HOP, because=NO_NEXT_HOP
):
    """Asks for the next hop's MAC address while it isn't known, else sends the packet on.

    A neighbour solicitation goes to the multicast group of its target. By itself that
    is the group of the packet's destination, so next hops of routes are told apart.
    A declared address stands in for one that was not learned.
    """

    bound4 = Template(
        250,
        "outport == {port:lport} && eth.dst == 00:00:00:00:00:00 && reg9[9] == 1 "
        "&& reg0 == {ip:ip4}",
        "eth.dst = {mac:mac}; output;",
    )
    bound6 = Template(
        250,
        "outport == {port:lport} && eth.dst == 00:00:00:00:00:00 && reg9[9] == 0 "
        "&& xxreg0 == {ip:ip6}",
        "eth.dst = {mac:mac}; output;",
    )
    nd_for_next_hop = Template(
        200,
        "ip && eth.dst == 00:00:00:00:00:00 && reg9[9] == 0 && xxreg0 == {nexthop:ip6}",
        "nd_ns { eth.dst = {group_mac:mac}; ip6.src = xxreg1; ip6.dst = {group:ip6}; "
        "nd.target = xxreg0; output; };",
    )
    arp = Template(
        100,
        "ip4 && eth.dst == 00:00:00:00:00:00 && reg9[9] == 1",
        "arp { eth.dst = ff:ff:ff:ff:ff:ff; arp.spa = reg5; arp.tpa = reg0; arp.op = 1; output; };",
    )
    nd = Template(
        100,
        "ip6 && eth.dst == 00:00:00:00:00:00 && reg9[9] == 0",
        "nd_ns { ip6.src = xxreg1; nd.target = xxreg0; output; };",
    )
    resolved = Template(0, "1", "output;")
