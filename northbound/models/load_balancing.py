"""Load balancers, their virtual addresses, and where they balance."""

from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from northbound.models.base import Name, Resource, Tracked, name_within_project, reference


class LoadBalancer(Resource):
    """Virtual addresses that switches have, and what holds for all of them."""

    __tablename__ = "load_balancer"
    __table_args__ = (name_within_project(),)

    name: Mapped[str] = mapped_column(Name)
    protocol: Mapped[str]
    reject: Mapped[bool] = mapped_column(default=False)
    affinity_timeout: Mapped[int] = mapped_column(default=0, sort_order=93)
    selection_fields: Mapped[list[str]] = mapped_column(default=list, sort_order=94)
    hairpin_snat_ips: Mapped[list[str]] = mapped_column(default=list, sort_order=95)
    neighbor_responder: Mapped[str] = mapped_column(default="reachable", sort_order=110)
    skip_snat: Mapped[bool] = mapped_column(default=False, sort_order=111)
    end_connections: Mapped[bool] = mapped_column(default=True, sort_order=112)
    template: Mapped[bool] = mapped_column(default=False, sort_order=113)
    address_family: Mapped[str | None] = mapped_column(default=None, sort_order=114)


class LoadBalancerVip(Resource):
    """A virtual address, and a port if it is not for all of them.

    `backends` are as in ``10.0.0.5:80``, without a port where the address has none. Variables of
    chassis may stand in place of addresses, of the port (`port_variable`), and of backends.
    """

    __tablename__ = "load_balancer_vip"

    load_balancer_id: Mapped[str] = reference("load_balancer.id")
    address: Mapped[str] = mapped_column(index=True)
    port: Mapped[int | None]
    backends: Mapped[list[str]] = mapped_column(default=list)
    health_check: Mapped[dict[str, Any] | None] = mapped_column(default=None, sort_order=93)
    port_variable: Mapped[str | None] = mapped_column(default=None, sort_order=94)


class LoadBalancerSwitch(Tracked):
    """That a switch has the virtual addresses of a load balancer."""

    __tablename__ = "load_balancer_switch"

    load_balancer_id: Mapped[str] = reference("load_balancer.id", primary_key=True)
    logical_switch_id: Mapped[str] = reference("logical_switch.id", primary_key=True)

    __table_args__ = (Index(None, "logical_switch_id"),)


class LoadBalancerRouter(Tracked):
    """That a router has the virtual addresses of a load balancer."""

    __tablename__ = "load_balancer_router"

    load_balancer_id: Mapped[str] = reference("load_balancer.id", primary_key=True)
    logical_router_id: Mapped[str] = reference("logical_router.id", primary_key=True)

    __table_args__ = (Index(None, "logical_router_id"),)


class LoadBalancerBackend(Resource):
    """The port of a backend, by name, and the address that it is asked from whether it is up."""

    __tablename__ = "load_balancer_backend"
    __table_args__ = (UniqueConstraint("load_balancer_id", "address"),)

    load_balancer_id: Mapped[str] = reference("load_balancer.id")
    address: Mapped[str]
    logical_port: Mapped[str] = mapped_column(Name, index=True)
    source_ip: Mapped[str]


class LoadBalancerGroup(Resource):
    """Load balancers that are together on switches and routers."""

    __tablename__ = "load_balancer_group"
    __table_args__ = (name_within_project(),)

    name: Mapped[str] = mapped_column(Name)


class LoadBalancerGroupMember(Tracked):
    """That a load balancer is in a group."""

    __tablename__ = "load_balancer_group_member"

    load_balancer_group_id: Mapped[str] = reference("load_balancer_group.id", primary_key=True)
    load_balancer_id: Mapped[str] = reference("load_balancer.id", primary_key=True)

    __table_args__ = (Index(None, "load_balancer_id"),)


class LoadBalancerGroupSwitch(Tracked):
    """That a switch has the load balancers of a group."""

    __tablename__ = "load_balancer_group_switch"

    load_balancer_group_id: Mapped[str] = reference("load_balancer_group.id", primary_key=True)
    logical_switch_id: Mapped[str] = reference("logical_switch.id", primary_key=True)

    __table_args__ = (Index(None, "logical_switch_id"),)


class LoadBalancerGroupRouter(Tracked):
    """That a router has the load balancers of a group."""

    __tablename__ = "load_balancer_group_router"

    load_balancer_group_id: Mapped[str] = reference("load_balancer_group.id", primary_key=True)
    logical_router_id: Mapped[str] = reference("logical_router.id", primary_key=True)

    __table_args__ = (Index(None, "logical_router_id"),)
