"""Subnets: rows of their own, which ports are given addresses of.

A switch that ``/v1`` gave a `subnet4` or `subnet6` shows them as subnets, too. They are changed
where they were made, and not here.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, or_, select

from api.neutron import subnet_rules as rules
from api.neutron.attributes import (
    ID,
    NAME,
    PROJECT,
    REQUIRED,
    STANDARD,
    UNSET,
    Attribute,
    Attributes,
    read_only,
)
from api.neutron.automatic_addresses import give_addresses, take_addresses_back
from api.neutron.blocks import Blocks
from api.neutron.context import Context
from api.neutron.errors import (
    BadRequestError,
    InvalidOperationError,
    NeutronError,
    NotAuthorizedError,
    ResourceNotFoundError,
)
from api.neutron.query import ListQuery
from api.neutron.resource import AnySelect, Resource, View, now, owned, standard_view
from api.neutron.resources.network import Networks
from api.neutron.resources.subnetpool import SubnetPools
from api.neutron.subnet_usage import router_port_with
from api.neutron.subnets import (
    DHCPV6_STATEFUL,
    DHCPV6_STATELESS,
    SLAAC,
    stands_for_switch,
    subnets_of_network,
    switch_subnets,
    switches_of_subnets,
)
from api.neutron.values import (
    MAXIMUM_NAME,
    boolean,
    cidr,
    integer,
    ip_address,
    list_of,
    one_of,
    optional,
    strict_cidr,
    struct,
    uuid,
)
from northbound.addresses import Network
from northbound.allocation import forget_cursors, subnet_pool
from northbound.identity import new_id
from northbound.models import LogicalSwitch, NeutronNetwork, NeutronSubnet
from northbound.transaction import Reader, Transaction

SubnetRow = tuple[NeutronSubnet, LogicalSwitch, bool]
"""A subnet, its switch, and whether its network is an external one."""

_MODE = optional(one_of(DHCPV6_STATEFUL, DHCPV6_STATELESS, SLAAC))
_POOLS = list_of(struct({"start": ip_address, "end": ip_address}))
_ROUTES = list_of(struct({"destination": strict_cidr, "nexthop": ip_address}), unique=True)


_OWNERS = ("network:", "neutron:", "compute:")
"""What owners of ports begin with for which a subnet can be set aside."""


def _service_type(value: Any) -> str:
    if not isinstance(value, str) or not value.startswith(_OWNERS) or len(value) > MAXIMUM_NAME:
        raise ValueError(f"Subnet service type {value} does not correspond to a valid device owner")
    return value


def _version(value: Any) -> int:
    version: int = one_of(4, 6)(integer()(value))
    return version


class Subnets(Resource[SubnetRow]):
    name = "subnet"
    collection = "subnets"
    path = "subnets"
    title = "Subnet"
    attributes = Attributes(
        "subnet",
        (
            ID,
            NAME,
            PROJECT,
            Attribute("network_id", uuid, REQUIRED, put=False),
            Attribute("ip_version", _version, REQUIRED, put=False),
            Attribute("subnetpool_id", optional(uuid), UNSET, put=False),
            Attribute("enable_dhcp", boolean, default=True),
            Attribute("ipv6_ra_mode", _MODE, None, put=False),
            Attribute("ipv6_address_mode", _MODE, None, put=False),
            Attribute("gateway_ip", optional(ip_address), UNSET),
            Attribute("cidr", optional(cidr), UNSET, put=False),
            Attribute("allocation_pools", optional(_POOLS), None, filtered=False, sorted=False),
            Attribute("host_routes", _ROUTES, (), filtered=False, sorted=False),
            Attribute(
                "dns_nameservers",
                list_of(ip_address, unique=True),
                (),
                filtered=False,
                sorted=False,
            ),
            read_only("router:external", boolean, sorted=False),
            Attribute(
                "service_types",
                list_of(_service_type, unique=True),
                (),
                set_by_admin=True,
                filtered=False,
                sorted=False,
            ),
            Attribute(
                "prefixlen",
                optional(integer(0)),
                UNSET,
                put=False,
                visible=False,
                filtered=False,
                sorted=False,
            ),
            Attribute(
                "use_default_subnetpool",
                boolean,
                default=False,
                put=False,
                visible=False,
                filtered=False,
                sorted=False,
            ),
            read_only("shared", boolean, visible=False, sorted=False),
            *STANDARD,
        ),
    )
    id_column = NeutronSubnet.id.expression
    columns: ClassVar[Mapping[str, ColumnElement[Any]]] = {
        "id": NeutronSubnet.id.expression,
        "network_id": NeutronSubnet.network_id.expression,
        "project_id": NeutronSubnet.project.expression,
        "name": NeutronSubnet.name.expression,
        "cidr": NeutronSubnet.cidr.expression,
        "ip_version": NeutronSubnet.ip_version.expression,
        "subnetpool_id": NeutronSubnet.subnetpool_id.expression,
    }
    tags_column = NeutronSubnet.tags.expression

    def __init__(self, networks: Networks, pools: SubnetPools) -> None:
        self._networks = networks
        self._pools = pools

    # --- what there is

    def select(self, context: Context) -> AnySelect:
        external = NeutronNetwork.external.is_(True)
        query = (
            select(NeutronSubnet, LogicalSwitch, external)
            .join(LogicalSwitch, LogicalSwitch.id == NeutronSubnet.network_id)
            .outerjoin(NeutronNetwork, NeutronNetwork.id == NeutronSubnet.network_id)
        )
        if context.is_admin:
            return query
        own = NeutronSubnet.project == context.project
        return query.where(or_(own, context.scope.visible(LogicalSwitch), external))

    def list_views(self, reader: Reader, context: Context, asked: ListQuery) -> list[View]:
        query = self.narrowed(self.select(context), asked)
        rows = [*self.rows(reader, query), *self._of_switches(reader, context, asked)]
        return self.views(reader, context, rows)

    def find(self, reader: Reader, context: Context, object_id: str) -> SubnetRow:
        try:
            return super().find(reader, context, object_id)
        except ResourceNotFoundError:
            wanted = object_id.lower()
            asked = ListQuery({"id": [wanted]})
            for row in self._of_switches(reader, context, asked):
                if row[0].id == wanted:
                    return row
            raise

    def _of_switches(self, reader: Reader, context: Context, asked: ListQuery) -> list[SubnetRow]:
        """Return the subnets that stand for what switches say, narrowed like others."""
        query = self._networks.select(context).where(
            or_(LogicalSwitch.subnet4.is_not(None), LogicalSwitch.subnet6.is_not(None))
        )
        filters = asked.filters
        if asked.tags.get("tags") or not set(filters.get("subnetpool_id", [""])) & {"", None}:
            return []
        if "id" in filters:
            query = query.where(LogicalSwitch.id.in_(switches_of_subnets(filters["id"])))
        if "network_id" in filters:
            query = query.where(LogicalSwitch.id.in_(filters["network_id"]))
        if "cidr" in filters:
            blocks = filters["cidr"]
            query = query.where(
                or_(LogicalSwitch.subnet4.in_(blocks), LogicalSwitch.subnet6.in_(blocks))
            )
        return [
            (subnet, switch, annex is not None and annex.external)
            for switch, annex in self._networks.rows(reader, query)
            for subnet in switch_subnets(switch)
        ]

    def views(self, reader: Reader, context: Context, rows: Sequence[SubnetRow]) -> list[View]:
        return [_view(*row) for row in rows]

    # --- what is done with them

    def create(self, tx: Transaction, context: Context, values: Mapping[str, Any]) -> str:
        network = self._networks.find(tx, context, values["network_id"])
        switch, annex = network
        if not context.owns(switch.project):
            raise NotAuthorizedError("create_subnet")
        complete = {name: None if value is UNSET else value for name, value in values.items()}
        complete["gateway_ip"] = values["gateway_ip"]
        pool_id = self._pool_of(tx, context, complete)
        chosen = None if complete["cidr"] is None else ipaddress.ip_network(complete["cidr"])
        rules.check_new(complete, chosen)
        if values["ip_version"] == 6 and annex is not None:
            rules.check_mtu(switch.id, annex.mtu)
        block = self._block(tx, context, complete, pool_id, chosen)
        others = tx.helper(_Others)
        others.check(switch.id, block, pool_id)
        time = now()
        subnet = NeutronSubnet(
            id=new_id(),
            network_id=switch.id,
            project=values["project_id"],
            subnetpool_id=pool_id,
            cidr=str(block),
            **_addressing(complete, block, from_pool=pool_id is not None),
            **{name: complete[name] for name in _AS_GIVEN},
            dns_nameservers=list(values["dns_nameservers"]),
            host_routes=list(values["host_routes"]),
            service_types=list(values["service_types"]),
            created_at=time,
            updated_at=time,
        )
        tx.add(subnet)
        others.add(subnet)
        give_addresses(tx, subnet)
        return subnet.id

    def _pool_of(self, tx: Transaction, context: Context, values: Mapping[str, Any]) -> str | None:
        """Return the id of the subnet pool that a new subnet shall be from, if it shall be."""
        if values["cidr"] is not None and values["prefixlen"] is not None:
            raise _bad("cidr and prefixlen must not be supplied together")
        pool_id: str | None = values["subnetpool_id"]
        if values["use_default_subnetpool"]:
            if pool_id is not None:
                raise _bad("subnetpool_id and use_default_subnetpool cannot both be specified")
            cidr = values["cidr"]
            version = ipaddress.ip_network(cidr, strict=False).version if cidr else None
            pool_id = self._pools.default(tx, context, version or values["ip_version"])
        if pool_id is None and values["cidr"] is None:
            raise _bad("a subnetpool must be specified in the absence of a cidr")
        if (
            pool_id is not None
            and values["cidr"] is None
            and values["allocation_pools"] is not None
        ):
            raise _bad("allocation_pools allowed only for specific subnet requests.")
        return pool_id

    def _block(
        self,
        tx: Transaction,
        context: Context,
        values: Mapping[str, Any],
        pool_id: str | None,
        chosen: Network | None,
    ) -> Network:
        """Return the addresses of a new subnet: those chosen, or what its pool has."""
        if pool_id is None:
            if chosen is None:
                raise AssertionError("a subnet has a cidr or is of a pool")
            return chosen
        block = self._pools.allocate(tx, context, pool_id, values, chosen)
        rules.check_cidr(block, values["ip_version"], dhcp=values["enable_dhcp"])
        rules.check_automatic_prefix(block, values)
        return block

    def update(
        self, tx: Transaction, context: Context, row: SubnetRow, changes: Mapping[str, Any]
    ) -> None:
        subnet = _own_row(row)
        version, block = subnet.ip_version, ipaddress.ip_network(subnet.cidr)
        if changes.get("enable_dhcp") and not subnet.enable_dhcp:
            rules.check_cidr(block, version, dhcp=True)
        if not changes.get("enable_dhcp", True) and (
            subnet.ipv6_ra_mode or subnet.ipv6_address_mode
        ):
            raise InvalidOperationError("Cannot disable enable_dhcp with ipv6 attributes set")
        rules.check_nameservers(version, changes.get("dns_nameservers", ()), subnet.id)
        rules.check_host_routes(version, changes.get("host_routes", ()), subnet.id)
        values = dict(changes)
        if values.get("allocation_pools", ()) is None:
            del values["allocation_pools"]
        if "allocation_pools" in values:
            values["allocation_pools"] = rules.checked_pools(block, values["allocation_pools"])
        gateway = values.get("gateway_ip", subnet.gateway_ip)
        if gateway != subnet.gateway_ip:
            rules.check_gateway(block, gateway)
            self._check_gateway_is_free(tx, subnet)
        if gateway != subnet.gateway_ip or "allocation_pools" in values:
            pools = values.get("allocation_pools", subnet.allocation_pools)
            rules.check_gateway_and_pools(gateway, pools)
        for name, value in values.items():
            setattr(subnet, name, value)

    def _check_gateway_is_free(self, tx: Transaction, subnet: NeutronSubnet) -> None:
        """Refuse that a gateway stops to be one while a router has its address."""
        if subnet.gateway_ip is None:
            return
        port_id = router_port_with(tx, subnet.network_id, subnet.gateway_ip)
        if port_id is not None:
            raise NeutronError(
                409,
                "GatewayIpInUse",
                f"Current gateway ip {subnet.gateway_ip} already in use by port {port_id}. "
                "Unable to update.",
            )

    def delete(self, tx: Transaction, context: Context, row: SubnetRow) -> None:
        subnet = _own_row(row)
        take_addresses_back(tx, subnet)
        forget_cursors(tx, [subnet_pool(subnet.id)])
        tx.delete(subnet)

    def annex(self, tx: Transaction, row: SubnetRow) -> NeutronSubnet:
        return _own_row(row)

    def project_of(self, row: SubnetRow) -> str:
        return row[0].project

    def may_change(self, context: Context, row: SubnetRow, verb: str) -> bool:
        subnet, switch, _ = row
        return context.owns(subnet.project) or context.owns(switch.project)


class _Others:
    """The subnets of networks, for those that one transaction makes: each network's read once."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._blocks: dict[str, Blocks] = {}
        self._pools: dict[tuple[str, int], str | None] = {}

    def add(self, subnet: NeutronSubnet) -> None:
        """Take in a subnet that was made, or that is there."""
        self._blocks[subnet.network_id].add(subnet.cidr, subnet.id)
        self._pools.setdefault((subnet.network_id, subnet.ip_version), subnet.subnetpool_id)

    def check(self, network_id: str, block: Network, pool_id: str | None) -> None:
        """Refuse a subnet that doesn't go with the others of its network."""
        if network_id not in self._blocks:
            self._blocks[network_id] = Blocks()
            for subnet in subnets_of_network(self._tx, network_id):
                self.add(subnet)
        if self._blocks[network_id].overlaps(block):
            raise InvalidOperationError(
                f"Requested subnet with cidr: {block} for network: {network_id} overlaps with "
                "another subnet"
            )
        if self._pools.get((network_id, block.version), pool_id) != pool_id:
            raise BadRequestError(
                "Subnets hosted on the same network must be allocated from the same subnet pool.",
                "NetworkSubnetPoolAffinityError",
            )


_AS_GIVEN = (
    "name",
    "description",
    "ip_version",
    "enable_dhcp",
    "ipv6_ra_mode",
    "ipv6_address_mode",
)


def _view(subnet: NeutronSubnet, switch: LogicalSwitch, external: bool) -> View:
    pools = [{"start": first, "end": last} for first, last in subnet.allocation_pools]
    view = {
        "id": subnet.id,
        "network_id": subnet.network_id,
        "subnetpool_id": subnet.subnetpool_id,
        "cidr": subnet.cidr,
        "gateway_ip": subnet.gateway_ip,
        "allocation_pools": pools,
        "host_routes": subnet.host_routes,
        "dns_nameservers": subnet.dns_nameservers,
        "service_types": subnet.service_types,
        "router:external": bool(external),
        "shared": switch.shared,
        **{name: getattr(subnet, name) for name in _AS_GIVEN},
        **standard_view(None if stands_for_switch(subnet) else subnet, subnet.version),
    }
    return owned(view, subnet.project)


def _addressing(values: Mapping[str, Any], block: Network, *, from_pool: bool) -> dict[str, Any]:
    """Return gateway and allocation pools of a new subnet, as they are said or follow."""
    gateway = values["gateway_ip"]
    if gateway is UNSET:
        # A subnet that a pool chose has its first host as its gateway, also in IPv6.
        chosen = from_pool and values["cidr"] is None
        gateway = str(block[1]) if chosen else rules.default_gateway(block)
    if gateway is not None:
        rules.check_gateway_of_block(block, gateway)
    if values["allocation_pools"]:
        pools = rules.checked_pools(block, values["allocation_pools"])
        rules.check_gateway_and_pools(gateway, pools)
    else:
        pools = rules.default_pools(block, gateway)
    return {"gateway_ip": gateway, "allocation_pools": pools}


def _own_row(row: SubnetRow) -> NeutronSubnet:
    """Return the row of a subnet that may be changed here, or refuse it."""
    subnet, switch, _ = row
    if stands_for_switch(subnet):
        raise NeutronError(
            409,
            "Conflict",
            f"Subnet {subnet.id} is subnet{subnet.ip_version} of logical switch {switch.name}: "
            "it is changed there.",
        )
    return subnet


def _bad(reason: str) -> BadRequestError:
    return BadRequestError(f"Bad subnets request: {reason}.", "BadRequest")
