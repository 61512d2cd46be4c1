"""The rows that translation starts from: intent, with addresses ready for flows.

The northbound hands out *images*: a row as a dictionary with the column names as
keys. :func:`row_of` turns one into the immutable row that the graph's tables hold.
Everything that doesn't influence flows (labels, names of ACLs' authors, …) is left
out, so that changing it dirties nothing.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import Any, NamedTuple

from translator.addresses import (
    Interface,
    broadcast,
    host,
    interface,
    ip_bytes,
    ip_text,
    link_local,
    mac_bytes,
    mac_text,
)

Image = Mapping[str, Any]


class Host(NamedTuple):
    """A MAC address and the IP addresses that go with it."""

    mac: bytes
    ip4: tuple[bytes, ...]
    ip6: tuple[bytes, ...]

    def __str__(self) -> str:
        """As an address string, in canonical form."""
        return " ".join([mac_text(self.mac), *map(ip_text, self.ip4), *map(ip_text, self.ip6)])


class Secured(NamedTuple):
    """What port security allows a MAC address; networks are value and mask.

    Without any network the IP addresses are not restricted. `broadcasts` may
    be received, not sent.
    """

    mac: bytes
    ip4: tuple[bytes, ...]
    ip6: tuple[bytes, ...]
    broadcasts: tuple[bytes, ...]

    @property
    def restricts_ip(self) -> bool:
        return bool(self.ip4 or self.ip6)


class LogicalSwitch(NamedTuple):
    id: str
    name: str
    tunnel_key: int


class LogicalSwitchPort(NamedTuple):
    """`hosts` are its addresses, dynamic ones included; `addresses` the same as text."""

    id: str
    switch: str
    name: str
    tunnel_key: int
    enabled: bool
    hosts: tuple[Host, ...]
    addresses: tuple[str, ...]
    takes_unknown: bool
    security: tuple[Secured, ...]
    is_router_type: bool
    router_port: str
    requested_chassis: tuple[str, ...]


class LogicalRouter(NamedTuple):
    id: str
    name: str
    enabled: bool
    tunnel_key: int


class LogicalRouterPort(NamedTuple):
    """`networks4` and `networks6` as declared, without the link-local address."""

    id: str
    router: str
    name: str
    tunnel_key: int
    enabled: bool
    mac: bytes
    networks4: tuple[Interface, ...]
    networks6: tuple[Interface, ...]
    peer: str

    @property
    def networks(self) -> tuple[Interface, ...]:
        return self.networks4 + self.networks6

    @property
    def addresses6(self) -> tuple[bytes, ...]:
        """Its IPv6 addresses, the link-local one last."""
        return (*(network.ip for network in self.networks6), link_local(self.mac))


class StaticRoute(NamedTuple):
    """`nexthop` is empty for a route that discards."""

    id: str
    router: str
    prefix: Interface
    nexthop: bytes
    output_port: str
    by_source: bool


class PortGroup(NamedTuple):
    id: str
    name: str


class PortGroupPort(NamedTuple):
    port_group: str
    port: str


class AddressSet(NamedTuple):
    id: str
    name: str


class AddressSetAddress(NamedTuple):
    address_set: str
    address: str


class Acl(NamedTuple):
    """`switch` or `port_group` is what it is declared on; the other one is empty."""

    id: str
    switch: str
    port_group: str
    direction: str
    tier: int
    priority: int
    match: str
    action: str
    name: str
    log: bool
    severity: str
    meter: str
    label: int


Row = (
    LogicalSwitch
    | LogicalSwitchPort
    | LogicalRouter
    | LogicalRouterPort
    | StaticRoute
    | PortGroup
    | PortGroupPort
    | AddressSet
    | AddressSetAddress
    | Acl
)


def row_of(table: str, image: Image) -> tuple[type[Row], Hashable, Row]:
    """The row that an image stands for, with its type and key.

    Raises :class:`ValueError` for addresses that can't be read.
    """
    read, row_type, key = _READERS[table]
    return row_type, key(image), read(image)


def key_of(table: str, image: Image) -> tuple[type[Row], Hashable]:
    """The type and key of an image's row, for rows that are gone."""
    _, row_type, key = _READERS[table]
    return row_type, key(image)


def _logical_switch(image: Image) -> LogicalSwitch:
    return LogicalSwitch(image["id"], image["name"], image["tunnel_key"])


def _logical_switch_port(image: Image) -> LogicalSwitchPort:
    addresses = _literal_addresses(image)
    hosts = tuple([_host(text) for text in addresses if ":" in text])
    takes_unknown = "unknown" in addresses
    return LogicalSwitchPort(
        id=image["id"],
        switch=image["logical_switch_id"],
        name=image["name"],
        tunnel_key=image["tunnel_key"],
        enabled=image["enabled"],
        hosts=hosts,
        addresses=tuple([str(host) for host in hosts] + ["unknown"] * takes_unknown),
        takes_unknown=takes_unknown,
        security=_security(image["port_security"]),
        is_router_type=image["type"] == "router",
        router_port=image["router_port"] or "",
        requested_chassis=tuple(image["requested_chassis"]),
    )


def _literal_addresses(image: Image) -> list[str]:
    """The addresses with ``dynamic`` ones filled in, and without the word ``router``."""
    dynamic = image["dynamic_addresses"]
    found = []
    for text in image["addresses"]:
        if "dynamic" in text:
            if dynamic:
                found.append(dynamic)
        elif text != "router":
            found.append(text)
    return found


def _host(text: str) -> Host:
    mac, *ips = text.split()
    ip4: tuple[bytes, ...] = ()
    ip6: tuple[bytes, ...] = ()
    for ip in ips:
        if ":" in ip:
            ip6 += (ip_bytes(ip),)
        else:
            ip4 += (ip_bytes(ip),)
    return Host(mac_bytes(mac), ip4, ip6)


def _security(elements: list[str]) -> tuple[Secured, ...]:
    """Port security by MAC address; elements of the same one add up."""
    found: dict[bytes, Secured] = {}
    for element in elements:
        secured = _secured(element)
        other = found.get(secured.mac)
        if other is not None:
            if secured.restricts_ip and other.restricts_ip:
                secured = Secured(
                    secured.mac,
                    other.ip4 + secured.ip4,
                    other.ip6 + secured.ip6,
                    other.broadcasts + secured.broadcasts,
                )
            else:
                secured = Secured(secured.mac, (), (), ())
        found[secured.mac] = secured
    return tuple(found.values())


def _secured(element: str) -> Secured:
    """One element. A zero host part means the whole network, any other the one host."""
    mac, *words = element.split()
    ip4: list[bytes] = []
    ip6: list[bytes] = []
    broadcasts: list[bytes] = []
    for word in words:
        address = interface(word)
        network = address.network
        size = len(address.ip)
        is_network = network[:size] == address.ip
        allowed = network if is_network else host(address.ip)
        if size == 16:
            ip6.append(allowed)
            continue
        ip4.append(allowed)
        if not is_network and address.plen < 31:
            broadcasts.append(host(broadcast(address)))
    return Secured(mac_bytes(mac), tuple(ip4), tuple(ip6), tuple(broadcasts))


def _logical_router(image: Image) -> LogicalRouter:
    return LogicalRouter(image["id"], image["name"], image["enabled"], image["tunnel_key"])


def _logical_router_port(image: Image) -> LogicalRouterPort:
    networks = [interface(text) for text in image["networks"]]
    return LogicalRouterPort(
        id=image["id"],
        router=image["logical_router_id"],
        name=image["name"],
        tunnel_key=image["tunnel_key"],
        enabled=image["enabled"],
        mac=mac_bytes(image["mac"]),
        networks4=tuple(n for n in networks if len(n.ip) == 4),
        networks6=tuple(n for n in networks if len(n.ip) == 16),
        peer=image["peer"] or "",
    )


def _static_route(image: Image) -> StaticRoute:
    nexthop = image["nexthop"]
    return StaticRoute(
        id=image["id"],
        router=image["logical_router_id"],
        prefix=interface(image["ip_prefix"]),
        nexthop=b"" if nexthop == "discard" else ip_bytes(nexthop),
        output_port=image["output_port"] or "",
        by_source=image["policy"] == "src-ip",
    )


def _port_group(image: Image) -> PortGroup:
    return PortGroup(image["id"], image["name"])


def _port_group_port(image: Image) -> PortGroupPort:
    return PortGroupPort(image["port_group_id"], image["logical_switch_port_id"])


def _address_set(image: Image) -> AddressSet:
    return AddressSet(image["id"], image["name"])


def _address_set_address(image: Image) -> AddressSetAddress:
    return AddressSetAddress(image["address_set_id"], image["address"])


def _acl(image: Image) -> Acl:
    logged = image["log"]
    return Acl(
        id=image["id"],
        switch=image["logical_switch_id"] or "",
        port_group=image["port_group_id"] or "",
        direction=image["direction"],
        tier=image["tier"],
        priority=image["priority"],
        match=image["match"],
        action=image["action"],
        name=image["name"] if logged else "",
        log=logged,
        severity=image["severity"] if logged else "",
        meter=(image["meter"] or "") if logged else "",
        label=image["label"],
    )


def _id(image: Image) -> Hashable:
    key: str = image["id"]
    return key


def _port_group_port_key(image: Image) -> Hashable:
    return image["port_group_id"], image["logical_switch_port_id"]


def _address_set_address_key(image: Image) -> Hashable:
    return image["address_set_id"], image["address"]


_READERS: dict[str, tuple[Callable[[Image], Row], type[Row], Callable[[Image], Hashable]]] = {
    "logical_switch": (_logical_switch, LogicalSwitch, _id),
    "logical_switch_port": (_logical_switch_port, LogicalSwitchPort, _id),
    "logical_router": (_logical_router, LogicalRouter, _id),
    "logical_router_port": (_logical_router_port, LogicalRouterPort, _id),
    "static_route": (_static_route, StaticRoute, _id),
    "port_group": (_port_group, PortGroup, _id),
    "port_group_port": (_port_group_port, PortGroupPort, _port_group_port_key),
    "address_set": (_address_set, AddressSet, _id),
    "address_set_address": (
        _address_set_address,
        AddressSetAddress,
        _address_set_address_key,
    ),
    "acl": (_acl, Acl, _id),
}

TABLES = tuple(_READERS)
"""The northbound tables that translation follows."""
