"""Projects: whose an object is, and what each project sees of the others.

Every object belongs to a project, ``default`` unless another is said. Names are unique within
a project. What a reader may see and where names are looked up is its :class:`Scope`: a reader
of one project sees that project's objects and those that other projects share. Whatever else
there is doesn't exist for it.

How objects are referred to is told in :mod:`northbound.names`.
"""

from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, true

from northbound.models.base import Resource
from northbound.names import DEFAULT_PROJECT, qualified_name


class Scope(NamedTuple):
    """What a reader sees: all projects, or where it is `confined` only `project`.

    `project` is also the one in which names are looked up, and to which new objects belong of
    which no other is said; None where the request says none.
    """

    project: str | None = None
    confined: bool = False

    @property
    def home(self) -> str:
        """The project in which names are looked up."""
        return self.project or DEFAULT_PROJECT

    def sees(self, row: Resource) -> bool:
        """Tell whether `row` exists for the reader."""
        return self.owns(row) or getattr(row, "shared", False)

    def owns(self, row: Resource) -> bool:
        """Tell whether the reader may change `row`."""
        return not self.confined or row.project == self.home

    def visible(self, model: type[Resource]) -> ColumnElement[bool]:
        """Return the condition on rows of `model` that exist for the reader."""
        if not self.confined:
            return true()
        own = model.project == self.home
        shared = model.__mapper__.columns.get("shared")
        return own if shared is None else own | shared


EVERYTHING: Final = Scope()
"""The scope of those who see all projects, and mean ``default`` where they say none."""


class Named(NamedTuple):
    """What is needed of an object to refer to it."""

    id: str
    project: str
    name: str
    shared: bool

    def shown(self, home: str, scope: Scope) -> str:
        """Refer to the object as one of the project `home` does, for a reader of `scope`.

        By its id where the reader must not learn its name.
        """
        if scope.confined and self.project != scope.home and not self.shared:
            return self.id
        return qualified_name(self.project, self.name, home)
