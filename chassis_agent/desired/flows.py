"""What the switch should hold, who wants it, and what to send to get there.

Each owner (a flow group, a port, a chassis, …) states all flows that it wants;
`DesiredTable.replace` takes the new statement in place of the old. Owners may
want the same flow, that is, the same table, priority and match:

- with the same instructions, it is one flow that goes when its last owner goes;
- as clauses of conjunctions, it is one flow that states all their clauses;
- otherwise they clash: the flow of the lowest cookie wins, except that a whole
  flow always wins over a clause, and the clash is listed in `clashes`.

Changes gather until `take_changes`, so that a flow that went and came back in
one batch is no change. They leave in an order that stays right when a batch is
cut in pieces: a conjunction is only installed after its clauses, and removed
before them.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import NamedTuple

from chassis_agent.desired.flow import Flow, FlowKey, is_clause, is_conjunction, merge_clauses
from chassis_agent.desired.objects import Group, Meter, ObjectChanges


class Changes(NamedTuple):
    """Flows to remove, then flows to add (or to put in place of an old one), and objects.

    :mod:`chassis_agent.desired.steps` has the order of flows and objects among each other.
    """

    removed: list[Flow]
    added: list[Flow]
    groups: ObjectChanges[Group] = ObjectChanges()
    meters: ObjectChanges[Meter] = ObjectChanges()

    def __bool__(self) -> bool:
        return bool(self.removed or self.added or self.groups or self.meters)


class DesiredTable:
    """All flows that are wanted, by owner."""

    def __init__(self) -> None:
        self._owned: dict[Hashable, dict[FlowKey, Flow]] = {}
        self._flows: dict[FlowKey, Flow] = {}
        self._sole_owner: dict[FlowKey, Hashable] = {}
        self._owners: dict[FlowKey, set[Hashable]] = {}
        self._clashes: set[FlowKey] = set()
        self._before: dict[FlowKey, Flow | None] = {}

    def __len__(self) -> int:
        return len(self._flows)

    def __iter__(self) -> Iterator[Flow]:
        return iter(self._flows.values())

    @property
    def clashes(self) -> dict[FlowKey, list[Flow]]:
        """The flows wanted differently under one key, the winner first."""
        return {key: sorted(self._claims(key), key=_precedence) for key in sorted(self._clashes)}

    def owners(self, key: FlowKey) -> frozenset[Hashable]:
        """Who wants the flow with this key."""
        if key in self._owners:
            return frozenset(self._owners[key])
        if key in self._sole_owner:
            return frozenset({self._sole_owner[key]})
        return frozenset()

    def owned(self, owner: Hashable) -> Mapping[FlowKey, Flow]:
        """The flows that `owner` wants."""
        return self._owned.get(owner, {})

    def replace(self, owner: Hashable, flows: Iterable[Flow]) -> None:
        """Take `flows` as all that `owner` wants; none makes the owner go.

        An owner that wants the same key twice gets it by the rules for two.
        """
        new = _by_key(flows)
        old = self._owned.get(owner, {})
        if new:
            self._owned[owner] = new
        else:
            self._owned.pop(owner, None)
        for key, flow in old.items():
            wanted = new.get(key)
            if wanted is None:
                self._disown(key, owner)
            elif wanted != flow:
                self._settle(key)
        for key, flow in new.items():
            if key in old:
                continue
            if key in self._flows:
                self._own(key, owner)
            else:
                self._sole_owner[key] = owner
                self._put(key, None, flow)

    def take_changes(self) -> Changes:
        """What changed since the last call, in the order to send it."""
        changed = [(before, self._flows.get(key)) for key, before in self._before.items()]
        self._before = {}
        return _ordered(changed)

    def difference(self, installed: Iterable[Flow]) -> Changes:
        """What brings a switch that holds `installed` to what is wanted now.

        Forgets gathered changes: they are part of the difference.
        """
        self._before = {}
        there = {flow.key: flow for flow in installed}
        changed: list[tuple[Flow | None, Flow | None]] = [
            (there.get(key), flow) for key, flow in self._flows.items()
        ]
        changed += [(flow, None) for key, flow in there.items() if key not in self._flows]
        return _ordered(changed)

    def difference_within(
        self, installed: Iterable[Flow], is_within: Callable[[Flow], bool]
    ) -> Changes:
        """What brings the part of a switch that holds `installed` to what is wanted there.

        `is_within` says of a flow whether it belongs to that part. Gathered changes stay:
        this is about a switch that has had them, and was changed by others.
        """
        there = {flow.key: flow for flow in installed}
        wanted = {flow.key: flow for flow in self._flows.values() if is_within(flow)}
        changed: list[tuple[Flow | None, Flow | None]] = [
            (there.get(key), self._flows.get(key)) for key in there.keys() | wanted.keys()
        ]
        return _ordered(changed)

    def _own(self, key: FlowKey, owner: Hashable) -> None:
        if key in self._owners:
            self._owners[key].add(owner)
        elif key in self._sole_owner:
            self._owners[key] = {self._sole_owner.pop(key), owner}
        else:
            self._sole_owner[key] = owner
        self._settle(key)

    def _disown(self, key: FlowKey, owner: Hashable) -> None:
        owners = self._owners.get(key)
        if owners is None:
            # The only claim goes, and with it the flow: there is nothing to weigh.
            del self._sole_owner[key]
            self._put(key, self._flows[key], None)
            return
        owners.remove(owner)
        if len(owners) == 1:
            self._sole_owner[key] = owners.pop()
            del self._owners[key]
        self._settle(key)

    def _claims(self, key: FlowKey) -> list[Flow]:
        return [self._owned[owner][key] for owner in self.owners(key)]

    def _settle(self, key: FlowKey) -> None:
        """Let the claims on `key` decide its flow, and note it if that changed."""
        if key in self._sole_owner:
            flow: Flow | None = self._owned[self._sole_owner[key]][key]
            self._clashes.discard(key)
        else:
            claims = self._claims(key)
            flow = _combine(claims) if claims else None
            if _clash(claims):
                self._clashes.add(key)
            else:
                self._clashes.discard(key)
        before = self._flows.get(key)
        if flow != before:
            self._put(key, before, flow)

    def _put(self, key: FlowKey, before: Flow | None, flow: Flow | None) -> None:
        """Change a flow, and remember which it was at first."""
        if key not in self._before:
            self._before[key] = before
        if flow is None:
            del self._flows[key]
        else:
            self._flows[key] = flow


def _by_key(flows: Iterable[Flow]) -> dict[FlowKey, Flow]:
    found: dict[FlowKey, Flow] = {}
    for flow in flows:
        key = flow[:3]
        other = found.get(key)
        if other is None:
            found[key] = flow
        elif other != flow:
            found[key] = _combine([other, flow])
    return found


def _precedence(flow: Flow) -> tuple[bool, int, bytes]:
    return is_clause(flow.instructions), flow.cookie, flow.instructions


def _combine(claims: list[Flow]) -> Flow:
    """The flow that `claims`, one or more of one key, come to."""
    first = min(claims, key=_precedence)
    if len(claims) == 1 or not is_clause(first.instructions):
        return first
    return first._replace(instructions=merge_clauses([claim.instructions for claim in claims]))


def _clash(claims: list[Flow]) -> bool:
    whole = {claim.instructions for claim in claims if not is_clause(claim.instructions)}
    return len(whole) > 1 or (len(whole) == 1 and any(is_clause(c.instructions) for c in claims))


def _ordered(changed: Iterable[tuple[Flow | None, Flow | None]]) -> Changes:
    removed, added = [], []
    for before, after in changed:
        if after is None:
            if before is not None:
                removed.append(before)
        elif after != before:
            added.append(after)
    added.sort(key=lambda flow: is_conjunction(flow.match))
    removed.sort(key=lambda flow: not is_conjunction(flow.match))
    return Changes(removed, added)
