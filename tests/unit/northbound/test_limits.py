"""What one transaction may ask of the writer, and that more is refused and leaves no trace."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from northbound.database import Database, open_database
from northbound.errors import DatabaseBusyError, LimitError
from northbound.limits import WriteLimits
from northbound.services import ADDRESS_SETS, LOGICAL_SWITCHES, PORT_GROUPS
from northbound.transaction import Transaction
from tests.unit.northbound.network import Network

ADDRESSES = [f"10.0.0.{i}" for i in range(1, 12)]
PORTS = [f"p{i}" for i in range(1, 12)]


@contextmanager
def opened(file: Path, **limits: Any) -> Iterator[Network]:
    database = open_database(str(file), limits=WriteLimits(**limits))
    try:
        yield Network(database)
    finally:
        database.close()


@pytest.fixture
def bounded(database_file: Path) -> Iterator[Network]:
    """A database whose sets and groups have ten members at most."""
    with opened(database_file, members=10) as network:
        network.create("switch", name="web")
        for port in PORTS:
            network.create("port", name=port, logical_switch="web")
        yield network


def change(network: Network, work: Callable[[Transaction], Any]) -> Callable[[], None]:
    def run() -> None:
        with network.database.write(author="test") as tx:
            work(tx)

    return run


def test_members_of_a_set_are_bounded_however_they_come(bounded: Network) -> None:
    refused = bounded.refused(LimitError, "set", name="office", addresses=ADDRESSES)
    assert refused == "11 are more addresses than the 10 of one address set"
    bounded.create("set", name="office", addresses=ADDRESSES[:10])
    bounded.refuses(LimitError, lambda: bounded.update("set", "office", addresses=ADDRESSES))
    add = change(bounded, lambda tx: ADDRESS_SETS.add_addresses(tx, "office", ADDRESSES[10:]))
    bounded.refuses(LimitError, add)
    change(bounded, lambda tx: ADDRESS_SETS.remove_addresses(tx, "office", ADDRESSES[:1]))()
    add()
    assert bounded.get("set", "office")["addresses"] == sorted(ADDRESSES[1:])


def test_members_of_a_group_are_bounded_however_they_come(bounded: Network) -> None:
    refused = bounded.refused(LimitError, "group", name="all", ports=PORTS)
    assert refused == "11 are more ports than the 10 of one port group"
    bounded.create("group", name="all", ports=PORTS[:10])
    bounded.refuses(LimitError, lambda: bounded.update("group", "all", ports=PORTS))
    add = change(bounded, lambda tx: PORT_GROUPS.add_ports(tx, "all", PORTS[10:]))
    bounded.refuses(LimitError, add)
    bounded.delete("port", PORTS[0])
    add()
    assert bounded.get("group", "all")["ports"] == sorted(PORTS[1:])


def test_members_are_written_many_at_once(database: Database) -> None:
    """Ten times as many take no more statements, as long as they fit one each."""

    def statements(work: Callable[[Transaction], Any]) -> int:
        count = 0

        def note(*_: object) -> None:
            nonlocal count
            count += 1

        event.listen(database.engine, "before_cursor_execute", note)
        try:
            with database.write(author="test") as tx:
                work(tx)
        finally:
            event.remove(database.engine, "before_cursor_execute", note)
        return count

    def addresses(number: int) -> list[str]:
        return [f"10.1.{i // 200}.{i % 200 + 1}" for i in range(number)]

    for name in ("few", "many"):
        with database.write(author="test") as tx:
            ADDRESS_SETS.create(tx, {"name": name})
    add, remove = ADDRESS_SETS.add_addresses, ADDRESS_SETS.remove_addresses
    for work in (add, remove):
        few = statements(lambda tx, work=work: work(tx, "few", addresses(40)))  # type: ignore[misc]
        many = statements(lambda tx, work=work: work(tx, "many", addresses(400)))  # type: ignore[misc]
        assert many == few


def test_a_transaction_has_its_time(database_file: Path) -> None:
    with opened(database_file, seconds=0.05) as network:
        slow = threading.Event()

        def work(tx: Transaction) -> None:
            for i in range(1_000_000):
                LOGICAL_SWITCHES.create(tx, {"name": f"s{i}"})
                tx.flush()
                slow.wait(0.01)

        refused = network.refuses(LimitError, change(network, work))
        assert refused == "one request may take 0.05 s: do it in several"
        assert network.names("switch") == []


def test_who_waits_for_the_writer_waits_for_as_long(database_file: Path) -> None:
    with opened(database_file, seconds=0.05) as network:
        with network.database.write(author="first"):
            busy: list[DatabaseBusyError] = []

            def second() -> None:
                try:
                    network.create("switch", name="second")
                except DatabaseBusyError as error:
                    busy.append(error)

            waiting = threading.Thread(target=second)
            waiting.start()
            waiting.join(30)
        assert [str(error) for error in busy] == ["other changes took 0.05 s"]


@pytest.mark.parametrize("dry_run", [False, True])
def test_transactions_end_when_the_server_does(database: Database, dry_run: bool) -> None:
    def work() -> None:
        with database.write(author="test", dry_run=dry_run) as tx:
            LOGICAL_SWITCHES.create(tx, {"name": "web"})
            database.end_writes()
            tx.flush()

    with pytest.raises(DatabaseBusyError, match="the server is stopping; nothing was written"):
        work()
    assert database.revision() == 0
