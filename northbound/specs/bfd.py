"""Specs of BFD sessions with next hops of routers."""

from typing import Annotated, ClassVar

from pydantic import Field

from northbound.addresses import parse_host
from northbound.specs.base import Reference, Spec, checked
from northbound.specs.declaration import Declaration, Filtered, Fixed, RefersTo

SHORTEST_INTERVAL = 100
"""Milliseconds. An agent makes every packet by itself, beside all else that it does."""
LONGEST_INTERVAL = 60_000

Interval = Annotated[int, Field(ge=SHORTEST_INTERVAL, le=LONGEST_INTERVAL)]


class BfdSessionProperties(Spec):
    """How a neighbour is watched."""

    dst_ip: Annotated[str, checked(parse_host), Filtered(), Fixed()]
    """The neighbour's address. A router port has one session with it at most."""
    min_tx: Interval = 1000
    """Milliseconds between packets that are sent, at least; while the session is not up, no less
    than 1,000."""
    min_rx: Interval = 1000
    """Milliseconds between packets that the neighbour may send, at least."""
    detect_mult: Annotated[int, Field(ge=1, le=255)] = 5
    """Of how many packets of ours in a row the loss means that the way is cut."""
    enabled: bool = True
    """Whether it is run. One that is not counts as one that is not up."""


class BfdSessionSpec(BfdSessionProperties):
    """A BFD session (RFC 5880) of a router port with a neighbour."""

    declaration: ClassVar = Declaration(
        "bfd_session",
        "BFD sessions",
        BfdSessionProperties,
        columns=("logical_router_port", "dst_ip", "min_tx", "min_rx", "detect_mult", "enabled"),
        example={
            "logical_router_port": "edge-web",
            "dst_ip": "10.0.0.254",
            "min_tx": 300,
            "min_rx": 300,
            "detect_mult": 3,
        },
        patch={"min_tx": 500},
        identifying=("logical_router_port", "dst_ip"),
        natural_key=("logical_router_port", "dst_ip"),
        collection="bfd_sessions",
        title="BFD session",
    )

    logical_router_port: Annotated[Reference, RefersTo("logical_router_port", owner=True)]


KINDS: tuple[type[Spec], ...] = (BfdSessionSpec,)
