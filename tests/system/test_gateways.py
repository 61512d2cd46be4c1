"""Gateways: routers that are on one chassis, and ports of which one chassis is in charge."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from cli.testbed.network_facts import VmFacts
from cli.testbed.wait import until
from tests.system import frames
from tests.system.conftest import Scene, make_lab
from tests.system.tap import Tap

pytestmark = pytest.mark.system

HYPERVISORS = ("hv1", "gw1", "gw2")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A hypervisor of workloads, and two for gateways."""
    with make_lab(tmp_path_factory) as lab:
        lab.start_server()
        for name in HYPERVISORS:
            lab.add_hypervisor(name)
        scene = Scene(lab)
        yield scene
        scene.net.client.close()


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """`inner` hangs on the distributed router `dr`, which has a gateway port to `outer`, and on
    the switch `join` with the gateway router `gr`, behind which is `far`."""
    net = scene.net
    net.router("dr")
    net.switch("inner")
    net.attach("dr", "inner", "0a:00:00:00:20:01", "10.2.1.1/24", "fd20:1::1/64")
    net.switch("outer")
    net.router_port(
        "dr",
        "dr-outer",
        "0a:00:00:00:20:02",
        "10.2.2.1/24",
        "fd20:2::1/64",
        gateway_chassis=[
            {"chassis": "gw1", "priority": 20},
            {"chassis": "gw2", "priority": 10},
        ],
    )
    net.port("outer", "outer-dr", type="router", router_port="dr-outer")
    net.switch("join")
    net.attach("dr", "join", "0a:00:00:00:20:03", "10.2.3.1/24", "fd20:3::1/64")
    net.router("gr", chassis="gw2")
    net.attach("gr", "join", "0a:00:00:00:20:04", "10.2.3.2/24", "fd20:3::2/64")
    net.switch("far")
    net.attach("gr", "far", "0a:00:00:00:20:05", "10.2.4.1/24", "fd20:4::1/64")
    net.route("dr", "10.2.4.0/24", "10.2.3.2")
    net.route("dr", "fd20:4::/64", "fd20:3::2")
    net.route("gr", "10.2.0.0/16", "10.2.3.1")
    net.route("gr", "fd20::/16", "fd20:3::1")
    for switch, name, hypervisor, n in (
        ("inner", "in1", "hv1", 11),
        ("outer", "out1", "hv1", 12),
        ("outer", "out2", "gw2", 13),
        ("far", "far1", "hv1", 14),
    ):
        third = {"inner": 1, "outer": 2, "far": 4}[switch]
        addresses = f"0a:00:00:00:21:{n} 10.2.{third}.{n} fd20:{third}::{n}"
        net.port(switch, name, addresses)
        scene.lab.add_vm(name, hypervisor)
    scene.lab.wait_until_up()
    until(lambda: binding(scene, "cr-dr-outer")["chassis"] == "gw1", "gw1 is in charge", 30)
    until(lambda: not in_charge(scene, "gw2"), "and gw2 isn't any more", 30)


def in_charge(scene: Scene, hypervisor: str) -> bool:
    ports = scene.lab.hypervisor(hypervisor).agent("status")["gateways"]["in_charge"]
    return "cr-dr-outer" in ports


def binding(scene: Scene, name: str) -> dict[str, object]:
    found = scene.net.get("/port-bindings")["items"]
    return next(each for each in found if each["name"] == name)


def test_the_server_hears_who_is_in_charge(scene: Scene) -> None:
    until(lambda: binding(scene, "cr-dr-outer")["chassis"] == "gw1", "gw1 is in charge")
    until(lambda: binding(scene, "gr-join")["chassis"] == "gw2", "the router is on gw2")
    expected = {"dr-outer": "gw1", "cr-dr-outer": "gw1", "outer-dr": "gw1", "gr-join": "gw2"}
    expected |= {"dr-inner": None, "in1": None}  # type: ignore[dict-item]

    def hosting() -> dict[str, object]:
        return {name: binding(scene, name)["hosting_chassis"] for name in expected}

    until(lambda: hosting() == expected, "each port says where it is")
    assert binding(scene, "dr-outer")["chassis"] is None
    command = [sys.executable, "-m", "cli.main", "show", "--url", scene.lab.server.url]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    (line,) = (line for line in shown.splitlines() if "dr-outer" in line and "gateway on" in line)
    assert line.endswith("hosted by gw1")


def test_packets_pass_the_gateway_both_ways(scene: Scene) -> None:
    for source, target in (
        ("in1", "10.2.2.12"),
        ("in1", "10.2.2.13"),
        ("out1", "10.2.1.11"),
        ("out2", "fd20:1::11"),
        ("in1", "fd20:2::12"),
        ("in1", "10.2.4.14"),
        ("far1", "10.2.1.11"),
        ("far1", "fd20:1::11"),
        ("far1", "10.2.2.12"),
        ("in1", "10.2.3.2"),
        ("out1", "10.2.2.1"),
    ):
        assert scene.lab.vm(source).reaches(target), f"{source} to {target}"


def test_unknown_hosts_are_asked_for_by_the_chassis_in_charge(scene: Scene) -> None:
    """The next hop isn't known to the network: the answer comes back through the gateway."""
    scene.net.port("outer", "stranger", "unknown")
    facts = VmFacts("0a:00:00:00:21:99", ("10.2.2.99/24",), ("10.2.2.1",))
    scene.lab.add_vm("stranger", "gw2", facts)
    scene.lab.wait_until_up()
    assert scene.lab.vm("in1").reaches("10.2.2.99")


def test_frames_pass_through_the_tunnel_of_the_chassis_in_charge(scene: Scene) -> None:
    """hv1 has both ends, and still the packet takes the way by gw1."""
    with Tap(scene.lab.vm("out1")) as out1:
        scene.lab.vm("in1").ping("10.2.2.12")
        echo = out1.expect(lambda frame: frame.protocol == frames.ICMP, "the echo request")
    assert echo.ttl == 63
