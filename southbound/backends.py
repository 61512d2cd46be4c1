"""Which backends of load balancers answer, as the chassis say that have their ports.

A chassis speaks only of backends behind ports that it has. While nothing is known of a backend
that is to be checked there is no row, and it is not in use. What is known stays while the server
is away. It ends with the port: a backend whose port is nowhere, or whose chassis is gone, is down.
"""

from collections.abc import Callable, Collection, Iterable

from southbound.feed import Feed
from southbound.rows import BackendCheck, BackendStatus, PortBinding, Row, RowId
from southbound.wire import BackendState

Put = Callable[[Collection[Row], Collection[Row]], None]

LONGEST_REASON = 200
_AWAY = "its hypervisor is away"
_NOWHERE = "its port is on no hypervisor"


class BackendFacts:
    """The statuses of backends. `put` makes rows facts and takes others back; `binding` finds a
    port by name.
    """

    def __init__(
        self,
        feed: Feed,
        put: Put,
        binding: Callable[[str], PortBinding | None],
        clock: Callable[[], float],
    ) -> None:
        self._feed = feed
        self._put = put
        self._binding = binding
        self._clock = clock
        self._of_chassis: dict[str, set[RowId]] = {}

    def load(self, rows: Iterable[Row]) -> None:
        """Take over what was stored."""
        for row in rows:
            if isinstance(row, BackendStatus):
                self._of_chassis.setdefault(row.chassis, set()).add(row.row_id)

    def drop_orphans(self, checks: Collection[str]) -> None:
        """Drop what is stored of other backends than those of these checks, by key."""
        statuses = self._feed.table(BackendStatus.table)
        orphans = [row for key, row in statuses.items() if key not in checks]
        for row in orphans:
            if isinstance(row, BackendStatus):
                self._of_chassis.get(row.chassis, set()).discard(row.row_id)
        if orphans:
            self._put([], orphans)

    def state(self, chassis: str, states: Iterable[BackendState]) -> None:
        """A chassis says of all backends behind its ports how they are.

        What isn't that chassis' to say is passed over: a port may have moved just now.
        """
        puts: list[BackendStatus] = []
        named: set[RowId] = set()
        for said in states:
            check = self._feed.get((BackendCheck.table, f"{said.set}/{said.member}"))
            if not isinstance(check, BackendCheck) or not self._has(chassis, check.port):
                continue
            reason = "" if said.up else said.reason[:LONGEST_REASON]
            row = BackendStatus(said.set, said.member, said.up, reason, chassis)
            named.add(row.row_id)
            puts.append(row)
        puts.extend(self._nowhere(self._of_chassis.get(chassis, set()) - named))
        self._note(puts)

    def settle(self, chassis: Iterable[str]) -> None:
        """Ports of these chassis are nowhere now: so are the backends behind them."""
        self._note(
            each for name in chassis for each in self._nowhere(self._of_chassis.get(name, ()))
        )

    def chassis_away(self, chassis: str) -> None:
        """A chassis is gone, or says nothing any more: so are its backends."""
        rows = map(self._feed.get, sorted(self._of_chassis.get(chassis, ())))
        self._note(
            BackendStatus(row.set, row.member, False, _AWAY, chassis)
            for row in rows
            if isinstance(row, BackendStatus) and row.up
        )

    def check_gone(self, check: BackendCheck) -> None:
        """A backend is checked no longer."""
        status = self._feed.get((BackendStatus.table, check.key))
        if isinstance(status, BackendStatus):
            self._of_chassis.get(status.chassis, set()).discard(status.row_id)
            self._put([], [status])

    def _has(self, chassis: str, port: str) -> bool:
        binding = self._binding(port)
        return binding is not None and chassis in binding.all_chassis

    def _nowhere(self, statuses: Collection[RowId]) -> list[BackendStatus]:
        """Return what holds of those of the backends whose port is on no chassis."""
        down: list[BackendStatus] = []
        for row_id in sorted(statuses):
            status, check = self._feed.get(row_id), self._feed.get((BackendCheck.table, row_id[1]))
            if isinstance(status, BackendStatus) and isinstance(check, BackendCheck):
                binding = self._binding(check.port)
                if binding is None or not binding.chassis:
                    down.append(BackendStatus(status.set, status.member, False, _NOWHERE))
        return down

    def _note(self, rows: Iterable[BackendStatus]) -> None:
        now = self._clock()
        changed: list[Row] = []
        for row in rows:
            old = self._feed.get(row.row_id)
            since = old.since if isinstance(old, BackendStatus) and old.up == row.up else now
            new = BackendStatus(row.set, row.member, row.up, row.reason, row.chassis, since)
            if new == old:
                continue
            if isinstance(old, BackendStatus):
                self._of_chassis.get(old.chassis, set()).discard(old.row_id)
            self._of_chassis.setdefault(new.chassis, set()).add(new.row_id)
            changed.append(new)
        if changed:
            self._put(changed, [])
