"""The flows that this chassis wants, kept current: changes in, flow changes out. Pure.

:class:`FlowState` joins the incremental engine, which says what each flow group,
port, chassis, … wants, with the desired table, which settles what the switch
gets when several want the same flow.
"""

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from typing import Any, Final

from chassis_agent.compile import Lack
from chassis_agent.derivations.logical import (
    GroupFlows,
    MemberPacker,
    hit_counters,
)
from chassis_agent.derivations.placement import residents
from chassis_agent.derivations.reach import network_out_of_reach
from chassis_agent.derivations.templates import stage_book, template_shelf
from chassis_agent.derivations.variables import set_members, unresolved_variables
from chassis_agent.desired.flow import Flow, FlowKey
from chassis_agent.desired.flows import Changes, DesiredTable
from chassis_agent.desired.identity import (
    FIRST_GROUP,
    FIRST_METER,
    FIRST_QUEUE,
    LAST_GROUP,
    LAST_METER,
    LAST_QUEUE,
    Numbering,
    StableNumbers,
)
from chassis_agent.desired.news import News
from chassis_agent.desired.objects import (
    DesiredObjects,
    Group,
    Meter,
    ObjectChanges,
    Queue,
    compare_objects,
)
from chassis_agent.desired.wanted import Wanted
from chassis_agent.gateways.election import watched_chassis
from chassis_agent.graph import wire
from chassis_agent.inputs import Change, LocalPort, Zone
from chassis_agent.openflow.references import references_of_flow
from chassis_agent.ovsdb.rows import WantedRow
from chassis_agent.punt.meters import PuntMeter, punt_meters
from chassis_agent.show import Names, format_flow
from incremental import Delta, Engine, Read, run_steps
from southbound.rows import Datapath, PortBinding

WORK_AT_ONCE: Final = 64
"""Rows, or runs of derivations, that are worked on between two pauses: a few milliseconds."""

Owner = tuple[Any, Any]
"""A derivation, and the key of which it stated something."""

_AGENT: Final = "agent"
"""The owner of the meters in front of the agent, to which flows of all kinds refer."""


class FlowState:
    """Everything between rows and flows."""

    def __init__(self, conjunction_id: Callable[[bytes], int]) -> None:
        self._group_numbers = StableNumbers(FIRST_GROUP, LAST_GROUP)
        self._meter_numbers = StableNumbers(FIRST_METER, LAST_METER)
        self._queue_numbers = StableNumbers(FIRST_QUEUE, LAST_QUEUE)
        self._wiring = wire(
            Numbering(
                conjunction_id,
                self._group_numbers.allocate,
                self._meter_numbers.allocate,
                self._queue_numbers.allocate,
            )
        )
        self._engine = Engine(self._wiring.graph)
        self._desired = DesiredTable()
        self._groups: DesiredObjects[Group] = DesiredObjects()
        self._meters: DesiredObjects[Meter] = DesiredObjects()
        self._meters.replace(_AGENT, map(PuntMeter.as_object, punt_meters()))
        self._queues: DesiredObjects[Queue] = DesiredObjects()
        self._rows: dict[Owner, tuple[WantedRow, ...]] = {}
        self._owners_with_new_rows: dict[Owner, None] = {}
        self.incomplete: dict[int, tuple[str, ...]] = {}
        """Flow groups of which flows wait for ports or queues, with the names of these."""
        self._lacks: dict[int, tuple[Lack, ...]] = {}
        self.news = News()
        """What others than the switch are to be told of changes."""

    def __len__(self) -> int:
        return len(self._desired)

    def __iter__(self) -> Iterator[Flow]:
        return iter(self._desired)

    @property
    def groups(self) -> Collection[Group]:
        """The OpenFlow groups that flows refer to."""
        return tuple(self._groups)

    @property
    def meters(self) -> Collection[Meter]:
        """The OpenFlow meters that flows refer to."""
        return tuple(self._meters)

    @property
    def queues(self) -> Collection[Queue]:
        """The queues that flows choose."""
        return tuple(self._queues)

    @property
    def clashes(self) -> dict[FlowKey, list[Flow]]:
        """The flows that owners want differently, the winner first."""
        return self._desired.clashes

    @property
    def object_clashes(self) -> list[str]:
        """The groups, meters and queues that owners want differently, in words."""
        return [
            f"{kind} {number}"
            for kind, clashes in (
                ("group", self._groups.clashes),
                ("meter", self._meters.clashes),
                ("queue", self._queues.clashes),
            )
            for number in clashes
        ]

    @property
    def failures(self) -> list[str]:
        """Derivations that raised: bugs, one line each."""
        return [
            f"{failure.node} of {failure.key}: {failure.error}"
            for failure in self._engine.failures.values()
        ]

    @property
    def lacks(self) -> list[Lack]:
        """Why flows of some templates aren't what they should be, each reason once.

        In their place is what their stages declare.
        """
        return sorted({lack for lacks in self._lacks.values() for lack in lacks})

    @property
    def unresolved(self) -> list[str]:
        """What variables of this chassis lack for flows to be there, a sentence each."""
        found = sorted({each for _, each in self._engine.rows(unresolved_variables)})
        return [f"^{variable}: {reason}" for variable, reason in found]

    @property
    def has_templates(self) -> bool:
        """Whether there is any template that was understood: without, no group can have flows."""
        return any(self._engine.rows(template_shelf).values())

    @property
    def hit_counters(self) -> dict[int, int]:
        """The numbers of the groups that count for ACLs, with the flow groups that they are of."""
        return {number: group for _, (group, number) in self._engine.rows(hit_counters)}

    @property
    def watched(self) -> frozenset[str]:
        """The chassis that may be in charge of ports here, where others may be as well."""
        return frozenset(name for name, _ in self._engine.rows(watched_chassis))

    @property
    def residents(self) -> frozenset[str]:
        """The elected ports that are on this chassis."""
        return frozenset(name for _, name in self._engine.rows(residents))

    def pack(self, read: Read, group: int) -> tuple[Flow, ...]:
        """The flows that a flow group would be, were the rows what `read` says."""
        packed: GroupFlows | None = self._wiring.group_flows(read, group)
        if packed is None:
            return ()
        flows = [*packed.flows]
        packer = MemberPacker(read)
        for name in dict.fromkeys(each.set for each in packed.by_set):
            for member in read.members(set_members, name):
                flows += packer.flows(packed, name, member)
        return tuple(flows)

    @property
    def networks_out_of_reach(self) -> frozenset[str]:
        """The provider networks that this host needs, and to which it has no bridge."""
        networks = self._engine.rows(network_out_of_reach).values()
        return frozenset(network for network in networks if network is not None)

    def rows(self, table: Any) -> Mapping[Any, Any]:
        return self._engine.rows(table)

    def members(self, group: Any, key: Any) -> tuple[Any, ...]:
        """What belongs to a key of a group of the graph."""
        return self._engine.members(group, key)

    def apply(self, changes: Iterable[Change]) -> Delta:
        """Takes changes of rows and facts; :meth:`take_changes` gives what comes of them."""
        return run_steps(self.steps(changes))

    def steps(self, changes: Iterable[Change]) -> Generator[None, None, Delta]:
        """Do what `apply` does, with a pause wherever :data:`WORK_AT_ONCE` is done.

        In the pauses the state is neither before nor after the changes.
        """
        delta = yield from self._engine.steps(changes, WORK_AT_ONCE)
        for number, (key, change) in enumerate(delta.of(self._wiring.group_flows).items(), 1):
            if number % WORK_AT_ONCE == 0:
                yield
            group = change.after
            self._desired.replace((self._wiring.group_flows, key), group.flows if group else ())
            self._groups.replace((self._wiring.group_flows, key), group.groups if group else ())
            self._meters.replace((self._wiring.group_flows, key), group.meters if group else ())
            self._queues.replace((self._wiring.group_flows, key), group.queues if group else ())
            self._note_waiting(key, group.waiting if group else ())
            self._note_lacks(key, group.lacks if group else ())
        for source in self._wiring.flow_sources:
            for number, (key, change) in enumerate(delta.of(source).items(), 1):
                if number % WORK_AT_ONCE == 0:
                    yield
                self._desired.replace((source, key), change.after or ())
        for source in self._wiring.object_sources:
            for key, change in delta.of(source).items():
                wanted: Wanted = change.after or Wanted()
                self._desired.replace((source, key), wanted.flows)
                self._groups.replace((source, key), wanted.groups)
                self._meters.replace((source, key), wanted.meters)
                self._want_rows((source, key), wanted.rows)
        self.news.note(delta)
        return delta

    def _want_rows(self, owner: Owner, rows: tuple[WantedRow, ...]) -> None:
        if self._rows.get(owner, ()) != rows:
            self._owners_with_new_rows[owner] = None
        if rows:
            self._rows[owner] = rows
        else:
            self._rows.pop(owner, None)

    def take_row_changes(self) -> dict[Owner, tuple[WantedRow, ...]]:
        """Return what owners want of the database whose rows changed since the last call.

        An owner without rows wants none any more.
        """
        owners, self._owners_with_new_rows = self._owners_with_new_rows, {}
        return {owner: self._rows.get(owner, ()) for owner in owners}

    def _note_waiting(self, group: int, ports: tuple[str, ...]) -> None:
        if ports:
            self.incomplete[group] = ports
        else:
            self.incomplete.pop(group, None)

    def _note_lacks(self, group: int, lacks: tuple[Lack, ...]) -> None:
        if lacks:
            self._lacks[group] = lacks
        else:
            self._lacks.pop(group, None)

    def take_changes(self) -> Changes:
        """What changed since the last call, of flows and objects."""
        groups, meters = self._take_object_changes()
        return self._desired.take_changes()._replace(groups=groups, meters=meters)

    def _take_object_changes(self) -> tuple[ObjectChanges[Group], ObjectChanges[Meter]]:
        """What changed of objects since the last call; the numbers of those that went are free."""
        for group in self._groups.gone:
            self._group_numbers.release(group.number)
        for meter in self._meters.gone:
            self._meter_numbers.release(meter.number)
        for queue in self._queues.gone:
            self._queue_numbers.release(queue.number)
        self._queues.take_changes()
        return self._groups.take_changes(), self._meters.take_changes()

    def difference(
        self,
        installed: Iterable[Flow],
        groups: Iterable[Group] = (),
        meters: Iterable[Meter] = (),
    ) -> Changes:
        """What brings a switch that holds these to what is wanted; see the table's.

        Forgets gathered changes: they are part of the difference.
        """
        self._take_object_changes()
        return self._desired.difference(installed)._replace(
            groups=self._groups.difference(groups), meters=self._meters.difference(meters)
        )

    def object_difference(self, groups: Iterable[Group], meters: Iterable[Meter]) -> Changes:
        """What brings the groups and meters of a switch to what is wanted.

        Gathered changes stay: this is about a switch that has had them, and was changed by others.
        """
        return Changes(
            [], [], groups=self._groups.difference(groups), meters=self._meters.difference(meters)
        )

    def difference_within(
        self, installed: Iterable[Flow], is_within: Callable[[Flow], bool]
    ) -> Changes:
        """What brings a part of the switch to what is wanted there; see the table's."""
        return self._desired.difference_within(installed, is_within)

    def self_check(self) -> list[str]:
        """Compares with a full recomputation from the same inputs; empty when equal."""
        return run_steps(self.self_check_steps())

    def self_check_steps(self) -> Generator[None, None, list[str]]:
        """Do what `self_check` does, with pauses, in which nothing may be changed."""
        differences = yield from self._engine.difference_steps(WORK_AT_ONCE)
        found = [
            f"{node} of {key}: is {is_}, should be {should}"
            for node, key, is_, should in differences
        ]
        again = DesiredTable()
        wiring = self._wiring
        for source in (wiring.group_flows, *wiring.flow_sources, *wiring.object_sources):
            for number, (key, value) in enumerate(self._engine.rows(source).items(), 1):
                if number % WORK_AT_ONCE == 0:
                    yield
                again.replace((source, key), getattr(value, "flows", value))
        found += self.compare(again, self._desired, "recomputed", "kept")
        return found + self._check_objects()

    def compare_objects(
        self,
        groups: Iterable[Group],
        meters: Iterable[Meter],
        refused: Collection[tuple[object, ...]] = (),
    ) -> list[str]:
        """The differences of the objects of a switch from those that are wanted, a line each.

        `refused` are the keys of what the switch would not take, such as ``("group", 7)``.
        """
        wanted_groups = [each for each in self._groups if ("group", each.key) not in refused]
        wanted_meters = [each for each in self._meters if ("meter", each.key) not in refused]
        found = compare_objects(wanted_groups, groups, "wanted", "in the switch")
        return found + compare_objects(wanted_meters, meters, "wanted", "in the switch")

    def _check_objects(self) -> list[str]:
        """Objects and rows that aren't as their owners state them, or that nothing states."""
        queues: DesiredObjects[Queue] = DesiredObjects()
        rows: dict[Owner, tuple[WantedRow, ...]] = {}
        groups: DesiredObjects[Group] = DesiredObjects()
        meters: DesiredObjects[Meter] = DesiredObjects()
        meters.replace(_AGENT, map(PuntMeter.as_object, punt_meters()))
        group_flows = self._wiring.group_flows
        for key, group in self._engine.rows(group_flows).items():
            groups.replace((group_flows, key), group.groups)
            meters.replace((group_flows, key), group.meters)
            queues.replace((group_flows, key), group.queues)
        for source in self._wiring.object_sources:
            for key, value in self._engine.rows(source).items():
                groups.replace((source, key), value.groups)
                meters.replace((source, key), value.meters)
                if value.rows:
                    rows[source, key] = value.rows
        found = compare_objects(groups, self._groups, "recomputed", "kept")
        found += compare_objects(meters, self._meters, "recomputed", "kept")
        found += compare_objects(queues, self._queues, "recomputed", "kept")
        found += [
            f"rows of {owner[0].__name__} {owner[1]} are not those that were recomputed"
            for owner in dict.fromkeys((*rows, *self._rows))
            if rows.get(owner) != self._rows.get(owner)
        ]
        for flow in self._desired:
            references = references_of_flow(flow.instructions)
            found += [
                f"a flow of {flow.cookie:#x} refers to {kind} {number}, which is not wanted"
                for kind, numbers, objects in (
                    ("group", references.groups, groups),
                    ("meter", references.meters, meters),
                )
                for number in sorted(numbers)
                if number not in objects
            ]
        return found

    def compare(
        self, wanted: Iterable[Flow], present: Iterable[Flow], wanted_name: str, present_name: str
    ) -> list[str]:
        """The differences of two sets of flows, a line each, by name."""
        one = {flow.key: flow for flow in wanted}
        other = {flow.key: flow for flow in present}
        differing = [key for key in one.keys() | other.keys() if one.get(key) != other.get(key)]
        if not differing:
            return []
        names = self.names()

        def text(flow: Flow | None) -> str:
            return "nothing" if flow is None else f"{format_flow(flow, names)} {flow.cookie:#x}"

        return [
            f"{wanted_name}: {text(one.get(key))}; {present_name}: {text(other.get(key))}"
            for key in sorted(differing)
        ]

    def names(self) -> Names:
        """Names for the numbers in flows."""
        books = self._engine.rows(stage_book)
        datapaths = self.rows(Datapath)
        ports = self.rows(PortBinding)
        return Names(
            stages=next((book.names() for book in books.values()), {}),
            kinds={row.tunnel_key: row.kind for row in datapaths.values()},
            datapaths={row.tunnel_key: row.name for row in datapaths.values()},
            ports={
                (datapaths[row.datapath].tunnel_key, row.tunnel_key): name
                for name, row in ports.items()
                if row.datapath in datapaths
            },
            interfaces={
                local.ofport: name for name, local in self.rows(LocalPort).items() if not local.tag
            },
            zones={zone.number: name for name, zone in self.rows(Zone).items()},
        )
