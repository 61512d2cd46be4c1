"""Explanations against real packets: what is told to be in the way is, and the remedy helps.

Each test breaks something, sees that real packets do not arrive and that the explanation
says so, does what is proposed, and sees both agree that they arrive now.
"""

import time
from itertools import count
from typing import Any

import pytest

from logical_flow.packet import packet_from_match
from tests.differential.lab.crafting import craft
from tests.system.conftest import Scene
from tests.system.explaining import FAR, MACS, VMS, arrives, declare, explain, gets_lost, refused
from tests.system.frames import Frame
from tests.system.tap import Tap

pytestmark = pytest.mark.system

SERVICES = count(5000)
"""Ports of packets that are to be told apart."""
ARRIVED = 0.3
"""Seconds within which what arrives has arrived."""


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
    assert gets_lost(scene)
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
    assert gets_lost(scene)
    scene.net.call("POST", "/transactions", proposal["transaction"])
    assert explain(scene)["reachable"]
    assert arrives(scene)
    scene.net.change_port(port, port_security=[])


def test_no_route(scene: Scene) -> None:
    proposal = refused(scene, "no-route", destination="far", service="icmp")
    assert not scene.lab.vm("ask").ping(FAR[2], timeout=1.0)
    scene.net.call("POST", "/transactions", proposal["transaction"])
    assert explain(scene, destination="far", service="icmp")["reachable"]
    assert scene.lab.vm("ask").reaches(FAR[2])


def test_discarded(scene: Scene) -> None:
    scene.net.route("ex-r1", "10.60.2.8/29", "discard")
    proposal = refused(scene, "discarded")
    assert gets_lost(scene)
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
    assert scene.lab.vm("ask").reaches(address)
    scene.lab.remove_vm("new")
    scene.net.delete(f"/logical-switch-ports/{name}")


@pytest.mark.parametrize(
    ("changed", "kind", "name"),
    [
        ({"ip.ttl": "1"}, "ttl", "ex-r1"),
        ({"vlan.tci": "0x1007"}, "admission", "ex-a"),
        ({"eth.src": "01:00:5e:00:00:01"}, "admission", "ex-a"),
        ({"eth.dst": "0a:00:00:00:6f:99"}, "unknown-destination", "ex-a"),
    ],
)
def test_packet(scene: Scene, changed: dict[str, str], kind: str, name: str) -> None:
    """What is proposed is another packet: that one arrives, and the one asked about does not."""
    fields = {
        "eth.src": MACS["ask"],
        "eth.dst": "0a:00:00:00:6f:01",
        "ip4.src": VMS["ask"][2],
        "ip4.dst": VMS["tell"][2],
        "ip.ttl": "64",
        "udp.src": "4000",
        "udp.dst": str(next(SERVICES)),
        **changed,
    }
    match = " && ".join(f"{field} == {value}" for field, value in fields.items())
    question = {"match": match, "inport": "ask", "destination": "tell"}
    found = scene.net.reachability(question)
    assert [obstacle["kind"] for obstacle in found["obstacles"]] == [kind], found["text"]
    assert found["obstacles"][0]["cause"]["name"] == name
    proposed = found["proposal"]["packet"]

    def is_it(frame: Frame) -> bool:
        ports = int(fields["udp.src"]).to_bytes(2) + int(fields["udp.dst"]).to_bytes(2)
        return frame.ip_src == fields["ip4.src"] and ports in frame.payload

    with Tap(scene.lab.vm("ask")) as sender, Tap(scene.lab.vm("tell")) as receiver:
        sender.send(craft(packet_from_match(match)))
        time.sleep(ARRIVED)
        sender.send(craft(packet_from_match(proposed)))
        receiver.expect(is_it, "the packet that is proposed")
        assert len(receiver.matching(is_it)) == 1


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
    assert gets_lost(scene)
    scene.net.call("POST", "/transactions", found["proposal"]["transaction"])
    assert explain(scene)["reachable"]
    assert arrives(scene)


def ask(scene: Scene, **question: str) -> Any:
    return scene.net.reachability({"source": "ask", **question})


def test_an_address_that_port_security_allows(scene: Scene) -> None:
    """It is answered for by a workload whose port has another, and nobody else is to get it."""
    address = "10.60.2.100"
    own = VMS["tell"][2]
    scene.net.change_port("tell", port_security=[f"{MACS['tell']} {own} {address}"])
    tell = scene.lab.vm("tell").namespace
    tell.run("ip", "address", "add", f"{address}/32", "dev", "eth0")
    assert scene.lab.vm("ask").reaches(address)
    found = ask(scene, destination=address)
    assert found["answer"] == "yes", found["text"]
    assert {each["kind"] for each in found["assumptions"]} == {"owner"}
    assert found["proposal"] is None
    tell.run("ip", "address", "del", f"{address}/32", "dev", "eth0")
    scene.net.change_port("tell", port_security=[])


def test_guests_that_leave_everything_to_their_gateway(scene: Scene) -> None:
    near, gateway = "10.60.1.13", "10.60.1.1"
    scene.net.port("ex-a", "near", f"0a:00:00:00:60:04 {near}")
    scene.lab.add_vm("near", "hv2")
    scene.lab.wait_until_up(["near"])
    direct = "eth.dst != {0a:00:00:00:6f:01, ff:ff:ff:ff:ff:ff} && ip4"
    scene.net.acl("ls:ex-a", "from-lport", 9, f'inport == {{"ask", "near"}} && {direct}', "drop")
    asking = scene.lab.vm("ask")
    assert not asking.ping(near, timeout=1.0)
    found = ask(scene, destination="near")
    assert (found["answer"], found["assumptions"][0]["kind"]) == ("no", "guest"), found["text"]
    assert found["assumptions"][0]["otherwise"] == "yes"
    for vm, other in (("ask", near), ("near", VMS["ask"][2])):
        command = ("ip", "route", "replace", f"{other}/32", "via", gateway)
        scene.lab.vm(vm).namespace.run(*command)
    assert asking.reaches(near)
    assert ask(scene, destination="near", guests="via-gateway")["answer"] == "yes"
    asking.namespace.run("ip", "route", "del", f"{near}/32")
    scene.lab.remove_vm("near")
    scene.net.delete("/logical-switch-ports/near")
    for acl in scene.net.get("/acls")["items"]:
        scene.net.delete(f"/acls/{acl['id']}")
