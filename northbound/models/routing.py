"""Logical routers, their ports, their static routes and what they are told of neighbours."""

from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from northbound.models.base import Name, Resource, name_within_project, reference


class LogicalRouter(Resource):
    """A distributed layer-3 router."""

    __tablename__ = "logical_router"
    __table_args__ = (name_within_project(),)

    name: Mapped[str] = mapped_column(Name)
    enabled: Mapped[bool] = mapped_column(default=True)
    tunnel_key: Mapped[int] = mapped_column(unique=True)
    chassis: Mapped[str | None] = mapped_column(Name, default=None, sort_order=93)
    dynamic_neigh_routers: Mapped[bool] = mapped_column(default=False, sort_order=94)
    lb_force_snat_ips: Mapped[list[str]] = mapped_column(default=list, sort_order=110)
    lb_force_snat_router_ip: Mapped[bool] = mapped_column(default=False, sort_order=111)
    dnat_force_snat_ips: Mapped[list[str]] = mapped_column(default=list, sort_order=112)
    always_learn_from_arp_request: Mapped[bool] = mapped_column(default=True, sort_order=113)
    mac_binding_age_threshold: Mapped[int | None] = mapped_column(default=None, sort_order=114)


class LogicalRouterPort(Resource):
    """A port of a router.

    `networks` lists its own addresses with their prefix lengths
    (``10.0.0.1/24``). `peer` names the router port at the other end of a
    router-to-router link, and that one's `peer` names this port. `ipv6_ra` is what it
    tells in router advertisements. `redirect_key` is the tunnel key of what stands for it
    while it is a gateway port.
    """

    __tablename__ = "logical_router_port"
    __table_args__ = (
        name_within_project(),
        UniqueConstraint("logical_router_id", "tunnel_key"),
    )

    logical_router_id: Mapped[str] = reference("logical_router.id")
    name: Mapped[str] = mapped_column(Name)
    mac: Mapped[str]
    networks: Mapped[list[str]] = mapped_column(default=list)
    peer: Mapped[str | None] = mapped_column(Name, index=True, default=None)
    enabled: Mapped[bool] = mapped_column(default=True)
    tunnel_key: Mapped[int]
    route_table: Mapped[str] = mapped_column(Name, default="main", sort_order=93)
    ipv6_ra: Mapped[dict[str, Any] | None] = mapped_column(default=None, sort_order=94)
    gateway_chassis: Mapped[list[dict[str, Any]]] = mapped_column(default=list, sort_order=95)
    ha_chassis_group_id: Mapped[str | None] = reference(
        "ha_chassis_group.id", nullable=True, sort_order=96
    )
    redirect_key: Mapped[int | None] = mapped_column(default=None, sort_order=97)
    gateway_mtu: Mapped[int | None] = mapped_column(default=None, sort_order=98)
    redirect_type: Mapped[str] = mapped_column(default="overlay", sort_order=99)
    reside_on_redirect_chassis: Mapped[bool] = mapped_column(default=False, sort_order=100)


class StaticRoute(Resource):
    """A declared route.

    `ip_prefix` is matched against the destination, or against the source with
    the policy ``src-ip``. `nexthop` is an address or ``discard``. Without
    `output_port` (the name of one of the router's ports) the port is the one
    whose network holds the next hop. `number` tells the routes of a router apart where
    packets are spread over several.
    """

    __tablename__ = "static_route"
    __table_args__ = (
        UniqueConstraint("logical_router_id", "number"),
        Index("ix_static_route_logical_router_id_ip_prefix", "logical_router_id", "ip_prefix"),
    )

    logical_router_id: Mapped[str] = reference("logical_router.id")
    ip_prefix: Mapped[str]
    nexthop: Mapped[str]
    output_port: Mapped[str | None] = mapped_column(Name, index=True, default=None)
    policy: Mapped[str] = mapped_column(default="dst-ip")
    route_table: Mapped[str] = mapped_column(Name, default="main", sort_order=93)
    origin: Mapped[str] = mapped_column(default="static", sort_order=94)
    override_connected: Mapped[bool] = mapped_column(default=False, sort_order=95)
    number: Mapped[int] = mapped_column(sort_order=96)
    bfd: Mapped[bool] = mapped_column(default=False, sort_order=97)
    ecmp_symmetric_reply: Mapped[bool] = mapped_column(default=False, sort_order=98)
    selection_fields: Mapped[list[str]] = mapped_column(default=list, sort_order=99)


class StaticMacBinding(Resource):
    """The MAC address of a neighbour of a router port, as it was declared.

    One that overrides holds whatever the neighbour says of itself; another one only as long
    as the router has learned nothing.
    """

    __tablename__ = "static_mac_binding"

    logical_router_port_id: Mapped[str] = reference("logical_router_port.id")
    ip: Mapped[str]
    mac: Mapped[str]
    override_dynamic_mac: Mapped[bool] = mapped_column(default=False)
