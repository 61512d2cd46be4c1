"""Backends of virtual addresses that are checked: which answer, and why others don't. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from southbound.rows import AnyRow, BackendCheck, BackendStatus

BackendKey = tuple[str, str]
"""A set of backends, and a member of it."""


class CheckedBackends(NamedTuple):
    """The members of sets that are checked: `up` are those that answer, by their set.

    `down` are those that are not in use, each with the reason.
    """

    up: dict[str, list[str]]
    down: dict[str, dict[str, str]]


def checked_backends(
    rows: Iterable[AnyRow], revived: Collection[BackendKey] = ()
) -> CheckedBackends:
    """Return what checks have come to; those that are `revived` are taken to answer."""
    checks: list[BackendCheck] = []
    statuses: dict[BackendKey, BackendStatus] = {}
    for row in rows:
        match row:
            case BackendCheck():
                checks.append(row)
            case BackendStatus():
                statuses[row.set, row.member] = row
    found = CheckedBackends(defaultdict(list), defaultdict(dict))
    for check in checks:
        backend = (check.set, check.member)
        status = statuses.get(backend)
        if backend in revived or (status is not None and status.up):
            found.up[check.set].append(check.member)
        else:
            found.down[check.set][check.member] = _why_down(status)
    return found


def _why_down(status: BackendStatus | None) -> str:
    if status is None:
        return "it has not answered yet"
    since = datetime.fromtimestamp(int(status.since), UTC).isoformat()
    where = f" on {status.chassis}" if status.chassis else ""
    return f"{status.reason}{where}, since {since}"
