"""What an engine remembers of each node, and what the functions of derivations see of it.

Terms: a *cell* is a derivation with a key. A *slot* holds the cells that read a
certain key of a certain node; a slot exists for a key that doesn't, if it was
asked for.
"""

import inspect
from collections.abc import Callable
from typing import Any

from incremental.errors import GraphError
from incremental.graph import Node


class Slot(set[tuple["State", Any]]):
    """The cells that read one key of one node; knows where it hangs, to go when empty."""

    __slots__ = ("home", "key")

    def __init__(self, home: dict[Any, "Slot"], key: Any) -> None:
        self.home = home
        self.key = key


class State:
    """Everything that the engine remembers of one node."""

    __slots__ = (
        "any_slots",
        "changed",
        "dirty",
        "groups",
        "is_built",
        "is_generator",
        "node",
        "over",
        "reads",
        "slots",
        "values",
        "visible",
        "watched",
        "within",
    )

    def __init__(
        self,
        node: Node,
        over: "tuple[State, ...]",
        within: "State | None",
        visible: "dict[Any, State]",
    ) -> None:
        self.node = node
        self.visible = visible
        """What was declared earlier, by source: all that may be read from here."""
        self.over = over
        """What the node is over: nothing for a table, one state for a derivation."""
        self.within = within
        """Of a derivation over a group: whose keys are the groups that it is run for."""
        self.watched = over if within is None else (*over, within)
        """What cells come and go with."""
        self.is_built = not node.on_demand
        """Whether a group has its pairs; it has none on demand until something asks."""
        self.values: dict[Any, Any] = {}
        """Rows or results by key; of a group: True by pair."""
        self.groups: dict[Any, dict[Any, int]] = {}
        """Of a group: how many contribute each element."""
        self.changed: dict[Any, Any] = {}
        """In a batch: the value before, for each key that changed."""
        self.slots: dict[Any, Slot] = {}
        self.any_slots: dict[Any, Slot] = {}
        self.reads: dict[Any, tuple[Slot, ...]] = {}
        self.dirty: dict[Any, None] = {}
        self.is_generator = inspect.isgeneratorfunction(node.source)


class Recorder:
    """The `Read` that derivations get: answers from the state and notes the slots.

    `build` makes the pairs of a group that are asked for the first time.
    """

    __slots__ = ("build", "key", "log", "over", "visible")

    def __init__(self, build: Callable[[State], None]) -> None:
        self.build = build
        self.visible: dict[Any, State] = {}
        self.log: list[Slot] = []
        self.over: State | None = None
        self.key: Any = None

    def begin(self, state: State, key: Any) -> None:
        self.log = []
        self.over = state.over[0]
        self.key = key
        self.visible = state.visible

    def __call__(self, source: Any, key: Any) -> Any:
        state = self.visible.get(source)
        if state is None:
            raise self._out_of_order(source)
        if state is self.over and key == self.key:
            return state.values.get(key)  # a cell follows its own row anyway
        slot = state.slots.get(key)
        if slot is None:
            slot = state.slots[key] = Slot(state.slots, key)
        self.log.append(slot)
        return state.values.get(key)

    def members(self, group: Any, key: Any) -> tuple[Any, ...]:
        state = self._group(group)
        slot = state.slots.get(key)
        if slot is None:
            slot = state.slots[key] = Slot(state.slots, key)
        self.log.append(slot)
        elements = state.groups.get(key)
        return tuple(sorted(elements)) if elements else ()

    def any(self, group: Any, key: Any) -> bool:
        state = self._group(group)
        slot = state.any_slots.get(key)
        if slot is None:
            slot = state.any_slots[key] = Slot(state.any_slots, key)
        self.log.append(slot)
        return key in state.groups

    def _group(self, group: Any) -> State:
        state = self.visible.get(group)
        if state is None or state.node.kind != "group":
            raise self._out_of_order(group)
        if not state.is_built:
            self.build(state)
        return state

    def _out_of_order(self, source: Any) -> GraphError:
        name = getattr(source, "__name__", source)
        return GraphError(f"{name} is not declared as what is asked for, before its reader")
