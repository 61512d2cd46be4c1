"""Gateways stand in for each other: hypervisors and their switches die, and come back."""

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from cli.testbed.wait import until
from tests.system.conftest import Scene
from tests.system.gateways import (
    RANKS,
    charge,
    come_back,
    die,
    lab_with_gateways,
    sessions_are_up,
    told,
)
from tests.system.running_ping import RunningPing

pytestmark = pytest.mark.system

INTERVAL = 0.05
"""Seconds between the echo requests of a running ping."""
MOST_LOST = 400
"""Of those, at a failover: it is a fortieth of that where no other tests run."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with lab_with_gateways(tmp_path_factory) as scene:
        yield scene


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    net = scene.net
    net.router("r")
    net.switch("inner")
    net.attach("r", "inner", "0a:00:00:00:30:01", "10.3.1.1/24")
    net.switch("outer")
    net.call("POST", "/ha-chassis-groups", group(preemptive=True))
    net.router_port("r", "r-outer", "0a:00:00:00:30:02", "10.3.2.1/24", ha_chassis_group="gateways")
    net.port("outer", "outer-r", type="router", router_port="r-outer")
    for switch, name, n in (("inner", "in", 11), ("outer", "out", 12)):
        net.port(switch, name, f"0a:00:00:00:31:{n} 10.3.{1 if switch == 'inner' else 2}.{n}")
        scene.lab.add_vm(name, "hv1")
    scene.lab.wait_until_up()
    first_is_in_charge(scene)


def first_is_in_charge(scene: Scene) -> None:
    """Wait until gw1 alone is in charge, all have heard so, and packets pass by it."""
    until(lambda: sessions_are_up(scene), "sessions are up", 30)
    until(lambda: charge(scene, "gw1") and not charge(scene, "gw2"), "gw1 alone", 30)
    until(lambda: in_charge(scene) == "gw1", "the server has heard of it", 30)
    until(lambda: answered(scene), "packets pass", 30)


def group(*, preemptive: bool) -> dict[str, Any]:
    return {"name": "gateways", "chassis": RANKS, "preemptive": preemptive}


def in_charge(scene: Scene) -> str:
    """The chassis that the server has heard to be in charge."""
    found = scene.net.get("/port-bindings")["items"]
    return str(next(each for each in found if each["name"] == "cr-r-outer")["chassis"])


def pinging(scene: Scene) -> RunningPing:
    """A ping from inside to outside."""
    return RunningPing(scene.lab.vm("in"), scene.lab.vm("out").ip4, INTERVAL)


def answered(scene: Scene) -> bool:
    return scene.lab.vm("in").ping(scene.lab.vm("out").ip4, timeout=1.0)


@pytest.mark.parametrize("_time", range(2))
def test_a_hypervisor_dies_and_comes_back(scene: Scene, _time: int) -> None:
    """All of it stops at once, as when its power fails."""
    first_is_in_charge(scene)
    with pinging(scene) as ping:
        die(scene, "gw1")
        until(lambda: answered(scene), "the other gateway has taken over")
        until(lambda: charge(scene, "gw2") == {"cr-r-outer", "outer-r"}, "gw2 says so")
        assert ping.finish() <= MOST_LOST
    until(lambda: in_charge(scene) == "gw2", "the server has heard of it")
    with pinging(scene) as ping:
        come_back(scene, "gw1")
        until(lambda: not charge(scene, "gw2"), "the first gateway has taken over again", 30)
        until(lambda: answered(scene), "packets pass")
        assert ping.finish() <= MOST_LOST
    first_is_in_charge(scene)


@pytest.mark.parametrize("_time", range(2))
def test_a_switch_dies_alone_and_comes_back(scene: Scene, _time: int) -> None:
    first_is_in_charge(scene)
    switch = scene.lab.hypervisor("gw1").switch
    with pinging(scene) as ping:
        scene.lab.stop_process("gw1/ovs-vswitchd", signal.SIGKILL)
        until(lambda: answered(scene), "the other gateway has taken over")
        assert ping.finish() <= MOST_LOST
    scene.lab.remember("gw1/ovs-vswitchd", switch.start_switch())
    first_is_in_charge(scene)


def test_the_server_is_away_meanwhile(scene: Scene) -> None:
    first_is_in_charge(scene)
    scene.lab.process("server").send(signal.SIGSTOP)
    try:
        scene.lab.process("gw1/ovs-vswitchd").send(signal.SIGSTOP)
        until(lambda: charge(scene, "gw2"), "the other gateway has taken over")
        until(lambda: answered(scene), "packets pass by it")
    finally:
        scene.lab.process("gw1/ovs-vswitchd").send(signal.SIGCONT)
        until(lambda: not charge(scene, "gw2"), "the first gateway has taken over again", 30)
        scene.lab.process("server").send(signal.SIGCONT)
    first_is_in_charge(scene)


@pytest.mark.parametrize("_time", range(2))
def test_without_preemption_the_second_one_stays_in_charge(scene: Scene, _time: int) -> None:
    first_is_in_charge(scene)
    scene.net.call("PATCH", "/ha-chassis-groups/gateways", {"preemptive": False})
    try:
        until(lambda: answered(scene), "packets pass")
        before = told(scene, "gw1")
        scene.lab.process("gw1/ovs-vswitchd").send(signal.SIGSTOP)
        until(lambda: in_charge(scene) == "gw2", "the other gateway has taken over", 30)
        scene.lab.process("gw1/ovs-vswitchd").send(signal.SIGCONT)
        # What its database says of sessions is from before it was stopped, until then.
        until(
            lambda: told(scene, "gw1")["times_cut_off"] > before["times_cut_off"],
            "the first gateway has noticed that it was away",
            30,
        )
        until(lambda: sessions_are_up(scene, "gw1", "gw2"), "sessions are up", 30)
        scene.settle()
        after = told(scene, "gw1")
        assert (after["in_charge"], after["is_cut_off"]) == ([], False)
        assert after["claims"] == before["claims"], "it was never in charge after its return"
        until(lambda: in_charge(scene) == "gw2", "the server has heard no other")
        until(lambda: answered(scene), "packets pass")
    finally:
        scene.net.call("PATCH", "/ha-chassis-groups/gateways", {"preemptive": True})
    first_is_in_charge(scene)
