"""When the reconciler touches the switch, and when it says that it did."""

import asyncio
from collections.abc import AsyncIterator, Hashable, Iterable
from typing import Any, cast

import pytest

from chassis_agent import reconciler as module
from chassis_agent import turns
from chassis_agent.announcing.sender import AnnouncementSender
from chassis_agent.bridge.database_care import DatabaseCare
from chassis_agent.bridge.switch import InstalledObjects, Refusal, RefusedKey, Switch
from chassis_agent.bridge.tunnels import PORT_NAME
from chassis_agent.compile import ConjunctionIds
from chassis_agent.derivations import logical
from chassis_agent.desired.flow import Flow, FlowKey
from chassis_agent.desired.flow_state import WORK_AT_ONCE, FlowState
from chassis_agent.desired.flows import Changes
from chassis_agent.desired.objects import Group, Meter
from chassis_agent.health import Health
from chassis_agent.local.announcer import Announcer
from chassis_agent.local.facts import LocalFacts
from chassis_agent.local.port_names import PortNames
from chassis_agent.local.provider import ProviderBridges
from chassis_agent.local.zones import ZoneAllocator
from chassis_agent.openflow.errors import ConnectionLostError
from chassis_agent.ovsdb import Bridge, Interface, SwitchDatabase
from chassis_agent.ovsdb.rows import WantedRow
from chassis_agent.reconciler import Reconciler
from southbound.rows import Row
from southbound.watch.client import WatchClient
from southbound.watch.inbox import Batch
from tests.unit.chassis_agent.tiny_network import NETWORK, Lookup, Queueing, group

BRIDGE = Bridge(
    "br-int",
    interfaces={
        "tap1": Interface("tap1", ofport=101, external_ids={"iface-id": "p1"}),
        PORT_NAME: Interface(PORT_NAME, "geneve", 9),
    },
)


class Watch:
    """A server that is there, of which the test says what it sends."""

    def __init__(self) -> None:
        self.connected = True
        self.batches: asyncio.Queue[Batch] = asyncio.Queue()
        self.subscribed: set[str] = set()
        self.claims: list[str] = []
        self.acknowledged: list[int] = []
        self.skipped: dict[str, int] = {}
        self.unsent: dict[str, int] = {}

    async def next_batch(self) -> Batch:
        return await self.batches.get()

    def acknowledge(self, batch: Batch) -> None:
        self.acknowledged.append(batch.serial)

    def subscribe(self, scopes: Iterable[str]) -> None:
        self.subscribed.update(scopes)

    def unsubscribe(self, scopes: Iterable[str]) -> None:
        self.subscribed.difference_update(scopes)

    def claim_only(self, ports: Iterable[str]) -> None:
        self.claims = list(ports)


class FlowTable:
    """A switch that holds flows, and may be lost for some commits."""

    def __init__(self) -> None:
        self.is_connected = True
        self.is_known = False
        self.refused: dict[RefusedKey, Refusal] = {}
        self.groups: dict[int, Group] = {}
        self.meters: dict[int, Meter] = {}
        self.holds: dict[FlowKey, Flow] = {}
        self.touched = 0
        self.failures = 0
        self.is_monitored = True
        self.changed_tables: set[int | None] = set()

    def take_changed_tables(self) -> set[int | None]:
        changed, self.changed_tables = self.changed_tables, set()
        return changed

    async def flows(self) -> list[Flow]:
        return list(self.holds.values())

    async def commit(self, changes: Changes) -> None:
        self.is_known = False
        if self.failures:
            self.failures -= 1
            raise ConnectionLostError("gone")
        self.touched += 1
        for flow in changes.removed:
            del self.holds[flow.key]
        self.holds.update((flow.key, flow) for flow in changes.added)
        for gone in changes.groups.removed:
            del self.groups[gone.number]
        self.groups.update((each.number, each) for _, each in changes.groups.put)
        for meter in changes.meters.removed:
            del self.meters[meter.number]
        self.meters.update((meter.number, meter) for _, meter in changes.meters.put)
        self.is_known = True

    async def flows_of_table(self, table: int) -> list[Flow]:
        return [flow for flow in self.holds.values() if flow.table == table]

    async def objects(self) -> InstalledObjects:
        return InstalledObjects(tuple(self.groups.values()), tuple(self.meters.values()))

    async def restore_groundwork(self) -> list[str]:
        return []

    async def flush_zones(self, zones: Iterable[int]) -> None:
        assert list(zones)


class Host:
    """An announcer, a database and a reconciler between a watch and a switch."""

    def __init__(self) -> None:
        self.watch, self.switch, self.health = Watch(), FlowTable(), Health()
        self.ready: dict[str, str] = {}
        self.switches = 0
        """How often there was a switch that was not known before."""
        self.state = FlowState(ConjunctionIds().allocate)
        self.reconciler = Reconciler(
            chassis="hv1",
            bridge=BRIDGE,
            provider=ProviderBridges(),
            state=self.state,
            local=LocalFacts("hv1", ZoneAllocator({})),
            watch=cast(WatchClient, self.watch),
            switch=cast(Switch, self.switch),
            database=cast(SwitchDatabase, self),
            database_care=cast(DatabaseCare, self),
            announcer=cast(Announcer, self),
            announcements=AnnouncementSender(lambda _message: True, self.health),
            ports=PortNames(),
            on_rows=lambda _batch: None,
            on_acl_changes=lambda _ports: None,
            on_changed_backends=lambda _sets, _gone: None,
            on_lost_translations=lambda _lost: None,
            on_residents=lambda: None,
            on_another_switch=self._count_switches,
            health=self.health,
        )
        self._serial = 0
        self.rows: dict[Hashable, tuple[WantedRow, ...]] = {}
        self.may_remove = False
        self.is_behind = False
        self.is_connected = True
        """Whether the database is there."""

    def _count_switches(self) -> None:
        assert self.switch.is_known
        self.switches += 1

    async def transact(self, _edit: Any) -> None:
        """The database takes everything."""

    def want(self, owner: Hashable, rows: Iterable[WantedRow]) -> None:
        self.rows[owner] = tuple(rows)

    def allow_removal(self) -> None:
        self.may_remove = True

    def update(self, _interfaces: object, ready: dict[str, str]) -> None:
        self.ready = ready

    async def send(self, puts: Iterable[Row] = (), *, in_sync: Iterable[str] | None = None) -> None:
        """A batch after which these scopes are in sync: by default, all."""
        self._serial += 1
        scopes = frozenset(self.watch.subscribed if in_sync is None else in_sync)
        await self.watch.batches.put(Batch(tuple(puts), (), 1, scopes, self._serial, 1))
        await self.settle()

    async def settle(self) -> None:
        for _ in range(100):
            await asyncio.sleep(0)


@pytest.fixture
async def host(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Host]:
    monkeypatch.setattr(module, "_RETRY_SECONDS", 0)
    monkeypatch.setattr(Reconciler, "_begin_of_loading", lambda _self: None)
    monkeypatch.setattr(Reconciler, "_end_of_loading", lambda _self: None)
    host = Host()
    tasks = [
        asyncio.create_task(host.reconciler.follow_rows()),
        asyncio.create_task(host.reconciler.run()),
    ]
    host.reconciler.wake()
    await host.settle()
    yield host
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_switch_is_left_alone_until_all_rows_are_there(host: Host) -> None:
    assert host.watch.claims == ["p1"]
    await host.send(NETWORK, in_sync=["global"])
    assert "datapath:ls" in host.watch.subscribed
    assert (host.switch.touched, host.watch.acknowledged, host.ready) == (0, [], {})
    await host.send()
    assert len(host.switch.holds) == len(host.state) > 0
    assert host.watch.acknowledged == [2]
    assert host.ready == {"p1": "tap1"}


async def test_a_batch_is_acknowledged_once_the_switch_has_taken_it(host: Host) -> None:
    host.switch.failures = 2
    await host.send(NETWORK, in_sync=["global"])
    await host.send()
    async with asyncio.timeout(30):
        while not host.watch.acknowledged:  # noqa: ASYNC110 - its steps have no event
            await asyncio.sleep(0.001)
    assert host.switch.touched == 1
    assert host.watch.acknowledged == [2]
    assert host.health.counters["degraded_programming"] == 1
    assert "programming" not in host.health.reasons


async def test_a_switch_that_came_back_is_compared_and_not_filled_twice(host: Host) -> None:
    await host.send(NETWORK, in_sync=["global"])
    await host.send()
    wanted = dict(host.switch.holds)
    stranger = next(iter(wanted.values()))._replace(priority=7)
    del host.switch.holds[next(iter(wanted))]
    host.switch.holds[stranger.key] = stranger
    host.switch.is_known = False
    assert host.switches == 1
    host.reconciler.wake()
    await host.settle()
    assert host.switch.holds == wanted
    assert host.switches == 2, "what was known of its tunnels isn't any more"
    assert await host.reconciler.differences() == []


async def test_a_table_that_another_program_changed_is_repaired(host: Host) -> None:
    await host.send(NETWORK, in_sync=["global"])
    await host.send()
    wanted = dict(host.switch.holds)
    lost = next(iter(wanted.values()))
    del host.switch.holds[lost.key]
    host.switch.changed_tables = {lost.table}
    assert not host.reconciler.is_in_sync
    host.reconciler.wake()
    await host.settle()
    assert host.switch.holds == wanted
    assert host.reconciler.is_in_sync
    assert host.health.counters["flows_restored"] == 1


async def test_without_its_database_an_agent_is_not_in_sync(host: Host) -> None:
    await host.send(NETWORK, in_sync=["global"])
    await host.send()
    assert host.reconciler.is_in_sync
    host.is_connected = False
    assert not host.reconciler.is_in_sync


async def test_rows_that_no_step_has_taken_are_not_in_sync(host: Host) -> None:
    await host.send(NETWORK, in_sync=["global"])
    await host.send()
    await host.watch.batches.put(Batch((), (), 2, frozenset(host.watch.subscribed), 3, 1))
    seen = set()
    while host.watch.acknowledged[-1] < 3:
        await asyncio.sleep(0)
        seen.add((host.watch.acknowledged[-1], host.reconciler.is_in_sync))
    assert seen >= {(2, False), (3, True)}


@pytest.mark.parametrize(("looks_without", "differences"), [(1, 0), (2, 1)])
async def test_what_is_on_its_way_to_the_switch_is_no_difference(
    host: Host, monkeypatch: pytest.MonkeyPatch, looks_without: int, differences: int
) -> None:
    await host.send(NETWORK, in_sync=["global"])
    await host.send()
    asked = host.switch.flows
    looks = 0

    async def without_one() -> list[Flow]:
        nonlocal looks
        looks += 1
        found = list(await asked())
        return found[1:] if looks <= looks_without else found

    monkeypatch.setattr(module, "SECOND_LOOK_SECONDS", 0)
    monkeypatch.setattr(host.switch, "flows", without_one)
    assert len(await host.reconciler.differences()) == differences
    assert looks == 2


async def test_other_tasks_have_their_turns_while_much_is_computed(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two turns no more flow groups are packed than the bound says."""
    await host.send(NETWORK, in_sync=["global"])
    await host.send()
    runs: list[int] = []
    packed: list[object] = []
    original = logical.pack_group

    def counting(*arguments: Any) -> Any:
        packed.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(logical, "pack_group", counting)
    monkeypatch.setattr(turns, "SHORTEST_TURN", 0)
    groups = [
        group(1000 + n, "ls", Lookup.unicast(mac=(n + 9).to_bytes(6), port="p1"))
        for n in range(20 * WORK_AT_ONCE)
    ]
    seen = 0
    task = asyncio.create_task(host.send(groups))
    while len(packed) < len(groups):
        await asyncio.sleep(0)
        runs.append(len(packed) - seen)
        seen = len(packed)
        if seen % len(groups):
            assert not host.reconciler.is_in_sync
    await task
    while not host.reconciler.is_in_sync:  # noqa: ASYNC110 - its steps have no event
        await asyncio.sleep(0)
    assert max(runs) <= WORK_AT_ONCE
    assert sum(bool(run) for run in runs) >= 20
    assert await host.reconciler.differences() == []


async def test_rows_are_handed_on_once_all_that_is_wanted_is_known(host: Host) -> None:
    limited = group(30, "ls", Queueing.limit(port="p1", rate=100, burst=0))
    await host.send([*NETWORK, limited], in_sync=["global"])
    assert (host.rows, host.may_remove) == ({}, False)
    await host.send()
    (rows,) = host.rows.values()
    assert {row.table for row in rows} == {"QoS", "Queue", "Port"}
    assert host.may_remove
    host.rows.clear()
    host.reconciler.wake()
    await host.settle()
    assert host.rows == {}, "what didn't change isn't said again"


async def test_a_batch_is_acknowledged_once_the_database_has_its_rows(host: Host) -> None:
    await host.send(NETWORK, in_sync=["global"])
    await host.send()
    host.is_behind = True
    await host.send([group(30, "ls", Queueing.limit(port="p1", rate=100, burst=0))])
    assert host.watch.acknowledged == [2]
    host.is_behind = False
    host.reconciler.wake()
    await host.settle()
    assert host.watch.acknowledged == [2, 3]
