"""BFD with FRR: routers notice neighbours that have died, and send packets another way."""

import contextlib
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from cli.testbed.errors import NotReadyError
from cli.testbed.wait import until
from tests.system.conftest import Scene
from tests.system.frames import IPV4, IPV6, UDP, ethernet, ipv4, ipv6, udp
from tests.system.frr import Bfdd
from tests.system.tap import Tap

pytestmark = pytest.mark.system

OUT = ("10.30.9.254", "fd30:9::fe")
GATEWAY = "10.30.9.253"
NEIGHBOURS = {"isp1": ("10.30.9.1", "fd30:9::1"), "isp2": ("10.30.9.2", "fd30:9::2")}
WORLD = ("198.51.100.1", "2001:db8:51::1")
"""Addresses that both neighbours have."""
DESKS = {"desk": "0a:00:00:00:31:01", "near": "0a:00:00:00:31:02"}
INWARD, OUTWARD = "0a:00:00:00:30:01", "0a:00:00:00:30:02"
"""The router's MAC addresses."""
FLOWS = 32
TIMES = {"min_tx": 300, "min_rx": 300, "detect_mult": 5}
"""Slow enough for a busy machine: nothing is taken for dead within a second and a half."""


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """Router `edge`, everywhere, with a workload on each hypervisor; its way out is hv2's."""
    net = scene.net
    net.router("edge")
    net.switch("inside")
    net.attach("edge", "inside", INWARD, "10.30.1.254/24", "fd30:1::fe/64")
    net.switch("outside")
    ranks = [{"chassis": "hv2", "priority": 1}]
    networks = (f"{OUT[0]}/24", f"{OUT[1]}/64")
    net.router_port("edge", "edge-out", OUTWARD, *networks, gateway_chassis=ranks)
    net.port("outside", "outside-edge", type="router", router_port="edge-out")
    for number, (name, hypervisor) in enumerate({"desk": "hv1", "near": "hv2"}.items(), 1):
        net.port("inside", name, f"{DESKS[name]} 10.30.1.{number} fd30:1::{number}")
        scene.lab.add_vm(name, hypervisor)
    for number, (name, hypervisor) in enumerate({"isp1": "hv2", "isp2": "hv1"}.items(), 1):
        addresses = " ".join(NEIGHBOURS[name])
        net.port("outside", name, f"0a:00:00:00:32:0{number} {addresses}", port_security=[])
        scene.lab.add_vm(name, hypervisor)
    scene.lab.wait_until_up()
    for name in NEIGHBOURS:
        namespace = scene.lab.vm(name).namespace
        for address, bits in zip(WORLD, (32, 128), strict=True):
            namespace.ip("address", "add", f"{address}/{bits}", "dev", "lo")
    for name in NEIGHBOURS:
        for ip in NEIGHBOURS[name]:
            body = {"logical_router_port": "edge-out", "dst_ip": ip, **TIMES}
            net.call("POST", "/bfd-sessions", body)


def frr(scene: Scene, name: str) -> Bfdd:
    """FRR in a neighbour, with sessions of both families, and one with the gateway router."""
    own4, own6 = NEIGHBOURS[name]
    peers = "\n".join(
        f" peer {ours} local-address {own} interface eth0\n"
        "  receive-interval 300\n  transmit-interval 300\n  detect-multiplier 5\n !"
        for ours, own in ((OUT[0], own4), (OUT[1], own6), (GATEWAY, own4))
    )
    return Bfdd(scene.lab.vm(name).namespace, peers)


@pytest.fixture
def neighbours(scene: Scene) -> Iterator[dict[str, Bfdd]]:
    """FRR in both neighbours."""
    running: dict[str, Bfdd] = {}
    try:
        for name in NEIGHBOURS:
            running[name] = frr(scene, name)
        yield running
    finally:
        for each in running.values():
            each.kill()


def states(scene: Scene) -> dict[str, str]:
    """The state of each session as the agent has it, by its neighbour."""
    found: list[dict[str, Any]] = scene.lab.hypervisors["hv2"].agent("status")["bfd"]["sessions"]
    return {each["neighbour"]: each["state"] for each in found}


def ups(neighbour: Bfdd) -> set[str]:
    """The peers with which sessions are up, as FRR has them."""
    return {peer for peer, state in neighbour.peers().items() if state == "up"}


def told(scene: Scene) -> dict[str, tuple[str, str]]:
    """State and reason of each session as the server has them, by its neighbour."""
    sessions = scene.net.get("/bfd-sessions")["items"]
    found = {
        each["dst_ip"]: scene.net.get(f"/bfd-sessions/{each['id']}/status") for each in sessions
    }
    return {neighbour: (each["state"], each["reason"]) for neighbour, each in found.items()}


def are(scene: Scene, state: str, *neighbours: str) -> bool:
    found = states(scene)
    return all(found.get(ip) == state for name in neighbours for ip in NEIGHBOURS[name])


@contextmanager
def routes(scene: Scene, *bodies: dict[str, Any]) -> Iterator[None]:
    """Routes of the router, which are there meanwhile."""
    path = "/logical-routers/edge/static-routes"
    ids = [scene.net.call("POST", path, body)["id"] for body in bodies]
    try:
        yield
    finally:
        for each in ids:
            scene.net.delete(f"/static-routes/{each}")


@contextmanager
def policies(scene: Scene, *bodies: dict[str, Any]) -> Iterator[None]:
    """Policies of the router about packets to the world, which are there meanwhile."""
    common = {"logical_router": "edge", "match": f"ip4.dst == {WORLD[0]}"}
    ids = [scene.net.call("POST", "/router-policies", common | body)["id"] for body in bodies]
    try:
        yield
    finally:
        for each in ids:
            scene.net.delete(f"/router-policies/{each}")


def takers(scene: Scene, sender: str, to: str) -> set[str]:
    """Which neighbours get something of `FLOWS` connections of a sender."""
    number = 1 + list(DESKS).index(sender)
    source = f"fd30:1::{number}" if ":" in to else f"10.30.1.{number}"
    found: Counter[str] = Counter()
    with ExitStack() as stack:
        tap = stack.enter_context(Tap(scene.lab.vm(sender)))
        taps = {name: stack.enter_context(Tap(scene.lab.vm(name))) for name in NEIGHBOURS}
        for port in range(FLOWS):
            datagram = udp(source, to, 2000 + port, 7, b"way")
            packet = (ipv6 if ":" in to else ipv4)(source, to, UDP, datagram)
            ethertype = IPV6 if ":" in to else IPV4
            tap.send(ethernet(INWARD, DESKS[sender], ethertype, packet))

        def all_came() -> bool:
            for name, each in taps.items():
                each.drain()
                found[name] = len(each.matching(lambda frame: frame.dport == 7))
            return found.total() >= FLOWS

        with contextlib.suppress(NotReadyError):
            until(all_came, "all packets came", 2)
    return {name for name, count in found.items() if count}


def spread(bfd: bool = True) -> list[dict[str, Any]]:
    """Routes to the world by both neighbours, in both families."""
    return [
        {"ip_prefix": f"{world}/{bits}", "nexthop": NEIGHBOURS[name][family], "bfd": bfd}
        for family, (world, bits) in enumerate(zip(WORLD, (32, 128), strict=True))
        for name in NEIGHBOURS
    ]


def test_sessions_of_both_families_come_up(scene: Scene, neighbours: dict[str, Bfdd]) -> None:
    until(lambda: are(scene, "up", *NEIGHBOURS), "all sessions up", 30)
    for each in neighbours.values():
        until(lambda each=each: ups(each) >= set(OUT), "FRR agrees", 30)  # type: ignore[misc]
    until(lambda: set(told(scene).values()) == {("up", None)}, "the server has heard", 30)
    neighbours["isp1"].kill()
    until(lambda: are(scene, "down", "isp1"), "silence is noticed", 30)
    until(lambda: are(scene, "up", "isp2"), "the other is up", 30)
    silent = ("down", "the neighbour fell silent")
    until(lambda: told(scene)[NEIGHBOURS["isp1"][0]] == silent, "the server has heard", 30)


@pytest.mark.parametrize("to", WORLD)
def test_packets_go_to_neighbours_that_are_alive(
    scene: Scene, neighbours: dict[str, Bfdd], to: str
) -> None:
    """Everywhere, and to none where none is; and back once there is one again."""
    with routes(scene, *spread()):
        until(lambda: takers(scene, "desk", to) == set(NEIGHBOURS), "both take packets", 30)
        neighbours["isp1"].kill()
        until(lambda: takers(scene, "desk", to) == {"isp2"}, "the other takes all packets", 30)
        until(lambda: takers(scene, "near", to) == {"isp2"}, "from everywhere", 30)
        neighbours["isp2"].kill()
        until(lambda: takers(scene, "desk", to) == set(), "nobody takes packets", 30)
        until(lambda: takers(scene, "near", to) == set(), "from nowhere", 30)
        neighbours["isp1"] = frr(scene, "isp1")
        until(lambda: takers(scene, "desk", to) == {"isp1"}, "it takes them again", 30)


def test_a_dead_route_leaves_packets_to_the_next_one(
    scene: Scene, neighbours: dict[str, Bfdd]
) -> None:
    first = {"ip_prefix": "198.51.100.0/24", "nexthop": NEIGHBOURS["isp1"][0], "bfd": True}
    second = {"ip_prefix": "198.51.0.0/16", "nexthop": NEIGHBOURS["isp2"][0]}
    with routes(scene, first, second):
        until(lambda: takers(scene, "desk", WORLD[0]) == {"isp1"}, "by the longer prefix", 30)
        neighbours["isp1"].kill()
        until(lambda: takers(scene, "desk", WORLD[0]) == {"isp2"}, "by the shorter one", 30)


def test_a_policy_goes_by_its_next_hop_while_that_is_alive(
    scene: Scene, neighbours: dict[str, Bfdd]
) -> None:
    """Packets go by their route meanwhile."""
    route = {"ip_prefix": "198.51.100.0/24", "nexthop": NEIGHBOURS["isp2"][0]}
    reroute = {"action": "reroute", "nexthops": [NEIGHBOURS["isp1"][0]], "bfd": True}
    with routes(scene, route), policies(scene, {"priority": 9, **reroute}):
        until(lambda: takers(scene, "desk", WORLD[0]) == {"isp1"}, "by the policy", 30)
        neighbours["isp1"].kill()
        until(lambda: takers(scene, "desk", WORLD[0]) == {"isp2"}, "by the route", 30)
        until(lambda: takers(scene, "near", WORLD[0]) == {"isp2"}, "from everywhere", 30)
        neighbours["isp1"] = frr(scene, "isp1")
        until(lambda: takers(scene, "desk", WORLD[0]) == {"isp1"}, "by the policy again", 30)


def test_a_policy_spreads_packets_over_living_next_hops_and_is_out_without_one(
    scene: Scene, neighbours: dict[str, Bfdd]
) -> None:
    """The next policy is asked then; an explanation tells why, and what helps."""
    hops = [NEIGHBOURS[name][0] for name in NEIGHBOURS]
    reroute = {"action": "reroute", "nexthops": hops, "bfd": True}
    drop = {"priority": 8, "action": "drop"}
    route = {"ip_prefix": "198.51.100.0/24", "nexthop": hops[1]}
    with routes(scene, route), policies(scene, {"priority": 9, **reroute}, drop):
        until(lambda: takers(scene, "desk", WORLD[0]) == set(NEIGHBOURS), "both take packets", 30)
        neighbours["isp1"].kill()
        until(lambda: takers(scene, "desk", WORLD[0]) == {"isp2"}, "the other takes all", 30)
        neighbours["isp2"].kill()
        until(lambda: takers(scene, "desk", WORLD[0]) == set(), "nobody takes packets", 30)
        question = {"source": "desk", "destination": WORLD[0], "service": "udp/7"}
        answer: dict[str, Any] = {}

        def is_told() -> bool:
            answer.update(scene.net.client.post("/v1/reachability", json=question).json())
            return "all its next hops are dead" in answer["text"]

        until(is_told, "the explanation has it", 30)
        (obstacle,) = answer["obstacles"]
        assert obstacle["kind"] == "dead-next-hop"
        assert "router policy (priority 9" in answer["text"]
        assert "hold without its BFD session" in obstacle["remedy"]["text"]
        assert answer["proposal"]["text"] == [obstacle["remedy"]["text"]]


def test_no_controller_is_needed_where_the_sessions_are(
    scene: Scene, neighbours: dict[str, Bfdd]
) -> None:
    with routes(scene, *spread()):
        until(lambda: takers(scene, "near", WORLD[0]) == set(NEIGHBOURS), "both take packets", 30)
        scene.lab.process("server").send(signal.SIGSTOP)
        try:
            neighbours["isp1"].kill()
            until(lambda: takers(scene, "near", WORLD[0]) == {"isp2"}, "it is out", 30)
        finally:
            scene.lab.process("server").send(signal.SIGCONT)
        until(lambda: takers(scene, "desk", WORLD[0]) == {"isp2"}, "others hear of it", 30)


def test_the_neighbour_says_that_it_is_taken_out(scene: Scene, neighbours: dict[str, Bfdd]) -> None:
    until(lambda: are(scene, "up", *NEIGHBOURS), "all sessions up", 30)
    neighbours["isp1"].configure(
        f"peer {OUT[0]} local-address {NEIGHBOURS['isp1'][0]} interface eth0", "shutdown"
    )
    until(lambda: states(scene)[NEIGHBOURS["isp1"][0]] == "down", "it is down", 30)
    until(lambda: states(scene)[NEIGHBOURS["isp1"][1]] == "up", "the other family's is up", 30)


def test_who_is_not_the_neighbour_changes_nothing(
    scene: Scene, neighbours: dict[str, Bfdd]
) -> None:
    """Packets over a router, of other sessions, with authentication, nonsense."""
    own = NEIGHBOURS["isp1"][0]
    until(lambda: are(scene, "up", *NEIGHBOURS), "all sessions up", 30)
    down = bytes.fromhex("2040031800000009000000000007a1200007a120 00000000".replace(" ", ""))
    packets = {
        "session": down[:8] + b"\xff\xff\xff\xff" + down[12:],
        "authenticated": down[:1] + b"\x44" + down[2:],
        "version": b"\x40" + down[1:],
        "short": down[:20],
    }
    with Tap(scene.lab.vm("isp1")) as tap:

        def send(payload: bytes, ttl: int = 255) -> None:
            packet = ipv4(own, OUT[0], UDP, udp(own, OUT[0], 50_000, 3784, payload), ttl)
            tap.send(ethernet(OUTWARD, "0a:00:00:00:32:01", IPV4, packet))

        for _ in range(5):
            send(down, 254)
        for payload in packets.values():
            send(payload)
        until(lambda: set(discarded(scene, own)) >= set(packets), "all of them are counted", 30)
        until(lambda: are(scene, "up", "isp1"), "it is up still", 30)
        assert "ttl" not in discarded(scene, own), "the switch lets none through"
        before = times_down(scene, own)
        send(down)
        until(lambda: times_down(scene, own) > before, "the same with a good TTL is believed", 30)
    until(lambda: are(scene, "up", "isp1"), "and it comes up again", 30)


def times_down(scene: Scene, neighbour: str) -> int:
    """How often a session went down: it may be up again before anybody looks."""
    words = ("bfd session", f"neighbour={neighbour} ", "state=down ")
    lines = scene.lab.hypervisor("hv2").log.read_text().splitlines()
    return sum(all(word in f"{line} " for word in words) for line in lines)


def discarded(scene: Scene, neighbour: str) -> dict[str, int]:
    """What was discarded of a session, by why."""
    found: list[dict[str, Any]] = scene.lab.hypervisors["hv2"].agent("status")["bfd"]["sessions"]
    return next(each["discarded"] for each in found if each["neighbour"] == neighbour)


def test_an_explanation_tells_of_a_dead_next_hop(scene: Scene, neighbours: dict[str, Bfdd]) -> None:
    with routes(scene, *spread()):
        until(lambda: are(scene, "up", *NEIGHBOURS), "all sessions up", 30)
        for each in neighbours.values():
            each.kill()
        question = {"source": "desk", "destination": WORLD[0], "service": "udp/7"}
        answer: dict[str, Any] = {}

        def is_told() -> bool:
            answer.update(scene.net.client.post("/v1/reachability", json=question).json())
            text = answer["text"]
            silent = text.count("the neighbour fell silent") == 2
            return silent and "all its next hops are dead" in text

        until(is_told, "the explanation has it", 30)
        assert answer["obstacles"][0]["kind"] == "dead-next-hop"


def test_a_gateway_router_runs_sessions(scene: Scene, neighbours: dict[str, Bfdd]) -> None:
    """Until it is gone, of which the neighbour is told."""
    net = scene.net
    net.router("gate", chassis="hv2")
    net.router_port("gate", "gate-out", "0a:00:00:00:30:03", f"{GATEWAY}/24")
    net.port("outside", "outside-gate", type="router", router_port="gate-out")
    body = {"logical_router_port": "gate-out", "dst_ip": NEIGHBOURS["isp2"][0], **TIMES}
    net.call("POST", "/bfd-sessions", body)
    until(lambda: GATEWAY in ups(neighbours["isp2"]), "the session is up", 30)
    for path in ("switch-ports/outside-gate", "router-ports/gate-out", "routers/gate"):
        net.delete(f"/logical-{path}")
    until(lambda: GATEWAY not in ups(neighbours["isp2"]), "the session is down", 30)
