"""Routers: a logical router each, its interfaces, and its extra routes.

The router has its id as its name; Neutron's name is its `display_name`. Interfaces are in
:mod:`api.neutron.router_interfaces`, routes in :mod:`api.neutron.router_routes`. There are no
external gateways.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

from sqlalchemy import ColumnElement, select

from api.neutron.attributes import (
    ADMIN_STATE_UP,
    ID,
    NAME,
    PROJECT,
    STANDARD,
    UNSET,
    Attribute,
    Attributes,
    read_only,
)
from api.neutron.context import Context
from api.neutron.errors import NeutronError
from api.neutron.port_addresses import own_addresses
from api.neutron.port_views import ROUTER_INTERFACE, device_of
from api.neutron.resource import Action, AnySelect, Resource, View, now, owned, standard_view
from api.neutron.resources.network import Networks, shown_name
from api.neutron.resources.port import Ports
from api.neutron.resources.subnet import Subnets
from api.neutron.router_interfaces import (
    Interface,
    add_gateway,
    bad_router,
    check_port,
    interfaces_of,
    make_interface,
    remove_interface,
    subnets_of,
)
from api.neutron.router_routes import (
    needs_subnet,
    read_action_body,
    read_routes,
    routes_of,
    set_routes,
    shown_route,
)
from api.neutron.subnets import subnets_of_network
from api.neutron.values import boolean, list_of, mapping, struct, text, uuid
from api.neutron.zones import check_hints
from northbound.models import LogicalRouter, NeutronPort, NeutronRouter, NeutronSubnet
from northbound.services import LOGICAL_ROUTER_PORTS, LOGICAL_ROUTERS, LOGICAL_SWITCH_PORTS
from northbound.transaction import Reader, Transaction

RouterRow = tuple[LogicalRouter, NeutronRouter | None]

_KEPT: dict[str, Any] = {"filtered": False, "sorted": False}
_LEARNING: Final = {"dynamic_neigh_routers": True, "always_learn_from_arp_request": False}
"""As ML2/OVN has its routers: many may be on one network, and find each other when they need to."""
_GATEWAY = struct(
    {"network_id": uuid}, {"enable_snat": boolean, "external_fixed_ips": list_of(mapping)}
)


def _gateway(value: Any) -> dict[str, Any] | None:
    """Take what says through which network a router reaches the world; nothing stands for none."""
    gateway: dict[str, Any] | None = None if value in (None, {}) else _GATEWAY(value)
    return gateway


class Routers(Resource[RouterRow]):
    name = "router"
    collection = "routers"
    path = "routers"
    title = "Router"
    attributes = Attributes(
        "router",
        (
            ID,
            NAME,
            PROJECT,
            ADMIN_STATE_UP,
            read_only("status", filtered=False),
            Attribute("external_gateway_info", _gateway, None, **_KEPT),
            Attribute("routes", read_routes, UNSET, post=False, **_KEPT),
            Attribute("availability_zone_hints", list_of(text()), (), put=False, **_KEPT),
            read_only("availability_zones", **_KEPT),
            *STANDARD,
        ),
    )
    id_column = LogicalRouter.id.expression
    columns: ClassVar[Mapping[str, ColumnElement[Any]]] = {
        "id": LogicalRouter.id.expression,
        "project_id": LogicalRouter.project.expression,
        "admin_state_up": LogicalRouter.enabled.expression,
    }
    tags_column = NeutronRouter.tags.expression

    def __init__(self, networks: Networks, subnets: Subnets, ports: Ports) -> None:
        self._networks = networks
        self._subnets = subnets
        self._ports = ports
        self.actions: Mapping[str, Action] = {
            "add_router_interface": self._add_interface,
            "remove_router_interface": self._remove_interface,
            "add_extraroutes": self._add_routes,
            "remove_extraroutes": self._remove_routes,
        }

    def not_found(self, object_id: str) -> NeutronError:
        return NeutronError(404, "RouterNotFound", f"Router {object_id} could not be found")

    def select(self, context: Context) -> AnySelect:
        query = select(LogicalRouter, NeutronRouter).outerjoin(
            NeutronRouter, NeutronRouter.id == LogicalRouter.id
        )
        return query.where(context.scope.visible(LogicalRouter))

    def views(self, reader: Reader, context: Context, rows: Sequence[RouterRow]) -> list[View]:
        routes = routes_of(reader, [router.id for router, _ in rows])
        return [
            self._view(router, annex, [shown_route(each) for each in routes[router.id]])
            for router, annex in rows
        ]

    def _view(
        self, router: LogicalRouter, annex: NeutronRouter | None, routes: list[dict[str, str]]
    ) -> View:
        view = {
            "id": router.id,
            "name": shown_name(router),
            "admin_state_up": router.enabled,
            "status": "ACTIVE",
            "external_gateway_info": None,
            "routes": routes,
            "availability_zone_hints": annex.availability_zone_hints if annex else [],
            "availability_zones": [],
            **standard_view(annex, router.version),
        }
        return owned(view, router.project)

    def create(self, tx: Transaction, context: Context, values: Mapping[str, Any]) -> str:
        check_hints(values["availability_zone_hints"])
        self._refuse_gateway(tx, context, values["external_gateway_info"])
        router = LOGICAL_ROUTERS.create(
            tx,
            {
                "project": values["project_id"],
                "display_name": values["name"],
                "enabled": values["admin_state_up"],
                **_LEARNING,
            },
        )
        time = now()
        tx.add(
            NeutronRouter(
                id=router.id,
                description=values["description"],
                availability_zone_hints=list(values["availability_zone_hints"]),
                created_at=time,
                updated_at=time,
            )
        )
        return router.id

    def update(
        self, tx: Transaction, context: Context, row: RouterRow, changes: Mapping[str, Any]
    ) -> None:
        router, _ = row
        self._refuse_gateway(tx, context, changes.get("external_gateway_info"))
        patch = {name: changes[said] for said, name in _OF_ROUTER.items() if said in changes}
        if patch:
            LOGICAL_ROUTERS.update(tx, router.id, patch)
        if "description" in changes:
            self.annex(tx, row).description = changes["description"]
        if "routes" in changes:
            set_routes(tx, router, interfaces_of(tx, router.id), changes["routes"])

    def delete(self, tx: Transaction, context: Context, row: RouterRow) -> None:
        router, annex = row
        attached = [
            each.router_port.name if each.port is None else each.port.id
            for each in interfaces_of(tx, router.id)
        ]
        if attached:
            message = f"Router {router.id} has ports still attached: {', '.join(sorted(attached))}"
            raise NeutronError(409, "RouterInUse", message)
        if annex is not None:
            tx.delete(annex)
        tx.flush()
        LOGICAL_ROUTERS.delete(tx, router.id)

    def annex(self, tx: Transaction, row: RouterRow) -> NeutronRouter:
        router, annex = row
        if annex is None:
            annex = NeutronRouter(id=router.id)
            tx.add(annex)
            tx.flush()
        return annex

    def project_of(self, row: RouterRow) -> str:
        return row[0].project

    def _refuse_gateway(self, tx: Transaction, context: Context, wanted: Any) -> None:
        """Refuse an external gateway: there are none. What is wrong besides is said first."""
        if wanted is None:
            return
        network, annex = self._networks.find(tx, context, wanted["network_id"])
        if annex is None or not annex.external:
            raise bad_router(f"Network {network.id} is not an external network")
        raise bad_router("this server has no external gateways")

    # --- interfaces

    def _add_interface(
        self, tx: Transaction, context: Context, row: RouterRow, body: Mapping[str, Any]
    ) -> View:
        subnet_id, port_id = _interface_ids(body)
        if subnet_id is not None and port_id is not None:
            raise bad_router("Cannot specify both subnet-id and port-id")
        router, _ = row
        if subnet_id is not None:
            subnet, switch, _ = self._subnets.find(tx, context, subnet_id)
            # Else its router would be the gateway of everyone on the network.
            if not context.owns(subnet.project) and not context.owns(switch.project):
                raise bad_router(
                    f"Cannot add interface to router because subnet {subnet.id} is not owned by "
                    "project making the request"
                )
            port_id = add_gateway(tx, router, subnet)
            network_id, subnet_ids = subnet.network_id, [subnet.id]
        else:
            network_id, subnet_ids = self._attach_port(tx, context, router, str(port_id))
        self._note_change(tx, row)
        return _interface_view(router, str(port_id), network_id, subnet_ids)

    def _attach_port(
        self, tx: Transaction, context: Context, router: LogicalRouter, port_id: str
    ) -> tuple[str, list[str]]:
        """Make an interface of a port that is there; returns its network's id and its subnets'.

        A port's type doesn't change: the port is replaced by one with the same id.
        """
        port, annex, _ = self._ports.find(tx, context, port_id)
        _, device_id = device_of(port, annex, None)
        subnets = subnets_of_network(tx, port.logical_switch_id)
        addresses = check_port(tx, router, port, device_id, subnets)
        network_id, mac = port.logical_switch_id, own_addresses(port).mac
        name = shown_name(port)
        kept = NeutronPort(
            id=port.id, device_owner=ROUTER_INTERFACE, created_at=now(), updated_at=now()
        )
        if annex is not None:
            kept.description, kept.tags = annex.description, list(annex.tags)
            kept.created_at, kept.more = annex.created_at, dict(annex.more)
            tx.delete(annex)
        LOGICAL_SWITCH_PORTS.remove(tx, [port])
        tx.flush()
        make_interface(tx, router, kept.id, network_id, mac, addresses, name)
        tx.add(kept)
        tx.flush()
        return network_id, [each.subnet.id for each in addresses]

    def _remove_interface(
        self, tx: Transaction, context: Context, row: RouterRow, body: Mapping[str, Any]
    ) -> View:
        subnet_id, port_id = _interface_ids(body)
        router, _ = row
        interfaces = [each for each in interfaces_of(tx, router.id) if each.port is not None]
        held = subnets_of(tx, interfaces)
        subnet = None
        if port_id is None:
            subnet = self._subnets.find(tx, context, str(subnet_id))[0]
        interface = _interface_with(router, interfaces, held, port_id, subnet)
        port = interface.port
        assert port is not None  # noqa: S101 - those without one were left out
        ids = [each.subnet_id for each in held[port.id]]
        if port_id is not None and subnet_id is not None and subnet_id not in ids:
            message = f"Subnet on port {port_id} does not match the requested subnet {subnet_id}."
            raise NeutronError(409, "SubnetMismatchForPort", message)
        gone = ids if subnet is None else [subnet.id]
        self._refuse_if_routes_need(tx, router, port.logical_switch_id, gone)
        view = _interface_view(router, port.id, port.logical_switch_id, gone)
        if set(gone) == set(ids):
            remove_interface(tx, interface)
        else:
            ips = {each.ip_address for each in held[port.id] if each.subnet_id in gone}
            left = [n for n in interface.router_port.networks if n.split("/")[0] not in ips]
            LOGICAL_ROUTER_PORTS.amend(tx, interface.router_port, {"networks": left})
            tx.flush()
        self._note_change(tx, row)
        return view

    def _refuse_if_routes_need(
        self, tx: Transaction, router: LogicalRouter, network_id: str, subnet_ids: Sequence[str]
    ) -> None:
        routes = routes_of(tx, [router.id])[router.id]
        for subnet in subnets_of_network(tx, network_id):
            if subnet.id in subnet_ids and needs_subnet(routes, subnet.cidr):
                message = (
                    f"Router interface for subnet {subnet.id} on router {router.id} cannot be "
                    "deleted, as it is required by one or more routes."
                )
                raise NeutronError(409, "RouterInterfaceInUseByRoute", message)

    # --- routes

    def _add_routes(
        self, tx: Transaction, context: Context, row: RouterRow, body: Mapping[str, Any]
    ) -> View:
        added = read_action_body(body)
        return self._change_routes(
            tx, context, row, lambda routes: [*routes, *(r for r in added if r not in routes)]
        )

    def _remove_routes(
        self, tx: Transaction, context: Context, row: RouterRow, body: Mapping[str, Any]
    ) -> View:
        removed = read_action_body(body)
        return self._change_routes(
            tx, context, row, lambda routes: [r for r in routes if r not in removed]
        )

    def _change_routes(
        self,
        tx: Transaction,
        context: Context,
        row: RouterRow,
        change: Callable[[list[dict[str, str]]], list[dict[str, str]]],
    ) -> View:
        router, _ = row
        before = [shown_route(each) for each in routes_of(tx, [router.id])[router.id]]
        after = change(before)
        if after != before:
            set_routes(tx, router, interfaces_of(tx, router.id), after)
            self._note_change(tx, row)
        return {"router": self.view(tx, context, router.id)}

    def _note_change(self, tx: Transaction, row: RouterRow) -> None:
        """Let a router have a new revision, since something of it has changed."""
        tx.touch(row[0])
        self.annex(tx, row).updated_at = now()
        tx.flush()


def _interface_ids(body: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the subnet and the port that a request about an interface names."""
    ids = []
    for name in ("subnet_id", "port_id"):
        value = body.get(name)
        try:
            ids.append(None if value is None else uuid(value))
        except ValueError as error:
            raise bad_router(str(error)) from None
    if ids == [None, None]:
        raise bad_router("Either subnet_id or port_id must be specified")
    return ids[0], ids[1]


def _interface_with(
    router: LogicalRouter,
    interfaces: Sequence[Interface],
    held: Mapping[str, Sequence[Any]],
    port_id: str | None,
    subnet: NeutronSubnet | None,
) -> Interface:
    """Return the interface that is a port, or has an address of a subnet, or raise a refusal."""
    for each in interfaces:
        if each.port is None:
            continue
        if port_id is not None and each.port.id == port_id:
            return each
        if subnet is not None and any(ip.subnet_id == subnet.id for ip in held[each.port.id]):
            return each
    if port_id is not None:
        message = f"Router {router.id} does not have an interface with id {port_id}"
        raise NeutronError(404, "RouterInterfaceNotFound", message)
    assert subnet is not None  # noqa: S101 - one of both is given
    message = f"Router {router.id} has no interface on subnet {subnet.id}"
    raise NeutronError(404, "RouterInterfaceNotFoundForSubnet", message)


def _interface_view(
    router: LogicalRouter, port_id: str, network_id: str, subnet_ids: Sequence[str]
) -> View:
    return {
        "id": router.id,
        "project_id": router.project,
        "tenant_id": router.project,
        "port_id": port_id,
        "network_id": network_id,
        "subnet_id": next(iter(subnet_ids), None),
        "subnet_ids": list(subnet_ids),
    }


_OF_ROUTER: Final = {"name": "display_name", "admin_state_up": "enabled"}
