"""Labs with gateways: what these say of themselves, how they die, and what cuts them off.

`gw1` and `gw2` stand in for each other, `gw1` with the higher priority; `hv1` has workloads.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from cli.testbed.namespace import Namespace
from tests.system.conftest import Scene, make_lab

GATEWAYS: Final = ("gw1", "gw2")
HYPERVISORS: Final = ("hv1", *GATEWAYS)
RANKS: Final = [{"chassis": "gw1", "priority": 20}, {"chassis": "gw2", "priority": 10}]
"""For `gateway_chassis` of a port, or `chassis` of a group."""
_PROCESSES: Final = ("agent", "ovs-vswitchd", "ovsdb-server")


@contextmanager
def lab_with_gateways(tmp_path_factory: pytest.TempPathFactory, *networks: str) -> Iterator[Scene]:
    """A hypervisor of workloads and two for gateways, all on the provider `networks`."""
    with make_lab(tmp_path_factory) as lab:
        lab.start_server()
        for name in HYPERVISORS:
            lab.add_hypervisor(name)
        for network in networks:
            lab.add_provider_network(network)
        scene = Scene(lab)
        # Open vSwitch misses the peer of a connection that was stopped for more than five seconds.
        scene.expected_trouble.append(r"no response to inactivity probe")
        yield scene
        scene.net.client.close()


def status(scene: Scene, hypervisor: str) -> dict[str, Any]:
    """What a chassis tells of itself."""
    told: dict[str, Any] = scene.lab.hypervisor(hypervisor).agent("status")
    return told


def told(scene: Scene, hypervisor: str) -> dict[str, Any]:
    """What a chassis tells of gateways."""
    gateways: dict[str, Any] = status(scene, hypervisor)["gateways"]
    return gateways


def charge(scene: Scene, hypervisor: str) -> set[str]:
    """The ports that a chassis takes itself to be in charge of."""
    return set(told(scene, hypervisor)["in_charge"])


def sessions_are_up(scene: Scene, *hypervisors: str) -> bool:
    """Whether all sessions of hypervisors (all of them) with the two others are up."""
    found = [told(scene, name)["sessions"] for name in hypervisors or HYPERVISORS]
    return all(len(each) == 2 and set(each.values()) == {"up"} for each in found)


def die(scene: Scene, hypervisor: str) -> None:
    """All of a hypervisor stops at once, as when its power fails."""
    for process in _PROCESSES:
        scene.lab.process(f"{hypervisor}/{process}").send(signal.SIGSTOP)


def come_back(scene: Scene, hypervisor: str) -> None:
    """A hypervisor that has died goes on."""
    for process in reversed(_PROCESSES):
        scene.lab.process(f"{hypervisor}/{process}").send(signal.SIGCONT)


@contextmanager
def dead(scene: Scene, hypervisor: str) -> Iterator[None]:
    """A hypervisor is dead meanwhile."""
    die(scene, hypervisor)
    try:
        yield
    finally:
        come_back(scene, hypervisor)


@contextmanager
def without_tunnels(scene: Scene, hypervisor: str) -> Iterator[None]:
    """No tunnel leads to a hypervisor meanwhile, which has all of its other ways."""
    uplink = f"up-{hypervisor}"
    _underlay(scene).ip("link", "set", uplink, "down")
    try:
        yield
    finally:
        _underlay(scene).ip("link", "set", uplink, "up")


@contextmanager
def apart(scene: Scene, *hypervisors: str) -> Iterator[None]:
    """No tunnel leads from one of the hypervisors to another meanwhile; all others reach them."""
    _isolate(scene, hypervisors, "on")
    try:
        yield
    finally:
        _isolate(scene, hypervisors, "off")


def _isolate(scene: Scene, hypervisors: tuple[str, ...], how: str) -> None:
    for hypervisor in hypervisors:
        options = ("type", "bridge_slave", "isolated", how)
        _underlay(scene).ip("link", "set", f"up-{hypervisor}", *options)


def _underlay(scene: Scene) -> Namespace:
    return Namespace(f"{scene.lab.name}-underlay")
