"""The stage that copies fields for ACLs which negate them, and what it need not copy."""

from collections.abc import Iterator
from typing import Final

from logical_flow.copies import copy_actions
from logical_flow.expression import (
    FALSE,
    TRUE,
    And,
    BooleanTest,
    Expression,
    Not,
    Or,
    all_of,
    any_of,
)
from logical_flow.fields import Predicate
from logical_flow.roles import Role
from logical_flow.template import Direction, LogicalFlow, Stage, Template
from translator.features.acl.stages import EXEMPT_PREDICATES

VARYING: Final = frozenset({"ip.ttl", "ip.dscp", "ip.ecn"})
"""Fields that differ between packets of a flow. A switch that looks at one handles each value
by itself, so that they are copied only where an ACL negates such."""

_TYPE, _IP = ("eth.type",), ("eth.type", "ip.proto")
_ICMP4, _ICMP6 = (*_IP, "icmp4.type", "icmp4.code"), (*_IP, "icmp6.type", "icmp6.code")
_WITH_VARYING = ("ip.ttl", "ip.dscp", "ip.ecn")

MORE, ICMP, IP, OTHER = 100, 60, 50, 0
"""`MORE` is what the copy of varying fields adds."""


def _copy(*fields: str) -> str:
    return f"{copy_actions(fields)} next;"


class AclCopy(Stage, name="acl_copy", role=Role.CONNECTION_TRACKING, failure="drop"):
    """Fields of the packet in registers, for ACLs that say what a field is not.

    Of a packet that isn't copied such ACLs would believe anything, so nothing passes by.
    """

    icmp4: Template
    icmp6: Template
    ip: Template
    icmp4_varying: Template
    icmp6_varying: Template
    ip_varying: Template
    arp: Template
    rarp: Template
    other: Template


def acl_copy(direction: Direction) -> type[AclCopy]:
    prefix = "ls_in" if direction == "ingress" else "ls_out"

    class Copy(AclCopy, name=f"{prefix}_acl_copy", failure="drop"):
        __doc__ = AclCopy.__doc__

        icmp4 = Template(ICMP, "icmp4", _copy(*_ICMP4))
        icmp6 = Template(ICMP, "icmp6", _copy(*_ICMP6))
        ip = Template(IP, "ip", _copy(*_IP))
        icmp4_varying = Template(MORE + ICMP, "icmp4", _copy(*_ICMP4, *_WITH_VARYING))
        icmp6_varying = Template(MORE + ICMP, "icmp6", _copy(*_ICMP6, *_WITH_VARYING))
        ip_varying = Template(MORE + IP, "ip", _copy(*_IP, *_WITH_VARYING))
        arp = Template(IP, "arp", _copy(*_TYPE, "arp.op"))
        rarp = Template(IP, "rarp", _copy(*_TYPE, "rarp.op"))
        other = Template(OTHER, "1", _copy(*_TYPE))

    return Copy


LsInAclCopy = acl_copy("ingress")
LsOutAclCopy = acl_copy("egress")


def copy_flows(stage: type[AclCopy], *, with_varying: bool) -> Iterator[LogicalFlow]:
    """Yield the flows that copy fields on a switch."""
    if with_varying:
        yield from (stage.icmp4_varying(), stage.icmp6_varying(), stage.ip_varying())
    else:
        yield from (stage.icmp4(), stage.icmp6(), stage.ip())
    yield from (stage.arp(), stage.rarp(), stage.other())


def without_exempt(expression: Expression) -> Expression:
    """Return the match for packets that ACLs see, where it says what these never are.

    Neighbour discovery and its like don't reach ACLs: "no neighbour discovery" goes without
    saying, and is not worth looking at the hop limit of every packet.

    >>> from logical_flow.match_parser import parse_match
    >>> print(without_exempt(parse_match("ip6 && !nd", negations=True)))
    ip6
    """
    return _without_exempt(expression, True)


def _without_exempt(expression: Expression, positive: bool) -> Expression:
    match expression:
        case BooleanTest(Predicate(name=name)) if name in EXEMPT_PREDICATES and not positive:
            return FALSE
        case Not(operand):
            inner = _without_exempt(operand, not positive)
            return TRUE if inner == FALSE else Not(inner)
        case And(operands):
            return _conjunction([_without_exempt(each, positive) for each in operands])
        case Or(operands):
            parts = [_without_exempt(each, positive) for each in operands]
            return TRUE if TRUE in parts else any_of(*(each for each in parts if each != FALSE))
    return expression


def _conjunction(parts: list[Expression]) -> Expression:
    return FALSE if FALSE in parts else all_of(*(each for each in parts if each != TRUE))
