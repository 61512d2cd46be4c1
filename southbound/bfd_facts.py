"""The states of BFD sessions, as the chassis say that run them.

A session is run by the chassis that is in charge of its router port. For a moment two may think
that they are, so the states that chassis say are kept apart: the one that holds is that of the
chassis which has the port, or else the one that was said last. What was said last of all stays
once no chassis says anything any more: who has died can't tell what became of its neighbours.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Final

from southbound.feed import Feed
from southbound.rows import BfdSession, BfdStatus, PortBinding, Row
from southbound.wire import BfdState

Put = Callable[[Collection[Row], Collection[Row]], None]

STATES: Final = frozenset({"admin-down", "down", "init", "up"})


_DIAGNOSTICS: Final = (
    "it has only just begun",
    "the neighbour fell silent",
    "echoes failed",
    "the neighbour says that it is down",
    "forwarding was reset",
    "the path is down",
    "a concatenated path is down",
    "it was switched off",
    "a reverse concatenated path is down",
)


def diagnostic_text(number: int) -> str:
    """Return what a diagnostic says (RFC 5880 section 4.1).

    >>> diagnostic_text(1)
    'the neighbour fell silent'
    """
    return _DIAGNOSTICS[number] if number < len(_DIAGNOSTICS) else f"diagnostic {number}"


class BfdFacts:
    """Statuses of sessions. `put` makes rows facts and takes others back; `binding` finds a port
    by name; `now` is seconds since the epoch.
    """

    def __init__(
        self,
        feed: Feed,
        put: Put,
        binding: Callable[[str], PortBinding | None],
        now: Callable[[], float],
    ) -> None:
        self._feed = feed
        self._put = put
        self._binding = binding
        self._now = now
        self._said: dict[str, dict[str, BfdStatus]] = {}
        """By session and chassis, in the order in which they were said."""
        self._sessions_of: dict[str, frozenset[str]] = {}
        """The sessions of which each chassis says something."""

    def state(self, chassis: str, states: Iterable[BfdState]) -> None:
        """A chassis says of which sessions it is one end, all of them.

        What isn't that chassis' to say is passed over: the port may have moved just now.
        """
        said: set[str] = set()
        before = self._sessions_of.get(chassis, frozenset())
        for each in states:
            row = self._status(chassis, each)
            if row is None:
                continue
            said.add(row.id)
            known = self._said.setdefault(row.id, {})
            if chassis not in known or not _is_same(known[chassis], row):
                known.pop(chassis, None)
                known[chassis] = row
        for session in before - said:
            self._said.get(session, {}).pop(chassis, None)
        self._sessions_of[chassis] = frozenset(said)
        self.settle(before | said)

    def settle(self, sessions: Iterable[str]) -> None:
        """Find anew what holds of these sessions."""
        puts: list[Row] = []
        for session in sorted(sessions):
            found = self._holding(session)
            if found is not None and self._feed.get(found.row_id) != found:
                puts.append(found)
        if puts:
            self._put(puts, [])

    def charge_changed(self, chassis: Iterable[str]) -> None:
        """These chassis may have got charge of ports: what they said may hold from now on."""
        self.settle({each for name in chassis for each in self._sessions_of.get(name, ())})

    def session_gone(self, row: BfdSession) -> None:
        """The session is no more: nor is its status."""
        self._said.pop(row.id, None)
        status = self._feed.get((BfdStatus.table, row.id))
        if status is not None:
            self._put([], [status])

    def chassis_gone(self, chassis: str) -> None:
        """What a chassis said doesn't count any more, if another says something."""
        self.state(chassis, ())
        del self._sessions_of[chassis]

    def drop_orphans(self, sessions: Collection[str]) -> None:
        """Drop what is stored of other sessions than these."""
        statuses = self._feed.table(BfdStatus.table)
        orphans = [row for key, row in statuses.items() if key not in sessions]
        if orphans:
            self._put([], orphans)

    def _status(self, chassis: str, said: BfdState) -> BfdStatus | None:
        session = self._feed.get((BfdSession.table, said.session))
        if not isinstance(session, BfdSession) or said.state not in STATES:
            return None
        binding = self._binding(session.resident)
        if binding is None or chassis not in binding.electorate:
            return None
        return BfdStatus(
            id=session.id,
            datapath=session.datapath,
            chassis=chassis,
            state=said.state,
            diagnostic=said.diagnostic & 0x1F,
            remote_diagnostic=said.remote_diagnostic & 0x1F,
            since=self._now() - max(said.age, 0.0),
        )

    def _holding(self, session: str) -> BfdStatus | None:
        said = self._said.get(session)
        if not said:
            return None
        row = self._feed.get((BfdSession.table, session))
        binding = self._binding(row.resident) if isinstance(row, BfdSession) else None
        in_charge = "" if binding is None else binding.chassis
        return said.get(in_charge) or next(reversed(said.values()))


def _is_same(one: BfdStatus, other: BfdStatus) -> bool:
    """Whether nothing has happened: only that it was said again."""
    return (one.state, one.diagnostic, one.remote_diagnostic) == (
        other.state,
        other.diagnostic,
        other.remote_diagnostic,
    )
