"""Rows and facts in SQL.

Synchronous: the server runs it in a thread. Each write is one transaction that names
only rows that changed; what to write is decided in memory, so nothing is read first.

One store writes a database: the one that took it over last. Each write checks that in its
own transaction (a *fence*), so that a server that has lost the database without noticing
undoes nothing of what the next one writes.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import (
    Connection,
    Dialect,
    Engine,
    Table,
    Update,
    bindparam,
    delete,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from southbound import models
from southbound.errors import StoreError, TakenOverError
from southbound.groups import GroupIds
from southbound.records import CODECS
from southbound.rows import ROW_TYPES, FlowGroup, Row

Record: TypeAlias = dict[str, Any]
"""Values by column."""

_AT_ONCE = 1000
"""Rows of which there are records at a time."""

_MINE = update(models.progress).where(
    models.progress.c.id == 1, models.progress.c.fence == bindparam("mine")
)
_ADVANCE = _MINE.values(revision=bindparam("to"), next_group_id=bindparam("next"))
_STAY = _MINE.values(fence=bindparam("mine"))


class PortFact(NamedTuple):
    """Where a port binding is bound, and whether its flows are in the switch there.

    A port that moves may be on further chassis, and has become active on some of them.
    """

    chassis: str
    up: bool
    additional_chassis: tuple[str, ...] = ()
    activated: tuple[str, ...] = ()
    virtual_parent: str = ""

    @property
    def all_chassis(self) -> tuple[str, ...]:
        """Where the port is, its own chassis first; nothing where it is unbound."""
        return (self.chassis, *self.additional_chassis) if self.chassis else ()

    def record(self) -> dict[str, Any]:
        """The fact as a record of its table."""
        return {
            "chassis": self.chassis,
            "up": self.up,
            "additional_chassis": json.dumps(self.additional_chassis),
            "activated": json.dumps(self.activated),
            "virtual_parent": self.virtual_parent,
        }

    @classmethod
    def of_record(cls, record: Any) -> "PortFact":
        """The fact that a record holds."""
        return cls(
            record.chassis,
            record.up,
            tuple(json.loads(record.additional_chassis)),
            tuple(json.loads(record.activated)),
            record.virtual_parent,
        )


class PendingFacts(NamedTuple):
    """Facts that the store hasn't got yet, as `Store.write_facts` takes them."""

    puts: list[Row]
    deletes: list[Row]
    port_facts: dict[str, PortFact | None]


class Contents(NamedTuple):
    """All that the store has: the port bindings in `rows` lack their facts."""

    revision: int
    rows: list[Row]
    port_facts: dict[str, PortFact]
    groups: GroupIds


class Store:
    """The southbound tables of one database.

    `writer` is held while something is written: where others write to the same SQLite file,
    it is what keeps them in order.
    """

    def __init__(
        self, engine: Engine, writer: AbstractContextManager[object] | None = None
    ) -> None:
        self._engine = engine
        self._writer = writer or nullcontext()
        self._fence: int | None = None
        self._upserts: dict[Table, _Upsert] = {}
        self._deletes = {table: _delete_statement(table) for table in models.metadata.sorted_tables}

    def take_over(self) -> None:
        """Be the one that writes: stores that took over before are refused from now on."""
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(models.progress).on_conflict_do_update(
            index_elements=["id"], set_={"fence": models.progress.c.fence + 1}
        )
        first = {"id": 1, "revision": 0, "next_group_id": 1, "fence": 1}
        with self._writer, self._transaction() as connection:
            taken = connection.execute(statement.returning(models.progress.c.fence), first)
            self._fence = taken.scalar_one()

    def read(self) -> Contents:
        """Everything, as of one moment."""
        with self._transaction() as connection:
            progress = connection.execute(select(models.progress)).one_or_none()
            rows: list[Row] = []
            for row_type in ROW_TYPES.values():
                codec = CODECS[row_type]
                columns = [codec.table.c[name] for name in codec.fields]
                rows += codec.rows(connection.execute(select(*columns)))
            facts = connection.execute(select(models.port_fact)).all()
            origins = connection.execute(
                select(models.flow_group.c.origin, models.flow_group.c.id)
            ).all()
        return Contents(
            revision=progress.revision if progress else 0,
            rows=rows,
            port_facts={fact.id: PortFact.of_record(fact) for fact in facts},
            groups=GroupIds(
                ((group.origin, group.id) for group in origins),
                progress.next_group_id if progress else 1,
            ),
        )

    def write(
        self, revision: int, puts: Sequence[Row], deletes: Sequence[Row], groups: GroupIds
    ) -> None:
        """Bring intent to `revision`. `groups` knows the origins of the flow groups put."""
        with self._writer, self._transaction() as connection:
            progress = {"to": revision, "next": groups.next_id}
            self._pass_fence(connection, _ADVANCE, **progress)
            self._delete(connection, deletes)
            self._put(connection, puts, groups)

    def write_facts(
        self,
        puts: Sequence[Row],
        deletes: Sequence[Row],
        port_facts: Mapping[str, PortFact | None],
    ) -> None:
        """Store facts. `port_facts` is by port binding; None is for one that is not bound."""
        bound: list[Record] = []
        unbound: list[Record] = []
        for binding, fact in port_facts.items():
            if fact is None:
                unbound.append({"key_id": binding})
            else:
                bound.append({"id": binding, **fact.record()})
        with self._writer, self._transaction() as connection:
            self._pass_fence(connection, _STAY)
            if unbound:
                connection.execute(self._deletes[models.port_fact], unbound)
            self._delete(connection, deletes)
            if bound:
                self._upsert(connection, models.port_fact, bound)
            self._put(connection, puts)

    def _pass_fence(self, connection: Connection, statement: Update, **progress: int) -> None:
        """Write `progress`, first of all: it locks the row until the transaction ends.

        Raises TakenOverError unless this store is the last one that took over.
        """
        if connection.execute(statement, {"mine": self._fence, **progress}).rowcount != 1:
            raise TakenOverError("another server has taken the database over")

    def _put(
        self, connection: Connection, rows: Iterable[Row], groups: GroupIds | None = None
    ) -> None:
        """Write rows. Flow groups need `groups`, which knows their origins.

        Records weigh more than their rows: there are those of a few at a time.
        """
        by_type: defaultdict[type[Row], list[Row]] = defaultdict(list)
        for row in rows:
            by_type[type(row)].append(row)
        for row_type, found in by_type.items():
            codec = CODECS[row_type]
            for start in range(0, len(found), _AT_ONCE):
                records = list(map(codec.record, found[start : start + _AT_ONCE]))
                if row_type is FlowGroup and groups is not None:
                    for record in records:
                        record["origin"] = groups.origin_of(record["id"])
                self._upsert(connection, codec.table, records)

    def _upsert(self, connection: Connection, table: Table, records: list[Record]) -> None:
        upsert = self._upserts.get(table)
        if upsert is None:
            upsert = self._upserts[table] = _Upsert(table, connection.dialect)
        upsert.execute(connection, records)

    def _delete(self, connection: Connection, rows: Iterable[Row]) -> None:
        keys: defaultdict[Table, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            codec = CODECS[type(row)]
            keys[codec.table].append(
                {f"key_{name}": value for name, value in codec.key_record(row).items()}
            )
        for table, values in keys.items():
            connection.execute(self._deletes[table], values)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StoreError(f"southbound database: {error}") from error


class _Upsert:
    """Records that shall be there, in place of those of the same keys.

    The statement is compiled once and gets the values as they are: numbers, text and bytes mean
    the same to the drivers as they do here, and to ask of each value of each record how it is
    converted takes as long as to write it.
    """

    def __init__(self, table: Table, dialect: Dialect) -> None:
        compiled: Any = _upsert_statement(table, dialect.name).compile(dialect=dialect)
        self._text: str = compiled.string
        self._order: list[str] | None = compiled.positiontup
        """The columns of parameters that go by their places; None where they go by names."""

    def execute(self, connection: Connection, records: list[Record]) -> None:
        if self._order is None:
            connection.exec_driver_sql(self._text, records)
        else:
            order = self._order
            values = [tuple([record[name] for name in order]) for record in records]
            connection.exec_driver_sql(self._text, values)


def _upsert_statement(table: Table, dialect: str) -> Any:
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    key = list(table.primary_key)
    rest = {c.name: statement.excluded[c.name] for c in table.columns if not c.primary_key}
    if not rest:
        return statement.on_conflict_do_nothing(index_elements=key)
    return statement.on_conflict_do_update(index_elements=key, set_=rest)


def _delete_statement(table: Table) -> Any:
    return delete(table).where(*(c == bindparam(f"key_{c.name}") for c in table.primary_key))
