"""Load balancers that can be, and those that can't."""

from typing import Any

import pytest

from northbound.errors import ConflictError, InvalidError
from northbound.services import (
    LOAD_BALANCER_BACKENDS,
    LOAD_BALANCER_VIPS,
    LOAD_BALANCERS,
    LOGICAL_ROUTERS,
    LOGICAL_SWITCH_PORTS,
    LOGICAL_SWITCHES,
)
from tests.unit.northbound.network import Network

VIP = {"address": "10.96.0.1", "port": 80, "backends": ["10.0.0.1:8080"]}


@pytest.fixture
def balanced(network: Network) -> Network:
    """Two switches with a load balancer each, of which the first has a virtual address."""
    with network.database.write(author="test") as tx:
        for name in ("one", "two"):
            LOGICAL_SWITCHES.create(tx, {"name": name})
            LOAD_BALANCERS.create(tx, {"name": f"lb-{name}", "switches": [name]})
        LOAD_BALANCER_VIPS.create(tx, {"load_balancer": "lb-one", **VIP})
    return network


def add(network: Network, owner: str, **fields: Any) -> None:
    with network.database.write(author="test") as tx:
        LOAD_BALANCER_VIPS.create(tx, {"load_balancer": owner, **VIP, **fields})


def change(network: Network, balancer: str, **fields: Any) -> None:
    with network.database.write(author="test") as tx:
        LOAD_BALANCERS.update(tx, balancer, fields)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"backends": ["10.0.0.1"]}, ("backends", 0)),
        ({"port": None}, ("backends", 0)),
        ({"backends": ["10.0.0.1:80", "[fd00::1]:80"]}, ("backends", 1)),
        ({"address": "fd96::1"}, ("backends", 0)),
        ({"backends": ["10.0.0.1:0"]}, ("backends", 0)),
        ({"backends": ["web-1:80"]}, ("backends", 0)),
        ({"backends": [f"10.0.{n // 250}.{n % 250 + 1}:80" for n in range(513)]}, ("backends",)),
        ({"address": "10.96.0.0/24"}, ("address",)),
        ({"port": 65536}, ("port",)),
    ],
)
def test_what_is_no_virtual_address(
    balanced: Network, fields: dict[str, Any], path: tuple[str | int, ...]
) -> None:
    with pytest.raises(InvalidError) as refused:
        add(balanced, "lb-two", **fields)
    assert [problem.path for problem in refused.value.problems] == [path]


def test_two_of_one_switch_claim_one_address(balanced: Network) -> None:
    add(balanced, "lb-two")
    with pytest.raises(ConflictError) as refused:
        change(balanced, "lb-two", switches=["one", "two"])
    assert (refused.value.field, refused.value.value) == ("address", "10.96.0.1:80")
    change(balanced, "lb-two", protocol="udp", switches=["one", "two"])
    with pytest.raises(ConflictError):
        change(balanced, "lb-two", protocol="tcp")


def test_ports_and_the_whole_address_stand_side_by_side(balanced: Network) -> None:
    change(balanced, "lb-two", switches=["one"])
    add(balanced, "lb-two", port=81)
    add(balanced, "lb-two", port=None, backends=["10.0.0.1"])
    with pytest.raises(ConflictError):
        add(balanced, "lb-one", port=None, backends=["10.0.0.2"])


def test_an_address_moves_in_one_transaction(balanced: Network) -> None:
    change(balanced, "lb-two", switches=["one"])
    with balanced.database.write(author="test") as tx:
        (row,) = LOAD_BALANCER_VIPS.page(tx).items
        LOAD_BALANCER_VIPS.create(tx, {"load_balancer": "lb-two", **VIP})
        LOAD_BALANCER_VIPS.delete(tx, row.id)


def test_a_switch_that_goes_leaves_its_load_balancers(balanced: Network) -> None:
    with balanced.database.write(author="test") as tx:
        LOGICAL_SWITCHES.delete(tx, "one")
    with balanced.database.read() as reader:
        row = LOAD_BALANCERS.get(reader, "lb-one")
        assert LOAD_BALANCERS.view(reader, row)["switches"] == []


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"affinity_timeout": -1}, ("affinity_timeout",)),
        ({"affinity_timeout": 65536}, ("affinity_timeout",)),
        ({"selection_fields": ["vlan"]}, ("selection_fields", 0)),
        ({"affinity_timeout": 60, "selection_fields": ["tp_src"]}, ("selection_fields",)),
        ({"hairpin_snat_ips": ["10.0.0.1", "10.0.0.2"]}, ("hairpin_snat_ips", 1)),
        ({"hairpin_snat_ips": ["web"]}, ("hairpin_snat_ips", 0)),
    ],
)
def test_what_is_no_way_to_choose(
    balanced: Network, fields: dict[str, Any], path: tuple[str | int, ...]
) -> None:
    with pytest.raises(InvalidError) as refused:
        change(balanced, "lb-one", **fields)
    assert [problem.path for problem in refused.value.problems] == [path]


def test_two_of_one_router_claim_one_address(balanced: Network) -> None:
    with balanced.database.write(author="test") as tx:
        LOGICAL_ROUTERS.create(tx, {"name": "edge"})
    add(balanced, "lb-two")
    change(balanced, "lb-one", routers=["edge"])
    with pytest.raises(ConflictError) as refused:
        change(balanced, "lb-two", routers=["edge"])
    assert (refused.value.field, refused.value.value) == ("address", "10.96.0.1:80")


def test_a_router_that_goes_leaves_its_load_balancers(balanced: Network) -> None:
    with balanced.database.write(author="test") as tx:
        LOGICAL_ROUTERS.create(tx, {"name": "edge"})
        LOAD_BALANCERS.update(tx, "lb-one", {"routers": ["edge"]})
    with balanced.database.write(author="test") as tx:
        LOGICAL_ROUTERS.delete(tx, "edge")
    with balanced.database.read() as reader:
        row = LOAD_BALANCERS.get(reader, "lb-one")
        assert LOAD_BALANCERS.view(reader, row)["routers"] == []


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"lb_force_snat_ips": ["10.0.0.1"]}, ("lb_force_snat_ips",)),
        ({"lb_force_snat_router_ip": True}, ("lb_force_snat_router_ip",)),
        (
            {"chassis": "hv1", "lb_force_snat_ips": ["10.0.0.1", "10.0.0.2"]},
            ("lb_force_snat_ips", 1),
        ),
        ({"chassis": "hv1", "lb_force_snat_ips": ["web"]}, ("lb_force_snat_ips", 0)),
        (
            {"chassis": "hv1", "lb_force_snat_ips": ["fd00::1"], "lb_force_snat_router_ip": True},
            ("lb_force_snat_router_ip",),
        ),
    ],
)
def test_what_backends_can_not_see(
    network: Network, fields: dict[str, Any], path: tuple[str | int, ...]
) -> None:
    with network.database.write(author="test") as tx, pytest.raises(InvalidError) as refused:
        LOGICAL_ROUTERS.create(tx, {"name": "edge", **fields})
    assert [problem.path for problem in refused.value.problems] == [path]


BACKEND = {"address": "10.0.0.1", "logical_port": "web-1", "source_ip": "10.0.0.254"}


def place(network: Network, **fields: Any) -> None:
    with network.database.write(author="test") as tx:
        LOAD_BALANCER_BACKENDS.create(tx, {"load_balancer": "lb-one", **BACKEND, **fields})


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"source_ip": "fd00::1"}, ("source_ip",)),
        ({"source_ip": "10.0.0.1"}, ("source_ip",)),
        ({"address": "10.0.0.0/24"}, ("address",)),
    ],
)
def test_what_is_no_place_of_a_backend(
    balanced: Network, fields: dict[str, Any], path: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidError) as refused:
        place(balanced, **fields)
    assert [problem.path for problem in refused.value.problems] == [path]


def test_a_backend_has_one_place_and_may_lose_its_port(balanced: Network) -> None:
    with balanced.database.write(author="test") as tx:
        LOGICAL_SWITCH_PORTS.create(tx, {"logical_switch": "one", "name": "web-1"})
    place(balanced)
    with pytest.raises(ConflictError):
        place(balanced)
    with balanced.database.write(author="test") as tx:
        LOGICAL_SWITCH_PORTS.delete(tx, "web-1")
    with pytest.raises(InvalidError):
        place(balanced, address="10.0.0.2")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"port": None, "backends": [], "health_check": {}}, ("health_check",)),
        ({"health_check": {"interval": 0}}, ("health_check", "interval")),
        ({"health_check": {"every": 5}}, ("health_check", "every")),
    ],
)
def test_what_is_no_check(balanced: Network, fields: dict[str, Any], path: tuple[str, ...]) -> None:
    with pytest.raises(InvalidError) as refused:
        add(balanced, "lb-two", **fields)
    assert [problem.path for problem in refused.value.problems] == [path]


def test_sctp_is_not_checked(balanced: Network) -> None:
    change(balanced, "lb-two", protocol="sctp")
    with pytest.raises(InvalidError) as refused:
        add(balanced, "lb-two", health_check={})
    assert [problem.path for problem in refused.value.problems] == [("health_check",)]
