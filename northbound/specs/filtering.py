"""Specs of port groups, address sets and ACLs."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from northbound.addresses import parse_mac, parse_network
from northbound.specs.base import (
    PRINTABLE,
    FieldError,
    Reference,
    SetName,
    Spec,
    checked,
    unique,
)
from northbound.specs.declaration import Declaration, Filtered, RefersTo

Direction = Literal["from-lport", "to-lport"]
Action = Literal["allow", "allow-related", "allow-stateless", "drop", "reject", "pass"]
Severity = Literal["alert", "warning", "notice", "info", "debug"]


def parse_member(text: str) -> str:
    """A member of an address set: an IP address, a network, or a MAC address.

    >>> parse_member("10.0.0.7/24"), parse_member("FD00::1/128")
    ('10.0.0.0/24', 'fd00::1')
    """
    if text.count(":") == 5 and "::" not in text:
        return parse_mac(text)
    try:
        network = parse_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is neither an IP address, nor a network, nor a MAC") from None
    whole = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if whole else str(network)


class PortGroupProperties(Spec):
    """Who is in a port group."""

    ports: Annotated[
        list[Reference],
        AfterValidator(unique),
        Field(default_factory=list),
        RefersTo("logical_switch_port", holds=False),
    ]
    """Names of switch ports."""


class PortGroupSpec(PortGroupProperties):
    """A named set of switch ports, of any switches."""

    declaration: ClassVar = Declaration(
        "port_group",
        "port groups",
        PortGroupProperties,
        columns=("name", "ports"),
        example={"name": "web_servers", "ports": ["web-1"]},
        patch={"labels": {"team": "shop"}},
        name_type=SetName,
    )

    name: SetName | None = None


class AddressSetProperties(Spec):
    """What is in an address set."""

    addresses: Annotated[
        list[Annotated[str, checked(parse_member)]],
        AfterValidator(unique),
        Field(default_factory=list),
    ]
    """IP addresses and networks of either family, and MAC addresses: a match takes those of its
    field's kind."""
    shared: bool = False
    """Whether all projects see it, and their matches may name it."""


class AddressSetSpec(AddressSetProperties):
    """A named set of addresses."""

    declaration: ClassVar = Declaration(
        "address_set",
        "address sets",
        AddressSetProperties,
        columns=("name", "addresses"),
        example={"name": "office", "addresses": ["198.51.100.0/24", "203.0.113.7"]},
        patch={"addresses": ["198.51.100.0/24"]},
        name_type=SetName,
    )

    name: SetName | None = None


class AclProperties(Spec):
    """What a rule matches, and what it does."""

    name: Annotated[str, StringConstraints(max_length=63, pattern=PRINTABLE)] = ""
    direction: Annotated[Direction, Filtered()]
    """`from-lport`: as a port sends. `to-lport`: as a port receives."""
    tier: Annotated[int, Field(ge=0, le=3)] = 0
    """Tiers are asked in order; `pass` and the lack of a verdict lead to the next one."""
    priority: Annotated[int, Field(ge=0, le=32767)]
    """The highest that matches decides."""
    match: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    """An expression in OVN's language, `ip4 && tcp.dst == 80`."""
    action: Annotated[Action, Filtered()]
    log: bool = False
    severity: Severity = "info"
    meter: Annotated[Reference | None, RefersTo("meter")] = None
    """How often it may log, if that is to be less than what a hypervisor allows of all logging."""
    label: Annotated[int, Field(ge=0, lt=1 << 32)] = 0
    """Kept with each connection that the rule let in."""
    apply_after_lb: bool = False
    """Whether the rule decides after load balancing, and so sees the backend of a connection where
    others see the virtual address. Only of `from-lport`; both sorts have to let a packet pass."""

    @model_validator(mode="after")
    def _is_applied_somewhere(self) -> Self:
        if self.apply_after_lb and self.direction != "from-lport":
            raise FieldError("apply_after_lb", "is only for rules of direction from-lport")
        return self


_IDENTIFYING = (
    *("logical_switch", "port_group", "direction", "apply_after_lb", "tier", "priority"),
    "match",
)


class AclSpec(AclProperties):
    """A rule on the ports of one switch, or of one port group."""

    declaration: ClassVar = Declaration(
        "acl",
        "ACLs",
        AclProperties,
        columns=(
            *("logical_switch", "port_group", "direction", "tier", "priority", "action"),
            *("match", "name"),
        ),
        example={
            "port_group": "web_servers",
            "name": "http",
            "direction": "to-lport",
            "priority": 1000,
            "match": "outport == @web_servers && ip4.src == $office && tcp.dst == 80",
            "action": "allow-related",
            "log": True,
            "meter": "audit",
        },
        patch={"action": "reject", "severity": "notice"},
        identifying=_IDENTIFYING,
        natural_key=_IDENTIFYING,
        collection="acls",
        title="ACL",
        also_refers_to=("address_set", "port_group"),
    )

    logical_switch: Annotated[Reference | None, RefersTo("logical_switch", owner=True)] = None
    port_group: Annotated[Reference | None, RefersTo("port_group", owner=True)] = None

    @model_validator(mode="after")
    def _one_owner(self) -> Self:
        if (self.logical_switch is None) == (self.port_group is None):
            raise ValueError("give one of logical_switch and port_group")
        return self


KINDS: tuple[type[Spec], ...] = (PortGroupSpec, AddressSetSpec, AclSpec)
