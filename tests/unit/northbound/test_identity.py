"""How objects are told apart: by ids, which always win, and by names."""

import pytest

from northbound.errors import InvalidError
from northbound.identity import canonical_id, is_id, new_id
from northbound.models import LogicalSwitch
from tests.unit.northbound.network import Network


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
    for name in (web, web.upper(), new_id()):
        faults = network.faults("switch", name=name)
        assert faults == {"/name": "looks like the id of another object"}
    other = network.create("switch", name="other")
    with pytest.raises(InvalidError, match="looks like the id"):
        network.update("switch", other, name=web)


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
