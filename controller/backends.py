"""The backends of a virtual address, put together from the rows of their set."""

from collections.abc import Iterable

from controller.answers import BackendReport
from southbound.rows import BackendCheck, BackendStatus, Row, SetMember


def backends_of_set(rows: Iterable[Row]) -> list[BackendReport]:
    """Return a report for each member that the rows of a set name."""
    members: list[str] = []
    checked: set[str] = set()
    statuses: dict[str, BackendStatus] = {}
    for row in rows:
        match row:
            case SetMember():
                members.append(row.member)
            case BackendCheck():
                checked.add(row.member)
            case BackendStatus():
                statuses[row.member] = row
    return [_report(member, member in checked, statuses.get(member)) for member in sorted(members)]


def _report(member: str, checked: bool, status: BackendStatus | None) -> BackendReport:
    if not checked or status is None:
        return BackendReport(member, checked, None, "", "", None)
    return BackendReport(member, True, status.up, status.reason, status.chassis, status.since)
