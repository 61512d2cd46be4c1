"""What workloads are told is compared with what tunnels carry, by name and number."""

from typing import Any

import pytest

from southbound.chassis_status import ChassisStatus
from southbound.rows import Chassis
from southbound.tunnels import TunnelReport
from tests.unit.api.conftest import Server

ADVERTISED = {"address_mode": "slaac", "mtu": 1500}
OPTIONS = {"server_id": "10.0.1.1", "server_mac": "0a:00:00:00:01:fe", "lease_time": 3600}


async def make(server: Server) -> None:
    """`near` and `far` are told an MTU by DHCP, `far` by its router, too; `dark` hears nothing."""
    document = {
        "document": "mtus",
        "dhcp_options": {
            "big": {"cidr": "10.0.1.0/24", "dhcpv4": {**OPTIONS, "mtu": 1500}},
            "small": {"cidr": "10.0.2.0/24", "dhcpv4": {**OPTIONS, "mtu": 1442}},
        },
        "logical_switches": {
            "near": {"dhcpv4_options": "big", "ports": {"a": {"addresses": ["dynamic"]}}},
            "far": {
                "dhcpv4_options": "small",
                "ports": {
                    "b": {"addresses": ["0a:00:00:00:02:01 10.0.2.1"]},
                    "c": {"addresses": ["0a:00:00:00:02:02 10.0.2.2"]},
                    "far-edge": {"router_port": "edge-far"},
                },
            },
            "dark": {"ports": {"d": {"addresses": ["0a:00:00:00:03:01 10.0.3.1"]}}},
        },
        "logical_routers": {
            "edge": {"ports": {"edge-far": {"networks": ["fd02::1/64"], "ipv6_ra": ADVERTISED}}}
        },
    }
    document["logical_switches"]["near"]["subnet4"] = "10.0.1.0/24"  # type: ignore[index]
    response = await server.client.post("/v1/apply", json=document)
    assert response.status_code == 200, response.text
    await server.translate()
    for name in ("hv1", "hv2", "hv3"):
        server.realised.facts.connected(Chassis(name))


def place(server: Server, **ports: str) -> None:
    for port, chassis in ports.items():
        server.realised.facts.claim(chassis, port)


def measured(server: Server, chassis: str, largest: int = 1500, **mtus: int) -> None:
    report = TunnelReport({}, frozenset(), mtus, largest)
    server.agents.statuses[chassis] = ChassisStatus(True, 1, {}, report)


async def problems(server: Server) -> list[dict[str, Any]]:
    status = (await server.client.get("/v1/status")).json()
    assert status["mtu_problems_total"] == len(status["mtu_problems"])
    return list(status["mtu_problems"])


async def test_nothing_is_wrong_while_tunnels_carry_all(server: Server) -> None:
    await make(server)
    place(server, a="hv1", b="hv2")
    assert await problems(server) == []


async def test_options_and_advertisements_that_tell_too_much_are_named(server: Server) -> None:
    await make(server)
    place(server, a="hv1", b="hv2", d="hv3")
    measured(server, "hv1", hv2=1442)
    measured(server, "hv2", hv1=1422, hv3=1442)
    options, small, advertised, *interfaces = await problems(server)
    assert options["text"] == (
        "the DHCP options big tell workloads an MTU of 1500, "
        "and the tunnel from hv1 to hv2 carries 1442"
    )
    assert (options["kind"], options["mtu"], options["tunnel_mtu"]) == ("dhcp_options", 1500, 1442)
    found = (await server.client.get(f"/v1/dhcp-options/{options['id']}")).json()
    assert found["name"] == "big"
    assert (small["name"], small["tunnel_mtu"], small["peer"]) == ("small", 1422, "hv1")
    assert advertised["text"] == (
        "the router port edge-far tells workloads an MTU of 1500, "
        "and the tunnel from hv2 to hv1 carries 1422"
    )
    for each, chassis, peer, carried in zip(
        interfaces, ("hv1", "hv2"), ("hv2", "hv1"), (1442, 1422), strict=True
    ):
        assert each["text"] == (
            f"the interfaces of workloads and provider networks on {chassis} let packets of "
            f"1500 bytes pass, and the tunnel from {chassis} to {peer} carries {carried}"
        )


async def test_what_is_told_only_where_tunnels_carry_it_is_no_problem(server: Server) -> None:
    await make(server)
    place(server, a="hv1", b="hv2", d="hv3")
    measured(server, "hv3", hv2=1342)
    (interfaces,) = await problems(server)
    assert (interfaces["kind"], interfaces["id"], interfaces["name"]) == ("chassis", "hv3", "hv3")


async def test_options_of_a_single_port_count(server: Server) -> None:
    await make(server)
    patch = {"addresses": ["0a:00:00:00:03:01 10.0.2.9"], "dhcpv4_options": "small"}
    response = await server.client.patch("/v1/logical-switch-ports/d", json=patch)
    assert response.status_code == 200, response.text
    await server.translate()
    place(server, d="hv3")
    measured(server, "hv3", hv2=1342)
    small, _ = await problems(server)
    assert (small["name"], small["chassis"], small["tunnel_mtu"]) == ("small", "hv3", 1342)


async def test_what_an_older_agent_does_not_tell_is_null(server: Server) -> None:
    await make(server)
    measured(server, "hv1", largest=0, hv2=1442)
    (interfaces,) = await problems(server)
    assert interfaces["mtu"] is None
    assert "let bigger packets pass" in interfaces["text"]


async def test_the_problems_named_are_bounded(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make(server)
    monkeypatch.setattr("api.v1.realised.MOST_PROBLEMS", 1)
    measured(server, "hv1", hv2=1442)
    measured(server, "hv2", hv1=1442)
    status = (await server.client.get("/v1/status")).json()
    assert (len(status["mtu_problems"]), status["mtu_problems_total"]) == (1, 2)
