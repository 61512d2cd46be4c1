"""Where the tunnel packets of chassis go: which address of another chassis a chassis sends to.

Agents make flows and probes by it, and the server judges by it whether two chassis can
reach each other at all. Pure.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, TypeAlias

from southbound.rows import Chassis

TUNNEL_TYPE: Final = "geneve"

Address: TypeAlias = IPv4Address | IPv6Address


def tunnel_addresses(chassis: Chassis) -> tuple[Address, ...]:
    """Where a chassis' tunnels end, in its order; what is no address is passed over."""
    found = []
    for encap in chassis.encaps:
        if encap.type == TUNNEL_TYPE:
            try:
                found.append(ip_address(encap.ip))
            except ValueError:
                continue
    return tuple(found)


def way_to(other: Chassis, own: Chassis | None) -> Address | None:
    """The address of `other` that a chassis sends to: the first of a family that it has itself.

    As long as nothing is known of itself (`own` is None) it is the first one. None where
    the two have no address family in common.
    """
    addresses = tunnel_addresses(other)
    if own is None:
        return addresses[0] if addresses else None
    families = {address.version for address in tunnel_addresses(own)}
    return next((address for address in addresses if address.version in families), None)


def no_way(own: Chassis, other: Chassis) -> str:
    """Why there is no way between two chassis, as a sentence that names both.

    >>> from southbound.rows import Encap
    >>> no_way(Chassis("hv1", encaps=(Encap("geneve", "192.0.2.1"),)),
    ...        Chassis("hv2", encaps=(Encap("geneve", "2001:db8::2"),)))
    'hv1 has tunnel addresses of IPv4, hv2 of IPv6: they share no address family'
    """
    ours, theirs = (
        " and ".join(f"IPv{version}" for version in sorted(versions)) or "no kind"
        for versions in (
            {address.version for address in tunnel_addresses(chassis)} for chassis in (own, other)
        )
    )
    return (
        f"{own.name} has tunnel addresses of {ours}, {other.name} of {theirs}: "
        "they share no address family"
    )
