"""Gateways with a provider network behind them: who is spoken to there, and who speaks."""

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from cli.testbed.wait import until
from tests.system import frames, who
from tests.system.conftest import Scene
from tests.system.frames import Frame
from tests.system.frr import Bfdd
from tests.system.gateways import (
    GATEWAYS,
    RANKS,
    apart,
    charge,
    come_back,
    dead,
    die,
    lab_with_gateways,
    sessions_are_up,
    status,
    without_tunnels,
)
from tests.system.running_ping import RunningPing
from tests.system.tap import Tap

pytestmark = pytest.mark.system

INSIDE, OUTSIDE = "0a:00:00:00:a0:01", "0a:00:00:00:a0:02"
"""The MAC addresses of the router."""
SECOND = ("0a:00:00:00:a0:03", "198.51.100.2/24")
"""MAC and IP address of another router."""
CHARGE = {"cr-r-public", "cr-r2-public"}
"""What stands for the gateway ports of two routers, which share a group of chassis."""
OWN = ("198.51.100.1", "2001:db8:a0::1")
FLOATING = ("198.51.100.111", "2001:db8:a0::111")
VIRTUAL = ("198.51.100.120", "2001:db8:a0::120")
ANNOUNCED = (*OWN, *FLOATING, *VIRTUAL)
"""Addresses of the first router, its own and those that others have."""
OTHER = "198.51.100.112"
VM = ("0a:00:00:00:a1:01", "10.160.0.11", "fd60::11")
VM2 = ("0a:00:00:00:a1:02", "10.160.0.12", "fd60::12")
PORT = 8080
MOST_LOST = 2000
"""Of requests that a ping sends 20 times a second, in ten failovers on a busy machine. It is a
tenth of that where no other tests run."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with lab_with_gateways(tmp_path_factory, "physnet1") as scene:
        yield scene


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    lab, net = scene.lab, scene.net
    for number, name in enumerate(("o1", "o2"), 201):
        lab.add_outside(name, "physnet1", f"198.51.100.{number}/24", f"2001:db8:a0::{number}/64")
    net.router("r")
    net.switch("inner")
    net.attach("r", "inner", INSIDE, "10.160.0.1/24", "fd60::1/64")
    net.switch("public")
    net.port("public", "public-out", type="localnet", network_name="physnet1")
    net.call("POST", "/ha-chassis-groups", {"name": "border", "chassis": RANKS})
    networks = (f"{OWN[0]}/24", f"{OWN[1]}/64")
    net.router_port("r", "r-public", OUTSIDE, *networks, ha_chassis_group="border")
    net.port("public", "public-r", type="router", router_port="r-public")
    net.router("r2")
    net.router_port("r2", "r2-public", *SECOND, ha_chassis_group="border")
    net.port("public", "public-r2", type="router", router_port="r2-public")
    for name, (mac, *ips) in (("vm", VM), ("vm2", VM2)):
        net.port("inner", name, " ".join((mac, *ips)))
        lab.add_vm(name, "hv1")
    net.call("POST", "/load-balancers", {"name": "shop", "protocol": "tcp", "routers": ["r"]})
    for vip, backend in zip(VIRTUAL, (f"{VM[1]}:{PORT}", f"[{VM[2]}]:{PORT}"), strict=True):
        body = {"address": vip, "port": 80, "backends": [backend]}
        net.call("POST", "/load-balancers/shop/vips", body)
    for own, network in zip(OWN, ("10.160.0.0/24", "fd60::/64"), strict=True):
        nat(scene, "snat", own, network)
    for floating, ip in zip(FLOATING, VM[1:], strict=True):
        nat(scene, "dnat_and_snat", floating, ip)
    lab.wait_until_up()
    for name in ("vm", "o1"):
        who.serve(lab, name, PORT)
    first_is_in_charge(scene)


def nat(scene: Scene, kind: str, external: str, logical: str, **fields: Any) -> str:
    body = {"type": kind, "external_ip": external, "logical_ip": logical, **fields}
    return str(scene.net.call("POST", "/logical-routers/r/nats", body)["id"])


def has_charge(scene: Scene, hypervisor: str) -> bool:
    return charge(scene, hypervisor) >= CHARGE


def is_alone(scene: Scene, hypervisor: str) -> bool:
    """Whether a gateway is in charge of all ports, and the other one of none."""
    (other,) = set(GATEWAYS) - {hypervisor}
    return has_charge(scene, hypervisor) and not charge(scene, other) & CHARGE


def first_is_in_charge(scene: Scene) -> None:
    until(lambda: is_alone(scene, "gw1"), "gw1 is in charge", 30)
    until(lambda: sessions_are_up(scene), "sessions are up", 30)


def place(scene: Scene, mac: str) -> str:
    """The hypervisor that the network outside takes an address to be at."""
    return scene.lab.place_of("physnet1", mac)


def test_the_chassis_in_charge_announces_and_no_other(scene: Scene) -> None:
    """A NAT address that is new is told at once, by one chassis, on all of the network."""

    def addresses(name: str) -> int:
        return int(status(scene, name)["announcements"]["addresses"])

    until(lambda: addresses("gw1") >= len(ANNOUNCED) and addresses("gw2") == 0, "gw1 announces", 30)
    before = {name: status(scene, name)["announcements"] for name in GATEWAYS}
    with Tap(scene.lab.outside("o1")) as o1, Tap(scene.lab.outside("o2")) as o2:
        made = nat(scene, "dnat", OTHER, VM2[1])
        for tap in (o1, o2):
            tap.expect(
                frames.is_gratuitous(OTHER, OUTSIDE), "an announcement of the new address", 30
            )
    assert status(scene, "gw2")["announcements"]["sent"] == before["gw2"]["sent"]
    scene.net.call("DELETE", f"/nats/{made}")
    until(
        lambda: status(scene, "gw1")["announcements"]["addresses"] == before["gw1"]["addresses"],
        "the address is not announced any more",
        30,
    )


def test_one_chassis_answers_for_an_address(scene: Scene) -> None:
    """Whoever asks, asks all of them; the chassis in charge answers, from its own uplink."""
    o1 = scene.lab.outside("o1")
    assert o1.reaches(OWN[0])
    until(lambda: place(scene, OUTSIDE) == "gw1", "the network knows the router", 30)
    # Not the host itself, which may ask again by its own.
    asker, ip4, ip6 = "0a:00:00:00:a0:77", "198.51.100.77", "2001:db8:a0::77"

    def is_answer(frame: Frame) -> bool:
        if frame.dst != asker:
            return False
        return frame.arp_op == 2 or (frame.icmp_type == frames.NA and bool(frame.l4[4] & 0x40))

    with Tap(o1) as tap:
        for ip in ANNOUNCED:
            if ":" in ip:
                tap.send(frames.neighbour_solicitation(asker, ip6, ip))
            else:
                tap.send(frames.arp_request(asker, ip4, ip))
            tap.expect(lambda f, ip=ip: is_answer(f) and frames.ip(ip) in f.raw, f"that for {ip}")  # type: ignore[misc]
        assert o1.reaches(OWN[0])
        tap.drain()
        answers = tap.matching(is_answer)
        assert len(answers) == len(ANNOUNCED), [each.raw.hex() for each in answers]
        assert {each.src for each in answers} == {OUTSIDE}
    assert place(scene, OUTSIDE) == "gw1"


def test_a_nat_is_proposed_for_who_leaves_untranslated(scene: Scene) -> None:
    """Hosts outside have no route to `vm2`, which explanations can't know."""
    net, vm2 = scene.net, scene.lab.vm("vm2")
    question = {"source": "vm2", "destination": "198.51.100.201"}
    shared = f"/nats?type=snat&external_ip={OWN[0]}"
    assert vm2.reaches(question["destination"])
    assert net.reachability(question)["answer"] == "yes"
    (own,) = net.get(shared)["items"]
    net.delete(f"/nats/{own['id']}")
    found = net.reachability(question)
    assert found["answer"] == "not-known", found["text"]
    assert [each["kind"] for each in found["obstacles"]] == ["nat"], found["text"]
    assert not vm2.ping(question["destination"], timeout=1.0)
    assert found["proposal"]["sufficient"]
    net.call("POST", "/transactions", found["proposal"]["transaction"])
    assert vm2.reaches(question["destination"])
    assert net.reachability(question)["answer"] == "yes"
    (proposed,) = net.get(shared)["items"]
    net.delete(f"/nats/{proposed['id']}")
    nat(scene, "snat", OWN[0], "10.160.0.0/24")


def test_what_comes_from_outside_is_compared_at_the_gateway(scene: Scene) -> None:
    o1 = scene.lab.outside("o1")
    match = (
        f"eth.src == {o1.mac} && eth.dst == {OUTSIDE} && ip4.src == {o1.ip4} "
        f"&& ip4.dst == {OWN[0]} && ip.ttl == 64 && icmp4.type == 8"
    )
    request = {"match": match, "inport": "public-out", "live": True}

    def traced() -> Any:
        assert o1.ping(OWN[0])
        return scene.net.client.post("/v1/trace", json=request).json()

    until(lambda: traced()["verdict"]["outcome"] == "answered", "the router knows who asks")
    answer = traced()
    assert answer["live"]["agrees"] is True, answer["live"]
    assert [each["chassis"] for each in answer["live"]["chassis"]] == ["gw1"]
    for packet, inport in (
        (f"icmp {o1.ip4} -> {FLOATING[0]}", "public-out"),
        (f"icmp vm -> {o1.ip4}", None),
    ):
        request = {"packet": packet, "inport": inport, "live": True}
        answer = scene.net.client.post("/v1/trace", json=request).json()
        assert answer["verdict"]["outcome"] == "delivered", answer["verdict"]
        assert answer["live"]["agrees"] is True, answer["live"]
        assert {each["chassis"] for each in answer["live"]["chassis"]} == {"gw1", "hv1"}


@contextmanager
def connections(scene: Scene) -> Iterator[dict[str, tuple[socket.socket, who.Answer]]]:
    """Connections that are open, and what is answered on each: in both families those of floating
    IPs in both directions, and those that share the address of the router."""
    lab, o1 = scene.lab, scene.lab.outside("o1")
    with ExitStack() as stack:

        def open_(source: str, to: str, answer: who.Answer) -> tuple[socket.socket, who.Answer]:
            return stack.enter_context(who.connect(lab, source, to, PORT)), answer

        found = {}
        for own, floating, outside in zip(OWN, FLOATING, (o1.ip4, o1.ip6), strict=True):
            found[f"to {floating}"] = open_("o1", floating, ["vm", outside])
            found[f"from {floating}"] = open_("vm", outside, ["o1", floating])
            found[f"from {own}"] = open_("vm2", outside, ["o1", own])
        yield found


def test_connections_outlive_ten_failovers(scene: Scene) -> None:
    """A gateway dies and comes back five times, under the same connections and a ping."""

    def ask_all(when: str) -> None:
        for name, (connection, answer) in open_.items():
            assert who.again(connection) == answer, f"{name}, {when}"

    o1 = scene.lab.outside("o1")
    with connections(scene) as open_, RunningPing(o1, FLOATING[0], 0.05) as ping:
        ask_all("at first")
        for time_ in range(5):
            with dead(scene, "gw1"):
                ask_all(f"after death {time_}")
                assert has_charge(scene, "gw2")
            until(lambda: is_alone(scene, "gw1"), "gw1 again", 30)
            ask_all(f"after return {time_}")
            until(lambda: sessions_are_up(scene, *GATEWAYS), "sessions are up", 30)
        assert ping.finish() <= MOST_LOST


PAUSES = (0.2, 0.9, 0.4, 0.7, 1.1, 0.3, 0.8, 0.5, 1.0, 0.6)
"""Seconds for which a gateway is away, time and again: some too few for others to miss it."""


def test_a_gateway_comes_and_goes_time_and_again(scene: Scene) -> None:
    """All of it, and its switch alone, in turns; what has no time to settle does so afterwards."""
    for number, pause in enumerate(PAUSES):
        whole = number % 2 == 0
        if whole:
            die(scene, "gw1")
        else:
            scene.lab.process("gw1/ovs-vswitchd").send(signal.SIGSTOP)
        time.sleep(pause)
        come_back(scene, "gw1")
        time.sleep(pause / 2)
    first_is_in_charge(scene)
    o1 = scene.lab.outside("o1")
    for ip in ANNOUNCED[:4]:
        until(lambda ip=ip: o1.ping(ip, timeout=1), f"{ip} is reached", 30)  # type: ignore[misc]
    until(lambda: scene.lab.vm("vm2").ping(o1.ip4, timeout=1), "the outside is reached", 30)
    assert is_alone(scene, "gw1")


def test_routers_are_looked_for_and_one_answers(scene: Scene) -> None:
    """A solicitation comes to all chassis on the network."""
    patch = {"ipv6_ra": {"address_mode": "slaac"}}
    scene.net.call("PATCH", "/logical-router-ports/r-public", patch)
    try:
        o1 = scene.lab.outside("o1")
        group = "ff02::2"
        solicitation = frames.icmp6(o1.ip6, group, frames.RS, b"\0" * 4)
        packet = frames.ipv6(o1.ip6, group, frames.ICMPV6, solicitation, hops=255)
        ask = frames.ethernet(frames.multicast_mac(group), o1.mac, frames.IPV6, packet)
        with Tap(o1) as tap:
            for count in (1, 2, 3):
                tap.send(ask)

                def are_told(count: int = count) -> bool:
                    tap.drain()
                    return len(advertisements(tap)) >= count

                until(are_told, "an advertisement", 30)
            assert o1.ping(OWN[0])
            tap.drain()
            assert [each.src for each in advertisements(tap)] == [OUTSIDE] * 3
    finally:
        scene.net.call("PATCH", "/logical-router-ports/r-public", {"ipv6_ra": None})


def advertisements(tap: Tap) -> list[Frame]:
    return tap.matching(lambda frame: frame.icmp_type == frames.RA)


def sessions_of(scene: Scene, hypervisor: str) -> dict[str, str]:
    """The states of the BFD sessions with next hops that a chassis runs, by neighbour."""
    found: list[dict[str, str]] = status(scene, hypervisor)["bfd"]["sessions"]
    return {each["neighbour"]: each["state"] for each in found}


def test_the_chassis_in_charge_runs_the_sessions_with_next_hops(scene: Scene) -> None:
    """After a failover another one does, with the same neighbour, which speaks of it as up."""
    o1 = scene.lab.outside("o1")
    times = {"min_tx": 300, "min_rx": 300, "detect_mult": 5}
    body = {"logical_router_port": "r-public", "dst_ip": o1.ip4, **times}
    made = scene.net.call("POST", "/bfd-sessions", body)["id"]
    neighbour = Bfdd(
        o1.namespace,
        f" peer {OWN[0]} local-address {o1.ip4}\n"
        "  receive-interval 300\n  transmit-interval 300\n  detect-multiplier 5\n !",
    )

    def runs(hypervisor: str) -> bool:
        is_up = sessions_of(scene, hypervisor).get(o1.ip4) == "up"
        return is_up and neighbour.peers().get(OWN[0]) == "up"

    try:
        until(lambda: runs("gw1"), "gw1 runs the session", 30)
        assert sessions_of(scene, "gw2") == {}
        with dead(scene, "gw1"):
            until(lambda: runs("gw2"), "gw2 runs the session", 30)
        until(lambda: runs("gw1"), "gw1 runs it again", 30)
        until(lambda: sessions_of(scene, "gw2") == {}, "gw2 doesn't any more", 30)
        path = f"/bfd-sessions/{made}/status"
        until(lambda: scene.net.get(path)["chassis"] == "gw1", "the server has heard of it", 30)
    finally:
        neighbour.kill()
        scene.net.delete(f"/bfd-sessions/{made}")
    until(lambda: sessions_are_up(scene), "sessions are up", 30)


def test_after_a_failover_the_network_knows_the_new_place(scene: Scene) -> None:
    until(lambda: place(scene, OUTSIDE) == "gw1", "the network knows the router", 30)
    with dead(scene, "gw1"):
        # What comes from there now is said by gw2; gw1 is silent.
        with Tap(scene.lab.outside("o1")) as o1, Tap(scene.lab.outside("o2")) as o2:

            def is_repeated(tap: Tap, ip: str) -> bool:
                tap.drain()
                return len(tap.matching(frames.is_gratuitous(ip, OUTSIDE))) >= 3

            for tap in (o1, o2):
                for ip in ANNOUNCED:
                    until(lambda tap=tap, ip=ip: is_repeated(tap, ip), f"{ip} is announced thrice")  # type: ignore[misc]
        for mac in (OUTSIDE, SECOND[0]):
            until(lambda mac=mac: place(scene, mac) == "gw2", f"{mac} is at gw2")  # type: ignore[misc]
        assert scene.lab.outside("o1").reaches(SECOND[1].partition("/")[0])
    until(lambda: is_alone(scene, "gw1"), "gw1 again", 30)
    until(lambda: place(scene, OUTSIDE) == "gw1", "the network knows the first place", 30)
    first_is_in_charge(scene)


def test_a_gateway_that_no_tunnel_leads_to_leaves_charge(scene: Scene) -> None:
    """It lives, has its way outside and hears the server; others are in charge, and alone
    announce and answer."""
    o1 = scene.lab.outside("o1")
    with connections(scene) as open_:
        with without_tunnels(scene, "gw1"):
            until(lambda: is_alone(scene, "gw2"), "gw2 is in charge", 30)
            until(lambda: binding(scene)["chassis"] == "gw2", "the server has heard so", 30)
            until(lambda: place(scene, OUTSIDE) == "gw2", "the network knows that", 30)
            assert status(scene, "gw1")["announcements"]["addresses"] == 0
            for connection, answer in open_.values():
                assert who.again(connection) == answer
            assert o1.reaches(OWN[0])
            assert place(scene, OUTSIDE) == "gw2"
        first_is_in_charge(scene)
        until(lambda: binding(scene)["chassis"] == "gw1", "the server has heard so", 30)
        until(lambda: place(scene, OUTSIDE) == "gw1", "the network knows the first place", 30)
        for connection, answer in open_.values():
            assert who.again(connection) == answer


def test_gateways_that_do_not_see_each_other_end_as_one(scene: Scene) -> None:
    """Each is in charge, by its view; the network outside goes by who said so last. Once they see
    each other again, it hears of the right one without any packet of others."""
    with connections(scene) as open_:
        with apart(scene, *GATEWAYS):
            until(lambda: has_charge(scene, "gw2"), "gw2 takes gw1 for dead", 30)
            until(lambda: has_charge(scene, "gw1"), "gw1 is in charge, which hv1 reaches", 30)
            for connection, answer in open_.values():
                assert who.again(connection) == answer
            until(lambda: place(scene, OUTSIDE) == "gw2", "the network outside was told", 30)
        until(lambda: is_alone(scene, "gw1"), "gw1 alone", 30)
        until(lambda: place(scene, OUTSIDE) == "gw1", "the network knows that", 30)
        for connection, answer in open_.values():
            assert who.again(connection) == answer
    first_is_in_charge(scene)


def test_a_way_outside_on_one_chassis_is_taken_over(scene: Scene) -> None:
    """By the next of its chassis; hosts outside hear where workloads are, which say nothing."""
    lab, net = scene.lab, scene.net
    o3 = lab.add_outside("o3", "physnet1", "10.161.0.101/24", vlan=400)
    mac, ip = "0a:00:00:00:a2:01", "10.161.0.1"
    net.switch("office")
    net.port("office", "desk", f"{mac} {ip}")
    way = {"type": "l2gateway", "network_name": "physnet1", "tag": 400}
    net.port("office", "office-out", requested_chassis=list(GATEWAYS), **way)
    desk = lab.add_vm("desk", "hv1")
    lab.wait_until_up(["desk"])

    def leads_out_on(hypervisor: str) -> bool:
        return "office-out" in charge(scene, hypervisor)

    try:
        until(lambda: leads_out_on("gw1") and not leads_out_on("gw2"), "gw1 leads outside", 30)
        assert desk.reaches(o3.ip4)
        until(lambda: place(scene, mac) == "gw1", "the network knows the workload", 30)
        with dead(scene, "gw1"):
            until(lambda: leads_out_on("gw2"), "gw2 leads outside", 30)
            until(lambda: place(scene, mac) == "gw2", "the network knows the new place", 30)
            assert o3.reaches(ip)
            assert desk.reaches(o3.ip4)
        until(lambda: leads_out_on("gw1") and not leads_out_on("gw2"), "gw1 leads outside", 30)
        until(lambda: place(scene, mac) == "gw1", "the network knows the first place", 30)
        assert o3.reaches(ip)
    finally:
        lab.remove_vm("desk")
        lab.remove_outside("o3")
        for port in ("desk", "office-out"):
            net.delete(f"/logical-switch-ports/{port}")
        net.delete("/logical-switches/office")
    first_is_in_charge(scene)


def binding(scene: Scene) -> dict[str, Any]:
    """What the server has heard of the gateway port."""
    found: dict[str, Any] = scene.net.get("/port-bindings/cr-r-public")
    return found


def test_workloads_on_the_network_are_announced_where_they_are(scene: Scene) -> None:
    mac, ip = "0a:00:00:00:a1:09", "198.51.100.9"
    scene.net.port("public", "direct", f"{mac} {ip}")
    with Tap(scene.lab.outside("o1")) as o1:
        scene.lab.add_vm("direct", "hv1")
        scene.lab.wait_until_up(["direct"])
        o1.expect(frames.is_gratuitous(ip, mac), "an announcement of the workload", 30)
    until(lambda: place(scene, mac) == "hv1", "the first place is known", 30)
    scene.lab.move_vm("direct", "gw2")
    until(lambda: place(scene, mac) == "gw2", "the new place is known", 30)
    scene.lab.remove_vm("direct")
    scene.net.call("DELETE", "/logical-switch-ports/direct")


def test_a_bare_mac_address_is_announced_by_rarp(scene: Scene) -> None:
    mac = "0a:00:00:00:a1:08"
    scene.net.port("public", "bare", mac)
    with Tap(scene.lab.outside("o1")) as o1:
        scene.lab.add_vm("bare", "hv1")
        o1.expect(
            lambda frame: frame.src == mac and frame.ethertype == frames.RARP, "a RARP frame", 30
        )
    scene.lab.remove_vm("bare")
    scene.net.call("DELETE", "/logical-switch-ports/bare")


AGE = 3
"""Seconds for which neighbours are kept: agents look at them once a second."""


def test_neighbours_outside_are_asked_where_the_router_is(scene: Scene) -> None:
    """The hypervisor of who sends to one has the gateway ask it whether it is there still.

    By itself it can't: what comes from the router is dropped on its way outside.
    """
    router, switch = "/logical-routers/r", scene.lab.hypervisor("hv1").switch
    bridge, of_router = switch.management("br-physnet1"), f"dl_src={OUTSIDE}"
    datagram = frames.udp(VM[1], "198.51.100.202", 1, 9000)
    packet = frames.ipv4(VM[1], "198.51.100.202", frames.UDP, datagram)
    scene.net.call("PATCH", router, {"mac_binding_age_threshold": AGE})
    switch.ofctl("add-flow", bridge, f"priority=9,{of_router},actions=drop")
    try:
        with Tap(scene.lab.vm("vm")) as vm, Tap(scene.lab.outside("o2")) as neighbour:

            def is_asked() -> bool:
                vm.send(frames.ethernet(INSIDE, VM[0], frames.IPV4, packet))
                neighbour.drain()
                return bool(neighbour.matching(is_question_to_one))

            until(is_asked, "the router asks its neighbour", 30)
    finally:
        switch.ofctl("del-flows", bridge, of_router)
        scene.net.call("PATCH", router, {"mac_binding_age_threshold": None})


def is_question_to_one(frame: Frame) -> bool:
    """Whether the router asks somebody whose MAC address it knows."""
    return frame.src == OUTSIDE and frame.arp_op == 1 and frame.dst != frames.BROADCAST
