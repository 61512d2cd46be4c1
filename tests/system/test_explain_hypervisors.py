"""Explanations of hypervisors that are gone, against real packets: what helps is done there.

The server takes a chassis for dead soon, so that it needn't be waited for.
"""

import os
import signal
from collections.abc import Iterator

import pytest

from cli.testbed.lab import Lab
from cli.testbed.wait import until
from tests.system.conftest import Scene, two_hypervisors
from tests.system.explaining import arrives, declare, explain, gets_lost, refused

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
    until(lambda: reaches(scene), "the port to be reached again", 30)
    assert arrives(scene)


@pytest.mark.parametrize("address", ["198.51.100.77", "hv1"])
def test_a_tunnel_address_that_is_not_its_own(scene: Scene, address: str) -> None:
    """It is no host's, or the other hypervisor's, which the server refuses."""
    hypervisors = scene.lab.hypervisors
    hv2 = hypervisors["hv2"]
    wrong = hypervisors[address].tunnel_ip if address in hypervisors else address
    scene.expected_trouble += ["chassis refused", "refused this agent"]
    hv2.switch.vsctl("set", "Open_vSwitch", ".", f"external_ids:treadle-encap-ip={wrong}")
    until(lambda: "encap" in hv2.agent("status")["degraded"], "hv2 misses the address", 30)
    if address in hypervisors:
        until(lambda: wrong in str(hv2.agent("status")["degraded"].get("server")), "a refusal", 30)
        told = [each["text"] for each in scene.net.get("/status")["chassis_problems"]]
        assert any(each.startswith(f"refused: the tunnel address {wrong}") for each in told), told
    else:
        until(lambda: explain(scene)["answer"] == "no", "the tunnel to lead nowhere", 30)
        assert f"gets no answer from hv2's tunnel address {wrong}" in explain(scene)["text"]
        (lost,) = scene.net.get("/chassis/hv1")["tunnels"]["unreachable"]
        assert (lost["chassis"], lost["address"]) == ("hv2", wrong)
        assert gets_lost(scene)
    own = f"external_ids:treadle-encap-ip={hv2.tunnel_ip}"
    hv2.switch.vsctl("set", "Open_vSwitch", ".", own)
    until(lambda: reaches(scene), "the tunnel to lead to hv2 again", 60)
    until(lambda: not hv2.agent("status")["degraded"], "hv2 is well again", 60)
    assert arrives(scene)


def test_a_stopped_agent_leaves_what_it_has_not_acknowledged_unknown(scene: Scene) -> None:
    scene.net.port_group("late", "tell")
    process = scene.lab.process("hv2/agent")
    os.kill(process.pid, signal.SIGSTOP)
    try:
        acl = {
            "port_group": "late",
            "direction": "to-lport",
            "priority": 2000,
            "match": "udp.dst == 9",
            "action": "drop",
        }
        scene.net.call("POST", "/acls", acl, wait="translated")
        found = explain(scene)
        assert found["answer"] == "not-known"
        assert "handled by hv2, whose agent has not acknowledged revision" in found["text"]
    finally:
        os.kill(process.pid, signal.SIGCONT)
    until(lambda: reaches(scene), "hv2 to acknowledge", 30)


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
    assert gets_lost(scene)
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
    until(lambda: reaches(scene), "the port to be reached at hv1", 30)
    assert arrives(scene)
    lab.start_agent("hv2")
    lab.move_vm("tell", "hv2")
    until(lambda: explain(scene)["checks"][-1]["chassis"] == "hv2", "the port on hv2")
    lab.wait_until_up(["tell"])
    assert arrives(scene)
