"""The rows that have addresses of gateways announced."""

from typing import Any

import pytest

from incremental import Engine
from southbound.rows import Announcement
from tests.unit.translator.test_nat_costs import image, nat, network
from translator.features.gateways.announcements import gateway_announcement
from translator.features.load_balancing.announcements import vip_announcement
from translator.features.nat.announcements import nat_announcement
from translator.intent import row_of

MAC = "0a:00:00:00:00:01"
LINK_LOCAL = "fe80::800:ff:fe00:1"


def switch_port(id_: str, **values: Any) -> tuple[str, dict[str, Any]]:
    fields = {
        "id": id_,
        "logical_switch_id": "s",
        "name": id_,
        "tunnel_key": 9,
        "enabled": True,
        "addresses": [],
        "dynamic_addresses": None,
        "port_security": [],
        "router_port": None,
        "requested_chassis": [],
    }
    return image("logical_switch_port", **fields | values)


TOWARDS = switch_port("s-r", type="router", router_port="r-out", tunnel_key=8)
OUTSIDE = switch_port("s-out", type="localnet", network_name="physnet")


def attached(chassis: str | None, *rows: tuple[str, dict[str, Any]]) -> Engine:
    """A router with one floating IP, and a switch that leads outside."""
    engine = network(1, chassis)
    engine.apply([row_of(*row) for row in (TOWARDS, OUTSIDE, *rows)])
    assert not engine.failures
    return engine


def announced(engine: Engine) -> dict[str, Announcement]:
    found = {
        **engine.rows(gateway_announcement),
        **engine.rows(nat_announcement),
        **engine.rows(vip_announcement),
    }
    return {key: row for key, row in found.items() if row is not None}


@pytest.mark.parametrize(("chassis", "port"), [(None, "cr-r-out"), ("hv1", "r-out")])
def test_a_gateway_and_its_floating_ips_are_announced(chassis: str | None, port: str) -> None:
    assert announced(attached(chassis)) == {
        "r-out": Announcement("r-out", "s", port, MAC, ("172.16.0.1", LINK_LOCAL)),
        "nat-0": Announcement("nat-0", "s", port, MAC, ("172.16.0.2",)),
    }


def test_a_floating_ip_of_a_port_is_announced_where_that_is() -> None:
    own = "0a:00:00:00:00:77"
    engine = attached(None, nat(0, logical_port="vm", external_mac=own))
    assert announced(engine)["nat-0"] == Announcement("nat-0", "s", "vm", own, ("172.16.0.2",))


def test_addresses_that_are_the_router_ports_own_are_announced_once() -> None:
    engine = attached(None, nat(0, type="snat", external_ip="172.16.0.1", logical_ip="10.0.0.0/24"))
    assert announced(engine).keys() == {"r-out"}


@pytest.mark.parametrize("rows", [(TOWARDS,), (OUTSIDE,)])
def test_where_there_is_no_way_outside_nothing_is(rows: tuple[tuple[str, dict[str, Any]]]) -> None:
    engine = network(1)
    engine.apply([row_of(*row) for row in rows])
    assert announced(engine) == {}


@pytest.mark.parametrize("row", [TOWARDS, OUTSIDE])
def test_ports_that_are_disabled_announce_nothing(row: tuple[str, dict[str, Any]]) -> None:
    table, values = row
    assert announced(attached(None, (table, {**values, "enabled": False}))) == {}


def test_a_distributed_router_announces_nothing() -> None:
    engine = attached("hv1")
    router = image("logical_router", id="r", name="r", enabled=True, tunnel_key=2, chassis=None)
    engine.apply([row_of(*router)])
    assert announced(engine) == {}


@pytest.mark.parametrize("responder", ["reachable", "none"])
@pytest.mark.parametrize(("chassis", "port"), [(None, "cr-r-out"), ("hv1", "r-out")])
def test_virtual_addresses_are_announced_where_they_are_answered_for(
    chassis: str | None, port: str, responder: str
) -> None:
    balancer = {"id": "lb", "protocol": "tcp", "reject": False, "neighbor_responder": responder}
    vip = {"load_balancer_id": "lb", "port": 80, "backends": ["10.0.0.1:80"]}
    engine = attached(
        chassis,
        ("load_balancer", balancer),
        ("load_balancer_vip", {"id": "near", "address": "172.16.0.80", **vip}),
        ("load_balancer_vip", {"id": "far", "address": "198.51.100.7", **vip}),
        ("load_balancer_router", {"load_balancer_id": "lb", "logical_router_id": "r"}),
    )
    row = Announcement("near/r-out", "s", port, MAC, ("172.16.0.80",))
    found = [each for key, each in announced(engine).items() if key not in ("r-out", "nat-0")]
    assert found == ([row] if responder == "reachable" else [])
