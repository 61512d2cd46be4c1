"""Ports that move: on several chassis for a while, blocked at the new one until they speak."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from cli.testbed.wait import until
from tests.system.conftest import Scene
from tests.system.frames import ARP, BROADCAST, IPV4, IPV6, UDP, ethernet, ipv4, udp
from tests.system.tap import Tap

pytestmark = pytest.mark.system

MAC = {"mover": "0a:00:00:00:01:01", "near": "0a:00:00:00:01:02", "far": "0a:00:00:00:01:03"}
IP = {"mover": "10.0.1.1", "near": "10.0.1.2", "far": "10.0.1.3"}
RARP = 0x8035
EVERY_STRATEGY = ("rarp", "garp", "na")


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """The port that moves is on `hv1` at first; peers on both hypervisors."""
    net = scene.net
    net.switch("s")
    for name in IP:
        net.port("s", name, f"{MAC[name]} {IP[name]}")
    net.change_port("mover", requested_chassis=["hv1"], activation_strategy=EVERY_STRATEGY)
    scene.lab.add_vm("mover", "hv1")
    scene.lab.add_vm("near", "hv1")
    scene.lab.add_vm("far", "hv2")
    scene.lab.wait_until_up()
    until(lambda: scene.lab.vm("far").ping(IP["near"], timeout=1), "a packet got through")


@pytest.fixture
def coming(scene: Scene) -> Iterator[Tap]:
    """The interface at the new place, as it is before the workload runs there."""
    with new_place(scene, EVERY_STRATEGY) as tap:
        yield tap


@contextmanager
def new_place(scene: Scene, strategies: tuple[str, ...]) -> Iterator[Tap]:
    """Give the port an interface at the new place, where `strategies` tell that it has come."""
    moving = {"requested_chassis": ["hv1", "hv2"], "activation_strategy": strategies}
    staying = {"requested_chassis": ["hv1"], "activation_strategy": EVERY_STRATEGY}
    scene.net.change_port("mover", **moving)
    scene.lab.add_vm("mover", "hv2", name="mover-new")
    try:
        until(lambda: binding(scene)["additional_chassis"] == ["hv2"], "the port is on both")
        settled(scene)
        with Tap(scene.lab.vm("mover-new")) as tap:
            yield tap
    finally:
        scene.lab.remove_vm("mover-new")
        scene.net.change_port("mover", **staying)
    until(lambda: binding(scene)["additional_chassis"] == [], "the port is on one")


def settled(scene: Scene) -> None:
    scene.net.catch_up()
    scene.settle()


def binding(scene: Scene) -> dict[str, object]:
    found: dict[str, object] = scene.net.get("/port-bindings/mover")
    return found


def datagram(source: str, target: str, port: int) -> bytes:
    segment = udp(IP[source], IP[target], 5000, port)
    return ethernet(MAC[target], MAC[source], IPV4, ipv4(IP[source], IP[target], UDP, segment))


def rarp() -> bytes:
    """What QEMU sends for a machine that arrived: RFC 903, from nowhere to nowhere."""
    mac = bytes.fromhex(MAC["mover"].replace(":", ""))
    body = bytes.fromhex("0001080006040003") + mac + bytes(4) + mac + bytes(4)
    return ethernet(BROADCAST, MAC["mover"], RARP, body)


def gratuitous_arp() -> bytes:
    mac = bytes.fromhex(MAC["mover"].replace(":", ""))
    ip = bytes(map(int, IP["mover"].split(".")))
    body = bytes.fromhex("0001080006040001") + mac + ip + bytes(6) + ip
    return ethernet(BROADCAST, MAC["mover"], ARP, body)


def advertisement() -> bytes:
    """An unsolicited neighbour advertisement of a link-local address; its checksum is not read."""
    mac = bytes.fromhex(MAC["mover"].replace(":", ""))
    own = bytes.fromhex("fe80000000000000080000fffe000101")
    body = bytes.fromhex("8800000020000000") + own + b"\x02\x01" + mac
    every = bytes.fromhex("ff020000000000000000000000000001")
    header = b"\x60\0\0\0" + len(body).to_bytes(2) + b"\x3a\xff" + own + every
    return ethernet("33:33:00:00:00:01", MAC["mover"], IPV6, header + body)


def test_blocked_until_it_speaks(scene: Scene, coming: Tap) -> None:
    """Nothing comes in from there, and nothing is delivered there; the old place goes on."""
    assert binding(scene)["chassis"] == "hv1"
    assert binding(scene)["up"]
    with Tap(scene.lab.vm("far")) as far, Tap(scene.lab.vm("mover")) as old:
        coming.send(datagram("mover", "far", 7001))
        far.send(datagram("far", "mover", 7002))
        old.expect(lambda frame: frame.dport == 7002, "a packet at the old place")
        old.send(datagram("mover", "far", 7003))
        far.expect(lambda frame: frame.dport == 7003, "a packet from the old place")
        assert not far.matching(lambda frame: frame.dport == 7001)
        assert not coming.matching(lambda frame: frame.dport == 7002)
        coming.send(rarp())
        far.expect(lambda frame: RARP.to_bytes(2) == frame.raw[12:14], "the packet that tells")
        until(lambda: binding(scene)["activated"] == ["hv2"], "the server knows")


SPEAKS = {"rarp": rarp, "garp": gratuitous_arp, "na": advertisement}
"""What a workload says, by the strategy that takes it for a sign of life."""


@pytest.mark.parametrize("speaks", SPEAKS.values())
def test_active_on_both_once_it_has_spoken(
    scene: Scene, coming: Tap, speaks: Callable[[], bytes]
) -> None:
    """What is sent to the port comes once to each place, from either of them."""
    coming.send(speaks())
    until(lambda: binding(scene)["activated"] == ["hv2"], "active")
    settled(scene)
    with (
        Tap(scene.lab.vm("mover")) as old,
        Tap(scene.lab.vm("near")) as near,
        Tap(scene.lab.vm("far")) as far,
    ):
        for number, tap in enumerate((near, far)):
            name = ("near", "far")[number]
            tap.send(datagram(name, "mover", 7100 + number))
            broadcast = datagram(name, "mover", 7200 + number)[14:]
            tap.send(ethernet(BROADCAST, MAC[name], IPV4, broadcast))
        for place in (old, coming):
            for port in (7100, 7101, 7200, 7201):
                place.expect(lambda frame, port=port: frame.dport == port, f"{port}")  # type: ignore[misc]
        coming.send(datagram("mover", "near", 7300))
        near.expect(lambda frame: frame.dport == 7300, "from the new place")
        for number, (tap, name) in enumerate(((near, "near"), (far, "far")), 7510):
            # What comes twice comes before what is sent later.
            tap.send(datagram(name, "mover", number))
        for place in (old, coming):
            for port in (7510, 7511):
                place.expect(lambda frame, port=port: frame.dport == port, f"{port}")  # type: ignore[misc]
            got = sorted(frame.dport for frame in place.matching(lambda f: 7100 <= f.dport < 7300))
            assert got == [7100, 7101, 7200, 7201]


@pytest.mark.parametrize("strategy", SPEAKS)
def test_only_what_the_strategy_names_tells_of_the_workload(scene: Scene, strategy: str) -> None:
    """What would tell so by another strategy is dropped, as any other packet is until then."""
    others = [speaks() for name, speaks in SPEAKS.items() if name != strategy]
    with new_place(scene, (strategy,)) as coming, Tap(scene.lab.vm("far")) as far:
        for frame in (*others, datagram("mover", "far", 7601), SPEAKS[strategy]()):
            coming.send(frame)
        said = SPEAKS[strategy]()
        far.expect(lambda frame: frame.raw.startswith(said), "what tells of the workload")
        until(lambda: binding(scene)["activated"] == ["hv2"], "active")
        settled(scene)
        coming.send(datagram("mover", "far", 7602))
        far.expect(lambda frame: frame.dport == 7602, "a packet of the workload")
        sent = [frame.raw for frame in far.matching(lambda frame: frame.src == MAC["mover"])]
        assert not [raw for raw in sent for other in others if raw.startswith(other)]
        assert not far.matching(lambda frame: frame.dport == 7601)


def test_without_a_strategy_both_places_are_active_at_once(scene: Scene) -> None:
    """The workload there has said nothing that would tell."""
    with new_place(scene, ()) as coming, Tap(scene.lab.vm("far")) as far:
        coming.send(datagram("mover", "far", 7611))
        far.expect(lambda frame: frame.dport == 7611, "a packet from the new place")
        far.send(datagram("far", "mover", 7612))
        coming.expect(lambda frame: frame.dport == 7612, "a packet at the new place")
        assert binding(scene)["activated"] == []


def test_the_new_place_does_without_the_server(scene: Scene, coming: Tap) -> None:
    scene.lab.stop_process("server")
    try:
        coming.send(rarp())

        def arrives() -> bool:
            with Tap(scene.lab.vm("far")) as far:
                coming.send(datagram("mover", "far", 7400))
                try:
                    far.expect(lambda frame: frame.dport == 7400, "a packet", 0.5)
                except AssertionError:
                    return False
                return True

        until(arrives, "the new place is active")
    finally:
        scene.lab.start_server()
    until(lambda: binding(scene)["activated"] == ["hv2"], "the server was told")


def test_a_moving_workload_loses_no_pings(scene: Scene) -> None:
    """A VM moves while it is pinged: each request is answered once, by one of its places."""
    net, lab = scene.net, scene.lab
    net.change_port("mover", requested_chassis=["hv1", "hv2"])
    lab.add_vm("mover", "hv2", name="mover-new")
    lab.vm("mover-new").namespace.ip("link", "set", "eth0", "arp", "off")
    until(lambda: binding(scene)["additional_chassis"] == ["hv2"], "the port is on both")
    settled(scene)
    ping = lab.vm("far").namespace.argv(["ping", "-n", "-i", "0.05", "-c", "60", IP["mover"]])
    with subprocess.Popen(ping, stdout=subprocess.PIPE, text=True) as running:
        # The workload stops at the old place, and goes on at the new one.
        stopped = time.monotonic()
        lab.vm("mover").namespace.run("sysctl", "-qw", "net.ipv4.icmp_echo_ignore_all=1")
        with Tap(lab.vm("mover-new")) as new:
            lab.vm("mover-new").namespace.ip("link", "set", "eth0", "arp", "on")
            new.send(rarp())
        until(lambda: binding(scene)["activated"] == ["hv2"], "active at the new place")
        seconds = time.monotonic() - stopped
        net.change_port("mover", requested_chassis=["hv2"])
        until(lambda: binding(scene)["chassis"] == "hv2", "the port has moved")
        lab.remove_vm("mover")
        output, _ = running.communicate(timeout=60)
    assert binding(scene)["up"]
    assert "duplicates" not in output
    lost = re.search(r"(\d+) packets transmitted, (\d+) received", output)
    assert lost is not None
    sent, received = map(int, lost.groups())
    assert sent - received <= seconds / 0.05 + 2, output  # what came while neither place ran it
    assert lab.vm("near").reaches(IP["mover"])
