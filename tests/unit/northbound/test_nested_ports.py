"""Ports that are nested in others: parents, tags, and what stands in the way of what."""

from typing import Any

import pytest

from northbound.apply import apply
from northbound.errors import ConflictError, ExhaustedError, InvalidError, ReferencedError
from northbound.services import LOGICAL_SWITCH_PORTS
from tests.unit.northbound.network import Network


@pytest.fixture(autouse=True)
def _vm(network: Network) -> None:
    for switch in ("vms", "containers"):
        network.create("switch", name=switch)
    network.create("port", name="vm", logical_switch="vms")


def nest(network: Network, name: str, tag: int = 0, **fields: Any) -> str:
    values = {"logical_switch": "containers", "parent": "vm", "tag": tag, **fields}
    return network.create("port", name=name, **values)


def tag_of(network: Network, name: str) -> int | None:
    tag: int | None = network.get("port", name)["allocated_tag"]
    return tag


def test_a_tag_that_is_said_and_tags_that_are_given(network: Network) -> None:
    """Those that are given are free, also beside one that is said, and go round."""
    nest(network, "a", 2)
    nest(network, "b")
    nest(network, "c")
    assert [tag_of(network, name) for name in "abc"] == [2, 1, 3]
    network.update("port", "b", enabled=False)
    assert tag_of(network, "b") == 1
    assert network.get("port", "b")["tag"] == 0
    network.delete("port", "b")
    nest(network, "d")
    assert tag_of(network, "d") == 4
    nest(network, "e", 1)


def test_tags_are_those_of_one_parent(network: Network) -> None:
    network.create("port", name="vm-2", logical_switch="vms")
    nest(network, "a", 5)
    nest(network, "b", 5, parent="vm-2")
    network.update("port", "b", parent=None, tag=None)
    assert tag_of(network, "b") is None
    network.update("port", "b", parent="vm", tag=0)
    assert tag_of(network, "b") == 1
    network.update("port", "a", tag=0)
    assert tag_of(network, "a") == 5
    nest(network, "c", 5, parent="vm-2")
    network.update("port", "a", parent="vm-2")
    assert tag_of(network, "a") == 1


def test_a_tag_is_one_ports(network: Network) -> None:
    nest(network, "a", 5)
    with pytest.raises(ConflictError) as caught:
        nest(network, "b", 5)
    assert "tag" in str(caught.value)
    assert "a" in str(caught.value)


def test_all_tags_of_a_parent_can_be_given(network: Network) -> None:
    with network.database.write(author="test") as tx:
        for number in range(4094):
            values = {"logical_switch": "containers", "parent": "vm", "tag": 0}
            LOGICAL_SWITCH_PORTS.create(tx, {"name": f"c{number}", **values})
    with pytest.raises(ExhaustedError, match="VLAN tags of 'vm'"):
        nest(network, "one-more")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"tag": 4095}, "tag"),
        ({"tag": -1}, "tag"),
        ({"tag": None}, "tag"),
        ({"parent": None}, "tag"),
        ({"parent": "nowhere"}, "parent"),
        ({"parent": "inner"}, "parent"),
        ({"parent": "towards-router"}, "parent"),
        ({"requested_chassis": ["hv1"]}, "requested_chassis"),
    ],
)
def test_what_is_refused(network: Network, fields: dict[str, Any], field: str) -> None:
    network.create("router", name="r")
    network.create("router_port", name="r-vms", logical_router="r", networks=["10.0.0.1/24"])
    network.create("port", name="towards-router", logical_switch="vms", router_port="r-vms")
    nest(network, "inner", 1)
    values = {"parent": "vm", "tag": 7, **fields}
    with pytest.raises(InvalidError) as caught:
        network.create("port", name="x", logical_switch="containers", **values)
    assert caught.value.problems[0].path[0] == field


def test_a_parent_is_nested_in_none(network: Network) -> None:
    nest(network, "inner", 1)
    network.create("port", name="outer", logical_switch="vms")
    with pytest.raises(InvalidError) as caught:
        network.update("port", "vm", parent="outer", tag=1)
    assert "inner" in caught.value.problems[0].reason
    with pytest.raises(InvalidError):
        network.update("port", "outer", parent="outer", tag=1)


def test_a_parent_stays_while_others_are_nested_in_it(network: Network) -> None:
    nest(network, "inner", 1)
    with pytest.raises(ReferencedError) as caught:
        network.delete("port", "vm")
    assert "inner" in str(caught.value)
    with pytest.raises(ReferencedError):
        network.delete("switch", "vms", cascade=True)
    network.delete("port", "inner")
    network.delete("port", "vm")


def document(**ports: dict[str, Any]) -> dict[str, Any]:
    return {"document": "d", "logical_switches": {"s": {"ports": ports}}}


def test_documents_reach_every_state(network: Network) -> None:
    """Whatever the order in which a document names them, and whoever was whose parent."""
    states: list[dict[str, Any]] = [
        {"a": {"parent": "z", "tag": 0}, "b": {"parent": "z", "tag": 1}, "z": {}},
        {"a": {"parent": "z", "tag": 1}, "b": {"parent": "z", "tag": 2}, "z": {}},
        {"a": {"parent": "z", "tag": 2}, "b": {"parent": "z", "tag": 1}, "z": {}},
        {"a": {"parent": "y", "tag": 2}, "b": {}, "y": {}},
        {"a": {}, "b": {"parent": "a", "tag": 3}},
        {"a": {"parent": "b", "tag": 3}, "b": {}},
        {},
    ]
    for one in states:
        for other in states:
            for ports in (one, other):
                with network.database.write(author="test") as tx:
                    apply(tx, document(**ports))
                for name, fields in ports.items():
                    got = network.get("port", name)
                    assert (got["parent"], got["tag"]) == (fields.get("parent"), fields.get("tag"))
                    assert got["allocated_tag"] == (fields.get("tag") or got["allocated_tag"])
