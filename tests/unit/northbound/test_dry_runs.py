"""Dry runs: what a change would do is found out without keeping any writer waiting."""

import threading
from typing import Any

import pytest
from sqlalchemy import MetaData, insert, select
from sqlalchemy.exc import IntegrityError

from northbound.database import Database
from northbound.models import Base, LogicalSwitch
from northbound.services import ACLS, LOGICAL_SWITCH_PORTS, LOGICAL_SWITCHES
from northbound.transaction import Transaction
from tests.unit.northbound.network import Network

MAC = "0a:00:00:00:09:0"


def everything(database: Database) -> dict[str, list[str]]:
    """All rows of all tables."""
    tables = MetaData()
    with database.engine.connect() as connection:
        tables.reflect(connection)
        return {
            table.name: sorted(map(repr, connection.execute(select(table))))
            for table in tables.sorted_tables
        }


def edit(tx: Transaction) -> None:
    """Make, change and remove rows of several tables, some of them twice."""
    LOGICAL_SWITCHES.create(tx, {"name": "new", "subnet4": "10.9.0.0/24"})
    for number in range(3):
        values = {
            "name": f"n{number}",
            "logical_switch": "new",
            "addresses": [f"{MAC}{number} dynamic"],
        }
        LOGICAL_SWITCH_PORTS.create(tx, values)
    LOGICAL_SWITCH_PORTS.update(tx, "n1", {"enabled": False})
    LOGICAL_SWITCH_PORTS.update(tx, "old", {"addresses": ["0a:00:00:00:00:01 10.0.0.9"]})
    LOGICAL_SWITCH_PORTS.delete(tx, "n2")
    LOGICAL_SWITCH_PORTS.delete(tx, "older")
    values = {"name": "older", "logical_switch": "new", "addresses": [f"{MAC}9 dynamic"]}
    LOGICAL_SWITCH_PORTS.create(tx, values)
    ACLS.create(
        tx,
        {
            "logical_switch": "new",
            "direction": "to-lport",
            "priority": 1,
            "match": 'outport == "older"',
            "action": "drop",
        },
    )


@pytest.fixture
def web(network: Network) -> Network:
    network.create("switch", name="web", subnet4="10.0.0.0/24")
    network.create("port", name="old", logical_switch="web", addresses=["dynamic"])
    network.create("port", name="older", logical_switch="web", addresses=["dynamic"])
    return network


def essence(tx: Transaction) -> list[tuple[str, bool, bool, Any]]:
    """The changes of a transaction, without ids that are made up anew each time."""
    made_up = ("id", "logical_switch_id", "acl_id")
    return sorted(
        (
            each.table,
            each.before is None,
            each.after is None,
            str({k: v for k, v in (each.after or {}).items() if k not in made_up}),
        )
        for each in tx.changes
    )


def test_a_writer_goes_on_while_a_change_is_tried(web: Network) -> None:
    done = threading.Event()

    def commit() -> None:
        web.update("switch", "web", labels={"while": "tried"})
        done.set()

    with web.database.write(author="test", dry_run=True) as tx:
        edit(tx)
        tx.flush()
        writer = threading.Thread(target=commit, daemon=True)
        writer.start()
        assert done.wait(20), "the writer waits for the dry run"
        assert LOGICAL_SWITCHES.view(tx, LOGICAL_SWITCHES.get(tx, "web"))["labels"] == {}
    writer.join()
    assert tx.committed is None
    assert web.get("switch", "web")["labels"] == {"while": "tried"}
    assert web.names("switch") == ["web"]


def test_a_change_is_tried_while_a_writer_is_at_it(web: Network) -> None:
    with web.database.write(author="test") as writing:
        LOGICAL_SWITCHES.create(writing, {"name": "half-made"})
        writing.flush()
        with web.database.write(author="test", dry_run=True) as tx:
            edit(tx)
        assert not any("half-made" in str(each.after) for each in tx.changes)


def test_it_finds_what_the_change_does_and_keeps_nothing(web: Network) -> None:
    before = everything(web.database)
    tried = []
    for _ in range(2):
        with web.database.write(author="test", dry_run=True) as tx:
            edit(tx)
        tried.append(essence(tx))
    assert everything(web.database) == before
    with web.database.write(author="test") as tx:
        edit(tx)
    assert tried == [essence(tx)] * 2


def test_what_is_unique_stays_so(web: Network) -> None:
    columns = LogicalSwitch.__table__.columns
    with web.database.engine.connect() as connection:
        (row,) = connection.execute(select(*columns)).mappings()
    for changed in ({}, {"id": "other"}, {"id": "other", "name": "other"}):
        with (
            pytest.raises(IntegrityError),
            web.database.write(author="test", dry_run=True) as tx,
        ):
            tx.session.execute(insert(LogicalSwitch).values(**{**row, **changed}))
    other = {**row, "id": "other", "name": "other", "tunnel_key": 99}
    with web.database.write(author="test", dry_run=True) as tx:
        tx.session.execute(insert(LogicalSwitch).values(**other))
        with pytest.raises(IntegrityError):
            tx.session.execute(LogicalSwitch.__table__.update().values(name="same"))


def test_every_table_is_covered(database: Database) -> None:
    """A write to any table of intent, or of its history, stays within the dry run."""
    before = everything(database)
    for table in Base.metadata.sorted_tables:
        with database.write(author="test", dry_run=True) as tx:
            tx.session.execute(table.delete())
            assert tx.session.execute(select(table)).all() == []
    assert everything(database) == before
