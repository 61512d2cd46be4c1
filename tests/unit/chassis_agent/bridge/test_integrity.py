"""Repairs of a switch that another program changes, and how they become rare in a fight."""

import asyncio
from collections.abc import Iterable

import pytest

from chassis_agent.bridge.integrity import NAMED, SLICES, Guard
from chassis_agent.bridge.repair_pace import LONGEST_PAUSE, QUIET_SECONDS
from chassis_agent.bridge.switch import InstalledObjects, Refusal, RefusedKey
from chassis_agent.compile import ConjunctionIds
from chassis_agent.desired.flow import Flow
from chassis_agent.desired.flow_state import FlowState
from chassis_agent.desired.flows import Changes
from chassis_agent.desired.objects import Group, Meter
from chassis_agent.health import Health
from chassis_agent.inputs import WatchedRows
from chassis_agent.openflow import oxm
from chassis_agent.openflow.oxm import FIELDS, Term
from chassis_agent.punt.opcodes import Opcode
from southbound.rows import ROW_TYPES
from tests.unit.chassis_agent.tiny_network import NETWORK


def foreign(priority: int) -> Flow:
    return Flow(7, priority, oxm.match([Term(FIELDS["reg0"], priority)]), b"", 5)


class Tampered:
    """A switch that another program changes."""

    def __init__(self, flows: Iterable[Flow]) -> None:
        self.holds = {flow.key: flow for flow in flows}
        self.refused: dict[RefusedKey, Refusal] = {}
        self.groups: dict[int, Group] = {}
        self.meters: dict[int, Meter] = {}
        self.is_monitored = True
        self.changed_tables: set[int | None] = set()
        self.missing: list[str] = []
        self.commits = 0

    def add(self, flow: Flow) -> None:
        self.holds[flow.key] = flow
        self.changed_tables.add(flow.table)

    def take_changed_tables(self) -> set[int | None]:
        changed, self.changed_tables = self.changed_tables, set()
        return changed

    async def flows(self) -> list[Flow]:
        return list(self.holds.values())

    async def flows_of_table(self, table: int) -> list[Flow]:
        return [flow for flow in self.holds.values() if flow.table == table]

    async def flows_of_cookies(self, cookie: int, mask: int) -> list[Flow]:
        return [flow for flow in self.holds.values() if flow.cookie & mask == cookie]

    async def objects(self) -> InstalledObjects:
        return InstalledObjects(tuple(self.groups.values()), tuple(self.meters.values()))

    async def restore_groundwork(self) -> list[str]:
        missing, self.missing = self.missing, []
        return missing

    async def commit(self, changes: Changes) -> None:
        self.commits += 1
        for flow in changes.removed:
            del self.holds[flow.key]
        self.holds.update((flow.key, flow) for flow in changes.added)
        for group in changes.groups.removed:
            del self.groups[group.number]
        self.groups.update((group.number, group) for _, group in changes.groups.put)
        for meter in changes.meters.removed:
            del self.meters[meter.number]
        self.meters.update((meter.number, meter) for _, meter in changes.meters.put)


class Scene:
    """A guard in front of a switch, in a time that the test makes pass."""

    def __init__(self, *, repairs: bool = True) -> None:
        self.state = FlowState(ConjunctionIds().allocate)
        self.state.apply(WatchedRows(ROW_TYPES).changes(NETWORK, ()))
        changes = self.state.take_changes()
        self.wanted = {flow.key: flow for flow in self.state}
        self.switch = Tampered(self.state)
        self.switch.meters = {meter.number: meter for _, meter in changes.meters.put}
        self.health = Health()
        self.now = 1000.0
        self.woken = asyncio.Event()
        self.guard = Guard(
            self.state,
            self.switch,
            self.health,
            wake=self._wake,
            repairs=repairs,
            clock=lambda: self.now,
        )

    def _wake(self) -> None:
        self.woken.set()

    @property
    def reason(self) -> str:
        return self.health.reasons.get("changed_by_others", "")

    async def look_after(self, seconds: float) -> None:
        self.now += seconds
        await self.guard.look()


async def test_what_was_changed_is_named_with_its_object_and_repaired() -> None:
    scene = Scene()
    lost = next(flow for flow in scene.state if flow.cookie < 1 << 63)
    del scene.switch.holds[lost.key]
    scene.switch.changed_tables = {lost.table}
    scene.switch.add(foreign(3))
    assert not scene.guard.is_clean
    await scene.look_after(0)
    assert scene.guard.is_clean
    assert scene.switch.holds == scene.wanted
    texts = scene.guard.report()["last"]
    assert any(
        (text.startswith("a missing flow, cookie=") and "logical" in text) or "(" in text
        for text in texts
    )
    assert any(text.startswith("a flow that is not wanted, cookie=0x5") for text in texts)
    assert scene.health.counters["flows_restored"] == 1
    assert scene.health.counters["foreign_flows_removed"] == 1
    assert scene.reason.startswith("repaired ")


async def test_many_differences_are_counted_and_some_named() -> None:
    scene = Scene()
    for priority in range(3 * NAMED):
        scene.switch.add(foreign(priority))
    await scene.look_after(0)
    assert scene.switch.holds == scene.wanted
    assert len(scene.guard.report()["last"]) == NAMED
    assert f"and {3 * NAMED - 1} more" in scene.reason


async def test_a_fight_gets_slower_until_the_other_is_quiet() -> None:
    scene = Scene()
    pauses = []
    for _ in range(12):
        scene.switch.add(foreign(3))
        started = scene.now
        await scene.look_after(0)
        while not scene.guard.is_clean:
            await scene.look_after(0.5)
        pauses.append(scene.now - started)
    assert pauses[:5] == [0, 1, 2, 4, 8]
    assert max(pauses) == LONGEST_PAUSE
    assert "12 times in a row" in scene.reason
    await scene.look_after(QUIET_SECONDS)
    assert scene.reason
    await scene.look_after(LONGEST_PAUSE + 1)
    assert not scene.reason
    scene.switch.add(foreign(3))
    await scene.look_after(0)
    assert scene.guard.is_clean


async def test_what_waits_for_the_end_of_a_pause_is_looked_at_then() -> None:
    scene = Scene()
    for _ in range(2):
        scene.switch.add(foreign(3))
        await scene.look_after(0.999)
    assert not scene.guard.is_clean
    async with asyncio.timeout(30):
        await scene.woken.wait()


async def test_a_flow_that_the_switch_refuses_is_not_missing() -> None:
    scene = Scene()
    refused = next(iter(scene.state))
    del scene.switch.holds[refused.key]
    scene.switch.refused[refused.key] = Refusal(refused, "bad")
    scene.switch.changed_tables = {None}
    await scene.look_after(0)
    assert scene.switch.commits == 0
    assert not scene.reason


async def test_flows_that_were_refused_for_an_option_that_was_missing_are_made() -> None:
    scene = Scene()
    refused = next(iter(scene.state))
    del scene.switch.holds[refused.key]
    scene.switch.refused[refused.key] = Refusal(refused, "bad field")
    scene.switch.missing = ["the Geneve option"]
    scene.guard.have_a_slice_looked_at()
    await scene.look_after(0)
    assert scene.switch.holds == scene.wanted
    assert not scene.switch.refused


async def test_what_flows_refer_to_is_named_when_it_was_missing() -> None:
    scene = Scene()
    scene.switch.missing = ["the Geneve option"]
    scene.switch.changed_tables = {80}
    await scene.look_after(0)
    assert scene.reason == "repaired the Geneve option, missing or altered"
    assert scene.health.counters["groundwork_restored"] == 1


async def test_meters_and_groups_are_named_and_put_right() -> None:
    scene = Scene()
    meters = dict(scene.switch.meters)
    reject = int(Opcode.REJECT)
    del scene.switch.meters[reject]
    scene.switch.meters[4000] = Meter(4000, packets=False, rate=1, burst=1)
    scene.switch.groups[77] = Group(77, 0, b"")
    scene.guard.have_a_slice_looked_at()
    await scene.look_after(0)
    assert (scene.switch.meters, scene.switch.groups) == (meters, {})
    assert scene.guard.report()["last"] == [
        f"meter {reject} (reject), missing",
        "group 77, which is not wanted",
        "meter 4000, which is not wanted",
    ]
    assert scene.health.counters["objects_restored"] == 1
    assert scene.health.counters["foreign_objects_removed"] == 2


async def test_without_repairs_foreign_groups_stay_and_are_told() -> None:
    scene = Scene(repairs=False)
    del scene.switch.meters[int(Opcode.REJECT)]
    scene.switch.groups[77] = Group(77, 0, b"")
    scene.guard.have_a_slice_looked_at()
    await scene.look_after(0)
    assert scene.guard.report()["left"] == ["group 77, which is not wanted"]
    assert int(Opcode.REJECT) in scene.switch.meters, "flows would be without their limit"
    del scene.switch.groups[77]
    scene.guard.have_a_slice_looked_at()
    await scene.look_after(LONGEST_PAUSE)
    assert scene.guard.report()["left"] == []


async def test_an_object_that_the_switch_refuses_is_not_missing() -> None:
    scene = Scene()
    meter = scene.switch.meters.pop(int(Opcode.REJECT))
    scene.switch.refused["meter", meter.number] = Refusal(meter, "no room")
    scene.guard.have_a_slice_looked_at()
    await scene.look_after(0)
    assert scene.switch.commits == 0


@pytest.mark.parametrize("cookie", range(SLICES))
async def test_every_flow_is_in_a_slice(cookie: int) -> None:
    scene = Scene()
    stranger = foreign(3)._replace(cookie=cookie)
    scene.switch.holds[stranger.key] = stranger
    for _ in range(SLICES):
        scene.guard.have_a_slice_looked_at()
        await scene.look_after(LONGEST_PAUSE)
    assert scene.switch.holds == scene.wanted


async def test_without_repairs_differences_are_told_while_they_last() -> None:
    scene = Scene(repairs=False)
    scene.switch.add(foreign(3))
    await scene.look_after(0)
    assert scene.switch.commits == 0
    assert scene.reason.startswith("not repaired: a flow that is not wanted")
    assert len(scene.guard.report()["left"]) == 1
    del scene.switch.holds[foreign(3).key]
    scene.switch.changed_tables = {7}
    await scene.look_after(0)
    assert not scene.reason
    assert scene.guard.report()["left"] == []


async def test_a_repair_that_is_asked_for_is_done_at_once() -> None:
    scene = Scene(repairs=False)
    scene.switch.holds[foreign(3).key] = foreign(3)
    asked = asyncio.create_task(scene.guard.repair_now())
    await asyncio.sleep(0)
    await scene.look_after(0)
    (told,) = await asked
    assert told.startswith("a flow that is not wanted")
    assert scene.switch.holds == scene.wanted
    assert not scene.reason
