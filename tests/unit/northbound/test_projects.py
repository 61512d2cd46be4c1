"""Objects of several projects: whose they are, and what each sees of the others."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from northbound.apply import apply
from northbound.database import Database
from northbound.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    ReferencedError,
    RequestError,
    SharedError,
)
from northbound.projects import Scope
from northbound.services import (
    ACLS,
    ADDRESS_SETS,
    CHASSIS_TEMPLATE_VARS,
    LOGICAL_ROUTER_PORTS,
    LOGICAL_ROUTERS,
    LOGICAL_SWITCH_PORTS,
    LOGICAL_SWITCHES,
    PORT_GROUPS,
)
from northbound.transaction import Transaction
from tests.unit.northbound.network import Network

ACME, ZOO = Scope("acme", confined=True), Scope("zoo", confined=True)
ACL = {"direction": "to-lport", "priority": 1, "action": "drop"}


@contextmanager
def write(database: Database, scope: Scope) -> Iterator[Transaction]:
    with database.write(author="test", scope=scope) as tx:
        yield tx


def refusal(database: Database, scope: Scope, service: Any, **values: Any) -> RequestError:
    with pytest.raises(RequestError) as caught, write(database, scope) as tx:
        service.create(tx, values)
    return caught.value


def test_objects_are_of_the_default_project_unless_another_is_said(network: Network) -> None:
    network.create("switch", name="web")
    network.create("switch", name="web", project="acme")
    assert network.get("switch", "web")["project"] == "default"
    assert network.get("switch", "acme/web")["project"] == "acme"
    assert network.names("switch", project="acme") == ["web"]
    with pytest.raises(InvalidError, match="cannot be changed; it is 'default'"):
        network.update("switch", "web", project="acme")


def test_variables_of_chassis_are_not_for_one_project_to_set(network: Network) -> None:
    refused = refusal(network.database, ACME, CHASSIS_TEMPLATE_VARS, chassis="hv1")
    assert "are those of all projects, and the token is for acme" in str(refused)


def test_names_are_unique_within_a_project(network: Network) -> None:
    for project in ("acme", "zoo"):
        network.create("switch", name="web", project=project)
        network.create("port", name="p", logical_switch=f"{project}/web")
        network.create("router", name="r", project=project)
        port = {"name": "p", "logical_router": f"{project}/r", "networks": ["10.0.0.1/24"]}
        message = network.refused(ConflictError, "router_port", **port)
        assert message.endswith("already taken by logical switch port p")
    with pytest.raises(ConflictError):
        network.create("switch", name="web", project="zoo")


def test_what_is_part_of_an_object_is_of_its_project(network: Network) -> None:
    network.create("switch", name="web", project="acme")
    acl = network.create("acl", logical_switch="acme/web", match="ip4", **ACL)
    assert network.get("acl", acl)["project"] == "acme"
    assert network.get("acl", acl)["logical_switch"] == "web"
    faults = network.faults("acl", logical_switch="acme/web", project="zoo", match="ip6", **ACL)
    assert faults == {"/logical_switch": "there is no logical switch of that name"} or faults == {
        "/logical_switch": "belongs to another project than zoo"
    }


def test_references_stay_within_the_project(network: Network) -> None:
    for project in ("default", "acme"):
        network.create("router", name="r", project=project)
        network.create(
            "router_port", name="r-web", logical_router=f"{project}/r", networks=["10.0.0.1/24"]
        )
        network.create("switch", name="web", project=project)
        network.create("port", name="web-r", logical_switch=f"{project}/web", router_port="r-web")
    assert network.get("port", "acme/web-r")["router_port"] == "r-web"
    network.create("switch", name="lab", project="acme")
    values = {"name": "lab-r", "logical_switch": "acme/lab", "router_port": "default/r-web"}
    assert network.faults("port", **values) == {"/router_port": "belongs to another project"}
    network.create("group", name="all", project="acme", ports=["web-r"])
    faults = network.faults("group", name="all", ports=["acme/web-r"])
    assert faults == {"/ports/0": "belongs to another project"}


def test_a_new_name_reaches_only_what_refers_within_the_project(network: Network) -> None:
    test_references_stay_within_the_project(network)
    network.update("router_port", "acme/r-web", name="up")
    assert network.get("port", "acme/web-r")["router_port"] == "up"
    assert network.get("port", "web-r")["router_port"] == "r-web"
    assert network.get("port", "web-r")["id"] != network.get("port", "acme/web-r")["id"]


def test_matches_name_sets_of_their_own_project(database: Database, network: Network) -> None:
    for project in ("default", "acme"):
        network.create("set", name="office", project=project, addresses=["192.0.2.1"])
        network.create("switch", name="web", project=project)
        match = "ip4.src == $office"
        network.create("acl", logical_switch=f"{project}/web", match=match, **ACL)
    assert {acl["project"] for acl in _all(database, ACLS)} == {"default", "acme"}
    with pytest.raises(ReferencedError) as caught:
        network.delete("set", "acme/office")
    assert [each.project for each in caught.value.referrers] == ["acme"]


def test_a_reader_of_one_project_sees_nothing_of_others(
    database: Database, network: Network
) -> None:
    for project in ("default", "acme", "zoo"):
        network.create("switch", name="web", project=project)
    foreign = network.get("switch", "zoo/web")["id"]
    with database.read(ACME) as reader:
        assert [row.project for row in LOGICAL_SWITCHES.page(reader).items] == ["acme"]
        assert LOGICAL_SWITCHES.get(reader, "web").project == "acme"
        for ref in (foreign, "zoo/web", "default/web"):
            with pytest.raises(NotFoundError):
                LOGICAL_SWITCHES.get(reader, ref)
        with pytest.raises(NotFoundError):
            LOGICAL_SWITCH_PORTS.page(reader, {"logical_switch": foreign})
    for ref in (foreign, "zoo/web"):
        for work in (
            lambda tx, ref: LOGICAL_SWITCHES.update(tx, ref, {"name": "x"}),
            lambda tx, ref: LOGICAL_SWITCHES.replace(tx, ref, {"name": "x"}),
            lambda tx, ref: LOGICAL_SWITCHES.delete(tx, ref),
        ):
            with pytest.raises(NotFoundError), write(database, ACME) as tx:
                work(tx, ref)
        error = refusal(database, ACME, LOGICAL_SWITCH_PORTS, name="p", logical_switch=ref)
        assert "there is no logical switch of that name" in str(error)
    error = refusal(database, ACME, LOGICAL_SWITCHES, name="x", project="zoo")
    assert str(error).startswith("project: the token is for project acme only")


def test_a_shared_switch_is_used_by_others_and_not_changed(
    database: Database, network: Network
) -> None:
    network.create("switch", name="public", project="zoo", shared=True, subnet4="10.0.0.0/24")
    network.create("port", name="theirs", logical_switch="zoo/public", addresses=["dynamic"])
    with write(database, ACME) as tx:
        values = {"name": "mine", "logical_switch": "zoo/public", "addresses": ["dynamic"]}
        port = LOGICAL_SWITCH_PORTS.create(tx, values)
    assert port.project == "acme"
    with database.read(ACME) as reader:
        assert [row.name for row in LOGICAL_SWITCHES.page(reader).items] == ["public"]
        (mine,) = LOGICAL_SWITCH_PORTS.page(reader).items
        assert LOGICAL_SWITCH_PORTS.view(reader, mine)["logical_switch"] == "zoo/public"
    for work in (
        lambda tx: LOGICAL_SWITCHES.update(tx, "zoo/public", {"subnet4": None}),
        lambda tx: LOGICAL_SWITCHES.delete(tx, "zoo/public", cascade=True),
    ):
        with pytest.raises(SharedError), write(database, ACME) as tx:
            work(tx)
    values = {"logical_switch": "zoo/public", "match": "ip4", **ACL}
    assert "belongs to another project" in str(refusal(database, ACME, ACLS, **values))


def test_errors_name_nothing_of_other_projects(database: Database, network: Network) -> None:
    network.create("switch", name="public", project="zoo", shared=True)
    address = "0a:00:00:00:00:01 10.0.0.1"
    secret = network.create(
        "port", name="secret", project="zoo", logical_switch="zoo/public", addresses=[address]
    )
    port = {"name": "p", "logical_switch": "zoo/public", "addresses": [address]}
    error = refusal(database, ACME, LOGICAL_SWITCH_PORTS, **port)
    assert isinstance(error, ConflictError)
    assert error.holder is None
    assert "secret" not in str(error)
    error = refusal(database, ACME, LOGICAL_SWITCHES, id=secret)
    assert isinstance(error, ConflictError)
    assert error.holder is None


def test_who_shares_is_not_told_who_uses_it(database: Database, network: Network) -> None:
    network.create("switch", name="public", project="zoo", shared=True)
    network.create("port", name="secret", project="acme", logical_switch="zoo/public")
    for work in (
        lambda tx: LOGICAL_SWITCHES.delete(tx, "public"),
        lambda tx: LOGICAL_SWITCHES.delete(tx, "public", cascade=True),
        lambda tx: LOGICAL_SWITCHES.update(tx, "public", {"shared": False}),
    ):
        with pytest.raises(ReferencedError) as caught, write(database, ZOO) as tx:
            work(tx)
        assert (caught.value.referrers, caught.value.hidden) == ((), 1)
        assert str(caught.value) == "logical switch public is referenced by 1 of other projects"
    network.delete("switch", "zoo/public", cascade=True)


def test_who_sees_all_may_join_projects_and_nothing_leaks(
    database: Database, network: Network
) -> None:
    web = network.create("switch", name="web", project="zoo")
    network.create("port", name="p", project="acme", logical_switch="zoo/web")
    assert network.get("port", "acme/p")["logical_switch"] == "zoo/web"
    with database.read(ACME) as reader:
        (port,) = LOGICAL_SWITCH_PORTS.page(reader).items
        assert LOGICAL_SWITCH_PORTS.view(reader, port)["logical_switch"] == web


def test_shared_address_sets(database: Database, network: Network) -> None:
    network.create("set", name="office", project="zoo", shared=True)
    network.create("set", name="vault", project="zoo")
    with write(database, ACME) as tx:
        LOGICAL_SWITCHES.create(tx, {"name": "web"})
        ACLS.create(tx, {"logical_switch": "web", "match": "ip4.src == $zoo/office", **ACL})
    values = {"logical_switch": "web", "match": "ip4.src == $zoo/vault", **ACL}
    assert "there is no address set 'zoo/vault'" in str(refusal(database, ACME, ACLS, **values))
    with pytest.raises(ReferencedError) as caught, write(database, ZOO) as tx:
        ADDRESS_SETS.update(tx, "office", {"shared": False})
    assert caught.value.hidden == 1
    with pytest.raises(SharedError), write(database, ACME) as tx:
        ADDRESS_SETS.add_addresses(tx, "zoo/office", ["192.0.2.1"])


def test_documents_of_projects_are_apart(database: Database, network: Network) -> None:
    shop = {
        "document": "shop",
        "logical_switches": {"web": {"ports": {"web-1": {"addresses": ["unknown"]}}}},
        "port_groups": {"all": {"ports": ["web-1"]}},
        "logical_routers": {"r": {"ports": {"r-1": {"networks": ["10.0.0.1/24"]}}}},
    }
    for project in (None, "acme", "zoo"):
        for committed in (True, False):
            with database.write(author="test") as tx:
                apply(tx, {**shop, **({"project": project} if project else {})})
            assert (tx.committed is not None) == committed
    with write(database, ACME) as tx:
        apply(tx, {"document": "shop"})
    assert [view["project"] for view in _all(database, LOGICAL_SWITCHES)] == ["default", "zoo"]
    assert [view["project"] for view in _all(database, PORT_GROUPS)] == ["default", "zoo"]
    assert len(_all(database, LOGICAL_ROUTERS)) == len(_all(database, LOGICAL_ROUTER_PORTS)) == 2
    for wrong in ({"project": "zoo"}, {"logical_switches": {"web": {"project": "zoo"}}}):
        with pytest.raises(InvalidError) as caught, write(database, ACME) as tx:
            apply(tx, {"document": "shop", **wrong})
        assert caught.value.problems[0].pointer.endswith("/project")
    del network


def _all(database: Database, service: Any) -> list[dict[str, Any]]:
    with database.read() as reader:
        return sorted(
            service.views(reader, service.page(reader).items), key=lambda view: view["project"]
        )
