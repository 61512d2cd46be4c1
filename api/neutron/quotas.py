"""Quotas: how many objects of a resource a project may have.

What a project has is counted when something is created, and only where there is a limit.
Objects that ``/v1`` made count, and ``/v1`` itself asks for no quota. Transactions read all quotas
once and keep them, which the process that serves this API may, as no other writes any.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import Select, func, select

from api.neutron.errors import BadRequestError, NeutronError
from api.neutron.settings import QUOTAS, UNLIMITED, NeutronLimits
from northbound.models import (
    AddressSet,
    LogicalRouter,
    LogicalSwitch,
    LogicalSwitchPort,
    NeutronQuota,
    NeutronSecurityGroup,
    NeutronSecurityGroupRule,
    NeutronSubnet,
    NeutronSubnetPool,
)
from northbound.transaction import Reader, Transaction

Counting: TypeAlias = "Callable[[str], Select[Any]]"


def _count(model: Any) -> Counting:
    """Return what makes the query that counts a project's rows of a table."""
    return lambda project: select(func.count()).select_from(model).where(model.project == project)


_COUNTED: Final[Mapping[str, Counting]] = {
    "network": _count(LogicalSwitch),
    "subnet": _count(NeutronSubnet),
    "subnetpool": _count(NeutronSubnetPool),
    "port": _count(LogicalSwitchPort),
    "router": _count(LogicalRouter),
    "security_group": _count(NeutronSecurityGroup),
    "security_group_rule": _count(NeutronSecurityGroupRule),
    "address_group": _count(AddressSet),
}


class Quotas:
    """The quotas of all projects: those that were set, and the server's for the others."""

    def __init__(self, limits: NeutronLimits) -> None:
        self._defaults = {name: limits.quotas.get(name, UNLIMITED) for name in QUOTAS}
        self._set: dict[str, dict[str, int]] | None = None

    @property
    def defaults(self) -> dict[str, int]:
        """The quotas of projects for which none were set."""
        return dict(self._defaults)

    def of(self, reader: Reader, project: str) -> dict[str, int]:
        """Return the quotas of a project."""
        query = select(NeutronQuota).where(NeutronQuota.project == project)
        return {**self._defaults, **_limits(reader.session.scalars(query))}

    def of_all(self, reader: Reader) -> dict[str, dict[str, int]]:
        """Return the quotas of those projects for which some were set, by project."""
        stored = _by_project(reader)
        return {each: {**self._defaults, **stored[each]} for each in sorted(stored)}

    def used(self, reader: Reader, project: str, name: str) -> int:
        """Return how many objects of a resource a project has."""
        return reader.session.scalar(_COUNTED[name](project)) or 0

    def check(self, tx: Transaction, name: str, projects: Sequence[str]) -> None:
        """Raise OverQuota unless each of `projects` may have one more object, of this resource.

        A project that is named several times needs room for as many.
        """
        if name not in _COUNTED:
            return
        for project, more in Counter(projects).items():
            limit = self._stored(tx).get(project, {}).get(name, self._defaults[name])
            if limit != UNLIMITED and self.used(tx, project, name) + more > limit:
                message = f"Quota exceeded for resources: {[name]}."
                raise NeutronError(409, "OverQuota", message)

    def set(
        self, tx: Transaction, project: str, limits: Mapping[str, int], *, forced: bool
    ) -> None:
        """Set quotas of a project; raises BadRequestError for less than it has, unless `forced`.

        They are in force once :meth:`forget` was called, after the transaction.
        """
        for name, limit in limits.items():
            if not forced and limit != UNLIMITED:
                used = self.used(tx, project, name)
                if used > limit:
                    raise BadRequestError(
                        f"Quota limit {limit} for {name} must be greater than or equal to already "
                        f"used {used}"
                    )
            row = tx.session.get(NeutronQuota, (project, name))
            if row is None:
                tx.add(NeutronQuota(project=project, resource=name, limit=limit))
            else:
                row.limit = limit
        tx.flush()

    def reset(self, tx: Transaction, project: str) -> None:
        """Let a project have the server's quotas again; raises NeutronError if it has none else."""
        rows = tx.session.scalars(select(NeutronQuota).where(NeutronQuota.project == project)).all()
        if not rows:
            message = f"Quota for project {project} could not be found."
            raise NeutronError(404, "TenantQuotaNotFound", message)
        for row in rows:
            tx.delete(row)
        tx.flush()

    def forget(self) -> None:
        """Read quotas again when they are next asked for: some have changed."""
        self._set = None

    def _stored(self, tx: Transaction) -> dict[str, dict[str, int]]:
        # Not for readers: what they see may be older than the last change.
        # It may be forgotten by another thread meanwhile.
        stored = self._set
        if stored is None:
            stored = self._set = _by_project(tx)
        return stored


def _by_project(reader: Reader) -> dict[str, dict[str, int]]:
    """Return the quotas that were set, by project and resource."""
    by_project: dict[str, list[NeutronQuota]] = {}
    for row in reader.session.scalars(select(NeutronQuota)):
        by_project.setdefault(row.project, []).append(row)
    return {project: _limits(rows) for project, rows in by_project.items()}


def _limits(rows: Iterable[NeutronQuota]) -> dict[str, int]:
    return {row.resource: row.limit for row in rows if row.resource in QUOTAS}
