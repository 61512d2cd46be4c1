"""What the ports of a chassis reach: datapaths, and the sets that their flows are made from.

A packet of a bound port can get to each switch and router that hangs together with the
port's switch through patch ports. So datapaths fall into *components*, and a chassis
reaches those in which it has a port, or may be elected to have one. A set (address set or
port group) is reached with a datapath whose flows name it.

Kept row by row, since it decides about every subscription and learned address. Joining
two components moves the smaller one, and parting them walks no further than the smaller
of the two, so a change costs what it changes. What is returned may name more than really
changed, never less: listeners ask anew.

Pure: rows in, changes out.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from logical_flow.backends import BACKENDS_SIGIL
from logical_flow.lexer import SET_PATTERN, STRING_PATTERN
from southbound.rows import FlowGroup, PortBinding, Row, RowId

ChassisName: TypeAlias = str
DatapathId: TypeAlias = str


_FEW: Final = 64

_MAYBE_SET: Final = re.compile(rb"[$@&][A-Za-z0-9_.]")
"""What stands in every payload that names a set, and in few that don't: bytes of addresses
and numbers are sigils by chance more often."""


class ReachChange(NamedTuple):
    """These chassis may reach these datapaths now, or may no longer.

    `sets` are those that flows on the datapaths name; None where these are too many to tell.
    """

    chassis: Collection[ChassisName]
    datapaths: Collection[DatapathId]
    sets: Collection[str] | None


class ReachChanges(NamedTuple):
    """What came of a change of rows. `sets` are named by other datapaths than before."""

    reach: list[ReachChange]
    sets: set[str]


class _Component:
    """Datapaths that hang together, with how many ports each chassis has in them."""

    __slots__ = ("chassis", "datapaths")

    def __init__(self, datapaths: Iterable[DatapathId]) -> None:
        self.datapaths = set(datapaths)
        self.chassis: Counter[ChassisName] = Counter()


class _Place(NamedTuple):
    """What a port row says here: which chassis have it or may, and what it leads to."""

    datapath: DatapathId
    chassis: tuple[ChassisName, ...]
    peer: DatapathId


class Reach:
    """What each chassis reaches, as of the rows taken."""

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}
        self._links: dict[DatapathId, Counter[DatapathId]] = {}
        self._chassis: dict[DatapathId, Counter[ChassisName]] = {}
        self._components: dict[DatapathId, _Component] = {}
        self._groups: dict[str, tuple[DatapathId, frozenset[str]]] = {}
        self._users: dict[str, Counter[DatapathId]] = {}
        self._named: dict[DatapathId, Counter[str]] = {}

    def reaches(self, chassis: ChassisName, datapath: DatapathId) -> bool:
        component = self._components.get(datapath)
        return component is not None and chassis in component.chassis

    def uses(self, chassis: ChassisName, set_name: str) -> bool:
        """Whether flows on a datapath that the chassis reaches name the set (with its sigil)."""
        return any(self.reaches(chassis, datapath) for datapath in self._users.get(set_name, ()))

    def take(self, puts: Iterable[Row], deletes: Iterable[RowId]) -> ReachChanges:
        """Rows that are there now, and ids of rows that are gone."""
        changes = ReachChanges([], set())
        for table, key in deletes:
            if table == PortBinding.table:
                self._put_port(key, None, changes)
            elif table == FlowGroup.table:
                self._put_group(key, "", frozenset(), changes)
        for row in puts:
            if isinstance(row, PortBinding):
                peer = row.peer_datapath if row.joins_datapaths else ""
                chassis = row.electorate or row.all_chassis
                self._put_port(row.id, _Place(row.datapath, chassis, peer), changes)
            elif isinstance(row, FlowGroup):
                self._put_group(row.key, row.datapath, sets_named(row.payload), changes)
        return changes

    def _change(
        self, chassis: Collection[ChassisName], datapaths: Collection[DatapathId]
    ) -> ReachChange:
        sets = None
        if len(datapaths) <= _FEW:
            sets = {name for datapath in datapaths for name in self._named.get(datapath, ())}
        return ReachChange(chassis, datapaths, sets)

    # --- ports

    def _put_port(self, key: str, place: _Place | None, changes: ReachChanges) -> None:
        before = self._places.get(key)
        if before == place:
            return
        if place is None:
            del self._places[key]
        else:
            self._places[key] = place
            if place.peer:
                self._link(place.datapath, place.peer, changes)
            for chassis in place.chassis:
                self._bind(place.datapath, chassis, changes)
        if before is not None:
            for chassis in before.chassis:
                self._unbind(before.datapath, chassis, changes)
            if before.peer:
                self._unlink(before.datapath, before.peer, changes)

    def _bind(self, datapath: DatapathId, chassis: ChassisName, changes: ReachChanges) -> None:
        _count_up(self._chassis, datapath, chassis)
        component = self._component(datapath)
        component.chassis[chassis] += 1
        if component.chassis[chassis] == 1:
            changes.reach.append(self._change((chassis,), tuple(component.datapaths)))

    def _unbind(self, datapath: DatapathId, chassis: ChassisName, changes: ReachChanges) -> None:
        _count_down_in(self._chassis, datapath, chassis)
        component = self._components[datapath]
        if _count_down(component.chassis, chassis):
            changes.reach.append(self._change((chassis,), tuple(component.datapaths)))
        self._drop_if_alone(datapath)

    # --- links

    def _link(self, one: DatapathId, other: DatapathId, changes: ReachChanges) -> None:
        """One more patch port between two datapaths, in either direction."""
        if one == other:
            return
        _count_up(self._links, one, other)
        _count_up(self._links, other, one)
        small, large = self._component(one), self._component(other)
        if small is large:
            return
        if len(small.datapaths) > len(large.datapaths):
            small, large = large, small
        changes.reach.append(self._change(tuple(large.chassis), tuple(small.datapaths)))
        changes.reach.append(self._change(tuple(small.chassis), tuple(large.datapaths)))
        large.datapaths |= small.datapaths
        large.chassis.update(small.chassis)
        self._components.update(dict.fromkeys(small.datapaths, large))

    def _unlink(self, one: DatapathId, other: DatapathId, changes: ReachChanges) -> None:
        if one == other:
            return
        _count_down_in(self._links, one, other)
        _count_down_in(self._links, other, one)
        if other not in self._links.get(one, ()):
            parted = self._parted(one, other)
            if parted is not None:
                self._part(self._components[one], parted, changes)
        for datapath in (one, other):
            self._drop_if_alone(datapath)

    def _parted(self, one: DatapathId, other: DatapathId) -> set[DatapathId] | None:
        """The smaller of the two parts that two datapaths are in; None if it is one.

        Both are walked in turns, until the walks meet or one of them has nowhere to go.
        """
        walk, across = _Walk(one), _Walk(other)
        while walk.todo:
            for peer in self._links.get(walk.todo.pop(), ()):
                if peer in across.found:
                    return None
                walk.reach(peer)
            walk, across = across, walk
        return walk.found

    def _part(self, component: _Component, parted: set[DatapathId], changes: ReachChanges) -> None:
        part = _Component(parted)
        for datapath in parted:
            part.chassis.update(self._chassis.get(datapath, {}))
        component.datapaths -= parted
        for chassis, ports in part.chassis.items():
            component.chassis[chassis] -= ports
            if not component.chassis[chassis]:
                del component.chassis[chassis]
        self._components.update(dict.fromkeys(parted, part))
        changes.reach.append(self._change(tuple(component.chassis), parted))
        changes.reach.append(self._change(tuple(part.chassis), tuple(component.datapaths)))

    def _component(self, datapath: DatapathId) -> _Component:
        component = self._components.get(datapath)
        if component is None:
            component = self._components[datapath] = _Component((datapath,))
        return component

    def _drop_if_alone(self, datapath: DatapathId) -> None:
        if datapath not in self._links and datapath not in self._chassis:
            self._components.pop(datapath, None)

    # --- sets

    def _put_group(
        self, key: str, datapath: DatapathId, sets: frozenset[str], changes: ReachChanges
    ) -> None:
        before, named = self._groups.get(key, ("", frozenset()))
        if (before, named) == (datapath, sets):
            return
        for name in sets:
            _count_up(self._users, name, datapath)
            _count_up(self._named, datapath, name)
        for name in named:
            _count_down_in(self._users, name, before)
            _count_down_in(self._named, before, name)
        if sets:
            self._groups[key] = (datapath, sets)
        else:
            self._groups.pop(key, None)
        changes.sets.update(sets ^ named if before == datapath else sets | named)


class _Walk:
    """A walk along links: what it found, and from where it has to go on."""

    def __init__(self, start: DatapathId) -> None:
        self.found = {start}
        self.todo = [start]

    def reach(self, datapath: DatapathId) -> None:
        if datapath not in self.found:
            self.found.add(datapath)
            self.todo.append(datapath)


def sets_named(payload: bytes) -> frozenset[str]:
    """The sets, with their sigils, that a flow group's arguments name.

    They are arguments themselves, as those of backends always are, or stand in the text of a match.

    >>> match = 'ip4.src == $db && eth.src == "@"'
    >>> payload = msgspec.msgpack.encode([[7, "$web", 65], [8, match], [9, "&lb"]])
    >>> sorted(sets_named(payload))
    ['$db', '$web', '&lb']
    """
    if _MAYBE_SET.search(payload) is None:
        return frozenset()
    try:
        return frozenset(_names(msgspec.msgpack.decode(payload)))
    except msgspec.DecodeError:
        return frozenset()  # No agent can read it either, so there is nothing to need sets for.


def _names(value: Any) -> Iterator[str]:
    lists = [[value]]
    while lists:
        for inner in lists.pop():
            if isinstance(inner, str):
                if inner.startswith(BACKENDS_SIGIL):
                    yield inner
                elif "$" in inner or "@" in inner:
                    text = STRING_PATTERN.sub("", inner)
                    yield from (found[0] for found in SET_PATTERN.finditer(text))
            elif isinstance(inner, list):
                lists.append(inner)


def _count_up(counters: dict[str, Counter[str]], key: str, inner: str) -> None:
    counters.setdefault(key, Counter())[inner] += 1


def _count_down_in(counters: dict[str, Counter[str]], key: str, inner: str) -> None:
    counter = counters[key]
    if _count_down(counter, inner) and not counter:
        del counters[key]


def _count_down(counter: Counter[str], key: str) -> bool:
    """Whether that was the last one."""
    counter[key] -= 1
    if counter[key]:
        return False
    del counter[key]
    return True
