"""The rows that translation starts from: intent, with addresses ready for flows.

The northbound hands out *images*: a row as a dictionary with the column names as
keys. An :class:`InputTable` turns one into the immutable row that the graph's tables hold.
Where a field is one column, as it is or read by a function, the row's type says so with
:class:`Column` and nothing else is to be written; other rows have a function of their own.
Everything that doesn't influence flows (labels, names of ACLs' authors, …) is left
out, so that changing it dirties nothing.
"""

from collections.abc import Callable, Hashable
from operator import itemgetter
from typing import Annotated, Any, NamedTuple, get_type_hints

from logical_flow.addresses import link_local
from northbound.names import DEFAULT_PROJECT, route_table_number
from southbound.port_types import NESTED, PortKind
from translator.addresses import (
    Interface,
    broadcast,
    host,
    interface,
    ip_bytes,
    ip_text,
    mac_bytes,
    mac_text,
)
from translator.features.router_advertisements.message import Advertisement, read_advertisement
from translator.names import Image, port_image, project_of, qualified_of, set_image
from translator.port_types import SWITCH_PORT_KINDS


class Column(NamedTuple):
    """Where a field of a row comes from: a column of the image, and how its value is read."""

    name: str
    read: Callable[[Any], Any] | None = None


class InputTable(NamedTuple):
    """A northbound table that translation follows, and the rows that become of it.

    `read` raises :class:`ValueError` for addresses that can't be read; `key` never does.
    """

    name: str
    row_type: type[Any]
    read: Callable[[Image], Any]
    key: Callable[[Image], Hashable]


def input_table(
    name: str,
    row_type: type[Any],
    *,
    read: Callable[[Image], Any] | None = None,
    key: tuple[str, ...] = ("id",),
    names: Callable[[Image], Image] | None = None,
) -> InputTable:
    """A table whose rows are read as their type says, or by `read`; `key` are its columns.

    `names` gives an image the names for all projects: see :mod:`translator.names`.
    """
    read = read or reader_of(row_type)
    return InputTable(name, row_type, _named(read, names) if names else read, _key_of(key))


def _named(read: Callable[[Image], Any], names: Callable[[Image], Image]) -> Callable[[Image], Any]:
    def read_named(image: Image) -> Any:
        qualified = qualified_of(image) if "name" in image else ""
        return read({**names(image), "qualified": qualified})

    return read_named


def reader_of(row_type: type[Any]) -> Callable[[Image], Any]:
    """A function that reads the rows of a type all of whose fields are columns.

    A field without a :class:`Column` is the one of its name, as it is. A field with a default
    has that where an image lacks the column: images of earlier releases do.
    """
    hints = get_type_hints(row_type, include_extras=True)
    defaults = row_type._field_defaults
    columns = [(field, _column(field, hints[field])) for field in row_type._fields]

    def read(image: Image) -> Any:
        return row_type._make(
            [
                defaults[field]
                if field in defaults and column.name not in image
                else (
                    image[column.name] if column.read is None else column.read(image[column.name])
                )
                for field, column in columns
            ]
        )

    return read


def _column(field: str, hint: Any) -> Column:
    marks = getattr(hint, "__metadata__", ())
    return next((mark for mark in marks if isinstance(mark, Column)), Column(field))


def _key_of(columns: tuple[str, ...]) -> Callable[[Image], Hashable]:
    if len(columns) == 1:
        return itemgetter(columns[0])
    return itemgetter(*columns)


def _or_empty(value: str | None) -> str:
    return value or ""


def ip_list(texts: list[str]) -> tuple[bytes, ...]:
    """Addresses as bytes."""
    return tuple(map(ip_bytes, texts))


def _or_zero(value: int | None) -> int:
    return value or 0


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
    """`dhcpv4_options` and `dhcpv6_options` are the ids of those for its ports, or empty."""

    id: str
    name: str
    tunnel_key: int
    dhcpv4_options: Annotated[str, Column("dhcpv4_options_id", _or_empty)] = ""
    dhcpv6_options: Annotated[str, Column("dhcpv6_options_id", _or_empty)] = ""
    vlan_passthru: bool = False


class LogicalSwitchPort(NamedTuple):
    """`hosts` are its addresses, dynamic ones included; `addresses` the same as text. `kind` says
    what the port can do. `parent` is the id of the port that it is nested in, under `tag`. One
    that leads outside leads to `network`, with the VLAN tag `tag` or none (0), and
    `learns_outside` says whether it is to be learned who is there.

    Of all ports `name` is the one for all projects, and `router_port`, `peer` and `qualified`
    are qualified ones: see :mod:`translator.names`.
    """

    id: str
    switch: str
    name: str
    tunnel_key: int
    enabled: bool
    hosts: tuple[Host, ...]
    addresses: tuple[str, ...]
    takes_unknown: bool
    security: tuple[Secured, ...]
    kind: PortKind
    router_port: str
    requested_chassis: tuple[str, ...]
    qualified: str = ""
    parent: str = ""
    tag: int = 0
    dhcp: bool = True
    dhcpv4_options: str = ""
    dhcpv6_options: str = ""
    hostname: str = ""
    activation: tuple[str, ...] = ()
    network: str = ""
    learns_outside: bool = False
    virtual_ip: bytes = b""
    virtual_parents: tuple[str, ...] = ()
    ha_chassis_group: str = ""
    has_service_tag: bool = False

    @property
    def learns(self) -> bool:
        """Whether it is learned who is behind the port."""
        if self.kind.leads_outside:
            return self.learns_outside
        return self.takes_unknown and not self.security


def _own_age(seconds: int | None) -> int:
    return -1 if seconds is None else seconds


class LogicalRouter(NamedTuple):
    """`chassis` is the one that a gateway router is on; empty for a router that is everywhere.
    `asks_routers` says that it asks for other routers instead of knowing them, `learns_always` that
    it learns whoever asks for an address. What it balances
    has one of the `forced_sources`, or with `forces_own_source` the address of the port that it
    leaves by.
    What it translates the destination of goes on as one of `dnat_sources`. `neighbour_age` is in
    seconds, -1 where it has none of its own.
    """

    id: str
    name: str
    enabled: bool
    tunnel_key: int
    chassis: Annotated[str, Column("chassis", _or_empty)] = ""
    asks_routers: Annotated[bool, Column("dynamic_neigh_routers")] = False
    forced_sources: Annotated[tuple[bytes, ...], Column("lb_force_snat_ips", ip_list)] = ()
    forces_own_source: Annotated[bool, Column("lb_force_snat_router_ip")] = False
    dnat_sources: Annotated[tuple[bytes, ...], Column("dnat_force_snat_ips", ip_list)] = ()
    learns_always: Annotated[bool, Column("always_learn_from_arp_request")] = True
    neighbour_age: Annotated[int, Column("mac_binding_age_threshold", _own_age)] = -1


def _networks4(texts: list[str]) -> tuple[Interface, ...]:
    return tuple(n for n in map(interface, texts) if len(n.ip) == 4)


def _networks6(texts: list[str]) -> tuple[Interface, ...]:
    return tuple(n for n in map(interface, texts) if len(n.ip) == 16)


def ranked_chassis(entries: list[dict[str, Any]]) -> tuple[str, ...]:
    """The names of chassis that are stored with their ranks, the highest rank first."""
    return tuple(str(entry["chassis"]) for entry in entries)


def _is_bridged(redirect_type: str) -> bool:
    return redirect_type == "bridged"


class LogicalRouterPort(NamedTuple):
    """`networks4` and `networks6` as declared, without the link-local address.

    A port with a `redirect_key` is a gateway port; its chassis, the highest rank first, are its
    own or those of a group, and packets get there by the provider network if it `is_bridged`.
    One that `resides_with_gateway` is where the one gateway port of its router is.
    """

    id: str
    router: Annotated[str, Column("logical_router_id")]
    name: str
    tunnel_key: int
    enabled: bool
    mac: Annotated[bytes, Column("mac", mac_bytes)]
    networks4: Annotated[tuple[Interface, ...], Column("networks", _networks4)]
    networks6: Annotated[tuple[Interface, ...], Column("networks", _networks6)]
    peer: Annotated[str, Column("peer", _or_empty)]
    qualified: str = ""
    route_table: Annotated[int, Column("route_table", route_table_number)] = 0
    gateway_mtu: Annotated[int, Column("gateway_mtu", _or_zero)] = 0
    advertisement: Annotated[Advertisement | None, Column("ipv6_ra", read_advertisement)] = None
    gateway_chassis: Annotated[tuple[str, ...], Column("gateway_chassis", ranked_chassis)] = ()
    ha_chassis_group: Annotated[str, Column("ha_chassis_group_id", _or_empty)] = ""
    redirect_key: int | None = None
    is_bridged: Annotated[bool, Column("redirect_type", _is_bridged)] = False
    resides_with_gateway: Annotated[bool, Column("reside_on_redirect_chassis")] = False

    @property
    def networks(self) -> tuple[Interface, ...]:
        return self.networks4 + self.networks6

    @property
    def addresses6(self) -> tuple[bytes, ...]:
        """Its IPv6 addresses, the link-local one last."""
        return (*(network.ip for network in self.networks6), link_local(self.mac))


def _nexthop(text: str) -> bytes:
    return b"" if text == "discard" else ip_bytes(text)


def _is_by_source(policy: str) -> bool:
    return policy == "src-ip"


class StaticRoute(NamedTuple):
    """`nexthop` is empty for a route that discards; `table` is 0 for the main one."""

    id: str
    router: Annotated[str, Column("logical_router_id")]
    prefix: Annotated[Interface, Column("ip_prefix", interface)]
    nexthop: Annotated[bytes, Column("nexthop", _nexthop)]
    output_port: Annotated[str, Column("output_port", _or_empty)]
    by_source: Annotated[bool, Column("policy", _is_by_source)]
    table: Annotated[int, Column("route_table", route_table_number)]
    origin: str
    override_connected: bool
    number: int
    bfd: bool = False
    symmetric: Annotated[bool, Column("ecmp_symmetric_reply")] = False
    selection_fields: Annotated[tuple[str, ...], Column("selection_fields", tuple)] = ()


class PortGroup(NamedTuple):
    """Of all sets `name` is the one for all projects: see :mod:`translator.names`."""

    id: str
    name: str
    qualified: str = ""


class PortGroupPort(NamedTuple):
    port_group: Annotated[str, Column("port_group_id")]
    port: Annotated[str, Column("logical_switch_port_id")]


class AddressSet(NamedTuple):
    id: str
    name: str
    qualified: str = ""


class AddressSetAddress(NamedTuple):
    address_set: Annotated[str, Column("address_set_id")]
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
    label: int
    project: str = DEFAULT_PROJECT
    meter: str = ""
    """The id of the meter of what it logs."""
    apply_after_lb: bool = False


def _logical_switch_port(image: Image) -> LogicalSwitchPort:
    addresses = _literal_addresses(image)
    hosts = tuple([_host(text) for text in addresses if ":" in text])
    takes_unknown = "unknown" in addresses
    parent = image.get("parent_id") or ""  # images in the log may be older than such ports
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
        kind=NESTED if parent else SWITCH_PORT_KINDS[image["type"]],
        router_port=image["router_port"] or "",
        requested_chassis=tuple(image["requested_chassis"]),
        qualified=image["qualified"],
        parent=parent,
        tag=image.get("allocated_tag") or image.get("tag") or 0,
        dhcp=image.get("dhcp", True),
        dhcpv4_options=image.get("dhcpv4_options_id") or "",
        dhcpv6_options=image.get("dhcpv6_options_id") or "",
        hostname=image.get("hostname") or "",
        activation=tuple(image.get("activation_strategy", ())),
        network=image.get("network_name") or "",
        learns_outside=image.get("learn_fdb", False),
        virtual_ip=ip_bytes(image["virtual_ip"]) if image.get("virtual_ip") else b"",
        virtual_parents=tuple(image.get("virtual_parents", ())),
        ha_chassis_group=image.get("ha_chassis_group_id") or "",
        has_service_tag=image.get("vlan_protocol") == "802.1ad",
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
        label=image["label"],
        project=project_of(image),
        meter=(image.get("meter_id") or "") if logged else "",
        apply_after_lb=bool(image.get("apply_after_lb")),
    )


TABLES = (
    input_table("logical_switch", LogicalSwitch),
    input_table(
        "logical_switch_port", LogicalSwitchPort, read=_logical_switch_port, names=port_image
    ),
    input_table("logical_router", LogicalRouter),
    input_table("logical_router_port", LogicalRouterPort, names=port_image),
    input_table("static_route", StaticRoute, names=port_image),
    input_table("port_group", PortGroup, names=set_image),
    input_table("port_group_port", PortGroupPort, key=("port_group_id", "logical_switch_port_id")),
    input_table("address_set", AddressSet, names=set_image),
    input_table("address_set_address", AddressSetAddress, key=("address_set_id", "address")),
    input_table("acl", Acl, read=_acl),
)
"""The northbound tables that several features read; others are with their feature."""
