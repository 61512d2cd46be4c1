"""Replies that go back by the way by which their requests came, whatever routes say."""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import Any, Final

import pytest

from cli.testbed.wait import until
from tests.system import who
from tests.system.conftest import Scene
from tests.system.frames import IPV4, IPV6, UDP, Frame, ethernet, ipv4, ipv6, udp
from tests.system.tap import Tap

pytestmark = pytest.mark.system

OUTWARD, INWARD = "0a:00:00:00:40:09", "0a:00:00:00:40:01"
"""The router's MAC addresses."""
WAYS: Final = {"up1": "0a:00:00:00:42:01", "up2": "0a:00:00:00:42:02"}
SERVER: Final = ("0a:00:00:00:41:01", ("10.40.1.1", "fd40:1::1"))
FLOATING: Final = "10.40.9.50"
FLOATING_OF: Final = {
    "back": (FLOATING, "fd40:9::50"),
    "side": ("10.40.9.51", "fd40:9::51"),
}
FORCED: Final = {"back": ["10.40.1.254", "fd40:1::fe"], "side": ["10.40.1.253", "fd40:1::fd"]}
CLIENTS: Final = ("198.51.100.7", "2001:db8:40::7")
PREFIXES: Final = ("198.51.100.0/24", "2001:db8:40::/48")
_ports = count(20_000)


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """`edge` is on hv2, with a server inside, and two routers outside, one on each hypervisor."""
    net = scene.net
    net.router("back", chassis="hv2")
    net.switch("within")
    net.attach("back", "within", INWARD, "10.40.1.254/24", "fd40:1::fe/64")
    net.switch("beyond")
    net.attach("back", "beyond", OUTWARD, "10.40.9.254/24", "fd40:9::fe/64")
    mac, addresses = SERVER
    net.port("within", "server", " ".join((mac, *addresses)))
    scene.lab.add_vm("server", "hv1")
    for number, (name, mac) in enumerate(WAYS.items(), 1):
        own = f"{mac} 10.40.9.{number} fd40:9::{number}"
        net.port("beyond", name, own, port_security=[])
        scene.lab.add_vm(name, f"hv{number}")
    nat = {"type": "dnat_and_snat", "external_ip": FLOATING, "logical_ip": SERVER[1][0]}
    net.call("POST", "/logical-routers/back/nats", nat)
    scene.lab.wait_until_up()


@contextmanager
def routes(scene: Scene, *, symmetric: bool) -> Iterator[None]:
    """Routes by both ways in both families; a policy sends what is for port 99 by the first."""
    bodies: list[dict[str, Any]] = [
        {"ip_prefix": prefix, "nexthop": nexthop, "ecmp_symmetric_reply": symmetric}
        for prefix, nexthops in zip(
            PREFIXES, (("10.40.9.1", "10.40.9.2"), ("fd40:9::1", "fd40:9::2")), strict=True
        )
        for nexthop in nexthops
    ]
    path = "/logical-routers/back/static-routes"
    made = [f"/static-routes/{scene.net.call('POST', path, body)['id']}" for body in bodies]
    policy = {
        "logical_router": "back",
        "priority": 5,
        "match": "ip4 && udp.dst == 99",
        "action": "reroute",
        "nexthops": ["10.40.9.1"],
    }
    made.append(f"/router-policies/{scene.net.call('POST', '/router-policies', policy)['id']}")
    try:
        yield
    finally:
        for each in made:
            scene.net.delete(each)


def packet(source: str, to: str, sport: int, dport: int) -> tuple[int, bytes]:
    """An IP packet with a datagram, and its EtherType."""
    datagram = udp(source, to, sport, dport, b"way")
    if ":" in to:
        return IPV6, ipv6(source, to, UDP, datagram)
    return IPV4, ipv4(source, to, UDP, datagram)


def ends(frame: Frame) -> tuple[int, int] | None:
    """The ports of a UDP datagram; None of another frame."""
    if frame.ethertype not in (IPV4, IPV6) or frame.protocol != UDP:
        return None
    return int.from_bytes(frame.l4[:2]), int.from_bytes(frame.l4[2:4])


class Talk:
    """What the server and both routers outside send and see."""

    def __init__(self, scene: Scene, stack: ExitStack) -> None:
        self.server = stack.enter_context(Tap(scene.lab.vm("server")))
        self.ways = {name: stack.enter_context(Tap(scene.lab.vm(name))) for name in WAYS}

    def ask(self, way: str, client: str, at: str, sport: int) -> None:
        """Send a request by a way, and wait until the server has it."""
        ethertype, data = packet(client, at, sport, 7)
        self.ways[way].send(ethernet(OUTWARD, WAYS[way], ethertype, data))
        self.server.expect(lambda frame: ends(frame) == (sport, 7), "the request", 30)
        self.server.received.clear()

    def answer(self, client: str, dport: int) -> str:
        """Send the server's answer, and return the way that it takes."""
        mac, addresses = SERVER
        ethertype, data = packet(addresses[":" in client], client, 7, dport)

        def is_answer(frame: Frame) -> bool:
            return ends(frame) == (7, dport)

        def takers() -> list[str]:
            for tap in self.ways.values():
                tap.drain()
            return [name for name, tap in self.ways.items() if tap.matching(is_answer)]

        self.server.send(ethernet(INWARD, mac, ethertype, data))
        until(lambda: bool(takers()), "the answer outside", 30)
        (taker,) = takers()
        for tap in self.ways.values():
            tap.received.clear()
        return taker


@pytest.fixture
def talk(scene: Scene) -> Iterator[Talk]:
    with ExitStack() as stack:
        yield Talk(scene, stack)


@pytest.mark.parametrize("client", CLIENTS)
def test_replies_go_back_where_their_requests_came_in(
    scene: Scene, talk: Talk, client: str
) -> None:
    server = SERVER[1][":" in client]
    with routes(scene, symmetric=True):
        for way in [*WAYS] * 6:
            port = next(_ports)
            talk.ask(way, client, server, port)
            assert talk.answer(client, port) == way
            assert talk.answer(client, port) == way


def test_without_the_option_routes_decide(scene: Scene, talk: Talk) -> None:
    """Of so many connections some go by the other way."""
    client, server = CLIENTS[0], SERVER[1][0]
    with routes(scene, symmetric=False):
        taken = set()
        for _ in range(16):
            port = next(_ports)
            talk.ask("up1", client, server, port)
            taken.add(talk.answer(client, port))
            talk.ask("up1", client, server, 99)
            assert talk.answer(client, 99) == "up1", "by the policy"
    assert taken == set(WAYS)


def test_translation_and_policies_are_no_hindrance(scene: Scene, talk: Talk) -> None:
    with routes(scene, symmetric=True):
        for way in WAYS:
            port = next(_ports)
            talk.ask(way, CLIENTS[0], FLOATING, port)
            assert talk.answer(CLIENTS[0], port) == way
        talk.ask("up2", CLIENTS[0], SERVER[1][0], 99)
        assert talk.answer(CLIENTS[0], 99) == "up2", "the policy has it otherwise"


def test_a_client_that_changes_its_way_is_answered_by_the_new_one(scene: Scene, talk: Talk) -> None:
    with routes(scene, symmetric=True):
        port = next(_ports)
        for way in (*WAYS, *WAYS):
            talk.ask(way, CLIENTS[0], SERVER[1][0], port)
            assert talk.answer(CLIENTS[0], port) == way


@pytest.fixture
def _two_gateways(scene: Scene) -> Iterator[None]:
    """Another router is on hv1, with an address outside of its own for the server; of both the
    server sees who it was."""
    net = scene.net
    net.router("side", chassis="hv1", dnat_force_snat_ips=FORCED["side"])
    net.attach("side", "within", "0a:00:00:00:40:02", "10.40.1.253/24", "fd40:1::fd/64")
    net.attach("side", "beyond", "0a:00:00:00:40:0a", "10.40.9.253/24", "fd40:9::fd/64")
    made = []
    for router, versions in FLOATING_OF.items():
        for external, logical in zip(versions, SERVER[1], strict=True):
            if external != FLOATING:
                body = {"type": "dnat_and_snat", "external_ip": external, "logical_ip": logical}
                made.append(net.call("POST", f"/logical-routers/{router}/nats", body)["id"])
    net.call("PATCH", "/logical-routers/back", {"dnat_force_snat_ips": FORCED["back"]})
    who.serve(scene.lab, "server", 8080)
    yield
    for nat in made:
        net.delete(f"/nats/{nat}")
    net.call("PATCH", "/logical-routers/back", {"dnat_force_snat_ips": []})
    for switch in ("within", "beyond"):
        net.delete(f"/logical-switch-ports/{switch}-side")
        net.delete(f"/logical-router-ports/side-{switch}")
    net.delete("/logical-routers/side")


@pytest.mark.usefixtures("_two_gateways")
def test_each_of_two_gateways_has_its_replies(scene: Scene) -> None:
    """The server answers the gateway that has asked, and not its own router alone."""
    with ExitStack() as stack:
        talks = []
        for client, router, protocol in itertools.product(WAYS, FLOATING_OF, ("tcp", "udp")):
            for floating, seen in zip(FLOATING_OF[router], FORCED[router], strict=True):
                connection = who.connect(scene.lab, client, floating, 8080, protocol)
                talks.append((stack.enter_context(connection), seen))
        for _ in range(2):
            for connection, seen in talks:
                assert who.again(connection) == ["server", seen]
