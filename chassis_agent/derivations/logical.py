"""Flows of flow groups: templates compiled once, arguments packed."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from chassis_agent.compile import (
    FlowsBySet,
    Lack,
    MissingQueueError,
    PackContext,
    StageBook,
    UnknownPortError,
    Unresolved,
    UsedStages,
    pack_group,
)
from chassis_agent.compile.hits import counting_group
from chassis_agent.derivations.backends import in_use
from chassis_agent.derivations.placement import Placement, placement
from chassis_agent.derivations.stages import used_stages
from chassis_agent.derivations.templates import EVERYTHING, compiled_templates, stage_book
from chassis_agent.derivations.variables import set_members, value_here
from chassis_agent.desired.flow import Flow
from chassis_agent.desired.identity import DEFAULT_QUEUE, Numbering
from chassis_agent.desired.objects import Group, Meter, Queue
from chassis_agent.inputs import NeighbourAlive, SwitchPort
from chassis_agent.openflow.messages import Bucket, GroupType, SwitchGroup
from incremental import Read
from southbound.rows import BfdStatus, Datapath, FlowGroup, VirtualAddress


class GroupFlows(NamedTuple):
    """What a flow group is on this chassis.

    `waiting` are ports and queues that flows name and that aren't there yet, `sets` the
    address sets and port groups whose members the flows were made from, `groups`,
    `meters` and `queues` those that flows refer to. What is a flow for each member, whatever the
    others, is in `by_set`, and made by :meth:`GroupPacker.member_flows`. `lacks` say why
    some flows are not what they should be.
    """

    datapath: str
    flows: tuple[Flow, ...]
    waiting: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()
    meters: tuple[Meter, ...] = ()
    by_set: tuple[FlowsBySet, ...] = ()
    lacks: tuple[Lack, ...] = ()
    queues: tuple[Queue, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    """Variables that some flows aren't there for."""
    hit_counter: int = 0
    """The number of the group that counts what the ACL decides; 0 if there is none."""


class GroupPacker:
    """Packs flow groups; `numbering` gives numbers to what their flows refer to."""

    def __init__(self, numbering: Numbering) -> None:
        self._numbering = numbering

    def group_flows(self, read: Read, key: int) -> GroupFlows | None:
        """The flows of a group, once its datapath is known."""
        group = read(FlowGroup, key)
        datapath = None if group is None else read(Datapath, group.datapath)
        stages = None if group is None else read(used_stages, group.datapath)
        book = read(stage_book, (EVERYTHING, EVERYTHING))
        if group is None or datapath is None or stages is None or book is None:
            return None
        around = _Surroundings(read, datapath.id, self._numbering, group)
        context = around.context(datapath.tunnel_key, stages, book)
        packed = pack_group(group, compiled_templates(read), context)
        sets = around.sets.union(each.set for each in packed.by_set)
        return GroupFlows(
            datapath.id,
            tuple(packed.flows),
            tuple(sorted(packed.waiting_for)),
            tuple(sorted(sets)),
            tuple(sorted(around.groups)),
            tuple(sorted(around.meters)),
            tuple(packed.by_set),
            tuple(sorted(packed.lacks)),
            tuple(sorted(around.queues)),
            tuple(sorted(packed.unresolved)),
            around.counter,
        )

    def groups_by_set(self, key: int, group: GroupFlows) -> Iterator[tuple[str, int]]:
        """The flow groups that have flows for each member of a set, by set."""
        for each in group.by_set:
            yield each.set, key

    def member_flows(self, read: Read, pair: tuple[str, str]) -> Iterator[Flow]:
        """Yield the flows of one member of a set, of all groups that use the set."""
        name, member = pair
        packer = MemberPacker(read)
        for key in read.members(self.groups_by_set, name):
            group = read(self.group_flows, key)
            if group is not None:
                yield from packer.flows(group, name, member)


class MemberPacker:
    """Packs the flows of members of sets. Use it only as long as what it reads stays as it is.

    A member is asked for by many groups of few datapaths, so what surrounds these is kept.
    """

    __slots__ = ("_contexts", "_read")

    def __init__(self, read: Read) -> None:
        self._read = read
        self._contexts: dict[tuple[str, int], PackContext] = {}

    def flows(self, group: GroupFlows, name: str, member: str) -> Iterator[Flow]:
        """Yield the flows that a group has for one member of the set `name`."""
        for each in group.by_set:
            if each.set == name:
                flow = each.flow(member, self._context(group.datapath, each.datapath_key))
                if flow is not None:
                    yield flow

    def _context(self, datapath: str, datapath_key: int) -> PackContext:
        context = self._contexts.get((datapath, datapath_key))
        if context is None:
            around = _Surroundings(self._read, datapath, _NO_NUMBERS)
            context = around.context(datapath_key, _NO_STAGES, _NO_BOOK)
            self._contexts[datapath, datapath_key] = context
        return context


# What matches never ask for; actions are filled in already.
_NO_STAGES = UsedStages("", ())
_NO_BOOK = StageBook.of(())


def _no_number(_description: bytes) -> int:
    raise RuntimeError("a member of a set has no conjunction, group, meter or queue of its own")


_NO_NUMBERS = Numbering(_no_number, _no_number, _no_number, _no_number)


class _Surroundings:
    """What packing asks for, answered by recorded reads. A group names few ports, often."""

    __slots__ = (
        "_datapath",
        "_group",
        "_numbering",
        "_places",
        "_read",
        "counter",
        "groups",
        "meters",
        "queues",
        "sets",
    )

    def __init__(
        self, read: Read, datapath: str, numbering: Numbering, group: FlowGroup | None = None
    ) -> None:
        self._read = read
        self._datapath = datapath
        self._group = group
        self.counter = 0
        self._places: dict[str, Placement | None] = {}
        self._numbering = numbering
        self.sets: set[str] = set()
        self.groups: set[Group] = set()
        self.meters: set[Meter] = set()
        self.queues: set[Queue] = set()

    def context(self, datapath_key: int, stages: UsedStages, book: StageBook) -> PackContext:
        """These surroundings as packing takes them."""
        return PackContext(
            datapath_key=datapath_key,
            stages=stages,
            book=book,
            port_key=self.port_key,
            port_key_here=self.port_key_here,
            is_local=self.is_local,
            is_resident=self.is_resident,
            is_alive=self.is_alive,
            variable=value_here(self._read),
            members=self.members,
            is_known=self.is_known,
            conjunction_id=self._numbering.conjunction,
            select_group=self.select_group,
            rate_meter=self.rate_meter,
            packet_meter=self.packet_meter,
            rate_queue=self.rate_queue,
            hit_counter=self.hit_counter,
        )

    def port_key(self, name: str) -> int:
        place = self._places.get(name) or self._place(name)
        if place is None:
            raise UnknownPortError(name)
        return place.port_key

    def port_key_here(self, name: str) -> int | None:
        place = self._place(name)
        return None if place is None or place.datapath != self._datapath else place.port_key

    def is_local(self, name: str) -> bool:
        place = self._places.get(name) or self._place(name)
        return place is not None and place.is_local

    def is_alive(self, session: str) -> bool:
        """By what is seen from here where the session is run here, else by what its chassis says.

        Of a session of which nothing is known, the neighbour isn't.
        """
        seen = self._read(NeighbourAlive, session)
        if seen is not None:
            return seen.alive
        status = self._read(BfdStatus, session)
        return status is not None and status.state == "up"

    def is_resident(self, name: str) -> bool:
        place = self._places.get(name) or self._place(name)
        return place is not None and place.is_resident

    def members(self, name: str) -> tuple[str, ...]:
        self.sets.add(name)
        return in_use(self._read, name, self._read.members(set_members, name))

    def is_known(self, name: str) -> bool:
        return self._read(VirtualAddress, name) is not None

    def select_group(self, description: bytes, buckets: Sequence[Bucket], fields: bytes) -> int:
        number = self._numbering.group(description)
        group = SwitchGroup(
            number,
            GroupType.SELECT,
            buckets,
            selection_method="hash" if fields else "dp_hash",
            selection_fields=fields,
        )
        self.groups.add(Group.of(group))
        return number

    def rate_meter(self, description: bytes, rate: int, burst: int) -> int:
        number = self._numbering.meter(description)
        self.meters.add(Meter(number, packets=False, rate=rate, burst=burst))
        return number

    def packet_meter(self, description: bytes, rate: int, burst: int) -> int:
        number = self._numbering.meter(description)
        self.meters.add(Meter(number, packets=True, rate=rate, burst=burst))
        return number

    def rate_queue(self, description: bytes, port: str, rate: int, burst: int) -> int:
        plugged = self._read(SwitchPort, port)
        if plugged is None:
            return DEFAULT_QUEUE
        number = self._numbering.queue(description)
        self.queues.add(Queue(number, port, rate, burst))
        if number not in plugged.queues:
            raise MissingQueueError(port, number)
        return number

    def hit_counter(self) -> int:
        if not self.counter:
            group = self._group
            if group is None:
                raise RuntimeError("members of sets have no counter of their own")
            description = repr(("hits", group.datapath, group.cause_kind, group.cause_id))
            self.counter = self._numbering.group(description.encode())
            self.groups.add(Group.of(counting_group(self.counter)))
        return self.counter

    def _place(self, name: str) -> Placement | None:
        try:
            return self._places[name]
        except KeyError:
            place = self._places[name] = self._read(placement, name)
            return place


def hit_counters(key: int, group: GroupFlows) -> Iterator[tuple[str, tuple[int, int]]]:
    """Everything -> the flow groups of ACLs, each with the number of what counts for it."""
    if group.hit_counter:
        yield EVERYTHING, (key, group.hit_counter)


def used_sets(_key: int, group: GroupFlows) -> Iterator[tuple[str, str]]:
    """The sets that flows of this chassis are made from: what to subscribe to."""
    for name in group.sets:
        yield EVERYTHING, name
