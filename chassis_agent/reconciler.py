"""The agent's one worker: takes what changed, computes, programs the switch, reports back.

Rows, pictures of the switch's configuration and learned addresses arrive at any
time; a step takes all that has gathered. So nothing here runs concurrently with
itself; long work is done in turns with the agent's other tasks. A step ends with the
switch holding what is wanted. The order in it:

1. rows into the flow state;
2. which ports are here, with their zones, into the flow state; claims to the server;
3. subscriptions to what these ports need, which may bring more rows;
4. rows of the Open vSwitch database that flows need handed on;
5. zones emptied, then one bundle with the changed flows, then what others changed repaired;
6. marks on interfaces and `up`; the batch acknowledged.

Until the rows of all subscriptions are there for the first time, the switch is
left as it is: a restarted agent doesn't tear down what it doesn't know yet. A
switch that was connected anew is read back and compared instead of trusted.
"""

import asyncio
import gc
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

import structlog

from chassis_agent.announcing.sender import AnnouncementSender
from chassis_agent.bridge.database_care import DatabaseCare
from chassis_agent.bridge.integrity import Guard
from chassis_agent.bridge.switch import SECOND_LOOK_SECONDS, Switch
from chassis_agent.desired.flow_state import FlowState
from chassis_agent.errors import RefusedCommandError
from chassis_agent.health import Health
from chassis_agent.inputs import Change, WatchedRows
from chassis_agent.local.announcer import Announcer
from chassis_agent.local.bindings import Bindings
from chassis_agent.local.facts import LocalFacts
from chassis_agent.local.needed_rows import HEADLESS_SECONDS, NeededRows
from chassis_agent.local.port_names import PortNames
from chassis_agent.local.provider import ProviderBridges
from chassis_agent.local.zones import unpersisted
from chassis_agent.openflow.errors import OpenFlowError
from chassis_agent.ovsdb import Bridge, SwitchDatabase
from chassis_agent.ovsdb.edits import set_bridge_external_ids
from chassis_agent.problems import note_problems
from chassis_agent.turns import in_turns
from southbound import wire
from southbound.rows import ROW_TYPES, Datapath, Translation, VirtualAddress
from southbound.watch.client import WatchClient
from southbound.watch.inbox import Batch

log = structlog.get_logger(__name__)

_RETRY_SECONDS: Final = 1.0
_MOST_VARIABLES: Final = 100
"""How many variables without a value that fits the status names."""
_LONGEST_LOADING_SECONDS: Final = 30.0


class Reconciler:
    """Brings the switch to what the rows and this host ask for, step by step."""

    def __init__(
        self,
        *,
        chassis: str,
        bridge: Bridge,
        provider: ProviderBridges,
        state: FlowState,
        local: LocalFacts,
        watch: WatchClient,
        switch: Switch,
        database: SwitchDatabase,
        database_care: DatabaseCare,
        announcer: Announcer,
        announcements: AnnouncementSender,
        ports: PortNames,
        on_rows: Callable[[Batch], None],
        on_acl_changes: Callable[[Iterable[str]], None],
        on_changed_backends: Callable[
            [Iterable[str], Mapping[tuple[str, str], VirtualAddress]], None
        ],
        on_lost_translations: Callable[[Iterable[Translation]], None],
        on_residents: Callable[[], None],
        on_another_switch: Callable[[], None],
        health: Health,
        repairs: bool = True,
    ) -> None:
        """`on_rows` is told each batch, once `ports` knows what it names.

        `on_acl_changes` is told the ports of which other ACLs decide, once these are in the
        switch, `on_changed_backends` likewise the sets of backends that have lost some,
        `on_lost_translations` what NATs translate no more, and
        `on_residents` that this chassis got or lost charge of ports, `on_another_switch` that
        a switch that was not known has all flows now. Without `repairs` what other programs
        change is told, and left.
        """
        self._chassis = chassis
        self._bridge = bridge
        self._provider = provider
        self._state = state
        self._local = local
        self._watch = watch
        self._switch = switch
        self._database = database
        self._database_care = database_care
        self._announcer = announcer
        self._announcements = announcements
        self._ports = ports
        self._on_rows = on_rows
        self._on_acl_changes = on_acl_changes
        self._on_changed_backends = on_changed_backends
        self._on_lost_translations = on_lost_translations
        self._on_residents = on_residents
        self._on_another_switch = on_another_switch
        self._health = health
        self._watched = WatchedRows(ROW_TYPES)
        self._learned: list[Change] = []
        self._batches: asyncio.Queue[Batch] = asyncio.Queue(maxsize=1)
        self._unacknowledged: Batch | None = None
        self._zones_to_flush: set[int] = set()
        self._zones_to_persist: dict[str, str | None] = {}
        self._has_claimed = False
        self._switch_number = 0
        """How often there was another switch, or one that was not known any more."""
        self._residents: frozenset[str] = frozenset()
        self._watched_chassis: frozenset[str] = frozenset()
        self._settling: asyncio.TimerHandle | None = None
        self._ready: set[str] = set()
        self._wake = asyncio.Event()
        # Zones that nothing wants can go in the step after it settled.
        self._needed = NeededRows(chassis, watch, on_settled=self._wake.set)
        self._applying = asyncio.Lock()
        self._is_changing = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._guard = Guard(state, switch, health, wake=self._wake.set, repairs=repairs)

    # --- what arrives

    def wake(self) -> None:
        """Something that a step looks at has changed."""
        self._wake.set()

    def take_bridge(self, bridge: Bridge, provider: ProviderBridges) -> None:
        self._bridge = bridge
        self._provider = provider
        self._zones_to_persist.update(unpersisted(self._local.zones, bridge.external_ids))
        self._wake.set()

    def learn(self, change: Change) -> None:
        """An address that this host learned, ahead of the row that the server will send."""
        self._learned.append(change)
        self._wake.set()

    async def follow_rows(self) -> None:
        """Hands the batches of the watch to the steps, one at a time."""
        while True:
            batch = await self._watch.next_batch()
            await self._batches.put(batch)
            self._wake.set()

    async def guard(self) -> None:
        """Has the switch looked at from time to time, for what other programs did to it."""
        await self._guard.run()

    async def repair(self) -> list[str]:
        """Repairs what other programs did to the switch; a line for each difference."""
        if not self._switch.is_connected or not self._needed.is_settled:
            raise RefusedCommandError("the switch is not connected, or its rows are not known yet")
        return await self._guard.repair_now()

    # --- steps

    async def run(self) -> None:
        """Steps whenever something arrived, until cancelled. A failed step is tried again."""
        loop = asyncio.get_running_loop()
        self._needed.start()
        self._begin_of_loading()
        loop.call_later(HEADLESS_SECONDS, self._wake.set)
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._step()
            except OpenFlowError as error:
                self._health.degrade("programming", str(error))
                self._try_again()
            except Exception as error:
                log.exception("step failed")
                self._health.counters["failed_steps"] += 1
                self._health.degrade("step", f"{type(error).__name__}: {error}")
                self._switch.is_known = False
                self._try_again()
            else:
                self._health.clear("programming")
                self._health.clear("step")

    def _try_again(self) -> None:
        asyncio.get_running_loop().call_later(_RETRY_SECONDS, self._wake.set)

    async def _step(self) -> None:
        if not self._batches.empty():
            batch = self._batches.get_nowait()
            await self._take_rows(batch)
            self._unacknowledged = batch
        if self._learned:
            learned, self._learned = self._learned, []
            await self._apply(learned)
        await self._update_local()
        sets = self._state.news.take_set_changes()
        self._needed.subscribe(
            self._local.plugged,
            used=[name for name, is_used in sets.items() if is_used],
            unused=[name for name, is_used in sets.items() if not is_used],
        )
        self._persist_zones()
        if not self._needed.is_settled:
            return
        self._hand_on_rows()
        # Flows that wait for rows of this batch come in the step after these were written.
        has_rows = not self._database_care.is_behind
        if not self._switch.is_connected:
            return
        await self._program()
        self._announcer.update(self._bridge.interfaces, self._ready_ports())
        self._announcements.update(
            self._state.news.take_announcement_changes(),
            (self._switch_number, self._local.tunnel_sessions.times_cut_off),
        )
        if self._unacknowledged is not None and has_rows:
            self._watch.acknowledge(self._unacknowledged)
            self._unacknowledged = None
        note_problems(
            self._health,
            self._state,
            self._provider,
            self._watch.skipped,
            has_ports=bool(self._local.bindings.bound),
        )

    async def _apply(self, changes: Iterable[Change]) -> None:
        """Have the state take changes. Other tasks get their turns, but none sees half of it."""
        async with self._applying:
            self._is_changing = True
            await in_turns(self._state.steps(changes))
            self._is_changing = False

    async def _take_rows(self, batch: Batch) -> None:
        await self._apply(self._watched.changes(batch.puts, batch.deletes))
        self._needed.take(batch)
        self._ports.change(batch.puts, batch.deletes)
        self._on_rows(batch)
        self._health.counters["batches"] += 1
        self._health.counters["rows"] += len(batch.puts) + len(batch.deletes)

    async def _update_local(self) -> None:
        change = self._local.update(
            self._bridge,
            self._provider,
            self._ports,
            self._local_routers,
            all_rows_known=self._needed.has_settled,
        )
        await self._apply(change.facts)
        self._zones_to_flush.update(change.zones.flush)
        self._zones_to_persist.update(change.zones.external_ids)
        self._follow_sessions()
        before, self._residents = self._residents, self._state.residents
        if before != self._residents:
            self._on_residents()
        if not self._has_claimed:
            self._watch.claim_only(sorted({*self._local.plugged, *self._residents}))
            self._has_claimed = True
            return
        for port in sorted(change.unplugged):
            self._watch.release(port)
        for port in sorted(change.plugged):
            self._watch.claim(port)
        for port in sorted(before - self._residents):
            self._watch.release(port)
        for port in sorted(self._residents - before):
            self._watch.claim(port)
            self._health.counters["gateway_claims"] += 1

    def _follow_sessions(self) -> None:
        """Tell which chassis are watched from here, and look again when one may count as dead."""
        watched = self._state.watched - {self._chassis}
        if watched != self._watched_chassis:
            self._watched_chassis = watched
            self._watch.tell(self._monitors)
        if self._settling is not None:
            self._settling.cancel()
        seconds = self._local.tunnel_sessions.next_change
        loop = asyncio.get_running_loop()
        self._settling = None if seconds is None else loop.call_later(seconds, self._wake.set)

    def _monitors(self) -> wire.Monitors:
        return wire.Monitors(tuple(sorted(self._watched_chassis)))

    def _local_routers(self, bindings: Bindings) -> Collection[str]:
        # A port that each chassis may have makes none of them need its datapath.
        ports = [bound.row for bound in bindings.bound.values()]
        self._needed.use_datapaths(port.datapath for port in ports if port.kind.is_bound)
        rows = self._state.rows(Datapath)
        return [key for key in self._needed.datapaths if key in rows and rows[key].kind == "lr"]

    def _persist_zones(self) -> None:
        if not self._zones_to_persist:
            return
        changes, self._zones_to_persist = self._zones_to_persist, {}
        edit = set_bridge_external_ids(self._bridge.name, changes)
        task = asyncio.create_task(self._database.transact(edit), name="persist zones")
        self._tasks.add(task)
        task.add_done_callback(self._zones_persisted)

    def _zones_persisted(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._health.degrade("zones", f"not persisted: {error}")
        else:
            self._health.clear("zones")

    def _hand_on_rows(self) -> None:
        """Want of the database what owners want of it, then let rows go that none wants."""
        for owner, rows in self._state.take_row_changes().items():
            self._database_care.want(owner, rows)
        self._database_care.allow_removal()

    async def _program(self) -> None:
        """Brings the switch to what is wanted, then has connections looked at again."""
        if self._zones_to_flush:
            await self._switch.flush_zones(sorted(self._zones_to_flush))
            self._zones_to_flush.clear()
        if not self._switch.is_known:
            await self._compare_and_commit()
        elif changes := self._state.take_changes():
            await self._switch.commit(changes)
        await self._guard.look()
        self._on_acl_changes(self._state.news.take_acl_changes())
        self._on_changed_backends(
            self._state.news.take_changed_backends(), self._state.news.take_gone_fronts()
        )
        self._on_lost_translations(self._state.news.take_lost_translations())

    async def _compare_and_commit(self) -> None:
        installed = await self._switch.flows()
        objects = await self._switch.objects()
        changes = self._state.difference(installed, objects.groups, objects.meters)
        log.info(
            "switch compared",
            installed=len(installed),
            wanted=len(self._state),
            added=len(changes.added),
            removed=len(changes.removed),
            objects_put=len(changes.groups.put) + len(changes.meters.put),
            objects_removed=len(changes.groups.removed) + len(changes.meters.removed),
        )
        await self._switch.commit(changes)
        if installed and changes:
            # ACLs may have changed unseen meanwhile.
            self._on_acl_changes(self._local.bindings.bound)
        self._end_of_loading()
        self._switch_number += 1
        self._on_another_switch()

    def _begin_of_loading(self) -> None:
        """Until the first rows are in, almost nothing becomes garbage, and all would be walked."""
        gc.disable()
        asyncio.get_running_loop().call_later(_LONGEST_LOADING_SECONDS, gc.enable)

    def _end_of_loading(self) -> None:
        """What was loaded stays: full collections needn't walk it ever again."""
        gc.freeze()
        gc.enable()

    # --- what holds

    @property
    def is_in_sync(self) -> bool:
        """Whether the switch holds what the server's newest rows ask for.

        Not while the database of this host is away: which ports are here is not known then.
        """
        return (
            self._watch.connected
            and self._database.is_connected
            and self._needed.are_here
            and self._switch.is_known
            and self._guard.is_clean
            and not self._is_changing
            and self._batches.empty()
            and self._unacknowledged is None
        )

    def _ready_ports(self) -> dict[str, str]:
        """The ports whose flows are all in the switch, with their interfaces.

        A port that is ready stays so while it is bound, also when rows of something
        new that its flows refer to are on their way. A flow that failed keeps no port
        from being ready: the agent is degraded, and the other flows hold. Without any
        template, though, nothing holds, and no port becomes ready.
        """
        held = {
            name: bound
            for name, bound in self._local.bindings.bound.items()
            if bound.row.chassis == self._chassis or not bound.row.kind.is_bound
        }
        complete = (
            self._needed.complete_datapaths(bound.row.datapath for bound in held.values())
            if self._state.has_templates
            else ()
        )
        ready = {
            name
            for name, bound in held.items()
            if name in self._ready or bound.row.datapath in complete
        }
        self._ready = {
            name
            for name in ready
            if not held[name].row.parent or held[name].row.parent_name in ready
        }
        return {name: held[name].plugged.interface for name in self._ready}

    # --- looking

    async def differences(self) -> list[str]:
        """Compares the state with a full recomputation, and the switch with the state.

        What is only on its way to the switch is no difference: one has to be there at two looks.
        """
        async with self._applying:
            found = await in_turns(self._state.self_check_steps())
        if not self._switch.is_connected:
            return [*found, "the switch is not connected"]
        differing = await self._differences_in_switch()
        if differing:
            await asyncio.sleep(SECOND_LOOK_SECONDS)
            still = set(await self._differences_in_switch())
            differing = [each for each in differing if each in still]
        return found + differing

    async def _differences_in_switch(self) -> list[str]:
        installed = await self._switch.flows()
        wanted = [flow for flow in self._state if flow.key not in self._switch.refused]
        found = self._state.compare(wanted, installed, "wanted", "in the switch")
        objects = await self._switch.objects()
        return found + self._state.compare_objects(
            objects.groups, objects.meters, self._switch.refused.keys()
        )

    def report(self) -> dict[str, Any]:
        """The part of the status that concerns flows and ports."""
        bindings = self._local.bindings
        return {
            "in_sync": self.is_in_sync,
            "settled": self._needed.is_settled,
            "headless": self._needed.is_headless,
            "flows": len(self._state),
            "waiting": {str(group): list(ports) for group, ports in self._state.incomplete.items()},
            "failures": self._state.failures,
            "groups": len(self._state.groups),
            "meters": len(self._state.meters),
            "queues": len(self._state.queues),
            "clashes": len(self._state.clashes) + len(self._state.object_clashes),
            "refused_flows": [refusal.reason for refusal in self._switch.refused.values()],
            "lacks": [str(lack) for lack in self._state.lacks],
            "variables": self._state.unresolved[:_MOST_VARIABLES],
            "skipped": dict(self._watch.skipped),
            "unsent": dict(self._watch.unsent),
            "guard": self._guard.report(),
            "datapaths": sorted(self._needed.datapaths),
            "gateways": {
                "in_charge": sorted(self._residents),
                "claims": self._health.counters["gateway_claims"],
                "is_cut_off": self._local.tunnel_sessions.is_cut_off,
                "times_cut_off": self._local.tunnel_sessions.times_cut_off,
                "sessions": {
                    chassis: session.state
                    for chassis, session in sorted(self._local.tunnel_sessions.sessions.items())
                },
            },
            "announcements": self._announcements.report(),
            "subscriptions": self._needed.count,
            "ports": {
                "bound": sorted(bindings.bound),
                "up": sorted(self._announcer.up),
                "refused": dict(sorted(bindings.refused.items())),
                "unknown": sorted(bindings.unknown),
            },
            "zones": dict(sorted(self._local.zones.items())),
        }
