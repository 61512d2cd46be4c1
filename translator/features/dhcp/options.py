"""DHCP options as translation reads them: ready to be sent."""

import ipaddress
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from logical_flow.dhcp_options import DhcpOption, encode_options
from northbound.dhcp import DEFAULT_LEASE_TIME, OPTIONS4, encoded_options
from translator.addresses import Interface, interface, ip_bytes, mac_bytes
from translator.inputs import input_table
from translator.names import Image


class DhcpOptions(NamedTuple):
    """What clients with an address in `network` are told, and who says so."""

    id: str
    network: Interface
    options: tuple[DhcpOption, ...]
    server: bytes
    """Its IP address."""
    server_mac: bytes
    answers_arp: bool
    """Whether the server's address is nobody else's, such as a router's."""

    def encoded(self, *own: DhcpOption) -> bytes:
        """Return the options as an argument of flows; `own` ones take the place of others."""
        codes = {option.code for option in own}
        others = (option for option in self.options if option.code not in codes)
        return encode_options([*others, *own])


def _dhcp_options(image: Image) -> DhcpOptions:
    values: Mapping[str, Any] = image["dhcpv4"] or {}
    network = ipaddress.IPv4Network(image["cidr"])
    routers = values.get("routers", ())
    settled = {
        "netmask": str(network.netmask),
        "lease_time": DEFAULT_LEASE_TIME,
        "server_id": routers[0] if routers else None,
        **values,
    }
    mac = values.get("server_mac")
    return DhcpOptions(
        id=image["id"],
        network=interface(image["cidr"]),
        options=tuple([option for _, option in encoded_options(OPTIONS4, settled)]),
        server=ip_bytes(settled["server_id"]),
        server_mac=mac_bytes(mac) if mac else mac_of(image["id"]),
        answers_arp=settled["server_id"] not in routers,
    )


def mac_of(object_id: str) -> bytes:
    """Return a MAC address that follows from an object's id, of those that are given locally."""
    return b"\x02" + blake2b(object_id.encode(), digest_size=5).digest()


TABLE = input_table("dhcp_options", DhcpOptions, read=_dhcp_options)
