"""Explanations against real packets: what is told to be in the way is, and the remedy helps.

Each test breaks something, sees that real packets do not arrive and that the explanation
says so, does what is proposed, and sees both agree that they arrive now.
"""

import re

import pytest

from tests.system.conftest import Scene
from tests.system.explaining import FAR, MACS, VMS, arrives, declare, explain, refused

pytestmark = pytest.mark.system


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    declare(scene)


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


@pytest.mark.parametrize("port", ["ask", "tell"])
def test_port_security(scene: Scene, port: str) -> None:
    scene.net.change_port(port, port_security=[f"{MACS[port]} 10.60.9.99"])
    proposal = refused(scene, "port-security")
    assert not arrives(scene)
    scene.net.call("POST", "/transactions", proposal["transaction"])
    assert explain(scene)["reachable"]
    assert arrives(scene)
    scene.net.change_port(port, port_security=[])


def test_no_route(scene: Scene) -> None:
    proposal = refused(scene, "no-route", destination="far", service="icmp")
    assert not scene.lab.vm("ask").ping(FAR[2], timeout=1.0)
    scene.net.call("POST", "/transactions", proposal["transaction"])
    assert explain(scene, destination="far", service="icmp")["reachable"]
    assert scene.lab.vm("ask").ping(FAR[2], count=3)


def test_discarded(scene: Scene) -> None:
    scene.net.route("ex-r1", "10.60.2.8/29", "discard")
    proposal = refused(scene, "discarded")
    assert not arrives(scene)
    scene.net.call("POST", "/transactions", proposal["transaction"])
    assert explain(scene)["reachable"]
    assert arrives(scene)
    for route in scene.net.get("/static-routes")["items"]:
        scene.net.delete(f"/static-routes/{route['id']}")


def test_unknown_destination(scene: Scene) -> None:
    """The port that is proposed is a workload's, once an interface says so."""
    address = "10.60.2.77"
    proposal = refused(scene, "unknown-destination", destination=address, service="icmp")
    assert not scene.lab.vm("ask").ping(address, timeout=1.0)
    scene.net.call("POST", "/transactions", proposal["transaction"])
    (operation,) = proposal["transaction"]["operations"]
    name = operation["values"]["name"]
    scene.lab.add_vm(name, "hv1", name="new")
    scene.lab.wait_until_up(["new"])
    assert explain(scene, destination=address, service="icmp")["reachable"]
    assert scene.lab.vm("ask").ping(address, count=3)
    scene.lab.remove_vm("new")
    scene.net.delete(f"/logical-switch-ports/{name}")


def test_time_to_live(scene: Scene) -> None:
    """What is proposed is the packet: the next ping is sent with as many hops."""
    match = (
        f"eth.src == {MACS['ask']} && eth.dst == 0a:00:00:00:6f:01 && ip4.src == {VMS['ask'][2]} "
        f"&& ip4.dst == {VMS['tell'][2]} && ip.ttl == 1 && icmp4.type == 8 && icmp4.code == 0"
    )
    found = scene.net.client.post("/v1/reachability", json={"match": match, "inport": "ask"}).json()
    assert [obstacle["kind"] for obstacle in found["obstacles"]] == ["ttl"]
    assert found["obstacles"][0]["cause"]["name"] == "ex-r1"
    ttl = re.search(r"ip\.ttl == (\d+)", found["proposal"]["packet"])
    assert ttl is not None
    assert not scene.lab.vm("ask").ping(VMS["tell"][2], ttl=1, timeout=1.0)
    assert scene.lab.vm("ask").ping(VMS["tell"][2], ttl=int(ttl[1]))


@pytest.mark.parametrize(
    "path",
    [
        "/logical-switch-ports/ask",
        "/logical-switch-ports/tell",
        "/logical-switch-ports/ex-b-ex-r1",
        "/logical-router-ports/ex-r1-ex-a",
        "/logical-router-ports/ex-r1-ex-b",
        "/logical-routers/ex-r1",
    ],
)
def test_disabled(scene: Scene, path: str) -> None:
    scene.net.call("PATCH", path, {"enabled": False})
    found = explain(scene)
    assert {obstacle["kind"] for obstacle in found["obstacles"]} == {"disabled"}
    assert {obstacle["cause"]["name"] for obstacle in found["obstacles"]} == {path.split("/")[2]}
    assert not arrives(scene)
    scene.net.call("POST", "/transactions", found["proposal"]["transaction"])
    assert explain(scene)["reachable"]
    assert arrives(scene)
