"""The stored logical flows of the datapaths that a packet can reach, ready to be walked.

The flows of a datapath are looked at once and kept for as long as they stay the same:
only the first trace through a large network takes longer than the walk itself.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from threading import Lock
from typing import NamedTuple

from controller.answers import View
from diagnosis.trace.backends import BackendKey, CheckedBackends, checked_backends
from diagnosis.trace.living_flows import LivingFlows
from diagnosis.trace.stored_flows import LayeredFlows, StoredFlows, Templates
from diagnosis.trace.variable_flows import VariableFlows, Variables
from logical_flow.connections import Connections
from logical_flow.evaluate import Sets
from logical_flow.flow_table import Flows, Layout
from logical_flow.names import NameTable
from logical_flow.template import Template, TemplateText
from logical_flow.walk_network import Network
from southbound import rows
from southbound.rows import (
    BfdStatus,
    ChassisVariable,
    Datapath,
    DnsName,
    FdbEntry,
    FlowGroup,
    MacBinding,
    PortBinding,
    SetMember,
    VirtualAddress,
)
from translator.pipeline import PIPELINES

_THICK = 50
"""A layer may have so many groups, and one in so many of a datapath's, before flows are made
ready anew."""

MOST_FLOWS = 500_000
"""How many flows are kept ready, of all datapaths but the last one."""


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
    names: dict[str, NameTable]
    bfd: dict[str, BfdStatus]
    """The states of BFD sessions, by the session's id."""
    backends: CheckedBackends
    """Which backends are in use, of those that are checked."""
    variables: Variables
    """What is something else on each chassis."""


def take_snapshot(view: View, datapath: str, revived: Collection[BackendKey] = ()) -> Snapshot:
    """Return all that a packet may meet that enters `datapath`, which the view has to have.

    Backends that are `revived` are taken to answer those that check them.
    """
    sets: dict[str, list[str]] = defaultdict(list)
    templates: list[rows.Template] = []
    values: dict[str, dict[str, str]] = defaultdict(dict)
    fronts: dict[str, VirtualAddress] = {}
    for shared in view.shared:
        match shared:
            case SetMember():
                sets[shared.set].append(shared.member)
            case rows.Template():
                templates.append(shared)
            case ChassisVariable():
                values[shared.chassis][shared.name] = shared.value
            case VirtualAddress():
                fronts[shared.set] = shared
    backends = checked_backends(view.shared, revived)
    for name, reasons in backends.down.items():
        sets[name] = [member for member in sets[name] if member not in reasons]
    variables = Variables(values, sets, fronts, ports_by_name(view))
    snapshot = Snapshot(
        view.revision, {}, [], {}, {}, {}, sets, templates, {}, {}, backends, variables
    )
    waiting = [datapath]
    while waiting:
        here = waiting.pop()
        if here in snapshot.groups:
            continue
        groups = snapshot.groups[here] = []
        for row in view.datapaths[here]:
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
                case BfdStatus():
                    snapshot.bfd[row.id] = row
                case DnsName():
                    snapshot.names.setdefault(row.datapath, NameTable()).put(row)
    return snapshot


def ports_by_name(view: View) -> dict[str, PortBinding]:
    """Return the ports of a view: those that were asked about, and all that lead from them."""
    return {
        row.name: row
        for rows_there in view.datapaths.values()
        for row in rows_there
        if isinstance(row, PortBinding)
    }


class _Kept(NamedTuple):
    groups: dict[int, FlowGroup]
    flows: StoredFlows


class FlowTables:
    """The flows of datapaths, kept between traces. Any thread may ask.

    It is a cache: what was not asked for longest is forgotten where there is too much.
    """

    def __init__(self, most_flows: int = MOST_FLOWS) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._own = {each.id: each for pipeline in PIPELINES for each in pipeline.templates}
        self._parsed: Templates = {}
        self._most_flows = most_flows
        self._lock = Lock()

    def network(self, snapshot: Snapshot, connections: Connections) -> Network:
        """What a packet can be walked through; flows are made ready when it gets there."""
        templates = self.templates(snapshot.templates)
        return Network(
            datapaths=snapshot.datapaths.values(),
            ports=snapshot.ports,
            layout=Layout(templates.values()),
            flows=_FlowsOf(self, snapshot, templates),
            sets=Sets(snapshot.sets),
            neighbours=snapshot.neighbours,
            learned=snapshot.learned,
            connections=connections,
            names=snapshot.names,
        )

    def templates(self, texts: Iterable[rows.Template]) -> dict[int, Template]:
        """The templates by id, which is a hash of the content.

        Those of our pipelines, and of the last call, are not parsed again.
        """
        known = {**self._parsed, **self._own}
        found = {row.id: known.get(row.id) or _template_of(row) for row in texts}
        self._parsed = found
        return found

    def clear(self) -> None:
        """Forget all flows."""
        with self._lock:
            self._kept.clear()

    def flows(self, datapath: str, groups: list[FlowGroup], templates: Templates) -> Flows:
        """The flows of `groups`: those kept, with a layer where a few have changed since."""
        with self._lock:
            kept = self._kept.get(datapath)
            if kept is not None:
                self._kept.move_to_end(datapath)
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
            self._kept.move_to_end(datapath)
            self._forget_surplus()
        return flows

    def _forget_surplus(self) -> None:
        surplus = sum(kept.flows.size for kept in self._kept.values()) - self._most_flows
        while surplus > 0 and len(self._kept) > 1:
            _, kept = self._kept.popitem(last=False)
            surplus -= kept.flows.size


def _differs(one: FlowGroup | None, other: FlowGroup) -> bool:
    return one is not other and one != other


class _FlowsOf(Mapping[str, Flows]):
    """The flows of a snapshot's datapaths, looked at when a packet first gets there."""

    def __init__(self, tables: FlowTables, snapshot: Snapshot, templates: Templates) -> None:
        self._tables = tables
        self._groups = snapshot.groups
        self._alive = frozenset(key for key, row in snapshot.bfd.items() if row.state == "up")
        self._variables = snapshot.variables
        self._templates = templates
        self._found: dict[str, Flows] = {}

    def __getitem__(self, datapath: str) -> Flows:
        flows = self._found.get(datapath)
        if flows is None:
            stored = self._tables.flows(datapath, self._groups[datapath], self._templates)
            flows = LivingFlows(VariableFlows(stored, self._variables), self._alive)
            self._found[datapath] = flows
        return flows

    def __iter__(self) -> Iterator[str]:
        return iter(self._groups)

    def __len__(self) -> int:
        return len(self._groups)


def _template_of(row: rows.Template) -> Template:
    return Template.from_text(TemplateText(*(getattr(row, name) for name in TemplateText._fields)))
