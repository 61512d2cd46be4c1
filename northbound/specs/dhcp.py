"""The spec of DHCP options: what the network's own DHCP server tells the clients of a network."""

import ipaddress
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator
from typing_extensions import TypedDict

from logical_flow.dhcp_options import FIRST_OWN_CODE, encode_options
from northbound.addresses import parse_host, parse_mac, parse_network
from northbound.dhcp import (
    DECIDED4,
    DECIDED6,
    DEFAULT_LEASE_TIME,
    LONGEST_OPTIONS,
    LONGEST_VALUE,
    OPTIONS4,
    OPTIONS6,
    OptionForm,
    encoded_options,
    parse_domain,
)
from northbound.specs.base import PRINTABLE, FieldError, ObjectName, Spec, checked, unique
from northbound.specs.declaration import Declaration, Filtered

_MOST_ADDRESSES = 32
_MOST_ROUTES = 64
_MOST_DOMAINS = 32
_MOST_OTHERS = 32
_LONGEST_TEXT = 255
_SMALLEST_MTU = 68
_MOST_SECONDS = 0xFFFFFFFF

Values = Mapping[str, Any]

_CONFIG = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)


def _ip4(text: str) -> str:
    address = parse_host(text)
    if address.version != 4:
        raise ValueError(f"{text!r} is not an IPv4 address")
    return str(address)


def _ip6(text: str) -> str:
    address = parse_host(text)
    if address.version != 6:
        raise ValueError(f"{text!r} is not an IPv6 address")
    return str(address)


def _any_ip4(text: str) -> str:
    """An IPv4 address that need not be a host's, such as a broadcast address or a mask."""
    return str(ipaddress.IPv4Address(text))


def _netmask(text: str) -> str:
    network = ipaddress.IPv4Network(f"0.0.0.0/{_any_ip4(text)}")
    if str(network.netmask) != text:
        raise ValueError(f"{text!r} is no network mask")
    return text


def _network4(text: str) -> str:
    network = parse_network(text)
    if network.version != 4:
        raise ValueError(f"{text!r} is not an IPv4 network")
    return str(network)


def _hex(text: str) -> str:
    return bytes.fromhex(text).hex()


Ip4 = Annotated[str, AfterValidator(_ip4)]
AnyIp4 = Annotated[str, AfterValidator(_any_ip4)]
Ip4s = Annotated[list[Ip4], AfterValidator(unique), Field(min_length=1, max_length=_MOST_ADDRESSES)]
Ip6s = Annotated[
    list[Annotated[str, AfterValidator(_ip6)]],
    AfterValidator(unique),
    Field(min_length=1, max_length=_MOST_ADDRESSES),
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_TEXT, pattern=PRINTABLE)]
Octet = Annotated[int, Field(ge=0, le=255)]
Seconds = Annotated[int, Field(ge=0, le=_MOST_SECONDS)]
Domain = Annotated[str, AfterValidator(parse_domain)]
Domains = Annotated[
    list[Domain], AfterValidator(unique), Field(min_length=1, max_length=_MOST_DOMAINS)
]


class ClasslessRoute(TypedDict):
    """A route that a client is told."""

    __pydantic_config__ = _CONFIG  # type: ignore[misc]

    destination: Annotated[str, AfterValidator(_network4)]
    """The network that it leads to, `0.0.0.0/0` for everything."""
    nexthop: AnyIp4
    """The router; `0.0.0.0` for what is on the link."""


class HostRoute(TypedDict):
    """A route of the older kind: to a host, or to a network of a class."""

    __pydantic_config__ = _CONFIG  # type: ignore[misc]

    destination: Ip4
    nexthop: Ip4


class BootFile(TypedDict):
    """The file that clients of one architecture boot."""

    __pydantic_config__ = _CONFIG  # type: ignore[misc]

    architecture: Annotated[int, Field(ge=0, le=0xFFFF)]
    """As in option 93: 0 BIOS, 6 UEFI x86, 7 and 9 UEFI x64, 11 UEFI ARM 64."""
    bootfile_name: Text


class OtherOption(TypedDict):
    """An option that has no field of its own."""

    __pydantic_config__ = _CONFIG  # type: ignore[misc]

    code: Annotated[int, Field(ge=1, le=254)]
    value: Annotated[str, StringConstraints(max_length=2 * LONGEST_VALUE), AfterValidator(_hex)]
    """Its bytes, in hexadecimal digits."""


class Dhcpv4(TypedDict, total=False):
    """What DHCPv4 clients are told. What is left out is not told."""

    __pydantic_config__ = _CONFIG  # type: ignore[misc]

    server_id: Ip4
    """The server's address, to which clients turn to renew; by default the first router."""
    server_mac: Annotated[str, checked(parse_mac)]
    """The server's MAC address; by default it follows from the object's id."""
    lease_time: Annotated[int, Field(ge=1, le=_MOST_SECONDS)]
    """In seconds; by default 43200, 12 hours. 4294967295 is for ever."""
    renewal_time: Seconds
    """After how many seconds a client asks for more time (T1); by default half of the lease's."""
    rebinding_time: Seconds
    """After how many seconds it asks any server (T2); by default seven eighths of the lease's."""
    netmask: Annotated[str, AfterValidator(_netmask)]
    """By default that of `cidr`."""
    broadcast_address: AnyIp4
    routers: Ip4s
    """Gateways, the preferred one first."""
    classless_static_routes: Annotated[
        list[ClasslessRoute], Field(min_length=1, max_length=_MOST_ROUTES)
    ]
    """Clients that take them take no `routers`: name the default route here, too."""
    ms_classless_static_routes: Annotated[
        list[ClasslessRoute], Field(min_length=1, max_length=_MOST_ROUTES)
    ]
    """The same for older Windows clients, by code 249."""
    static_routes: Annotated[list[HostRoute], Field(min_length=1, max_length=_MOST_ROUTES)]
    policy_filters: Annotated[
        list[Annotated[str, AfterValidator(_network4)]],
        AfterValidator(unique),
        Field(min_length=1, max_length=_MOST_ROUTES),
    ]
    """Destinations of source routes that clients that forward may take."""
    dns_servers: Ip4s
    domain_name: Domain
    domain_search: Domains
    """Domains in which clients look up names that have none."""
    hostname: Annotated[str, AfterValidator(parse_domain)]
    """The name that clients are given; a port's own comes first."""
    mtu: Annotated[int, Field(ge=_SMALLEST_MTU, le=0xFFFF)]
    ntp_servers: Ip4s
    log_servers: Ip4s
    lpr_servers: Ip4s
    swap_server: Ip4
    nis_servers: Ip4s
    netbios_name_servers: Ip4s
    netbios_node_type: Octet
    router_solicitation: Ip4
    router_discovery: bool
    ip_forwarding: bool
    ethernet_encapsulation: bool
    """Whether clients use frames of IEEE 802.3 in place of Ethernet II."""
    default_ttl: Annotated[int, Field(ge=1, le=255)]
    tcp_ttl: Annotated[int, Field(ge=1, le=255)]
    arp_cache_timeout: Seconds
    tcp_keepalive_interval: Seconds
    wpad: Text
    """The URL of a proxy's configuration."""
    tftp_server: Text
    """Name or address of the server of boot files."""
    tftp_server_addresses: Ip4s
    next_server: Ip4
    """The boot server's address for the header of messages, which most boot ROMs go by."""
    path_prefix: Text
    """Before all paths of PXELINUX."""
    bootfile_name: Text
    bootfile_name_ipxe: Text
    """The boot file of clients that are iPXE already."""
    bootfile_names: Annotated[list[BootFile], Field(min_length=1, max_length=_MOST_OTHERS)]
    """Boot files by architecture; `bootfile_name` is for the others."""
    more_options: Annotated[list[OtherOption], Field(min_length=1, max_length=_MOST_OTHERS)]
    """Options that have no name here, by code."""


class BootUrl(TypedDict):
    """The URL that clients of one architecture boot."""

    __pydantic_config__ = _CONFIG  # type: ignore[misc]

    architecture: Annotated[int, Field(ge=0, le=0xFFFF)]
    """As in option 61: 7 and 9 UEFI x64, 11 UEFI ARM 64, 16 UEFI x64 by HTTP."""
    bootfile_url: Text


class OtherOption6(TypedDict):
    """An option that has no field of its own."""

    __pydantic_config__ = _CONFIG  # type: ignore[misc]

    code: Annotated[int, Field(ge=1, lt=FIRST_OWN_CODE)]
    value: Annotated[str, StringConstraints(max_length=2 * LONGEST_VALUE), AfterValidator(_hex)]
    """Its bytes, in hexadecimal digits."""


class Dhcpv6(TypedDict, total=False):
    """What DHCPv6 clients are told. What is left out is not told."""

    __pydantic_config__ = _CONFIG  # type: ignore[misc]

    stateless: bool
    """Whether clients get no address, as they make up their own, and only what else is said."""
    server_mac: Annotated[str, checked(parse_mac)]
    """Of which the server's identifier is made, and its link-local address; by default it follows
    from the object's id."""
    preference: Octet
    """Of several servers clients take the one with the highest; 255 at once."""
    valid_lifetime: Annotated[int, Field(ge=1, le=_MOST_SECONDS)]
    """How many seconds an address may be used; by default 43200. 4294967295 is for ever."""
    preferred_lifetime: Annotated[int, Field(ge=1, le=_MOST_SECONDS)]
    """How many seconds it may be used for new connections; by default as long."""
    renewal_time: Seconds
    """After how many seconds a client asks for more time (T1); by default half the preferred."""
    rebinding_time: Seconds
    """After how many seconds it asks any server (T2); by default four fifths of the preferred."""
    dns_servers: Ip6s
    domain_search: Domains
    """Domains in which clients look up names that have none."""
    hostname: Annotated[str, AfterValidator(parse_domain)]
    """The name that clients are told who ask for theirs; a port's own comes first."""
    ntp_servers: Ip6s
    sntp_servers: Ip6s
    information_refresh_time: Annotated[int, Field(ge=600, le=_MOST_SECONDS)]
    """After how many seconds clients without a lease ask again."""
    bootfile_url: Text
    bootfile_urls: Annotated[list[BootUrl], Field(min_length=1, max_length=_MOST_OTHERS)]
    """URLs by architecture; `bootfile_url` is for the others."""
    more_options: Annotated[list[OtherOption6], Field(min_length=1, max_length=_MOST_OTHERS)]
    """Options that have no name here, by code."""


class DhcpOptionsProperties(Spec):
    """What a DHCP server tells its clients."""

    cidr: Annotated[str, checked(parse_network), Filtered()]
    """Of a port that refers to it, the addresses in this network are given out."""
    dhcpv4: Dhcpv4 | None = None
    """What clients are told; for an IPv4 `cidr`."""
    dhcpv6: Dhcpv6 | None = None
    """What clients are told; for an IPv6 `cidr`."""

    @model_validator(mode="after")
    def _options_are_consistent(self) -> Self:
        version = ipaddress.ip_network(self.cidr).version
        other = "dhcpv6" if version == 4 else "dhcpv4"
        if getattr(self, other) is not None:
            raise FieldError(other, f"has no meaning for {self.cidr}, an IPv{version} network")
        values: Any = (self.dhcpv4 if version == 4 else self.dhcpv6) or {}
        check = _check4 if version == 4 else _check6
        check(values)
        return self


def _check4(values: Values) -> None:
    if "server_id" not in values and "routers" not in values:
        raise FieldError("dhcpv4", "server_id", "is needed where there are no routers")
    _refuse_repetition("dhcpv4", values, "bootfile_names", _architecture)
    _check_codes("dhcpv4", values, OPTIONS4, DECIDED4)
    lease = values.get("lease_time", DEFAULT_LEASE_TIME)
    _check_times("dhcpv4", values, "lease_time", lease)
    _check_sizes("dhcpv4", values, OPTIONS4)


def _check6(values: Values) -> None:
    _refuse_repetition("dhcpv6", values, "bootfile_urls", _architecture)
    _check_codes("dhcpv6", values, OPTIONS6, DECIDED6)
    valid = values.get("valid_lifetime", DEFAULT_LEASE_TIME)
    preferred = values.get("preferred_lifetime", valid)
    if preferred > valid:
        reason = f"is longer than valid_lifetime, {valid} s"
        raise FieldError("dhcpv6", "preferred_lifetime", reason)
    _check_times("dhcpv6", values, "preferred_lifetime", preferred)
    _check_sizes("dhcpv6", values, OPTIONS6)


def _architecture(boot: Mapping[str, object]) -> object:
    return boot["architecture"]


def _check_times(section: str, values: Values, name: str, lease: int) -> None:
    """Refuse times in another order than a client needs them (RFC 2131 section 4.4.5)."""
    rebinding = values.get("rebinding_time", lease)
    for field, limit, of in (
        ("rebinding_time", lease, name),
        ("renewal_time", rebinding, f"rebinding_time or {name}"),
    ):
        if values.get(field, 0) > limit:
            raise FieldError(section, field, f"is later than {of}, {limit} s")


def _refuse_repetition(
    section: str, values: Values, field: str, identity: Callable[[Any], object]
) -> None:
    seen: set[object] = set()
    for i, each in enumerate(values.get(field, ())):
        if identity(each) in seen:
            raise FieldError(section, field, i, f"{identity(each)} is there already")
        seen.add(identity(each))


def _check_codes(
    section: str, values: Values, forms: Mapping[str, OptionForm], decided: frozenset[int]
) -> None:
    """Refuse an option by code that has a field, or that only the server may send."""
    _refuse_repetition(section, values, "more_options", lambda each: each["code"])
    names = {form.code: name for name, form in forms.items()}
    for i, other in enumerate(values.get("more_options", ())):
        code = other["code"]
        if code in names:
            raise FieldError(section, "more_options", i, "code", f"is what {names[code]} is for")
        if code in decided:
            raise FieldError(section, "more_options", i, "code", "is for the server to decide")


def _check_sizes(section: str, values: Values, forms: Mapping[str, OptionForm]) -> None:
    """Refuse values that are too long, and more of them than fit an answer."""
    options = []
    for field, option in encoded_options(forms, values):
        if len(option.value) > LONGEST_VALUE:
            reason = f"takes {len(option.value)} bytes of at most {LONGEST_VALUE}"
            raise FieldError(section, field, reason)
        options.append(option)
        if len(encode_options(options)) > LONGEST_OPTIONS:
            reason = f"does not fit: all options together take at most {LONGEST_OPTIONS} bytes"
            raise FieldError(section, field, reason)


class DhcpOptionsSpec(DhcpOptionsProperties):
    """DHCP options: what ports or switches refer to whose clients are to be answered."""

    declaration: ClassVar = Declaration(
        "dhcp_options",
        "DHCP options",
        DhcpOptionsProperties,
        columns=("name", "cidr", "id"),
        example={
            "name": "web-v4",
            "cidr": "10.0.0.0/24",
            "dhcpv4": {
                "server_id": "10.0.0.1",
                "server_mac": "0a:00:00:00:01:01",
                "lease_time": 43200,
                "routers": ["10.0.0.1"],
                "dns_servers": ["10.0.0.2"],
                "domain_search": ["web.example"],
                "mtu": 1442,
            },
        },
        patch={"labels": {"team": "shop"}},
        title="DHCP options",
    )

    name: ObjectName | None = None


KINDS: tuple[type[Spec], ...] = (DhcpOptionsSpec,)
