"""Everything that can go wrong with intent, in one hierarchy.

::

    NorthboundError
    ├── RequestError                  the request cannot be met; nothing was written
    │   ├── InvalidError              one or more fields are wrong: path, reason, value
    │   ├── NotFoundError             no object of that kind with that id or name
    │   ├── ConflictError             a name or an address is already taken
    │   ├── ReferencedError           the object is still referenced; the referrers are named
    │   ├── SharedError               the object is another project's, to be used only
    │   ├── VersionMismatchError      the object changed since the caller read it (If-Match)
    │   ├── LimitError                it asks for more than one request may
    │   └── ExhaustedError            no free address or tunnel key is left
    └── DatabaseError                 the database cannot serve; nothing was half-written
        ├── DatabaseBusyError         locked by another process for too long
        ├── DatabaseFullError         no space left for it
        ├── DatabaseReadOnlyError     the file or its directory may not be written
        ├── DatabaseUnreachableError  cannot be opened or connected to
        ├── DatabaseUrlError          the URL names no database that can be used
        ├── SchemaMissingError        never set up: no migration has run
        ├── SchemaOutdatedError       older than this program
        └── SchemaTooNewError         newer than this program
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from reprlib import Repr
from typing import NamedTuple

PathElement = str | int

MOST_PROBLEMS = 100
"""After so many wrong fields the rest of a document isn't looked at."""

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 200
"""A wrong value may be a whole document; a message shows its beginning."""


class NorthboundError(Exception):
    """Base of all errors of this package."""


class RequestError(NorthboundError):
    """The request cannot be met as it stands; nothing was written.

    `path` leads to the object in question where a request is about many.
    """

    path: "tuple[PathElement, ...]" = ()

    def under(self, *prefix: PathElement) -> "RequestError":
        """The same error seen from an enclosing object."""
        self.path = (*prefix, *self.path)
        return self

    def hide_other_projects(self, project: str) -> None:
        """Name no objects but those of `project`."""


@dataclass(frozen=True)
class FieldProblem:
    """What is wrong with one field.

    `path` leads to the field from the request's outermost object. Where the
    value is a text in a language of its own (an ACL's match), `position` is the
    place of the fault in it and `excerpt` shows it: the line, and a caret below.
    """

    path: tuple[PathElement, ...]
    reason: str
    value: object = None
    position: int | None = None
    excerpt: str | None = None

    @property
    def pointer(self) -> str:
        """The path as a JSON pointer (RFC 6901).

        >>> FieldProblem(("addresses", 0), "not an address").pointer
        '/addresses/0'
        """
        steps = (str(step).replace("~", "~0").replace("/", "~1") for step in self.path)
        return "".join("/" + step for step in steps)

    @property
    def dotted(self) -> str:
        """The path as people write it.

        >>> FieldProblem(("addresses", 0), "not an address").dotted
        'addresses.0'
        """
        return ".".join(str(step) for step in self.path)

    def under(self, prefix: tuple[PathElement, ...]) -> "FieldProblem":
        """The same problem seen from an enclosing object."""
        return replace(self, path=(*prefix, *self.path))

    def __str__(self) -> str:
        where = f"{self.dotted}: " if self.path else ""
        if self.excerpt is not None:
            return f"{where}{self.reason}\n{self.excerpt}"
        shown = "" if self.value is None else f" (got {_SHORT.repr(self.value)})"
        return f"{where}{self.reason}{shown}"


class InvalidError(RequestError):
    """One or more fields of the request are wrong."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)

    @classmethod
    def of(cls, *path: PathElement, reason: str, value: object = None) -> "InvalidError":
        """An error about a single field."""
        return cls([FieldProblem(path, reason, value)])

    def under(self, *prefix: PathElement) -> "InvalidError":
        """The same error seen from an enclosing object."""
        return InvalidError([problem.under(prefix) for problem in self.problems])


class NotFoundError(RequestError):
    """No object of `kind` has `ref` as its id or name."""

    def __init__(self, kind: str, ref: str) -> None:
        super().__init__(f"there is no {kind.replace('_', ' ')} {ref!r}")
        self.kind = kind
        self.ref = ref


class ConflictError(RequestError):
    """`value` of `field` is already taken by the object `holder`.

    Where the caller must not know of that, the holder is None. `ways_out` says what would help,
    if that is known.
    """

    def __init__(
        self, kind: str, field: str, value: object, holder: "Referent", ways_out: str = ""
    ) -> None:
        self.kind = kind
        self.field = field
        self.value = value
        self.holder: Referent | None = holder
        owner = f" of document {holder.document}" if holder.document else ""
        super().__init__(self._text(f"{holder}{owner}") + (f"; {ways_out}" if ways_out else ""))

    def hide_other_projects(self, project: str) -> None:
        if self.holder is not None and self.holder.project != project:
            self.holder = None
            self.args = (self._text("an object of another project"),)

    def _text(self, holder: str) -> str:
        kind = self.kind.replace("_", " ")
        return f"{kind}: {self.field} {self.value!r} is already taken by {holder}"


class Referent(NamedTuple):
    """An object named in an error."""

    kind: str
    id: str
    name: str
    project: str = "default"
    document: str | None = None
    """The declarative document that owns the object, if one does."""

    def __str__(self) -> str:
        return f"{self.kind.replace('_', ' ')} {self.name or self.id}"


class ReferencedError(RequestError):
    """`target` cannot go, or be renamed, while `referrers` need it.

    `hidden` is how many more there are that the caller must not know.
    """

    def __init__(self, target: Referent, referrers: Sequence[Referent]) -> None:
        self.target = target
        self.referrers = tuple(referrers)
        self.hidden = 0
        super().__init__(self._text())

    def hide_other_projects(self, project: str) -> None:
        known = tuple(each for each in self.referrers if each.project == project)
        self.hidden += len(self.referrers) - len(known)
        self.referrers = known
        self.args = (self._text(),)

    def _text(self) -> str:
        shown = [str(referrer) for referrer in self.referrers[:10]]
        if len(self.referrers) > 10:
            shown.append(f"{len(self.referrers) - 10} more")
        if self.hidden:
            shown.append(f"{self.hidden} of other projects")
        last = shown.pop()
        named = f"{', '.join(shown)} and {last}" if shown else last
        return f"{self.target} is referenced by {named}"


class SharedError(RequestError):
    """`target` is another project's, which shares it to be used, not to be changed."""

    def __init__(self, target: Referent) -> None:
        super().__init__(
            f"{target} belongs to another project, which shares it to be used, not to be changed"
        )
        self.target = target


class VersionMismatchError(RequestError):
    """The object is at version `actual`, the caller expected `expected`."""

    def __init__(self, target: Referent, expected: int, actual: int) -> None:
        super().__init__(f"{target} is at version {actual}, not at {expected}")
        self.target = target
        self.expected = expected
        self.actual = actual


class LimitError(RequestError):
    """The request asks for more than one may: of members, or of the writer's time."""


class ExhaustedError(RequestError):
    """Nothing is left to allocate from `pool`."""

    def __init__(self, pool: str) -> None:
        super().__init__(f"{pool} is exhausted")
        self.pool = pool


class DatabaseError(NorthboundError):
    """The database cannot serve; whatever was under way left no trace in it."""


class DatabaseBusyError(DatabaseError):
    """Another process holds the database's lock for longer than the busy timeout."""


class DatabaseFullError(DatabaseError):
    """The file system, or a size limit, leaves the database no space."""


class DatabaseReadOnlyError(DatabaseError):
    """The database file or its directory may not be written."""


class DatabaseUnreachableError(DatabaseError):
    """The database cannot be opened or connected to, or is no database."""


class DatabaseUrlError(DatabaseError):
    """The URL is none, or of a database that there is no support or no driver for."""


class SchemaMissingError(DatabaseError):
    """No migration has run on the database yet."""


class SchemaOutdatedError(DatabaseError):
    """The database's schema is older than the program."""


class SchemaTooNewError(DatabaseError):
    """The database's schema is newer than the program."""
