"""IP protocols as rules name them, and which of them can be told apart in a packet.

Numbers are IANA's ("Assigned Internet Protocol Numbers"). Open vSwitch looks through the
extension headers of IPv6 to the protocol behind them, so no match asks for one of those; it
reads the ports of TCP, UDP and SCTP, and of no other protocol.
"""

from typing import Any, Final

from api.neutron.errors import BadRequestError

NUMBERS: Final = {
    "ah": 51,
    "dccp": 33,
    "egp": 8,
    "esp": 50,
    "gre": 47,
    "hopopt": 0,
    "icmp": 1,
    "igmp": 2,
    "ip": 0,
    "ipip": 4,
    "ipv6-encap": 41,
    "ipv6-frag": 44,
    "ipv6-icmp": 58,
    "icmpv6": 58,
    "ipv6-nonxt": 59,
    "ipv6-opts": 60,
    "ipv6-route": 43,
    "ospf": 89,
    "pgm": 113,
    "rsvp": 46,
    "sctp": 132,
    "tcp": 6,
    "udp": 17,
    "udplite": 136,
    "vrrp": 112,
}
ANY, ICMP, TCP, UDP, DCCP, FRAGMENT, ICMPV6 = 0, 1, 6, 17, 33, 44, 58
SCTP, UDPLITE = 132, 136
LARGEST: Final = 255

ONLY_IPV6: Final = frozenset({41, 43, 44, 58, 59, 60})
"""Protocols that packets of IPv4 don't have."""
WITH_PORTS: Final = frozenset({TCP, UDP, DCCP, SCTP, UDPLITE})
MATCHED_PORTS: Final = {TCP: "tcp", UDP: "udp", SCTP: "sctp"}
"""The protocols whose ports a match can ask for, with their names in matches."""
LOOKED_THROUGH: Final = {43: "routing header", 51: "authentication header", 60: "options header"}
"""Extension headers of IPv6 that a match can't ask for."""

_SHOWN = ", ".join(f"'{name}'" for name in NUMBERS)


def protocol(value: Any) -> str | None:
    """Take a protocol by name or number; null and ``any`` stand for all of them.

    >>> protocol("TCP"), protocol(6), protocol("any"), protocol("icmpv6")
    ('tcp', '6', None, 'ipv6-icmp')
    """
    if value is None:
        return None
    if isinstance(value, str | int) and not isinstance(value, bool):
        said = str(value).lower()
        if said == "any":
            return None
        if said in NUMBERS:
            return "ipv6-icmp" if said == "icmpv6" else said
        if said.isascii() and said.isdigit() and len(said) <= 3 and int(said) <= LARGEST:
            return str(int(said))
    message = (
        f"Security group rule protocol {str(value)[:100]} not supported. Only protocol values "
        f"(None, 'any', {_SHOWN}) and integer representations [0 to {LARGEST}] are supported."
    )
    raise BadRequestError(message, "SecurityGroupRuleInvalidProtocol")


def number_of(name: str | None) -> int | None:
    """Return the number of a protocol in the form that :func:`protocol` returns.

    None stands for all protocols, which rules may also call 0 or ``ip``.
    """
    if name is None:
        return None
    return NUMBERS[name] if name in NUMBERS else int(name)
