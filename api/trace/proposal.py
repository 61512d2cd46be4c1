"""What would be: a change that is carried out, looked at, and taken back.

The change runs as a use case in a transaction that is rolled back; the rows that it
changed go through the translator, which takes them back as well; what came out lies over
realised state. Nothing is written, northbound or southbound, and no agent is told. The
cost is that of the change, however large the network is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from api import documents
from api.backend import Backend
from api.batch import run_batch
from api.kinds import KINDS
from api.requests import parse
from api.trace.causes import Cause, CauseKey, proposed_cause
from incremental import Failure
from northbound.apply import apply
from northbound.errors import DatabaseBusyError
from northbound.transaction import RowChange, Transaction, at
from southbound.proposed import ProposedState
from translator.intent import ImageChange

Change = Callable[[Transaction], object]
"""Something done to intent, as a use case would do it."""

FIELD = "with"
"""The field of requests that holds a proposed change."""

_TRIES = 5
_ACTIONS = {
    (False, True): "created",
    (True, True): "updated",
    (True, False): "deleted",
}


@dataclass(frozen=True)
class Proposal:
    """A change and what it would lead to.

    `realised` is a view of rows that go on changing: take from it what you need before
    you next await something. `causes` are the objects changed, as they would be.
    """

    realised: ProposedState
    changes: Sequence[RowChange]
    causes: Mapping[CauseKey, Cause]
    failures: Sequence[Failure]

    @property
    def networks(self) -> Mapping[str, tuple[str, ...]]:
        """The networks of the router ports that it changes, by name."""
        return {
            change.after["name"]: tuple(change.after["networks"])
            for change in self.changes
            if change.table == "logical_router_port" and change.after is not None
        }

    def document(self) -> dict[str, Any]:
        """What it would create, update and delete."""
        found: dict[str, list[dict[str, Any]]] = {action: [] for action in _ACTIONS.values()}
        for change in self.changes:
            if change.table in KINDS:
                image = change.after or change.before or {}
                action = _ACTIONS[change.before is not None, change.after is not None]
                found[action].append(
                    {"kind": change.table, "id": change.object_id, "name": image.get("name", "")}
                )
        faults = [f"{each.node} {each.key}: {each.error}" for each in self.failures]
        return {**found, "faults": faults}


class _Carried(NamedTuple):
    revision: int
    changes: list[RowChange]
    causes: dict[CauseKey, Cause]


async def propose(backend: Backend, change: Change, *, author: str) -> Proposal:
    """What would be if `change` were committed now.

    Raises what the change raises. Call it on the loop that realised state belongs to.
    """

    def carry_out(tx: Transaction) -> _Carried:
        change(tx)
        tx.settle()
        causes = {
            (each.table, each.object_id): proposed_cause(tx, KINDS[each.table], each.object_id)
            for each in tx.changes
            if each.table in KINDS and each.after is not None
        }
        return _Carried(tx.revision - 1, list(tx.changes), causes)

    for _ in range(_TRIES):
        written = await backend.write(carry_out, author=author, comment="", dry_run=True)
        revision, changes, causes = written.result
        images = [ImageChange(each.table, each.before, each.after) for each in changes]
        found = await backend.translator.what_if(revision, images)
        if found is not None:
            realised = ProposedState(
                backend.realised, found.realised.puts.values(), found.realised.deletes
            )
            return Proposal(realised, changes, causes, found.failures)
    raise DatabaseBusyError("others change the network faster than the change can be looked at")


def change_of(value: Mapping[str, Any] | Sequence[Mapping[str, Any]], *, adopt: bool) -> Change:
    """The change that the field ``with`` of a request describes.

    It is a declarative document or, where it has operations, a batch of them; or a list
    of these, done one after the other.
    """
    if isinstance(value, Mapping):
        return _part(value, (FIELD,), adopt=adopt)
    parts = [_part(part, (FIELD, index), adopt=adopt) for index, part in enumerate(value)]

    def change(tx: Transaction) -> None:
        for part in parts:
            part(tx)

    return change


def _part(value: Mapping[str, Any], path: tuple[str | int, ...], *, adopt: bool) -> Change:
    def change(tx: Transaction) -> None:
        with at(*path):
            if "operations" in value:
                run_batch(tx, parse(documents.Transaction, dict(value)))
            else:
                apply(tx, value, adopt=adopt)

    return change
