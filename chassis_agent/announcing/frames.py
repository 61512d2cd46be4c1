"""The frames by which hosts and switches of a network learn where an address is. Pure."""

from chassis_agent.punt import codec
from chassis_agent.punt.codec import (
    ETHERTYPE_ARP,
    ETHERTYPE_IPV6,
    PROTOCOL_ICMP6,
    Arp,
    Ethernet,
    Ip,
)
from logical_flow.addresses import ALL_NODES, multicast_mac

ETHERTYPE_RARP = 0x8035
BROADCAST = b"\xff" * 6
_REQUEST = 1
_REVERSE_REQUEST = 3
_NO_MAC = bytes(6)
_NO_IP = bytes(4)


def announcement(mac: bytes, ip: bytes, *, router: bool) -> bytes:
    """Return the frame that says that `ip` is at `mac`; without an `ip`, that `mac` is here.

    That is a gratuitous ARP request (RFC 5227 section 3), an unsolicited neighbour advertisement
    that overrides what is known (RFC 4861 section 7.2.6), or a RARP request (RFC 903) for
    switches. `router` says whether it is a router that has the address.
    """
    if not ip:
        return _arp(ETHERTYPE_RARP, Arp(_REVERSE_REQUEST, mac, _NO_IP, mac, _NO_IP))
    if len(ip) == 4:
        return _arp(ETHERTYPE_ARP, Arp(_REQUEST, mac, ip, _NO_MAC, ip))
    told = codec.advertisement(ip, mac, router=router, solicited=False)
    packet = Ip(ip, ALL_NODES, PROTOCOL_ICMP6, codec.write_icmp(told, ip, ALL_NODES))
    frame = Ethernet(multicast_mac(ALL_NODES), mac, ETHERTYPE_IPV6, codec.write_ip(packet))
    return codec.write_ethernet(frame)


def _arp(ethertype: int, arp: Arp) -> bytes:
    return codec.write_ethernet(Ethernet(BROADCAST, arp.sha, ethertype, codec.write_arp(arp)))
