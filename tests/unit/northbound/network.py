"""Short ways to write and to read intent in tests."""

from collections.abc import Mapping
from typing import Any

import pytest

from northbound.database import Database
from northbound.errors import InvalidError, RequestError
from northbound.models import Resource
from northbound.paging import PageRequest
from northbound.services import SERVICES
from northbound.transaction import RowChange

KINDS = {
    "switch": "logical_switch",
    "port": "logical_switch_port",
    "router": "logical_router",
    "router_port": "logical_router_port",
    "route": "static_route",
    "policy": "router_policy",
    "address_set": "address_set",
    "binding": "static_mac_binding",
    "nat": "nat",
    "bfd": "bfd_session",
    "group": "port_group",
    "set": "address_set",
    "acl": "acl",
    "dhcp": "dhcp_options",
    "meter": "meter",
}


class Network:
    """One operation, one transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def create(self, kind: str, /, **values: Any) -> str:
        """Create an object; its id."""
        with self.database.write(author="test") as tx:
            row: Resource = SERVICES[KINDS[kind]].create(tx, values)
        return row.id

    def update(self, kind: str, ref: str, /, **patch: Any) -> list[RowChange]:
        """Lay a merge patch over an object; what changed."""
        with self.database.write(author="test") as tx:
            SERVICES[KINDS[kind]].update(tx, ref, patch)
        return tx.changes

    def delete(self, kind: str, ref: str, /, *, cascade: bool = False) -> list[RowChange]:
        with self.database.write(author="test") as tx:
            SERVICES[KINDS[kind]].delete(tx, ref, cascade=cascade)
        return tx.changes

    def get(self, kind: str, ref: str, /) -> dict[str, Any]:
        service = SERVICES[KINDS[kind]]
        with self.database.read() as reader:
            return service.view(reader, service.get(reader, ref))

    def names(self, kind: str, /, **filters: str) -> list[str]:
        service = SERVICES[KINDS[kind]]
        with self.database.read() as reader:
            return [
                row.name for row in service.page(reader, filters, PageRequest(limit=1000)).items
            ]

    def refused(self, error: type[RequestError], kind: str, /, **values: Any) -> str:
        """Check that an object is refused with `error`, and nothing written; the message."""
        return self.refuses(error, lambda: self.create(kind, **values))

    def refuses(self, error: type[RequestError], action: Any) -> str:
        """Check that `action` is refused with `error`, and nothing written; the message."""
        before = self.database.revision()
        with pytest.raises(error) as caught:
            action()
        assert self.database.revision() == before
        return str(caught.value)

    def faults(self, kind: str, /, **values: Any) -> dict[str, str]:
        """Check that an object is invalid; the reason for each faulty field, by pointer."""
        with pytest.raises(InvalidError) as caught:
            self.create(kind, **values)
        return {problem.pointer: problem.reason for problem in caught.value.problems}


def only(changes: list[RowChange]) -> tuple[str, dict[str, tuple[Any, Any]]]:
    """The table of the only change, and what differs: column -> (before, after)."""
    (change,) = changes
    before: Mapping[str, Any] = change.before or {}
    after: Mapping[str, Any] = change.after or {}
    columns = before.keys() | after.keys()
    return change.table, {
        column: (before.get(column), after.get(column))
        for column in columns
        if before.get(column) != after.get(column)
    }
