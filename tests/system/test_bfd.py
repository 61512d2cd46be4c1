"""BFD with FRR: routers notice neighbours that have died, and send packets another way."""

from collections.abc import Iterator
from typing import Any

import pytest

from cli.testbed.wait import until
from tests.system.conftest import Scene
from tests.system.frr import Bfdd

pytestmark = pytest.mark.system

OUT = ("10.30.9.254", "fd30:9::fe")
NEIGHBOURS = {"isp1": ("10.30.9.1", "fd30:9::1"), "isp2": ("10.30.9.2", "fd30:9::2")}
WORLD = ("198.51.100.1", "2001:db8:51::1")
"""Addresses that both neighbours have."""
TIMES = {"min_tx": 200, "min_rx": 200, "detect_mult": 3}


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """Router `edge`, everywhere, with workload `desk` on hv1; its way out is a gateway on hv2."""
    net = scene.net
    net.router("edge")
    net.switch("inside")
    net.attach("edge", "inside", "0a:00:00:00:30:01", "10.30.1.254/24", "fd30:1::fe/64")
    net.switch("outside")
    ranks = [{"chassis": "hv2", "priority": 1}]
    networks = (f"{OUT[0]}/24", f"{OUT[1]}/64")
    mac = "0a:00:00:00:30:02"
    net.router_port("edge", "edge-out", mac, *networks, gateway_chassis=ranks)
    net.port("outside", "outside-edge", type="router", router_port="edge-out")
    net.port("inside", "desk", "0a:00:00:00:31:01 10.30.1.1 fd30:1::1")
    scene.lab.add_vm("desk", "hv1")
    for number, (name, hypervisor) in enumerate({"isp1": "hv2", "isp2": "hv1"}.items(), 1):
        addresses = " ".join(NEIGHBOURS[name])
        net.port("outside", name, f"0a:00:00:00:32:0{number} {addresses}", port_security=[])
        vm = scene.lab.add_vm(name, hypervisor)
        del vm
    scene.lab.wait_until_up()
    for name in NEIGHBOURS:
        namespace = scene.lab.vm(name).namespace
        for address, bits in zip(WORLD, (32, 128), strict=True):
            namespace.ip("address", "add", f"{address}/{bits}", "dev", "lo")
    for name in NEIGHBOURS:
        for ip in NEIGHBOURS[name]:
            body = {"logical_router_port": "edge-out", "dst_ip": ip, **TIMES}
            net.call("POST", "/bfd-sessions", body)


def frr(scene: Scene, name: str) -> Bfdd:
    """FRR in a neighbour, with sessions of both families."""
    peers = "\n".join(
        f" peer {ours} local-address {own} interface eth0\n"
        "  receive-interval 200\n  transmit-interval 200\n  detect-multiplier 3\n !"
        for ours, own in zip(OUT, NEIGHBOURS[name], strict=True)
    )
    return Bfdd(scene.lab.vm(name).namespace, peers)


@pytest.fixture
def neighbours(scene: Scene) -> Iterator[dict[str, Bfdd]]:
    """FRR in both neighbours."""
    running: dict[str, Bfdd] = {}
    try:
        for name in NEIGHBOURS:
            running[name] = frr(scene, name)
        yield running
    finally:
        for each in running.values():
            each.kill()


def states(scene: Scene) -> dict[str, str]:
    """The state of each session as the agent has it, by its neighbour."""
    found: list[dict[str, Any]] = scene.lab.hypervisors["hv2"].agent("status")["bfd"]["sessions"]
    return {each["neighbour"]: each["state"] for each in found}


def are(scene: Scene, state: str, *neighbours: str) -> bool:
    found = states(scene)
    return all(found[ip] == state for name in neighbours for ip in NEIGHBOURS[name])


def test_sessions_of_both_families_come_up(scene: Scene, neighbours: dict[str, Bfdd]) -> None:
    until(lambda: are(scene, "up", *NEIGHBOURS), "all sessions up", 30)
    for each in neighbours.values():
        until(lambda each=each: each.peers() == dict.fromkeys(OUT, "up"), "FRR agrees", 30)  # type: ignore[misc]
    neighbours["isp1"].kill()
    until(lambda: are(scene, "down", "isp1"), "silence is noticed", 30)
    assert are(scene, "up", "isp2")
