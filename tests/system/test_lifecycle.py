"""What must not be lost: packets across restarts, ports across moves, state across faults."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.testbed.wait import until
from tests.system.conftest import Scene
from tests.system.running_ping import RunningPing

pytestmark = pytest.mark.system

IP = {"l1": "10.4.1.11", "l2": "10.4.1.12", "l3": "10.4.1.13"}


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    net = scene.net
    net.switch("life")
    for number, (name, address) in enumerate(IP.items(), 1):
        net.port("life", name, f"0a:00:00:00:40:0{number} {address} fd40::{number}")
        scene.lab.add_vm(name, "hv2" if name == "l3" else "hv1")
    net.port_group("live", *IP)
    net.acl("pg:live", "to-lport", 1000, "ip", "allow-related")
    scene.lab.wait_until_up()


def fast_ping(scene: Scene) -> RunningPing:
    """Packets from `l1` to the other hypervisor, one each millisecond."""
    return RunningPing(scene.lab.vm("l1"), IP["l3"], 0.001)


@pytest.fixture
def ping(scene: Scene) -> Iterator[RunningPing]:
    with fast_ping(scene) as ping:
        yield ping


def agent_settled(scene: Scene, name: str) -> None:
    hypervisor = scene.lab.hypervisor(name)
    until(lambda: hypervisor.agent("status")["in_sync"], f"agent of {name} in sync", 30)


def test_agent_restart_loses_no_packet(scene: Scene, ping: RunningPing) -> None:
    lab = scene.lab
    assert lab.vm("l1").reaches(IP["l3"])
    flows = lab.hypervisor("hv1").flows()
    lab.stop_process("hv1/agent")
    lab.start_agent("hv1")
    agent_settled(scene, "hv1")
    lost = ping.finish()
    assert ping.sent > 100
    assert lost == 0, f"{lost} of {ping.sent} lost"
    assert sorted(lab.hypervisor("hv1").flows()) == sorted(flows)
    assert lab.hypervisor("hv1").agent("status")["counters"]["flow_mods_sent"] == 0


def test_killed_agent_loses_no_packet(scene: Scene, ping: RunningPing) -> None:
    lab = scene.lab
    lab.stop_process("hv1/agent", signal.SIGKILL)
    lab.start_agent("hv1")
    agent_settled(scene, "hv1")
    assert ping.finish() == 0


def counted(scene: Scene, counter: str) -> dict[str, int]:
    """What each agent has counted, by the name of its hypervisor."""
    return {
        name: hypervisor.agent("status")["counters"].get(counter, 0)
        for name, hypervisor in scene.lab.hypervisors.items()
    }


def test_server_restart(scene: Scene, ping: RunningPing) -> None:
    """Agents forward while it is gone, reconnect touching no flow, and take the next change."""
    lab = scene.lab
    flow_mods, batches = counted(scene, "flow_mods_sent"), counted(scene, "batches")
    scene.expected_trouble.append("connect")
    lab.stop_process("server")
    until(lambda: not lab.hypervisor("hv1").agent("status")["connected"], "hv1 notices")
    assert lab.vm("l1").reaches(IP["l2"])
    lab.start_server()
    until(
        lambda: all(n > batches[name] for name, n in counted(scene, "batches").items()),
        "both agents hear from the new server",
        30,
    )
    for name in lab.hypervisors:
        agent_settled(scene, name)
    assert counted(scene, "flow_mods_sent") == flow_mods
    assert ping.finish() == 0
    scene.net.change_port("l2", enabled=False)
    assert not lab.vm("l1").ping(IP["l2"], timeout=1)
    scene.net.change_port("l2", enabled=True)
    assert lab.vm("l1").reaches(IP["l2"])


RELEASES = Path(__file__).parent / "releases"


def restart_agents(scene: Scene, release: str | None = None) -> None:
    """Both agents, one after the other, as those of today or of another release."""
    environment = {"PYTHONPATH": str(RELEASES / release)} if release else None
    for name in scene.lab.hypervisors:
        scene.lab.stop_process(f"{name}/agent")
        scene.lab.start_agent(name, environment=environment)
        agent_settled(scene, name)


def restart_server(scene: Scene, release: str | None = None) -> None:
    batches = counted(scene, "batches")
    scene.lab.stop_process("server")
    scene.lab.start_server(environment={"PYTHONPATH": str(RELEASES / release)} if release else None)
    until(
        lambda: all(n > batches[name] for name, n in counted(scene, "batches").items()),
        "both agents hear from the new server",
        30,
    )
    for name in scene.lab.hypervisors:
        agent_settled(scene, name)


def test_server_is_upgraded_before_its_agents(scene: Scene) -> None:
    """A pipeline with one stage more, and an action that no agent knows, under a running ping.

    An inserted stage moves the tables of those behind it, in one bundle. Only packets that are
    in connection tracking at that moment may come back to a table that is another stage's: one,
    where the switch keeps up with them.
    """
    lab, sentence = scene.lab, "need an agent that knows `weigh`"

    def is_shown(name: str) -> bool:
        """Agents tell why they are degraded a moment after they have settled."""
        return sentence in scene.net.get(f"/chassis/{name}")["degraded"].get("vocabulary", "")

    def unknown(name: str) -> list[str]:
        found: list[str] = scene.net.get(f"/chassis/{name}")["unknown_to_agent"]
        return found

    scene.expected_trouble.append("connect")
    restart_agents(scene, "recorded_agent")
    with fast_ping(scene) as ping:
        restart_server(scene, "newer_server")
        for name in lab.hypervisors:
            until(lambda name=name: is_shown(name), "the server shows what it lacks")  # type: ignore[misc]
            until(lambda name=name: "table stage" in unknown(name), "and what is unknown to it")  # type: ignore[misc]
        scene.net.change_port("l2", enabled=False)
        assert not lab.vm("l1").ping(IP["l2"], timeout=1), "older agents take changes"
        restart_agents(scene)
        for name, hypervisor in lab.hypervisors.items():
            until(
                lambda each=hypervisor: sentence in str(each.agent("status")["degraded"]),  # type: ignore[misc]
                f"{name} tells what it lacks",
            )
            until(lambda name=name: is_shown(name), "the server shows what it lacks")  # type: ignore[misc]
            until(lambda name=name: unknown(name) == [], "that nothing is unknown to it")  # type: ignore[misc]
        scene.net.change_port("l2", enabled=True)
        assert lab.vm("l1").reaches(IP["l2"])
        lost = ping.finish()
    assert ping.sent > 100
    assert lost <= 1, f"{lost} of {ping.sent} lost"
    scene.check()
    restart_server(scene)
    for hypervisor in lab.hypervisors.values():
        until(
            lambda each=hypervisor: each.agent("status")["degraded"] == {},  # type: ignore[misc]
            f"{hypervisor.name} is well",
        )


def test_agent_starts_while_the_server_is_gone(scene: Scene) -> None:
    """From its cache it programs even an empty switch, with the last change before the end."""
    lab = scene.lab
    scene.expected_trouble.append("connect")
    scene.net.change_port("l3", enabled=False)
    lab.stop_process("server")
    try:
        lab.stop_process("hv1/agent")
        hypervisor = lab.hypervisor("hv1")
        hypervisor.switch.ofctl("del-flows", hypervisor.switch.management("br-int"))
        hypervisor.switch.appctl("revalidator/purge")
        until(lambda: not lab.vm("l1").ping(IP["l2"], timeout=1), "the empty switch drops")
        lab.start_agent("hv1")
        until(lambda: lab.vm("l1").ping(IP["l2"], timeout=1), "hv1 forwards from its cache", 30)
        until(lambda: hypervisor.agent("status")["headless"], "hv1 knows that it has no server")
        assert not lab.vm("l1").ping(IP["l3"], timeout=1)
    finally:
        lab.start_server()
    scene.settle()
    scene.net.change_port("l3", enabled=True)
    assert lab.vm("l1").reaches(IP["l3"])


def test_vswitchd_restart(scene: Scene) -> None:
    """An empty switch is programmed again."""
    lab = scene.lab
    scene.expected_trouble += ["ovs-vswitchd", "openflow", "OpenFlow", r"\|ERR\|", "mgmt"]
    lab.stop_process("hv1/ovs-vswitchd")
    switch = lab.hypervisor("hv1").switch
    lab.remember("hv1/ovs-vswitchd", switch.start_switch())
    until(lambda: lab.vm("l1").ping(IP["l2"], timeout=1), "same hypervisor", 30)
    until(lambda: lab.vm("l1").ping(IP["l3"], timeout=1), "other hypervisor", 30)


@pytest.mark.parametrize("what", ["agent", "server", "switch"])
def test_counters_of_acls_outlive_restarts(scene: Scene, what: str) -> None:
    """What was counted before stays, and packets are counted on."""
    lab, net = scene.lab, scene.net
    acl = net.acl("ls:life", "to-lport", 2000, 'outport == "l2" && icmp4', "allow-related")
    try:
        assert lab.vm("l1").ping(IP["l2"], count=3)
        until(lambda: net.get(f"/acls/{acl}/hits")["packets"] >= 3, "all requests are counted")
        assert net.get(f"/acls/{acl}/hits")["packets"] == 3
        if what == "agent":
            lab.stop_process("hv1/agent")
            lab.start_agent("hv1")
        elif what == "server":
            scene.expected_trouble.append("connect")
            restart_server(scene)
        else:
            scene.expected_trouble += ["ovs-vswitchd", "openflow", "OpenFlow", r"\|ERR\|", "mgmt"]
            lab.stop_process("hv1/ovs-vswitchd")
            lab.remember("hv1/ovs-vswitchd", lab.hypervisor("hv1").switch.start_switch())
        agent_settled(scene, "hv1")
        until(lambda: lab.vm("l1").ping(IP["l2"], timeout=1), "packets pass", 30)
        counted = net.get(f"/acls/{acl}/hits")["packets"]
        assert counted >= 4
        assert lab.vm("l1").ping(IP["l2"], count=2)
        until(
            lambda: net.get(f"/acls/{acl}/hits")["packets"] >= counted + 2,
            "all requests are counted",
        )
        assert net.get(f"/acls/{acl}/hits")["packets"] == counted + 2
    finally:
        net.delete(f"/acls/{acl}")


def test_ovsdb_restart(scene: Scene) -> None:
    lab = scene.lab
    scene.expected_trouble += ["db.sock", "ovsdb"]
    lab.stop_process("hv1/ovsdb-server")
    switch = lab.hypervisor("hv1").switch
    lab.remember("hv1/ovsdb-server", switch.start_database())
    assert lab.vm("l1").reaches(IP["l3"])
    # The agent takes part again: a port that is plugged in now comes up.
    scene.net.port("life", "l4", "0a:00:00:00:40:04 10.4.1.14")
    lab.add_vm("l4", "hv1")
    lab.wait_until_up(["l4"])
    assert lab.vm("l3").reaches("10.4.1.14")
    lab.remove_vm("l4")
    until(lambda: not scene.net.get("/port-bindings/l4")["up"], "l4 is down")
    scene.net.delete("/logical-switch-ports/l4")


def test_port_moves_with_its_interface(scene: Scene) -> None:
    lab = scene.lab
    assert scene.net.get("/port-bindings/l2")["chassis"] == "hv1"
    lab.move_vm("l2", "hv2")
    until(lambda: scene.net.get("/port-bindings/l2")["chassis"] == "hv2", "the binding moved")
    lab.wait_until_up(["l2"])
    assert lab.vm("l1").reaches(IP["l2"])
    assert lab.vm("l3").reaches(IP["l2"])
    lab.move_vm("l2", "hv1")
    until(lambda: scene.net.get("/port-bindings/l2")["chassis"] == "hv1", "the binding moved back")
    lab.wait_until_up(["l2"])
    assert lab.vm("l1").reaches(IP["l2"])
    assert lab.vm("l3").reaches(IP["l2"])


def test_unplugged_port_goes_down(scene: Scene) -> None:
    lab = scene.lab
    vm = lab.vm("l2")
    lab.hypervisor("hv1").unplug(vm.state.interface)
    until(lambda: not scene.net.get("/port-bindings/l2")["up"], "l2 is down")
    lab.hypervisor("hv1").plug(vm.state.interface, "l2")
    lab.wait_until_up(["l2"])
    assert lab.vm("l1").reaches(IP["l2"])


def test_requested_chassis(scene: Scene) -> None:
    """A port that asks for another chassis is not bound here, until it asks no more."""
    lab = scene.lab
    scene.net.change_port("l2", requested_chassis=["hv2"])
    until(lambda: not scene.net.get("/port-bindings/l2")["up"], "l2 is down")
    scene.net.change_port("l2", requested_chassis=[])
    lab.wait_until_up(["l2"])
    assert lab.vm("l1").reaches(IP["l2"])


def test_requested_by_host_name(scene: Scene) -> None:
    """A port that asks for its hypervisor by host name, as schedulers do, is up there."""
    hostname = scene.net.get("/chassis/hv1")["hostname"]
    assert hostname != "hv1"
    wish = {"requested_chassis": [hostname]}
    scene.net.call("PATCH", "/logical-switch-ports/l2?wait=chassis", wish)
    scene.lab.wait_until_up(["l2"])
    assert scene.net.get("/port-bindings/l2")["chassis"] == "hv1"
    assert scene.lab.vm("l1").reaches(IP["l2"])
    scene.net.change_port("l2", requested_chassis=[])


def test_another_system_id(scene: Scene) -> None:
    """A host that takes another name gives up the old one, with its ports, at once."""
    lab = scene.lab
    for old, new in (("hv1", "renamed"), ("renamed", "hv1")):
        switch = lab.hypervisor("hv1").switch
        switch.vsctl("set", "Open_vSwitch", ".", f"external_ids:system-id={new}")
        until(lambda new=new: _is_connected(scene, new), f"{new} is there")  # type: ignore[misc]
        until(
            lambda old=old: scene.net.client.get(f"/v1/chassis/{old}").status_code == 404,  # type: ignore[misc]
            f"{old} is gone",
        )
        until(
            lambda new=new: scene.net.get("/port-bindings/l1")["chassis"] == new,  # type: ignore[misc]
            f"l1 is at {new}",
        )
        lab.wait_until_up(["l1", "l2"])
        until(lambda: lab.vm("l1").ping(IP["l3"], timeout=1), "packets pass again")


def _is_connected(scene: Scene, chassis: str) -> bool:
    answer = scene.net.client.get(f"/v1/chassis/{chassis}")
    return answer.status_code == 200 and bool(answer.json()["connected"])


def test_second_agent_with_the_same_system_id_is_refused(scene: Scene) -> None:
    lab = scene.lab
    scene.expected_trouble += ["system-id", "hv1", "refused"]
    twin = lab.add_hypervisor("twin", agent=False)
    twin.switch.vsctl("set", "Open_vSwitch", ".", "external_ids:system-id=hv1")
    lab.start_agent("twin")

    def degraded() -> bool:
        status = twin.agent("status")
        return not status["connected"] and "system-id" in str(status["degraded"])

    until(degraded, "the twin says why it is refused")
    assert lab.hypervisor("hv1").agent("status")["connected"]
    lab.stop_process("twin/agent")
    lab.remove_hypervisor("twin")


def test_chassis_removal(scene: Scene) -> None:
    """A chassis that is gone is shown as dead; its port comes up elsewhere."""
    lab = scene.lab
    lab.add_hypervisor("hv3")
    lab.move_vm("l2", "hv3")
    until(lambda: scene.net.get("/port-bindings/l2")["chassis"] == "hv3", "the binding moved")
    lab.wait_until_up(["l2"])
    lab.stop_process("hv3/agent", signal.SIGKILL)
    until(lambda: not scene.net.get("/chassis/hv3")["alive"], "hv3 is shown as dead", 60)
    lab.move_vm("l2", "hv1")
    until(lambda: scene.net.get("/port-bindings/l2")["chassis"] == "hv1", "claimed by hv1", 30)
    lab.wait_until_up(["l2"])
    assert lab.vm("l3").reaches(IP["l2"])
    scene.net.client.delete("/v1/chassis/hv3").raise_for_status()
    lab.remove_hypervisor("hv3")
