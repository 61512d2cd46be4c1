"""The addresses that a port of Treadle's API holds."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class PortAddresses(NamedTuple):
    """MAC and IP addresses, of all elements of a port."""

    macs: tuple[str, ...]
    ips: tuple[str, ...]


def port_addresses(port: Mapping[str, Any]) -> PortAddresses:
    """Return what a port holds, with what ``dynamic`` stands for.

    >>> port_addresses({"addresses": ["02:00:00:00:00:01 dynamic"],
    ...                 "dynamic_addresses": "02:00:00:00:00:01 10.0.0.2"}).ips
    ('10.0.0.2',)
    """
    elements = [each for each in port["addresses"] if "dynamic" not in each.split()]
    if port["dynamic_addresses"]:
        elements.append(port["dynamic_addresses"])
    words = [word for element in elements for word in element.split()]
    macs = [word for word in words if word.count(":") == 5 and "::" not in word]
    ips = [word for word in words if word not in macs and ("." in word or ":" in word)]
    return PortAddresses(tuple(macs), tuple(ips))
