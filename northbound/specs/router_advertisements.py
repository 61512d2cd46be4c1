"""What a router port tells hosts of its network in router advertisements (RFC 4861, RFC 8106)."""

import ipaddress
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from northbound.addresses import parse_host, parse_network
from northbound.specs.base import FieldError, StrictModel, checked, unique
from northbound.specs.domain_names import parse_domain_name

Preference = Literal["high", "medium", "low"]
AddressMode = Literal["slaac", "dhcpv6_stateful", "dhcpv6_stateless"]

FOREVER = 0xFFFFFFFF
LONGEST_ROUTER_LIFETIME = 65535
DEFAULT_MAX_INTERVAL = 600

_LARGEST = 1280 - 40
"""What of an advertisement fits into the smallest packet that every link carries."""
_HEAD, _LINK_ADDRESS, _MTU = 16, 8, 8
_PREFIX = 32


def _address6(text: str) -> str:
    address = parse_host(text)
    if address.version != 6:
        raise ValueError(f"{text!r} is not an IPv6 address")
    return str(address)


def _network6(text: str) -> str:
    network = parse_network(text, strict=False)
    if network.version != 6:
        raise ValueError(f"{text!r} is not an IPv6 network")
    return str(network)


class AdvertisedRoute(StrictModel):
    """A route to a network behind the router, which hosts may choose it for (RFC 4191)."""

    prefix: Annotated[str, AfterValidator(_network6)]
    preference: Preference = "medium"
    lifetime: Annotated[int, Field(ge=0, le=FOREVER)] = FOREVER
    """Seconds for which hosts keep it; the largest number means for ever."""


class RouterAdvertisement(StrictModel):
    """What hosts that ask for routers are told, and with `send_periodic` all hosts now and then.

    The prefixes are the IPv6 networks of the port, on-link and valid for ever.
    """

    address_mode: AddressMode
    """How hosts get addresses: make them themselves (`slaac`), or ask a DHCPv6 server for them
    (`dhcpv6_stateful`), or make them and ask for everything else (`dhcpv6_stateless`)."""
    router_preference: Preference = "medium"
    """Whether hosts prefer this router to other ones."""
    mtu: Annotated[int, Field(ge=1280, le=65535)] | None = None
    """The MTU of the network, in bytes; hosts take that of their interfaces without it."""
    lifetime: Annotated[int, Field(ge=0, le=LONGEST_ROUTER_LIFETIME)] | None = None
    """Seconds for which hosts use the router as their default; 0 for never. Else three times
    `max_interval` where it is told periodically, and 65535 where hosts have to ask."""
    send_periodic: bool = False
    max_interval: Annotated[int, Field(ge=4, le=1800)] = DEFAULT_MAX_INTERVAL
    """The most seconds between two advertisements."""
    min_interval: Annotated[int, Field(ge=3, le=1350)] | None = None
    """The fewest seconds between two; else a third of the most. Three quarters at most."""
    rdnss: Annotated[
        list[Annotated[str, AfterValidator(_address6)]],
        AfterValidator(unique),
        Field(default_factory=list, max_length=16),
    ]
    """Addresses of recursive DNS servers."""
    dnssl: Annotated[
        list[Annotated[str, checked(parse_domain_name)]],
        AfterValidator(unique),
        Field(default_factory=list, max_length=16),
    ]
    """Domains in which hosts look up short names."""
    routes: Annotated[list[AdvertisedRoute], Field(default_factory=list, max_length=17)]
    """Networks behind the router, beside the default route."""

    @model_validator(mode="after")
    def _intervals_fit(self) -> Self:
        if self.min_interval is not None and self.min_interval > 0.75 * self.max_interval:
            most = int(0.75 * self.max_interval)
            raise FieldError("min_interval", f"is more than {most}, three quarters of the most")
        if self.lifetime and self.send_periodic and self.lifetime < self.max_interval:
            raise FieldError(
                "lifetime", f"would be over before the next advertisement: {self.max_interval} s"
            )
        prefixes = [route.prefix for route in self.routes]
        for i, prefix in enumerate(prefixes):
            if prefix in prefixes[:i]:
                raise FieldError("routes", i, "prefix", f"{prefix} is told twice")
        return self

    def check_networks(self, networks: list[str]) -> None:
        """Raise FieldError where it makes no sense for a port with these networks."""
        networks6 = [n for n in map(ipaddress.ip_interface, networks) if n.version == 6]
        if not networks6:
            raise FieldError("ipv6_ra", "the port has no IPv6 network to tell of")
        makes_addresses = self.address_mode != "dhcpv6_stateful"
        if makes_addresses and all(n.network.prefixlen != 64 for n in networks6):
            raise FieldError(
                "ipv6_ra",
                "address_mode",
                f"hosts make addresses in networks of length 64, not in {networks6[0].network}",
            )
        size = self._size(len(networks6))
        if size > _LARGEST:
            raise FieldError("ipv6_ra", f"is {size} bytes with all networks, not {_LARGEST}")

    def _size(self, networks: int) -> int:
        names = sum(len(name) + 2 for name in self.dnssl)
        return (
            _HEAD
            + _LINK_ADDRESS
            + _MTU
            + _PREFIX * networks
            + 24 * len(self.routes)
            + (8 + 16 * len(self.rdnss))
            + (8 + (names + 7) // 8 * 8)
        )
