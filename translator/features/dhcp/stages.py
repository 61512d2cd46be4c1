"""The stage in which a switch answers DHCP clients."""

from logical_flow.roles import Role
from logical_flow.template import Resident, Stage, Template

_BACK = "outport = inport; flags.loopback = 1; flags[1] = 1; output;"


class LsInDhcpOptions(Stage, name="ls_in_dhcp_options", role=Role.ANSWERING):
    """Answers DHCP clients with the addresses and options of their port, on its chassis.

    Only the port's own MAC address is answered. What a client sends to all servers, or to the
    network's own one, ends here, also where a server says nothing to it.
    """

    dhcpv4 = Template(
        100,
        "inport == {port:lport} && eth.src == {mac:mac} "
        "&& ip4.dst == {255.255.255.255, {server:ip4}} && udp.src == 68 && udp.dst == 67",
        "dhcpv4_reply({ip:ip4}, {options:bytes}) { eth.src = {server_mac:mac}; "
        f"ip4.src = {{server:ip4}}; {_BACK} }};",
        only=Resident("port"),
    )
    dhcpv6 = Template(
        100,
        "inport == {port:lport} && eth.src == {mac:mac} && ip6.dst == ff02::1:2 "
        "&& udp.src == 546 && udp.dst == 547",
        "dhcpv6_reply({ip:ip6}, {options:bytes}) { eth.src = {server_mac:mac}; "
        f"ip6.src = {{server:ip6}}; {_BACK} }};",
        only=Resident("port"),
    )
