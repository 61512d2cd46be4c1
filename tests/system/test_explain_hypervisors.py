"""Explanations of hypervisors that are gone, against real packets: what helps is done there.

The server takes a chassis for dead soon, so that it needn't be waited for.
"""

import signal
from collections.abc import Iterator

import pytest

from cli.testbed.lab import Lab
from cli.testbed.wait import until
from tests.system.conftest import Scene, two_hypervisors
from tests.system.explaining import arrives, declare, explain, refused

pytestmark = pytest.mark.system

LEASE = {"TREADLE_SERVER__AGENTS__LEASE": "1"}
START = "systemctl start treadle-agent"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with two_hypervisors(tmp_path_factory, LEASE) as scene:
        declare(scene)
        yield scene


def test_unbound_port(scene: Scene) -> None:
    """The command that is proposed is run as it is, but for the interface's name."""
    vm = scene.lab.vm("tell")
    switch = scene.lab.hypervisor("hv2").switch
    switch.vsctl("remove", "Interface", vm.state.interface, "external_ids", "iface-id")
    until(lambda: explain(scene)["obstacles"] != [], "the port to be given up")
    (command,) = refused(scene, "unbound")["commands"]
    program, *words = command.split()
    assert program == "ovs-vsctl"
    switch.vsctl(*(vm.state.interface if word == "INTERFACE" else word for word in words))
    scene.lab.wait_until_up(["tell"])
    assert explain(scene)["reachable"]
    assert arrives(scene)


def kill(lab: Lab, *roles: str) -> None:
    for role in roles:
        lab.stop_process(role, signal.SIGKILL)


def reaches(scene: Scene) -> bool:
    return bool(explain(scene)["reachable"])


def told_dead(scene: Scene, chassis: str, port: str) -> None:
    """Wait until a chassis is taken for dead, and see it named with what to do."""

    def is_dead() -> bool:
        """Before, its agent is only not connected."""
        found = explain(scene)
        return [each["kind"] for each in found["obstacles"]] == ["dead-chassis"]

    until(is_dead, f"{chassis} to be taken for dead")
    proposal = refused(scene, "dead-chassis")
    text = explain(scene)["text"]
    assert f"port {port} is bound to chassis {chassis}, whose agent is not heard of" in text
    assert proposal["text"][0].startswith(f"start the agent on chassis {chassis}")
    assert proposal["commands"] == [START]
    assert proposal["transaction"] is None


@pytest.mark.parametrize(("chassis", "port"), [("hv1", "ask"), ("hv2", "tell")])
def test_dead_agent(scene: Scene, chassis: str, port: str) -> None:
    """Its switch goes on without it, by the flows that it has."""
    kill(scene.lab, f"{chassis}/agent")
    told_dead(scene, chassis, port)
    assert arrives(scene)
    scene.lab.start_agent(chassis)
    until(lambda: reaches(scene), "the agent to be heard of")
    assert arrives(scene)


def test_dead_hypervisor(scene: Scene) -> None:
    scene.expected_trouble += [r"ovs-vswitchd", r"openflow", r"OpenFlow", r"\|ERR\|", r"mgmt"]
    lab = scene.lab
    kill(lab, "hv2/agent", "hv2/ovs-vswitchd")
    assert not arrives(scene)
    told_dead(scene, "hv2", "tell")
    lab.remember("hv2/ovs-vswitchd", lab.hypervisor("hv2").switch.start_switch())
    lab.start_agent("hv2")
    until(lambda: reaches(scene), "the agent to be heard of")
    scene.settle()
    assert arrives(scene)


def test_a_workload_that_leaves_a_dead_chassis(scene: Scene) -> None:
    """The other way that is proposed: a chassis that is alive gets the port."""
    lab = scene.lab
    kill(lab, "hv2/agent")
    told_dead(scene, "hv2", "tell")
    lab.move_vm("tell", "hv1")
    lab.wait_until_up(["tell"])
    assert reaches(scene)
    assert arrives(scene)
    lab.start_agent("hv2")
    lab.move_vm("tell", "hv2")
    until(lambda: explain(scene)["checks"][-1]["chassis"] == "hv2", "the port on hv2")
    lab.wait_until_up(["tell"])
    assert arrives(scene)
