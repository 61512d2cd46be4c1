"""Interfaces of routers: a switch port towards the router, and the router port that it leads to.

The switch port is the Neutron port, with its id; the router port's id follows from it, so that
what is made again after a lost reply is the same. MAC address and addresses are the router
port's, whichever API made it.
"""

import ipaddress
import uuid
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from sqlalchemy import and_, select

from api.neutron.errors import BadRequestError, NeutronError
from api.neutron.ipam import AddressedPort, FixedIp, allocate
from api.neutron.port_addresses import SubnetsOfAddresses, own_addresses
from api.neutron.port_rules import mac_for
from api.neutron.port_views import ROUTER_INTERFACE
from api.neutron.resource import now
from northbound.identity import new_id
from northbound.models import (
    LogicalRouter,
    LogicalRouterPort,
    LogicalSwitchPort,
    NeutronPort,
    NeutronSubnet,
)
from northbound.services import LOGICAL_ROUTER_PORTS, LOGICAL_SWITCH_PORTS
from northbound.transaction import Reader, Transaction

_NAMESPACE: Final = uuid.UUID("a7c6f3de-53d1-4a55-9a0b-6f8b2f7f0c11")


class Interface(NamedTuple):
    """A port of a router; `port` is the switch port that leads to it, if there is one."""

    router_port: LogicalRouterPort
    port: LogicalSwitchPort | None


class SubnetAddress(NamedTuple):
    """An address that a router is to have, with the subnet that it is of."""

    subnet: NeutronSubnet
    ip_address: str

    @property
    def network(self) -> str:
        """The address with the prefix length of its subnet, as router ports have them."""
        return f"{self.ip_address}/{ipaddress.ip_network(self.subnet.cidr).prefixlen}"


def bad_router(reason: str) -> BadRequestError:
    """Return Neutron's refusal of a request about a router."""
    return BadRequestError(f"Bad router request: {reason}.", "BadRequest")


def router_port_id(port_id: str) -> str:
    """Return the id of the router port to which the switch port with that id leads."""
    return str(uuid.uuid5(_NAMESPACE, port_id))


def interfaces_of(reader: Reader, router_id: str) -> list[Interface]:
    """Return the ports of a router, by name."""
    query = (
        select(LogicalRouterPort, LogicalSwitchPort)
        .outerjoin(
            LogicalSwitchPort,
            and_(
                LogicalSwitchPort.router_port == LogicalRouterPort.name,
                LogicalSwitchPort.project == LogicalRouterPort.project,
            ),
        )
        .where(LogicalRouterPort.logical_router_id == router_id)
        .order_by(LogicalRouterPort.name)
    )
    return [Interface(*row) for row in reader.session.execute(query)]


def subnets_of(reader: Reader, interfaces: Iterable[Interface]) -> dict[str, list[FixedIp]]:
    """Return, by the id of the switch port, the addresses of interfaces that are of subnets."""
    attached = [(each.port, each.router_port) for each in interfaces if each.port is not None]
    subnets = SubnetsOfAddresses(reader, {port.logical_switch_id for port, _ in attached})
    return {
        port.id: subnets.held(port.logical_switch_id, own_addresses(port, router_port).ips)
        for port, router_port in attached
    }


def check_apart(
    interfaces: Sequence[Interface],
    held: dict[str, list[FixedIp]],
    wanted: Sequence[SubnetAddress],
) -> None:
    """Refuse addresses of subnets that a router is in already, or that overlap with such."""
    there = {each.subnet_id for addresses in held.values() for each in addresses}
    for subnet, _ in wanted:
        if subnet.id in there:
            raise bad_router(f"Router already has a port on subnet {subnet.id}")
        for interface in interfaces:
            for text in interface.router_port.networks:
                network = ipaddress.ip_interface(text).network
                if network.overlaps(ipaddress.ip_network(subnet.cidr)):
                    of = _subnet_with(held, interface, text)
                    raise bad_router(
                        f"Cidr {subnet.cidr} of subnet {subnet.id} overlaps with cidr {network} "
                        f"of {of}"
                    )


def _subnet_with(held: dict[str, list[FixedIp]], interface: Interface, network: str) -> str:
    """Say whose a network of an interface is: a subnet's, or where there is none the port's."""
    ip = network.split("/")[0]
    addresses = [] if interface.port is None else held[interface.port.id]
    subnet = next((each.subnet_id for each in addresses if each.ip_address == ip), None)
    return f"router port {interface.router_port.name}" if subnet is None else f"subnet {subnet}"


def interface_for_ipv6(interfaces: Iterable[Interface], network_id: str) -> Interface | None:
    """Return the interface of a network that has IPv6 already: further subnets go into it."""
    for each in interfaces:
        if each.port is None or each.port.logical_switch_id != network_id:
            continue
        if any(ipaddress.ip_interface(own).version == 6 for own in each.router_port.networks):
            return each
    return None


def add_gateway(tx: Transaction, router: LogicalRouter, subnet: NeutronSubnet) -> str:
    """Give a router the gateway's address of a subnet; returns the port's id.

    Raises NeutronError where it can't have it.
    """
    if subnet.gateway_ip is None:
        raise bad_router("Subnet for router interface must have a gateway IP")
    interfaces = interfaces_of(tx, router.id)
    wanted = SubnetAddress(subnet, subnet.gateway_ip)
    check_apart(interfaces, subnets_of(tx, interfaces), [wanted])
    own = interface_for_ipv6(interfaces, subnet.network_id) if subnet.ip_version == 6 else None
    port_id = new_id() if own is None or own.port is None else own.port.id
    mac = mac_for(tx, subnet.network_id, port_id, None) if own is None else own.router_port.mac
    addressed = AddressedPort(subnet.network_id, mac, ROUTER_INTERFACE, port_id)
    asked = {"subnet_id": subnet.id, "ip_address": wanted.ip_address}
    allocate(tx, addressed, [asked])
    if own is not None:
        networks = [*own.router_port.networks, wanted.network]
        LOGICAL_ROUTER_PORTS.amend(tx, own.router_port, {"networks": networks})
        return port_id
    make_interface(tx, router, port_id, subnet.network_id, mac, [wanted])
    time = now()
    tx.add(NeutronPort(id=port_id, device_owner=ROUTER_INTERFACE, created_at=time, updated_at=time))
    tx.flush()
    return port_id


def make_interface(
    tx: Transaction,
    router: LogicalRouter,
    port_id: str,
    network_id: str,
    mac: str,
    addresses: Sequence[SubnetAddress],
    display_name: str = "",
) -> None:
    """Create the two ports of an interface."""
    router_port = LOGICAL_ROUTER_PORTS.create(
        tx,
        {
            "id": router_port_id(port_id),
            "project": router.project,
            "logical_router": router.id,
            "mac": mac,
            "networks": [each.network for each in addresses],
        },
    )
    LOGICAL_SWITCH_PORTS.create(
        tx,
        {
            "id": port_id,
            "project": router.project,
            "logical_switch": network_id,
            "router_port": router_port.id,
            "display_name": display_name,
        },
    )
    tx.flush()


def remove_interface(tx: Transaction, interface: Interface) -> None:
    """Delete both ports of an interface, with what is beside them."""
    if interface.port is not None:
        annex = tx.session.get(NeutronPort, interface.port.id)
        if annex is not None:
            tx.delete(annex)
        LOGICAL_SWITCH_PORTS.remove(tx, [interface.port])
        tx.flush()
    LOGICAL_ROUTER_PORTS.remove(tx, [interface.router_port])
    tx.flush()


def check_port(
    tx: Transaction,
    router: LogicalRouter,
    port: LogicalSwitchPort,
    device_id: str,
    subnets: Sequence[NeutronSubnet],
) -> list[SubnetAddress]:
    """Return the addresses with which a port becomes a router's interface, or refuse that.

    `subnets` are those of the port's network.
    """
    if device_id or port.type == "router":
        message = (
            f"Unable to complete operation on port {port.id} for network "
            f"{port.logical_switch_id}. Port already has an attached device {device_id}."
        )
        raise NeutronError(409, "PortInUse", message)
    if port.project != router.project:
        raise bad_router(f"Port {port.id} is of another project than router {router.id}")
    by_id = {subnet.id: subnet for subnet in subnets}
    own = own_addresses(port)
    found = SubnetsOfAddresses(tx, [port.logical_switch_id]).held(port.logical_switch_id, own.ips)
    addresses = [SubnetAddress(by_id[each.subnet_id], each.ip_address) for each in found]
    if not own.mac or not addresses:
        raise bad_router("Router port must have at least one fixed IP")
    if sum(each.subnet.ip_version == 4 for each in addresses) > 1:
        raise bad_router("Cannot have multiple IPv4 subnets on router port")
    interfaces = interfaces_of(tx, router.id)
    if any(each.subnet.ip_version == 6 for each in addresses):
        there = interface_for_ipv6(interfaces, port.logical_switch_id)
        if there is not None and there.port is not None:
            raise bad_router(
                f"Router already contains IPv6 port {there.port.id} belonging to network id "
                f"{port.logical_switch_id}. Only one IPv6 port from the same network subnet can "
                "be connected to a router."
            )
    check_apart(interfaces, subnets_of(tx, interfaces), addresses)
    return addresses
