"""Addresses as flows carry them: bytes, taken from canonical text.

The text comes from northbound rows, which hold only addresses that were checked
on their way in. What can't be read raises :class:`ValueError` all the same.
"""

from functools import cache
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import NamedTuple

from logical_flow.addresses import LINK_LOCAL_PREFIX

LINK_LOCAL_NETWORK = LINK_LOCAL_PREFIX + bytes(8) + b"\xff" * 8 + bytes(8)
"""fe80::/64 as value and mask."""

_SMALLEST_WITH_BROADCAST = 30


class Interface(NamedTuple):
    """An address of a router port with the length of its network's prefix."""

    ip: bytes
    plen: int

    @property
    def network(self) -> bytes:
        """The network as value and mask."""
        return masked(self.ip, self.plen)


def mac_bytes(text: str) -> bytes:
    """
    >>> mac_bytes("0a:00:00:00:00:01").hex()
    '0a0000000001'
    """
    mac = bytes.fromhex(text.replace(":", ""))
    if len(mac) != 6:
        raise ValueError(f"{text!r} is not a MAC address")
    return mac


def ip_bytes(text: str) -> bytes:
    """
    >>> ip_bytes("10.0.0.1").hex(), len(ip_bytes("fd00::1"))
    ('0a000001', 16)
    """
    try:
        return inet_pton(AF_INET6 if ":" in text else AF_INET, text)
    except OSError:
        raise ValueError(f"{text!r} is not an IP address") from None


def mac_text(mac: bytes) -> str:
    return mac.hex(":")


def ip_text(ip: bytes) -> str:
    """
    >>> ip_text(ip_bytes("fd00::1"))
    'fd00::1'
    """
    return inet_ntop(AF_INET if len(ip) == 4 else AF_INET6, ip)


def interface(text: str) -> Interface:
    """
    >>> interface("10.0.0.1/24")
    Interface(ip=b'\\n\\x00\\x00\\x01', plen=24)
    """
    address, slash, length = text.partition("/")
    ip = ip_bytes(address)
    plen = int(length) if slash else 8 * len(ip)
    if not 0 <= plen <= 8 * len(ip):
        raise ValueError(f"{text!r} has an impossible prefix length")
    return Interface(ip, plen)


@cache
def mask(plen: int, width: int) -> int:
    """The number whose upper `plen` bits of `width` are 1."""
    return ((1 << plen) - 1) << (width - plen)


def masked(ip: bytes, plen: int) -> bytes:
    """The network of `ip` as value and mask.

    >>> masked(ip_bytes("10.0.0.1"), 24).hex()
    '0a000000ffffff00'
    """
    size = len(ip)
    bits = mask(plen, 8 * size)
    return (int.from_bytes(ip) & bits).to_bytes(size) + bits.to_bytes(size)


def host(ip: bytes) -> bytes:
    """The one address `ip` as value and mask."""
    return ip + b"\xff" * len(ip)


def network_text(network: bytes) -> str:
    """A network, given as value and mask.

    >>> network_text(interface("10.0.0.1/24").network)
    '10.0.0.0/24'
    """
    size = len(network) // 2
    return f"{ip_text(network[:size])}/{int.from_bytes(network[size:]).bit_count()}"


def is_within(ip: bytes, network: Interface) -> bool:
    """Whether `ip` is in the network of an interface.

    >>> is_within(ip_bytes("10.0.0.9"), interface("10.0.0.1/24"))
    True
    >>> is_within(ip_bytes("fd00::1"), interface("10.0.0.1/24"))
    False
    """
    size = len(ip)
    if size != len(network.ip):
        return False
    return (int.from_bytes(ip) ^ int.from_bytes(network.ip)) >> (8 * size - network.plen) == 0


def has_broadcast(network: Interface) -> bool:
    """Whether a network has addresses to spare for itself and for broadcasts (RFC 3021).

    >>> has_broadcast(interface("10.0.0.1/30")), has_broadcast(interface("10.0.0.1/31"))
    (True, False)
    """
    return len(network.ip) == 4 and network.plen <= _SMALLEST_WITH_BROADCAST


def broadcast(network: Interface) -> bytes:
    """The broadcast address of an IPv4 network.

    >>> ip_text(broadcast(interface("10.0.0.1/24")))
    '10.0.0.255'
    """
    return (int.from_bytes(network.ip) | (mask(32, 32) ^ mask(network.plen, 32))).to_bytes(4)
