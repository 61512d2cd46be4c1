"""Load balancers that can be, and those that can't."""

from typing import Any

import pytest

from northbound.errors import ConflictError, InvalidError
from northbound.services import (
    CHASSIS_TEMPLATE_VARS,
    LOAD_BALANCER_BACKENDS,
    LOAD_BALANCER_GROUPS,
    LOAD_BALANCER_VIPS,
    LOAD_BALANCERS,
    LOGICAL_ROUTERS,
    LOGICAL_SWITCH_PORTS,
    LOGICAL_SWITCHES,
    NATS,
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
        ({"hairpin_snat_ips": ["10.0.0.1", "10.0.0.2"]}, ("hairpin_snat_ips",)),
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
            ("lb_force_snat_ips",),
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
        LOGICAL_SWITCH_PORTS.update(tx, "web-1", {"name": "web-x"})
        (backend,) = LOAD_BALANCER_BACKENDS.page(tx).items
        assert backend.logical_port == "web-x"
        LOGICAL_SWITCH_PORTS.update(tx, "web-x", {"name": "web-1"})
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


# --- groups and NATs


def group(network: Network, **fields: Any) -> None:
    with network.database.write(author="test") as tx:
        LOAD_BALANCER_GROUPS.create(tx, {"name": "all", **fields})


def test_a_group_brings_addresses_together(balanced: Network) -> None:
    add(balanced, "lb-two")
    with pytest.raises(ConflictError) as refused:
        group(balanced, load_balancers=["lb-one", "lb-two"], switches=["one"])
    assert (refused.value.field, refused.value.value) == ("address", "10.96.0.1:80")
    with pytest.raises(ConflictError):
        group(balanced, load_balancers=["lb-two"], switches=["one"])
    group(balanced, load_balancers=["lb-one", "lb-two"])


def test_what_goes_leaves_its_groups(balanced: Network) -> None:
    with balanced.database.write(author="test") as tx:
        LOGICAL_ROUTERS.create(tx, {"name": "edge"})
    group(balanced, load_balancers=["lb-one"], switches=["one"], routers=["edge"])
    with balanced.database.write(author="test") as tx:
        LOAD_BALANCERS.delete(tx, "lb-one")
        LOGICAL_ROUTERS.delete(tx, "edge")
        LOGICAL_SWITCHES.delete(tx, "one")
    with balanced.database.read() as reader:
        view = LOAD_BALANCER_GROUPS.view(reader, LOAD_BALANCER_GROUPS.get(reader, "all"))
    assert (view["load_balancers"], view["switches"], view["routers"]) == ([], [], [])


@pytest.mark.parametrize("nat_first", [True, False])
@pytest.mark.parametrize("port", [None, 80])
def test_a_nat_and_a_whole_address(balanced: Network, port: int | None, nat_first: bool) -> None:
    """Both would have all that comes in; beside one with a port there is a rest."""
    vip = {"port": port, "backends": ["10.0.0.1:8080" if port else "10.0.0.1"]}
    nat = {
        "logical_router": "edge",
        "type": "dnat",
        "external_ip": "10.96.0.1",
        "logical_ip": "10.0.0.7",
        "routed": True,
    }
    with balanced.database.write(author="test") as tx:
        LOGICAL_ROUTERS.create(tx, {"name": "edge"})
        LOAD_BALANCERS.update(tx, "lb-two", {"routers": ["edge"]})

    def declare_nat() -> None:
        with balanced.database.write(author="test") as tx:
            NATS.create(tx, nat)

    steps = [declare_nat, lambda: add(balanced, "lb-two", **vip)]
    first, second = steps if nat_first else reversed(steps)
    first()
    if port is not None:
        second()
        return
    with pytest.raises(ConflictError) as refused:
        second()
    field = "address" if nat_first else "external_ip"
    assert (refused.value.field, refused.value.value) == (field, "10.96.0.1")


TEMPLATE = {"name": "nodes", "template": True, "address_family": "ipv4", "switches": ["one"]}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"address_family": None}, "address_family"),
        ({"template": False}, "address_family"),
        ({"neighbor_responder": "reachable"}, "neighbor_responder"),
    ],
)
def test_what_is_no_template(balanced: Network, fields: dict[str, Any], field: str) -> None:
    with balanced.database.write(author="test") as tx, pytest.raises(InvalidError) as refused:
        LOAD_BALANCERS.create(tx, {**TEMPLATE, **fields})
    assert [problem.path for problem in refused.value.problems] == [(field,)]


def test_a_template_is_answered_for_where_it_says_so(balanced: Network) -> None:
    with balanced.database.write(author="test") as tx:
        assert LOAD_BALANCERS.create(tx, TEMPLATE).neighbor_responder == "none"
        made = {**TEMPLATE, "name": "told", "neighbor_responder": "all"}
        assert LOAD_BALANCERS.create(tx, made).neighbor_responder == "all"


@pytest.mark.parametrize(
    "fields",
    [
        {"address": "^NODE"},
        {"address": "^NODE", "port": None, "port_variable": "^PORT"},
        {"address": "^NODE", "backends": ["^WEB"]},
        {"address": "^NODE", "backends": ["^WEB:80", "^WEB:^PORT", "10.0.0.1:^PORT"]},
        {"address": "^NODE", "port": None, "backends": ["^WEB", "10.0.0.1"]},
    ],
)
def test_what_a_template_may_have(balanced: Network, fields: dict[str, Any]) -> None:
    with balanced.database.write(author="test") as tx:
        made = LOAD_BALANCERS.create(tx, TEMPLATE)
        LOAD_BALANCER_VIPS.create(tx, {"load_balancer": made.id, **VIP, **fields})
    assert made.neighbor_responder == "none"
    with pytest.raises(InvalidError) as refused:
        add(balanced, "lb-two", **fields)
    assert "is no template" in str(refused.value)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"address": "^"}, ("address",)),
        ({"address": "^NODE:80"}, ("address",)),
        ({"address": "^NO DE"}, ("address",)),
        ({"address": "^NODE", "port_variable": "^PORT"}, ("port_variable",)),
        ({"address": "^NODE", "port": None, "port_variable": "PORT"}, ("port_variable",)),
        ({"address": "^NODE", "backends": ["^WEB:"]}, ("backends", 0)),
        ({"address": "^NODE", "backends": ["^WEB:0"]}, ("backends", 0)),
        ({"address": "^NODE", "port": None, "backends": ["^WEB:80"]}, ("backends", 0)),
        ({"address": "^NODE", "backends": ["10.0.0.1"]}, ("backends", 0)),
        ({"address": "^NODE", "backends": ["^WEB", "[fd00::1]:80"]}, ("backends", 1)),
        ({"address": "fd96::1", "backends": ["^WEB"]}, ("address",)),
        ({"address": "^NODE", "health_check": {}}, ("health_check",)),
        ({"health_check": {}}, ("health_check",)),
        ({"backends": [f"^{'x' * 150}:^{'y' * 150}"]}, ("backends", 0)),
        ({"backends": [f"^{'x' * 201}"]}, ("backends", 0)),
    ],
)
def test_what_a_template_may_not_have(
    balanced: Network, fields: dict[str, Any], path: tuple[str | int, ...]
) -> None:
    with balanced.database.write(author="test") as tx:
        LOAD_BALANCERS.create(tx, TEMPLATE)
    with pytest.raises(InvalidError) as refused:
        add(balanced, "nodes", **fields)
    assert [problem.path for problem in refused.value.problems] == [path]


def test_two_templates_of_one_switch_claim_one_variable(balanced: Network) -> None:
    vip = {"address": "^NODE", "port": None, "port_variable": "^PORT", "backends": ["^WEB"]}
    with balanced.database.write(author="test") as tx:
        LOAD_BALANCERS.create(tx, TEMPLATE)
        LOAD_BALANCERS.create(tx, {**TEMPLATE, "name": "others"})
        LOAD_BALANCER_VIPS.create(tx, {"load_balancer": "nodes", **vip})
    with pytest.raises(ConflictError) as refused:
        add(balanced, "others", **vip)
    assert refused.value.value == "^NODE:^PORT"
    add(balanced, "others", **{**vip, "port_variable": "^PORT2"})
    # What has variables can't become what has none.
    with pytest.raises(InvalidError):
        change(balanced, "others", template=False, address_family=None)
    add(balanced, "others", address="^N", backends=["10.0.0.1:80"])
    with pytest.raises(InvalidError):
        change(balanced, "others", address_family="ipv6")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"chassis": ""}, ("chassis",)),
        ({"variables": {"^NODE": "x"}}, ("variables", "^NODE")),
        ({"variables": {"": "x"}}, ("variables", "")),
        ({"variables": {"a" * 201: "x"}}, ("variables", "a" * 201)),
        ({"variables": {"a": "1" * 25_001}}, ("variables", "a")),
        ({"variables": {"a": "x\ny"}}, ("variables", "a")),
        ({"variables": {f"v{n}": "" for n in range(4097)}}, ("variables",)),
        ({"variables": {f"v{n}": "1" * 25_000 for n in range(50)}}, ("variables",)),
    ],
)
def test_what_are_no_variables(
    network: Network, fields: dict[str, Any], path: tuple[str | int, ...]
) -> None:
    with network.database.write(author="test") as tx, pytest.raises(InvalidError) as refused:
        CHASSIS_TEMPLATE_VARS.create(tx, {"chassis": "hv1", "variables": {}, **fields})
    assert refused.value.problems[0].path == path


def test_a_chassis_has_its_variables_once(network: Network) -> None:
    with network.database.write(author="test") as tx:
        made = CHASSIS_TEMPLATE_VARS.create(tx, {"chassis": "hv1", "variables": {"A": "1"}})
        with pytest.raises(ConflictError) as refused:
            CHASSIS_TEMPLATE_VARS.create(tx, {"chassis": "hv1"})
        assert refused.value.field == "chassis"
        changed = CHASSIS_TEMPLATE_VARS.update(tx, made.id, {"variables": {"B": "2"}})
        assert changed.variables == {"A": "1", "B": "2"}
