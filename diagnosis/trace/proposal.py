"""What would be: a change that is carried out, looked at, and taken back.

The change runs as a use case in a dry run, which no writer waits for; the rows that it
changed go through the translator, which takes them back as well; what came out lies over
realised state. Nothing is written, northbound or southbound, and no agent is told. The
cost is that of the change, however large the network is; and a change has to be small
enough: its operations, its parts and the rows that it changes are counted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from controller.answers import ProposedChange, RowImages, View
from diagnosis.sources import Sources
from diagnosis.trace.causes import Cause, CauseKey, proposed_cause
from northbound.apply import apply
from northbound.batch import Transaction as Batch
from northbound.batch import run_batch
from northbound.errors import DatabaseBusyError, InvalidError
from northbound.services import SERVICES
from northbound.specs import parse
from northbound.transaction import RowChange, Transaction, at
from translator.names import port_image

Change = Callable[[Transaction], object]
"""Something done to intent, as a use case would do it."""

FIELD = "with"
"""The field of requests that holds a proposed change."""

MAX_OPERATIONS = 1000
"""How many operations a proposed change may have."""
MAX_PARTS = 50_000
"""How many values, lists and mappings it may be written in: about ten for an object."""
MAX_ROWS = 5000
"""How many rows of intent it may change."""
MOST_SECONDS: Final = 10.0
"""For how long translation stands still at most for a change that is tried."""

_ACTIONS = {
    (False, True): "created",
    (True, True): "updated",
    (True, False): "deleted",
}


@dataclass(frozen=True)
class Proposal:
    """A change and what it would lead to.

    `view` is what packets would meet with it. `causes` are the objects changed, as they would be.
    """

    view: View
    changes: Sequence[RowChange]
    causes: Mapping[CauseKey, Cause]

    @property
    def networks(self) -> Mapping[str, tuple[str, ...]]:
        """The networks of the router ports that it changes, by name as in flows."""
        return {
            port_image(change.after)["name"]: tuple(change.after["networks"])
            for change in self.changes
            if change.table == "logical_router_port" and change.after is not None
        }

    def document(self) -> dict[str, Any]:
        """What it would create, update and delete."""
        found: dict[str, list[dict[str, Any]]] = {action: [] for action in _ACTIONS.values()}
        for change in self.changes:
            if change.table in SERVICES:
                image = change.after or change.before or {}
                action = _ACTIONS[change.before is not None, change.after is not None]
                named = {field: image.get(field, "") for field in ("name", "project")}
                found[action].append({"kind": change.table, "id": change.object_id, **named})
        faults = [f"{each.derivation} {each.key}: {each.message}" for each in self.view.faults]
        return {**found, "faults": faults}


class _Carried(NamedTuple):
    revision: int
    changes: list[RowChange]
    causes: dict[CauseKey, Cause]


async def propose(
    sources: Sources, change: Change, ports: Sequence[str], *, author: str
) -> Proposal:
    """What packets that enter these ports, by name or address, would meet with `change`.

    Raises what the change raises.
    """

    def carry_out(tx: Transaction) -> _Carried:
        change(tx)
        tx.settle()
        if len(tx.changes) > MAX_ROWS:
            raise _too_large(f"changes {len(tx.changes)} rows", MAX_ROWS)
        causes = {
            (each.table, each.object_id): proposed_cause(tx, SERVICES[each.table], each.object_id)
            for each in tx.changes
            if each.table in SERVICES and each.after is not None
        }
        return _Carried(tx.revision - 1, list(tx.changes), causes)

    async def look(hold: int | None = None) -> Proposal | None:
        revision, changes, causes = await sources.dry_run(carry_out, author=author)
        images = [RowImages(each.table, each.before, each.after) for each in changes]
        proposed = ProposedChange(revision, images)
        view = await sources.controller.view(ports, proposed, hold)
        return None if view is None else Proposal(view, changes, causes)

    proposal = await look()
    if proposal is None:
        # Somebody committed in between. Translation waits while the change is carried out
        # again, so that it doesn't get past the revision that the change is one to.
        hold = await sources.controller.hold(MOST_SECONDS)
        try:
            proposal = await look(hold)
        finally:
            await sources.controller.release(hold)
    if proposal is None:
        raise DatabaseBusyError(
            f"the change could not be tried within {MOST_SECONDS:g} s, while translation waited"
        )
    return proposal


def change_of(value: Mapping[str, Any] | Sequence[Mapping[str, Any]], *, adopt: bool) -> Change:
    """The change that the field ``with`` of a request describes.

    It is a declarative document or, where it has operations, a batch of them; or a list
    of these, done one after the other.
    """
    _check_size(value)
    if isinstance(value, Mapping):
        parts = [_part(value, (FIELD,), adopt=adopt)]
    else:
        parts = [_part(part, (FIELD, index), adopt=adopt) for index, part in enumerate(value)]

    def change(tx: Transaction) -> None:
        for part in parts:
            part(tx)
        # What is only checked at the end is a fault of the change, too.
        with at(FIELD):
            tx.settle()

    return change


def _part(value: Mapping[str, Any], path: tuple[str | int, ...], *, adopt: bool) -> Change:
    def change(tx: Transaction) -> None:
        with at(*path):
            if "operations" in value:
                run_batch(tx, parse(Batch, value))
            else:
                apply(tx, value, adopt=adopt)

    return change


def _check_size(value: Any) -> None:
    parts = operations = 0
    waiting = [value]
    while waiting:
        each = waiting.pop()
        parts += 1
        if isinstance(each, Mapping):
            found = each.get("operations")
            operations += len(found) if isinstance(found, list) else 0
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
    if operations > MAX_OPERATIONS:
        raise _too_large(f"has {operations} operations", MAX_OPERATIONS)
    if parts > MAX_PARTS:
        raise _too_large(f"is written in {parts} parts", MAX_PARTS)


def _too_large(what: str, most: int) -> InvalidError:
    reason = f"is too large to be tried: it {what}, and may have {most}"
    return InvalidError.of(FIELD, reason=reason)
