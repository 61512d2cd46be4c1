"""The objects behind logical flows, in words: which they are, and who made them so."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from northbound.errors import NotFoundError
from northbound.models import Revision
from northbound.services import SERVICES, Service
from northbound.transaction import Reader, RowChange

CauseKey = tuple[str, str]
"""Kind and id of an object."""


class Cause(NamedTuple):
    """An object as it is now; what isn't known of one that is gone is None."""

    kind: str
    id: str
    name: str | None
    text: str
    revision: int | None
    author: str | None
    proposed: bool = False
    """Whether the object is as a change would make it that is only proposed."""

    @property
    def sentence(self) -> str:
        if self.proposed:
            return f"{self.text}, as proposed"
        if self.revision is None:
            return self.text
        return f"{self.text}, last changed by {self.author} in revision {self.revision}"


class Causes:
    """Looks up the objects behind flows in one state of intent, each once.

    Those that a change would make are given, as `proposed`; `changes` are those of it that `reader`
    doesn't see.
    """

    def __init__(
        self,
        reader: Reader,
        proposed: Mapping[CauseKey, Cause] | None = None,
        changes: Sequence[RowChange] = (),
    ) -> None:
        self.reader = reader
        self.changes = changes
        self._known: dict[CauseKey, Cause] = dict(proposed or {})

    def of(self, kind: str, object_id: str) -> Cause:
        key = (kind, object_id)
        if key not in self._known:
            self._known[key] = self._find(kind, object_id)
        return self._known[key]

    def _find(self, kind: str, object_id: str) -> Cause:
        known = SERVICES.get(kind)
        if known is None:
            return Cause(kind, object_id, None, f"{kind.replace('_', ' ')} {object_id}", None, None)
        try:
            view = known.view(self.reader, known.get(self.reader, object_id))
        except NotFoundError:
            text = f"{known.title} {object_id}, now deleted"
            return Cause(kind, object_id, None, text, None, None)
        revision = self.reader.session.get(Revision, view["version"])
        author = None if revision is None else revision.author
        name, text = _name(view), _text(known, view)
        return Cause(kind, object_id, name, text, view["version"], author)


def proposed_cause(reader: Reader, service: Service[Any, Any], object_id: str) -> Cause:
    """An object as `reader` sees it, in a transaction that will not be committed."""
    view = service.view(reader, service.get(reader, object_id))
    text = _text(service, view)
    return Cause(service.kind, object_id, _name(view), text, None, None, proposed=True)


def _name(view: Mapping[str, Any]) -> str | None:
    return view.get("name") or None


def _text(service: Service[Any, Any], view: Mapping[str, Any]) -> str:
    return f"{service.title} {service.phrase(view)}"
