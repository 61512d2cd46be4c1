"""Batches of operations on intent, carried out in a transaction that someone else ends.

Operations run in order, and each sees what those before it did. One may give the object
that it creates an alias, which later ones refer to.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from pydantic import Field

from northbound import transaction
from northbound.errors import InvalidError
from northbound.models import Resource
from northbound.services import ADDRESS_SETS, PORT_GROUPS, SERVICES, Service
from northbound.specs.base import StrictModel

MAXIMUM_OPERATIONS = 10_000
"""What the description of the API says; a server may be set to take fewer."""

ALIAS_SIGN = "#"


class Operation(StrictModel):
    """One step of a batch."""

    action: Literal["create", "update", "replace", "delete", "change_members"]
    kind: str
    alias: str | None = Field(default=None, alias="as")
    """For `create`: a name under which later operations refer to the object, as `#name`."""
    ref: str | None = None
    """For all but `create`: id, unique name, or `#name` of an earlier operation."""
    values: dict[str, Any] | None = None
    """The object, or for `update` a merge patch."""
    if_version: int | None = None
    """The version that the object has to have."""
    cascade: bool = False
    """For `delete`: delete its contents too."""
    add: list[str] | None = None
    """For `change_members`: ports of a group, or addresses of a set, to take in."""
    remove: list[str] | None = None
    """For `change_members`: those to take out first; it doesn't matter if they aren't in it."""


class Transaction(StrictModel):
    """A batch of operations, of which all are done or none is."""

    operations: list[Operation] = Field(min_length=1, max_length=MAXIMUM_OPERATIONS)


def run_batch(tx: transaction.Transaction, batch: Transaction) -> list[dict[str, Any]]:
    """Carry out all operations, or raise a RequestError; returns what each of them left."""
    run = _Run(tx)
    for index, operation in enumerate(batch.operations):
        with transaction.at("operations", index):
            run.do(operation)
    return run.results()


@dataclass
class _Done:
    """An operation that was carried out; `row` is what it left, if anything."""

    operation: Operation
    service: Service[Any, Any]
    object_id: str
    row: Resource | None


class _Run:
    """A batch on its way."""

    def __init__(self, tx: transaction.Transaction) -> None:
        self._tx = tx
        self._aliases: dict[str, str] = {}
        self._done: list[_Done] = []

    def do(self, operation: Operation) -> None:
        """Carry out one operation, or raise a RequestError."""
        service = _service(operation)
        _check_shape(operation)
        if operation.action == "delete":
            self._delete(operation, service)
            return
        if operation.action == "change_members":
            self._change_members(operation, service)
            return
        row: Resource
        if operation.action == "create":
            with transaction.at("values"):
                row = service.create(self._tx, self._resolved(service, operation.values or {}))
            self._remember(operation, service, row)
        else:
            row = self._object(operation, service)
            work = service.update if operation.action == "update" else service.replace
            with transaction.at("values"):
                values = self._resolved(service, operation.values or {})
                row = work(self._tx, row.id, values, if_version=operation.if_version)
        self._done.append(_Done(operation, service, row.id, row))

    def results(self) -> list[dict[str, Any]]:
        """What each operation left, as it is at the end."""
        self._tx.flush()
        return [
            {
                "action": done.operation.action,
                "kind": done.service.kind,
                "id": done.object_id,
                "object": self._view(done),
            }
            for done in self._done
        ]

    def _delete(self, operation: Operation, service: Service[Any, Any]) -> None:
        row = self._object(operation, service)
        service.delete(self._tx, row.id, cascade=operation.cascade, if_version=operation.if_version)
        self._done.append(_Done(operation, service, row.id, None))

    def _change_members(self, operation: Operation, service: Service[Any, Any]) -> None:
        """Change members one by one: what the others are is neither read nor shown."""
        if service.kind not in _MEMBER_CHANGES:
            raise InvalidError.of("kind", reason="has no members", value=operation.kind)
        row = self._object(operation, service)
        remove, add = _MEMBER_CHANGES[service.kind]
        for field, change, given in (
            ("remove", remove, operation.remove),
            ("add", add, operation.add),
        ):
            members = [self._named(each, field, i) for i, each in enumerate(given or ())]
            try:
                change(self._tx, row.id, members)
            except InvalidError as error:
                # Each problem is about one of the members, in the field that a spec has for them.
                problems = [replace(each, path=(field, *each.path[1:])) for each in error.problems]
                raise InvalidError(problems) from None
        self._done.append(_Done(operation, service, row.id, None))

    def _object(self, operation: Operation, service: Service[Any, Any]) -> Resource:
        """The object that the operation is about, in the database for look-ups by id."""
        row: Resource = service.get(self._tx, self._named(operation.ref or "", "ref"))
        self._tx.flush()
        return row

    def _view(self, done: _Done) -> dict[str, Any] | None:
        if done.row is None or self._tx.by_id(done.service.model, done.object_id) is None:
            return None
        return done.service.view(self._tx, done.row)

    def _remember(self, operation: Operation, service: Service[Any, Any], row: Resource) -> None:
        if operation.alias is None:
            return
        if operation.alias in self._aliases:
            raise InvalidError.of("as", reason="is given twice", value=operation.alias)
        if not service.named:
            self._tx.flush()
        # By its id, which leads to it from whichever project it is referred to.
        self._aliases[operation.alias] = row.id

    def _resolved(self, service: Service[Any, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        """`values` with aliases replaced in the fields that refer to other objects."""
        resolved = dict(values)
        for field in (each.name for each in service.references):
            value = values.get(field)
            if isinstance(value, str):
                resolved[field] = self._named(value, field)
            elif isinstance(value, list):
                resolved[field] = [
                    self._named(element, field, i) if isinstance(element, str) else element
                    for i, element in enumerate(value)
                ]
        return resolved

    def _named(self, ref: str, *path: str | int) -> str:
        if not ref.startswith(ALIAS_SIGN):
            return ref
        try:
            return self._aliases[ref.removeprefix(ALIAS_SIGN)]
        except KeyError:
            reason = "no earlier operation created an object as this"
            raise InvalidError.of(*path, reason=reason, value=ref) from None


MemberChange = Callable[[transaction.Transaction, str, Sequence[str]], object]

_MEMBER_CHANGES: Final[Mapping[str, tuple[MemberChange, MemberChange]]] = {
    "port_group": (PORT_GROUPS.remove_ports, PORT_GROUPS.add_ports),
    "address_set": (ADDRESS_SETS.remove_addresses, ADDRESS_SETS.add_addresses),
}
"""How members leave and join the groups and sets of a kind."""


def _service(operation: Operation) -> Service[Any, Any]:
    service = SERVICES.get(operation.kind)
    if service is None:
        reason = f"has to be one of {', '.join(SERVICES)}"
        raise InvalidError.of("kind", reason=reason, value=operation.kind)
    return service


def _check_shape(operation: Operation) -> None:
    """Refuse fields that the action has no use for, and the lack of those that it needs."""
    creates, deletes = operation.action == "create", operation.action == "delete"
    changes = operation.action == "change_members"
    wrong = {
        "ref": operation.ref is not None if creates else operation.ref is None,
        "values": (operation.values is not None) is (deletes or changes),
        "as": operation.alias is not None and not creates,
        "if_version": operation.if_version is not None and (creates or changes),
        "cascade": operation.cascade and not deletes,
        "add": operation.add is not None and not changes,
        "remove": operation.remove is not None and not changes,
    }
    for field, is_wrong in wrong.items():
        if is_wrong:
            given = {"ref": operation.ref, "values": operation.values}.get(field, "")
            verb = "needs" if given is None else "takes no"
            raise InvalidError.of(field, reason=f"the action {operation.action!r} {verb} {field}")
