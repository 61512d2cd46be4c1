"""Virtual ports: addresses that keepalived moves between VMs by VRRP."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.testbed.vm import Vm
from cli.testbed.wait import until
from tests.system.conftest import Scene
from tests.system.frames import ARP, BROADCAST, ethernet
from tests.system.tap import Tap

pytestmark = pytest.mark.system

MAC = {
    "one": "0a:00:00:00:01:01",
    "two": "0a:00:00:00:01:02",
    "near": "0a:00:00:00:01:03",
    "far": "0a:00:00:00:02:01",
}
IP = {"one": "10.0.1.1", "two": "10.0.1.2", "near": "10.0.1.3", "far": "10.0.2.1"}
PLACE = {"one": "hv1", "two": "hv2", "near": "hv1", "far": "hv2"}
VIP = "10.0.1.100"
VIP6 = "fd01::100"


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """Two VMs that may have the address, a peer on their switch, and one behind a router."""
    net = scene.net
    for switch in ("s", "t"):
        net.switch(switch)
    net.router("r")
    net.attach("r", "s", "0a:00:00:00:01:fe", "10.0.1.254/24")
    net.attach("r", "t", "0a:00:00:00:02:fe", "10.0.2.254/24")
    for name, mac in MAC.items():
        own = f"{mac} {IP[name]}"
        switch = "t" if name == "far" else "s"
        secured = f"{own} {VIP} {VIP6} fd01::{name == 'two'}".replace("False", "1")
        secured = secured.replace("True", "2")
        security = [secured] if name in ("one", "two") else []
        net.port(switch, name, own, port_security=security)
    net.port("s", "vip", type="virtual", virtual_ip=VIP, virtual_parents=["one", "two"])
    net.port("s", "vip6", type="virtual", virtual_ip=VIP6, virtual_parents=["one", "two"])
    for name, place in PLACE.items():
        scene.lab.add_vm(name, place)
    scene.lab.wait_until_up()
    until(lambda: scene.lab.vm("one").ping(IP["two"], timeout=1), "a packet got through")


def binding(scene: Scene, name: str = "vip") -> dict[str, object]:
    found: dict[str, object] = scene.net.get(f"/port-bindings/{name}")
    return found


def is_at(scene: Scene, parent: str, chassis: str) -> bool:
    """Whether the server knows that a VM has the address, and that packets get there."""
    found = binding(scene)
    return (found["virtual_parent"], found["chassis"], found["up"]) == (parent, chassis, True)


class Keepalived:
    """keepalived in a VM, with the address as its virtual one."""

    def __init__(self, vm: Vm, priority: int, directory: Path) -> None:
        self._directory = directory / vm.name
        self._directory.mkdir(exist_ok=True)
        configuration = self._directory / "keepalived.conf"
        configuration.write_text(
            f"""
            global_defs {{ vrrp_garp_master_delay 0 }}
            vrrp_instance v {{
                state BACKUP
                interface eth0
                virtual_router_id 51
                priority {priority}
                advert_int 0.2
                virtual_ipaddress {{ {VIP}/24 }}
            }}
            """
        )
        files = [f"--{each}={self._directory / each}" for each in ("pid", "vrrp_pid")]
        command = ["keepalived", "-n", "-l", "-P", "-f", str(configuration), *files]
        with (self._directory / "log").open("w") as log:
            self._process = subprocess.Popen(
                vm.namespace.argv(command), stdout=log, stderr=log, start_new_session=True
            )

    def stop(self) -> None:
        """End as if it had failed: without a word."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@pytest.fixture
def pair(scene: Scene, tmp_path: Path) -> Iterator[dict[str, Keepalived]]:
    """keepalived in both VMs, the first with the higher priority."""
    running = {
        name: Keepalived(scene.lab.vm(name), priority, tmp_path)
        for name, priority in (("one", 200), ("two", 100))
    }
    yield running
    for name, each in running.items():
        each.stop()
        command = ("ip", "address", "del", f"{VIP}/24", "dev", "eth0")
        scene.lab.vm(name).namespace.run(*command, check=False)


def test_the_address_is_where_keepalived_has_it(scene: Scene, pair: dict[str, Keepalived]) -> None:
    """And moves when that dies: the port, and what is sent to the address, also by a router."""
    until(lambda: is_at(scene, "one", "hv1"), "the first has the address")
    for peer in ("near", "far"):
        until(lambda peer=peer: scene.lab.vm(peer).ping(VIP, timeout=1), f"{peer} reaches it")  # type: ignore[misc]
    assert explained(scene) == "one"
    pair["one"].stop()
    scene.lab.vm("one").namespace.ip("link", "set", "eth0", "down")
    until(lambda: is_at(scene, "two", "hv2"), "the second has the address")
    for peer in ("near", "far"):
        until(lambda peer=peer: scene.lab.vm(peer).ping(VIP, timeout=1), f"{peer} reaches it")  # type: ignore[misc]
    assert explained(scene) == "two"
    scene.lab.vm("one").configure()


def explained(scene: Scene) -> object:
    """The port that an explanation says is reached by the name of the virtual one."""
    found = scene.net.reachability({"source": "far", "destination": "vip"})
    assert found["answer"] == "yes", found["text"]
    return found["destination"]


def test_nothing_answers_for_the_address_but_who_has_it(scene: Scene) -> None:
    """No workload has it now; the switch doesn't answer, whatever the binding says."""
    assert not scene.lab.vm("near").ping(VIP, timeout=1)


def test_others_cannot_take_the_address(scene: Scene) -> None:
    """A port that is no parent may speak as it likes: the address stays where it is."""
    with Tap(scene.lab.vm("near")) as near, Tap(scene.lab.vm("two")) as two:
        two.send(gratuitous_arp("two"))
        until(lambda: binding(scene)["virtual_parent"] == "two", "the second spoke")
        near.send(gratuitous_arp("near"))
        two.expect(lambda frame: frame.src == MAC["near"], "the other one's word")
    assert binding(scene)["virtual_parent"] == "two"


def test_a_parent_whose_port_security_lacks_the_address_never_has_it(scene: Scene) -> None:
    security = scene.net.get("/logical-switch-ports/one")["port_security"]
    scene.net.change_port("one", port_security=[f"{MAC['one']} {IP['one']}"])
    with Tap(scene.lab.vm("one")) as one, Tap(scene.lab.vm("two")) as two:
        one.send(gratuitous_arp("one"))
        two.send(gratuitous_arp("two"))
        until(lambda: binding(scene)["virtual_parent"] == "two", "the second has it")
        scene.net.change_port("one", port_security=security)
        one.send(gratuitous_arp("one"))
        until(lambda: binding(scene)["virtual_parent"] == "one", "the first has it")


def test_an_address_of_ipv6(scene: Scene) -> None:
    """A neighbour advertisement of Linux, unasked, as keepalived sends one."""
    two = scene.lab.vm("two").namespace
    two.run("sysctl", "-qw", "net.ipv6.conf.eth0.ndisc_notify=1")
    two.ip("address", "add", f"{VIP6}/64", "dev", "eth0", "nodad")
    scene.lab.vm("near").namespace.ip("address", "add", "fd01::3/64", "dev", "eth0", "nodad")
    until(lambda: scene.lab.vm("near").ping(VIP6, timeout=1), "it is reached")
    until(lambda: binding(scene, "vip6")["virtual_parent"] == "two", "the second has it")


def test_where_it_is_outlives_the_server(scene: Scene) -> None:
    with Tap(scene.lab.vm("two")) as two:
        two.send(gratuitous_arp("two"))
    until(lambda: is_at(scene, "two", "hv2"), "the second has it")
    before = binding(scene)
    scene.lab.stop_process("server")
    scene.lab.start_server()
    until(lambda: binding(scene) == before, "as before")


def gratuitous_arp(name: str) -> bytes:
    mac = bytes.fromhex(MAC[name].replace(":", ""))
    ip = bytes(map(int, VIP.split(".")))
    body = bytes.fromhex("0001080006040001") + mac + ip + bytes(6) + ip
    return ethernet(BROADCAST, MAC[name], ARP, body)
