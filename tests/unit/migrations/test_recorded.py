"""Databases that earlier releases made, brought up to date: nothing of them is lost.

:mod:`tests.unit.migrations.record` says how they were made.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from sqlalchemy import text

from northbound import tokens
from northbound.apply import apply
from northbound.database import (
    Database,
    check_foreign_keys,
    make_engine,
    make_migration_engine,
    open_database,
    upgrade,
)
from northbound.errors import ReferencedError
from northbound.schema import migrate
from northbound.services import ADDRESS_SETS, LOGICAL_SWITCHES, SERVICES, revisions
from southbound.rows import PortBinding, SetMember
from southbound.state import RealisedState
from southbound.store import Store
from tests.unit.migrations.record import RECORDED
from tests.unit.northbound.network import Network
from tests.unit.northbound.postgresql import drop_tables, private_server
from tests.unit.northbound.test_apply import SHOP
from translator.runner import Translator

RELEASES = ("0004",)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with private_server() as url:
        yield url


@pytest.fixture(
    params=[(release, kind) for release in RELEASES for kind in ("sqlite", "postgresql")],
    ids="-".join,
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database as the release left it."""
    release, kind = request.param
    recorded = (RECORDED / f"{release}.{kind}.sql").read_text()
    if kind == "sqlite":
        path = tmp_path / "treadle.db"
        with sqlite3.connect(path) as connection:
            connection.executescript(recorded)
        return f"sqlite:///{path}"
    url: str = request.getfixturevalue("server")
    drop_tables(url)
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(recorded.replace("%", "%%"))
    engine.dispose()
    return url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """The same, brought up to date."""
    upgrade(url)
    database = open_database(url)
    yield database
    database.close()


def test_objects_are_as_they_were(database: Database) -> None:
    network = Network(database)
    counts = {}
    with database.read() as reader:
        for kind, service in SERVICES.items():
            rows = service.page(reader).items
            if rows:
                counts[kind] = len(rows)
            assert all((row.project, row.display_name) == ("default", "") for row in rows)
    assert counts == {
        "logical_switch": 3,
        "logical_router": 2,
        "logical_router_port": 3,
        "logical_switch_port": 6,
        "static_route": 1,
        "port_group": 2,
        "address_set": 1,
        "acl": 3,
    }
    assert network.get("switch", "lab")["labels"] == {"team": "lab"}
    assert network.get("port", "bench")["requested_chassis"] == ["hv1"]
    assert network.get("port", "web-1")["dynamic_addresses"].endswith(" 10.0.1.2")
    assert network.get("group", "frontends")["ports"] == ["web-1", "web-2"]


def test_a_document_finds_again_what_it_owns(database: Database) -> None:
    lab = Network(database).get("switch", "lab")["id"]
    shop = yaml.safe_load(SHOP)
    shop["logical_switches"][lab] = shop["logical_switches"].pop("db")
    with database.write(author="test") as tx:
        apply(tx, shop)
    assert tx.changes == []


def test_sets_that_matches_name_are_protected_still(database: Database) -> None:
    for service, name in ((ADDRESS_SETS, "offices"), (SERVICES["port_group"], "lab.all")):
        with pytest.raises(ReferencedError), database.write(author="test") as tx:
            service.update(tx, name, {"name": "other"})
    with pytest.raises(ReferencedError), database.write(author="test") as tx:
        ADDRESS_SETS.delete(tx, "offices")


def test_an_id_that_was_given_as_a_name_leads_to_its_object(database: Database) -> None:
    network = Network(database)
    lab = network.get("switch", "lab")
    assert network.get("switch", lab["id"]) == lab
    with database.read() as reader:
        names = [row.name for row in LOGICAL_SWITCHES.page(reader).items]
    assert sorted(names) == sorted(["lab", "web", lab["id"]])


def test_tokens_are_for_all_projects(database: Database) -> None:
    with database.read() as reader:
        found = {token.name: token for token in tokens.every(reader)}
    assert {name: token.project for name, token in found.items()} == {
        "root": None,
        "ops": None,
        "hv1": None,
    }
    assert (found["hv1"].hostname, found["hv1"].encap_ips) == ("hv1.example.net", ("192.0.2.11",))


def test_history_is_kept(database: Database) -> None:
    with database.read() as reader:
        assert [entry.author for entry in revisions.page(reader).items] == ["bob", "bob", "alice"]
        first = revisions.get(reader, 1)
    assert len(first.changes or ()) == 19
    with database.write(author="test") as tx:
        LOGICAL_SWITCHES.create(tx, {"name": "new"})
    assert tx.committed == 4


async def test_realised_state_goes_on(database: Database) -> None:
    realised = RealisedState(Store(database.engine))
    await realised.load()
    before = realised.rows(PortBinding), realised.rows(SetMember)
    before = tuple(map(dict, before))
    await Translator(database, realised).start()
    assert (dict(realised.rows(PortBinding)), dict(realised.rows(SetMember))) == before
    (web,) = [row for row in realised.rows(PortBinding).values() if row.name == "web-1"]
    assert (web.chassis, web.up) == ("hv1", True)
    await realised.close()


def test_the_way_back(url: str) -> None:
    """Also to find that a step back loses nothing but what it takes away."""
    upgrade(url)
    engine = make_migration_engine(url)
    with engine.begin() as connection:
        migrate(connection, "0004")
        check_foreign_keys(connection, url)
        targets = connection.execute(text("SELECT target FROM acl_reference")).scalars().all()
    assert sorted(targets) == ["$offices", "$offices", "@frontends", "@lab.all"]
    engine.dispose()
    upgrade(url)
    open_database(url).close()
