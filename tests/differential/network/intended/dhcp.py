"""Where answers to DHCP clients differ from OVN's on purpose.

Entries of :mod:`intended`, which says what they are.
"""

from tests.differential.network.undoing import (
    Difference,
    moved,
    reworded,
    without,
)
from translator.features.answering.stages import LsInArpRsp
from translator.features.dhcp.stages import LsInDhcpOptions
from translator.features.switching.stages import LsInL2Lookup

DHCP = (
    Difference(
        "DHCP clients with an address of elsewhere are answered",
        "Who asks all DHCP servers from an address that isn't his here is told so, by a NAK, and "
        "starts anew (RFC 2131 section 4.3.2). OVN doesn't answer him.",
        reworded(
            "ip4.dst == {255.255.255.255, {server:ip4}}",
            "((ip4.src == 0.0.0.0 && ip4.dst == 255.255.255.255) "
            "|| (ip4.src == {ip:ip4} && ip4.dst == {255.255.255.255, {server:ip4}}))",
            LsInDhcpOptions.dhcpv4,
        ),
    ),
    Difference(
        "DHCP passes ACLs",
        "OVN asks the ACLs of a switch before it answers DHCP clients, so that a port that may "
        "send nothing gets no address. Here they are answered first.",
        moved(LsInL2Lookup, LsInDhcpOptions.dhcpv4, LsInDhcpOptions.dhcpv6),
    ),
    Difference(
        "answers of DHCPv6 have a hop limit of their own",
        "It is the 255 of all packets that controllers make. OVN's have that of the question.",
        reworded(
            "ip6.src = {server:ip6};",
            "ip6.src = {server:ip6}; ip.ttl = 64;",
            LsInDhcpOptions.dhcpv6,
        ),
    ),
    Difference(
        "DHCP servers are found by ARP",
        "A client renews its lease at the server that gave it, for which it asks by ARP. Here it "
        "is answered; in OVN nobody answers, unless the address is somebody's.",
        without(LsInArpRsp.dhcp_server),
    ),
)
