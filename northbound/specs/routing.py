"""Specs of logical routers, their ports, static routes and static MAC bindings."""

import ipaddress
from itertools import combinations
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from northbound.addresses import parse_host, parse_interface, parse_mac, parse_network
from northbound.names import MAIN_TABLE
from northbound.specs.base import (
    FieldError,
    ObjectName,
    OneOfEachFamily,
    Reference,
    Spec,
    TunnelKey,
    checked,
    unique,
)
from northbound.specs.declaration import Declaration, Filtered, OvnSource, RefersTo
from northbound.specs.gateways import RankedList
from northbound.specs.router_advertisements import RouterAdvertisement
from northbound.specs.selection import SelectionFields


def _nexthop(text: str) -> str:
    return text if text == "discard" else str(parse_host(text))


LONGEST_AGE: Final = 2**31 - 1

RouteTable = Annotated[str, Field(min_length=1, max_length=255)]


class LogicalRouterProperties(Spec):
    """What a router is like."""

    enabled: bool = True
    chassis: Annotated[Reference | None, Filtered()] = None
    """The one chassis where the router is: a gateway router. Without it, it is everywhere."""
    dynamic_neigh_routers: bool = False
    """Whether it asks for other routers on its switches when it needs them, instead of knowing
    all of them: for switches that hundreds of routers share."""
    always_learn_from_arp_request: bool = True
    """Whether it learns every neighbour that asks for an address. Otherwise those that ask for its
    own addresses, that it has asked for, or that are known at another MAC address."""
    mac_binding_age_threshold: Annotated[int, Field(ge=0, le=LONGEST_AGE)] | None = None
    """Seconds after which neighbours that it has learned are forgotten, if no packets go to them or
    they don't answer; 0 for never. Without it that is for the server's settings to say."""
    lb_force_snat_ips: OneOfEachFamily = Field(default_factory=list)
    """What backends see as the source of what a gateway router balances, an address of each family
    at most, so that their replies come back to this router, whichever their own is."""
    lb_force_snat_router_ip: bool = False
    """The same with the address of the router port through which packets leave."""
    dnat_force_snat_ips: OneOfEachFamily = Field(default_factory=list)
    """Of a gateway router: as whom connections go on that it translates the destination of, an
    address of it in each family at most. So replies find back to it, and not to another gateway."""

    @model_validator(mode="after")
    def _forced_sources_fit(self) -> Self:
        if self.chassis is None:
            for field in ("lb_force_snat_ips", "lb_force_snat_router_ip", "dnat_force_snat_ips"):
                if getattr(self, field):
                    raise FieldError(field, "is for gateway routers, and this one has no chassis")
        if self.lb_force_snat_ips and self.lb_force_snat_router_ip:
            raise FieldError("lb_force_snat_router_ip", "lb_force_snat_ips say another source")
        return self


class LogicalRouterSpec(LogicalRouterProperties):
    """A distributed layer-3 router."""

    declaration: ClassVar = Declaration(
        "logical_router",
        "logical routers",
        LogicalRouterProperties,
        columns=("name", "enabled", "tunnel_key", "id"),
        example={"name": "edge"},
        patch={"enabled": False},
        facts=TunnelKey,
        fact_examples={"tunnel_key": 2},
    )

    name: ObjectName | None = None


class LogicalRouterPortProperties(Spec):
    """What a port of a router is like."""

    mac: Annotated[str, checked(parse_mac)] | None = None
    """Made up where it is left out, and kept from then on."""
    networks: Annotated[
        list[Annotated[str, checked(parse_interface)]],
        AfterValidator(unique),
    ]
    """Its own addresses with their prefix lengths: `10.0.0.1/24`. Those of a router's ports lie
    apart. With none it has the link-local address that follows from its MAC address, alone."""
    peer: Annotated[
        Reference | None, RefersTo("logical_router_port", by_name=True, holds=False)
    ] = None
    """The router port at the other end of a link between routers."""
    enabled: bool = True
    route_table: RouteTable = MAIN_TABLE
    """The table in which packets that come in here find their static routes, beside the routes to
    connected networks, which are in all tables."""
    gateway_mtu: Annotated[int, Field(ge=68, le=65500)] | None = None
    """The biggest IP packets, in bytes, that the network beyond the port carries. Senders of bigger
    ones are told, and the packets dropped."""
    ipv6_ra: RouterAdvertisement | None = None
    """What hosts of its network are told in router advertisements; nothing without it."""
    gateway_chassis: Annotated[RankedList, Field(default_factory=list)]
    """Makes it a gateway port: what leaves or enters through it passes by one of these chassis."""
    ha_chassis_group: Annotated[Reference | None, RefersTo("ha_chassis_group")] = None
    """Makes it a gateway port, with the chassis of a group that ports may share."""
    redirect_type: Literal["overlay", "bridged"] = "overlay"
    """How what leaves through a gateway port gets to the chassis in charge: through the tunnel, or
    `bridged` by the provider network behind the port, where there is one."""
    reside_on_redirect_chassis: bool = False
    """Whether the port is where its router's one gateway port is, with all that is routed there:
    for switches on provider networks, whose packets get to that chassis without a tunnel then."""

    @model_validator(mode="after")
    def _advertisement_fits(self) -> Self:
        if self.ipv6_ra is not None:
            self.ipv6_ra.check_networks(self.networks)
        return self

    @model_validator(mode="after")
    def _networks_are_apart(self) -> Self:
        addresses = [ipaddress.ip_interface(network).ip for network in self.networks]
        for (i, one), (j, other) in combinations(enumerate(addresses), 2):
            if one == other:
                raise FieldError("networks", j, f"has the address of {self.networks[i]} again")
        return self

    @model_validator(mode="after")
    def _chassis_are_told_once(self) -> Self:
        if self.gateway_chassis and self.ha_chassis_group is not None:
            raise FieldError("ha_chassis_group", "the port has gateway_chassis of its own")
        return self

    @model_validator(mode="after")
    def _residence_fits(self) -> Self:
        is_gateway_port = bool(self.gateway_chassis) or self.ha_chassis_group is not None
        if self.redirect_type == "bridged" and not is_gateway_port:
            raise FieldError("redirect_type", "is for gateway ports, and this one names no chassis")
        field = "redirect_type" if self.redirect_type == "bridged" else "reside_on_redirect_chassis"
        if getattr(self, field) not in (False, "overlay") and self.peer is not None:
            raise FieldError(field, "is for ports towards switches, and this one has a peer")
        if self.reside_on_redirect_chassis and is_gateway_port:
            reason = "the port is a gateway port itself"
            raise FieldError("reside_on_redirect_chassis", reason)
        return self


class LogicalRouterPortSpec(LogicalRouterPortProperties):
    """A port of a router, towards a switch or another router."""

    declaration: ClassVar = Declaration(
        "logical_router_port",
        "logical router ports",
        LogicalRouterPortProperties,
        columns=("name", "logical_router", "mac", "networks", "peer"),
        example={
            "name": "edge-web",
            "logical_router": "edge",
            "mac": "0a:00:00:00:01:01",
            "networks": ["10.0.0.1/24", "fd00:1::1/64"],
        },
        patch={"networks": ["10.0.0.1/24"]},
        facts=TunnelKey,
        fact_examples={"tunnel_key": 1},
        identifying=("name", "logical_router"),
        collection="ports",
        stays=True,
        names=("logical_switch_port", "logical_router_port"),
    )

    name: ObjectName | None = None
    """Unique among the project's ports, switch ports included."""
    logical_router: Annotated[Reference, RefersTo("logical_router", owner=True)]


class StaticRouteProperties(Spec):
    """Where a route leads."""

    ip_prefix: Annotated[str, checked(lambda text: parse_network(text, strict=False)), Filtered()]
    """Packets are spread over the routes of one prefix, policy, table and precedence."""
    nexthop: Annotated[str, AfterValidator(_nexthop), Filtered()]
    """Another host's address, or `discard`; IPv4 prefixes may be reached through IPv6."""
    output_port: Annotated[Reference | None, RefersTo("logical_router_port", by_name=True)] = None
    """Which of the router's ports to use; else the one whose network holds the next hop."""
    policy: Literal["dst-ip", "src-ip"] = "dst-ip"
    route_table: Annotated[RouteTable, Filtered()] = MAIN_TABLE
    """The table that it is in: for packets from the router ports that name it."""
    origin: Literal["static", "connected", "learned"] = "static"
    """Where it is from. Among equal prefixes what is connected comes first, and what another
    network has taught comes last."""
    override_connected: bool = False
    """Whether it comes before a connected network of the same prefix, too."""
    bfd: bool = False
    """Whether it holds only while the BFD session with its next hop is up."""
    ecmp_symmetric_reply: bool = False
    """Of a gateway router: whether replies of connections that come in by this route go back to
    the next hop that sent the requests, whatever routes and policies say."""
    selection_fields: SelectionFields = Field(default_factory=list)
    """What alone the route follows from that a packet takes, of several: the fields that all of
    them name. Where there is none, its addresses, protocol and ports."""

    @model_validator(mode="after")
    def _families_agree(self) -> Self:
        if self.nexthop == "discard":
            if self.selection_fields:
                reason = "have no meaning where packets are discarded"
                raise FieldError("selection_fields", reason)
            if self.ecmp_symmetric_reply:
                reason = "has no meaning where packets are discarded"
                raise FieldError("ecmp_symmetric_reply", reason)
            if self.bfd:
                raise FieldError("bfd", "has no meaning where packets are discarded")
            if self.output_port is not None:
                raise FieldError("output_port", "has no meaning where packets are discarded")
            return self
        if self.override_connected and self.policy == "src-ip":
            reason = "holds among routes by destination; what is by source comes after those"
            raise FieldError("override_connected", reason)
        prefix = ipaddress.ip_network(self.ip_prefix)
        if prefix.version == 6 and ipaddress.ip_address(self.nexthop).version == 4:
            raise FieldError("nexthop", f"{self.nexthop} is not of the family of {prefix}")
        return self


class StaticRouteSpec(StaticRouteProperties):
    """A declared route."""

    declaration: ClassVar = Declaration(
        "static_route",
        "static routes",
        StaticRouteProperties,
        columns=("logical_router", "ip_prefix", "nexthop", "output_port", "policy", "route_table"),
        example={"logical_router": "edge", "ip_prefix": "192.0.2.0/24", "nexthop": "10.0.0.254"},
        patch={"nexthop": "discard"},
        identifying=(
            *("logical_router", "ip_prefix", "policy", "route_table", "nexthop", "output_port"),
        ),
        natural_key=(
            *("logical_router", "policy", "ip_prefix", "route_table", "output_port", "nexthop"),
        ),
        collection="static_routes",
    )

    logical_router: Annotated[Reference, RefersTo("logical_router", owner=True)]


class StaticMacBindingProperties(Spec):
    """Which MAC address a neighbour of a router port has."""

    ip: Annotated[str, checked(parse_host), Filtered()]
    """The neighbour's IPv4 or IPv6 address; a router port has at most one binding of it."""
    mac: Annotated[str, checked(parse_mac), Filtered()]
    override_dynamic_mac: bool = False
    """Whether it holds against what the neighbour says of itself. Otherwise what the router has
    learned comes first. Ports of the network, whose addresses are known, always do."""


class StaticMacBindingSpec(StaticMacBindingProperties):
    """The MAC address of a neighbour of a router port, without asking for it."""

    declaration: ClassVar = Declaration(
        "static_mac_binding",
        "static MAC bindings",
        StaticMacBindingProperties,
        columns=("logical_router_port", "ip", "mac", "override_dynamic_mac"),
        example={
            "logical_router_port": "edge-web",
            "ip": "10.0.0.77",
            "mac": "0a:00:00:00:00:77",
        },
        patch={"override_dynamic_mac": True},
        identifying=("logical_router_port", "ip"),
        natural_key=("logical_router_port", "ip"),
        collection="static_mac_bindings",
        title="static MAC binding",
        ovn=OvnSource(
            "Static_MAC_Binding",
            owner="logical_port",
            columns=("ip", "mac", "override_dynamic_mac"),
        ),
    )

    logical_router_port: Annotated[Reference, RefersTo("logical_router_port", owner=True)]


KINDS: tuple[type[Spec], ...] = (
    LogicalRouterSpec,
    LogicalRouterPortSpec,
    StaticRouteSpec,
    StaticMacBindingSpec,
)
