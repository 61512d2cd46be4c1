"""How many addresses of each network's subnets are held, and how many there are.

They are counted when they are asked for, by the claims of addresses. It is for admins: others
find none.
"""

import ipaddress
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, false, select

from api.neutron.attributes import Attribute, Attributes, read_only
from api.neutron.context import Context
from api.neutron.query import ListQuery
from api.neutron.resource import AnySelect, Resource, View, owned
from api.neutron.resources.network import NetworkRow, Networks, shown_name
from api.neutron.subnets import address_ranges, switch_subnets
from api.neutron.values import integer
from northbound.address_ranges import AddressRange
from northbound.addresses import Network
from northbound.models import AddressClaim, LogicalSwitch, NeutronSubnet
from northbound.transaction import Reader

_SUMS = (
    "total_ips_in_subnet",
    "total_ips_in_allocation_pool",
    "used_ips_in_subnet",
    "used_ips_in_allocation_pool",
)
_HIDDEN: dict[str, Any] = {"filtered": False, "sorted": False}


class NetworkIpAvailabilities(Resource[NetworkRow]):
    name = "network_ip_availability"
    collection = "network_ip_availabilities"
    path = "network-ip-availabilities"
    title = "Network"
    attributes = Attributes(
        "network_ip_availability",
        (
            # Pages and their markers go by it.
            Attribute("id", str, post=False, put=False, visible=False, **_HIDDEN),
            read_only("network_id"),
            read_only("network_name", sorted=False),
            read_only("project_id", sorted=False),
            read_only("subnet_ip_availability", **_HIDDEN),
            read_only("used_ips", integer(), **_HIDDEN),
            read_only("total_ips", integer(), **_HIDDEN),
            read_only("ip_availability_details", **_HIDDEN),
            read_only("ip_version", integer(), visible=False, sorted=False),
        ),
    )
    id_column = LogicalSwitch.id.expression
    columns: ClassVar[Mapping[str, ColumnElement[Any]]] = {
        "network_id": LogicalSwitch.id.expression,
        "project_id": LogicalSwitch.project.expression,
    }
    operations = frozenset({"list", "show"})

    def __init__(self, networks: Networks) -> None:
        self._networks = networks

    def select(self, context: Context) -> AnySelect:
        query = self._networks.select(context)
        return query if context.is_admin else query.where(false())

    def list_views(self, reader: Reader, context: Context, asked: ListQuery) -> list[View]:
        rows = self.rows(reader, self.narrowed(self.select(context), asked))
        versions = asked.filters.get("ip_version", (4, 6))
        views = self._count(reader, rows, versions)
        # It narrows what is counted, and leaves out networks that have none of that version.
        if "ip_version" in asked.filters:
            views = [view for view in views if view["subnet_ip_availability"]]
            for view in views:
                view["ip_version"] = versions[0]
        return views

    def views(self, reader: Reader, context: Context, rows: Sequence[NetworkRow]) -> list[View]:
        return self._count(reader, rows, (4, 6))

    def _count(
        self, reader: Reader, rows: Sequence[NetworkRow], versions: Sequence[Any]
    ) -> list[View]:
        switches = {switch.id: switch for switch, _ in rows}
        subnets = _subnets(reader, switches)
        held = _held_addresses(reader, switches)
        views = []
        for switch, _ in rows:
            counted = [
                _of_subnet(subnet, held[switch.id])
                for subnet in subnets[switch.id]
                if subnet.ip_version in versions
            ]
            details = {
                name: sum(each["ip_availability_details"][name] for each in counted)
                for name in _SUMS
            }
            view = {
                "id": switch.id,
                "network_id": switch.id,
                "network_name": shown_name(switch),
                "subnet_ip_availability": counted,
                "used_ips": sum(each["used_ips"] for each in counted),
                "total_ips": sum(each["total_ips"] for each in counted),
                "ip_availability_details": details,
            }
            views.append(owned(view, switch.project))
        return views


def _subnets(
    reader: Reader, switches: Mapping[str, LogicalSwitch]
) -> defaultdict[str, list[NeutronSubnet]]:
    """Return the subnets of each of these networks."""
    subnets: defaultdict[str, list[NeutronSubnet]] = defaultdict(list)
    query = select(NeutronSubnet).order_by(NeutronSubnet.id)
    if len(switches) <= _FEW:
        query = query.where(NeutronSubnet.network_id.in_(switches))
    for subnet in reader.session.scalars(query):
        subnets[subnet.network_id].append(subnet)
    for switch in switches.values():
        subnets[switch.id] += switch_subnets(switch)
    return subnets


def _held_addresses(
    reader: Reader, switches: Mapping[str, LogicalSwitch]
) -> defaultdict[str, list[tuple[int, int]]]:
    """Return the version and value of each address that is held on each of these networks."""
    held: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    query = select(AddressClaim.logical_switch_id, AddressClaim.number, AddressClaim.address)
    if len(switches) <= _FEW:
        query = query.where(AddressClaim.logical_switch_id.in_(switches))
    for switch_id, number, address in reader.session.execute(query):
        if number is not None:
            held[switch_id].append((4, number))
        elif not _is_mac(address):
            held[switch_id].append((6, int(ipaddress.IPv6Address(address))))
    return held


def _is_mac(address: str) -> bool:
    """Tell whether a claimed address that isn't of IPv4 is a MAC address, not one of IPv6."""
    return address.count(":") == 5 and all(len(part) == 2 for part in address.split(":"))


def _of_subnet(subnet: NeutronSubnet, held: Sequence[tuple[int, int]]) -> dict[str, Any]:
    network = ipaddress.ip_network(subnet.cidr)
    ends = int(network.network_address), int(network.broadcast_address)
    pools = address_ranges(subnet)
    used = [
        value
        for version, value in held
        if version == subnet.ip_version and ends[0] <= value <= ends[1]
    ]
    total = sum(last - first + 1 for first, last in pools) if pools else network.num_addresses
    counts = (_usable(network), total, len(used), sum(_is_in(value, pools) for value in used))
    return {
        "subnet_id": subnet.id,
        "subnet_name": subnet.name,
        "ip_version": subnet.ip_version,
        "cidr": subnet.cidr,
        "used_ips": len(used),
        "total_ips": total,
        "ip_availability_details": dict(zip(_SUMS, counts, strict=True)),
    }


def _usable(network: Network) -> int:
    """Return how many addresses of a network hosts can have."""
    if network.version == 4 and network.prefixlen < 31:
        return network.num_addresses - 2
    return network.num_addresses


def _is_in(value: int, ranges: Sequence[AddressRange]) -> bool:
    return any(first <= value <= last for first, last in ranges)


_FEW = 200
"""Of more networks than so many, what is beside all of them is read at once."""
