"""A layer of one connection's own over the tables, for changes that are only tried.

To say what a change would do it has to be made, by the use cases that make changes, and
taken back. On the tables themselves that would take the lock of the one writer. So a
connection that tries changes has a temporary view in the place of each table, which names
without a schema find first. It shows

* the rows of the table, but for those whose keys are in a temporary table ``gone_…``, and
* the rows of a temporary table ``put_…``;

and triggers put there what is written to it. All of that is private to the connection and
ends with its transaction, which is rolled back; the tables are only ever read, as of one
moment. What is tried costs what it changes, however much is stored.

Unique columns are checked as the tables do it. Foreign keys are not: they are deferred, and
a transaction that never commits never gets to that check.
"""

# ruff: noqa: S608 - what statements are made of are the names of our own tables

from collections.abc import Iterator, Sequence

from sqlalchemy import Column, Dialect, MetaData, PrimaryKeyConstraint, Table, UniqueConstraint
from sqlalchemy.schema import CreateTable

from northbound.models import Base


def overlay_statements(dialect: Dialect, schema: str) -> Iterator[str]:
    """What makes the overlay on a new connection; the tables themselves are in `schema`."""
    is_sqlite = dialect.name == "sqlite"
    for table in Base.metadata.sorted_tables:
        for kept, columns in (("put", table.columns), ("gone", table.primary_key.columns)):
            yield _temporary(dialect, f"{kept}_{table.name}", list(columns))
        yield _view(table, schema)
        yield from _sqlite_triggers(table) if is_sqlite else _postgresql_triggers(table)


def _temporary(dialect: Dialect, name: str, columns: Sequence[Column[object]]) -> str:
    keys = [column.name for column in columns if column.primary_key]
    table = Table(
        name,
        MetaData(),
        *(Column(each.name, each.type, nullable=each.nullable is True) for each in columns),
        PrimaryKeyConstraint(*keys),
        prefixes=["TEMPORARY"],
    )
    return str(CreateTable(table).compile(dialect=dialect))


def _view(table: Table, schema: str) -> str:
    columns = _listed(each.name for each in table.columns)
    hidden = f"SELECT 1 FROM {_quoted('gone', table)} AS gone WHERE {_same_key(table, 'gone', 's')}"
    return (
        f'CREATE TEMPORARY VIEW "{table.name}" AS '
        f"SELECT {columns} FROM {_quoted('put', table)} UNION ALL "
        f'SELECT {columns} FROM {schema}."{table.name}" AS s WHERE NOT EXISTS ({hidden})'
    )


def _sqlite_triggers(table: Table) -> Iterator[str]:
    parts = {
        "INSERT": [*_refusals(table), _put(table)],
        "UPDATE": [*_refusals(table, but="OLD"), *_hide(table, "OR IGNORE"), _put(table)],
        "DELETE": _hide(table, "OR IGNORE"),
    }
    for event, statements in parts.items():
        body = " ".join(f"{each};" for each in statements)
        yield (
            f'CREATE TEMPORARY TRIGGER "overlay_{event}_{table.name}" '
            f'INSTEAD OF {event} ON "{table.name}" BEGIN {body} END'
        )


def _refusals(table: Table, but: str = "") -> Iterator[str]:
    """Refuse a new row with a unique value that another row than `but` has."""
    for names in _unique(table):
        other = f" AND NOT ({_same_key(table, 't', but)})" if but else ""
        same = " AND ".join(f't."{name}" = NEW."{name}"' for name in names)
        text = f"UNIQUE constraint failed: {', '.join(f'{table.name}.{name}' for name in names)}"
        yield (
            f"SELECT RAISE(ABORT, '{text}') "
            f'WHERE EXISTS (SELECT 1 FROM "{table.name}" AS t WHERE {same}{other})'
        )


def _postgresql_triggers(table: Table) -> Iterator[str]:
    function = f'pg_temp."overlay_{table.name}"'
    hide = " ".join(f"{each};" for each in _hide(table, "", " ON CONFLICT DO NOTHING"))
    checks = []
    for names in _unique(table):
        same = " AND ".join(f't."{name}" = NEW."{name}"' for name in names)
        other = " OR ".join(
            f't."{key.name}" IS DISTINCT FROM OLD."{key.name}"' for key in table.primary_key.columns
        )
        exists = f'SELECT 1 FROM pg_temp."{table.name}" AS t WHERE {same} AND ({other})'
        text = f"duplicate key value in {table.name} ({', '.join(names)})"
        checks.append(
            f"IF EXISTS ({exists}) THEN "
            f"RAISE EXCEPTION '{text}' USING ERRCODE = 'unique_violation'; END IF;"
        )
    yield (
        f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $overlay$ BEGIN "
        f"IF TG_OP <> 'DELETE' THEN {' '.join(checks)} END IF; "
        f"IF TG_OP <> 'INSERT' THEN {hide} END IF; "
        f"IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; "
        f"{_put(table)}; RETURN NEW; END $overlay$"
    )
    yield (
        f'CREATE TRIGGER "overlay_{table.name}" INSTEAD OF INSERT OR UPDATE OR DELETE '
        f'ON pg_temp."{table.name}" FOR EACH ROW EXECUTE FUNCTION {function}()'
    )


def _put(table: Table) -> str:
    names = [column.name for column in table.columns]
    new = ", ".join(f'NEW."{name}"' for name in names)
    return f"INSERT INTO {_quoted('put', table)} ({_listed(names)}) VALUES ({new})"


def _hide(table: Table, ignoring: str, ignored: str = "") -> list[str]:
    """Take the old row away, whether it is stored or was put."""
    names = [key.name for key in table.primary_key.columns]
    old = ", ".join(f'OLD."{name}"' for name in names)
    gone, put = _quoted("gone", table), _quoted("put", table)
    same = " AND ".join(f'"{name}" = OLD."{name}"' for name in names)
    return [
        f"INSERT {ignoring} INTO {gone} ({_listed(names)}) VALUES ({old}){ignored}",
        f"DELETE FROM {put} WHERE {same}",
    ]


def _unique(table: Table) -> list[list[str]]:
    """The sets of columns that no two rows have the same values in, the key first."""
    constraints = sorted(
        (
            sorted(column.name for column in each.columns)
            for each in table.constraints
            if isinstance(each, UniqueConstraint)
        ),
    )
    return [[key.name for key in table.primary_key.columns], *constraints]


def _same_key(table: Table, one: str, other: str) -> str:
    return " AND ".join(
        f'{one}."{key.name}" = {other}."{key.name}"' for key in table.primary_key.columns
    )


def _quoted(kept: str, table: Table) -> str:
    return f'"{kept}_{table.name}"'


def _listed(names: Iterator[str] | Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
