"""Access control lists."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from logical_flow.acl import parse_acl_match
from logical_flow.errors import LanguageError
from northbound.errors import FieldProblem, InvalidError
from northbound.models import Acl, AclReference
from northbound.services.base import Referents, Service
from northbound.services.lookups import needed_set, unknown_set
from northbound.specs import AclSpec, validate
from northbound.transaction import Reader, Transaction


class AclService(Service[Acl, AclSpec]):
    """ACLs are addressed by id; their names are for people and logs.

    The match is checked as it is written: its syntax, its types, and that the
    address sets and port groups that it names are there. Within one switch or
    port group no two ACLs may have the same direction, tier, priority and match.
    """

    model = Acl
    spec = AclSpec
    checked_one_by_one = True

    def read_spec(self, values: Mapping[str, Any] | AclSpec) -> AclSpec:
        try:
            return validate(AclSpec, values)
        except InvalidError as error:
            assert isinstance(values, Mapping)  # noqa: S101 - a spec is never refused
            raise InvalidError([*error.problems, *self.problems_beside(values)]) from None

    def phrase(self, view: Mapping[str, Any]) -> str:
        place = f"{view['direction']}, tier {view['tier']}, priority {view['priority']}"
        return f"{view['name'] or view['id']} ({place}) of {self.owner_phrase(view)}"

    def problems_beside(self, values: Mapping[str, Any]) -> Sequence[FieldProblem]:
        """What is wrong with the match of an ACL whose fields may be wrong in other ways, too."""
        match, direction = values.get("match"), values.get("direction")
        if not isinstance(match, str) or not match.strip():
            return ()
        try:
            parse_acl_match(match, "from-lport" if direction == "from-lport" else "to-lport")
        except LanguageError as error:
            return (_language_problem(match, error),)
        return ()

    def _referents(self, reader: Reader, spec: AclSpec) -> Referents:
        try:
            return super()._referents(reader, spec)
        except InvalidError as error:
            problems = _match_problems(reader, spec, spec.project)
            raise InvalidError([*error.problems, *problems]) from None

    def _assign(self, tx: Transaction, row: Acl, spec: AclSpec, referents: Referents) -> None:
        sets = _check_match(tx, spec, row.project)
        super()._assign(tx, row, spec, referents)
        _set_references(tx, row, sets)

    def remove(self, tx: Transaction, rows: Sequence[Acl], *, cascade: bool = False) -> None:
        for row in rows:
            _set_references(tx, row, frozenset())
        super().remove(tx, rows, cascade=cascade)


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


def _language_problem(match: str, error: LanguageError) -> FieldProblem:
    return FieldProblem(("match",), error.message, match, error.position, error.caret())


def _check_match(tx: Reader, spec: AclSpec, home: str | None) -> frozenset[str]:
    """Return what the match of an ACL of the project `home` refers to, all of which exists."""
    try:
        match = parse_acl_match(spec.match, spec.direction)
    except LanguageError as error:
        raise InvalidError([_language_problem(spec.match, error)]) from None
    needed = {target: needed_set(tx, target, home) for target in sorted(match.sets)}
    problems = [unknown_set(spec.match, target) for target in needed if needed[target] is None]
    if problems:
        raise InvalidError(problems)
    return frozenset(filter(None, needed.values()))


def _match_problems(tx: Reader, spec: AclSpec, home: str | None) -> tuple[FieldProblem, ...]:
    try:
        _check_match(tx, spec, home)
    except InvalidError as error:
        return error.problems
    return ()
