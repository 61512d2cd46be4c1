"""A VM that floods the agent of its hypervisor takes nothing from what others are answered."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import Any, NamedTuple

import pytest

from cli.testbed.network_facts import VmFacts
from cli.testbed.wait import until
from tests.system import frames
from tests.system.conftest import Scene
from tests.system.dhcp.messages import DISCOVER, client4
from tests.system.frames import ICMP, IPV4, UDP, Frame, ethernet, ipv4
from tests.system.tap import Tap

pytestmark = pytest.mark.system

BAD, GOOD, FAR = "0a:00:00:00:39:01", "0a:00:00:00:39:02", "0a:00:00:00:39:03"
IP4 = {BAD: "10.39.1.11", GOOD: "10.39.1.12", FAR: "10.39.1.13"}
IP6 = {BAD: "fd39::11", GOOD: "fd39::12"}
ROUTER, ROUTER6 = "0a:00:00:00:39:fe", "fd39::1"
NEAR = "10.39.1."
HOSTS, ABSENT = "10.39.2.", "10.39.3."
"""Networks behind the router, of hosts that it has to ask for, and of none."""
REQUESTS = 40
NAME = b"\x02db\x04corp\x07example\x00"


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """`bad` and `good` are on hv1; behind the router `many` on hv2 has forty addresses."""
    net = scene.net
    net.call(
        "POST",
        "/dhcp-options",
        {
            "name": "flood",
            "cidr": "10.39.1.0/24",
            "dhcpv4": {"routers": ["10.39.1.1"], "lease_time": 600},
        },
    )
    net.switch("floods", dhcpv4_options="flood")
    net.switch("others")
    net.switch("nobody")
    net.router("r-flood")
    net.attach("r-flood", "floods", ROUTER, "10.39.1.1/24", f"{ROUTER6}/64")
    net.attach("r-flood", "others", "0a:00:00:00:39:fd", f"{HOSTS}1/24")
    net.attach("r-flood", "nobody", "0a:00:00:00:39:fc", f"{ABSENT}1/24")
    net.call("POST", "/dns-record-sets", {"name": "corp", "switches": ["floods"]})
    body = {"dns_record_set": "corp", "hostname": "db.corp.example", "addresses": ["10.39.1.5"]}
    net.call("POST", "/dns-records", body)
    for name, mac in (("bad", BAD), ("good", GOOD)):
        net.port("floods", name, f"{mac} {IP4[mac]} {IP6[mac]}")
        scene.lab.add_vm(name, "hv1", VmFacts(mac, (), ()))
    net.port("others", "many", "unknown")
    addresses = tuple(f"{HOSTS}{100 + number}/24" for number in range(REQUESTS))
    facts = VmFacts("0a:00:00:00:39:09", addresses, (f"{HOSTS}1",))
    scene.lab.add_vm("many", "hv2", facts)
    net.port("floods", "far", f"{FAR} {IP4[FAR]}")
    net.acl("ls:floods", "to-lport", 1, 'outport == "far" && udp.dst == 9', "reject")
    scene.lab.add_vm("far", "hv2", VmFacts(FAR, (), ()))
    scene.lab.wait_until_up()


class Kind(NamedTuple):
    """A request number `n` of the VM with that MAC address, and whether a frame answers it.

    `absurd` is what the flood consists of. `opcodes` are what the agent counts them as: that of the
    hypervisor `at`, which has its names for `bad`. `before` is what is sent before the request.
    """

    request: Callable[[str, int], bytes]
    answers: Callable[[Frame, int], bool]
    absurd: Callable[[int], bytes]
    opcodes: tuple[str, ...]
    at: str = "hv1"
    flooder: str = "of bad"
    before: Callable[[str, int], bytes] | None = None


def query(mac: str, number: int) -> bytes:
    """A DNS query with an id of its own."""
    head = (7000 + number).to_bytes(2) + bytes((1, 0, 0, 1, 0, 0, 0, 0, 0, 0))
    datagram = frames.udp(IP4[mac], "10.39.1.53", 5353, 53, head + NAME + bytes((0, 1, 0, 1)))
    return ethernet(ROUTER, mac, IPV4, ipv4(IP4[mac], "10.39.1.53", UDP, datagram))


def solicit(mac: str, _number: int) -> bytes:
    return frames.neighbour_solicitation(mac, IP6[mac], ROUTER6)


def offer(mac: str, number: int) -> bytes:
    return client4(mac, DISCOVER, xid=(9000 + number).to_bytes(4))


def echo(mac: str, target: str, number: int) -> bytes:
    return ethernet(ROUTER, mac, IPV4, ipv4(IP4[mac], target, ICMP, frames.icmp_echo(77, number)))


def tell(mac: str, host: int) -> bytes:
    """Tells the router of an address in its network, which it learns, and no one else."""
    body = frames.arp(2, mac, f"{NEAR}{host}", ROUTER, f"{NEAR}1")
    return ethernet(ROUTER, mac, frames.ARP, body)


def datagram(mac: str, to_mac: str, to: str, sport: int, dport: int) -> bytes:
    return ethernet(
        to_mac, mac, IPV4, ipv4(IP4[mac], to, UDP, frames.udp(IP4[mac], to, sport, dport))
    )


KINDS = {
    "dhcp": Kind(
        offer,
        lambda frame, n: frame.dport == 68 and (9000 + n).to_bytes(4) in frame.l4,
        lambda n: offer(BAD, n),
        ("DHCPV4",),
    ),
    "nd": Kind(
        solicit,
        lambda frame, _n: frame.icmp_type == 136,
        lambda n: solicit(BAD, n),
        ("ND_NA", "ND_NA_ROUTER"),
    ),
    "dns": Kind(
        query,
        lambda frame, n: frame.dport == 5353 and frame.l4[8:10] == (7000 + n).to_bytes(2),
        lambda n: query(BAD, n),
        ("DNS",),
    ),
    "next-hop": Kind(
        lambda mac, n: echo(mac, f"{HOSTS}{100 + n}", n),
        lambda frame, n: frame.icmp_type == 0 and frame.ip_src == f"{HOSTS}{100 + n}",
        lambda n: echo(BAD, f"{ABSENT}{2 + n}", n),
        ("ARP",),
    ),
    # A hundred hosts that move all the time, beside one that the router needs to know.
    "learned": Kind(
        lambda mac, n: datagram(mac, ROUTER, f"{NEAR}{150 + n}", 1, 7100 + n),
        lambda frame, n: frame.dport == 7100 + n and frame.dst == GOOD,
        lambda n: tell(f"0a:00:00:00:3a:0{n // 100}", 20 + n % 100),
        ("PUT_ARP",),
        before=lambda mac, n: tell(mac, 150 + n),
    ),
    # Through a tunnel, to the agent of another hypervisor.
    "refused": Kind(
        lambda mac, n: datagram(mac, FAR, IP4[FAR], 6000 + n, 9),
        lambda frame, n: frame.icmp_type == 3 and (6000 + n).to_bytes(2) in frame.l4,
        lambda n: datagram(BAD, FAR, IP4[FAR], 5000 + n, 9),
        ("REJECT",),
        at="hv2",
        flooder="of senders elsewhere",
    ),
}


@contextmanager
def flooding(tap: Tap, flood: list[bytes]) -> Iterator[list[int]]:
    """Send the frames over and over, as fast as that goes; counts them in the list's first."""
    sent, is_over = [0], threading.Event()

    def run() -> None:
        for frame in cycle(flood):
            if is_over.is_set():
                return
            try:
                tap.send(frame)
                sent[0] += 1
            except OSError:
                continue

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield sent
    finally:
        is_over.set()
        thread.join()


def status(scene: Scene, kind: Kind) -> dict[str, Any]:
    """What the agent of the flooded hypervisor says of itself."""
    answer: dict[str, Any] = scene.lab.hypervisor(kind.at).agent("status")
    return answer


def handled(scene: Scene, kind: Kind) -> int:
    received = status(scene, kind)["punted"]["received"]
    return sum(received.get(opcode, 0) for opcode in kind.opcodes)


@pytest.mark.parametrize("name", list(KINDS))
def test_neighbours_of_a_flood_are_all_answered(scene: Scene, name: str) -> None:
    kind = KINDS[name]
    before = handled(scene, kind)
    flood = [kind.absurd(number) for number in range(200)]
    with (
        Tap(scene.lab.vm("bad")) as bad,
        Tap(scene.lab.vm("good")) as good,
        flooding(bad, flood) as sent,
    ):
        until(lambda: sent[0] > 2000, "a flood", 30)
        for number in range(REQUESTS):
            good.received.clear()
            if kind.before is not None:
                good.send(kind.before(GOOD, number))
            good.send(kind.request(GOOD, number))
            good.expect(
                lambda frame, number=number: kind.answers(frame, number),  # type: ignore[misc]
                f"an answer to {name} number {number}",
                seconds=30,
            )
        until(lambda: "floods" in status(scene, kind)["degraded"], "the flood is told", 30)
    told = status(scene, kind)
    assert kind.flooder in told["degraded"]["floods"]
    (sender,) = told["punted"]["over_share"]
    assert sender.startswith(kind.flooder)
    assert told["punted"]["over_share"][sender] > 0
    assert handled(scene, kind) - before < sent[0] // 2, "the flood got through"
