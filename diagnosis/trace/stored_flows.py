"""The flows of stored groups, ready for walks, and made ready only where packets get to.

A datapath may have hundreds of thousands of flows, of which a packet meets a few. So the
flows of a template are sorted by their arguments when a packet first gets to its stage, and
a flow is made of its arguments when a packet first may fit it.

What was made ready never changes. Where groups have changed since, or would with a change
that is only proposed, a layer lies over it: :class:`LayeredFlows`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from logical_flow.errors import TemplateError
from logical_flow.evaluate import Packet
from logical_flow.flow_table import Entry, Flows, Placed, Siblings
from logical_flow.holes import Argument
from logical_flow.payload import decode_packed
from logical_flow.template import LogicalFlow, Template
from southbound.rows import FlowGroup

Templates = Mapping[int, Template]


@dataclass
class StoredEntry(Entry):
    """A flow and the group that it is stored in."""

    group: FlowGroup = field(kw_only=True)


class _Stored(NamedTuple):
    place: int
    group: FlowGroup
    args: tuple[Argument, ...]


class StoredFlows(Flows):
    """The flows of groups of one datapath; `first` is the place of the first of them.

    Threads may share it: what is made ready twice is the same both times.
    """

    def __init__(self, groups: Iterable[FlowGroup], templates: Templates, first: int = 0) -> None:
        self._templates = templates
        self._stored: dict[Any, list[_Stored]] = defaultdict(list)
        place = first
        for group in groups:
            for packed in decode_packed(group.payload):
                self._stored[packed[0]].append(_Stored(place, group, packed[1:]))
                place += 1
        self.size = place - first
        self._by_stage: dict[str, list[int]] = defaultdict(list)
        for identifier in self._stored:
            self._by_stage[_template(templates, identifier).stage].append(identifier)
        self._sorted: dict[int, Siblings[_Stored]] = {}
        self._made: dict[int, Placed] = {}

    def candidates(self, stage: str, packet: Packet) -> Iterable[Placed]:
        for identifier in self._by_stage.get(stage, ()):
            siblings = self._sorted.get(identifier) or self._sort(identifier)
            for stored in siblings.fitting(packet):
                yield self._made.get(stored.place) or self._make(identifier, stored)

    def has_flows(self, stage: str) -> bool:
        return stage in self._by_stage

    def count(self, stage: str) -> int:
        return sum(len(self._stored[each]) for each in self._by_stage.get(stage, ()))

    def _sort(self, identifier: int) -> Siblings[_Stored]:
        siblings: Siblings[_Stored] = Siblings(self._templates[identifier])
        for stored in self._stored[identifier]:
            siblings.add(stored.args, stored)
        self._sorted[identifier] = siblings
        return siblings

    def _make(self, identifier: int, stored: _Stored) -> Placed:
        flow = LogicalFlow(self._templates[identifier], stored.args)
        flow.check()
        placed = Placed(stored.place, StoredEntry(flow, group=stored.group))
        self._made[stored.place] = placed
        return placed


class LayeredFlows(Flows):
    """The flows of `below` without those of the groups `hidden`, and those of `above`."""

    def __init__(
        self,
        below: StoredFlows,
        hidden: Iterable[FlowGroup],
        above: Iterable[FlowGroup],
        templates: Templates,
    ) -> None:
        self._below = below
        self._above = StoredFlows(above, templates, first=below.size)
        self._hidden: set[int] = set()
        self._hidden_flows: Counter[str] = Counter()
        for group in hidden:
            self._hidden.add(group.id)
            for packed in decode_packed(group.payload):
                self._hidden_flows[_template(templates, packed[0]).stage] += 1

    def candidates(self, stage: str, packet: Packet) -> Iterable[Placed]:
        for placed in self._below.candidates(stage, packet):
            entry = placed.entry
            if not isinstance(entry, StoredEntry) or entry.group.id not in self._hidden:
                yield placed
        yield from self._above.candidates(stage, packet)

    def has_flows(self, stage: str) -> bool:
        hidden = self._hidden_flows[stage]
        return self._below.count(stage) > hidden or self._above.has_flows(stage)


def _template(templates: Templates, identifier: object) -> Template:
    template = templates.get(identifier) if isinstance(identifier, int) else None
    if template is None:
        raise TemplateError(f"no template has id {identifier!r}")
    return template
