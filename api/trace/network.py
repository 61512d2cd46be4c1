"""The stored logical flows of the datapaths that a packet can reach, ready to be walked.

The flows of a datapath are looked at once and kept for as long as they stay the same:
only the first trace through a large network takes longer than the walk itself.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import NamedTuple

from logical_flow.connections import Connections
from logical_flow.evaluate import Sets
from logical_flow.flow_table import Entry, FlowTable, Layout
from logical_flow.payload import decode_flows
from logical_flow.template import Template, TemplateText
from logical_flow.walk_network import Network
from southbound import rows
from southbound.proposed import RealisedRows
from southbound.rows import Datapath, FdbEntry, FlowGroup, MacBinding, PortBinding, SetMember

Templates = dict[int, Template]


@dataclass
class StoredEntry(Entry):
    """A flow and the group that it is stored in."""

    group: FlowGroup = field(kw_only=True)


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
    snapshot = Snapshot(
        realised.revision, {}, [], {}, {}, {}, {}, list(realised.rows(rows.Template).values())
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
    for member in realised.rows(SetMember).values():
        snapshot.sets.setdefault(member.set, []).append(member.member)
    return snapshot


class _Kept(NamedTuple):
    groups: list[FlowGroup]
    table: FlowTable


class FlowTables:
    """The flow tables of datapaths, kept between traces. Any thread may ask."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._lock = Lock()

    def network(self, snapshot: Snapshot, connections: Connections) -> Network:
        """What a packet can be walked through; tables are made when it gets there."""
        templates = parse_templates(snapshot.templates)
        return Network(
            datapaths=snapshot.datapaths.values(),
            ports=snapshot.ports,
            layout=Layout(templates.values()),
            flows=_TablesOf(self, snapshot.groups, templates),
            sets=Sets(snapshot.sets),
            neighbours=snapshot.neighbours,
            learned=snapshot.learned,
            connections=connections,
        )

    def keep_only(self, datapaths: Container[str]) -> None:
        """Forget the tables of datapaths that are gone."""
        with self._lock:
            for datapath in [known for known in self._kept if known not in datapaths]:
                del self._kept[datapath]

    def table(self, datapath: str, groups: list[FlowGroup], templates: Templates) -> FlowTable:
        with self._lock:
            kept = self._kept.get(datapath)
            if kept is not None and kept.groups is groups:
                return kept.table
            same = kept is not None and kept.groups == groups
            table = kept.table if kept and same else FlowTable(_entries(groups, templates))
            self._kept[datapath] = _Kept(groups, table)
            return table


class _TablesOf(Mapping[str, FlowTable]):
    """The tables of a snapshot's datapaths, each made when it is first asked for."""

    def __init__(
        self, tables: FlowTables, groups: Mapping[str, list[FlowGroup]], templates: Templates
    ) -> None:
        self._tables = tables
        self._groups = groups
        self._templates = templates

    def __getitem__(self, datapath: str) -> FlowTable:
        return self._tables.table(datapath, self._groups[datapath], self._templates)

    def __iter__(self) -> Iterator[str]:
        return iter(self._groups)

    def __len__(self) -> int:
        return len(self._groups)


def _entries(groups: Iterable[FlowGroup], templates: Templates) -> Iterable[Entry]:
    for group in groups:
        for flow in decode_flows(group.payload, templates):
            yield StoredEntry(flow, group=group)


_parsed: Templates = {}


def parse_templates(texts: Iterable[rows.Template]) -> Templates:
    """The templates by id; ids are hashes of the content, so each is parsed once."""
    found: Templates = {}
    for row in texts:
        template = _parsed.get(row.id)
        if template is None:
            text = TemplateText(*(getattr(row, name) for name in TemplateText._fields))
            template = _parsed[row.id] = Template.from_text(text)
        found[row.id] = template
    return found
