"""The addresses of ports: which subnets they are of, which are free, which follow from a MAC.

:func:`allocate` and :func:`reallocate` say which addresses a port shall have; it holds them
once the switch port is written with them, since claims of addresses are those of its switch
(:mod:`northbound.ipam`). So an address that a port of ``/v1`` holds is in use here as well,
and a port that is deleted, by whichever API, gives its addresses up.

A port gets, unless it asks for others, one IPv4 and one IPv6 address, of whichever subnets
have some left, and one of each subnet whose addresses follow from the MAC address (RFC 4862).
The latter it has in any case: routers are told otherwise by their owner.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from api.neutron.attributes import UNSET
from api.neutron.errors import InvalidOperationError, NeutronError, ResourceNotFoundError
from api.neutron.subnets import (
    address_ranges,
    automatic_address,
    has_automatic_addresses,
    holds_address,
    is_router_port,
    subnets_of_network,
)
from northbound.address_ranges import AddressRanges
from northbound.allocation import subnet_pool
from northbound.ipam import AddressBook
from northbound.models import LogicalSwitch, NeutronSubnet
from northbound.transaction import Transaction

Wanted = Mapping[str, str]
"""An element of `fixed_ips`: a `subnet_id`, an `ip_address`, or both."""


class FixedIp(NamedTuple):
    """An address of a port, and the subnet that it is of."""

    subnet_id: str
    ip_address: str


class AddressedPort(NamedTuple):
    """What tells which addresses a port may have. `id` is that of its switch port, if there is."""

    network_id: str
    mac: str
    device_owner: str = ""
    id: str | None = None


def allocate(tx: Transaction, port: AddressedPort, wanted: Sequence[Wanted] | Any) -> list[FixedIp]:
    """Return the addresses of a new port that asks for `wanted`, or for nothing in particular.

    The latter is UNSET; an empty list asks for none. Raises NeutronError where an address is in
    use, outside of the network's subnets, or none is left.
    """
    return tx.helper(Allocator).allocate(port, [], wanted)


def reallocate(
    tx: Transaction,
    port: AddressedPort,
    held: Sequence[FixedIp],
    wanted: Sequence[Wanted] | Any,
    old_mac: str | None = None,
) -> list[FixedIp]:
    """Return the addresses that a port has from now on, which had those `held`.

    With UNSET it keeps them. What it asks for without an address it keeps, if it has one of
    that subnet. Addresses that followed from `old_mac`, where that is another than it has now,
    follow from the new one. Raises what :func:`allocate` does.
    """
    allocator = tx.helper(Allocator)
    if old_mac not in (None, port.mac):
        moved = [each for each in held if allocator.follows(each, str(old_mac))]
        kept = [each for each in held if each not in moved]
        if wanted is UNSET:
            wanted = [each._asdict() for each in kept]
        else:
            gone = {each.ip_address for each in moved}
            wanted = [each for each in wanted if each.get("ip_address") not in gone]
        return allocator.allocate(port, kept, wanted)
    return list(held) if wanted is UNSET else allocator.allocate(port, held, wanted)


class Allocator:
    """What one transaction knows of subnets and of addresses that it gave out."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._book = tx.helper(AddressBook)
        self._subnets: dict[str, list[NeutronSubnet]] = {}
        self._free: dict[str, AddressRanges] = {}

    def allocate(
        self, port: AddressedPort, held: Sequence[FixedIp], wanted: Sequence[Wanted] | Any
    ) -> list[FixedIp]:
        """Return the addresses of a port that holds `held` and asks for `wanted`."""
        subnets = self._candidates(port)
        if wanted is UNSET:
            chosen = self._one_of_each_version(port, subnets)
        else:
            chosen = self._wanted(port, subnets, held, wanted)
        if not is_router_port(port.device_owner):
            there = {each.subnet_id for each in chosen}
            automatic = [each for each in subnets if has_automatic_addresses(each)]
            for subnet in automatic:
                if subnet.id not in there:
                    chosen.append(self._fixed(port, subnet, automatic_address(subnet, port.mac)))
        return chosen

    def follows(self, fixed: FixedIp, mac: str) -> bool:
        """Tell whether an address is the one that `mac` has in a subnet of automatic ones."""
        subnet = self._tx.session.get(NeutronSubnet, fixed.subnet_id)
        if subnet is None or not has_automatic_addresses(subnet):
            return False
        return automatic_address(subnet, mac) == fixed.ip_address

    def _candidates(self, port: AddressedPort) -> list[NeutronSubnet]:
        """Return the network's subnets for ports of such an owner; those made for it first."""
        network_id = port.network_id
        if network_id not in self._subnets:
            self._subnets[network_id] = subnets_of_network(self._tx, network_id)
        subnets = self._subnets[network_id]
        own = [each for each in subnets if port.device_owner in each.service_types]
        found = [*own, *(each for each in subnets if not each.service_types)]
        if subnets and not found:
            message = (
                "No valid service subnet for the given device owner, network "
                f"{network_id}, service type {port.device_owner}."
            )
            raise NeutronError(409, "IpAddressGenerationFailureNoMatchingSubnet", message)
        return found

    def _one_of_each_version(
        self, port: AddressedPort, subnets: Sequence[NeutronSubnet]
    ) -> list[FixedIp]:
        chosen = []
        for version in (4, 6):
            eligible = [
                each
                for each in subnets
                if each.ip_version == version and not has_automatic_addresses(each)
            ]
            if eligible:
                chosen.append(self._next(port, eligible))
        return chosen

    def _wanted(
        self,
        port: AddressedPort,
        subnets: Sequence[NeutronSubnet],
        held: Sequence[FixedIp],
        wanted: Sequence[Wanted],
    ) -> list[FixedIp]:
        """Return what the elements of `wanted` stand for, in their order.

        Those with an address come first, lest it be given to another one.
        """
        chosen: dict[int, FixedIp] = {}
        kept = {each.ip_address: each for each in held}
        for i, each in enumerate(wanted):
            address = each.get("ip_address")
            if address is None:
                continue
            before = kept.pop(address, None)
            if before is None or each.get("subnet_id") not in (None, before.subnet_id):
                subnet = self._subnet(port, subnets, each)
                chosen[i] = self._given(port, subnet, address, chosen.values())
            else:
                chosen[i] = before
        for i, each in enumerate(wanted):
            if "ip_address" in each:
                continue
            subnet = self._subnet(port, subnets, each)
            if has_automatic_addresses(subnet) and not is_router_port(port.device_owner):
                continue
            before = next((has for has in kept.values() if has.subnet_id == subnet.id), None)
            if before is not None:
                del kept[before.ip_address]
            promised = [each.ip_address for each in chosen.values()]
            chosen[i] = before or self._next(port, [subnet], promised)
        return [chosen[i] for i in sorted(chosen)]

    def _subnet(
        self, port: AddressedPort, subnets: Sequence[NeutronSubnet], wanted: Wanted
    ) -> NeutronSubnet:
        """Return the subnet that an element of `fixed_ips` means."""
        if not subnets:
            raise InvalidOperationError("IP allocation requires subnets for network")
        subnet_id, address = wanted.get("subnet_id"), wanted.get("ip_address")
        if subnet_id is not None:
            subnet = next((each for each in subnets if each.id == subnet_id), None)
            if subnet is None:
                if not self._is_seen(subnet_id):
                    raise ResourceNotFoundError("Subnet", subnet_id)
                raise InvalidOperationError(
                    f"Failed to create port on network {port.network_id}, because fixed_ips "
                    f"included invalid subnet {subnet_id}"
                )
            if address is not None and not holds_address(subnet, address, port.device_owner):
                message = f"IP address {address} is not a valid IP for the specified subnet."
                raise NeutronError(400, "InvalidIpForSubnet", message)
            return subnet
        if address is None:
            raise InvalidOperationError("IP allocation requires subnet_id or ip_address")
        for subnet in subnets:
            if holds_address(subnet, address, port.device_owner):
                return subnet
        message = (
            f"IP address {address} is not a valid IP for any of the subnets on the specified "
            "network."
        )
        raise NeutronError(400, "InvalidIpForNetwork", message)

    def _is_seen(self, subnet_id: str) -> bool:
        """Tell whether there is such a subnet for the caller, if only of another network."""
        subnet = self._tx.session.get(NeutronSubnet, subnet_id)
        if subnet is None:
            return False
        switch = self._tx.by_id(LogicalSwitch, subnet.network_id)
        return switch is not None and self._tx.scope.sees(switch)

    def _given(
        self, port: AddressedPort, subnet: NeutronSubnet, address: str, others: Any
    ) -> FixedIp:
        """Return an address that a port asks for."""
        automatic = has_automatic_addresses(subnet) and not is_router_port(port.device_owner)
        if automatic and address != automatic_address(subnet, port.mac):
            message = (
                f"IPv6 address {address} cannot be directly assigned to a port on subnet "
                f"{subnet.id} as the subnet is configured for automatic addresses"
            )
            raise NeutronError(400, "AllocationOnAutoAddressSubnet", message)
        if any(each.ip_address == address for each in others):
            raise _in_use(subnet, address)
        return self._fixed(port, subnet, address)

    def _fixed(self, port: AddressedPort, subnet: NeutronSubnet, address: str) -> FixedIp:
        """Return an address for the port, unless another port holds it."""
        holder = self._book.holder(port.network_id, address)
        if holder is not None and holder != port.id:
            raise _in_use(subnet, address)
        return FixedIp(subnet.id, address)

    def _next(
        self,
        port: AddressedPort,
        subnets: Sequence[NeutronSubnet],
        promised: Sequence[str] = (),
    ) -> FixedIp:
        """Return a free address of the first of `subnets` that has one, but for those promised."""
        for subnet in subnets:
            if subnet.id not in self._free:
                self._free[subnet.id] = AddressRanges(
                    self._tx,
                    subnet_pool(subnet.id),
                    subnet.network_id,
                    subnet.ip_version,
                    address_ranges(subnet),
                )
            address = self._free[subnet.id].take(promised)
            if address is not None:
                return FixedIp(subnet.id, address)
        message = f"No more IP addresses available on network {port.network_id}."
        raise NeutronError(409, "IpAddressGenerationFailure", message)


def _in_use(subnet: NeutronSubnet, address: str) -> NeutronError:
    message = f"IP address {address} already allocated in subnet {subnet.id}"
    return NeutronError(409, "IpAddressAlreadyAllocated", message)
