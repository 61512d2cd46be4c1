"""Making the network what a declarative document says.

What the document names and is not there is created, what differs is changed,
and what the document owned and no longer names is deleted; all in the caller's
one transaction. Whoever creates an object by a document makes that document its
owner. An object of the same name that the document does not own is in the way,
unless the caller says that it is to be adopted; one that another document owns
is always in the way.

The order lets every state be reached from every other: first what nothing
depends on goes (ports, ACLs, routes), which frees names and addresses; then
things come and change, referents before referrers; then the rest goes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import select

from northbound.documents import Document, Identity, read_document, wanted_objects
from northbound.errors import (
    MOST_PROBLEMS,
    ConflictError,
    FieldProblem,
    InvalidError,
    PathElement,
    Referent,
    RequestError,
)
from northbound.ipam import AddressBook
from northbound.models import LogicalRouterPort, LogicalSwitchPort, Resource
from northbound.services import LOGICAL_ROUTER_PORTS, SERVICES
from northbound.services.base import Service
from northbound.services.lookups import NaturalKeys
from northbound.services.router_ports import end_link
from northbound.services.switch_ports import release_addresses
from northbound.specs import SPECS
from northbound.specs.declaration import held_kinds
from northbound.transaction import Transaction, at

_HELD: frozenset[str] = frozenset().union(*(held_kinds(spec) for spec in SPECS))
_LEAVES = tuple(kind for kind in reversed([*SERVICES]) if kind not in _HELD)
"""Kinds on which nothing depends: they go first, referrers before referents."""
_CONTAINERS = tuple(kind for kind in reversed([*SERVICES]) if kind in _HELD)

_ALL_AT_ONCE = ("acl",)
"""Kinds whose objects are checked one by one, before anything of them is written."""

_LARGE = 200
"""From so many objects on, whole tables are read instead of single rows."""


class Present(NamedTuple):
    """An object as it stands: its row, and the fields of its spec."""

    row: Any
    values: dict[str, Any]


@dataclass
class ApplyResult:
    """What applying a document did, or would do."""

    document: str
    created: list[Referent] = field(default_factory=list)
    changed: list[Referent] = field(default_factory=list)
    deleted: list[Referent] = field(default_factory=list)


def apply(
    tx: Transaction, document: Mapping[str, Any] | Document, *, adopt: bool = False
) -> ApplyResult:
    """Make the network what `document` says, which may have been read before.

    With `adopt` objects that nobody owns become the document's where it names
    them. Raises what the services raise, with paths into the document.
    """
    if not isinstance(document, Document):
        document = read_document(document)
    return _Application(tx, document, adopt=adopt).run()


class _Application:
    """One document on its way into one transaction."""

    def __init__(self, tx: Transaction, document: Document, *, adopt: bool) -> None:
        self._tx = tx
        self._adopt = adopt
        self._result = ApplyResult(document.document)
        self._wanted = wanted_objects(document)
        self._replaced: dict[str, tuple[Service[Any, Any], Resource]] = {}

    def run(self) -> ApplyResult:
        self._prepare()
        present: dict[str, dict[Identity, Present]] = {}
        for kind in _LEAVES:
            present[kind] = self._present(SERVICES[kind])
            self._delete_unwanted(kind, present[kind])
        for kind in _CONTAINERS:
            present[kind] = self._present(SERVICES[kind])
        self._end_links(present["logical_router_port"])
        self._clear_moving_router_ports(
            present["logical_router_port"], present["logical_switch_port"]
        )
        for kind in SERVICES:
            self._reach(kind, present[kind])
        self._make_links()
        for kind in _CONTAINERS:
            self._delete_unwanted(kind, present[kind])
        self._tx.flush()
        created = {referent.id for referent in self._result.created}
        for service, row in self._replaced.values():
            if row.version == self._tx.revision and row.id not in created:
                self._result.changed.append(service.referent(row))
        return self._result

    def _prepare(self) -> None:
        if sum(map(len, self._wanted.values())) < _LARGE:
            return
        self._tx.warm(*(service.model for service in SERVICES.values()))
        self._tx.helper(AddressBook).load()
        keys = self._tx.helper(NaturalKeys)
        for service in SERVICES.values():
            service.load_keys(keys)

    def _present(self, service: Service[Any, Any]) -> dict[Identity, Present]:
        """What the document owns already, and what it may adopt."""
        owner = service.model.document
        eligible = owner == self._result.document
        if self._adopt:
            eligible |= owner.is_(None)
        rows = list(self._tx.session.scalars(select(service.model).where(eligible)))
        present = {
            service.identity(values): Present(row, values)
            for row, values in zip(rows, service.describe(self._tx, rows), strict=True)
        }
        wanted = self._wanted[service.kind]
        return {
            key: found
            for key, found in present.items()
            if key in wanted or found.row.document is not None
        }

    def _delete_unwanted(self, kind: str, present: Mapping[Identity, Present]) -> None:
        service = SERVICES[kind]
        unwanted = [found.row for key, found in present.items() if key not in self._wanted[kind]]
        self._result.deleted += [service.referent(row) for row in unwanted]
        service.remove(self._tx, unwanted)

    def _reach(self, kind: str, present: Mapping[Identity, Present]) -> None:
        """Create and change the objects of one kind.

        Of ACLs all that are wrong are told, not only the first.
        """
        service = SERVICES[kind]
        changes: list[tuple[tuple[PathElement, ...], Any, dict[str, Any]]] = []
        for key, wanted in self._wanted[kind].items():
            found = present.get(key)
            values = wanted.values
            if kind == "logical_router_port":
                values = {**values, "peer": None if found is None else found.row.peer}
            if found is None:
                changes.append((wanted.path, None, values))
            else:
                if found.row.document is None:
                    found.row.document = self._result.document
                    self._replaced[found.row.id] = service, found.row
                if not service.agrees(found.values, values):
                    changes.append((wanted.path, found.row, values))
        for _, row, values in changes:
            if isinstance(row, LogicalSwitchPort):
                release_addresses(self._tx, row)
                if row.router_port != values["router_port"]:
                    row.router_port = None
        problems: list[FieldProblem] = []
        for path, row, values in changes:
            try:
                with at(*path):
                    self._make(service, row, values)
            except InvalidError as error:
                problems += error.problems
                if kind not in _ALL_AT_ONCE or len(problems) >= MOST_PROBLEMS:
                    break
            except RequestError:
                if not problems:
                    raise
                break
        if problems:
            raise InvalidError(problems)

    def _make(self, service: Service[Any, Any], row: Any, values: dict[str, Any]) -> None:
        if row is None:
            self._create(service, values)
        else:
            service.replace(self._tx, row.id, values)
            self._replaced[row.id] = service, row

    def _create(self, service: Service[Any, Any], values: dict[str, Any]) -> None:
        if service.declaration.named:
            holder = self._tx.named(service.model, values["name"])
            if holder is not None:
                raise ConflictError(service.kind, "name", values["name"], service.referent(holder))
        row = service.create(self._tx, values, document=self._result.document)
        self._result.created.append(service.referent(row))

    def _end_links(self, present: Mapping[Identity, Present]) -> None:
        """Part peers that shall have other peers, or none."""
        for key, found in present.items():
            wanted = self._wanted["logical_router_port"].get(key)
            peer = None if wanted is None else wanted.values["peer"]
            if found.row.peer is not None and found.row.peer != peer:
                end_link(self._tx, found.row)
                self._replaced[found.row.id] = LOGICAL_ROUTER_PORTS, found.row

    def _clear_moving_router_ports(
        self, ports: dict[Identity, Present], switch_ports: Mapping[Identity, Present]
    ) -> None:
        """Delete router ports whose names are wanted on other routers.

        A switch port that leads to one is let go of, to be attached to its successor.
        """
        wanted = self._wanted["logical_router_port"]
        names = {found.values["name"] for found in wanted.values()}
        moving = [
            key for key, found in ports.items() if key not in wanted and found.row.name in names
        ]
        for key in moving:
            row = ports.pop(key).row
            for attached in switch_ports.values():
                if attached.row.router_port == row.name and not self._tx.is_deleted(attached.row):
                    release_addresses(self._tx, attached.row)
                    attached.row.router_port = attached.values["router_port"] = None
            self._result.deleted.append(LOGICAL_ROUTER_PORTS.referent(row))
            LOGICAL_ROUTER_PORTS.delete(self._tx, row.id)

    def _make_links(self) -> None:
        """Join peers, now that all router ports are there and free."""
        for wanted in self._wanted["logical_router_port"].values():
            peer = wanted.values["peer"]
            row = self._tx.named(LogicalRouterPort, wanted.values["name"])
            if row is None or peer is None or row.peer == peer:
                continue
            with at(*wanted.path):
                LOGICAL_ROUTER_PORTS.replace(self._tx, row.id, wanted.values)
            self._replaced[row.id] = LOGICAL_ROUTER_PORTS, row
