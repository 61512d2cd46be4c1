"""Values of the attributes of ports that have a form of their own, and of their filters."""

import ipaddress
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from api.neutron.errors import BadRequestError
from api.neutron.values import (
    integer,
    ip_address,
    list_of,
    mac_address,
    mapping,
    text,
    uuid,
)

MAXIMUM_FIXED_IPS: Final = 100
MAXIMUM_PAIRS: Final = 10
MAXIMUM_PROFILE: Final = 4095
"""The longest `binding:profile`, as JSON, in bytes."""
MAXIMUM_DHCP_OPTIONS: Final = 100
MAXIMUM_GROUPS: Final = 100

_VERSION = integer(4, 6)


def fixed_ips(value: Any) -> list[dict[str, str]]:
    """Take a list of ``{"subnet_id", "ip_address"}``, either of which may be left out."""
    if not isinstance(value, list):
        raise ValueError(f"Invalid data format for fixed IP: '{value}'")
    if len(value) > MAXIMUM_FIXED_IPS:
        raise ValueError(f"it has more than {MAXIMUM_FIXED_IPS} elements")
    taken: list[dict[str, str]] = []
    for each in value:
        if not isinstance(each, dict):
            raise ValueError(f"Invalid data format for fixed IP: '{each}'")
        fixed = {}
        if "subnet_id" in each:
            fixed["subnet_id"] = uuid(each["subnet_id"])
        if "ip_address" in each:
            address = ip_address(each["ip_address"])
            if any(other.get("ip_address") == address for other in taken):
                raise ValueError(f"Duplicate IP address '{address}'")
            fixed["ip_address"] = address
        taken.append(fixed)
    return taken


def fixed_ips_filter(value: str) -> tuple[str, str]:
    """
    >>> fixed_ips_filter("ip_address=FD00::0:1")
    ('ip_address', 'fd00::1')
    """
    key, sign, wanted = value.partition("=")
    if not sign:
        message = f"Invalid input for operation: '{value[:100]}' is not of the form <key>=[value]."
        raise BadRequestError(message, "InvalidInput")
    if key == "ip_address":
        try:
            return key, ip_address(wanted)
        except ValueError:
            return key, wanted
    return key, wanted.lower()


def fits_fixed_ips(value: Any, wanted: Sequence[tuple[str, str]]) -> bool:
    """Tell whether a port has a fixed IP that its filters ask for.

    Values of one key are alternatives; the same fixed IP has to fit all keys. Those that are
    none ask for nothing.
    """
    subnets = {said for key, said in wanted if key == "subnet_id"}
    addresses = {said for key, said in wanted if key == "ip_address"}
    parts = {said for key, said in wanted if key == "ip_address_substr"}
    if not (subnets or addresses or parts):
        return True
    return any(
        (not subnets or fixed["subnet_id"] in subnets)
        and (not addresses or fixed["ip_address"] in addresses)
        and (not parts or any(part in fixed["ip_address"] for part in parts))
        for fixed in value
    )


def allowed_address_pairs(value: Any) -> list[dict[str, str]]:
    """Take a list of ``{"ip_address", "mac_address"}``, the latter of which may be left out."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRequestError("Allowed address pairs must be a list.")
    if len(value) > MAXIMUM_PAIRS:
        message = f"The number of allowed address pair exceeds the maximum {MAXIMUM_PAIRS}."
        raise BadRequestError(message, "AllowedAddressPairExhausted")
    taken: list[dict[str, str]] = []
    for each in value:
        pair = _pair(each)
        if pair in taken:
            said = f"mac_address {pair.get('mac_address')} ip_address {pair['ip_address']}"
            message = f"Request contains duplicate address pair: {said}."
            raise BadRequestError(message, "DuplicateAddressPairInRequest")
        taken.append(pair)
    return taken


def _pair(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError(f"'{value}' is not a dictionary")
    unknown = sorted(set(value) - {"ip_address", "mac_address"})
    if unknown:
        raise BadRequestError(f"Unrecognized attribute(s) '{', '.join(unknown)[:100]}'")
    if value.get("ip_address") is None:
        message = "AllowedAddressPair must contain ip_address"
        raise BadRequestError(message, "AllowedAddressPairsMissingIP")
    pair = {"ip_address": _ip_or_network(value["ip_address"])}
    if value.get("mac_address") is not None:
        pair["mac_address"] = mac_address(value["mac_address"])
    return pair


def _ip_or_network(value: Any) -> str:
    """Take an address, or one with a prefix length, which stands for its whole network."""
    try:
        if not isinstance(value, str):
            raise ValueError
        interface = ipaddress.ip_interface(value)
    except ValueError:
        raise BadRequestError(f"'{value}' is not a valid IP address") from None
    if interface.is_multicast:
        message = f"IP {value} is a multicast address, which is not supported."
        raise BadRequestError(message)
    return str(interface) if "/" in value else str(interface.ip)


security_groups = list_of(uuid, unique=True, maximum=MAXIMUM_GROUPS)


def profile(value: Any) -> dict[str, Any]:
    """Take what is told to the one who binds: any object that isn't too large."""
    said = mapping(value)
    if len(msgspec.json.encode(said)) > MAXIMUM_PROFILE:
        message = "Invalid input for operation: binding:profile value too large."
        raise BadRequestError(message, "InvalidInput")
    return said


def dhcp_options(value: Any) -> list[dict[str, Any]]:
    """Take options for DHCP; one whose value is null is to be left out."""
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > MAXIMUM_DHCP_OPTIONS:
        raise _invalid(f"'{str(value)[:100]}' is not a list of {MAXIMUM_DHCP_OPTIONS} at most")
    taken: dict[tuple[str, int], dict[str, Any]] = {}
    for each in value:
        try:
            option = _dhcp_option(each)
        except (ValueError, KeyError):
            raise _invalid(f"No valid key specs matched for: {str(each)[:200]}") from None
        key = option["opt_name"], option["ip_version"]
        if key in taken:
            raise _invalid(f"Duplicate items in the list: '{str(each)[:200]}'")
        taken[key] = option
    return list(taken.values())


def _dhcp_option(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) - {"opt_name", "opt_value", "ip_version"}:
        raise ValueError
    name, said, version = value["opt_name"], value["opt_value"], value.get("ip_version", 4)
    if not text(64)(name).strip() or "\n" in name:
        raise ValueError
    if said is not None and (not text()(said).strip() or "\n" in said):
        raise ValueError
    if _VERSION(version) == 5:
        raise ValueError
    return {"opt_name": name, "opt_value": said, "ip_version": int(version)}


def merged_dhcp_options(
    held: Sequence[dict[str, Any]], changes: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the options that are left when `changes` are laid over those `held`.

    Raises BadRequestError for too many.
    """
    options = {(each["opt_name"], each["ip_version"]): each for each in [*held, *changes]}
    left = [each for each in options.values() if each["opt_value"] is not None]
    if len(left) > MAXIMUM_DHCP_OPTIONS:
        raise _invalid(f"a port has at most {MAXIMUM_DHCP_OPTIONS} options for DHCP")
    return left


def _invalid(reason: str) -> BadRequestError:
    return BadRequestError(f"Invalid input for operation: {reason}.", "InvalidInput")
