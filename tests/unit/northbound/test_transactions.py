"""The unit of work and the revision log that it writes."""

import threading
from typing import Any

import pytest

from northbound.database import Database
from northbound.errors import InvalidError, NotFoundError
from northbound.loading import changes_since, current_revision, load_all
from northbound.models import TRACKED
from northbound.paging import PageRequest
from northbound.services import LOGICAL_SWITCH_PORTS, LOGICAL_SWITCHES, SERVICES, revisions
from northbound.transaction import RowChange, at
from tests.unit.northbound.network import Network, only


def images(database: Database) -> dict[str, dict[str, dict[str, Any]]]:
    """Everything there is, by table and object id."""
    keys = {model.__tablename__: model.__mapper__.primary_key for model in TRACKED}
    with database.connect() as connection:
        return {
            table: {"/".join(row[str(key.key)] for key in keys[table]): row for row in rows}
            for table, rows in load_all(connection).items()
        }


def replay(database: Database) -> dict[str, dict[str, dict[str, Any]]]:
    """What the revision log says that there is."""
    state: dict[str, dict[str, dict[str, Any]]] = {model.__tablename__: {} for model in TRACKED}
    with database.connect() as connection:
        for _, changes in changes_since(connection, 0):
            for change in changes:
                assert state[change.table].get(change.object_id) == change.before
                if change.after is None:
                    del state[change.table][change.object_id]
                else:
                    state[change.table][change.object_id] = change.after
    return state


def test_the_log_and_the_tables_tell_the_same(network: Network) -> None:
    network.create("switch", name="web", subnet4="10.0.0.0/24", labels={"ü": "ö"})
    for i in range(3):
        network.create("port", name=f"p{i}", logical_switch="web", addresses=["dynamic"])
    network.create("router", name="r")
    network.create("router_port", name="r-web", logical_router="r", networks=["10.0.0.1/24"])
    network.create("port", name="web-r", logical_switch="web", router_port="r-web")
    network.create("route", logical_router="r", ip_prefix="0.0.0.0/0", nexthop="10.0.0.9")
    network.create("group", name="pg", ports=["p0", "p1"])
    network.create("set", name="as", addresses=["10.0.0.0/8"])
    network.create(
        "acl",
        port_group="pg",
        direction="to-lport",
        priority=1,
        match="ip4.src == $as",
        action="allow",
    )
    network.update("switch", "web", subnet4="10.1.0.0/24")
    network.update("router_port", "r-web", name="r-to-web")
    network.delete("port", "p1")
    network.update("set", "as", addresses=["10.0.0.1"])
    assert replay(network.database) == images(network.database)


def test_the_log_has_objects_of_all_kinds(network: Network) -> None:
    with network.database.write(author="test") as tx:
        for service in SERVICES.values():
            service.create(tx, service.declaration.example)
    with network.database.write(author="test") as tx:
        for service in SERVICES.values():
            (row,) = service.page(tx).items
            service.update(tx, row.id, service.declaration.patch)
    everywhere = {"switches": ["web"], "routers": ["edge"]}
    with network.database.write(author="test") as tx:
        SERVICES["load_balancer"].update(tx, "shop", everywhere)
        SERVICES["load_balancer_group"].update(
            tx, "services", {**everywhere, "load_balancers": ["shop"]}
        )
    state = images(network.database)
    assert [table for table, rows in state.items() if not rows] == []
    assert replay(network.database) == state


def test_one_transaction_one_revision(database: Database) -> None:
    seen: list[int] = []
    stop = database.on_commit(seen.append)
    with database.write(author="alice", comment="two switches") as tx:
        LOGICAL_SWITCHES.create(tx, {"name": "a"})
        LOGICAL_SWITCHES.create(tx, {"name": "b"})
        assert tx.committed is None
        assert seen == []
    assert (tx.revision, tx.committed, seen) == (1, 1, [1])
    assert [change.before for change in tx.changes] == [None, None]
    stop()
    with database.write(author="bob") as tx:
        LOGICAL_SWITCHES.delete(tx, "a")
    assert seen == [1]
    with database.read() as reader:
        second, first = revisions.page(reader).items
        assert (first.id, first.author, first.comment) == (1, "alice", "two switches")
        assert (second.id, second.author) == (2, "bob")
        assert first.created_at.utcoffset() is not None
        assert [change.table for change in revisions.get(reader, 1).changes or ()] == [
            "logical_switch"
        ] * 2
        with pytest.raises(NotFoundError):
            revisions.get(reader, 3)


def test_what_comes_to_nothing_takes_no_revision(database: Database) -> None:
    seen: list[int] = []
    database.on_commit(seen.append)
    with database.write(author="test") as tx:
        LOGICAL_SWITCHES.create(tx, {"name": "a"})
        LOGICAL_SWITCHES.update(tx, "a", {"labels": {"x": "y"}})
        LOGICAL_SWITCHES.delete(tx, "a")
    assert (tx.committed, seen, database.revision()) == (None, [], 0)


def test_intermediate_states_are_not_recorded(network: Network) -> None:
    network.create("switch", name="a", labels={"x": "1"})
    with network.database.write(author="test") as tx:
        for value in ("2", "3"):
            LOGICAL_SWITCHES.update(tx, "a", {"labels": {"x": value}})
            tx.flush()
    assert only(tx.changes) == ("logical_switch", {"labels": ({"x": "1"}, {"x": "3"})})


def test_a_refused_operation_undoes_the_whole_transaction(database: Database) -> None:
    def half() -> None:
        with database.write(author="test") as tx:
            LOGICAL_SWITCHES.create(tx, {"name": "a"})
            tx.flush()
            with at("operations", 1):
                LOGICAL_SWITCH_PORTS.create(tx, {"name": "p", "logical_switch": "nowhere"})

    with pytest.raises(InvalidError) as caught:
        half()
    assert caught.value.problems[0].pointer == "/operations/1/logical_switch"
    assert database.revision() == 0
    with database.read() as reader:
        assert LOGICAL_SWITCHES.page(reader).items == []


def test_a_reader_sees_one_state(network: Network) -> None:
    network.create("switch", name="a")
    with network.database.read() as reader:
        assert LOGICAL_SWITCHES.get(reader, "a").labels == {}
        network.update("switch", "a", labels={"x": "1"})
        network.create("switch", name="b")
        assert [row.name for row in LOGICAL_SWITCHES.page(reader).items] == ["a"]
    with network.database.connect() as connection:
        assert current_revision(connection) == 3
        network.create("switch", name="c")
        assert current_revision(connection) == 3
        assert [found.revision for found in changes_since(connection, 1)] == [2, 3]


def test_writers_come_one_after_the_other(database: Database) -> None:
    told: list[int] = []
    database.on_commit(told.append)
    errors: list[BaseException] = []

    def write(thread: int) -> None:
        try:
            for i in range(10):
                with database.write(author=f"thread {thread}") as tx:
                    LOGICAL_SWITCHES.create(tx, {"name": f"s{thread}-{i}"})
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(told) == list(range(1, 41))
    keys = [row["tunnel_key"] for row in images(database)["logical_switch"].values()]
    assert sorted(keys) == list(range(1, 41))


def test_history_of_an_object(network: Network) -> None:
    switch = network.create("switch", name="a")
    network.create("switch", name="b")
    network.update("switch", "a", name="c")
    network.delete("switch", "c")
    with network.database.read() as reader:
        history = revisions.history(reader, "logical_switch", switch)
        assert [entry.id for entry, _ in history] == [1, 3, 4]
        assert history[-1][1] == RowChange("logical_switch", switch, history[1][1].after, None)
        page = revisions.page(reader, {"kind": "logical_switch", "object": switch})
        assert [entry.id for entry in page.items] == [4, 3, 1]
        assert revisions.page(reader, {"author": "nobody"}).items == []
        with pytest.raises(InvalidError):
            revisions.page(reader, {"colour": "red"})


def test_pages(network: Network) -> None:
    for i in range(7):
        network.create("switch", name=f"s{i}")
    seen: list[str] = []
    cursor = None
    with network.database.read() as reader:
        for size in (3, 3, 1):
            page = LOGICAL_SWITCHES.page(reader, {}, PageRequest(limit=3, cursor=cursor))
            assert len(page.items) == size
            seen += [row.name for row in page.items]
            cursor = page.next
        assert cursor is None
        assert seen == [f"s{i}" for i in range(7)]
        entries: list[int] = []
        for _ in range(3):
            revision_page = revisions.page(reader, {}, PageRequest(limit=3, cursor=cursor))
            entries += [entry.id for entry in revision_page.items]
            cursor = revision_page.next
        assert entries == [7, 6, 5, 4, 3, 2, 1]
        assert cursor is None


def test_pages_while_rows_come_and_go(network: Network) -> None:
    for name in "bdf":
        network.create("switch", name=name)
    with network.database.read() as reader:
        page = LOGICAL_SWITCHES.page(reader, {}, PageRequest(limit=2))
    network.delete("switch", "d")
    network.create("switch", name="a")
    network.create("switch", name="e")
    with network.database.read() as reader:
        rest = LOGICAL_SWITCHES.page(reader, {}, PageRequest(limit=2, cursor=page.next))
    assert [row.name for row in rest.items] == ["e", "f"]


@pytest.mark.parametrize("cursor", ["x", "bm9uc2Vuc2U", "W10", "e30", "W3siYSI6MX1d"])
def test_cursor_that_nobody_gave(network: Network, cursor: str) -> None:
    with network.database.read() as reader:
        for service in SERVICES.values():
            with pytest.raises(InvalidError, match="cursor"):
                service.page(reader, {}, PageRequest(cursor=cursor))


def test_limits_of_a_page() -> None:
    for limit in (0, 1001):
        with pytest.raises(InvalidError):
            PageRequest(limit=limit)
