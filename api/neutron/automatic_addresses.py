"""Addresses that follow from MAC addresses come and go with their subnet.

They are those of ports that Neutron's clients made. A port that only ``/v1`` knows keeps the
addresses that it was given there: it is in the way where one is of a subnet that shall go.
"""

from collections.abc import Sequence

from sqlalchemy import select

from api.neutron.errors import NeutronError
from api.neutron.port_addresses import own_addresses, set_fixed_ips
from api.neutron.subnet_usage import held_addresses
from api.neutron.subnets import (
    DELETED_WITH_NETWORK,
    automatic_address,
    has_automatic_addresses,
    is_router_port,
)
from northbound.ipam import AddressBook
from northbound.models import LogicalSwitchPort, NeutronPort, NeutronSubnet
from northbound.transaction import Transaction

_MANY = 200
"""From so many ports on, all claims are read at once."""


def give_addresses(tx: Transaction, subnet: NeutronSubnet) -> None:
    """Let the ports of a new subnet's network have addresses of it, if they follow from MACs.

    Raises NeutronError where another port has one of them already.
    """
    if not has_automatic_addresses(subnet):
        return
    for port, annex in _ports(tx, subnet.network_id):
        own = own_addresses(port)
        if not own.mac or is_router_port(annex.device_owner):
            continue
        address = automatic_address(subnet, own.mac)
        holder = tx.helper(AddressBook).holder(subnet.network_id, address)
        if holder not in (None, port.id):
            message = f"IP address {address} already allocated in subnet {subnet.id}"
            raise NeutronError(409, "IpAddressAlreadyAllocated", message)
        if address not in own.ips:
            set_fixed_ips(tx, port, annex, [*own.ips, address])


def take_addresses_back(tx: Transaction, subnet: NeutronSubnet) -> None:
    """Refuse to delete a subnet of which ports hold addresses, or take those from them.

    Taken are those that follow from MAC addresses, but for a router's, and those of ports that
    serve the network itself.
    """
    held = list(held_addresses(tx, subnet))
    if not held:
        return
    automatic = has_automatic_addresses(subnet)
    taken_from = {
        port.id: (port, annex)
        for port, annex in _ports(tx, subnet.network_id)
        if annex.device_owner in DELETED_WITH_NETWORK
        or (automatic and not is_router_port(annex.device_owner))
    }
    if any(each.port_id not in taken_from for each in held):
        message = (
            f"Unable to complete operation on subnet {subnet.id}: One or more ports have an IP "
            "allocation from this subnet."
        )
        raise NeutronError(409, "SubnetInUse", message)
    gone = {each.address for each in held}
    for port_id in dict.fromkeys(each.port_id for each in held):
        port, annex = taken_from[port_id]
        left = [ip for ip in own_addresses(port).ips if ip not in gone]
        set_fixed_ips(tx, port, annex, left)


def _ports(tx: Transaction, network_id: str) -> Sequence[tuple[LogicalSwitchPort, NeutronPort]]:
    """Return the ports of a network that Neutron's clients made, but for those of routers."""
    query = (
        select(LogicalSwitchPort, NeutronPort)
        .join(NeutronPort, NeutronPort.id == LogicalSwitchPort.id)
        .where(LogicalSwitchPort.logical_switch_id == network_id, LogicalSwitchPort.type == "vif")
        .order_by(LogicalSwitchPort.id)
    )
    rows = [(port, annex) for port, annex in tx.session.execute(query)]
    if len(rows) >= _MANY:
        tx.helper(AddressBook).load()
    return rows
