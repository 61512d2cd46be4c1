"""Notices what other programs do to the switch, names it, and repairs it.

Two things bring a look at the switch. It tells which tables another program has changed,
within milliseconds; these are read back. And at every `LOOK_SECONDS` one slice of all flows
is read back, by the low bits of their cookies, with what flows refer to: for a switch that
cannot tell, and for what it did not. A slice is a sixteenth, so a look costs about as much
on every switch as one change of an ACL that concerns all ports. Where a slice differs, the
whole switch is read.

Only what differs is touched, and each difference is logged by name first. Where another
program changes things again and again, looks become rare (:mod:`chassis_agent.bridge.repair_pace`):
the agent does not fight it with all its might, and stays degraded until it has been quiet.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

import structlog

from chassis_agent.bridge.repair_pace import RepairPace
from chassis_agent.bridge.switch import InstalledObjects, Refusal, RefusedKey
from chassis_agent.desired.flow import Flow
from chassis_agent.desired.flow_state import FlowState
from chassis_agent.desired.flows import Changes
from chassis_agent.desired.objects import Group, Meter
from chassis_agent.errors import RefusedCommandError
from chassis_agent.health import Health
from chassis_agent.inspection.detrace import origin
from chassis_agent.openflow.errors import DecodingError
from chassis_agent.punt.meters import meter_name
from chassis_agent.show import Names, format_flow
from southbound.cookies import FlowReference

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 5.0
SLICES: Final = 16
NAMED: Final = 20
"""Differences of one look that are logged by name; the others are counted."""

_CONDITION: Final = "changed_by_others"


_TABLES_ONE_BY_ONE: Final = 4
_TEXT: Final = 500
"""Characters of one flow in logs and status: that of a multicast group may have thousands."""


class GuardedSwitch(Protocol):
    """The part of :class:`~chassis_agent.bridge.switch.Switch` that is looked at here."""

    refused: dict[RefusedKey, Refusal]
    is_monitored: bool

    @property
    def changed_tables(self) -> Collection[int | None]: ...
    def take_changed_tables(self) -> Collection[int | None]: ...
    async def flows(self) -> list[Flow]: ...
    async def flows_of_table(self, table: int) -> list[Flow]: ...
    async def flows_of_cookies(self, cookie: int, mask: int) -> list[Flow]: ...
    async def objects(self) -> InstalledObjects: ...
    async def restore_groundwork(self) -> list[str]: ...
    async def commit(self, changes: Changes) -> None: ...


class _Look(NamedTuple):
    """A part of the switch as it was read, and which flows belong to it."""

    installed: list[Flow]
    is_within: Callable[[Flow], bool]


class Guard:
    """Compares the switch with what is wanted, part by part, and repairs it."""

    def __init__(
        self,
        state: FlowState,
        switch: GuardedSwitch,
        health: Health,
        *,
        wake: Callable[[], None],
        repairs: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`wake` asks for a step, in which :meth:`look` is called.

        Without `repairs` flows are named and left as they are.
        """
        self._state = state
        self._switch = switch
        self._health = health
        self._wake = wake
        self._pace = RepairPace(clock)
        self._repairs = repairs
        self._left: list[str] = []
        self._slice = 0
        self._is_slice_due = False
        self._last: list[str] = []
        self._asked: list[asyncio.Future[list[str]]] = []

    @property
    def is_clean(self) -> bool:
        """Whether nothing is known to have been changed that wasn't looked at."""
        return not self._switch.changed_tables

    async def run(self) -> None:
        """Has a slice looked at from time to time, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.have_a_slice_looked_at()

    def have_a_slice_looked_at(self) -> None:
        """The next step reads the next slice back."""
        self._is_slice_due = True
        self._wake()

    async def repair_now(self) -> list[str]:
        """Compare the whole switch in the next step and repair it, whatever the settings say.

        Returns what was repaired, a line each; it may be long until a step can be done.
        """
        asked: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        self._asked.append(asked)
        self._wake()
        return await asked

    async def look(self) -> None:
        """Look at what may have changed, and repair it; a switch that is known only.

        Raises :class:`OpenFlowError` when it isn't known what the switch holds now.
        """
        if self._pace.has_become_quiet:
            self._health.clear(_CONDITION)
        if self.is_clean and not self._is_slice_due and not self._asked:
            return
        if (wait := self._pace.wait) and not self._asked:
            asyncio.get_running_loop().call_later(wait, self._wake)
            return
        asked, self._asked = self._asked, []
        try:
            repaired = await self._look(is_asked=bool(asked))
        except BaseException as error:
            for each in asked:
                if not each.done():
                    each.set_exception(RefusedCommandError(f"not repaired: {error}"))
            raise
        for each in asked:
            if not each.done():
                each.set_result(repaired)

    async def _look(self, *, is_asked: bool) -> list[str]:
        groundwork = await self._switch.restore_groundwork()
        repaired = [f"{name}, missing or altered" for name in groundwork]
        self._health.counters["groundwork_restored"] += len(groundwork)
        if groundwork:
            # Flows may have been refused for what they refer to.
            self._switch.refused.clear()
        repairs = self._repairs or is_asked
        objects = await self._object_difference()
        repaired += await self._restore_objects(objects)
        is_whole = is_asked or not self._repairs or bool(repaired)
        async for look in self._looks(is_whole=is_whole):
            different = self._difference(look)
            if repairs:
                repaired += await self._repair(different, look)
            else:
                self._leave(different, look, _foreign_text(objects))
        if repairs:
            repaired += await self._remove_foreign_objects(objects)
        if repairs and self._left:
            self._left = []
            self._health.clear(_CONDITION)
        if repaired and not is_asked:
            self._note_repairs(repaired)
        return repaired

    def report(self) -> dict[str, Any]:
        """The part of the status that concerns repairs."""
        return {
            "monitored": self._switch.is_monitored,
            "repairs": self._pace.repairs,
            "last": list(self._last),
            "left": self._left[:NAMED],
        }

    async def _restore_objects(self, different: Changes) -> list[str]:
        """Make what flows refer to as it should be, whatever the settings say of flows.

        A switch drops the flows of a group that is deleted, and lets packets pass a meter that
        is: this comes before the flows are looked at.
        """
        missing = different._replace(
            groups=different.groups._replace(removed=()),
            meters=different.meters._replace(removed=()),
        )
        told = [_put_text("group", *each) for each in missing.groups.put]
        told += [_put_text("meter", *each) for each in missing.meters.put]
        return await self._commit_objects(missing, told, "objects_restored")

    async def _remove_foreign_objects(self, different: Changes) -> list[str]:
        """Remove the groups and meters that are not wanted, after flows that refer to them."""
        foreign = different._replace(
            groups=different.groups._replace(put=()), meters=different.meters._replace(put=())
        )
        told = _foreign_text(foreign)
        return await self._commit_objects(foreign, told, "foreign_objects_removed")

    async def _commit_objects(self, changes: Changes, told: list[str], counter: str) -> list[str]:
        if changes:
            self._log(told)
            await self._switch.commit(changes)
            self._health.counters[counter] += len(told)
        return told

    async def _object_difference(self) -> Changes:
        installed = await self._switch.objects()
        different = self._state.object_difference(installed.groups, installed.meters)
        refused = self._switch.refused
        return different._replace(
            groups=different.groups._replace(
                put=tuple(
                    each for each in different.groups.put if ("group", each[1].key) not in refused
                )
            ),
            meters=different.meters._replace(
                put=tuple(
                    each for each in different.meters.put if ("meter", each[1].key) not in refused
                )
            ),
        )

    async def _looks(self, *, is_whole: bool) -> AsyncIterator[_Look]:
        """Reads the parts that are due, one after the other."""
        tables = self._switch.take_changed_tables()
        if None in tables or len(tables) > _TABLES_ONE_BY_ONE or is_whole:
            self._is_slice_due = False
            yield _Look(await self._switch.flows(), _is_any)
            return
        for table in sorted(table for table in tables if table is not None):
            yield _Look(await self._switch.flows_of_table(table), partial(_is_in, table))
        if self._is_slice_due:
            self._is_slice_due = False
            bits, self._slice = self._slice, (self._slice + 1) % SLICES
            found = await self._switch.flows_of_cookies(bits, SLICES - 1)
            look = _Look(found, partial(_has_bits, bits))
            if self._difference(look):
                look = _Look(await self._switch.flows(), _is_any)
            yield look

    def _difference(self, look: _Look) -> Changes:
        different = self._state.difference_within(look.installed, look.is_within)
        refused = self._switch.refused
        return Changes(
            different.removed, [flow for flow in different.added if flow.key not in refused]
        )

    async def _repair(self, different: Changes, look: _Look) -> list[str]:
        """Names the differences of one part, then removes them."""
        if not different:
            return []
        told = self._told(different, look)
        await self._switch.commit(different)
        self._health.counters["flows_restored"] += len(different.added)
        self._health.counters["foreign_flows_removed"] += len(different.removed)
        return told

    def _leave(self, different: Changes, look: _Look, objects: list[str]) -> None:
        """Names the differences of the whole switch, and leaves them."""
        left = self._told(different, look) if different else []
        self._log(objects)
        left += objects
        if left and left != self._left:
            more = f" and {len(left) - 1} more" if len(left) > 1 else ""
            self._health.counters["flows_left_changed"] += 1
            self._health.degrade(_CONDITION, f"not repaired: {left[0]}{more}")
        elif not left and self._left:
            self._health.clear(_CONDITION)
        self._left = left

    def _told(self, different: Changes, look: _Look) -> list[str]:
        """A line for each difference, the first ones by name; these are logged."""
        there = {flow.key for flow in look.installed}
        names = self._state.names()
        kinds = [(flow, "a flow that is not wanted") for flow in different.removed]
        kinds += [
            (flow, "an altered flow" if flow.key in there else "a missing flow")
            for flow in different.added
        ]
        told = [
            kind + self._place(flow, names) if number < NAMED else kind
            for number, (flow, kind) in enumerate(kinds)
        ]
        self._log(told)
        return told

    def _log(self, told: list[str]) -> None:
        for text in told[:NAMED]:
            if text not in self._left:
                log.warning("changed by another program", what=text)

    def _place(self, flow: Flow, names: Names) -> str:
        try:
            text = format_flow(flow, names)
        except DecodingError:
            text = f"table={flow.table} match={flow.match.hex()}"
        found = origin(FlowReference(flow.cookie, flow.table, flow.priority), self._state.rows)
        whose = "" if found is None else f" ({found.text})"
        return f", cookie={flow.cookie:#x}{whose}: {text[:_TEXT]}"

    def _note_repairs(self, repaired: list[str]) -> None:
        self._pace.repaired()
        self._last = repaired[:NAMED]
        self._health.counters["repairs"] += 1
        more = f" and {len(repaired) - 1} more" if len(repaired) > 1 else ""
        self._health.degrade(_CONDITION, f"repaired {repaired[0]}{more}{self._pace.text}")


def _put_text(kind: str, before: Group | Meter | None, after: Group | Meter) -> str:
    return f"{_object_text(kind, after.number)}, {'missing' if before is None else 'altered'}"


def _foreign_text(foreign: Changes) -> list[str]:
    """A line for each group and meter that is not wanted."""
    told = [_object_text("group", group.number) for group in foreign.groups.removed]
    told += [_object_text("meter", meter.number) for meter in foreign.meters.removed]
    return [f"{text}, which is not wanted" for text in told]


def _object_text(kind: str, number: int) -> str:
    name = meter_name(number) if kind == "meter" else ""
    return f"{kind} {number}" + (f" ({name})" if name and not name.isdigit() else "")


def _is_any(_flow: Flow) -> bool:
    return True


def _is_in(table: int, flow: Flow) -> bool:
    return flow.table == table


def _has_bits(bits: int, flow: Flow) -> bool:
    return flow.cookie % SLICES == bits
