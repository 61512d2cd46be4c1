"""Explanations against real packets: what is told to be in the way is, and the remedy helps.

Each test breaks something, sees that real packets do not arrive and that the explanation
says so, does what is proposed, and sees both agree that they arrive now.
"""

import time
from itertools import count
from typing import Any

import pytest

from cli.testbed.wait import until
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


def test_policy(scene: Scene) -> None:
    policy = {"priority": 10, "match": f"ip4.dst == {VMS['tell'][2]}", "action": "drop"}
    scene.net.call("POST", "/logical-routers/ex-r1/policies", policy)
    proposal = refused(scene, "policy")
    assert gets_lost(scene)
    scene.net.call("POST", "/transactions", proposal["transaction"])
    assert explain(scene)["reachable"]
    assert arrives(scene)
    for each in scene.net.get("/router-policies")["items"]:
        scene.net.delete(f"/router-policies/{each['id']}")


def change_port_to_b(scene: Scene, **fields: Any) -> None:
    scene.net.call("PATCH", "/logical-router-ports/ex-r1-ex-b", fields)


def test_gateway_without_a_chassis(scene: Scene) -> None:
    change_port_to_b(scene, gateway_chassis=[{"chassis": "nobody", "priority": 1}])
    found = explain(scene)
    assert {each["kind"] for each in found["obstacles"]} == {"no-gateway"}, found["text"]
    assert gets_lost(scene)
    scene.net.call("POST", "/transactions", found["proposal"]["transaction"])
    until(lambda: explain(scene)["reachable"], "the chassis that is proposed to be in charge")
    assert arrives(scene)
    change_port_to_b(scene, gateway_chassis=[])
    assert arrives(scene)


def test_dead_next_hop(scene: Scene) -> None:
    """`tell` leads to an address, and doesn't speak BFD."""
    address, next_hop = "10.60.7.7", VMS["tell"][2]
    tell = scene.lab.vm("tell").namespace
    tell.run("ip", "address", "add", f"{address}/32", "dev", "eth0")
    change_port_to_b(scene, gateway_chassis=[{"chassis": "hv2", "priority": 1}])
    session = {"logical_router_port": "ex-r1-ex-b", "dst_ip": next_hop}
    made = scene.net.call("POST", "/bfd-sessions", session)
    route = {"ip_prefix": "10.60.7.0/24", "nexthop": next_hop, "bfd": True}
    scene.net.call("POST", "/logical-routers/ex-r1/static-routes", route)
    proposal = refused(scene, "dead-next-hop", destination=address, service="icmp")
    assert not scene.lab.vm("ask").ping(address, timeout=1.0)
    scene.net.call("POST", "/transactions", proposal["transaction"])
    assert ask(scene, destination=address)["answer"] == "yes"
    assert scene.lab.vm("ask").reaches(address)
    for each in scene.net.get("/static-routes")["items"]:
        scene.net.delete(f"/static-routes/{each['id']}")
    scene.net.delete(f"/bfd-sessions/{made['id']}")
    change_port_to_b(scene, gateway_chassis=[])
    tell.run("ip", "address", "del", f"{address}/32", "dev", "eth0")


def test_backend_down(scene: Scene) -> None:
    """The virtual address is reached once the backend is back that is proposed."""
    address, service = "10.60.8.8", 8090
    backend = f"{VMS['tell'][2]}:{service}"
    scene.net.call("POST", "/load-balancers", {"name": "ex", "switches": ["ex-a"]})
    known = {"address": VMS["tell"][2], "logical_port": "tell", "source_ip": "10.60.2.250"}
    scene.net.call("POST", "/load-balancers/ex/backends", known)
    check = {"interval": 1, "timeout": 1, "success_count": 1, "failure_count": 1}
    vip = {"address": address, "port": 80, "backends": [backend], "health_check": check}
    scene.net.call("POST", "/load-balancers/ex/vips", vip)
    question = {"destination": address, "service": "tcp/80"}
    (text,) = refused(scene, "no-backend", **question)["text"]
    assert backend in text
    asking = scene.lab.vm("ask")
    assert not asking.tcp_connects(address, 80, timeout=1.5)
    scene.lab.listen("tell", service)
    until(lambda: explain(scene, **question)["reachable"], "the backend to be found up")
    assert asking.tcp_connects(address, 80)
    scene.net.delete("/load-balancers/ex")


def test_too_big(scene: Scene) -> None:
    """What to tell workloads is what is proposed, and packets of that size get there."""
    change_port_to_b(scene, gateway_mtu=1000)
    question = {"source": "ask", "destination": "tell"}
    found = scene.net.reachability({**question, "length": 1300})
    assert [each["kind"] for each in found["obstacles"]] == ["too-big"], found["text"]
    assert "an MTU of 1000" in found["proposal"]["text"][0]
    assert scene.net.reachability({**question, "length": 1000 + 14})["reachable"]
    assert not is_echoed(scene, 1001)
    assert is_echoed(scene, 1000)
    change_port_to_b(scene, gateway_mtu=None)
    assert explain(scene)["reachable"]


def is_echoed(scene: Scene, size: int) -> bool:
    """Whether an IP packet of that size comes back in one piece."""
    vm = scene.lab.vm("ask").namespace
    sized = ("-M", "do", "-s", str(size - 28))
    told = vm.run("ping", "-n", "-c", "1", "-W", "2", *sized, VMS["tell"][2], check=False)
    return "1 received" in told


def test_router_that_tells_hosts_nothing(scene: Scene) -> None:
    port = "/logical-router-ports/ex-r1-ex-a"
    networks = scene.net.get(port)["networks"]
    scene.net.call("PATCH", port, {"networks": [*networks, "fd60:1::1/64"]})
    match = (
        f"eth.src == {MACS['ask']} && eth.dst == 33:33:00:00:00:02 && nd_rs && ip.ttl == 255 && "
        "ip6.src == fe80::800:ff:fe00:6001 && ip6.dst == ff02::2"
    )
    found = scene.net.reachability({"inport": "ask", "match": match})
    assert [each["kind"] for each in found["obstacles"]] == ["unadvertised"], found["text"]
    discover = ("rdisc6", "-1", "-w", "1000", "eth0")
    asking = scene.lab.vm("ask").namespace
    assert "Prefix" not in asking.run(*discover, "-r", "1", check=False)
    scene.net.call("POST", "/transactions", found["proposal"]["transaction"])
    assert scene.net.reachability({"inport": "ask", "match": match})["reachable"]
    assert "fd60:1::/64" in asking.run(*discover, "-r", "20", timeout=60, check=False)
    scene.net.call("PATCH", port, {"networks": networks, "ipv6_ra": None})
