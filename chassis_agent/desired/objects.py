"""What a switch should hold beside flows: groups and meters, by who wants them. Pure.

Flows refer to groups and meters by number, so these are *objects* of their own: a key, a
value, and owners. An owner (a flow group, a multicast group, this chassis) states all
objects that it wants beside its flows, and takes them back in the same breath;
:class:`DesiredObjects` counts the claims. An object exists while it has an owner. Where
owners state different values under one key they clash: the first in the order of their texts
wins, in whatever order they came, and the clash is listed.

The same three operations serve every kind of object, those of the Open vSwitch database
included: changes since the last call, difference to what is there, and what clashes.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Generic, NamedTuple, Protocol, TypeVar

from chassis_agent.openflow.errors import EncodingError
from chassis_agent.openflow.messages import MAX_GROUP_BYTES, SwitchGroup


class Keyed(Protocol):
    """An object with a key under which the switch has at most one."""

    @property
    def key(self) -> Hashable: ...


ObjectT = TypeVar("ObjectT", bound=Keyed)


class Group(NamedTuple):
    """An OpenFlow group; `buckets` and `properties` are the bytes that the switch echoes."""

    number: int
    kind: int
    buckets: bytes
    properties: bytes = b""

    @property
    def key(self) -> int:
        return self.number

    @classmethod
    def of(cls, group: SwitchGroup) -> "Group":
        """The group in encoded form. Raises EncodingError for one that fits no message."""
        buckets, properties = group.encoded_buckets, group.encoded_properties
        if len(buckets) + len(properties) > MAX_GROUP_BYTES:
            raise EncodingError(f"group {group.group_id} has too many buckets for a message")
        return cls(group.group_id, int(group.kind), buckets, properties)


class Meter(NamedTuple):
    """An OpenFlow meter of one band: `rate` a second and `burst`, in packets or in kilobits."""

    number: int
    packets: bool
    rate: int
    burst: int

    @property
    def key(self) -> int:
        return self.number


class Queue(NamedTuple):
    """A queue of the interface of a logical port: `rate` in kbit/s, `burst` in kbit.

    It is made by rows of the Open vSwitch database: :mod:`chassis_agent.derivations.queues`.
    """

    number: int
    port: str
    rate: int
    burst: int

    @property
    def key(self) -> int:
        return self.number


class ObjectChanges(NamedTuple, Generic[ObjectT]):
    """Objects that go, and objects that come or change: each with what was there before."""

    removed: tuple[ObjectT, ...] = ()
    put: tuple[tuple[ObjectT | None, ObjectT], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.removed or self.put)


class DesiredObjects(Generic[ObjectT]):
    """All objects of one kind that are wanted, by owner."""

    def __init__(self) -> None:
        self._owned: dict[Hashable, dict[Hashable, ObjectT]] = {}
        self._claims: dict[Hashable, dict[Hashable, ObjectT]] = {}
        self._objects: dict[Hashable, ObjectT] = {}
        self._clashing: set[Hashable] = set()
        self._before: dict[Hashable, ObjectT | None] = {}
        self._gone: dict[Hashable, ObjectT] = {}

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[ObjectT]:
        return iter(self._objects.values())

    def __contains__(self, key: Hashable) -> bool:
        return key in self._objects

    @property
    def clashes(self) -> dict[Hashable, list[ObjectT]]:
        """The values wanted under one key, the winner first, where there are several."""
        return {
            key: sorted(set(self._claims[key].values()), key=repr)
            for key in sorted(self._clashing, key=repr)
        }

    @property
    def gone(self) -> tuple[ObjectT, ...]:
        """What went since changes were taken, that included which only came after it."""
        return tuple(self._gone.values())

    def replace(self, owner: Hashable, objects: Iterable[ObjectT]) -> None:
        """Take `objects` as all that `owner` wants; none makes the owner go."""
        new: dict[Hashable, ObjectT] = {}
        for each in objects:
            other = new.setdefault(each.key, each)
            if other != each:
                new[each.key] = min(other, each, key=repr)
        old = self._owned.pop(owner, None)
        if new:
            self._owned[owner] = new
        elif not old:
            return
        for key in (old or {}).keys() - new.keys():
            del self._claims[key][owner]
            self._settle(key)
        for key, each in new.items():
            self._claims.setdefault(key, {})[owner] = each
            self._settle(key)

    def take_changes(self) -> ObjectChanges[ObjectT]:
        """What changed since the last call."""
        before, self._before, self._gone = self._before, {}, {}
        return _changes((was, self._objects.get(key)) for key, was in before.items())

    def difference(self, installed: Iterable[ObjectT]) -> ObjectChanges[ObjectT]:
        """What brings a switch that holds `installed` to what is wanted now."""
        there = {each.key: each for each in installed}
        keys: Mapping[Hashable, None] = dict.fromkeys((*self._objects, *there))
        return _changes((there.get(key), self._objects.get(key)) for key in keys)

    def _settle(self, key: Hashable) -> None:
        claims = self._claims[key]
        if not claims:
            del self._claims[key]
        different = set(claims.values())
        after: ObjectT | None
        if len(different) > 1:
            self._clashing.add(key)
            after = min(different, key=repr)
        else:
            self._clashing.discard(key)
            after = next(iter(different), None)
        before = self._objects.get(key)
        if after == before:
            return
        self._before.setdefault(key, before)
        if after is None:
            self._gone[key] = self._objects.pop(key)
        else:
            self._gone.pop(key, None)
            self._objects[key] = after


def _changes(
    pairs: Iterable[tuple[ObjectT | None, ObjectT | None]],
) -> ObjectChanges[ObjectT]:
    removed, put = [], []
    for before, after in pairs:
        if after is None:
            if before is not None:
                removed.append(before)
        elif after != before:
            put.append((before, after))
    return ObjectChanges(tuple(removed), tuple(put))


def compare_objects(
    wanted: Iterable[ObjectT], present: Iterable[ObjectT], wanted_name: str, present_name: str
) -> list[str]:
    """The differences of two sets of objects of one kind, a line each."""
    one = {each.key: each for each in wanted}
    other = {each.key: each for each in present}
    return [
        f"{wanted_name}: {one.get(key, 'nothing')}; {present_name}: {other.get(key, 'nothing')}"
        for key in dict.fromkeys((*one, *other))
        if one.get(key) != other.get(key)
    ]
