"""New rows reach the database without the ORM's unit of work, and stay objects of the session."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event, inspect

from northbound.database import Database
from northbound.inserting import insert_new_rows
from northbound.models import LogicalSwitch
from northbound.services import LOGICAL_SWITCH_PORTS, LOGICAL_SWITCHES
from tests.unit.northbound.network import Network


@contextmanager
def inserts(database: Database) -> Iterator[list[str]]:
    """Collect the tables that rows are inserted into, one for each statement."""
    tables: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        verb, _, rest = statement.partition(" INTO ")
        if verb == "INSERT":
            tables.append(rest.split()[0])

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield tables
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def test_new_objects_of_a_kind_are_one_statement(database: Database) -> None:
    with inserts(database) as tables, database.write(author="a") as tx:
        LOGICAL_SWITCHES.create(tx, {"name": "web"})
        for number in range(50):
            LOGICAL_SWITCH_PORTS.create(tx, {"name": f"p{number}", "logical_switch": "web"})
    assert tables.count("logical_switch_port") == 1
    assert tables.count("logical_switch") == 1


def test_a_new_object_is_stored_with_its_defaults_and_can_be_changed(database: Database) -> None:
    with database.write(author="a") as tx:
        row = LogicalSwitch(id="6b1d3f0c-0000-4000-8000-000000000001", name="web", tunnel_key=7)
        tx.add(row)
        tx.flush()
        assert inspect(row).persistent
        assert not tx.session.dirty
        assert (row.labels, row.exclude_ips, row.subnet4, row.shared) == ({}, [], None, False)
        row.subnet4 = "10.0.0.0/24"
        row.labels = {"a": "b"}
    assert [change.before for change in tx.changes] == [None]
    with database.read() as reader:
        stored = LOGICAL_SWITCHES.get(reader, "web")
        assert stored is not row
        assert (stored.subnet4, stored.labels, stored.exclude_ips) == (
            "10.0.0.0/24",
            {"a": "b"},
            [],
        )
        assert stored.version == tx.committed


def test_objects_of_a_kind_share_no_default(database: Database) -> None:
    with database.write(author="a") as tx:
        rows = [
            LogicalSwitch(id=f"6b1d3f0c-0000-4000-8000-00000000000{n}", name=str(n), tunnel_key=n)
            for n in (1, 2)
        ]
        for row in rows:
            tx.add(row)
        tx.flush()
        assert rows[0].labels is not rows[1].labels


def test_what_is_made_and_taken_back_is_no_change(database: Database) -> None:
    with database.write(author="a") as tx:
        LOGICAL_SWITCHES.create(tx, {"name": "web"})
        tx.flush()
        LOGICAL_SWITCHES.delete(tx, "web")
    assert tx.committed is None


def test_a_new_object_takes_a_name_that_another_gives_up_in_the_same_flush(
    network: Network, database: Database
) -> None:
    network.create("switch", name="web")
    with database.write(author="a") as tx:
        old = LOGICAL_SWITCHES.get(tx, "web")
        old.name = "old"
        tx.add(LogicalSwitch(id="6b1d3f0c-0000-4000-8000-000000000001", name="web", tunnel_key=7))
        insert_new_rows(tx.session)
        assert tx.session.new, "the unit of work knows the order"
    with database.read() as reader:
        assert LOGICAL_SWITCHES.get(reader, "web").tunnel_key == 7
        assert LOGICAL_SWITCHES.get(reader, "old").id == old.id
