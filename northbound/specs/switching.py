"""Specs of logical switches and their ports."""

import ipaddress
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from northbound.addresses import (
    canonical_range,
    parse_host,
    parse_host_network,
    parse_port_address,
    parse_port_security,
)
from northbound.dhcp import parse_domain
from northbound.specs.base import (
    FieldError,
    ObjectName,
    Reference,
    Spec,
    TunnelKey,
    checked,
    unique,
)
from northbound.specs.declaration import Declaration, Filtered, Fixed, RefersTo

PortType = Literal["vif", "router", "localnet", "l2gateway", "localport", "virtual", "external"]
VlanProtocol = Literal["802.1q", "802.1ad"]
ActivationStrategy = Literal["rarp", "garp", "na"]

NetworkName = Annotated[
    str,
    StringConstraints(pattern=r"^[^\x00-\x20\x7f,:]*$", min_length=1, max_length=255),
    Field(description="As in `treadle-bridge-mappings`: anything without spaces, `,` and `:`."),
]

ANY_TAG = 0
"""As a tag: whichever is free."""
TAGS = (1, 4094)
"""The lowest and the highest VLAN tag (IEEE 802.1Q)."""


def _subnet4(text: str) -> str:
    network = parse_host_network(text)
    if network.version != 4:
        raise ValueError(f"{text!r} is not an IPv4 network")
    if network.prefixlen > 30:
        raise ValueError(f"{text!r} has no addresses to give out")
    return str(network)


def _subnet6(text: str) -> str:
    network = parse_host_network(text)
    if network.version != 6 or network.prefixlen != 64:
        raise ValueError(f"{text!r} is not an IPv6 network with a prefix length of 64")
    return str(network)


class LogicalSwitchProperties(Spec):
    """What a layer-2 network is like."""

    subnet4: Annotated[str, AfterValidator(_subnet4)] | None = None
    """Where dynamic IPv4 addresses are taken from; its first and last are never given out."""
    subnet6: Annotated[str, AfterValidator(_subnet6)] | None = None
    """The /64 in which dynamic addresses get an EUI-64 IPv6 address."""
    exclude_ips: Annotated[
        list[Annotated[str, checked(canonical_range)]],
        AfterValidator(unique),
        Field(default_factory=list),
    ]
    """IPv4 addresses and ranges (`10.0.0.2..10.0.0.9`) that are never given out."""
    vlan_passthru: bool = False
    """Whether frames with VLAN tags of their own pass. The switch answers no ARP and no neighbour
    solicitations then, since it doesn't know in which VLAN somebody is."""
    shared: bool = False
    """Whether all projects see it, and may have ports on it."""
    dhcpv4_options: Annotated[Reference | None, RefersTo("dhcp_options")] = None
    """What DHCPv4 clients on its ports are told that have no options of their own."""
    dhcpv6_options: Annotated[Reference | None, RefersTo("dhcp_options")] = None
    """The same for DHCPv6 clients."""

    @model_validator(mode="after")
    def _exclusions_need_a_subnet(self) -> Self:
        if self.exclude_ips and self.subnet4 is None:
            raise FieldError("exclude_ips", "excludes nothing without subnet4")
        if self.subnet4 is not None:
            network = ipaddress.IPv4Network(self.subnet4)
            for i, element in enumerate(self.exclude_ips):
                if any(ipaddress.IPv4Address(end) not in network for end in element.split("..")):
                    raise FieldError("exclude_ips", i, f"{element!r} is outside of {network}")
        return self


class LogicalSwitchSpec(LogicalSwitchProperties):
    """A layer-2 network."""

    declaration: ClassVar = Declaration(
        "logical_switch",
        "logical switches",
        LogicalSwitchProperties,
        columns=("name", "subnet4", "subnet6", "tunnel_key", "id"),
        example={"name": "web", "subnet4": "10.0.0.0/24", "exclude_ips": ["10.0.0.2..10.0.0.9"]},
        patch={"labels": {"team": "shop"}, "subnet6": "fd00:1::/64"},
        facts=TunnelKey,
        fact_examples={"tunnel_key": 1},
    )

    name: ObjectName | None = None


_OUTSIDE: Final[tuple[PortType, ...]] = ("localnet", "l2gateway")
"""The types of ports that lead out of the overlay."""

_TYPES_WITH: Final[Mapping[str, tuple[PortType, ...]]] = {
    "router_port": ("router",),
    "port_security": ("vif", "localport", "external"),
    "requested_chassis": ("vif", "l2gateway"),
    "activation_strategy": ("vif",),
    "parent": ("vif",),
    "tag": ("vif", "localnet", "l2gateway"),
    "dhcpv4_options": ("vif", "external"),
    "dhcpv6_options": ("vif", "external"),
    "ha_chassis_group": ("external",),
    "network_name": ("localnet", "l2gateway"),
    "vlan_protocol": ("localnet", "l2gateway"),
    "learn_fdb": ("localnet", "l2gateway"),
    "virtual_ip": ("virtual",),
    "virtual_parents": ("virtual",),
}
"""The fields that mean something on ports of some types only."""


class LogicalSwitchPortProperties(Spec):
    """What a port of a switch is like."""

    type: Annotated[PortType, Filtered(), Fixed()] = "vif"
    """Of a workload; towards a router, which is the default where `router_port` is given; a way
    to a provider network, on every chassis that has a bridge to it (`localnet`) or on one chassis
    at a time (`l2gateway`); or an address that one of several workloads has at a time. One of
    type `external` is of a workload on the provider network that the switch leads to. A
    `localport` is of a workload that each chassis may have its own of, under the same addresses:
    whoever speaks to it speaks to the one on his chassis."""
    addresses: Annotated[
        list[Annotated[str, checked(parse_port_address)]],
        AfterValidator(unique),
        Field(default_factory=list),
    ]
    """Each element is `MAC [IP …]`, `dynamic`, `MAC dynamic`, `dynamic IP` or `unknown`."""
    port_security: Annotated[
        list[Annotated[str, checked(parse_port_security)]],
        AfterValidator(unique),
        Field(default_factory=list),
    ]
    """Each element is `MAC [IP[/PREFIX] …]`; empty allows everything."""
    enabled: bool = True
    router_port: Annotated[Reference | None, RefersTo("logical_router_port", by_name=True)] = None
    """The router port that a port of type `router` leads to."""
    requested_chassis: Annotated[
        list[Reference], AfterValidator(unique), Field(default_factory=list)
    ]
    """The only chassis that may bind the port; empty allows every one. While several of those
    that are named have an interface for it, the first of them is its chassis, and the others are
    sent its packets as well. A port of type `l2gateway` is on the first of them that is alive."""
    activation_strategy: Annotated[
        list[ActivationStrategy], AfterValidator(unique), Field(default_factory=list)
    ]
    """What tells that the workload runs on another chassis than the port's, where the port is
    blocked until then: reverse ARP, gratuitous ARP, or neighbour advertisements."""
    parent: Annotated[
        Reference | None, RefersTo("logical_switch_port", holds=False, ordered=True)
    ] = None
    """The port of the workload that this port's is inside of, on any switch. The port is where
    its parent is, and its frames have a VLAN tag there."""
    tag: Annotated[int, Field(ge=ANY_TAG, le=TAGS[1])] | None = None
    """The VLAN tag of a port with a parent; 0 gives it one that is free there. Of a port that
    leads to a provider network the one that frames have there; without one they have none."""
    vlan_protocol: VlanProtocol | None = None
    """How frames say their `tag` on a provider network: by IEEE 802.1Q, or by 802.1ad, whose tags
    providers put around those of their customers. Without it by 802.1Q."""
    network_name: NetworkName | None = None
    """The provider network that a port of type `localnet` or `l2gateway` leads to. Each chassis
    says in `treadle-bridge-mappings` which of its bridges that is."""
    learn_fdb: bool = False
    """Whether a port that leads to a provider network learns which MAC addresses are there;
    frames for unknown ones go there in any case."""
    ha_chassis_group: Annotated[Reference | None, RefersTo("ha_chassis_group")] = None
    """The chassis of which one answers the DHCP clients and DNS queries of a port of type
    `external`, and routes for it; without any, none does."""
    virtual_ip: Annotated[str, checked(parse_host)] | None = None
    """The address that a port of type `virtual` stands for."""
    virtual_parents: Annotated[list[Reference], AfterValidator(unique), Field(default_factory=list)]
    """The ports on the same switch that may have that address, one at a time: the one that spoke
    for it last, by gratuitous ARP or a neighbour advertisement."""
    dhcp: bool = True
    """Whether DHCP clients behind the port are answered, if there are options for them."""
    hostname: Annotated[str, AfterValidator(parse_domain)] | None = None
    """The host name that DHCP clients behind the port are told."""
    dhcpv4_options: Annotated[Reference | None, RefersTo("dhcp_options")] = None
    """What DHCPv4 clients are told, in place of what the switch has for all ports."""
    dhcpv6_options: Annotated[Reference | None, RefersTo("dhcp_options")] = None
    """The same for DHCPv6 clients."""

    @model_validator(mode="before")
    @classmethod
    def _router_port_tells_type(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("router_port") and "type" not in values:
            return {**values, "type": "router"}
        return values

    @model_validator(mode="after")
    def _type_decides(self) -> Self:
        words = [element for element in self.addresses if element != "router"]
        for field, types in _TYPES_WITH.items():
            if self.type not in types and getattr(self, field) not in (None, [], False):
                raise FieldError(field, f"is for ports of type {' and '.join(map(repr, types))}")
        if self.type == "router":
            if self.router_port is None:
                raise FieldError("router_port", "a port of type 'router' needs one")
            if words:
                raise FieldError("addresses", "a port of type 'router' has its router port's")
            return self if self.addresses else self.model_copy(update={"addresses": ["router"]})
        if self.type in _OUTSIDE:
            self._leads_outside()
            return self.model_copy(update={"addresses": ["unknown"]})
        if len(words) != len(self.addresses):
            raise FieldError("addresses", "'router' is for ports of type 'router'")
        if sum(parse_port_address(element).dynamic for element in words) > 1:
            raise FieldError("addresses", "at most one element may be dynamic")
        return self

    def _leads_outside(self) -> None:
        if self.network_name is None:
            raise FieldError("network_name", f"a port of type {self.type!r} needs one")
        if self.tag == ANY_TAG:
            raise FieldError("tag", "a provider network gives none: from 1 to 4094, or none")
        if self.vlan_protocol is not None and self.tag is None:
            raise FieldError("vlan_protocol", "says how a tag is written, and there is none")
        if self.addresses not in ([], ["unknown"]):
            raise FieldError("addresses", f"of a port of type {self.type!r} are unknown")
        if self.type == "l2gateway" and not self.requested_chassis:
            raise FieldError("requested_chassis", "a port of type 'l2gateway' needs one to be on")

    @model_validator(mode="after")
    def _virtual_has_parents(self) -> Self:
        if self.type == "virtual":
            for field in ("virtual_ip", "virtual_parents"):
                if not getattr(self, field):
                    raise FieldError(field, "a port of type 'virtual' needs it")
            if "unknown" in self.addresses:
                raise FieldError("addresses", "a port of type 'virtual' takes no unknown ones")
        return self

    @model_validator(mode="after")
    def _external_has_addresses(self) -> Self:
        if self.type == "external":
            if not self.addresses:
                raise FieldError("addresses", "a port of type 'external' is known by its own")
            if "unknown" in self.addresses:
                raise FieldError("addresses", "a port of type 'external' takes no unknown ones")
        return self

    @model_validator(mode="after")
    def _parent_has_tags(self) -> Self:
        if self.parent is None:
            if self.tag is not None and self.type not in _OUTSIDE:
                reason = "is for ports with a parent, or of type 'localnet' or 'l2gateway'"
                raise FieldError("tag", reason)
            return self
        if self.tag is None:
            raise FieldError("tag", "a port with a parent needs one; 0 gives it one that is free")
        for field in ("requested_chassis", "activation_strategy"):
            if getattr(self, field):
                raise FieldError(field, "a port with a parent is where its parent is")
        return self


class LogicalSwitchPortFacts(TunnelKey):
    """What users see of a port and cannot set."""

    dynamic_addresses: str | None = None
    """What `dynamic` in `addresses` stands for."""
    allocated_tag: int | None = None
    """The VLAN tag of its frames on the interface of its parent."""


class LogicalSwitchPortSpec(LogicalSwitchPortProperties):
    """A port of a switch: of a workload (`vif`, `localport`, `external`), towards a router
    (`router`), or to a provider network (`localnet`, `l2gateway`)."""

    declaration: ClassVar = Declaration(
        "logical_switch_port",
        "logical switch ports",
        LogicalSwitchPortProperties,
        columns=("name", "logical_switch", "type", "addresses", "dynamic_addresses", "enabled"),
        example={
            "name": "web-1",
            "logical_switch": "web",
            "addresses": ["0a:00:00:00:00:01 10.0.0.11"],
            "port_security": ["0a:00:00:00:00:01 10.0.0.11"],
        },
        patch={"enabled": False},
        facts=LogicalSwitchPortFacts,
        fact_examples={"dynamic_addresses": None, "allocated_tag": None, "tunnel_key": 1},
        identifying=("name", "logical_switch", "type"),
        collection="ports",
        stays=True,
        of_any_project=True,
        names=("logical_switch_port", "logical_router_port"),
    )

    name: ObjectName | None = None
    """Unique among the project's ports, router ports included. In `default` an `iface-id` that
    is the name binds the port, in all projects one that is the id."""
    logical_switch: Annotated[Reference, RefersTo("logical_switch", owner=True)]


KINDS: tuple[type[Spec], ...] = (LogicalSwitchSpec, LogicalSwitchPortSpec)
