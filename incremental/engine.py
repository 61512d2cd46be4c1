"""The state of a graph, and the one function that changes it: `Engine.apply`.

A batch changes table rows, then visits the nodes in declaration order:
what changed in a node marks cells of later nodes dirty, and each dirty cell runs
once. Whether a cell runs for the first time or the thousandth makes no
difference, so there is no second copy of the semantics to keep in step.
"""

import sys
import traceback
from collections import Counter
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from incremental.errors import Failure, GraphError
from incremental.graph import Graph
from incremental.heap import growing
from incremental.state import Recorder, Slot, State
from incremental.steps import run_steps


class Change(NamedTuple):
    """A result before and after a batch; None stands for absent."""

    before: Any
    after: Any


class Difference(NamedTuple):
    """Where the engine's state and a full recomputation disagree."""

    node: str
    key: Hashable
    incremental: Any
    full: Any


@dataclass(slots=True)
class Delta:
    """What one batch changed in the output nodes, and what it cost.

    `outputs` maps the source of each output node to its changes by key; for a
    group the keys are `(group, element)` pairs and the values True or None.
    """

    outputs: dict[Any, dict[Any, Change]] = field(default_factory=dict)
    failures: dict[tuple[str, Hashable], Failure | None] = field(default_factory=dict)
    runs: Counter[str] = field(default_factory=Counter)

    def of(self, source: Any) -> dict[Any, Change]:
        return self.outputs.get(source, {})


class Engine:
    """Runs a graph: rows in, delta out."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.failures: dict[tuple[str, Hashable], Failure] = {}
        self._states: list[State] = []
        self._by_source: dict[Any, State] = {}
        for node in graph:
            over = tuple(self._states[each.position] for each in node.over)
            within = None if node.within is None else self._states[node.within.position]
            state = State(node, over, within, dict(self._by_source))
            self._states.append(state)
            self._by_source[node.source] = state
        self._on_demand: dict[State, list[State]] = {
            state: [] for state in self._states if state.node.on_demand
        }
        """The groups that have pairs while something asks, and within what they are asked for."""
        for state in self._states:
            if state.within is not None and state.over[0] in self._on_demand:
                self._on_demand[state.over[0]].append(state.within)
        self._delta = Delta()
        """What comes of the batch."""
        self._recorder = Recorder(self._build)
        self._is_in_batch = False

    # --- changing -------------------------------------------------------------

    def load(self, changes: Iterable[tuple[Any, Any, Any]]) -> Delta:
        """`apply` for the first, big batch, whose garbage is not worth collecting."""
        with growing():
            return self.apply(changes)

    def apply(self, changes: Iterable[tuple[Any, Any, Any]]) -> Delta:
        """Applies `(row type, key, row or None)` changes as one batch; the last of a key wins."""
        return run_steps(self.steps(changes))

    def steps(
        self, changes: Iterable[tuple[Any, Any, Any]], size: int = sys.maxsize
    ) -> Generator[None, None, Delta]:
        """Do what `apply` does, and pause after every `size` pieces of work.

        A piece is a row of a table, a row of a group, or a run of a derivation. In the pauses
        what the engine holds is neither before nor after the batch. Raises GraphError if a
        batch begins in a pause of another one.
        """
        if self._is_in_batch:
            raise GraphError("a batch begins in the middle of another one")
        self._is_in_batch = True
        try:
            return (yield from self._steps(changes, size))
        finally:
            self._is_in_batch = False

    def _steps(
        self, changes: Iterable[tuple[Any, Any, Any]], size: int
    ) -> Generator[None, None, Delta]:
        delta = self._delta = Delta()
        yield from self._put(changes, size)
        for state in self._states:
            # Most batches concern few nodes: the others cost no call.
            if not state.dirty:
                for source in state.watched:
                    if source.changed:
                        break
                else:
                    continue
            if state.node.kind == "group":
                if state.is_built:
                    yield from self._update_group(state, delta, size)
            else:
                yield from self._update_derivation(state, delta, size)
        for state in self._states:
            if state.changed:
                if state.node.output:
                    delta.outputs[state.node.source] = {
                        key: Change(before, state.values.get(key))
                        for key, before in state.changed.items()
                    }
                state.changed = {}
        for state, gates in self._on_demand.items():
            if state.is_built and not (
                state.slots or state.any_slots or any(gate.values for gate in gates)
            ):
                self._forget_pairs(state, delta)
        self._delta = Delta()
        return delta

    def what_if(self, changes: Iterable[tuple[Any, Any, Any]]) -> Delta:
        """The delta that `changes` would make. They are taken back: nothing stays changed."""
        wanted = list(changes)
        before = [(source, key, self.rows(source).get(key)) for source, key, _ in wanted]
        try:
            return self.apply(wanted)
        finally:
            self.apply(before)

    def _put(
        self, changes: Iterable[tuple[Any, Any, Any]], size: int
    ) -> Generator[None, None, None]:
        touched: dict[State, dict[Any, Any]] = {}
        for number, (source, key, row) in enumerate(changes, 1):
            if number % size == 0:
                yield
            state = self._by_source.get(source)
            if state is None or state.node.kind != "table":
                raise GraphError(f"{getattr(source, '__name__', source)} is not a table here")
            touched.setdefault(state, {}).setdefault(key, state.values.get(key))
            if row is None:
                state.values.pop(key, None)
            else:
                state.values[key] = row
        for state, before in touched.items():
            for key, old in before.items():
                if state.values.get(key) != old:
                    state.changed[key] = old
                    _mark_readers(state.slots, key)

    def _update_group(self, state: State, delta: Delta, size: int) -> Generator[None, None, None]:
        before: dict[tuple[Any, Any], bool] = {}
        for source in state.over:
            for number, (key, old) in enumerate(source.changed.items(), 1):
                if number % size == 0:
                    yield
                new = source.values.get(key)
                if old is not None:
                    gone = self._project(state, key, old, delta, record=False)
                    if gone:
                        _count(state, gone, -1, before)
                if new is None:
                    self._clear_failure(state, key, delta)
                    continue
                found = self._project(state, key, new, delta, record=True)
                if found:
                    _count(state, found, 1, before)
        if not before:
            return
        for pair, existed in before.items():
            group, element = pair
            elements = state.groups[group]
            exists = elements[element] > 0
            if not exists:
                del elements[element]
            if exists != existed:
                state.changed[pair] = True if existed else None
                if exists:
                    state.values[pair] = True
                else:
                    del state.values[pair]
        _mark_group_readers(state)
        for group, _ in before:
            if group in state.groups and not state.groups[group]:
                del state.groups[group]

    def _project(
        self, state: State, key: Any, row: Any, delta: Delta, *, record: bool
    ) -> list[tuple[Any, Any]]:
        """The pairs of one row; none, and a failure, if the projection raises."""
        try:
            pairs = list(state.node.source(key, row))
        except Exception as error:  # any bug in a projection concerns this row only
            if record:
                self._record_failure(state, key, error, delta)
            return []
        if record and self.failures:
            self._clear_failure(state, key, delta)
        return pairs

    def _build(self, state: State) -> None:
        """Give a group on demand its pairs."""
        state.is_built = True
        for source in state.over:
            for key, row in source.values.items():
                for pair in self._project(state, key, row, self._delta, record=True):
                    group, element = pair
                    elements = state.groups.setdefault(group, {})
                    elements[element] = elements.get(element, 0) + 1
                    state.values[pair] = True

    def _forget_pairs(self, state: State, delta: Delta) -> None:
        """Nothing asks for a group on demand any more."""
        state.is_built = False
        state.groups, state.values = {}, {}
        for node, key in list(self.failures):
            if node == state.node.name:
                self._clear_failure(state, key, delta)

    def _find_cells(self, state: State, delta: Delta) -> None:
        """Mark the cells whose rows came or changed, and remove those that are not wanted now."""
        (source,) = state.over
        where, within, values = state.node.where, state.within, source.values
        for key, before in source.changed.items():
            if before is not None:
                self._clear_failure(state, key, delta)
            if (
                key in values
                and (where is None or self._fits(where, state, key, delta))
                and (within is None or key[0] in within.values)
            ):
                state.dirty[key] = None
            elif before is not None:
                self._remove_cell(state, key)
        if within is not None and within.changed:
            self._find_cells_within(state, source, within, delta)

    def _find_cells_within(self, state: State, source: State, within: State, delta: Delta) -> None:
        if within.values and not source.is_built:
            self._build(source)
        for group, before in within.changed.items():
            for element in source.groups.get(group, ()):
                if group not in within.values:
                    self._clear_failure(state, (group, element), delta)
                    self._remove_cell(state, (group, element))
                elif before is None:
                    state.dirty[group, element] = None

    def _fits(self, where: Callable[[Any], bool], state: State, key: Any, delta: Delta) -> bool:
        """Whether there is a cell for this row; none, and a failure, if the condition raises."""
        try:
            return where(state.over[0].values[key])
        except Exception as error:  # any bug in a condition concerns this row only
            self._record_failure(state, key, error, delta)
            return False

    def _update_derivation(
        self, state: State, delta: Delta, size: int
    ) -> Generator[None, None, None]:
        self._find_cells(state, delta)
        if not state.dirty:
            return
        dirty, state.dirty = state.dirty, {}
        for number, key in enumerate(dirty, 1):
            self._run(state, key, delta)
            if number % size == 0:
                yield
        delta.runs[state.node.name] += len(dirty)

    def _run(self, state: State, key: Any, delta: Delta) -> None:
        recorder = self._recorder
        recorder.begin(state, key)
        try:
            value = state.node.source(recorder, key)
            if state.is_generator:
                value = tuple(value)
        except GraphError:
            raise
        except Exception as error:  # any bug in a derivation concerns this key only
            self._record_failure(state, key, error, delta)
            value = self._fall_back(state, key, delta)
        else:
            self._clear_failure(state, key, delta)
        self._remember_reads(state, key, recorder.log)
        old = state.values.get(key)
        if value == old:
            return
        state.changed[key] = old
        if value is None:
            del state.values[key]
        else:
            state.values[key] = value
        _mark_readers(state.slots, key)

    def _fall_back(self, state: State, key: Any, delta: Delta) -> Any:
        if state.node.fallback is None:
            return None
        try:
            value = state.node.fallback(self._recorder, key)
            return tuple(value) if isinstance(value, Iterator) else value
        except GraphError:
            raise
        except Exception as error:  # nothing is left to fall back to
            self._record_failure(state, key, error, delta)
            return None

    def _remember_reads(self, state: State, key: Any, log: list[Slot]) -> None:
        old = state.reads.get(key, ())
        new = tuple(log)
        if len(new) == len(old) and all(a is b for a, b in zip(new, old, strict=True)):
            return
        cell = (state, key)
        for slot in new:
            slot.add(cell)
        if old:
            kept = {id(slot) for slot in new}
            for slot in old:
                if id(slot) not in kept:
                    _leave(slot, cell)
        if new:
            state.reads[key] = new
        else:
            state.reads.pop(key, None)

    def _remove_cell(self, state: State, key: Any) -> None:
        state.dirty.pop(key, None)
        cell = (state, key)
        for slot in state.reads.pop(key, ()):
            _leave(slot, cell)
        if key in state.values:
            state.changed[key] = state.values.pop(key)
            _mark_readers(state.slots, key)

    def _record_failure(self, state: State, key: Any, error: Exception, delta: Delta) -> None:
        failure = Failure(
            node=state.node.name,
            key=key,
            error=f"{type(error).__name__}: {error}",
            traceback="".join(traceback.format_exception(error)),
        )
        self.failures[state.node.name, key] = failure
        delta.failures[state.node.name, key] = failure

    def _clear_failure(self, state: State, key: Any, delta: Delta) -> None:
        if self.failures and self.failures.pop((state.node.name, key), None) is not None:
            delta.failures[state.node.name, key] = None

    # --- looking --------------------------------------------------------------

    def rows(self, source: Any) -> dict[Any, Any]:
        """The rows of a table, the results of a derivation, or the pairs of a group, by key."""
        return self._by_source[source].values

    def members(self, group: Any, key: Any) -> tuple[Any, ...]:
        """What belongs to a key of a group, in order; nothing of other keys is looked at."""
        return tuple(sorted(self._by_source[group].groups.get(key, ())))

    def reads(self, source: Any, key: Any) -> int:
        """How many different things the last run of this cell looked at, its own row aside."""
        return len(set(map(id, self._by_source[source].reads.get(key, ()))))

    def most_reads(self, source: Any) -> int:
        """The largest number of reads over all cells of a derivation."""
        return max(
            (len(set(map(id, slots))) for slots in self._by_source[source].reads.values()),
            default=0,
        )

    def differences(self) -> list[Difference]:
        """Compares this state with a full recomputation from the same rows; empty when equal."""
        return run_steps(self.difference_steps())

    def difference_steps(self, size: int = sys.maxsize) -> Generator[None, None, list[Difference]]:
        """Do what `differences` does, and pause after every `size` pieces of work.

        No batch may begin in a pause.
        """
        fresh = Engine(self.graph)
        rows = [
            (state.node.source, key, row)
            for state in self._states
            if state.node.kind == "table"
            for key, row in state.values.items()
        ]
        yield from fresh.steps(rows, size)
        found: list[Difference] = []
        for mine, full in zip(self._states, fresh._states, strict=True):
            for number, key in enumerate(mine.values.keys() | full.values.keys(), 1):
                if number % size == 0:
                    yield
                one, other = mine.values.get(key), full.values.get(key)
                if one != other:
                    found.append(Difference(mine.node.name, key, one, other))
        return found


def _count(
    state: State, pairs: list[tuple[Any, Any]], sign: int, before: dict[tuple[Any, Any], bool]
) -> None:
    """Takes a row's pairs in (1) or out (-1); notes in `before` which existed in the last batch."""
    for pair in pairs:
        group, element = pair
        elements = state.groups.get(group)
        if elements is None:
            elements = state.groups[group] = {}
        count = elements.get(element, 0)
        if pair not in before:
            before[pair] = count > 0
        elements[element] = count + sign


def _mark_readers(slots: dict[Any, Slot], key: Any) -> None:
    slot = slots.get(key)
    if slot is not None:
        for state, reader in slot:
            state.dirty[reader] = None


def _leave(slot: Slot, cell: tuple[State, Any]) -> None:
    slot.discard(cell)
    if not slot and slot.home.get(slot.key) is slot:
        del slot.home[slot.key]


def _mark_group_readers(state: State) -> None:
    """Marks the readers of groups whose elements changed, or that came or went."""
    balance: Counter[Any] = Counter()
    for (group, _), before in state.changed.items():
        balance[group] += -1 if before else 1
    for group, grown in balance.items():
        _mark_readers(state.slots, group)
        size = len(state.groups[group])
        if (size > 0) != (size - grown > 0):
            _mark_readers(state.any_slots, group)
