"""Declarative documents."""

import copy
from typing import Any

import pytest
import yaml

import northbound.documents
from northbound.apply import ApplyResult, apply
from northbound.database import Database
from northbound.errors import ConflictError, InvalidError, ReferencedError
from northbound.projects import EVERYTHING, Scope
from northbound.services import LOGICAL_SWITCHES
from tests.unit.northbound.network import Network

Document = dict[str, Any]

SHOP = """
document: shop
logical_switches:
  web:
    subnet4: 10.0.1.0/24
    ports:
      web-1: {addresses: [dynamic]}
      web-2: {addresses: ["0A:00:00:00:01:02 10.0.1.12"]}
      web-r: {router_port: r1-web}
    acls:
      - {direction: from-lport, priority: 1, match: udp, action: drop}
  db:
    ports:
      db-1:
logical_routers:
  r1:
    ports:
      r1-web: {networks: [10.0.1.1/24]}
      r1-r2: {networks: [10.9.0.1/30], peer: r2-r1}
    static_routes:
      - {ip_prefix: 10.8.0.0/16, nexthop: 10.9.0.2}
  r2:
    ports:
      r2-r1: {networks: [10.9.0.2/30]}
port_groups:
  frontends:
    ports: [web-2, web-1]
    acls:
      - {direction: to-lport, priority: 9, match: "outport == @frontends && ip4.src == $offices",
         action: allow-related}
address_sets:
  offices: {addresses: [192.0.2.9/24]}
"""


@pytest.fixture
def shop() -> Document:
    document: Document = yaml.safe_load(SHOP)
    return document


def run(database: Database, document: Document, **options: Any) -> tuple[ApplyResult, int | None]:
    """Apply, and check that a second time there is nothing left to do."""
    with database.write(author="test") as tx:
        result = apply(tx, document, **options)
    with database.write(author="test") as again:
        second = apply(again, document, **options)
    assert again.changes == []
    assert (second.created, second.changed, second.deleted) == ([], [], [])
    return result, tx.committed


def names(result: ApplyResult) -> tuple[set[str], set[str], set[str]]:
    created, changed, deleted = (
        {f"{referent.kind} {referent.name}".strip() for referent in referents}
        for referents in (result.created, result.changed, result.deleted)
    )
    return created, changed, deleted


def test_the_documented_example(database: Database) -> None:
    text = (northbound.documents.__doc__ or "").split("::\n")[1].split("Objects are")[0]
    result, revision = run(database, yaml.safe_load(text))
    assert revision == 1
    assert len(result.created) == 11


def test_create_then_nothing(network: Network, shop: Document) -> None:
    result, revision = run(network.database, shop)
    assert revision == 1
    assert len(result.created) == 16
    assert network.get("port", "web-r")["type"] == "router"
    assert network.get("port", "web-1")["dynamic_addresses"].split()[1] == "10.0.1.2"
    assert network.get("port", "db-1")["document"] == "shop"
    assert network.get("router_port", "r2-r1")["peer"] == "r1-r2"
    assert network.get("set", "offices")["addresses"] == ["192.0.2.0/24"]


def test_what_is_no_longer_named_goes(network: Network, shop: Document) -> None:
    run(network.database, shop)
    network.create("port", name="theirs", logical_switch="web")
    del shop["logical_switches"]["db"]
    del shop["logical_switches"]["web"]["ports"]["web-1"]
    shop["port_groups"]["frontends"] = {"ports": ["web-2"]}
    del shop["address_sets"]
    result, _ = run(network.database, shop)
    assert names(result) == (
        set(),
        set(),
        {
            "logical_switch db",
            "logical_switch_port db-1",
            "logical_switch_port web-1",
            "acl",
            "address_set offices",
        },
    )
    assert "theirs" in network.names("port")


def test_everything_goes(network: Network, shop: Document) -> None:
    run(network.database, shop)
    result, _ = run(network.database, {"document": "shop"})
    assert len(result.deleted) == 16
    assert network.names("switch") == []


def test_what_others_use_does_not_go(network: Network, shop: Document) -> None:
    run(network.database, shop)
    network.create("port", name="theirs", logical_switch="db")
    with pytest.raises(ReferencedError) as caught, network.database.write(author="test") as tx:
        apply(tx, {"document": "shop"})
    assert [referent.name for referent in caught.value.referrers] == ["theirs"]
    assert network.names("port", logical_switch="web") == ["web-1", "web-2", "web-r"]


def test_changes(network: Network, shop: Document) -> None:
    run(network.database, shop)
    web = shop["logical_switches"]["web"]
    web["ports"]["web-2"]["enabled"] = False
    web["acls"][0]["action"] = "allow"
    shop["logical_routers"]["r1"]["ports"]["r1-web"]["mac"] = "0a:00:00:00:99:01"
    shop["port_groups"]["frontends"]["ports"].append("db-1")
    result, _ = run(network.database, shop)
    assert names(result) == (
        set(),
        {"logical_switch_port web-2", "acl", "logical_router_port r1-web", "port_group frontends"},
        set(),
    )


def test_drift_is_undone(network: Network, shop: Document) -> None:
    run(network.database, shop)
    network.update("port", "web-2", enabled=False)
    network.delete("port", "db-1")
    result, _ = run(network.database, shop)
    assert names(result) == ({"logical_switch_port db-1"}, {"logical_switch_port web-2"}, set())


def test_ports_change_places(network: Network, shop: Document) -> None:
    """A port to another switch, addresses swapped, a link turned round."""
    run(network.database, shop)
    web, db = shop["logical_switches"]["web"]["ports"], shop["logical_switches"]["db"]["ports"]
    web["web-3"] = {"addresses": ["0a:00:00:00:01:03 10.0.1.13"]}
    run(network.database, shop)
    web["web-2"], web["web-3"] = web["web-3"], web["web-2"]
    db["web-1"] = {"addresses": []}
    del web["web-1"]
    result, _ = run(network.database, shop)
    assert names(result)[0] == {"logical_switch_port web-1"}
    assert network.get("port", "web-1")["logical_switch"] == "db"
    assert network.get("port", "web-3")["addresses"] == ["0a:00:00:00:01:02 10.0.1.12"]
    assert network.get("group", "frontends")["ports"] == ["web-1", "web-2"]


def test_links_change_ends(network: Network) -> None:
    def document(links: dict[str, str | None]) -> Document:
        ports = {
            name: {"networks": [f"10.0.{i}.1/24"], "peer": peer}
            for i, (name, peer) in enumerate(links.items(), 1)
        }
        return {"document": "d", "logical_routers": {"r": {"ports": ports}}}

    run(network.database, document({"a": "b", "b": "a", "c": "d", "d": "c"}))
    run(network.database, document({"a": "c", "b": "d", "c": None, "d": None}))
    found = {name: network.get("router_port", name)["peer"] for name in "abcd"}
    assert found == {"a": "c", "c": "a", "b": "d", "d": "b"}
    run(network.database, document({"a": None, "b": None, "c": None, "d": None}))
    assert network.get("router_port", "d")["peer"] is None


def test_ownership(network: Network, shop: Document) -> None:
    network.create("switch", name="web", labels={"by": "hand"})
    with pytest.raises(ConflictError) as caught, network.database.write(author="test") as tx:
        apply(tx, shop)
    assert caught.value.path == ("logical_switches", "web")
    result, _ = run(network.database, shop, adopt=True)
    assert "logical_switch web" in names(result)[1]
    assert network.get("switch", "web")["document"] == "shop"
    other = {"document": "other", "logical_switches": {"web": {}}}
    for adopt in (False, True):
        with pytest.raises(ConflictError), network.database.write(author="test") as tx:
            apply(tx, other, adopt=adopt)


CONFINED = Scope("default", confined=True)


def test_what_is_in_the_way_is_told_with_its_document_and_what_helps(network: Network) -> None:
    run(network.database, {"document": "bfd", "logical_switches": {"office": {}}})
    network.create("switch", name="web")
    another = "choose another name or"
    elsewhere = "apply the document to another project (--project)"
    adopt = "let the document adopt the object (--adopt)"
    for name, scope, said in (
        ("office", EVERYTHING, f"switch office of document bfd; {another} {elsewhere}"),
        ("office", CONFINED, "switch office of document bfd; choose another name"),
        ("web", EVERYTHING, f"switch web; {another} {adopt} or {elsewhere}"),
        ("web", CONFINED, f"switch web; {another} {adopt}"),
    ):
        document = {"document": "mine", "logical_switches": {name: {}}}
        assert _in_the_way(network.database, document, scope).endswith(f"taken by logical {said}")
    named = {"document": "mine", "project": "default", "logical_switches": {"office": {}}}
    assert _in_the_way(network.database, named, EVERYTHING).endswith("; choose another name")


def _in_the_way(database: Database, document: Document, scope: Scope) -> str:
    with (
        pytest.raises(ConflictError) as caught,
        database.write(author="test", scope=scope) as tx,
    ):
        apply(tx, document)
    return str(caught.value)


def test_dry_run(network: Network, shop: Document) -> None:
    with network.database.write(author="test", dry_run=True) as tx:
        result = apply(tx, shop)
    assert len(result.created) == 16
    assert {change.before is None for change in tx.changes} == {True}
    assert network.database.revision() == 0
    assert network.names("switch") == []


@pytest.mark.parametrize(
    ("where", "value", "pointer"),
    [
        (("document",), None, "/document"),
        (("logical_switchs",), {}, "/logical_switchs"),
        (
            ("logical_switches", "web", "ports", "web-1", "addresses"),
            ["x"],
            "/logical_switches/web/ports/web-1/addresses/0",
        ),
        (
            ("logical_switches", "web", "ports", "web-r", "router_port"),
            "nowhere",
            "/logical_switches/web/ports/web-r/router_port",
        ),
        (
            ("port_groups", "frontends", "acls", 0, "match"),
            "ip4 &&",
            "/port_groups/frontends/acls/0/match",
        ),
        (("port_groups", "frontends", "ports"), ["nobody"], "/port_groups/frontends/ports/0"),
        (
            ("logical_routers", "r1", "static_routes", 0, "nexthop"),
            "10.77.0.1",
            "/logical_routers/r1/static_routes/0/nexthop",
        ),
        (
            ("logical_routers", "r1", "ports", "r1-r2", "peer"),
            "nowhere",
            "/logical_routers/r1/ports/r1-r2/peer",
        ),
    ],
)
def test_faults_lead_into_the_document(
    network: Network, shop: Document, where: tuple[Any, ...], value: Any, pointer: str
) -> None:
    document = copy.deepcopy(shop)
    place = document
    for step in where[:-1]:
        place = place[step]
    place[where[-1]] = value
    with pytest.raises(InvalidError) as caught, network.database.write(author="test") as tx:
        apply(tx, document)
    assert [problem.pointer for problem in caught.value.problems] == [pointer]
    assert network.database.revision() == 0


def test_all_wrong_acls_of_a_document_are_told(network: Network, shop: Document) -> None:
    """Matches that are none and matches that name what isn't there, wherever they stand."""
    first = shop["logical_switches"]["web"]["acls"]
    second = shop["port_groups"]["frontends"]["acls"]
    first[0]["match"] = "ip4 &&"
    second.append({**second[0], "match": "ip4.src == $nobody"})
    second.append({**second[0], "match": "tcp.dport == 80"})

    def refused() -> dict[str, int | None]:
        with pytest.raises(InvalidError) as caught, network.database.write(author="test") as tx:
            apply(tx, shop)
        return {problem.pointer: problem.position for problem in caught.value.problems}

    syntax = "/logical_switches/web/acls/0/match"
    place = "/port_groups/frontends/acls"
    unknown, field = (f"{place}/{len(second) - n}/match" for n in (2, 1))
    assert refused() == {syntax: 6, unknown: 11, field: 0}
    second[0]["priority"] = "high"
    assert refused() == {f"{place}/0/priority": None, syntax: 6, field: 0}
    assert network.database.revision() == 0


def test_the_same_acl_twice(database: Database, shop: Document) -> None:
    acls = shop["logical_switches"]["web"]["acls"]
    acls.append({**acls[0], "action": "allow"})
    with pytest.raises(InvalidError) as caught, database.write(author="test") as tx:
        apply(tx, shop)
    assert caught.value.problems[0].pointer == "/logical_switches/web/acls/1"


def test_no_document(database: Database) -> None:
    for nonsense in ([], "text", None):
        with pytest.raises(InvalidError), database.write(author="test") as tx:
            apply(tx, nonsense)  # type: ignore[arg-type]


def test_large_documents_take_the_same_way(network: Network) -> None:
    """From some size on whole tables are read first; the outcome is the same."""
    ports = {f"p{i}": {"addresses": ["dynamic"]} for i in range(300)}
    document: Document = {
        "document": "large",
        "logical_switches": {"big": {"subnet4": "10.0.0.0/16", "ports": ports}},
        "port_groups": {"all": {"ports": list(ports)}},
    }
    network.create("switch", name="other")
    run(network.database, document)
    for i in range(0, 300, 2):
        del ports[f"p{i}"]
    document["port_groups"]["all"]["ports"] = list(ports)
    result, _ = run(network.database, document)
    assert len(result.deleted) == 150
    document["logical_switches"]["other"] = {}
    with pytest.raises(ConflictError), network.database.write(author="test") as tx:
        apply(tx, document)
    assert network.names("port", logical_switch="big") == sorted(ports)


def test_applied_with_other_operations_in_one_transaction(database: Database) -> None:
    with database.write(author="test") as tx:
        LOGICAL_SWITCHES.create(tx, {"name": "first"})
        apply(tx, {"document": "d", "logical_switches": {"second": None}})
    assert tx.committed == 1
    assert len(tx.changes) == 2
