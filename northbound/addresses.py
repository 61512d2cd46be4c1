"""The address strings of switch ports, read strictly and written canonically.

Canonical means lower-case MAC addresses with colons, IPv4 as four decimal
numbers, IPv6 as RFC 5952 has it, and IPv4 before IPv6. Two ways to write the
same address thus are equal strings everywhere behind the service layer.
"""

import ipaddress
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from logical_flow import addresses

_MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")
_LINK_LOCAL = ipaddress.IPv6Network("fe80::/64")
_ALIASES = {"unknown", "router"}

_NO_HOSTS4 = tuple(map(ipaddress.IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4")))
_NO_HOSTS6 = tuple(map(ipaddress.IPv6Network, ("::/127", "ff00::/8")))

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class PortAddress(NamedTuple):
    """One element of a port's ``addresses``.

    `alias` is ``unknown`` or ``router`` where the element is that word. A MAC
    address or the IPv4/IPv6 addresses may be left to address management
    (`dynamic_mac`, `dynamic_ip`).
    """

    mac: str | None = None
    ips: tuple[str, ...] = ()
    dynamic_mac: bool = False
    dynamic_ip: bool = False
    alias: str | None = None

    @property
    def dynamic(self) -> bool:
        return self.dynamic_mac or self.dynamic_ip

    def __str__(self) -> str:
        if self.alias:
            return self.alias
        words = ["dynamic" if self.mac is None else self.mac, *self.ips]
        if self.dynamic_ip and self.mac is not None:
            words.append("dynamic")
        return " ".join(words)


def parse_mac(text: str) -> str:
    """The canonical form of a unicast MAC address.

    >>> parse_mac("0A-00-00-00-00-01")
    '0a:00:00:00:00:01'
    """
    mac = text.strip().lower().replace("-", ":")
    if not _MAC.fullmatch(mac):
        raise ValueError(f"{text!r} is not a MAC address")
    if int(mac[:2], 16) & 1:
        raise ValueError(f"{text!r} is a multicast MAC address")
    if mac == "00:00:00:00:00:00":
        raise ValueError("a MAC address of zeros names nobody")
    return mac


def parse_host(text: str) -> Address:
    """A unicast IP address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an IP address") from None
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None:
        raise ValueError(f"{text!r} has a scope, which has no meaning here")
    if reason := _why_no_host(address):
        raise ValueError(f"{text!r} is {reason}, not the address of a host")
    return address


def _why_no_host(address: Address) -> str | None:
    """What `address` is where no host on a network can have it (RFC 1122 3.2.1.3, RFC 4291)."""
    if address.is_multicast:
        return "a multicast address"
    if address.is_loopback:
        return "a loopback address"
    if address.is_unspecified:
        return "the unspecified address"
    if address.version == 4 and int(address) >> 24 == 0:
        return "an address of 'this network'"
    if address.version == 4 and int(address) == 0xFFFFFFFF:
        return "the broadcast address"
    return None


def parse_network(text: str, *, strict: bool = True) -> Network:
    """A network in CIDR notation; `strict` refuses bits set behind the prefix."""
    try:
        return ipaddress.ip_network(text, strict=strict)
    except ValueError as error:
        raise ValueError(str(error)) from None


def parse_host_network(text: str) -> Network:
    """A network all of whose addresses hosts may have, in CIDR notation."""
    network = parse_network(text)
    reserved = _NO_HOSTS4 if network.version == 4 else _NO_HOSTS6
    for other in reserved:
        if network.overlaps(other):
            raise ValueError(f"{text!r} has addresses of {other} in it, which no host can have")
    return network


def parse_interface(text: str) -> str:
    """An address with the prefix length of its network: ``10.0.0.1/24``."""
    if "/" not in text:
        raise ValueError(f"{text!r} lacks a prefix length")
    try:
        interface = ipaddress.ip_interface(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an address with a prefix length") from None
    parse_host(str(interface.ip))
    network = interface.network
    if network.version == 4 and network.prefixlen < 31:
        if interface.ip == network.network_address:
            raise ValueError(f"{text!r} is a network, not an address in it")
        if interface.ip == network.broadcast_address:
            raise ValueError(f"{text!r} is the broadcast address of its network")
    return interface.with_prefixlen


@lru_cache(maxsize=8192)
def parse_port_address(text: str) -> PortAddress:
    """One element of a port's ``addresses``.

    >>> str(parse_port_address("0A:00:00:00:00:01 fd00:0::1 10.0.0.1"))
    '0a:00:00:00:00:01 10.0.0.1 fd00::1'
    >>> parse_port_address("dynamic 10.0.0.7").dynamic_mac
    True
    """
    words = text.split()
    if not words:
        raise ValueError("an empty address; expected a MAC address, 'dynamic' or 'unknown'")
    if words[0] in _ALIASES:
        if len(words) > 1:
            raise ValueError(f"{words[0]!r} stands alone")
        return PortAddress(alias=words[0])
    if words[0] == "dynamic":
        hosts = _hosts(words[1:])
        return PortAddress(ips=hosts, dynamic_mac=True, dynamic_ip=not _has_ip4(hosts))
    mac = parse_mac(words[0])
    if words[1:] == ["dynamic"]:
        return PortAddress(mac=mac, dynamic_ip=True)
    return PortAddress(mac=mac, ips=_hosts(words[1:]))


def parse_port_security(text: str) -> str:
    """One element of a port's ``port_security``, in canonical form.

    A MAC address, then any number of IP addresses and networks. Where the part
    behind the prefix is zero the whole network is meant, else the one host (the
    prefix length then only tells the network's broadcast address).

    >>> parse_port_security("0A:00:00:00:00:01 10.0.0.4/24 10.1.0.0/16 10.0.0.5/32")
    '0a:00:00:00:00:01 10.0.0.4/24 10.0.0.5 10.1.0.0/16'
    """
    words = text.split()
    if not words:
        raise ValueError("an empty element; expected a MAC address")
    mac = parse_mac(words[0])
    interfaces = sorted({_interface(word) for word in words[1:]}, key=lambda i: (i.version, i))
    return " ".join([mac, *(_text(interface) for interface in interfaces)])


def parse_ranges(elements: list[str]) -> list[tuple[int, int]]:
    """IPv4 addresses and ranges (``10.0.0.2..10.0.0.9``) as pairs of numbers, sorted.

    >>> parse_ranges(["10.0.0.9", "0.0.0.1..0.0.0.3"])
    [(1, 3), (167772169, 167772169)]
    """
    return sorted(_range(element) for element in elements)


def canonical_range(text: str) -> str:
    """An element of ``exclude_ips`` in canonical form."""
    low, high = _range(text)
    first, last = ipaddress.IPv4Address(low), ipaddress.IPv4Address(high)
    return str(first) if first == last else f"{first}..{last}"


def eui64(network: ipaddress.IPv6Network, mac: str) -> str:
    """The address that `mac` gives itself in a /64.

    >>> eui64(ipaddress.IPv6Network("fd00::/64"), "0a:00:00:00:00:01")
    'fd00::800:ff:fe00:1'
    """
    prefix = network.network_address.packed[:8]
    return str(ipaddress.IPv6Address(addresses.eui64(prefix, bytes.fromhex(mac.replace(":", "")))))


def link_local(mac: str) -> str:
    """The link-local address that a port with this MAC address answers for (RFC 4291 2.5.6)."""
    return eui64(_LINK_LOCAL, mac)


def _range(text: str) -> tuple[int, int]:
    first, separator, last = text.partition("..")
    try:
        low = ipaddress.IPv4Address(first.strip())
        high = ipaddress.IPv4Address(last.strip()) if separator else low
    except ValueError:
        raise ValueError(f"{text!r} is neither an IPv4 address nor a range FIRST..LAST") from None
    if high < low:
        raise ValueError(f"{text!r} ends before it begins")
    return int(low), int(high)


def _hosts(words: list[str]) -> tuple[str, ...]:
    hosts = {parse_host(word) for word in words}
    return tuple(str(host) for host in sorted(hosts, key=lambda a: (a.version, int(a))))


def _has_ip4(hosts: tuple[str, ...]) -> bool:
    return any("." in host for host in hosts)


def _interface(word: str) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface:
    try:
        return ipaddress.ip_interface(word)
    except ValueError:
        raise ValueError(f"{word!r} is neither an IP address nor a network") from None


def _text(interface: ipaddress.IPv4Interface | ipaddress.IPv6Interface) -> str:
    whole = interface.network.prefixlen == interface.max_prefixlen
    return str(interface.ip) if whole else interface.with_prefixlen


def words_of(addresses: list[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The MAC address and IP addresses of each literal element of canonical `addresses`."""
    for element in map(parse_port_address, addresses):
        if element.mac is not None:
            yield element.mac, element.ips
