"""Explanations against real packets: what is told to be in the way is, and the remedy helps.

Each test breaks something, sees that real packets do not arrive and that the explanation
says so, does what is proposed, and sees both agree that they arrive now.
"""

from typing import Any

import pytest

from cli.testbed.wait import until
from tests.system.conftest import Scene

pytestmark = pytest.mark.system

PORT = 8080
VMS = {"ask": ("ex-a", "hv1", "10.60.1.11"), "tell": ("ex-b", "hv2", "10.60.2.11")}
FAR = ("ex-c", "hv2", "10.60.3.11")
MACS = {"ask": "0a:00:00:00:60:01", "tell": "0a:00:00:00:60:02", "far": "0a:00:00:00:60:03"}


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """`ask` and `tell` behind one router, `far` behind a second, which knows no routes."""
    net = scene.net
    net.router("ex-r1")
    net.router("ex-r2")
    for number, (switch, router) in enumerate(
        (("ex-a", "ex-r1"), ("ex-b", "ex-r1"), ("ex-c", "ex-r2")), 1
    ):
        net.switch(switch)
        net.attach(router, switch, f"0a:00:00:00:6f:0{number}", f"10.60.{number}.1/24")
    net.router_port("ex-r1", "ex-r1-r2", "0a:00:00:00:6f:11", "10.60.9.1/30")
    net.router_port("ex-r2", "ex-r2-r1", "0a:00:00:00:6f:12", "10.60.9.2/30", peer="ex-r1-r2")
    for name, (switch, hypervisor, address) in {**VMS, "far": FAR}.items():
        net.port(switch, name, f"{MACS[name]} {address}")
        scene.lab.add_vm(name, hypervisor)
    scene.lab.wait_until_up()
    scene.lab.listen("tell", PORT)
    until(lambda: arrives(scene), "the responder")


def arrives(scene: Scene) -> bool:
    return scene.lab.vm("ask").tcp_connects(VMS["tell"][2], PORT, timeout=2.0)


def explain(scene: Scene, destination: str = "tell", service: str = f"tcp/{PORT}") -> Any:
    question = {"source": "ask", "destination": destination, "service": service}
    answer = scene.net.client.post("/v1/reachability", json=question)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(scene: Scene, kind: str, **question: str) -> Any:
    """What is proposed against the one thing in the way, which is of that kind."""
    found = explain(scene, **question)
    assert not found["reachable"], found["text"]
    assert [obstacle["kind"] for obstacle in found["obstacles"]] == [kind], found["text"]
    assert found["proposal"]["sufficient"], found["proposal"]
    return found["proposal"]


def test_what_arrives_is_reachable(scene: Scene) -> None:
    assert arrives(scene)
    found = explain(scene)
    assert found["reachable"], found["text"]
    assert {check["chassis"] for check in found["checks"]} == {"hv1", "hv2"}


@pytest.mark.parametrize(
    ("owner", "direction", "match"),
    [
        ("ls:ex-b", "to-lport", 'outport == "tell" && ip'),
        ("ls:ex-a", "from-lport", 'inport == "ask" && ip'),
    ],
)
def test_acl(scene: Scene, owner: str, direction: str, match: str) -> None:
    scene.net.acl(owner, direction, 1000, match, "drop")
    proposal = refused(scene, "acl")
    assert not arrives(scene)
    scene.net.call("POST", "/transactions", proposal["transaction"])
    assert explain(scene)["reachable"]
    assert arrives(scene)
    assert not scene.lab.vm("ask").ping(VMS["tell"][2], timeout=1.0)
    for acl in scene.net.get("/acls")["items"]:
        scene.net.delete(f"/acls/{acl['id']}")


def test_port_security(scene: Scene) -> None:
    scene.net.change_port("ask", port_security=[f"{MACS['ask']} 10.60.1.99"])
    proposal = refused(scene, "port-security")
    assert not arrives(scene)
    scene.net.call("POST", "/transactions", proposal["transaction"])
    assert explain(scene)["reachable"]
    assert arrives(scene)
    scene.net.change_port("ask", port_security=[])


def test_no_route(scene: Scene) -> None:
    proposal = refused(scene, "no-route", destination="far", service="icmp")
    assert not scene.lab.vm("ask").ping(FAR[2], timeout=1.0)
    scene.net.call("POST", "/transactions", proposal["transaction"])
    assert explain(scene, destination="far", service="icmp")["reachable"]
    assert scene.lab.vm("ask").ping(FAR[2], count=3)


def test_disabled_port(scene: Scene) -> None:
    scene.net.change_port("tell", enabled=False)
    found = explain(scene)
    assert {obstacle["kind"] for obstacle in found["obstacles"]} == {"disabled"}
    assert not arrives(scene)
    scene.net.call("POST", "/transactions", found["proposal"]["transaction"])
    assert explain(scene)["reachable"]
    assert arrives(scene)


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
