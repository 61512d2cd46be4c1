"""DHCP options as translation reads them: ready to be sent."""

import ipaddress
import struct
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from logical_flow.addresses import link_local
from logical_flow.dhcp_options import DhcpOption, OwnCode, encode_options
from northbound.dhcp import DEFAULT_LEASE_TIME, OPTIONS4, OPTIONS6, encoded_options
from translator.addresses import Interface, interface, ip_bytes, mac_bytes
from translator.inputs import input_table
from translator.names import Image

Values = Mapping[str, Any]

_FOR_EVER = 0xFFFFFFFF
_SERVER_ID6 = 2
_DUID_OF_ETHERNET = b"\0\3\0\1"
"""A DUID that is made of a link-layer address, and the type of Ethernet (RFC 8415 section 11.4)."""


class DhcpOptions(NamedTuple):
    """What clients with an address in `network` are told, and who says so."""

    id: str
    network: Interface
    options: tuple[DhcpOption, ...]
    server: bytes
    """Its IP address."""
    server_mac: bytes
    answers_arp: bool = False
    """Whether the server's address is nobody else's, such as a router's."""

    @property
    def version(self) -> int:
        """4 or 6."""
        return 4 if len(self.server) == 4 else 6

    @property
    def gives_addresses(self) -> bool:
        return all(code != OwnCode.STATELESS for code, _ in self.options)

    def encoded(self, hostname: str) -> bytes:
        """Return the options as an argument of flows, with the name of a client if it has one."""
        form = (OPTIONS4 if self.version == 4 else OPTIONS6)["hostname"]
        if not hostname:
            return encode_options(self.options)
        others = (option for option in self.options if option.code != form.code)
        return encode_options([*others, DhcpOption(form.code, form.encode(hostname))])


def _dhcp_options(image: Image) -> DhcpOptions:
    if ipaddress.ip_network(image["cidr"]).version == 4:
        return _options4(image, image["dhcpv4"] or {})
    return _options6(image, image["dhcpv6"] or {})


def _options4(image: Image, values: Values) -> DhcpOptions:
    network = ipaddress.IPv4Network(image["cidr"])
    routers = values.get("routers", ())
    settled = {
        "netmask": str(network.netmask),
        "lease_time": DEFAULT_LEASE_TIME,
        "server_id": routers[0] if routers else None,
        **values,
    }
    return DhcpOptions(
        id=image["id"],
        network=interface(image["cidr"]),
        options=tuple([option for _, option in encoded_options(OPTIONS4, settled)]),
        server=ip_bytes(settled["server_id"]),
        server_mac=_server_mac(image, values),
        answers_arp=settled["server_id"] not in routers,
    )


def _options6(image: Image, values: Values) -> DhcpOptions:
    mac = _server_mac(image, values)
    return DhcpOptions(
        id=image["id"],
        network=interface(image["cidr"]),
        options=(DhcpOption(_SERVER_ID6, _DUID_OF_ETHERNET + mac), *_said6(values)),
        server=link_local(mac),
        server_mac=mac,
    )


def _said6(values: Values) -> Iterator[DhcpOption]:
    stateless = values.get("stateless", False)
    for name, option in encoded_options(OPTIONS6, values):
        if name != "stateless" or stateless:
            yield option
    if not stateless:
        valid = values.get("valid_lifetime", DEFAULT_LEASE_TIME)
        preferred = values.get("preferred_lifetime", valid)
        rebinding = values.get("rebinding_time", _part(preferred, 4, 5))
        renewal = values.get("renewal_time", min(_part(preferred, 1, 2), rebinding))
        times = struct.pack("!IIII", preferred, valid, renewal, rebinding)
        yield DhcpOption(OwnCode.LIFETIMES, times)


def _part(seconds: int, numerator: int, denominator: int) -> int:
    """Return a part of a time; all times are for ever where that is."""
    return seconds if seconds == _FOR_EVER else seconds * numerator // denominator


def _server_mac(image: Image, values: Values) -> bytes:
    """Return what is said, or else an address given locally that follows from the object's id."""
    if said := values.get("server_mac"):
        return mac_bytes(said)
    return b"\x02" + blake2b(str(image["id"]).encode(), digest_size=5).digest()


TABLE = input_table("dhcp_options", DhcpOptions, read=_dhcp_options)
