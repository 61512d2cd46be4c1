"""Router advertisements of router ports, as OVN reads what stands in ``ipv6_ra_configs``.

A value that OVN can't read is as if it weren't there. Its advertisements tell of the router for
65,535 seconds.
"""

from collections.abc import Mapping
from typing import Any, Final

from cli.import_ovn.draft import Draft, Values
from cli.import_ovn.needs import is_true
from cli.import_ovn.snapshot import Row
from northbound.errors import InvalidError
from northbound.specs.base import validate
from northbound.specs.router_advertisements import LONGEST_ROUTER_LIFETIME
from northbound.specs.routing import LogicalRouterPortProperties

_COLUMN: Final = "ipv6_ra_configs"
_MODES: Final = ("slaac", "dhcpv6_stateful", "dhcpv6_stateless")
_PREFERENCES: Final = ("high", "medium", "low")
_SMALLEST_MTU: Final = 1280
_MOST, _FEWEST = (4, 1800), 3
_DEFAULT_MOST: Final = 600


def advertisement(draft: Draft, row: Row, port: Values) -> Values | None:
    """The field ``ipv6_ra`` of a router port with the values `port`; None if there is none."""
    told = row.mapping(_COLUMN)
    mode = told.get("address_mode")
    if mode is None:
        if told:
            reason = "OVN passes over it, too: it means nothing without an address_mode"
            draft.report.noted(row, _COLUMN, reason)
        return None
    if mode not in _MODES:
        reason = f"not imported, and OVN passes over it: {mode!r} is no address mode"
        draft.report.noted(row, f"{_COLUMN}:address_mode", reason)
        return None
    values = {"address_mode": mode, **_options(draft, row, told)}
    try:
        validate(LogicalRouterPortProperties, {**port, "ipv6_ra": values})
    except InvalidError as error:
        for problem in error.problems:
            draft.report.lost(row, _COLUMN, f"not imported: {problem.reason}")
        return None
    return values


def _options(draft: Draft, row: Row, told: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {"lifetime": LONGEST_ROUTER_LIFETIME}
    preference = told.get("router_preference", "").lower()
    if preference in _PREFERENCES:
        values["router_preference"] = preference
    mtu = _number(told.get("mtu", ""), 0)
    if mtu >= _SMALLEST_MTU:
        values["mtu"] = mtu
    if is_true(told.get("send_periodic", "")):
        values |= {"send_periodic": True, **_intervals(told)}
    if told.get("rdnss"):
        values["rdnss"] = [told["rdnss"].strip()]
    if told.get("dnssl"):
        values["dnssl"] = [each.strip() for each in told["dnssl"].split(",") if each.strip()]
    if routes := _routes(draft, row, told.get("route_info", "")):
        values["routes"] = routes
    return values


def _intervals(told: Mapping[str, str]) -> dict[str, int]:
    """As OVN bounds them: RFC 4861 section 6.2.1."""
    smallest, largest = _MOST
    most = min(max(_number(told.get("max_interval", ""), _DEFAULT_MOST), smallest), largest)
    usual = most // 3 if most >= 9 else most * 3 // 4
    fewest = min(max(_number(told.get("min_interval", ""), usual), _FEWEST), most * 3 // 4)
    return {"max_interval": most, "min_interval": fewest}


def _routes(draft: Draft, row: Row, text: str) -> list[Values]:
    """The networks in ``HIGH-aef1::/48,LOW-aef2::/96``."""
    found = []
    for element in filter(None, map(str.strip, text.split(","))):
        preference, _, prefix = element.partition("-")
        if preference.lower() not in _PREFERENCES:
            reason = f"{element!r} not imported, and OVN passes over it"
            draft.report.noted(row, f"{_COLUMN}:route_info", reason)
        else:
            found.append({"prefix": prefix, "preference": preference.lower()})
    return found


def _number(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() else default
