"""What services see of a document that is being applied.

:mod:`northbound.apply` drives; a service whose objects stand in each other's way while
things change makes room for what is wanted (:meth:`~northbound.services.base.Service.make_room`,
:meth:`~northbound.services.base.Service.let_go`).
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from northbound.errors import PathElement, Referent
from northbound.models import Resource

Identity = tuple[object, ...]
"""What an object of a document is found again by: the values of its identifying fields."""


class Wanted(NamedTuple):
    """An object that a document names: where it does, and the fields of its spec."""

    path: tuple[PathElement, ...]
    values: dict[str, Any]


class Present(NamedTuple):
    """An object as it stands: its row, and the fields of its spec."""

    row: Any
    values: dict[str, Any]


@dataclass
class Plan:
    """A document on its way: by kind what it wants and what is there of it, and what was done.

    `changed` are rows that were or may have been written. Each is made what the document
    says, whether or not its values in `present` agree with that already.
    """

    document: str
    wanted: dict[str, dict[Identity, Wanted]]
    present: dict[str, dict[Identity, Present]] = field(default_factory=dict)
    changed: dict[str, Resource] = field(default_factory=dict)
    deleted: list[Referent] = field(default_factory=list)

    def unwanted(self, kind: str) -> list[Any]:
        """The rows that are there, and that the document doesn't name."""
        wanted = self.wanted[kind]
        return [found.row for key, found in self.present[kind].items() if key not in wanted]

    def holds(self, row: Resource) -> bool:
        """Whether `row` is the document's, or becomes so by this plan."""
        return any(found.row is row for found in self.present[row.__tablename__].values())
