"""The Open vSwitch database as the agent wants it: made at first, mended where others change it.

What is wanted are rows by owner, as groups and meters are: the bridge and its tunnel port from
the beginning on, others (queues, mirrors, ports of the agent's own) as features want them. Each
picture of the database is compared with them. What differs is written in one transaction;
where another program changes it again and again, more and more rarely.

Rows that bear this bridge's mark and that are not wanted any more are removed, but only once
:meth:`DatabaseCare.allow_removal` was called: a session that begins doesn't know yet what it
will want, and leaves alone what the one before it made.

Where the database refuses the transaction, each owner's rows are written in one of their own:
what one owner wants and can't have keeps no other's rows away.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import Any, Final

import structlog

from chassis_agent.bridge.repair_pace import RepairPace
from chassis_agent.bridge.rows import bridge_rows
from chassis_agent.desired.objects import DesiredObjects
from chassis_agent.errors import DatabaseError
from chassis_agent.health import Health
from chassis_agent.ovsdb import Bridge, SwitchDatabase, SwitchView
from chassis_agent.ovsdb.edits import write_rows
from chassis_agent.ovsdb.rows import WantedRow, row_faults, stale_rows
from chassis_agent.ovsdb.view import RowKey
from chassis_agent.settings import Host

log = structlog.get_logger(__name__)

_RETRY_SECONDS: Final = 1.0
_CONDITION: Final = "bridge"
_CLASHES: Final = "database_clashes"
_NAMED: Final = 5
_BRIDGE: Final = "bridge"
"""The owner of the rows that every host has."""


class DatabaseCare:
    """Makes and mends rows by transactions on the switch's database."""

    def __init__(
        self,
        database: SwitchDatabase,
        health: Health,
        *,
        view: Callable[[], SwitchView | None],
        next_view: Callable[[], Awaitable[SwitchView]],
        look_again: Callable[[], None],
    ) -> None:
        """`view` is the newest picture, `next_view` waits for one; `look_again` gives it anew."""
        self._database = database
        self._health = health
        self._view = view
        self._next_view = next_view
        self._look_again = look_again
        self._pace = RepairPace()
        self._rows: DesiredObjects[WantedRow] = DesiredObjects()
        self._owned: dict[Hashable, tuple[WantedRow, ...]] = {}
        self._refused: dict[Hashable, str] = {}
        self._statements = 0
        self._written = 0
        self._may_remove = False

    def want(self, owner: Hashable, rows: Iterable[WantedRow]) -> None:
        """Take `rows` as all that `owner` wants of the database; none makes the owner go."""
        rows = tuple(rows)
        self._rows.replace(owner, rows)
        self._refused.pop(owner, None)
        if rows:
            self._owned[owner] = rows
        else:
            self._owned.pop(owner, None)
        if self._rows.take_changes():
            self._statements += 1
            self._look_again()

    @property
    def is_behind(self) -> bool:
        """Whether wanted rows are still to be written; what was refused isn't waited for."""
        return self._written < self._statements and not self._refused

    def allow_removal(self) -> None:
        """All owners have stated what they want: rows that none of them wants may go."""
        if not self._may_remove:
            self._may_remove = True
            self._look_again()

    def end_session(self) -> None:
        """Forget what was wanted, but of the bridge itself. Rows stay until a session settles.

        As flows do: the next session finds what it wants, and removes only what it doesn't.
        """
        self._may_remove = False
        for owner in [owner for owner in self._owned if owner != _BRIDGE]:
            self.want(owner, ())

    async def make(self, host: Host) -> Bridge:
        """The bridge, once the database has taken it; tries until it does."""
        self.want(_BRIDGE, bridge_rows(host.bridge, host.datapath_type))
        while True:
            try:
                await self._write(())
                bridge = await self._wait_for(host.bridge)
            except DatabaseError as error:
                self._health.degrade(_CONDITION, str(error))
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                self._health.clear(_CONDITION)
                return bridge

    async def mend(self, view: SwitchView, host: Host) -> Bridge | None:
        """The bridge, put right if another program changed it; None while it is missing.

        What owners want otherwise than before is written at once, and is no repair.
        """
        bridge = view.bridges.get(host.bridge)
        statements = self._statements
        self._note_clashes()
        faults = row_faults(view, self._rows)
        stale = stale_rows(view, host.bridge, self._rows) if self._may_remove else []
        faults += [f"{table} {name} is not wanted" for table, name in stale]
        if not faults:
            self._written = statements
            if self._pace.has_become_quiet:
                self._health.clear(_CONDITION)
            return bridge
        is_repair = self._written == statements
        if is_repair and (wait := self._pace.wait):
            asyncio.get_running_loop().call_later(wait, self._look_again)
            return bridge
        told = ", ".join(faults[:_NAMED]) + (
            f" and {len(faults) - _NAMED} more" if len(faults) > _NAMED else ""
        )
        if is_repair:
            self._note_repair(told)
        try:
            await self._write(stale)
            self._written = statements
            return await self._wait_for(host.bridge)
        except DatabaseError as error:
            await self._write_one_by_one(stale)
            self._health.degrade(_CONDITION, f"{told}: {error}")
            asyncio.get_running_loop().call_later(_RETRY_SECONDS, self._look_again)
            return bridge

    def differences(self) -> list[str]:
        """What of the newest picture is not as wanted, a line each."""
        view = self._view()
        return [] if view is None else row_faults(view, self._rows)

    def report(self) -> dict[str, Any]:
        """The part of the status that concerns the database."""
        return {
            "rows": len(self._rows),
            "clashes": len(self._rows.clashes),
            "refused": sorted(self._refused.values()),
        }

    def _note_repair(self, told: str) -> None:
        self._pace.repaired()
        asyncio.get_running_loop().call_later(self._pace.quiet_after, self._look_again)
        self._health.counters["bridge_repairs"] += 1
        self._health.degrade(_CONDITION, f"mended: {told}{self._pace.text}")

    def _note_clashes(self) -> None:
        if clashes := self._rows.clashes:
            row = next(iter(clashes.values()))[0]
            self._health.degrade(
                _CLASHES, f"{row.table} {row.name} is wanted differently by two owners"
            )
        else:
            self._health.clear(_CLASHES)

    async def _write(self, stale: Iterable[RowKey]) -> None:
        await self._database.transact(write_rows(self._rows, stale))
        self._refused.clear()

    async def _write_one_by_one(self, stale: Iterable[RowKey]) -> None:
        """Write what can be written, and note what the database refuses of whom."""
        winners = set(self._rows)
        for owner, rows in list(self._owned.items()):
            taken = [row for row in rows if row in winners]
            try:
                await self._database.transact(write_rows(taken))
            except DatabaseError as error:
                names = ", ".join(f"{row.table} {row.name}" for row in taken[:_NAMED])
                self._refused[owner] = f"{names}: {error}"
            else:
                self._refused.pop(owner, None)
        for key in stale:
            try:
                await self._database.transact(write_rows((), [key]))
            except DatabaseError as error:
                log.warning("row not removed", table=key[0], row=key[1], error=str(error))

    async def _wait_for(self, name: str) -> Bridge:
        view = self._view()
        while view is None or name not in view.bridges:
            view = await self._next_view()
        return view.bridges[name]
