"""Gateways with a provider network behind them: who is spoken to there, and who speaks."""

import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from cli.testbed.wait import until
from tests.system import frames, who
from tests.system.conftest import Scene, make_lab
from tests.system.frames import Frame
from tests.system.frr import Bfdd
from tests.system.running_ping import RunningPing
from tests.system.tap import Tap

pytestmark = pytest.mark.system

GATEWAYS = ("gw1", "gw2")
PROCESSES = ("agent", "ovs-vswitchd", "ovsdb-server")
INSIDE, OUTSIDE = "0a:00:00:00:a0:01", "0a:00:00:00:a0:02"
"""The MAC addresses of the router."""
OWN = ("198.51.100.1", "2001:db8:a0::1")
FLOATING, OTHER = "198.51.100.111", "198.51.100.112"
VM, VM2 = ("0a:00:00:00:a1:01", "10.160.0.11"), ("0a:00:00:00:a1:02", "10.160.0.12")
PORT = 8080
MOST_LOST = 400
"""Of requests that a ping sends 20 times a second, in two failovers on a busy machine. It is a
tenth of that where no other tests run."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A hypervisor of workloads, and two for gateways, all on a provider network."""
    with make_lab(tmp_path_factory) as lab:
        lab.start_server()
        for name in ("hv1", *GATEWAYS):
            lab.add_hypervisor(name)
        lab.add_provider_network("physnet1")
        scene = Scene(lab)
        scene.expected_trouble.append(r"no response to inactivity probe")
        yield scene
        scene.net.client.close()


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    lab, net = scene.lab, scene.net
    for number, name in enumerate(("o1", "o2"), 201):
        lab.add_outside(name, "physnet1", f"198.51.100.{number}/24", f"2001:db8:a0::{number}/64")
    net.router("r")
    net.switch("inner")
    net.attach("r", "inner", INSIDE, "10.160.0.1/24")
    net.switch("public")
    net.port("public", "public-out", type="localnet", network_name="physnet1")
    ranks = [{"chassis": "gw1", "priority": 20}, {"chassis": "gw2", "priority": 10}]
    net.call("POST", "/ha-chassis-groups", {"name": "border", "chassis": ranks})
    networks = (f"{OWN[0]}/24", f"{OWN[1]}/64")
    net.router_port("r", "r-public", OUTSIDE, *networks, ha_chassis_group="border")
    net.port("public", "public-r", type="router", router_port="r-public")
    for name, (mac, ip) in (("vm", VM), ("vm2", VM2)):
        net.port("inner", name, f"{mac} {ip}")
        lab.add_vm(name, "hv1")
    nat(scene, "snat", OWN[0], "10.160.0.0/24")
    nat(scene, "dnat_and_snat", FLOATING, VM[1])
    lab.wait_until_up()
    for name in ("vm", "o1"):
        who.serve(lab, name, PORT)
    until(lambda: in_charge(scene, "gw1"), "gw1 is in charge", 30)
    until(lambda: all(up(scene, name) for name in ("hv1", *GATEWAYS)), "sessions are up", 30)


def nat(scene: Scene, kind: str, external: str, logical: str, **fields: Any) -> str:
    body = {"type": kind, "external_ip": external, "logical_ip": logical, **fields}
    return str(scene.net.call("POST", "/logical-routers/r/nats", body)["id"])


def status(scene: Scene, hypervisor: str) -> dict[str, Any]:
    told: dict[str, Any] = scene.lab.hypervisor(hypervisor).agent("status")
    return told


def in_charge(scene: Scene, hypervisor: str) -> bool:
    return "cr-r-public" in status(scene, hypervisor)["gateways"]["in_charge"]


def up(scene: Scene, hypervisor: str) -> bool:
    sessions = status(scene, hypervisor)["gateways"]["sessions"]
    return len(sessions) == 2 and set(sessions.values()) == {"up"}


def place(scene: Scene, mac: str) -> str:
    """The hypervisor that the network outside takes an address to be at."""
    return scene.lab.place_of("physnet1", mac)


def stop(scene: Scene, hypervisor: str) -> None:
    for process in PROCESSES:
        scene.lab.process(f"{hypervisor}/{process}").send(signal.SIGSTOP)


def resume(scene: Scene, hypervisor: str) -> None:
    for process in reversed(PROCESSES):
        scene.lab.process(f"{hypervisor}/{process}").send(signal.SIGCONT)


def is_gratuitous(ip: str, mac: str) -> Any:
    """Whether a frame says that `ip` is at `mac` without having been asked."""

    def wanted(frame: Frame) -> bool:
        if frame.src != mac:
            return False
        if ":" in ip:
            return frame.icmp_type == frames.NA and frames.ip(ip) in frame.raw
        arp = frames.arp(1, mac, ip, "00:00:00:00:00:00", ip)
        return frame.ethertype == frames.ARP and arp in frame.raw

    return wanted


def test_the_chassis_in_charge_announces_and_no_other(scene: Scene) -> None:
    """A NAT address that is new is told at once, by one chassis, on all of the network."""

    def addresses(name: str) -> int:
        return int(status(scene, name)["announcements"]["addresses"])

    until(lambda: addresses("gw1") >= len(OWN) + 1 and addresses("gw2") == 0, "gw1 announces", 30)
    before = {name: status(scene, name)["announcements"] for name in GATEWAYS}
    with Tap(scene.lab.outside("o1")) as o1, Tap(scene.lab.outside("o2")) as o2:
        made = nat(scene, "dnat", OTHER, VM2[1])
        for tap in (o1, o2):
            tap.expect(is_gratuitous(OTHER, OUTSIDE), "an announcement of the new address", 30)
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
    # Not the host itself, which may ask again by its own.
    asker, ip4, ip6 = "0a:00:00:00:a0:77", "198.51.100.77", "2001:db8:a0::77"
    with Tap(o1) as tap:
        for ip in (OWN[0], FLOATING):
            tap.send(frames.arp_request(asker, ip4, ip))
            answer = frames.arp(2, OUTSIDE, ip, asker, ip4)
            tap.expect(lambda frame, answer=answer: answer in frame.raw, f"an answer for {ip}")  # type: ignore[misc]
        tap.send(frames.neighbour_solicitation(asker, ip6, OWN[1]))
        tap.expect(
            lambda frame: frame.icmp_type == frames.NA and frame.dst == asker, "an advertisement"
        )
        tap.drain()
        answers = [each for each in tap.received if is_answer(each) and each.dst == asker]
        assert len(answers) == 3, [each.raw.hex() for each in answers]
        assert {each.src for each in answers} == {OUTSIDE}


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
        (f"icmp {o1.ip4} -> {FLOATING}", "public-out"),
        (f"icmp vm -> {o1.ip4}", None),
    ):
        request = {"packet": packet, "inport": inport, "live": True}
        answer = scene.net.client.post("/v1/trace", json=request).json()
        assert answer["verdict"]["outcome"] == "delivered", answer["verdict"]
        assert answer["live"]["agrees"] is True, answer["live"]
        assert {each["chassis"] for each in answer["live"]["chassis"]} == {"gw1", "hv1"}


def is_answer(frame: Frame) -> bool:
    if frame.ethertype == frames.ARP:
        return frame.payload[6:8] == b"\0\2"
    return frame.icmp_type == frames.NA and bool(frame.l4[4] & 0x40)


@pytest.mark.parametrize("_time", range(5))
def test_connections_go_on_when_a_gateway_dies_and_comes_back(scene: Scene, _time: int) -> None:
    """Two failovers, with a ping and connections of a floating IP in both directions, and one
    that shares the address of the router."""
    lab = scene.lab
    incoming = who.connect(lab, "o1", FLOATING, PORT)
    outgoing = who.connect(lab, "vm", lab.outside("o1").ip4, PORT)
    shared = who.connect(lab, "vm2", lab.outside("o1").ip4, PORT)
    with incoming, outgoing, shared, RunningPing(lab.outside("o1"), FLOATING, 0.05) as ping:
        for connection in (incoming, outgoing, shared):
            connection.settimeout(30)
        assert who.again(incoming)[0] == "vm"
        assert who.again(outgoing) == ["o1", FLOATING]
        assert who.again(shared) == ["o1", OWN[0]]
        stop(scene, "gw1")
        try:
            assert who.again(incoming)[0] == "vm"
            assert in_charge(scene, "gw2")
            assert who.again(outgoing) == ["o1", FLOATING]
            assert who.again(shared) == ["o1", OWN[0]]
        finally:
            resume(scene, "gw1")
        until(lambda: in_charge(scene, "gw1") and not in_charge(scene, "gw2"), "gw1 again", 30)
        assert who.again(incoming)[0] == "vm"
        assert who.again(outgoing) == ["o1", FLOATING]
        assert who.again(shared) == ["o1", OWN[0]]
        assert ping.finish() <= MOST_LOST
    until(lambda: up(scene, "gw1") and up(scene, "gw2"), "sessions are up", 30)


PAUSES = (0.2, 0.9, 0.4, 0.7, 1.1, 0.3, 0.8, 0.5, 1.0, 0.6)
"""Seconds for which a gateway is away, time and again: some too few for others to miss it."""


def test_a_gateway_comes_and_goes_time_and_again(scene: Scene) -> None:
    """All of it, and its switch alone, in turns; what has no time to settle does so afterwards."""
    for number, pause in enumerate(PAUSES):
        whole = number % 2 == 0
        if whole:
            stop(scene, "gw1")
        else:
            scene.lab.process("gw1/ovs-vswitchd").send(signal.SIGSTOP)
        time.sleep(pause)
        resume(scene, "gw1")
        time.sleep(pause / 2)
    until(lambda: all(up(scene, name) for name in ("hv1", *GATEWAYS)), "sessions are up", 30)
    until(lambda: in_charge(scene, "gw1") and not in_charge(scene, "gw2"), "gw1 alone", 30)
    o1 = scene.lab.outside("o1")
    for ip in (OWN[0], FLOATING):
        until(lambda ip=ip: o1.ping(ip, timeout=1), f"{ip} is reached", 30)  # type: ignore[misc]
    until(lambda: scene.lab.vm("vm2").ping(o1.ip4, timeout=1), "the outside is reached", 30)
    assert in_charge(scene, "gw1")
    assert not in_charge(scene, "gw2")


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
        stop(scene, "gw1")
        try:
            until(lambda: runs("gw2"), "gw2 runs the session", 30)
        finally:
            resume(scene, "gw1")
        until(lambda: runs("gw1"), "gw1 runs it again", 30)
        until(lambda: sessions_of(scene, "gw2") == {}, "gw2 doesn't any more", 30)
        path = f"/bfd-sessions/{made}/status"
        until(lambda: scene.net.get(path)["chassis"] == "gw1", "the server has heard of it", 30)
    finally:
        neighbour.kill()
        scene.net.delete(f"/bfd-sessions/{made}")
    until(lambda: up(scene, "gw1") and up(scene, "gw2"), "sessions are up", 30)


def test_after_a_failover_the_network_knows_the_new_place(scene: Scene) -> None:
    until(lambda: place(scene, OUTSIDE) == "gw1", "the network knows the router", 30)
    stop(scene, "gw1")
    try:
        until(lambda: place(scene, OUTSIDE) == "gw2", "the new place is known", 30)
        # What comes from there now is said by gw2; gw1 is silent.
        with Tap(scene.lab.outside("o1")) as o1, Tap(scene.lab.outside("o2")) as o2:
            for tap in (o1, o2):
                for ip in (*OWN, FLOATING):
                    tap.expect(is_gratuitous(ip, OUTSIDE), f"an announcement of {ip}", 30)
    finally:
        resume(scene, "gw1")
    until(lambda: in_charge(scene, "gw1") and not in_charge(scene, "gw2"), "gw1 again", 30)
    until(lambda: place(scene, OUTSIDE) == "gw1", "the network knows the first place", 30)
    until(lambda: up(scene, "gw1") and up(scene, "gw2"), "sessions are up", 30)


def test_workloads_on_the_network_are_announced_where_they_are(scene: Scene) -> None:
    mac, ip = "0a:00:00:00:a1:09", "198.51.100.9"
    scene.net.port("public", "direct", f"{mac} {ip}")
    with Tap(scene.lab.outside("o1")) as o1:
        scene.lab.add_vm("direct", "hv1")
        scene.lab.wait_until_up(["direct"])
        o1.expect(is_gratuitous(ip, mac), "an announcement of the workload", 30)
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
