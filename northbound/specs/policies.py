"""Specs of routing policies."""

import ipaddress
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from northbound.addresses import parse_host
from northbound.names import MAIN_CHAIN
from northbound.specs.base import FieldError, Reference, Spec, checked, unique
from northbound.specs.declaration import Declaration, Filtered, RefersTo
from northbound.specs.selection import RoutedFields

Chain = Annotated[str, Field(min_length=1, max_length=255)]

MOST_NEXTHOPS = 64
"""Over so many next hops a policy spreads packets at most."""


class RouterPolicyProperties(Spec):
    """Which packets a policy is for, and what becomes of them."""

    priority: Annotated[int, Field(ge=0, le=32767)]
    """The highest that matches decides."""
    match: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    """An expression in OVN's language, `ip4.src == 10.0.0.0/8 && inport == "edge-web"`."""
    action: Annotated[Literal["allow", "drop", "reroute", "jump"], Filtered()]
    """`allow`: routes decide. `drop`: the packet ends. `reroute`: it goes to the next hops
    instead. `jump`: the policies of another chain are asked."""
    nexthops: Annotated[
        list[Annotated[str, checked(parse_host)]],
        AfterValidator(unique),
        Field(default_factory=list, max_length=MOST_NEXTHOPS),
    ]
    """Where packets are rerouted to, all of one family; over several they are spread."""
    output_port: Annotated[Reference | None, RefersTo("logical_router_port", by_name=True)] = None
    """The router port towards the next hops; else the one whose network holds each."""
    pkt_mark: Annotated[int, Field(ge=0, lt=1 << 32)] | None = None
    """The mark that packets get which are allowed or rerouted: their hypervisor's kernel has it."""
    chain: Annotated[Chain, Filtered()] = MAIN_CHAIN
    """The chain that it is in. The main one is asked first; where no policy of a chain matches,
    routes decide."""
    jump_chain: Chain | None = None
    bfd: bool = False
    """Whether each of its next hops takes packets only while the BFD session with it is up, if it
    has one. With none left, the policy matches no packet."""
    selection_fields: RoutedFields = Field(default_factory=list)
    """What alone the next hop of a packet follows from, of several. Empty for its addresses,
    protocol and ports."""

    @model_validator(mode="after")
    def _fields_fit_the_action(self) -> Self:
        reroutes, jumps = self.action == "reroute", self.action == "jump"
        if reroutes and not self.nexthops:
            raise FieldError("nexthops", "are needed to reroute packets to")
        if not reroutes and self.nexthops:
            raise FieldError("nexthops", f"have no meaning where the action is {self.action}")
        if not reroutes and self.output_port is not None:
            raise FieldError("output_port", f"has no meaning where the action is {self.action}")
        if self.bfd and not reroutes:
            raise FieldError("bfd", f"has no meaning where the action is {self.action}")
        if self.selection_fields and not reroutes:
            reason = f"have no meaning where the action is {self.action}"
            raise FieldError("selection_fields", reason)
        if self.pkt_mark is not None and self.action in ("drop", "jump"):
            raise FieldError("pkt_mark", f"has no meaning where the action is {self.action}")
        if jumps and self.jump_chain is None:
            raise FieldError("jump_chain", "is needed to jump to")
        if not jumps and self.jump_chain is not None:
            raise FieldError("jump_chain", f"has no meaning where the action is {self.action}")
        if self.jump_chain == MAIN_CHAIN:
            raise FieldError("jump_chain", "is the chain that is asked first")
        first = next(iter(self.nexthops), None)
        for i, each in enumerate(self.nexthops):
            if ipaddress.ip_address(each).version != ipaddress.ip_address(first or "").version:
                raise FieldError("nexthops", i, f"{each} is not of the family of {first}")
        return self


class RouterPolicySpec(RouterPolicyProperties):
    """A policy of a router: it is asked after the routes, and overrides them."""

    declaration: ClassVar = Declaration(
        "router_policy",
        "router policies",
        RouterPolicyProperties,
        columns=(
            *("logical_router", "chain", "priority", "match", "action", "nexthops"),
            *("pkt_mark", "jump_chain"),
        ),
        example={
            "logical_router": "edge",
            "priority": 100,
            "match": "ip4.src == $office",
            "action": "reroute",
            "nexthops": ["10.0.0.253"],
        },
        patch={"nexthops": ["10.0.0.253", "10.0.0.252"], "pkt_mark": 7},
        identifying=("logical_router", "chain", "priority", "match"),
        natural_key=("logical_router", "chain", "priority", "match"),
        collection="policies",
        also_refers_to=("address_set", "port_group"),
    )

    logical_router: Annotated[Reference, RefersTo("logical_router", owner=True)]


KINDS: tuple[type[Spec], ...] = (RouterPolicySpec,)
