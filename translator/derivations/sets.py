"""The members of address sets and port groups, by name.

A port group `@web` brings two address sets along: ``$web_ip4`` and ``$web_ip6``
hold the addresses of its ports. The backends of a virtual address are a set, too.
"""

from collections.abc import Iterator

from incremental import Read
from translator.addresses import ip_text
from translator.inputs import (
    AddressSet,
    AddressSetAddress,
    LogicalSwitchPort,
    PortGroup,
    PortGroupPort,
)


def address_set_members(read: Read, key: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """What one address of an address set adds to the set of its name."""
    row = read(AddressSetAddress, key)
    owner = None if row is None else read(AddressSet, row.address_set)
    return () if row is None or owner is None else ((f"${owner.name}", row.address),)


def port_group_members(read: Read, key: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """What one membership in a port group adds to the sets named after the group."""
    row = read(PortGroupPort, key)
    group = None if row is None else read(PortGroup, row.port_group)
    port = None if row is None else read(LogicalSwitchPort, row.port)
    if group is None or port is None:
        return ()
    members = [(f"@{group.name}", port.name)]
    for host in port.hosts:
        members += [(f"${group.name}_ip4", ip_text(ip)) for ip in host.ip4]
        members += [(f"${group.name}_ip6", ip_text(ip)) for ip in host.ip6]
    return tuple(members)


def set_members(_key: object, members: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, str]]:
    """Set (with its sigil) -> members; the same address of two ports is one member."""
    yield from members
