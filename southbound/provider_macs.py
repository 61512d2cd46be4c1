"""MAC addresses that chassis have on provider networks, in place of distributed routers'.

A distributed router sends from every chassis with one MAC address, which switches outside would
see in many places at once. So a chassis may have one of its own for each network, which the
other chassis know: they undo the exchange. Operators say it in ``treadle-chassis-mac-mappings``
(or ``ovn-chassis-mac-mappings``), a list of ``NETWORK:MAC``; the chassis' row says it to others.
"""

import re
from collections.abc import Mapping
from typing import Final

from southbound.rows import Chassis

MAC_MAPPINGS: Final = "chassis-mac-mappings"
_ID: Final = f"treadle-{MAC_MAPPINGS}"
_MAPPING: Final = re.compile(r"([^\s,:]+):([0-9a-f]{2}(?::[0-9a-f]{2}){5})")
_GROUP_BIT: Final = 1


def mac_mappings(text: str) -> dict[str, str]:
    """Read a list of ``NETWORK:MAC``; what can't be read, or is no host's address, is left out.

    >>> mac_mappings("dc:0A:00:00:00:00:01, x, y:01:00:00:00:00:01")
    {'dc': '0a:00:00:00:00:01'}
    """
    found: dict[str, str] = {}
    for part in text.split(","):
        network, _, mac = part.strip().partition(":")
        read = _MAPPING.fullmatch(f"{network}:{mac.lower()}")
        if read and not int(read[2][:2], 16) & _GROUP_BIT and read[2].strip("0:"):
            found.setdefault(read[1], read[2])
    return found


def unread_mappings(text: str) -> list[str]:
    """Return the parts of a list that :func:`mac_mappings` leaves out.

    >>> unread_mappings("dc:0a:00:00:00:00:01, x")
    ['x']
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return [part for part in parts if not mac_mappings(part)]


def provider_mac_ids(macs: Mapping[str, str]) -> dict[str, str]:
    """Return the external ids by which a chassis says its addresses to others."""
    text = ",".join(f"{network}:{mac}" for network, mac in sorted(macs.items()))
    return {_ID: text} if text else {}


def provider_macs_of(chassis: Chassis) -> dict[str, str]:
    """Return the addresses of a chassis by network, as it says itself."""
    return mac_mappings(chassis.external_ids.get(_ID, ""))
