"""How DHCP options are called, numbered and encoded: the one table of them.

Values are as a spec has them, in canonical form (:mod:`northbound.specs.dhcp`), and become the
bytes that a client gets. What belongs in the answer but is no option has an own code
(:class:`logical_flow.dhcp_options.OwnCode`).
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from logical_flow.dhcp_options import DhcpOption, OwnCode

LONGEST_VALUE: Final = 1024
"""The most bytes that the value of one option may have."""

LONGEST_OPTIONS: Final = 1200
"""The most bytes that all options together may have, so that they fit one datagram."""

DEFAULT_LEASE_TIME: Final = 43200
"""In seconds, where nothing is said."""

_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?", re.ASCII)
_LONGEST_DOMAIN: Final = 253


def parse_domain(text: str) -> str:
    """Return a domain name in canonical form, without its last dot; raises ValueError.

    >>> parse_domain("Example.COM.")
    'example.com'
    """
    name = text.removesuffix(".").lower()
    if not 1 <= len(name) <= _LONGEST_DOMAIN:
        raise ValueError(f"a domain name has 1 to {_LONGEST_DOMAIN} characters")
    if not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise ValueError(f"{text!r} is no domain name")
    return name


def encode_domain(name: str) -> bytes:
    """Return a domain name as labels (RFC 1035 section 3.1), not compressed.

    >>> encode_domain("a.example")
    b'\\x01a\\x07example\\x00'
    """
    labels = (label.encode() for label in name.split("."))
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


class OptionForm(NamedTuple):
    """An option: its code, and how a value becomes the option's bytes.

    Of one that may be there several times, `encode` takes one element and `each` is set.
    """

    code: int
    encode: Callable[[Any], bytes]
    each: bool = False


def _address(value: str) -> bytes:
    return ipaddress.ip_address(value).packed


def _addresses(values: Sequence[str]) -> bytes:
    return b"".join(map(_address, values))


def _number(size: int) -> Callable[[int], bytes]:
    return lambda value: value.to_bytes(size)


def _flag(value: bool) -> bytes:
    return bytes((value,))


def _text(value: str) -> bytes:
    return value.encode()


def _domains(values: Sequence[str]) -> bytes:
    return b"".join(map(encode_domain, values))


def _classless_routes(routes: Sequence[Mapping[str, str]]) -> bytes:
    """Return routes as RFC 3442 has them: as much of the destination as is significant."""
    encoded = b""
    for route in routes:
        network = ipaddress.IPv4Network(route["destination"])
        significant = (network.prefixlen + 7) // 8
        encoded += bytes((network.prefixlen,)) + network.network_address.packed[:significant]
        encoded += _address(route["nexthop"])
    return encoded


def _routes(routes: Sequence[Mapping[str, str]]) -> bytes:
    return b"".join(_address(each["destination"]) + _address(each["nexthop"]) for each in routes)


def _filters(filters: Sequence[str]) -> bytes:
    networks = map(ipaddress.IPv4Network, filters)
    return b"".join(each.network_address.packed + each.netmask.packed for each in networks)


def _boot_file(boot: Mapping[str, Any]) -> bytes:
    return _number(2)(boot["architecture"]) + _text(
        boot.get("bootfile_name") or boot["bootfile_url"]
    )


OPTIONS4: Final[Mapping[str, OptionForm]] = {
    "server_id": OptionForm(54, _address),
    "lease_time": OptionForm(51, _number(4)),
    "netmask": OptionForm(1, _address),
    "routers": OptionForm(3, _addresses),
    "dns_servers": OptionForm(6, _addresses),
    "domain_name": OptionForm(15, _text),
    "domain_search": OptionForm(119, _domains),
    "hostname": OptionForm(12, _text),
    "mtu": OptionForm(26, _number(2)),
    "broadcast_address": OptionForm(28, _address),
    "renewal_time": OptionForm(58, _number(4)),
    "rebinding_time": OptionForm(59, _number(4)),
    "classless_static_routes": OptionForm(121, _classless_routes),
    "ms_classless_static_routes": OptionForm(249, _classless_routes),
    "static_routes": OptionForm(33, _routes),
    "ntp_servers": OptionForm(42, _addresses),
    "log_servers": OptionForm(7, _addresses),
    "lpr_servers": OptionForm(9, _addresses),
    "swap_server": OptionForm(16, _address),
    "policy_filters": OptionForm(21, _filters),
    "router_solicitation": OptionForm(32, _address),
    "nis_servers": OptionForm(41, _addresses),
    "netbios_name_servers": OptionForm(44, _addresses),
    "netbios_node_type": OptionForm(46, _number(1)),
    "ip_forwarding": OptionForm(19, _flag),
    "router_discovery": OptionForm(31, _flag),
    "ethernet_encapsulation": OptionForm(36, _flag),
    "default_ttl": OptionForm(23, _number(1)),
    "tcp_ttl": OptionForm(37, _number(1)),
    "arp_cache_timeout": OptionForm(35, _number(4)),
    "tcp_keepalive_interval": OptionForm(38, _number(4)),
    "wpad": OptionForm(252, _text),
    "tftp_server": OptionForm(66, _text),
    "tftp_server_addresses": OptionForm(150, _addresses),
    "path_prefix": OptionForm(210, _text),
    "bootfile_name": OptionForm(67, _text),
    "next_server": OptionForm(OwnCode.NEXT_SERVER, _address),
    "bootfile_name_ipxe": OptionForm(OwnCode.BOOT_FILE_FOR_IPXE, _text),
    "bootfile_names": OptionForm(OwnCode.BOOT_FILE_FOR_ARCHITECTURE, _boot_file, each=True),
}
"""The options of DHCPv4 by the names of a spec's fields (RFC 2132, RFC 3397, RFC 3442 and others;
252 is of no RFC, 249 Microsoft's, 150 Cisco's)."""


def _domain(value: str) -> bytes:
    """Return a name of a client: one without a dot isn't complete, and so isn't ended."""
    encoded = encode_domain(value)
    return encoded if "." in value else encoded[:-1]


def _ntp_servers(values: Sequence[str]) -> bytes:
    """Return addresses as RFC 5908 section 4.1 has them."""
    return b"".join(b"\0\1\0\x10" + _address(value) for value in values)


def _nothing(_value: bool) -> bytes:
    return b""


OPTIONS6: Final[Mapping[str, OptionForm]] = {
    "preference": OptionForm(7, _number(1)),
    "dns_servers": OptionForm(23, _addresses),
    "domain_search": OptionForm(24, _domains),
    "sntp_servers": OptionForm(31, _addresses),
    "information_refresh_time": OptionForm(32, _number(4)),
    "hostname": OptionForm(39, _domain),
    "ntp_servers": OptionForm(56, _ntp_servers),
    "bootfile_url": OptionForm(59, _text),
    "bootfile_urls": OptionForm(OwnCode.BOOT_FILE_FOR_ARCHITECTURE, _boot_file, each=True),
    "stateless": OptionForm(OwnCode.STATELESS, _nothing),
}
"""The options of DHCPv6 by the names of a spec's fields (RFC 8415 and others)."""

DECIDED6: Final = frozenset({*range(1, 7), *range(8, 21), 25, 26, 61})
"""Codes that are the server's own business, or clients': nobody chooses their bytes."""

DECIDED4: Final = frozenset({0, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 61, 80, 82, 255})
"""Codes that are the server's own business, or have a field: nobody chooses their bytes."""


def encoded_options(
    forms: Mapping[str, OptionForm], values: Mapping[str, Any]
) -> Iterator[tuple[str, DhcpOption]]:
    """Yield the options that `values` say, each with the field that said it.

    ``more_options`` are those that have no name: a code, and bytes in hexadecimal digits.
    """
    for name, form in forms.items():
        value = values.get(name)
        if value is None or value == []:
            continue
        for each in value if form.each else (value,):
            yield name, DhcpOption(form.code, form.encode(each))
    for other in values.get("more_options", ()):
        yield "more_options", DhcpOption(other["code"], bytes.fromhex(other["value"]))
