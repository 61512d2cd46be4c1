"""What ports may be and who may make them so: the refusals of ports.

On a network that another project shares, a port gets the addresses that it is given, and is held
to them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from api.neutron.attributes import UNSET
from api.neutron.context import Context
from api.neutron.errors import NeutronError, NotAuthorizedError
from api.neutron.port_addresses import Pair, own_addresses
from api.neutron.port_views import ROUTER_INTERFACE
from northbound.identity import new_id
from northbound.ipam import AddressBook, made_up_mac
from northbound.models import (
    LogicalRouter,
    LogicalRouterPort,
    LogicalSwitch,
    LogicalSwitchPort,
    NeutronPort,
)
from northbound.transaction import Transaction

TRUSTED: Final = "network:"
"""What owners of ports begin with that are parts of networks: no rules hold for those."""

NOT_TO_BE_DELETED: Final = frozenset(
    {
        ROUTER_INTERFACE,
        "network:router_interface_distributed",
        "network:ha_router_replicated_interface",
        "network:router_gateway",
        "network:floatingip",
    }
)
"""Owners of ports that go with the device that they are of."""


def check_rights(
    context: Context, network: LogicalSwitch, values: Mapping[str, Any], verb: str
) -> None:
    """Refuse what only an admin or the network's owner may say of a port. `verb` is an operation.

    Raises NotAuthorizedError.
    """
    if context.is_admin:
        return
    if verb == "update" and "mac_address" in values:
        raise NotAuthorizedError("update_port:mac_address")
    if network.project == context.project:
        return
    rule = f"{verb}_port"
    if not network.shared and verb == "create":
        raise NotAuthorizedError(rule)
    fixed_ips = values.get("fixed_ips", UNSET)
    if fixed_ips is not UNSET:
        if verb == "update":
            raise NotAuthorizedError(f"{rule}:fixed_ips")
        if any("ip_address" in each for each in fixed_ips):
            raise NotAuthorizedError(f"{rule}:fixed_ips:ip_address")
    if values.get("mac_address") is not None:
        raise NotAuthorizedError(f"{rule}:mac_address")
    if values.get("port_security_enabled", UNSET) is not UNSET:
        raise NotAuthorizedError(f"{rule}:port_security_enabled")
    if values.get("allowed_address_pairs"):
        raise NotAuthorizedError(f"{rule}:allowed_address_pairs")
    if values.get("device_owner", "").startswith(TRUSTED):
        raise NotAuthorizedError(f"{rule}:device_owner")


def check_security(groups: Any, pairs: Sequence[Pair], *, secured: bool) -> None:
    """Refuse groups and pairs of a port without port security; UNSET are no groups."""
    if secured:
        return
    if pairs:
        message = "Port Security must be enabled in order to have allowed address pairs on a port."
        raise NeutronError(409, "AddressPairAndPortSecurityRequired", message)
    if groups is not UNSET and groups:
        message = (
            "Port security must be enabled and port must have an IP address in order to use "
            "security groups."
        )
        raise NeutronError(400, "PortSecurityAndIPRequiredForSecurityGroups", message)


def port_has_groups() -> NeutronError:
    """Return the refusal to end the port security of a port that is in security groups."""
    message = (
        "Port has security group associated. Cannot disable port security or IP address until "
        "security group is removed."
    )
    return NeutronError(409, "PortSecurityPortHasSecurityGroup", message)


def port_bound(port_id: str, old_mac: str, new_mac: str | None) -> NeutronError:
    """Return the refusal to change the MAC address of a port that is asked to be on a host."""
    message = (
        f"Unable to complete operation on port {port_id}, port is already bound, port type: ovs, "
        f"old_mac {old_mac}, new_mac {new_mac}."
    )
    return NeutronError(409, "PortBound", message)


def check_router_port(
    port: LogicalSwitchPort,
    device: tuple[str, str],
    router_port: LogicalRouterPort | None,
    changes: Mapping[str, Any],
) -> None:
    """Refuse changes of what a router's interface has of its router port."""
    owner, device_id = device
    own = own_addresses(port, router_port)
    fixed_ips = changes.get("fixed_ips", UNSET)
    if fixed_ips is not UNSET and {each.get("ip_address") for each in fixed_ips} != set(own.ips):
        message = f"Bad ports request: IP updates for port {port.id} are not allowed."
        raise NeutronError(400, "BadRequest", message)
    held = {
        "mac_address": own.mac,
        "device_owner": owner,
        "device_id": device_id,
        "port_security_enabled": False,
        "security_groups": [],
        "allowed_address_pairs": [],
        "binding:host_id": "",
    }
    for name, value in held.items():
        if changes.get(name, value) != value:
            message = (
                f"Operation {name} update is not supported for device_owner {owner} on port "
                f"{port.id}."
            )
            raise NeutronError(409, "UnsupportedPortDeviceOwner", message)


def refuse_deletion(tx: Transaction, port: LogicalSwitchPort, annex: NeutronPort | None) -> None:
    """Raise a refusal where a port goes with the device that it is of, which is there."""
    if port.type == "router":
        owner, stays = ROUTER_INTERFACE, True
    else:
        owner = "" if annex is None else annex.device_owner
        stays = owner in NOT_TO_BE_DELETED and _is_router(tx, annex)
    if stays:
        message = (
            f"Port {port.id} cannot be deleted directly via the port API: has device owner {owner}."
        )
        raise NeutronError(409, "ServicePortInUse", message)


def _is_router(tx: Transaction, annex: NeutronPort | None) -> bool:
    return annex is not None and tx.by_id(LogicalRouter, annex.device_id) is not None


def mac_for(tx: Transaction, network_id: str, port_id: str, wanted: str | None) -> str:
    """Return the MAC address of a port: the one that it wants, or one that no port has."""
    book = tx.helper(AddressBook)
    if wanted is not None:
        if book.holder(network_id, wanted) not in (None, port_id):
            message = (
                f"Unable to complete operation for network {network_id}. The mac address "
                f"{wanted} is in use."
            )
            raise NeutronError(409, "MacAddressInUse", message)
        return wanted
    while True:
        mac = made_up_mac(new_id())
        if book.holder(network_id, mac) is None:
            return mac


def with_macs(pairs: Sequence[Pair], mac: str) -> list[dict[str, str]]:
    """Return allowed address pairs that all have a MAC address, by default the port's."""
    return [{"mac_address": mac, **pair} for pair in pairs]
