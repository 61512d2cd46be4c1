"""Ports that are nested in others: who may be whose parent, and which VLAN tag is whose.

A parent is the port of a workload that is nested in none itself, on any switch. The ports in it
have tags of their own. One that asks for a tag keeps the one it was given.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Integer, String, bindparam, select

from northbound.allocation import Pool
from northbound.errors import InvalidError
from northbound.inserting import batched
from northbound.models import LogicalSwitchPort
from northbound.services.applying import Plan
from northbound.services.lookups import NaturalKeys, refuse_if_referenced
from northbound.services.ties import Tie
from northbound.specs.switching import ANY_TAG, TAGS
from northbound.transaction import Reader, Transaction

_TAKEN = (
    select(LogicalSwitchPort.allocated_tag)
    .where(
        LogicalSwitchPort.parent_id == bindparam("parent", type_=String),
        LogicalSwitchPort.allocated_tag >= bindparam("first", type_=Integer),
    )
    .order_by(LogicalSwitchPort.allocated_tag)
    .limit(bindparam("limit", type_=Integer))
)


class Tags:
    """The pools of tags that a transaction takes from, one for each parent."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._pools: dict[str, Pool] = {}

    def of(self, parent: LogicalSwitchPort) -> Pool:
        """Return the pool of tags of the ports in `parent`."""
        if parent.id not in self._pools:

            def taken(first: int, limit: int) -> Sequence[int]:
                values = {"parent": parent.id, "first": first, "limit": limit}
                found = self._tx.connection.execute(_TAKEN, values).scalars()
                return [tag for tag in found if tag is not None]

            title = f"the pool of VLAN tags of {parent.name!r}"
            self._pools[parent.id] = Pool(self._tx, pool_of(parent.id), title, *TAGS, taken)
        return self._pools[parent.id]


def nest(
    tx: Transaction, port: LogicalSwitchPort, parent: LogicalSwitchPort | None, tag: int | None
) -> None:
    """Let `port` be nested in `parent` under `tag`, or in none."""
    if parent is None or tag is None:
        port.parent_id = port.allocated_tag = None
        return
    _check_parent(tx, port, parent)
    kept = port.allocated_tag if port.parent_id == parent.id else None
    port.parent_id = parent.id
    if tag != ANY_TAG:
        port.allocated_tag = tag
        tx.helper(Tags).of(parent).mark(tag)
    elif kept is None:
        port.allocated_tag = tx.helper(Tags).of(parent).take()
    tx.helper(NaturalKeys).take(port, ("parent_id", "allocated_tag"), "tag")


def _check_parent(tx: Transaction, port: LogicalSwitchPort, parent: LogicalSwitchPort) -> None:
    reason = None
    if parent is port:
        reason = "a port cannot be nested in itself"
    elif parent.type != "vif":
        reason = f"is a port of type {parent.type!r}: no workload is behind it"
    elif parent.parent_id is not None:
        reason = "is nested in another port itself"
    elif port.parent_id is None and (inner := _nested_in(tx, [port.id])):
        reason = f"port {inner[0].name!r} is nested in this one, so this one can be in none"
    if reason is not None:
        raise InvalidError.of("parent", reason=reason, value=parent.name)


def let_parent_go(
    tx: Transaction, port: LogicalSwitchPort, parent: str | None, tag: int | None
) -> None:
    """Give up the tag, and the parent, of a port that gets others."""
    if port.parent_id is None:
        return
    now = tx.by_id(LogicalSwitchPort, port.parent_id)
    if now is None or parent not in (now.id, now.name):
        port.parent_id = port.allocated_tag = None
    elif tag != port.tag:
        port.allocated_tag = None


_IDS: Any = bindparam("ids", expanding=True)
NESTED = select(LogicalSwitchPort.parent_id, LogicalSwitchPort.id).where(
    LogicalSwitchPort.parent_id.in_(_IDS)
)
"""Which ports are nested in which (:mod:`northbound.services.ties`)."""


def leave_parents(
    tx: Transaction, ports: Sequence[LogicalSwitchPort], nested: Iterable[Tie]
) -> None:
    """Let ports go, unless others that stay are nested in them (ReferencedError).

    `nested` is what is nested in them.
    """
    parents = {port.id: port for port in ports}
    for parent, inner_id in nested:
        inner = None if inner_id in parents else tx.by_id(LogicalSwitchPort, inner_id)
        if inner is not None:
            refuse_if_referenced(parents[parent], [inner])


def part_from_unwanted(plan: Plan, kind: str) -> None:
    """Take ports that a document keeps out of those that it has deleted."""
    unwanted = {row.id for row in plan.unwanted(kind)}
    wanted = plan.wanted[kind]
    for key, (row, _) in plan.present[kind].items():
        if key in wanted and row.parent_id in unwanted:
            row.parent_id = row.allocated_tag = None
            plan.changed[row.id] = row


def _nested_in(tx: Reader, parents: Sequence[str]) -> list[LogicalSwitchPort]:
    """Return the ports that are nested in those of these ids."""
    found: list[LogicalSwitchPort] = []
    for some in batched(parents):
        query = select(LogicalSwitchPort).where(LogicalSwitchPort.parent_id.in_(some))
        found += tx.session.scalars(query.order_by(LogicalSwitchPort.name))
    return found


def pool_of(parent_id: str) -> str:
    """Return the key of the pool of tags of the ports in one."""
    return f"tag/{parent_id}"
