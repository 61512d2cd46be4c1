"""Virtual ports: their address, and who may have it."""

from typing import Any

import pytest

from northbound.apply import apply
from northbound.errors import ConflictError, InvalidError
from tests.unit.northbound.network import Network


@pytest.fixture(autouse=True)
def _parents(network: Network) -> None:
    for switch in ("s", "t"):
        network.create("switch", name=switch)
    network.create("port", name="a", logical_switch="s", addresses=["0a:00:00:00:00:01 10.0.0.1"])
    network.create("port", name="b", logical_switch="t")
    network.create("port", name="inner", logical_switch="s", parent="b", tag=1)


VALUES = {"logical_switch": "s", "type": "virtual", "virtual_ip": "10.0.0.9"}


def test_as_users_see_it(network: Network) -> None:
    parent = network.get("port", "a")["id"]
    network.create("port", name="v", virtual_parents=[parent, "inner", "a"], **VALUES)
    shown = network.get("port", "v")
    assert shown["virtual_ip"] == "10.0.0.9"
    assert shown["virtual_parents"] == ["a", "inner"]


def test_its_address_is_its_own(network: Network) -> None:
    network.create("port", name="v", virtual_parents=["a"], **VALUES)
    with pytest.raises(ConflictError) as caught:
        network.update("port", "a", addresses=["0a:00:00:00:00:01 10.0.0.9"])
    assert "10.0.0.9" in str(caught.value)
    with pytest.raises(ConflictError):
        network.create("port", name="w", virtual_parents=["a"], **VALUES)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"virtual_ip": None}, ("virtual_ip",)),
        ({"virtual_ip": "224.0.0.1"}, ("virtual_ip",)),
        ({"virtual_parents": []}, ("virtual_parents",)),
        ({"virtual_parents": ["a", "nowhere"]}, ("virtual_parents", 1)),
        ({"virtual_parents": ["b"]}, ("virtual_parents", 0)),
        ({"virtual_parents": ["v"]}, ("virtual_parents", 0)),
        ({"addresses": ["unknown"]}, ("addresses",)),
        ({"port_security": ["0a:00:00:00:00:01"]}, ("port_security",)),
        ({"requested_chassis": ["hv1"]}, ("requested_chassis",)),
        ({"type": "vif"}, ("virtual_ip",)),
    ],
)
def test_what_is_refused(network: Network, fields: dict[str, Any], path: tuple[object]) -> None:
    network.create("port", name="v", virtual_parents=["a"], **{**VALUES, "virtual_ip": "10.0.0.8"})
    with pytest.raises(InvalidError) as caught:
        network.create("port", name="x", **{**VALUES, "virtual_parents": ["a"], **fields})
    assert caught.value.problems[0].path == path


def test_documents_name_parents_in_any_order(network: Network) -> None:
    ports = {
        "address": {"type": "virtual", "virtual_ip": "10.0.0.9", "virtual_parents": ["z"]},
        "z": {},
    }
    with network.database.write(author="test") as tx:
        apply(tx, {"document": "d", "logical_switches": {"u": {"ports": ports}}})
    assert network.get("port", "address")["virtual_parents"] == ["z"]
