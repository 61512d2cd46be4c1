"""How objects are told apart: by ids, which always win, and by names."""

import pytest

from northbound.apply import apply
from northbound.errors import ConflictError, InvalidError, ReferencedError
from northbound.identity import canonical_id, is_id, new_id
from northbound.models import LogicalSwitch, LogicalSwitchPort
from northbound.services import ADDRESS_SETS, LOGICAL_ROUTERS, LOGICAL_SWITCHES
from tests.unit.northbound.network import Network

ACL = {"direction": "to-lport", "priority": 1, "match": "ip4", "action": "drop"}


def test_new_ids_are_ids_and_differ() -> None:
    assert is_id(new_id())
    assert new_id() != new_id()


def test_what_is_no_id() -> None:
    for text in ("web-1", "", new_id() + "0", new_id().replace("-", ""), "{" + new_id() + "}"):
        assert not is_id(text)
        with pytest.raises(ValueError, match="UUID"):
            canonical_id(text)


def test_a_name_that_looks_like_an_id_is_refused(network: Network) -> None:
    web = network.create("switch", name="web")
    for name in (web, web.upper()):
        network.refused(ConflictError, "switch", name=name)
        faults = network.faults("switch", id=new_id(), name=name)
        assert faults == {"/name": "looks like the id of another object"}
    other = network.create("switch", name="other")
    with pytest.raises(InvalidError, match="looks like the id"):
        network.update("switch", other, name=web)


@pytest.mark.parametrize("kind", ["switch", "router", "group", "set"])
def test_what_is_named_as_ids_are_has_its_name_as_its_id(network: Network, kind: str) -> None:
    """Integrations name their objects by ids of their own: Neutron's ports in OVN, say."""
    name = new_id()
    assert network.create(kind, name=name) == name
    assert network.get(kind, name)["name"] == name


def test_a_name_that_is_the_own_id_is_in_lower_case(network: Network) -> None:
    name = new_id().upper()
    assert network.faults("switch", name=name) == {"/name": "ids are in lower case"}


def test_a_document_may_name_objects_as_ids_are(network: Network) -> None:
    name = new_id()
    document = {"document": "shop", "logical_switches": {"web": {"ports": {name: {}}}}}
    for committed in (1, None):
        with network.database.write(author="test") as tx:
            apply(tx, document)
        assert tx.committed == committed
    assert network.get("port", name)["id"] == name


def test_an_object_may_be_named_by_its_own_id(network: Network) -> None:
    web = network.create("switch", name="web")
    network.update("switch", web, name=web)
    assert network.get("switch", web)["name"] == web


def test_an_id_wins_over_a_name_of_an_older_database(network: Network) -> None:
    """Earlier releases let a switch be named as another's id."""
    web = network.create("switch", name="web")
    impostor = network.create("switch", name="impostor")
    with network.database.maintain() as session:
        session.get_one(LogicalSwitch, impostor).name = web
    assert network.get("switch", web)["name"] == "web"
    assert network.get("switch", web.upper())["id"] == web
    with network.database.write(author="test") as tx:
        tx.warm(LogicalSwitch)
        assert (found := tx.find(LogicalSwitch, web)) is not None
        assert found.id == web


def test_the_name_of_an_object_of_an_older_database_is_no_ones_id(network: Network) -> None:
    """Who could choose it would get the interface of a port that is named so."""
    name = new_id()
    network.create("switch", name="web")
    port = network.create("port", logical_switch="web", name="old")
    with network.database.maintain() as session:
        session.get_one(LogicalSwitchPort, port).name = name
    network.refused(ConflictError, "port", id=name, logical_switch="web", name="new")
    network.refused(ConflictError, "switch", id=name, name="new", project="acme")
    network.update("port", port, name="web-1")
    assert network.create("port", id=name, logical_switch="web", name="new") == name


def test_a_caller_may_choose_the_id(network: Network) -> None:
    chosen = new_id()
    assert network.create("switch", id=chosen.upper(), name="web") == chosen
    assert network.get("switch", chosen)["name"] == "web"
    network.create("acl", id=new_id(), logical_switch=chosen, **ACL)
    for wrong in ("web", "", chosen[:-1], 7):
        assert set(network.faults("switch", id=wrong)) == {"/id"}


def test_ids_are_unique_over_all_kinds(network: Network) -> None:
    taken = network.create("switch", name="web")
    for kind, values in (("switch", {}), ("router", {}), ("set", {})):
        message = network.refused(ConflictError, kind, id=taken, **values)
        assert message.endswith(f"id {taken!r} is already taken by logical switch web")
    chosen = new_id()
    with network.database.write(author="test") as tx:
        LOGICAL_SWITCHES.create(tx, {"id": chosen})
        with pytest.raises(ConflictError):
            ADDRESS_SETS.create(tx, {"id": chosen})


def test_an_id_may_be_used_again_once_its_object_is_gone(network: Network) -> None:
    chosen = network.create("switch", name="web")
    network.delete("switch", "web")
    assert network.create("router", id=chosen) == chosen
    with network.database.write(author="test") as tx:
        LOGICAL_ROUTERS.delete(tx, chosen)
        LOGICAL_ROUTERS.create(tx, {"id": chosen, "name": "edge"})
    assert network.get("router", chosen)["name"] == "edge"


def test_an_id_stays(network: Network) -> None:
    web = network.create("switch", name="web")
    with pytest.raises(InvalidError, match="cannot be changed"):
        network.update("switch", "web", id=new_id())
    assert network.update("switch", "web", id=web) == []


@pytest.mark.parametrize("kind", ["switch", "router", "group", "set"])
def test_a_name_is_by_default_the_id(network: Network, kind: str) -> None:
    made = network.create(kind)
    assert network.get(kind, made)["name"] == made
    network.update(kind, made, name="web")
    network.update(kind, "web", name=None)
    assert network.get(kind, made)["name"] == made


def test_display_names_are_free(network: Network) -> None:
    for name in ("web", "db"):
        network.create("switch", name=name, display_name="Ännchens Netz / 1")
    assert network.names("switch", display_name="Ännchens Netz / 1") == ["db", "web"]
    network.update("switch", "web", display_name=None)
    assert network.get("switch", "web")["display_name"] == ""
    for wrong in ("x" * 256, "a\nb", None, 7):
        assert set(network.faults("switch", display_name=wrong)) == {"/display_name"}


def test_a_match_may_name_sets_by_id(network: Network) -> None:
    network.create("switch", name="web")
    office, group = network.create("set", name="office"), network.create("group", name="all")
    match = f"ip4.src == ${office} && outport == @{group} && ip4.dst == ${group}_ip4"
    network.create("acl", logical_switch="web", **{**ACL, "match": match})
    for kind, ref in (("set", office), ("group", group)):
        with pytest.raises(ReferencedError):
            network.delete(kind, ref)
    unknown = new_id()
    values = {**ACL, "match": f"ip4.src == ${unknown}"}
    faults = network.faults("acl", logical_switch="web", **values)
    assert faults == {"/match": f"there is no address set '{unknown}'"}


def test_documents_may_choose_ids(network: Network) -> None:
    chosen = new_id()
    document = {"document": "shop", "logical_switches": {"web": {"id": chosen}}}
    for committed in (1, None):
        with network.database.write(author="test") as tx:
            apply(tx, document)
        assert tx.committed == committed
    assert network.get("switch", "web")["id"] == chosen
    document["logical_switches"] = {"web": {"id": new_id()}}
    with pytest.raises(InvalidError) as caught, network.database.write(author="test") as tx:
        apply(tx, document)
    assert caught.value.problems[0].pointer == "/logical_switches/web/id"
