"""The stages in which a router is spoken to, and in which packets leave it."""

from typing import Literal

from logical_flow.roles import Role
from logical_flow.template import Local, Resident, Stage, Template
from translator.features.reasons import DISABLED, MULTICAST_SOURCE, UNTRANSLATED, VLAN_TAGGED
from translator.features.router.reasons import (
    BROADCAST_SOURCE,
    EXPIRED,
    MARTIAN,
    MULTICAST,
    NEIGHBOURS_ONLY,
    NOT_ADMITTED,
    NOT_DELIVERED,
    OWN_SOURCE,
    REFUSED,
    UNSPECIFIED,
)
from translator.features.router.refusals import (
    ABORT4,
    ABORT6,
    ECHO6,
    ECHO_REPLY4,
    ECHO_REPLY6,
    LINK_LOCAL6,
    OWN4,
    OWN6,
    PORT_UNREACHABLE4,
    PORT_UNREACHABLE6,
    RESET4,
    RESET6,
    SCTP,
    TCP,
    UDP,
    UNKNOWN_HEADER6,
    UNKNOWN_PROTOCOL4,
)


class LrInAdmission(
    Stage, name="lr_in_admission", default="drop", role=Role.ADMISSION, because=NOT_ADMITTED
):
    """What a router port takes: its own MAC address, and multicast.

    A port that is disabled, or is a port of a disabled router, takes nothing.
    """

    closed = Template(65535, "1", "drop;", because=UNTRANSLATED)
    vlan_tagged = Template(100, "vlan.present", "drop;", because=VLAN_TAGGED)
    multicast_source = Template(100, "eth.src[40]", "drop;", because=MULTICAST_SOURCE)
    multicast = Template(
        50, "inport == {port:lport} && eth.mcast", "xreg0[0..47] = {mac:mac}; next;"
    )
    floating = Template(
        50,
        "inport == {port:lport} && eth.dst == {external_mac:mac}",
        "xreg0[0..47] = {mac:mac}; next;",
        Local("logical_port"),
    )
    unicast = Template(
        50, "inport == {port:lport} && eth.dst == {mac:mac}", "xreg0[0..47] = {mac:mac}; next;"
    )


_ARP_REPLY = (
    "eth.dst = eth.src; eth.src = xreg0[0..47]; "
    "arp.op = 2; arp.tha = arp.sha; arp.sha = xreg0[0..47]; arp.tpa <-> arp.spa; "
    "outport = inport; flags.loopback = 1; output;"
)
_ND = "nd_ns && ip6.dst == {{ip:ip6}, {group:ip6}} && nd.target == {ip:ip6}"
_ASKED_AT = "inport == {port:lport}"
_ND_REPLY = (
    "nd_na_router { eth.src = xreg0[0..47]; ip6.src = nd.target; nd.tll = xreg0[0..47]; "
    "outport = inport; flags.loopback = 1; output; };"
)

_EXPIRED = "ip && ip.ttl == {0, 1}"
_HAS_EXPIRED = "ip.ttl == {0, 1} && !ip.later_frag"
_EXPIRED4, _EXPIRED6 = (f"{_ASKED_AT} && {ip} && {_HAS_EXPIRED}" for ip in ("ip4", "ip6"))
_EXPIRED4_FROM = f"{_ASKED_AT} && ip4.src == {{network:cidr4}} && {_HAS_EXPIRED}"
_EXPIRED6_FROM = f"{_ASKED_AT} && ip6.src == {{network:cidr6}} && {_HAS_EXPIRED}"
_BACK = "outport = inport; flags.loopback = 1; output;"
_ON = "flags.loopback = 1; next(lr_in_unsnat);"


def _tell_expired(family: Literal[4, 6], then: str) -> str:
    """Return the action that tells the sender of a packet that it had no hops left."""
    ip, kind = f"ip{family}", {4: 11, 6: 3}[family]
    return (
        f"icmp{family} {{ eth.dst <-> eth.src; {ip}.dst = {ip}.src; {ip}.src = {{ip:{ip}}}; "
        f"ip.ttl = 254; icmp{family}.type = {kind}; icmp{family}.code = 0; {then} }};"
    )


class LrInIpInput(Stage, name="lr_in_ip_input", role=Role.ANSWERING):
    """What is for the router itself, and what no router forwards.

    Nobody else has the router's addresses; but what it translated to one of them on the chassis
    of its gateway may come in where a floating IP is translated. And from one such chassis another
    is told that hops have ended, where those who asked are behind it.
    """

    martian4 = Template(
        100,
        "ip4.src_mcast || ip4.src == {255.255.255.255, 127.0.0.0/8, 0.0.0.0/8} "
        "|| ip4.dst == {127.0.0.0/8, 0.0.0.0/8, 255.255.255.255}",
        "drop;",
        because=MARTIAN,
    )
    martian6 = Template(
        100, "ip6.src == {::1, ff00::/8} || ip6.dst == ::1", "drop;", because=MARTIAN
    )
    translated_source4 = Template(
        101,
        "inport == {port:lport} && ip4.src == {own:ip4} && ip4.dst == {external:ip4}",
        "next;",
        Local("logical_port"),
    )
    translated_source6 = Template(
        101,
        "inport == {port:lport} && ip6.src == {own:ip6} && ip6.dst == {external:ip6}",
        "next;",
        Local("logical_port"),
    )
    expired_elsewhere4 = Template(
        101, "inport == {port:lport} && ip4.src == {own:ip4} && icmp4.type == 11", "next;"
    )
    expired_elsewhere6 = Template(
        101, "inport == {port:lport} && ip6.src == {own:ip6} && icmp6.type == 3", "next;"
    )
    spoofed4 = Template(100, "ip4.src == {ip:ip4}", "drop;", because=OWN_SOURCE)
    broadcast_source = Template(
        100, "ip4.src == {broadcast:ip4}", "drop;", because=BROADCAST_SOURCE
    )
    spoofed6 = Template(100, "ip6.src == {ip:ip6}", "drop;", because=OWN_SOURCE)

    arp = Template(
        90,
        "inport == {port:lport} && arp.op == 1 && arp.tpa == {ip:ip4} "
        "&& arp.spa == {network:cidr4}",
        _ARP_REPLY,
    )
    arp_probe = Template(
        90,
        "inport == {port:lport} && arp.op == 1 && arp.tpa == {ip:ip4} && arp.spa == 0.0.0.0",
        _ARP_REPLY,
    )
    nd = Template(
        90,
        "inport == {port:lport} && nd_ns && ip6.dst == {{ip:ip6}, {group:ip6}} "
        "&& nd.target == {ip:ip6}",
        _ND_REPLY,
    )
    translated_arp = Template(90, "arp.op == 1 && arp.tpa == {ip:ip4}", _ARP_REPLY)
    translated_arp_resident = Template(
        90,
        "inport == {port:lport} && arp.op == 1 && arp.tpa == {ip:ip4}",
        _ARP_REPLY,
        Resident("redirect"),
    )
    translated_nd_resident = Template(
        90, f"inport == {{port:lport}} && {_ND}", _ND_REPLY, Resident("redirect")
    )
    translated_arp_local = Template(
        91,
        "inport == {port:lport} && arp.op == 1 && arp.tpa == {ip:ip4}",
        "eth.dst = eth.src; eth.src = {mac:mac}; "
        "arp.op = 2; arp.tha = arp.sha; arp.sha = {mac:mac}; arp.tpa <-> arp.spa; "
        "outport = inport; flags.loopback = 1; output;",
        Local("logical_port"),
    )
    translated_nd_local = Template(
        91,
        f"inport == {{port:lport}} && {_ND}",
        "nd_na { eth.src = {mac:mac}; ip6.src = nd.target; nd.tll = {mac:mac}; "
        "outport = inport; flags.loopback = 1; output; };",
        Local("logical_port"),
    )
    translated_arp_at = Template(
        90, "inport == {port:lport} && arp.op == 1 && arp.tpa == {ip:ip4}", _ARP_REPLY
    )
    translated_nd = Template(90, _ND, _ND_REPLY)
    variable_nd = Template(90, "nd_ns && nd.target == {ip:ip6}", _ND_REPLY)
    variable_nd_resident = Template(
        90, f"{_ASKED_AT} && nd_ns && nd.target == {{ip:ip6}}", _ND_REPLY, Resident("redirect")
    )
    balanced_arp = Template(90, f"{_ASKED_AT} && arp.op == 1 && arp.tpa == {{ips:set}}", _ARP_REPLY)
    balanced_nd = Template(90, f"{_ASKED_AT} && nd_ns && nd.target == {{ips:set}}", _ND_REPLY)
    balanced_arp_resident = Template(
        90,
        f"{_ASKED_AT} && arp.op == 1 && arp.tpa == {{ips:set}}",
        _ARP_REPLY,
        Resident("redirect"),
    )
    balanced_nd_resident = Template(
        90,
        f"{_ASKED_AT} && nd_ns && nd.target == {{ips:set}}",
        _ND_REPLY,
        Resident("redirect"),
    )
    ping4 = Template(90, f"{OWN4} && icmp4.type == 8 && icmp4.code == 0", ECHO_REPLY4)
    unspecified6 = Template(89, "ip6.src == ::", "drop;", because=UNSPECIFIED)
    ping6 = Template(88, f"{OWN6} && {ECHO6}", ECHO_REPLY6)
    ping6_link_local = Template(88, f"{LINK_LOCAL6} && {ECHO6}", ECHO_REPLY6)
    other_neighbour = Template(
        85, "arp || rarp || nd || nd_rs || nd_ra", "drop;", because=NEIGHBOURS_ONLY
    )
    multicast = Template(
        82, "eth.mcast || ip4.dst == 224.0.0.0/4 || ip6.dst == ff00::/8", "drop;", because=MULTICAST
    )

    udp4 = Template(80, f"{OWN4} && {UDP}", PORT_UNREACHABLE4, because=REFUSED)
    tcp4 = Template(80, f"{OWN4} && {TCP}", RESET4, because=REFUSED)
    sctp4 = Template(80, f"{OWN4} && {SCTP}", ABORT4, because=REFUSED)
    icmp4 = Template(75, f"{OWN4} && icmp4", "drop;", because=REFUSED)
    protocol4 = Template(70, f"{OWN4} && !ip.later_frag", UNKNOWN_PROTOCOL4, because=REFUSED)
    own4 = Template(60, OWN4, "drop;", because=REFUSED)

    udp6 = Template(80, f"{OWN6} && {UDP}", PORT_UNREACHABLE6, because=REFUSED)
    tcp6 = Template(80, f"{OWN6} && {TCP}", RESET6, because=REFUSED)
    sctp6 = Template(80, f"{OWN6} && {SCTP}", ABORT6, because=REFUSED)
    icmp6 = Template(75, f"{OWN6} && icmp6", "drop;", because=REFUSED)
    protocol6 = Template(70, f"{OWN6} && !ip.later_frag", UNKNOWN_HEADER6, because=REFUSED)
    own6 = Template(60, OWN6, "drop;", because=REFUSED)

    udp6_link_local = Template(80, f"{LINK_LOCAL6} && {UDP}", PORT_UNREACHABLE6, because=REFUSED)
    tcp6_link_local = Template(80, f"{LINK_LOCAL6} && {TCP}", RESET6, because=REFUSED)
    sctp6_link_local = Template(80, f"{LINK_LOCAL6} && {SCTP}", ABORT6, because=REFUSED)
    icmp6_link_local = Template(75, f"{LINK_LOCAL6} && icmp6", "drop;", because=REFUSED)
    protocol6_link_local = Template(
        70, f"{LINK_LOCAL6} && !ip.later_frag", UNKNOWN_HEADER6, because=REFUSED
    )
    own6_link_local = Template(60, LINK_LOCAL6, "drop;", because=REFUSED)

    expired4 = Template(31, _EXPIRED4, _tell_expired(4, _BACK), because=EXPIRED)
    expired4_from = Template(32, _EXPIRED4_FROM, _tell_expired(4, _BACK), because=EXPIRED)
    expired6 = Template(31, _EXPIRED6, _tell_expired(6, _BACK), because=EXPIRED)
    expired6_from = Template(32, _EXPIRED6_FROM, _tell_expired(6, _BACK), because=EXPIRED)
    expired = Template(30, _EXPIRED, "drop;", because=EXPIRED)


class LrInAgain(Stage, name="lr_in_again", role=Role.ANSWERING):
    """What a gateway port has taken in again, that would have left for an address inside.

    It has been looked at once, but a hop is gone since: who sent it is told where none is left.
    The error comes back as a reply would: to who sent it, whatever address that has got.
    """

    expired4 = Template(31, _EXPIRED4, _tell_expired(4, _ON), because=EXPIRED)
    expired4_from = Template(32, _EXPIRED4_FROM, _tell_expired(4, _ON), because=EXPIRED)
    expired6 = Template(31, _EXPIRED6, _tell_expired(6, _ON), because=EXPIRED)
    expired6_from = Template(32, _EXPIRED6_FROM, _tell_expired(6, _ON), because=EXPIRED)
    expired = Template(30, f"inport == {{port:lport}} && {_EXPIRED}", "drop;", because=EXPIRED)


class LrOutDelivery(
    Stage, name="lr_out_delivery", default="drop", role=Role.DELIVERY, because=NOT_DELIVERED
):
    """Hands the packet to what is attached to the router port, unless that is disabled."""

    port = Template(100, "outport == {port:lport}", "output;")
    disabled = Template(100, "outport == {port:lport}", "drop;", because=DISABLED)
