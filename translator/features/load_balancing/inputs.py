"""The rows of load balancers, of their virtual addresses, and of where they are."""

from typing import Annotated, NamedTuple

from logical_flow.variables import has_variable
from translator.addresses import ip_bytes
from translator.inputs import Column, input_table, ip_list
from translator.names import port_image


def _address(text: str) -> bytes | str:
    return text if has_variable(text) else ip_bytes(text)


def _family(text: str | None) -> int:
    return {"ipv4": 4, "ipv6": 6}.get(text or "", 0)


class LoadBalancer(NamedTuple):
    id: str
    protocol: str
    reject: bool
    affinity_timeout: int = 0
    end_connections: bool = True
    selection_fields: Annotated[tuple[str, ...], Column("selection_fields", tuple)] = ()
    hairpin_snat_ips: Annotated[tuple[bytes, ...], Column("hairpin_snat_ips", ip_list)] = ()
    neighbor_responder: str = "reachable"
    """Whether routers answer for the addresses in their networks, for ``all``, or for ``none``."""
    skip_snat: bool = False
    family: Annotated[int, Column("address_family", _family)] = 0
    """The IP version of a template; 0 for what is none."""


class HealthCheck(NamedTuple):
    """Seconds and counts: see the spec of the same name."""

    interval: int
    timeout: int
    success_count: int
    failure_count: int


def _health_check(values: dict[str, int] | None) -> HealthCheck | None:
    return None if values is None else HealthCheck(**values)


class LoadBalancerVip(NamedTuple):
    """`port` is None where it is for the whole address; `backends` are as in ``10.0.0.5:80``.

    A variable of chassis is a text, ``^NODE``, as `address` and as `port_variable`.
    """

    id: str
    load_balancer: Annotated[str, Column("load_balancer_id")]
    address: Annotated[bytes | str, Column("address", _address)]
    port: int | None
    backends: Annotated[tuple[str, ...], Column("backends", tuple)]
    health_check: Annotated[HealthCheck | None, Column("health_check", _health_check)] = None
    port_variable: str | None = None


class LoadBalancerBackend(NamedTuple):
    """`logical_port` is the qualified name of a port."""

    id: str
    load_balancer: Annotated[str, Column("load_balancer_id")]
    address: Annotated[bytes, Column("address", ip_bytes)]
    logical_port: str
    source_ip: Annotated[bytes, Column("source_ip", ip_bytes)]


class LoadBalancerSwitch(NamedTuple):
    load_balancer: Annotated[str, Column("load_balancer_id")]
    switch: Annotated[str, Column("logical_switch_id")]


class LoadBalancerRouter(NamedTuple):
    load_balancer: Annotated[str, Column("load_balancer_id")]
    router: Annotated[str, Column("logical_router_id")]


class LoadBalancerGroup(NamedTuple):
    """A group by itself, of which nothing follows but by what is in it."""

    id: str


class LoadBalancerGroupMember(NamedTuple):
    group: Annotated[str, Column("load_balancer_group_id")]
    load_balancer: Annotated[str, Column("load_balancer_id")]


class LoadBalancerGroupSwitch(NamedTuple):
    group: Annotated[str, Column("load_balancer_group_id")]
    switch: Annotated[str, Column("logical_switch_id")]


class LoadBalancerGroupRouter(NamedTuple):
    group: Annotated[str, Column("load_balancer_group_id")]
    router: Annotated[str, Column("logical_router_id")]


TABLES = (
    input_table("load_balancer", LoadBalancer),
    input_table("load_balancer_vip", LoadBalancerVip),
    input_table("load_balancer_backend", LoadBalancerBackend, names=port_image),
    input_table(
        "load_balancer_switch", LoadBalancerSwitch, key=("load_balancer_id", "logical_switch_id")
    ),
    input_table(
        "load_balancer_router", LoadBalancerRouter, key=("load_balancer_id", "logical_router_id")
    ),
    input_table("load_balancer_group", LoadBalancerGroup),
    input_table(
        "load_balancer_group_member",
        LoadBalancerGroupMember,
        key=("load_balancer_group_id", "load_balancer_id"),
    ),
    input_table(
        "load_balancer_group_switch",
        LoadBalancerGroupSwitch,
        key=("load_balancer_group_id", "logical_switch_id"),
    ),
    input_table(
        "load_balancer_group_router",
        LoadBalancerGroupRouter,
        key=("load_balancer_group_id", "logical_router_id"),
    ),
)
