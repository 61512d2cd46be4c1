"""The objects behind logical flows, in words: which they are, and who made them so."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from api.kinds import KINDS
from northbound.errors import NotFoundError
from northbound.models import Revision
from northbound.transaction import Reader

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

    @property
    def sentence(self) -> str:
        if self.revision is None:
            return self.text
        return f"{self.text}, last changed by {self.author} in revision {self.revision}"


class Causes:
    """Looks up the objects behind flows in one state of intent, each once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[CauseKey, Cause] = {}

    def of(self, kind: str, object_id: str) -> Cause:
        key = (kind, object_id)
        if key not in self._known:
            self._known[key] = self._find(kind, object_id)
        return self._known[key]

    def _find(self, kind: str, object_id: str) -> Cause:
        known = KINDS.get(kind)
        title = known.title if known else kind.replace("_", " ")
        if known is None:
            return Cause(kind, object_id, None, f"{title} {object_id}", None, None)
        try:
            view = known.service.view(self._reader, known.service.get(self._reader, object_id))
        except NotFoundError:
            return Cause(kind, object_id, None, f"{title} {object_id}, now deleted", None, None)
        revision = self._reader.session.get(Revision, view["version"])
        return Cause(
            kind,
            object_id,
            view.get("name") or None,
            f"{title} {_describe(kind, view)}",
            view["version"],
            None if revision is None else revision.author,
        )


def _describe(kind: str, view: Mapping[str, Any]) -> str:
    """
    >>> _describe("static_route", {"ip_prefix": "0.0.0.0/0", "nexthop": "10.0.0.9",
    ...     "logical_router": "edge"})
    '0.0.0.0/0 via 10.0.0.9 of logical router edge'
    """
    if kind == "acl":
        name = view["name"] or view["id"]
        place = f"{view['direction']}, tier {view['tier']}, priority {view['priority']}"
        return f"{name} ({place}) of {_owner(view, 'port_group', 'logical_switch')}"
    if kind == "static_route":
        route = f"{view['ip_prefix']} via {view['nexthop']}"
        return f"{route} of {_owner(view, 'logical_router')}"
    return str(view["name"])


def _owner(view: Mapping[str, Any], *fields: str) -> str:
    return next(f"{field.replace('_', ' ')} {view[field]}" for field in fields if view.get(field))
