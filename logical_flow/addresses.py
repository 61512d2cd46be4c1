"""Addresses that follow from others: what IPv6 makes of MAC addresses and of groups.

As bytes, which is how packets and flows carry them. There is no other place that makes them.
"""

LINK_LOCAL_PREFIX = bytes.fromhex("fe80000000000000")
ALL_NODES = bytes.fromhex("ff020000000000000000000000000001")
"""The group of all nodes on a link (RFC 4291 2.7.1)."""
_SOLICITED_NODE_PREFIX = bytes.fromhex("ff0200000000000000000001ff")


def eui64(prefix: bytes, mac: bytes) -> bytes:
    """The IPv6 address that a MAC address gives itself behind a prefix of 8 bytes (RFC 4291, A).

    >>> from ipaddress import IPv6Address
    >>> IPv6Address(eui64(LINK_LOCAL_PREFIX, bytes.fromhex("0a0000000001")))
    IPv6Address('fe80::800:ff:fe00:1')
    """
    return prefix + bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:]


def link_local(mac: bytes) -> bytes:
    """The link-local IPv6 address that a MAC address gives itself (RFC 4291 2.5.6)."""
    return eui64(LINK_LOCAL_PREFIX, mac)


def solicited_node(ip: bytes) -> bytes:
    """The group in which the owner of an IPv6 address listens for solicitations (RFC 4291 2.7.1).

    >>> from ipaddress import IPv6Address
    >>> IPv6Address(solicited_node(IPv6Address("fd00::1234:5678").packed))
    IPv6Address('ff02::1:ff34:5678')
    """
    return _SOLICITED_NODE_PREFIX + ip[13:]


def multicast_mac(group: bytes) -> bytes:
    """The MAC address of a multicast group of either family (RFC 1112 6.4, RFC 2464 7).

    >>> from ipaddress import IPv4Address, IPv6Address
    >>> multicast_mac(IPv6Address("ff02::1:ff34:5678").packed).hex(":")
    '33:33:ff:34:56:78'
    >>> multicast_mac(IPv4Address("224.129.2.3").packed).hex(":")
    '01:00:5e:01:02:03'
    """
    if len(group) == 4:
        return b"\x01\x00\x5e" + bytes([group[1] & 0x7F]) + group[2:]
    return b"\x33\x33" + group[12:]
