"""Specs of network address translation on routers."""

import ipaddress
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from northbound.addresses import parse_host, parse_mac, parse_network
from northbound.port_ranges import parse_port_range
from northbound.specs.base import FieldError, Reference, Spec, checked
from northbound.specs.declaration import Declaration, Filtered, RefersTo

NatType = Literal["snat", "dnat", "dnat_and_snat"]

_IDENTIFYING = ("logical_router", "type", "external_ip", "gateway_port", "match", "logical_ip")


def _port_range(text: str) -> str:
    first, last = parse_port_range(text)
    return str(first) if first == last else f"{first}-{last}"


def _logical(text: str) -> str:
    """Bring an address or a network into its canonical form; a network of one is an address."""
    network = parse_network(text, strict=False)
    whole = network.prefixlen == network.max_prefixlen
    return str(parse_host(str(network.network_address))) if whole else str(network)


class NatProperties(Spec):
    """What is translated to what."""

    type: Annotated[NatType, Filtered()]
    """`snat`: the source of what leaves. `dnat`: the destination of what comes in.
    `dnat_and_snat`: both, which is a floating IP."""
    external_ip: Annotated[str, checked(parse_host), Filtered()]
    """The address that the outside sees, of a network of one of the router's ports."""
    routed: bool = False
    """Whether others route `external_ip` to the router, none of whose networks has it."""
    logical_ip: Annotated[str, AfterValidator(_logical), Filtered()]
    """The address behind it; for `snat` a network, too: `10.0.0.0/24`."""
    external_port_range: Annotated[str, AfterValidator(_port_range)] | None = None
    """The ports that translated connections get: `30000-30999`. By default as they are, if free."""
    logical_port: Annotated[
        Reference | None, RefersTo("logical_switch_port", by_name=True, holds=False)
    ] = None
    """With `external_mac`: the floating IP is translated on the chassis of this switch port."""
    external_mac: Annotated[str, checked(parse_mac)] | None = None
    """The MAC address by which the outside reaches a floating IP on its port's chassis."""
    allowed_external_ips: Annotated[Reference | None, RefersTo("address_set")] = None
    """Translate only for those outside whose addresses are in this set."""
    exempted_external_ips: Annotated[Reference | None, RefersTo("address_set")] = None
    """Don't translate for those outside whose addresses are in this set."""
    gateway_port: Annotated[Reference | None, RefersTo("logical_router_port")] = None
    """The router port where packets are translated; needed if several of them lead outside."""
    stateless: bool = False
    """Whether addresses are exchanged packet by packet, without connections."""
    match: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] | None = None
    """Translate only connections that begin with packets that fit this expression in OVN's
    language, of `snat` as they leave and of `dnat` as they come in: `tcp.dst == 443`."""
    priority: Annotated[int, Field(ge=0, le=32767)] = 0
    """Of several with a `match` that fits, the highest decides; those without one come after."""

    @model_validator(mode="after")
    def _is_of_one_family(self) -> Self:
        external = ipaddress.ip_address(self.external_ip)
        logical = ipaddress.ip_network(self.logical_ip)
        if external.version != logical.version:
            raise FieldError("logical_ip", f"is not of the family of {external}")
        if self.type != "snat" and logical.prefixlen != logical.max_prefixlen:
            raise FieldError("logical_ip", f"{self.type} takes one address, not a network")
        if logical == ipaddress.ip_network(self.external_ip):
            raise FieldError("logical_ip", "is the external address itself")
        return self

    @model_validator(mode="after")
    def _is_distributed_as_a_whole(self) -> Self:
        if (self.logical_port is None) != (self.external_mac is None):
            missing = "logical_port" if self.logical_port is None else "external_mac"
            raise FieldError(missing, "logical_port and external_mac are given together")
        if self.external_mac is not None and self.type != "dnat_and_snat":
            raise FieldError("external_mac", f"{self.type} has no chassis of its own")
        if self.external_mac is not None and self.external_port_range:
            raise FieldError(
                "external_port_range", "a floating IP with a MAC address has all ports"
            )
        return self

    @model_validator(mode="after")
    def _is_for_some_outside(self) -> Self:
        if self.allowed_external_ips and self.exempted_external_ips:
            raise FieldError("exempted_external_ips", "allowed_external_ips says it already")
        return self

    @model_validator(mode="after")
    def _matches_one_way(self) -> Self:
        if self.match is None:
            if self.priority:
                raise FieldError("priority", "is that of a match, and there is none")
            return self
        if self.type == "dnat_and_snat":
            reason = "a floating IP is for all packets both ways; give a dnat and a snat instead"
            raise FieldError("match", reason)
        if self.exempted_external_ips:
            raise FieldError("exempted_external_ips", "the match has to say it")
        return self

    @model_validator(mode="after")
    def _is_stateless_as_a_whole(self) -> Self:
        if not self.stateless:
            return self
        if self.type != "dnat_and_snat":
            raise FieldError("stateless", f"{self.type} needs connections")
        if self.external_port_range:
            raise FieldError("external_port_range", "ports need connections: it is stateless")
        for field in ("allowed_external_ips", "exempted_external_ips"):
            if getattr(self, field):
                raise FieldError(field, "a stateless one is for all outside")
        return self


class NatSpec(NatProperties):
    """A translation of addresses by a router."""

    declaration: ClassVar = Declaration(
        "nat",
        "NATs",
        NatProperties,
        columns=("logical_router", "type", "external_ip", "logical_ip", "logical_port"),
        example={
            "logical_router": "edge",
            "type": "snat",
            "external_ip": "10.0.0.9",
            "logical_ip": "172.16.0.0/24",
        },
        patch={"external_port_range": "30000-39999"},
        identifying=_IDENTIFYING,
        natural_key=_IDENTIFYING,
        collection="nats",
        title="NAT",
    )

    logical_router: Annotated[Reference, RefersTo("logical_router", owner=True)]


KINDS: tuple[type[Spec], ...] = (NatSpec,)
