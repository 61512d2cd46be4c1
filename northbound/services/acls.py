"""Access control lists."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, get_args

from sqlalchemy import select

from logical_flow.acl import parse_acl_match
from logical_flow.errors import LanguageError
from northbound.errors import FieldProblem, InvalidError
from northbound.identity import new_id
from northbound.models import Acl, AclReference, AddressSet, LogicalSwitch, PortGroup
from northbound.services.base import Filters, Service, by_choice, by_column, by_reference
from northbound.services.lookups import NaturalKeys, resolve
from northbound.specs import AclSpec, validate
from northbound.specs.filtering import Action, Direction
from northbound.transaction import Reader, Transaction

NATURAL_KEY = ("logical_switch_id", "port_group_id", "direction", "tier", "priority", "match")
"""No two ACLs agree in all of these."""


class AclService(Service[Acl, AclSpec]):
    """ACLs are addressed by id; their names are for people and logs.

    The match is checked as it is written: its syntax, its types, and that the
    address sets and port groups that it names are there. Within one switch or
    port group no two ACLs may have the same direction, tier, priority and match.
    """

    kind = "acl"
    model = Acl
    spec = AclSpec
    identifying = ("logical_switch", "port_group", "direction", "tier", "priority", "match")
    filters: ClassVar[Filters] = {
        "logical_switch": by_reference(Acl.logical_switch_id, LogicalSwitch),
        "port_group": by_reference(Acl.port_group_id, PortGroup),
        "name": by_column(Acl.name),
        "direction": by_choice(Acl.direction, get_args(Direction)),
        "action": by_choice(Acl.action, get_args(Action)),
    }

    def describe(self, reader: Reader, rows: Sequence[Acl]) -> list[dict[str, Any]]:
        switches = reader.names(LogicalSwitch, (row.logical_switch_id for row in rows))
        groups = reader.names(PortGroup, (row.port_group_id for row in rows))
        return [
            {
                "logical_switch": switches.get(row.logical_switch_id),
                "port_group": groups.get(row.port_group_id),
                "name": row.name,
                "direction": row.direction,
                "tier": row.tier,
                "priority": row.priority,
                "match": row.match,
                "action": row.action,
                "log": row.log,
                "severity": row.severity,
                "meter": row.meter,
                "label": row.label,
                "labels": row.labels,
                "external_ids": row.external_ids,
            }
            for row in rows
        ]

    def read_spec(self, values: Mapping[str, Any] | AclSpec) -> AclSpec:
        try:
            return validate(AclSpec, values)
        except InvalidError as error:
            assert isinstance(values, Mapping)  # noqa: S101 - a spec is never refused
            raise InvalidError([*error.problems, *language_problems(values)]) from None

    def _new(self, tx: Transaction, spec: AclSpec) -> Acl:
        row = Acl(id=new_id())
        row.logical_switch_id, row.port_group_id = _owner(tx, spec)
        return row

    def _assign(self, tx: Transaction, row: Acl, spec: AclSpec) -> None:
        if (row.logical_switch_id, row.port_group_id) != _owner(tx, spec):
            field = "logical_switch" if spec.logical_switch else "port_group"
            raise InvalidError.of(
                field, reason="an ACL cannot move", value=spec.logical_switch or spec.port_group
            )
        sets = _check_match(tx, spec)
        row.name, row.direction, row.tier = spec.name, spec.direction, spec.tier
        row.priority, row.match, row.action = spec.priority, spec.match, spec.action
        row.log, row.severity, row.meter = spec.log, spec.severity, spec.meter
        row.label = spec.label
        row.labels, row.external_ids = spec.labels, spec.external_ids
        tx.helper(NaturalKeys).take(row, NATURAL_KEY, "match")
        _set_references(tx, row, sets)

    def _delete(self, tx: Transaction, row: Acl, *, cascade: bool) -> None:  # noqa: ARG002
        delete_acl(tx, row)


def delete_acl(tx: Transaction, acl: Acl) -> None:
    """Delete `acl` and what it refers to."""
    _set_references(tx, acl, frozenset())
    tx.delete(acl)


def _set_references(tx: Transaction, acl: Acl, targets: frozenset[str]) -> None:
    """Keep the table of who refers to which set in step with a match."""
    present: dict[str, AclReference] = {}
    if acl in tx.session:
        query = select(AclReference).where(AclReference.acl_id == acl.id)
        present = {reference.target: reference for reference in tx.session.scalars(query)}
    for target in present.keys() - targets:
        tx.session.delete(present[target])
    for target in sorted(targets - present.keys()):
        tx.session.add(AclReference(acl_id=acl.id, target=target))


def language_problems(values: Mapping[str, Any]) -> list[FieldProblem]:
    """What is wrong with the match among the fields of an ACL that are wrong in other ways, too.

    Fields may be anything. Nothing is said of a match that is no text, which others do.
    """
    match, direction = values.get("match"), values.get("direction")
    if not isinstance(match, str) or not match.strip():
        return []
    try:
        parse_acl_match(match, "from-lport" if direction == "from-lport" else "to-lport")
    except LanguageError as error:
        return [_language_problem(match, error)]
    return []


def _language_problem(match: str, error: LanguageError) -> FieldProblem:
    return FieldProblem(("match",), error.message, match, error.position, error.caret())


def _check_match(tx: Transaction, spec: AclSpec) -> frozenset[str]:
    """The sets that the match needs, all of which exist."""
    try:
        match = parse_acl_match(spec.match, spec.direction)
    except LanguageError as error:
        raise InvalidError([_language_problem(spec.match, error)]) from None
    needed = {target: _needed_set(tx, target) for target in sorted(match.sets)}
    problems = [_unknown_set(spec.match, target) for target in needed if needed[target] is None]
    if problems:
        raise InvalidError(problems)
    return frozenset(filter(None, needed.values()))


def _needed_set(tx: Transaction, target: str) -> str | None:
    """What has to be there for `target` to be: itself, or the port group that brings it.

    A port group `@web` brings the address sets ``$web_ip4`` and ``$web_ip6``. None if
    there is neither.
    """
    sigil, name = target[0], target[1:]
    if sigil == "@":
        return None if tx.named(PortGroup, name) is None else target
    if tx.named(AddressSet, name) is not None:
        return target
    if name.endswith(("_ip4", "_ip6")) and tx.named(PortGroup, name[:-4]) is not None:
        return f"@{name[:-4]}"
    return None


def _unknown_set(match: str, target: str) -> FieldProblem:
    kind = "address set" if target[0] == "$" else "port group"
    position = match.find(target)
    place = LanguageError(f"there is no {kind} {target[1:]!r}", match, position, len(target))
    return FieldProblem(("match",), place.message, match, position, place.caret())


def _owner(tx: Transaction, spec: AclSpec) -> tuple[str | None, str | None]:
    """The ids of the switch and of the port group, of which one is None."""
    try:
        if spec.logical_switch is not None:
            return resolve(tx, LogicalSwitch, spec.logical_switch, "logical_switch").id, None
        return None, resolve(tx, PortGroup, str(spec.port_group), "port_group").id
    except InvalidError as error:
        raise InvalidError([*error.problems, *_match_problems(tx, spec)]) from None


def _match_problems(tx: Transaction, spec: AclSpec) -> tuple[FieldProblem, ...]:
    try:
        _check_match(tx, spec)
    except InvalidError as error:
        return error.problems
    return ()
