"""A declarative document, translated: its flows as text, and as a network to walk in.

Goes the way that a document goes in production: through the services into SQL,
from there through the translator's engine.
"""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from incremental import Engine
from logical_flow.evaluate import Sets
from logical_flow.flow_table import Entry, FlowTable, Layout
from logical_flow.names import NameTable
from logical_flow.template import LogicalFlow
from logical_flow.walk_network import Network
from northbound.apply import apply
from northbound.database import Database, open_database
from southbound.rows import Datapath, PortBinding
from tests.databases import new_database
from translator.derivations import sets
from translator.features.dns.records import dns_name
from translator.graph import DATAPATHS, FLOWS, PORTS, translation
from translator.intent import read_all, row_of
from translator.pipeline import PIPELINES

_PIPELINE_ORDER = {pipeline.name: index for index, pipeline in enumerate(PIPELINES)}


class NotTranslatedError(Exception):
    """Part of a network could not be translated: its ACLs name what isn't there, say."""


class Translated:
    """What a network's translation results in."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Translated":
        with tempfile.TemporaryDirectory() as directory:
            database = open_database(new_database(Path(directory) / "treadle.db"))
            try:
                return cls.in_database(database, document)
            finally:
                database.close()

    @classmethod
    def in_database(cls, database: Database, document: Mapping[str, Any]) -> "Translated":
        """Translates all that is in `database`, once it has `document`.

        Raises :class:`NotTranslatedError`.
        """
        return cls(_engine(database, document))

    @property
    def datapaths(self) -> list[Datapath]:
        return [row for source in DATAPATHS for row in self.engine.rows(source).values()]

    @property
    def ports(self) -> list[PortBinding]:
        return [row for source in PORTS for row in self.engine.rows(source).values()]

    @property
    def sets(self) -> dict[str, list[str]]:
        """The members of each set, by its name with sigil."""
        found: dict[str, list[str]] = {}
        for name, member in sorted(self.engine.rows(sets.set_members)):
            found.setdefault(name, []).append(member)
        return found

    @property
    def names(self) -> dict[str, NameTable]:
        """The names that can be looked up, by the switch's id."""
        found: dict[str, NameTable] = {}
        for row in self.engine.rows(dns_name).values():
            found.setdefault(row.datapath, NameTable()).put(row)
        return found

    def flows(self, datapath: str) -> list[LogicalFlow]:
        """The flows of the datapath with that id, in the order in which packets meet them."""
        found = {
            flow
            for source in FLOWS
            for flows in self.engine.rows(source).values()
            if flows.datapath == datapath
            for flow in flows.flows
        }
        return sorted(found, key=_place)

    def text(self) -> str:
        """All of it, by name and in a fixed order."""
        return "\n".join(self._lines()) + "\n"

    def network(self, **learned: Any) -> Network:
        """The network to walk in; `learned` is as :class:`Network` takes it."""
        return Network(
            datapaths=self.datapaths,
            ports=self.ports,
            layout=Layout(t for pipeline in PIPELINES for t in pipeline.templates),
            flows={
                datapath.id: FlowTable(Entry(flow) for flow in self.flows(datapath.id))
                for datapath in self.datapaths
            },
            sets=Sets(self.sets),
            names=self.names,
            **learned,
        )

    def _lines(self) -> Iterator[str]:
        names = {datapath.id: datapath.name for datapath in self.datapaths}
        for datapath in sorted(self.datapaths, key=lambda row: (row.kind, row.name)):
            yield f"{datapath.kind} {datapath.name}"
            for flow in self.flows(datapath.id):
                yield f"  {flow}"
        for port in sorted(self.ports, key=lambda row: row.name):
            where = f"{port.type} on {names[port.datapath]}"
            peer = f", peer {port.peer} on {names[port.peer_datapath]}" if port.peer else ""
            groups = f", in {' '.join(port.multicast)}" if port.multicast else ""
            yield f"port {port.name}: {where}{peer}{groups}, {' | '.join(port.addresses)}"
        for name, members in self.sets.items():
            yield f"set {name}: {' '.join(members)}"


def _engine(database: Database, document: Mapping[str, Any]) -> Engine:
    with database.write(author="test") as tx:
        apply(tx, document)
    engine = Engine(translation())
    engine.apply(
        row_of(table, after) for table, _, after in read_all(database).changes if after is not None
    )
    if engine.failures:
        raise NotTranslatedError(engine.failures)
    return engine


def _place(flow: LogicalFlow) -> tuple[int, int, int, str]:
    template = flow.template
    return _PIPELINE_ORDER[template.pipeline], template.table_number, -flow.priority, str(flow)
