"""Relations between ACLs and the switches on which they, or their port groups, apply."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from incremental import Read
from logical_flow.copies import negated_fields
from logical_flow.match_parser import parse_match
from translator.features.acl.copies import VARYING, without_exempt
from translator.inputs import Acl, LogicalSwitchPort, PortGroupPort


def membership_switch(read: Read, membership: tuple[str, str]) -> tuple[str, str] | None:
    """The port group and the switch that a port's membership brings together."""
    row = read(PortGroupPort, membership)
    port = None if row is None else read(LogicalSwitchPort, row.port)
    return None if row is None or port is None else (row.port_group, port.switch)


def switches_of_port_group(
    _membership: tuple[str, str], pair: tuple[str, str]
) -> Iterator[tuple[str, str]]:
    """Port group -> switches on which it has ports."""
    yield pair


def acls_of_port_group(acl: str, row: Acl) -> Iterator[tuple[str, str]]:
    """Port group -> its ACLs."""
    if row.port_group:
        yield row.port_group, acl


def placements_by_switch(read: Read, acl: str) -> tuple[tuple[str, str], ...]:
    """Where an ACL of a switch applies: there."""
    row = read(Acl, acl)
    return ((row.switch, acl),) if row is not None and row.switch else ()


def placements_by_port_group(read: Read, pair: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """The ACLs that a port group brings to a switch on which it has ports."""
    port_group, switch = pair
    return tuple((switch, acl) for acl in read.members(acls_of_port_group, port_group))


def acl_placements(
    _key: object, placements: tuple[tuple[str, str], ...]
) -> Iterator[tuple[str, str]]:
    """Switch -> ACLs that apply on it."""
    yield from placements


class AclRole(NamedTuple):
    """What the switch's own flows have to know of an ACL on it."""

    direction: str
    is_stateful: bool
    copies: frozenset[str] = frozenset()
    """The fields that its match negates, of which it needs copies."""
    is_after_lb: bool = False


def acl_role(read: Read, placement: tuple[str, str]) -> AclRole | None:
    acl = read(Acl, placement[1])
    if acl is None:
        return None
    return AclRole(
        acl.direction,
        acl.action == "allow-related",
        _fields_negated_in(acl.match),
        acl.apply_after_lb,
    )


@lru_cache(maxsize=4096)
def _fields_negated_in(match: str) -> frozenset[str]:
    if "!" not in match:
        return frozenset()  # most say nothing of the kind, and needn't be parsed for it
    return negated_fields(without_exempt(parse_match(match, negations=True)))


def stateful_acls(placement: tuple[str, str], role: AclRole) -> Iterator[tuple[str, str]]:
    """Switch -> the ACLs that make it stateful."""
    if role.is_stateful:
        yield placement


def acls_after_lb(placement: tuple[str, str], role: AclRole) -> Iterator[tuple[str, str]]:
    """Switch -> the ACLs that decide after load balancing."""
    if role.is_after_lb:
        yield placement


def negating_acls(
    placement: tuple[str, str], role: AclRole
) -> Iterator[tuple[tuple[str, str, bool], str]]:
    """(Switch, direction, of headers that vary within a flow?) -> ACLs that need copies of such."""
    switch, acl = placement
    for varies in {name in VARYING for name in role.copies}:
        yield (switch, role.direction, varies), acl


def acls_in_direction(
    placement: tuple[str, str], role: AclRole
) -> Iterator[tuple[tuple[str, str], str]]:
    """(Switch, direction) -> its ACLs."""
    switch, acl = placement
    yield (switch, role.direction), acl
