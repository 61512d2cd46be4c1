"""The bridge as the agent programs it: one OpenFlow connection after another.

A connection that was lost is made again. What the switch holds then is not known,
so :attr:`Switch.is_known` is false until its flows were read back and
compared: :meth:`Switch.flows`, :meth:`Switch.objects` and :meth:`Switch.commit` do
that. What is no object (:mod:`chassis_agent.bridge.groundwork`) is set up first.

What the switch refuses is left out of the rest, listed in :attr:`Switch.refused`, and tried
again when it changes. A flow that refers to a refused group or meter waits with it.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

import structlog

from chassis_agent.bridge.groundwork import missing_groundwork
from chassis_agent.desired.flow import Flow, FlowKey
from chassis_agent.desired.flows import Changes
from chassis_agent.desired.objects import Group, Meter, ObjectChanges
from chassis_agent.desired.steps import Step, bundle_steps
from chassis_agent.health import Health
from chassis_agent.openflow import messages
from chassis_agent.openflow.connection import Connection
from chassis_agent.openflow.errors import (
    BundleRefusedError,
    ConnectionLostError,
    OpenFlowError,
    RequestRefusedError,
)
from chassis_agent.openflow.multipart import FlowUpdate, FlowUse, GroupUse, MeterUse
from chassis_agent.openflow.packet_in import PacketIn
from chassis_agent.openflow.references import references_of_buckets, references_of_flow

log = structlog.get_logger(__name__)

SECOND_LOOK_SECONDS: Final = 0.3
"""After so long a flow is in the switch that was on its way at a first look."""

_FIRST_DELAY: Final = 0.05
_LONGEST_DELAY: Final = 2.0
_REFUSALS_AT_ONCE: Final = 50
_DEEPEST_GROUPS: Final = 16
_METERS_AT_ONCE: Final = 1_000
_ENCODED_AT_ONCE: Final = 2_000


RefusedKey: TypeAlias = FlowKey | tuple[Literal["group", "meter"], int]
"""A flow's key, or the kind and number of an object."""


class Refusal(NamedTuple):
    """Something that the switch would not take, and why."""

    what: Flow | Group | Meter
    reason: str


class InstalledObjects(NamedTuple):
    """The groups and meters that a switch has."""

    groups: tuple[Group, ...] = ()
    meters: tuple[Meter, ...] = ()


class Switch:
    """The integration bridge's OpenFlow side."""

    def __init__(
        self,
        path: Path,
        health: Health,
        *,
        on_change: Callable[[], None],
        on_packet_in: Callable[[PacketIn], None],
    ) -> None:
        """`on_change` is called when the connection came or went, or others changed flows."""
        self._path = path
        self._health = health
        self._on_change = on_change
        self._on_packet_in = on_packet_in
        self._connection: Connection | None = None
        self.is_known = False
        """Whether the switch holds what was last committed and nothing else."""
        self.refused: dict[RefusedKey, Refusal] = {}
        """What the switch would not take, or waits for something that it would not take."""
        self.is_monitored = False
        """Whether the switch tells what other programs do to its flows."""
        self._changed_tables: set[int | None] = set()

    @property
    def changed_tables(self) -> Collection[int | None]:
        """The tables in which another program changed flows; None stands for all of them."""
        return self._changed_tables

    def take_changed_tables(self) -> Collection[int | None]:
        """The changed tables, which are forgotten: the caller looks at them."""
        changed, self._changed_tables = self._changed_tables, set()
        return changed

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            raise ConnectionLostError("there is no connection to the switch")
        return self._connection

    async def run(self) -> None:
        """Connects, again and again, until cancelled."""
        delay = _FIRST_DELAY
        while True:
            try:
                connection = await Connection.connect(self._path, on_packet_in=self._on_packet_in)
            except OpenFlowError as error:
                self._health.degrade("switch", str(error))
                await asyncio.sleep(delay)
                delay = min(2 * delay, _LONGEST_DELAY)
                continue
            try:
                await self._prepare(connection)
                self._came(connection)
                delay = _FIRST_DELAY
                raise await connection.wait_closed()
            except OpenFlowError as error:
                self._health.degrade("switch", str(error))
            finally:
                self._went()
                await connection.close()
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_DELAY)

    async def flows(self) -> list[Flow]:
        """What the switch holds."""
        return [Flow(*flow) for flow in await self.connection.flows()]

    async def flows_of_table(self, table: int) -> list[Flow]:
        """What one table of the switch holds."""
        return [Flow(*flow) for flow in await self.connection.flows(table=table)]

    async def flows_of_cookies(self, cookie: int, mask: int) -> list[Flow]:
        """The flows of which the cookie has these bits."""
        found = await self.connection.flows(cookie=cookie, cookie_mask=mask)
        return [Flow(*flow) for flow in found]

    async def objects(self) -> InstalledObjects:
        """The groups and meters that the switch holds."""
        groups = [Group(*group) for group in await self.connection.groups()]
        meters = [Meter(*meter) for meter in await self.connection.meters()]
        return InstalledObjects(tuple(groups), tuple(meters))

    async def restore_groundwork(self) -> list[str]:
        """Makes anew what flows refer to, where it is missing; says what that was."""
        missing = await missing_groundwork(self.connection)
        if missing:
            await self.connection.confirm([each.message for each in missing])
        return [each.name for each in missing]

    async def flow_uses(self, table: int) -> list[FlowUse]:
        """How often each flow of a table was matched."""
        return await self.connection.flow_uses(table)

    async def group_uses(self) -> list[GroupUse]:
        """How much each group was given."""
        return await self.connection.group_uses()

    async def meter_uses(self) -> list[MeterUse]:
        """How much each meter was given, and dropped."""
        return await self.connection.meter_uses()

    async def commit(self, changes: Changes) -> None:
        """Makes all changes, or as many as the switch takes: see :attr:`refused`.

        Raises :class:`OpenFlowError` when it isn't known what the switch holds now.
        """
        self.is_known = False
        for key in _touched(changes):
            self.refused.pop(key, None)
        await self._put_meters(changes.meters)
        done = await self._commit_bundle(bundle_steps(self._with_waiting(changes)))
        await self._delete_meters(changes.meters)
        self.is_known = True
        if done:
            self._health.counters["bundles_sent"] += 1
            flows = sum(isinstance(step.what, Flow) for step in done)
            self._health.counters["flow_mods_sent"] += flows
            self._health.counters["group_mods_sent"] += len(done) - flows
        self._note_refused()

    async def _commit_bundle(self, steps: list[Step]) -> list[Step]:
        """Take the steps, as one, without those that are refused; says which were taken."""
        steps = self._without_waiting(steps)
        for _ in range(_REFUSALS_AT_ONCE):
            try:
                await self.connection.commit(await _encode(steps))
            except BundleRefusedError as refusal:
                if refusal.index is None:
                    raise
                step = steps.pop(refusal.index)
                if step.is_removal:
                    raise
                self._refuse(step.what, refusal)
                if isinstance(step.what, Group):
                    steps = self._without_waiting(steps)
            else:
                return steps
        raise OpenFlowError(f"the switch refuses more than {_REFUSALS_AT_ONCE} flows")

    def _without_waiting(self, steps: list[Step]) -> list[Step]:
        """The steps without those that refer to something refused; these wait with it."""
        for _ in range(_DEEPEST_GROUPS):
            refused = {key for key in self.refused if len(key) == 2}
            if not refused:
                return steps
            kept: list[Step] = []
            for step in steps:
                obstacles = set() if step.is_removal else refused & _references(step.what)
                if obstacles:
                    kind, number = min(obstacles)
                    self.refused[_refused_key(step.what)] = Refusal(
                        step.what, f"waits for {kind} {number}, which the switch refuses"
                    )
                else:
                    kept.append(step)
            if len(kept) == len(steps):
                return steps
            steps = kept
        raise OpenFlowError(f"groups are nested more than {_DEEPEST_GROUPS} deep")

    def _with_waiting(self, changes: Changes) -> Changes:
        """The changes, with what was refused and refers to an object that they put anew."""
        put: set[RefusedKey] = {("group", group.number) for _, group in changes.groups.put}
        put |= {("meter", meter.number) for _, meter in changes.meters.put}
        flows: list[Flow] = []
        groups: list[tuple[Group | None, Group]] = []
        while put:
            again = [
                (key, each.what)
                for key, each in self.refused.items()
                if not isinstance(each.what, Meter) and put & _references(each.what)
            ]
            put = {key for key, _ in again}
            for key, what in again:
                del self.refused[key]
                if isinstance(what, Flow):
                    flows.append(what)
                else:
                    groups.append((None, what))
        if not flows and not groups:
            return changes
        return changes._replace(
            added=[*changes.added, *flows],
            groups=changes.groups._replace(put=(*changes.groups.put, *groups)),
        )

    async def _put_meters(self, meters: ObjectChanges[Meter]) -> None:
        for start in range(0, len(meters.put), _METERS_AT_ONCE):
            part = meters.put[start : start + _METERS_AT_ONCE]
            refusals = await self.connection.attempt([_put_meter(*each) for each in part])
            for index, refusal in refusals:
                self._refuse(part[index][1], refusal)
            self._health.counters["meter_mods_sent"] += len(part)

    async def _delete_meters(self, meters: ObjectChanges[Meter]) -> None:
        delete = messages.MeterCommand.DELETE
        for start in range(0, len(meters.removed), _METERS_AT_ONCE):
            part = meters.removed[start : start + _METERS_AT_ONCE]
            await self.connection.confirm(
                [messages.meter_mod(delete, each.number) for each in part]
            )
            self._health.counters["meter_mods_sent"] += len(part)

    def _note_refused(self) -> None:
        if not self.refused:
            self._health.clear("refused_flows")
            return
        flows = sum(isinstance(each.what, Flow) for each in self.refused.values())
        others = len(self.refused) - flows
        told = [f"{flows} flows"] * bool(flows) + [f"{others} groups and meters"] * bool(others)
        self._health.degrade("refused_flows", f"the switch refuses {' and '.join(told)}")

    async def flush_zones(self, zones: Iterable[int]) -> None:
        """Forgets all connections of these conntrack zones."""
        await self.connection.confirm([messages.ct_flush_zone(zone) for zone in zones])

    @property
    def packet_losses(self) -> dict[str, int]:
        """Packets that this connection didn't bring to the agent, or to the switch, by reason."""
        if self._connection is None:
            return {}
        return {
            "dropped_packet_outs": self._connection.dropped_packet_outs,
            "refused_messages": self._connection.refused_messages,
            "failed_packet_ins": self._connection.failed_packet_ins,
        }

    def send(self, message: bytes) -> bool:
        """Sends a packet-out; false if there is no connection, or no room, for it."""
        return self._connection is not None and self._connection.packet_out(message)

    def _refuse(self, what: Flow | Group | Meter, refusal: RequestRefusedError) -> None:
        self.refused[_refused_key(what)] = Refusal(what, str(refusal))
        self._health.counters[f"{type(what).__name__.lower()}s_refused"] += 1
        shown = {
            name: value.hex() if isinstance(value, bytes) else value
            for name, value in what._asdict().items()
        }
        log.error(f"{type(what).__name__.lower()} refused", reason=str(refusal), **shown)

    async def _prepare(self, connection: Connection) -> None:
        """Sets up what flows refer to, and hears of others' changes from then on."""
        if missing := await missing_groundwork(connection):
            await connection.confirm([each.message for each in missing])
        self._changed_tables.clear()
        try:
            await connection.monitor_flows(self._flow_changed)
        except RequestRefusedError as refusal:
            self.is_monitored = False
            log.warning("the switch doesn't tell of changed flows", reason=str(refusal))
        else:
            self.is_monitored = True

    def _flow_changed(self, update: FlowUpdate) -> None:
        if update.table not in self._changed_tables:
            self._changed_tables.add(update.table)
            self._on_change()

    def _came(self, connection: Connection) -> None:
        self._connection = connection
        self._health.counters["switch_connections"] += 1
        self._health.clear("switch")
        self._on_change()

    def _went(self) -> None:
        self._connection = None
        self.is_known = False
        self.is_monitored = False
        self._on_change()


async def _encode(steps: list[Step]) -> list[bytes]:
    """The messages of the steps; other tasks get their turn between some of them."""
    encoded: list[bytes] = []
    for start in range(0, len(steps), _ENCODED_AT_ONCE):
        encoded += [step.message for step in steps[start : start + _ENCODED_AT_ONCE]]
        await asyncio.sleep(0)
    return encoded


def _touched(changes: Changes) -> Iterator[RefusedKey]:
    """The keys of everything that comes, goes or changes."""
    for flow in (*changes.removed, *changes.added):
        yield flow.key
    for group in (*changes.groups.removed, *(after for _, after in changes.groups.put)):
        yield "group", group.number
    for meter in (*changes.meters.removed, *(after for _, after in changes.meters.put)):
        yield "meter", meter.number


def _refused_key(what: Flow | Group | Meter) -> RefusedKey:
    match what:
        case Flow():
            return what.key
        case Group():
            return "group", what.number
        case Meter():
            return "meter", what.number


def _references(what: Flow | Group) -> set[RefusedKey]:
    """The keys of the objects to which a flow or the buckets of a group refer."""
    if isinstance(what, Flow):
        found = references_of_flow(what.instructions)
    else:
        found = references_of_buckets(what.buckets)
    keys: set[RefusedKey] = {("group", number) for number in found.groups}
    return keys | {("meter", number) for number in found.meters}


def _put_meter(before: Meter | None, after: Meter) -> bytes:
    command = messages.MeterCommand.ADD if before is None else messages.MeterCommand.MODIFY
    return messages.meter_mod(
        command, after.number, rate=after.rate, burst=after.burst, packets=after.packets
    )
