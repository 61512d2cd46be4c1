"""The bytes of a router advertisement, after its checksum (RFC 4861 section 4.2).

Numbers are as on the wire: lifetimes are seconds, all bits of one set mean for ever.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from translator.addresses import Interface, ip_bytes

FOREVER: Final = 0xFFFFFFFF
LONGEST_ROUTER_LIFETIME: Final = 65535

_HOP_LIMIT: Final = 64
_MANAGED, _OTHER = 0x80, 0x40
_ON_LINK, _AUTONOMOUS = 0x80, 0x40
_MODES: Final = {
    "slaac": (0, _ON_LINK | _AUTONOMOUS),
    "dhcpv6_stateful": (_MANAGED, _ON_LINK),
    "dhcpv6_stateless": (_OTHER, _ON_LINK | _AUTONOMOUS),
}
"""Flags of the message and of a prefix, by the way in which hosts get addresses."""
_PREFERENCES: Final = {"high": 0b01, "medium": 0b00, "low": 0b11}
_LENGTH_OF_MADE_UP: Final = 64
"""The prefix length in which hosts make addresses up (RFC 4291 section 2.5.1)."""

_SOURCE_LINK_ADDRESS, _PREFIX, _MTU, _ROUTE, _DNS_SERVERS, _DNS_SEARCH = 1, 3, 5, 24, 25, 31


class AdvertisedRoute(NamedTuple):
    """A network behind the router, as an address and the length of its prefix."""

    prefix: Interface
    preference: str
    lifetime: int


class Advertisement(NamedTuple):
    """What a router port tells, beside its networks and its MAC address.

    The intervals are seconds, and 0 for one that only tells those who ask.
    """

    address_mode: str
    preference: str
    lifetime: int
    mtu: int | None
    min_interval: int
    max_interval: int
    dns_servers: tuple[bytes, ...]
    dns_search: tuple[str, ...]
    routes: tuple[AdvertisedRoute, ...]


def read_advertisement(values: Mapping[str, Any] | None) -> Advertisement | None:
    """Read the field of a router port."""
    if values is None:
        return None
    most = values["max_interval"] if values["send_periodic"] else 0
    fewest = _fewest(most, values["min_interval"]) if most else 0
    lifetime = values["lifetime"]
    if lifetime is None:
        lifetime = 3 * most if most else LONGEST_ROUTER_LIFETIME
    return Advertisement(
        address_mode=values["address_mode"],
        preference=values["router_preference"],
        lifetime=lifetime,
        mtu=values["mtu"],
        min_interval=fewest,
        max_interval=most,
        dns_servers=tuple(map(ip_bytes, values["rdnss"])),
        dns_search=tuple(values["dnssl"]),
        routes=tuple(map(_route, values["routes"])),
    )


def _fewest(most: int, said: int | None) -> int:
    """The fewest seconds between two: RFC 4861 section 6.2.1, MinRtrAdvInterval."""
    if said is not None:
        return said
    return max(3, most // 3 if most >= 9 else most * 3 // 4)


def _route(values: Mapping[str, Any]) -> AdvertisedRoute:
    address, _, length = values["prefix"].partition("/")
    prefix = Interface(ip_bytes(address), int(length))
    return AdvertisedRoute(prefix, values["preference"], values["lifetime"])


def message_body(told: Advertisement, mac: bytes, networks: Sequence[Interface]) -> bytes:
    """Return the message of a port with this MAC address in these IPv6 networks."""
    flags, prefix_flags = _MODES[told.address_mode]
    flags |= _PREFERENCES[told.preference] << 3
    head = struct.pack("!BBHII", _HOP_LIMIT, flags, told.lifetime, 0, 0)
    return head + b"".join(_options(told, mac, networks, prefix_flags))


def _options(
    told: Advertisement, mac: bytes, networks: Sequence[Interface], prefix_flags: int
) -> Iterator[bytes]:
    yield bytes((_SOURCE_LINK_ADDRESS, 1)) + mac
    if told.mtu is not None:
        yield struct.pack("!BBHI", _MTU, 1, 0, told.mtu)
    for prefix, length in dict.fromkeys((n.network[:16], n.plen) for n in networks):
        flags = prefix_flags if length == _LENGTH_OF_MADE_UP else prefix_flags & ~_AUTONOMOUS
        yield struct.pack("!BBBBIII", _PREFIX, 4, length, flags, FOREVER, FOREVER, 0) + prefix
    for route in told.routes:
        yield _route_option(route)
    if told.dns_servers:
        size = 1 + 2 * len(told.dns_servers)
        yield struct.pack("!BBHI", _DNS_SERVERS, size, 0, FOREVER) + b"".join(told.dns_servers)
    if told.dns_search:
        names = b"".join(map(dns_labels, told.dns_search))
        names += bytes(-len(names) % 8)
        yield struct.pack("!BBHI", _DNS_SEARCH, 1 + len(names) // 8, 0, FOREVER) + names


def _route_option(route: AdvertisedRoute) -> bytes:
    """RFC 4191 section 2.3: of the prefix only the bytes that it needs."""
    ip, length = route.prefix
    size = (length + 63) // 64
    preference = _PREFERENCES[route.preference] << 3
    head = struct.pack("!BBBBI", _ROUTE, 1 + size, length, preference, route.lifetime)
    return head + ip[: 8 * size]


def dns_labels(name: str) -> bytes:
    """Return a domain name as labels with their lengths (RFC 1035 section 3.1).

    >>> dns_labels("a.bc")
    b'\\x01a\\x02bc\\x00'
    """
    labels = (label.encode("ascii") for label in name.split("."))
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
