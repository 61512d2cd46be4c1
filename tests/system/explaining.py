"""A network to ask about, and the questions: whether packets arrive, and whether they should.

`ask` and `tell` are behind one router, `far` behind a second, which knows no routes.
"""

from typing import Any

from cli.testbed.wait import until
from tests.system.conftest import Scene

PORT = 8080
VMS = {"ask": ("ex-a", "hv1", "10.60.1.11"), "tell": ("ex-b", "hv2", "10.60.2.11")}
FAR = ("ex-c", "hv2", "10.60.3.11")
MACS = {"ask": "0a:00:00:00:60:01", "tell": "0a:00:00:00:60:02", "far": "0a:00:00:00:60:03"}


def declare(scene: Scene) -> None:
    """Make the network, with its workloads on two hypervisors."""
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


def arrives(scene: Scene, seconds: float = 30.0) -> bool:
    return scene.lab.vm("ask").tcp_connects(VMS["tell"][2], PORT, timeout=seconds)


def gets_lost(scene: Scene) -> bool:
    return not arrives(scene, 1.5)


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
