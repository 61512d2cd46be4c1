"""Objects of several projects that are called alike, in flows and rows."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from northbound.apply import apply
from northbound.database import Database, open_database, upgrade
from northbound.services import ACLS, ADDRESS_SETS, LOGICAL_ROUTER_PORTS, SERVICES
from southbound.rows import FlowGroup, PortBinding, SetMember
from southbound.state import RealisedState
from southbound.store import Store
from translator.runner import Translator

SHOP = yaml.safe_load("""
document: shop
logical_switches:
  web:
    ports:
      web-1: {addresses: ["0a:00:00:00:00:01 10.0.1.11"]}
      web-r: {router_port: r-web}
    acls:
      - {direction: to-lport, priority: 9, action: drop,
         match: 'outport == @all && ip4.src == {$office, $all_ip4} && outport == "web-1"'}
logical_routers:
  r:
    ports:
      r-web: {networks: [10.0.1.1/24], mac: "0a:00:00:00:01:01"}
      r-x: {networks: [10.9.0.1/24], mac: "0a:00:00:00:01:02", peer: x-r}
    static_routes:
      - {ip_prefix: 10.8.0.0/16, nexthop: 10.9.0.2, output_port: r-x}
  x:
    ports:
      x-r: {networks: [10.9.0.2/24], mac: "0a:00:00:00:01:03"}
port_groups:
  all: {ports: [web-1]}
address_sets:
  office: {addresses: [192.0.2.1]}
""")


class Rows:
    """What realised state holds of some projects."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.rows: dict[type[Any], list[Any]] = {}
        self.failures: list[Any] = []

    def translate(self) -> None:
        asyncio.run(self._translate())

    async def _translate(self) -> None:
        realised = RealisedState(Store(self.database.engine))
        await realised.load()
        translator = Translator(self.database, realised)
        await translator.start()
        for row_type in (PortBinding, SetMember, FlowGroup):
            self.rows[row_type] = list(realised.rows(row_type).values())
        self.failures = list(translator.failures)
        await realised.close()

    def ids(self, project: str) -> dict[str, str]:
        """The ids of a project's objects, by name."""
        found = {}
        with self.database.read() as reader:
            for service in SERVICES.values():
                for row in service.page(reader).items:
                    if row.project == project:
                        found[getattr(row, "name", "") or service.kind] = row.id
        return found

    def bindings(self, ids: dict[str, str]) -> dict[str, PortBinding]:
        return {row.id: row for row in self.rows[PortBinding] if row.id in ids.values()}

    def acl_flows(self, acl: str) -> str:
        (group,) = [row for row in self.rows[FlowGroup] if row.cause_id == acl]
        return str(msgspec.msgpack.decode(group.payload))


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Rows]:
    url = f"sqlite:///{tmp_path / 'treadle.db'}"
    upgrade(url)
    database = open_database(url)
    with database.write(author="test") as tx:
        for project in ("default", "acme"):
            apply(tx, {**SHOP, "project": project})
    rows = Rows(database)
    rows.translate()
    yield rows
    database.close()


def test_names_are_unique_over_projects(rows: Rows) -> None:
    assert rows.failures == []
    names = [row.name for row in rows.rows[PortBinding]]
    assert len(names) == len(set(names)) == 10
    own = rows.ids("default")
    assert {row.name for row in rows.bindings(own).values()} == {
        "web-1",
        "web-r",
        "r-web",
        "r-x",
        "x-r",
    }
    acme = rows.ids("acme")
    assert all(row.name == row.id for row in rows.bindings(acme).values())


def test_patches_and_routes_stay_within_a_project(rows: Rows) -> None:
    acme = rows.ids("acme")
    bindings = rows.bindings(acme)
    for one, other in (("web-r", "r-web"), ("r-web", "web-r"), ("r-x", "x-r"), ("x-r", "r-x")):
        assert bindings[acme[one]].peer == acme[other]
    for project in ("default", "acme"):
        ids = rows.ids(project)
        routes = [row for row in rows.rows[FlowGroup] if row.cause_id == ids["static_route"]]
        assert len(routes) == 1


def test_sets_and_ports_in_matches_are_those_of_the_project(rows: Rows) -> None:
    acme, own = rows.ids("acme"), rows.ids("default")
    members = {(row.set, row.member) for row in rows.rows[SetMember]}
    office, group = f".{acme['office']}", f".{acme['all']}"
    assert members == {
        ("$office", "192.0.2.1"),
        ("@all", "web-1"),
        ("$all_ip4", "10.0.1.11"),
        (f"${office}", "192.0.2.1"),
        (f"@{group}", acme["web-1"]),
        (f"${group}_ip4", "10.0.1.11"),
    }
    flows = rows.acl_flows(acme["acl"])
    assert f"outport == @{group}" in flows
    assert f"{{${office}, ${group}_ip4}}" in flows
    assert f'outport == "{acme["web-1"]}"' in flows
    assert 'outport == "web-1"' in rows.acl_flows(own["acl"])


def test_matches_name_what_is_shared_and_what_has_an_id(rows: Rows) -> None:
    acme, own = rows.ids("acme"), rows.ids("default")
    with rows.database.write(author="test") as tx:
        ADDRESS_SETS.update(tx, "acme/office", {"shared": True})
        match = f'ip4.src == {{$acme/office, ${own["office"]}}} && outport == "{own["web-1"]}"'
        ACLS.update(tx, own["acl"], {"match": match})
    rows.translate()
    flows = rows.acl_flows(own["acl"])
    assert f"{{$.{acme['office']}, $office}}" in flows
    assert 'outport == "web-1"' in flows


def test_renaming_in_one_project_leaves_the_other_alone(rows: Rows) -> None:
    before = {row.id: row for row in rows.rows[PortBinding]}
    with rows.database.write(author="test") as tx:
        LOGICAL_ROUTER_PORTS.update(tx, "acme/r-web", {"name": "up"})
    rows.translate()
    assert {row.id: row for row in rows.rows[PortBinding]} == before
    assert rows.failures == []
