"""The stored logical flows of the datapaths that a packet can reach, ready to be walked.

The flows of a datapath are looked at once and kept for as long as they stay the same:
only the first trace through a large network takes longer than the walk itself.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from threading import Lock
from typing import NamedTuple

from diagnosis.trace.stored_flows import LayeredFlows, StoredFlows, Templates
from logical_flow.connections import Connections
from logical_flow.evaluate import Sets
from logical_flow.flow_table import Flows, Layout
from logical_flow.template import Template, TemplateText
from logical_flow.walk_network import Network
from southbound import rows
from southbound.proposed import RealisedRows
from southbound.rows import Datapath, FdbEntry, FlowGroup, MacBinding, PortBinding, SetMember
from translator.pipeline import PIPELINES

_THICK = 50
"""A layer may have so many groups, and one in so many of a datapath's, before flows are made
ready anew."""


class Snapshot(NamedTuple):
    """The rows of the datapaths that can be reached, as they are at one moment."""

    revision: int
    datapaths: dict[str, Datapath]
    ports: list[PortBinding]
    groups: dict[str, list[FlowGroup]]
    neighbours: dict[tuple[str, str], str]
    learned: dict[tuple[str, str], str]
    sets: dict[str, list[str]]
    templates: list[rows.Template]


def take_snapshot(realised: RealisedRows, datapath: str) -> Snapshot:
    """All that a packet may meet that enters `datapath`: on the loop that the rows belong to."""
    sets: dict[str, list[str]] = defaultdict(list)
    for member in realised.rows(SetMember).values():
        sets[member.set].append(member.member)
    snapshot = Snapshot(
        realised.revision, {}, [], {}, {}, {}, sets, list(realised.rows(rows.Template).values())
    )
    waiting = [datapath]
    while waiting:
        here = waiting.pop()
        if here in snapshot.groups:
            continue
        groups = snapshot.groups[here] = []
        for row in realised.in_scope(rows.datapath_scope(here)):
            match row:
                case FlowGroup():
                    groups.append(row)
                case PortBinding():
                    snapshot.ports.append(row)
                    if row.peer_datapath:
                        waiting.append(row.peer_datapath)
                case Datapath():
                    snapshot.datapaths[row.id] = row
                case MacBinding():
                    snapshot.neighbours[row.port, row.ip] = row.mac
                case FdbEntry():
                    snapshot.learned[row.datapath, row.mac] = row.port
    return snapshot


class _Kept(NamedTuple):
    groups: dict[int, FlowGroup]
    flows: StoredFlows


class FlowTables:
    """The flows of datapaths, kept between traces. Any thread may ask."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._lock = Lock()

    def network(self, snapshot: Snapshot, connections: Connections) -> Network:
        """What a packet can be walked through; flows are made ready when it gets there."""
        templates = parse_templates(snapshot.templates)
        return Network(
            datapaths=snapshot.datapaths.values(),
            ports=snapshot.ports,
            layout=Layout(templates.values()),
            flows=_FlowsOf(self, snapshot.groups, templates),
            sets=Sets(snapshot.sets),
            neighbours=snapshot.neighbours,
            learned=snapshot.learned,
            connections=connections,
        )

    def keep_only(self, datapaths: Container[str]) -> None:
        """Forget the flows of datapaths that are gone."""
        with self._lock:
            for datapath in [known for known in self._kept if known not in datapaths]:
                del self._kept[datapath]

    def flows(self, datapath: str, groups: list[FlowGroup], templates: Templates) -> Flows:
        """The flows of `groups`: those kept, with a layer where a few have changed since."""
        with self._lock:
            kept = self._kept.get(datapath)
        now = {group.id: group for group in groups}
        if kept is not None:
            hidden = [old for old in kept.groups.values() if _differs(now.get(old.id), old)]
            above = [new for new in groups if _differs(kept.groups.get(new.id), new)]
            if not hidden and not above:
                return kept.flows
            if len(hidden) + len(above) <= _THICK + len(groups) // _THICK:
                return LayeredFlows(kept.flows, hidden, above, templates)
        flows = StoredFlows(groups, templates)
        with self._lock:
            self._kept[datapath] = _Kept(now, flows)
        return flows


def _differs(one: FlowGroup | None, other: FlowGroup) -> bool:
    return one is not other and one != other


TABLES = FlowTables()
"""Those of this process: whatever walks packets shares them."""


class _FlowsOf(Mapping[str, Flows]):
    """The flows of a snapshot's datapaths, looked at when a packet first gets there."""

    def __init__(
        self, tables: FlowTables, groups: Mapping[str, list[FlowGroup]], templates: Templates
    ) -> None:
        self._tables = tables
        self._groups = groups
        self._templates = templates
        self._found: dict[str, Flows] = {}

    def __getitem__(self, datapath: str) -> Flows:
        flows = self._found.get(datapath)
        if flows is None:
            flows = self._tables.flows(datapath, self._groups[datapath], self._templates)
            self._found[datapath] = flows
        return flows

    def __iter__(self) -> Iterator[str]:
        return iter(self._groups)

    def __len__(self) -> int:
        return len(self._groups)


_parsed = {template.id: template for pipeline in PIPELINES for template in pipeline.templates}


def parse_templates(texts: Iterable[rows.Template]) -> dict[int, Template]:
    """The templates by id; ids are hashes of the content, so each is parsed once."""
    found: dict[int, Template] = {}
    for row in texts:
        template = _parsed.get(row.id)
        if template is None:
            text = TemplateText(*(getattr(row, name) for name in TemplateText._fields))
            template = _parsed[row.id] = Template.from_text(text)
        found[row.id] = template
    return found
