"""BFD sessions of router ports, and what goes by them.

A route or policy with `bfd` goes by the sessions with its next hops. That there are such, and that
a chassis runs them, is checked when the transaction ends: they may come with it, in any order.
"""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from northbound.errors import InvalidError, LimitError
from northbound.models import LogicalRouter, LogicalRouterPort, StaticRoute
from northbound.models.bfd import BfdSession
from northbound.models.policies import RouterPolicy
from northbound.services.base import Referents, Service
from northbound.services.lookups import refuse_if_referenced
from northbound.services.nexthops import why_no_nexthop
from northbound.services.router_networks import networked_port
from northbound.specs.bfd import BfdSessionSpec
from northbound.transaction import Transaction

MOST_SESSIONS = 64
"""Of one router port."""


class BfdSessionService(Service[BfdSession, BfdSessionSpec]):
    """Sessions have no name; they are addressed by id, and go with their port.

    One stays as long as a route or a policy goes by it.
    """

    model = BfdSession
    spec = BfdSessionSpec

    def phrase(self, view: Mapping[str, Any]) -> str:
        return f"with {view['dst_ip']} of {self.owner_phrase(view)}"

    def _assign(
        self, tx: Transaction, row: BfdSession, spec: BfdSessionSpec, referents: Referents
    ) -> None:
        port: LogicalRouterPort = referents["logical_router_port"]
        neighbour = ipaddress.ip_address(spec.dst_ip)
        if reason := why_no_nexthop(neighbour, [networked_port(port)], port):
            raise InvalidError.of("dst_ip", reason=reason, value=spec.dst_ip)
        super()._assign(tx, row, spec, referents)
        if row not in tx.session:
            _check_number(tx, port)

    def remove(self, tx: Transaction, rows: Sequence[BfdSession], *, cascade: bool = False) -> None:
        for row in rows:
            tx.helper(BfdChecks).check_removal(row)
        super().remove(tx, rows, cascade=cascade)


def _check_number(tx: Transaction, port: LogicalRouterPort) -> None:
    query = select(BfdSession.id).where(BfdSession.logical_router_port_id == port.id)
    if len(tx.session.scalars(query.limit(MOST_SESSIONS)).all()) == MOST_SESSIONS:
        raise LimitError(f"router port {port.name!r} has {MOST_SESSIONS} BFD sessions already")


def _users(
    tx: Transaction, port: LogicalRouterPort, neighbour: str
) -> Iterator[StaticRoute | RouterPolicy]:
    """Yield what goes by the session of a port with a neighbour."""
    router = port.logical_router_id
    routes = select(StaticRoute).where(
        StaticRoute.logical_router_id == router, StaticRoute.nexthop == neighbour, StaticRoute.bfd
    )
    policies = select(RouterPolicy).where(
        RouterPolicy.logical_router_id == router, RouterPolicy.bfd
    )
    for row in (*tx.session.scalars(routes), *tx.session.scalars(policies)):
        nexthops = [row.nexthop] if isinstance(row, StaticRoute) else row.nexthops
        is_user = neighbour in nexthops and row.output_port in (None, port.name)
        if is_user and not tx.is_deleted(row):
            yield row


class BfdChecks:
    """Refuses what goes by sessions that there are not, once the transaction ends."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._changed: dict[str, tuple[StaticRoute | RouterPolicy, str]] = {}
        """What to look at, by id, and the field that is wrong where it goes by nothing."""
        self._removed: list[tuple[BfdSession, LogicalRouterPort]] = []

    def check(self, row: StaticRoute | RouterPolicy, field: str = "bfd") -> None:
        """Look at a route or policy in the end; `field` is the one that was changed."""
        self._look_in_the_end()
        self._changed.setdefault(row.id, (row, field))

    def check_router(self, router_id: str, field: str) -> None:
        """Look in the end at all that goes by sessions of a router, which may run none now."""
        routes = select(StaticRoute).where(
            StaticRoute.logical_router_id == router_id, StaticRoute.bfd
        )
        policies = select(RouterPolicy).where(
            RouterPolicy.logical_router_id == router_id, RouterPolicy.bfd
        )
        for row in (*self._tx.session.scalars(routes), *self._tx.session.scalars(policies)):
            self.check(row, field)

    def check_removal(self, row: BfdSession) -> None:
        """Look in the end whether something goes by a session that is deleted."""
        port = self._tx.by_id(LogicalRouterPort, row.logical_router_port_id)
        if port is not None:
            self._look_in_the_end()
            self._removed.append((row, port))

    def _look_in_the_end(self) -> None:
        if not (self._changed or self._removed):
            self._tx.at_end(self._refuse)

    def _refuse(self) -> None:
        removed, self._removed = self._removed, []
        for session, port in removed:
            refuse_if_referenced(session, _users(self._tx, port, session.dst_ip))
        changed, self._changed = self._changed, {}
        rows = [
            each for each in changed.values() if not self._tx.is_deleted(each[0]) and each[0].bfd
        ]
        if rows:
            self._tx.flush()
        for row, field in rows:
            if reason := self._why_not(row):
                raise InvalidError.of(field, reason=reason, value=getattr(row, field, None))

    def _why_not(self, row: StaticRoute | RouterPolicy) -> str | None:
        nexthops = [row.nexthop] if isinstance(row, StaticRoute) else row.nexthops
        query = (
            select(BfdSession, LogicalRouterPort)
            .join(LogicalRouterPort, LogicalRouterPort.id == BfdSession.logical_router_port_id)
            .where(
                LogicalRouterPort.logical_router_id == row.logical_router_id,
                BfdSession.dst_ip.in_(nexthops),
            )
            .order_by(LogicalRouterPort.name)
        )
        found = [
            port
            for session, port in self._tx.session.execute(query)
            if not self._tx.is_deleted(session) and row.output_port in (None, port.name)
        ]
        if not found:
            return f"no port of the router has a BFD session with {' or '.join(nexthops)}"
        router = self._tx.by_id(LogicalRouter, row.logical_router_id)
        is_placed = router is not None and router.chassis is not None
        if is_placed or any(port.redirect_key is not None for port in found):
            return None
        return f"no chassis runs the BFD sessions of {found[0].name!r}, which is no gateway port"
