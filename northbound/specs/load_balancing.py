"""Specs of load balancers and their virtual addresses."""

import ipaddress
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from logical_flow.backends import MAX_BACKENDS
from logical_flow.holes import is_variable
from logical_flow.variables import has_variable, parse_backend_text
from northbound.addresses import parse_host
from northbound.specs.backends import HealthCheck, LoadBalancerBackendSpec
from northbound.specs.base import (
    FieldError,
    ObjectName,
    OneOfEachFamily,
    Reference,
    Spec,
    unique,
)
from northbound.specs.declaration import Declaration, Filtered, RefersTo
from northbound.specs.selection import SelectionFields

Protocol = Literal["tcp", "udp", "sctp"]
MAX_AFFINITY_TIMEOUT = 65535
NeighborResponder = Literal["reachable", "all", "none"]
AddressFamily = Literal["ipv4", "ipv6"]
_LONGEST_BACKEND = 255
VERSIONS: dict[str, int] = {"ipv4": 4, "ipv6": 6}


def _backend(text: str) -> str:
    """Return a backend in its canonical form.

    That is `10.0.0.5:80`, `[fd00::5]:80`, `10.0.0.5`, or of a template `^WEB`, `^WEB:80`,
    `^WEB:^PORT`, `10.0.0.5:^PORT`.
    """
    try:
        backend = parse_backend_text(text)
    except ValueError:
        raise ValueError(f"{text!r} is no address, or address and port, of a backend") from None
    if not has_variable(backend.address):
        parse_host(backend.address)
    if len(str(backend)) > _LONGEST_BACKEND:
        raise ValueError(f"a backend has at most {_LONGEST_BACKEND} characters")
    return str(backend)


def _address(text: str) -> str:
    """Return an address in its canonical form, or a variable as it is."""
    if not has_variable(text):
        return str(parse_host(text))
    return _variable(text)


def _variable(text: str) -> str:
    """Return a variable as it is; raise ValueError for anything else."""
    if not is_variable(text):
        raise ValueError(f"{text!r} is no variable: letters, digits and `_ . -` after a `^`")
    return text


class LoadBalancerProperties(Spec):
    """What holds for all virtual addresses of a load balancer, and where they are."""

    protocol: Annotated[Protocol, Filtered()] = "tcp"
    """Of the connections to virtual addresses that have a port."""
    reject: bool = False
    """Whether clients are told at once where a virtual address has no backend; else they wait."""
    affinity_timeout: Annotated[int, Field(ge=0, le=MAX_AFFINITY_TIMEOUT)] = 0
    """Seconds for which a client gets the backend that it had, at least; 0 for no such promise.
    With it the backend follows from the client's address alone, from the first connection on."""
    selection_fields: SelectionFields = Field(default_factory=list)
    """What alone a connection's backend follows from: addresses of the client and of what it
    asked for, their protocol and ports. Empty for all of these."""
    hairpin_snat_ips: OneOfEachFamily = Field(default_factory=list)
    """Whom clients see ask that are their own backends, an address of each family at most; the
    virtual address where there is none."""
    end_connections: bool = True
    """Whether connections to a backend end once it is removed, or doesn't answer any more; else
    they go on as long as both ends like."""
    switches: Annotated[
        list[Reference],
        AfterValidator(unique),
        Field(default_factory=list),
        RefersTo("logical_switch", holds=False),
    ]
    """The switches whose ports reach the virtual addresses."""
    routers: Annotated[
        list[Reference],
        AfterValidator(unique),
        Field(default_factory=list),
        RefersTo("logical_router", holds=False),
    ]
    """The routers at which the virtual addresses are: for who comes in through their gateways, or,
    of a router without any, for the ports of the switches that are attached to it."""
    neighbor_responder: NeighborResponder = "reachable"
    """Who is told by routers that a virtual address is theirs (ARP, neighbor discovery): those in
    whose network it is, all who ask, or none. Of a template all or none, and none unless told."""
    skip_snat: bool = False
    """Whether backends see who asks where routers else put an address of theirs in his place."""
    template: bool = False
    """Whether virtual addresses and backends are written with variables of chassis, `^NODE`, and
    so are something else on each. Backends aren't checked."""
    address_family: AddressFamily | None = None
    """Of all addresses of a template, which can't be seen from it."""

    @model_validator(mode="before")
    @classmethod
    def _templates_are_answered_for_on_demand(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and values.get("template") is True:
            return {"neighbor_responder": "none", **values}
        return values

    @model_validator(mode="after")
    def _template_fits(self) -> Self:
        if self.template and self.address_family is None:
            raise FieldError("address_family", "a template needs one, of all its addresses")
        if self.address_family is not None and not self.template:
            raise FieldError("address_family", "only a template needs one")
        if self.template and self.neighbor_responder == "reachable":
            raise FieldError(
                "neighbor_responder",
                "has to be all or none: it differs by chassis in which network a template's "
                "addresses are",
            )
        return self

    @model_validator(mode="after")
    def _choices_fit(self) -> Self:
        if self.affinity_timeout and self.selection_fields not in ([], ["ip_src"]):
            raise FieldError(
                "selection_fields", "with an affinity_timeout the client's address alone counts"
            )
        return self


class LoadBalancerSpec(LoadBalancerProperties):
    """Virtual addresses, each with backends that connections to it are spread over."""

    declaration: ClassVar = Declaration(
        "load_balancer",
        "load balancers",
        LoadBalancerProperties,
        columns=("name", "protocol", "switches", "routers", "reject"),
        example={"name": "shop", "protocol": "tcp", "switches": ["web"]},
        patch={"protocol": "udp"},
    )

    name: ObjectName | None = None


class LoadBalancerVipProperties(Spec):
    """What a virtual address stands for."""

    address: Annotated[str, AfterValidator(_address), Filtered()]
    """An IPv4 or IPv6 address that no port of the network has; of a template also a variable that
    has it on each chassis, `^NODE`."""
    port: Annotated[int | None, Field(ge=1, le=65535), Filtered()] = None
    """Of the load balancer's protocol. Without one all that is for the address is balanced, except
    what is for a port that the address has, too."""
    port_variable: Annotated[str, AfterValidator(_variable)] | None = None
    """Of a template, in place of `port`: the variable that has it on each chassis, `^PORT`."""
    backends: Annotated[
        list[Annotated[str, AfterValidator(_backend)]],
        AfterValidator(unique),
        Field(default_factory=list, max_length=MAX_BACKENDS),
    ]
    """Where connections go: `10.0.0.5:8080`, `[fd00::5]:8080`; without ports where the virtual
    address has none. Of a template also `^WEB:8080`, `^WEB:^PORT`, `10.0.0.5:^PORT`, or `^WEB`,
    which may be several. Those that are there stay with their backend when others come or go."""
    health_check: HealthCheck | None = None
    """With it a backend of which the load balancer knows the port gets connections only while it
    answers."""

    @model_validator(mode="after")
    def _can_be_checked(self) -> Self:
        if self.health_check is not None and self.has_variables:
            raise FieldError("health_check", "needs addresses and ports that are no variables")
        if self.health_check is not None and self.port is None:
            raise FieldError("health_check", "needs a port, which the virtual address has not")
        return self

    @model_validator(mode="after")
    def _backends_fit(self) -> Self:
        if self.port is not None and self.port_variable is not None:
            raise FieldError("port_variable", "stands beside a port")
        has_port = self.port is not None or self.port_variable is not None
        version = version_of(self.address)
        for i, text in enumerate(self.backends):
            backend = parse_backend_text(text)
            own = version_of(backend.address)
            if version is not None and own is not None and own != version:
                raise FieldError("backends", i, f"is not of the family of {self.address}")
            if has_port and not backend.port and not backend.is_list:
                raise FieldError("backends", i, f"has no port, as {self.address} has one")
            if not has_port and backend.port:
                raise FieldError("backends", i, f"has a port, but {self.address} has none")
        return self

    @property
    def has_variables(self) -> bool:
        """Whether any part of it is a variable."""
        texts = (self.address, self.port_variable or "", *self.backends)
        return any(map(has_variable, texts))


def version_of(address: str) -> int | None:
    """Return the IP version of an address; None for a variable."""
    return None if has_variable(address) else ipaddress.ip_address(address).version


class LoadBalancerVipSpec(LoadBalancerVipProperties):
    """A virtual address of a load balancer."""

    declaration: ClassVar = Declaration(
        "load_balancer_vip",
        "load balancer VIPs",
        LoadBalancerVipProperties,
        columns=("load_balancer", "address", "port", "backends"),
        example={
            "load_balancer": "shop",
            "address": "10.96.0.1",
            "port": 80,
            "backends": ["10.0.0.11:8080", "10.0.0.12:8080"],
        },
        patch={"backends": ["10.0.0.11:8080"]},
        identifying=("load_balancer", "address", "port", "port_variable"),
        natural_key=("load_balancer", "port", "port_variable", "address"),
        collection="vips",
        title="load balancer VIP",
    )

    load_balancer: Annotated[Reference, RefersTo("load_balancer", owner=True)]


class LoadBalancerGroupProperties(Spec):
    """Which load balancers are together, and where they all are."""

    load_balancers: Annotated[
        list[Reference],
        AfterValidator(unique),
        Field(default_factory=list),
        RefersTo("load_balancer", holds=False),
    ]
    switches: Annotated[
        list[Reference],
        AfterValidator(unique),
        Field(default_factory=list),
        RefersTo("logical_switch", holds=False),
    ]
    """The switches that have all of the load balancers, beside those that these name themselves."""
    routers: Annotated[
        list[Reference],
        AfterValidator(unique),
        Field(default_factory=list),
        RefersTo("logical_router", holds=False),
    ]
    """The routers that have all of them."""


class LoadBalancerGroupSpec(LoadBalancerGroupProperties):
    """Load balancers that many switches and routers have together."""

    declaration: ClassVar = Declaration(
        "load_balancer_group",
        "load balancer groups",
        LoadBalancerGroupProperties,
        columns=("name", "load_balancers", "switches", "routers"),
        example={"name": "services", "load_balancers": ["shop"], "routers": ["edge"]},
        patch={"load_balancers": []},
    )

    name: ObjectName | None = None


KINDS: tuple[type[Spec], ...] = (
    LoadBalancerSpec,
    LoadBalancerVipSpec,
    LoadBalancerBackendSpec,
    LoadBalancerGroupSpec,
)
