"""Variables of this chassis: what they are here, and what sets and virtual addresses are with them.

What a chassis is told of the variables of others it passes over.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from chassis_agent.compile import Unresolved
from chassis_agent.inputs import ThisChassis
from incremental import Read
from logical_flow.backends import BACKENDS_SIGIL
from logical_flow.errors import UnresolvedError
from logical_flow.holes import is_variable
from logical_flow.variables import (
    ValueOf,
    expand_address,
    expand_member,
    expand_port,
    has_variable,
)
from southbound.rows import ChassisVariable, SetMember, VirtualAddress

_PORTS = "@"
_ALL = ""


class ExpandedMember(NamedTuple):
    """What a member with variables adds to its set here, or why it adds nothing."""

    set: str
    members: tuple[str, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()


class AddressHere(NamedTuple):
    """What a virtual address is here: None, and why, where a variable has no value that fits."""

    row: VirtualAddress | None
    unresolved: tuple[Unresolved, ...] = ()


def value_here(read: Read) -> ValueOf:
    """Return what gives the values of variables on this chassis."""

    def value_of(name: str) -> str | None:
        chassis = read(ThisChassis, "")
        row = None if chassis is None else read(ChassisVariable, f"{chassis.name}/{name}")
        return None if row is None else row.value

    return value_of


def members_with_variables(_key: str, row: SetMember) -> Iterator[tuple[str, str]]:
    """Set -> its members that are something else on each chassis."""
    if has_variable(row.member) and not row.set.startswith(_PORTS):
        yield row.set, row.member


def address_here(read: Read, key: str) -> AddressHere | None:
    """The virtual address of a set of backends as it is here."""
    row = read(VirtualAddress, key)
    if row is None:
        return None
    if not is_variable(row.address) and not row.port_variable:
        return AddressHere(row)
    value_of = value_here(read)
    try:
        address = expand_address(row.address, value_of, row.version)
        port = expand_port(row.port_variable, value_of) if row.port_variable else row.port
    except UnresolvedError as error:
        return AddressHere(None, (Unresolved(error.variable, error.reason),))
    known = VirtualAddress(row.set, str(address), port, row.protocol, row.ends_connections)
    return AddressHere(known)


def expanded_member(read: Read, pair: tuple[str, str]) -> ExpandedMember:
    """What a member with variables stands for on this chassis.

    Of a backend that is an address with its port, if it has one; of other sets addresses alone.
    """
    name, text = pair
    version, has_port = None, True
    if name.startswith(BACKENDS_SIGIL):
        row = read(VirtualAddress, name)
        if row is None:
            return ExpandedMember(name)
        version, has_port = row.version, row.has_port
    try:
        members = expand_member(text, value_here(read), version, has_port=has_port)
    except UnresolvedError as error:
        return ExpandedMember(name, (), (Unresolved(error.variable, error.reason),))
    return ExpandedMember(name, members)


def unresolved_variables(_key: object, row: Any) -> Iterator[tuple[str, Unresolved]]:
    """All variables that have no value here that fits, each with the reasons."""
    for each in row.unresolved:
        yield _ALL, each


def set_members(_key: object, row: SetMember | ExpandedMember) -> Iterator[tuple[str, str]]:
    """Set -> its members on this chassis."""
    if isinstance(row, ExpandedMember):
        for member in row.members:
            yield row.set, member
    elif not has_variable(row.member) or row.set.startswith(_PORTS):
        yield row.set, row.member
