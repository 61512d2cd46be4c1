"""Packets that are too big for where a router sends them, with the tools that find that out."""

import re
from pathlib import Path

import pytest
import yaml

from cli.testbed.vm import Vm
from cli.testbed.wait import until
from tests.system.conftest import Scene

pytestmark = pytest.mark.system

MTU = 1300
HEADERS = {4: 28, 6: 48}
"""Bytes of an echo request beside its data."""


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """`big` on hv1 is behind a router from `small` on hv2, whose network has small packets."""
    net = scene.net
    net.switch("bigs")
    net.switch("smalls")
    net.port("bigs", "big", "0a:00:00:00:35:01 10.0.35.1 fd35::1")
    net.port("smalls", "small", "0a:00:00:00:36:01 10.0.36.1 fd36::1")
    net.router("r-mtu")
    net.attach("r-mtu", "bigs", "0a:00:00:00:35:fe", "10.0.35.254/24", "fd35::fe/64")
    net.attach("r-mtu", "smalls", "0a:00:00:00:36:fe", "10.0.36.254/24", "fd36::fe/64")
    net.call("PATCH", "/logical-router-ports/r-mtu-smalls", {"gateway_mtu": MTU})
    scene.lab.add_vm("big", "hv1")
    scene.lab.add_vm("small", "hv2")
    scene.lab.wait_until_up()
    for address in ADDRESSES.values():
        assert scene.lab.vm("big").reaches(address)


ADDRESSES = {4: "10.0.36.1", 6: "fd36::1"}


def forget_mtus(vm: Vm, version: int) -> None:
    vm.namespace.run("ip", f"-{version}", "route", "flush", "cache", check=False)


def echo(vm: Vm, target: str, size: int, *, fragment: str = "do") -> str:
    """What `ping` says of echo requests that are that big as IP packets."""
    version = 6 if ":" in target else 4
    command = ("ping", "-n", "-c", "2", "-i", "0.2", "-W", "10", "-M", fragment)
    return vm.namespace.run(*command, "-s", str(size - HEADERS[version]), target, check=False)


@pytest.mark.parametrize("version", [4, 6])
def test_ping_that_may_not_be_fragmented_hears_the_mtu(scene: Scene, version: int) -> None:
    vm, target = scene.lab.vm("big"), ADDRESSES[version]
    forget_mtus(vm, version)
    until(lambda: " 0% packet loss" in echo(vm, target, MTU), "what is not too big arrives")
    told = echo(vm, target, MTU + 1)
    assert "100% packet loss" in told
    assert re.search(rf"mtu[ =]*{MTU}", told), told


@pytest.mark.parametrize("version", [4, 6])
def test_tracepath_finds_the_mtu(scene: Scene, version: int) -> None:
    command = ("tracepath", "-n", f"-{version}", ADDRESSES[version])

    def is_told() -> bool:
        found = scene.lab.vm("big").namespace.run(*command, timeout=60, check=False)
        return f"pmtu {MTU}" in found and "reached" in found

    until(is_told, "tracepath gets there and knows the MTU", 60)


def test_what_may_be_fragmented_arrives_in_fragments(scene: Scene) -> None:
    """Who knows the MTU by now fragments by itself."""
    vm = scene.lab.vm("big")
    forget_mtus(vm, 4)
    assert "Frag needed" in echo(vm, ADDRESSES[4], MTU + 100, fragment="dont")
    until(
        lambda: " 0% packet loss" in echo(vm, ADDRESSES[4], MTU + 100, fragment="want"),
        "fragments arrive",
    )


def test_the_other_direction_and_no_limit(scene: Scene) -> None:
    small = scene.lab.vm("small")
    until(lambda: " 0% packet loss" in echo(small, "10.0.35.1", MTU), "the other direction")
    scene.net.call("PATCH", "/logical-router-ports/r-mtu-smalls", {"gateway_mtu": None})
    vm = scene.lab.vm("big")
    forget_mtus(vm, 4)
    vm.namespace.ip("link", "set", "eth0", "down")
    vm.namespace.ip("link", "set", "eth0", "up")
    vm.configure()
    until(lambda: " 0% packet loss" in echo(vm, ADDRESSES[4], MTU + 50), "no limit")


def test_the_example_of_the_page(scene: Scene) -> None:
    example = Path(__file__).parents[2] / "examples" / "path-mtu" / "network.yaml"
    document = yaml.safe_load(example.read_text())
    scene.net.call("POST", "/apply", document)
    question = {"packet": "udp near-1 -> far-1:9", "length": 1500}
    traced = scene.net.client.post("/v1/trace", json=question).json()
    assert traced["verdict"]["outcome"] == "answered", traced["verdict"]
    traced = scene.net.client.post("/v1/trace", json={**question, "length": 1400}).json()
    assert traced["verdict"]["outcome"] == "delivered", traced["verdict"]
