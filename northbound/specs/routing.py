"""Specs of logical routers, their ports and their static routes."""

import ipaddress
from itertools import combinations
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from northbound.addresses import parse_host, parse_interface, parse_mac, parse_network
from northbound.specs.base import FieldError, ObjectName, Reference, Spec, checked, unique


def _nexthop(text: str) -> str:
    return text if text == "discard" else str(parse_host(text))


class LogicalRouterProperties(Spec):
    """What a router is like."""

    enabled: bool = True


class LogicalRouterSpec(LogicalRouterProperties):
    """A distributed layer-3 router."""

    name: ObjectName


class LogicalRouterPortProperties(Spec):
    """What a port of a router is like."""

    mac: Annotated[str, checked(parse_mac)] | None = None
    """Made up where it is left out, and kept from then on."""
    networks: Annotated[
        list[Annotated[str, checked(parse_interface)]],
        AfterValidator(unique),
        Field(min_length=1),
    ]
    """Its own addresses with their prefix lengths: `10.0.0.1/24`."""
    peer: Reference | None = None
    """The router port at the other end of a link between routers."""
    enabled: bool = True

    @model_validator(mode="after")
    def _networks_are_apart(self) -> Self:
        addresses = [ipaddress.ip_interface(network).ip for network in self.networks]
        for (i, one), (j, other) in combinations(enumerate(addresses), 2):
            if one == other:
                raise FieldError("networks", j, f"has the address of {self.networks[i]} again")
        return self


class LogicalRouterPortSpec(LogicalRouterPortProperties):
    """A port of a router, towards a switch or another router."""

    name: ObjectName
    """Unique among all ports, switch ports included."""
    logical_router: Reference


class StaticRouteProperties(Spec):
    """Where a route leads."""

    ip_prefix: Annotated[str, checked(lambda text: parse_network(text, strict=False))]
    """One route of a router at most has the same prefix and policy."""
    nexthop: Annotated[str, AfterValidator(_nexthop)]
    """Another host's address, or `discard`; IPv4 prefixes may be reached through IPv6."""
    output_port: Reference | None = None
    """Which of the router's ports to use; else the one whose network holds the next hop."""
    policy: Literal["dst-ip", "src-ip"] = "dst-ip"

    @model_validator(mode="after")
    def _families_agree(self) -> Self:
        if self.nexthop == "discard":
            if self.output_port is not None:
                raise FieldError("output_port", "has no meaning where packets are discarded")
            return self
        prefix = ipaddress.ip_network(self.ip_prefix)
        if prefix.version == 6 and ipaddress.ip_address(self.nexthop).version == 4:
            raise FieldError("nexthop", f"{self.nexthop} is not of the family of {prefix}")
        return self


class StaticRouteSpec(StaticRouteProperties):
    """A route that somebody declared."""

    logical_router: Reference
