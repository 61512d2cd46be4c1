"""The stages of port security, in both directions of a switch."""

from logical_flow.roles import Role
from logical_flow.template import Stage, Template
from translator.features.port_security.reasons import (
    MISDIRECTED,
    NO_DHCP_SERVER,
    NO_ROUTER,
    SPOOFED,
)
from translator.features.reasons import DISABLED, MULTICAST_SOURCE, UNTRANSLATED, VLAN_TAGGED


class LsInPortSecL2(
    Stage, name="ls_in_port_sec_l2", default="drop", role=Role.PORT_SECURITY, because=SPOOFED
):
    """What may enter at all, and from which source MAC address.

    A port that is disabled has no flow here, so nothing enters through it.
    """

    closed = Template(65535, "1", "drop;", because=UNTRANSLATED)
    vlan_tagged = Template(100, "vlan.present", "drop;", because=VLAN_TAGGED)
    multicast_source = Template(100, "eth.src[40]", "drop;", because=MULTICAST_SOURCE)
    any_source = Template(50, "inport == {port:lport}", "next;")
    source = Template(50, "inport == {port:lport} && eth.src == {mac:mac}", "next;")


class LsInPortSecNd(Stage, name="ls_in_port_sec_nd", role=Role.PORT_SECURITY):
    """Port security inside ARP and neighbour discovery, and of what sets up other hosts.

    A port with port security may speak of its own addresses only. Asking whether
    an address is taken (an ARP probe, or a solicitation from ``::``) is no claim to it.
    Neighbour discovery in fragments, which RFC 6980 forbids, can't be looked into: fragments
    of ICMPv6 that have its hop limit are dropped.

    A port with port security is no router, which would advertise itself or redirect hosts,
    and no DHCP server, which would answer clients. Such an answer in fragments can't be told
    from other datagrams, and passes.
    """

    router = Template(
        95,
        "inport == {port:lport} && icmp6.type == {134, 137} && !ip.is_frag",
        "drop;",
        because=NO_ROUTER,
    )
    dhcp_server = Template(
        95,
        "inport == {port:lport} && !ip.is_frag "
        "&& ((ip4 && udp.dst == 68) || (ip6 && udp.dst == 546))",
        "drop;",
        because=NO_DHCP_SERVER,
    )

    arp = Template(
        90, "inport == {port:lport} && eth.src == {mac:mac} && arp.sha == {mac:mac}", "next;"
    )
    arp_from = Template(
        90,
        "inport == {port:lport} && eth.src == {mac:mac} && arp.sha == {mac:mac} "
        "&& arp.spa == {ip:cidr4}",
        "next;",
    )
    arp_probe = Template(
        90,
        "inport == {port:lport} && eth.src == {mac:mac} && arp.sha == {mac:mac} "
        "&& arp.spa == 0.0.0.0 && arp.op == 1",
        "next;",
    )
    solicitation = Template(
        90,
        "inport == {port:lport} && eth.src == {mac:mac} && nd_ns "
        "&& nd.sll == {00:00:00:00:00:00, {mac:mac}}",
        "next;",
    )
    advertisement = Template(
        90,
        "inport == {port:lport} && eth.src == {mac:mac} && nd_na "
        "&& nd.tll == {00:00:00:00:00:00, {mac:mac}}",
        "next;",
    )
    advertisement_of = Template(
        90,
        "inport == {port:lport} && eth.src == {mac:mac} && nd_na "
        "&& nd.tll == {00:00:00:00:00:00, {mac:mac}} && nd.target == {ip:cidr6}",
        "next;",
    )
    other = Template(
        80,
        "inport == {port:lport} && (arp || nd || (icmp6 && ip.ttl == 255 && ip.is_frag))",
        "drop;",
        because=SPOOFED,
    )


class LsInPortSecIp(Stage, name="ls_in_port_sec_ip", role=Role.PORT_SECURITY):
    """Port security on source IP addresses.

    Only for MAC addresses that are secured together with IP addresses. One that has
    none of a family may not speak that family at all. DHCP discovery, duplicate
    address detection and multicast listener reports come before an address does.
    """

    source4 = Template(
        90, "inport == {port:lport} && eth.src == {mac:mac} && ip4.src == {ip:cidr4}", "next;"
    )
    dhcp = Template(
        90,
        "inport == {port:lport} && eth.src == {mac:mac} && ip4.src == 0.0.0.0 "
        "&& ip4.dst == 255.255.255.255 && udp.src == 68 && udp.dst == 67",
        "next;",
    )
    source6 = Template(
        90, "inport == {port:lport} && eth.src == {mac:mac} && ip6.src == {ip:cidr6}", "next;"
    )
    no_source6 = Template(
        90,
        "inport == {port:lport} && eth.src == {mac:mac} && ip6.src == :: "
        "&& ip6.dst == ff02::/16 && icmp6.type == {131, 135, 143} && icmp6.code == 0",
        "next;",
    )
    other = Template(
        80, "inport == {port:lport} && eth.src == {mac:mac} && ip", "drop;", because=SPOOFED
    )


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
    other = Template(
        80, "outport == {port:lport} && eth.dst == {mac:mac} && ip", "drop;", because=MISDIRECTED
    )


class LsOutPortSecL2(
    Stage, name="ls_out_port_sec_l2", default="drop", role=Role.PORT_SECURITY, because=MISDIRECTED
):
    """Port security on the destination MAC address, and delivery.

    A port that is disabled has no flow here but the one that keeps multicast from it.
    """

    disabled = Template(150, "outport == {port:lport}", "drop;", because=DISABLED)
    multicast = Template(100, "eth.mcast", "output;")
    any_destination = Template(50, "outport == {port:lport}", "output;")
    destination = Template(50, "outport == {port:lport} && eth.dst == {mac:mac}", "output;")
