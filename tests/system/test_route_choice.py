"""Which way packets take: over several next hops, by tables, and by policies."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from cli.testbed.wait import until
from tests.system.conftest import Scene
from tests.system.frames import IPV4, IPV6, UDP, ethernet, ipv4, ipv6, udp
from tests.system.tap import Tap

pytestmark = pytest.mark.system

ROUTER = {"desk": "0a:00:00:00:20:01", "guest": "0a:00:00:00:20:02"}
SENDERS = {"w1": ("desk", "0a:00:00:00:21:01"), "w2": ("guest", "0a:00:00:00:21:02")}
IP = {"w1": ("10.20.1.1", "fd20:1::1"), "w2": ("10.20.2.1", "fd20:2::1")}
GATEWAYS = {"g1": "hv1", "g2": "hv2", "g3": "hv2"}
FLOWS = 48


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """`choice` joins `desk` and `guest`, whose packets have a table of their own, and `up`."""
    net = scene.net
    net.router("choice")
    for number, switch in enumerate(("desk", "guest"), 1):
        net.switch(switch)
        fields = {"route_table": "guests"} if switch == "guest" else {}
        networks = (f"10.20.{number}.254/24", f"fd20:{number}::fe/64")
        net.router_port("choice", f"choice-{switch}", ROUTER[switch], *networks, **fields)
        net.port(switch, f"{switch}-choice", type="router", router_port=f"choice-{switch}")
    net.switch("up")
    net.attach("choice", "up", "0a:00:00:00:20:09", "10.20.9.254/24", "fd20:9::fe/64")
    for name, (switch, mac) in SENDERS.items():
        net.port(switch, name, " ".join((mac, *IP[name])))
        scene.lab.add_vm(name, "hv1")
    for number, (name, hypervisor) in enumerate(GATEWAYS.items(), 1):
        net.port("up", name, f"0a:00:00:00:22:0{number} 10.20.9.{number} fd20:9::{number}")
        scene.lab.add_vm(name, hypervisor)
    scene.lab.wait_until_up()


@contextmanager
def made(scene: Scene, kind: str, *bodies: dict[str, Any]) -> Iterator[list[str]]:
    """Routes or policies of the router, which are there meanwhile."""
    path = "static-routes" if kind == "route" else "router-policies"
    bodies = tuple({"logical_router": "choice", **body} for body in bodies)
    ids = [scene.net.call("POST", f"/{path}", body)["id"] for body in bodies]
    try:
        yield ids
    finally:
        for each in ids:
            scene.net.delete(f"/{path}/{each}")


def arrivals(scene: Scene, sender: str, to: str) -> Counter[str]:
    """How many packets each gateway sees, of `FLOWS` connections of a sender: all, or none."""
    switch, mac = SENDERS[sender]
    with ExitStack() as stack:
        tap = stack.enter_context(Tap(scene.lab.vm(sender)))
        taps = {name: stack.enter_context(Tap(scene.lab.vm(name))) for name in GATEWAYS}
        source = IP[sender][":" in to]
        for number in range(FLOWS):
            datagram = udp(source, to, 2000 + number, 7, b"choice")
            packet = (ipv6 if ":" in to else ipv4)(source, to, UDP, datagram)
            ethertype = IPV6 if ":" in to else IPV4
            tap.send(ethernet(ROUTER[switch], mac, ethertype, packet))
        # What goes nowhere can't be waited for: what comes after it can, at each gateway. The
        # switch may let it overtake what came before among those that it takes at once, which
        # one that is sent once the other has arrived is not.
        for last in (98, 99):
            for number, name in enumerate(GATEWAYS, 1):
                datagram = udp(IP[sender][0], f"10.20.9.{number}", 9, last, b"last")
                packet = ipv4(IP[sender][0], f"10.20.9.{number}", UDP, datagram)
                tap.send(ethernet(ROUTER[switch], mac, IPV4, packet))
                taps[name].expect(lambda f, last=last: f.dport == last, "the last packet")  # type: ignore[misc]

        def counted() -> Counter[str]:
            for each in taps.values():
                each.drain()
            return +Counter(
                {name: len(each.matching(lambda f: f.dport == 7)) for name, each in taps.items()}
            )

        if counted():
            until(lambda: counted().total() >= FLOWS, f"{FLOWS} packets for {to}")
        return counted()


@pytest.mark.parametrize(
    ("prefix", "to", "hops"),
    [
        ("192.0.2.0/24", "192.0.2.9", ("10.20.9.1", "10.20.9.2")),
        ("2001:db8::/32", "2001:db8::9", ("fd20:9::1", "fd20:9::2")),
        ("192.0.2.0/24", "192.0.2.9", ("fd20:9::1", "fd20:9::2")),
    ],
)
def test_packets_are_spread(scene: Scene, prefix: str, to: str, hops: tuple[str, str]) -> None:
    first, second = ({"ip_prefix": prefix, "nexthop": hop} for hop in hops)
    assert arrivals(scene, "w1", to) == {}
    with made(scene, "route", first):
        assert arrivals(scene, "w1", to) == {"g1": FLOWS}
        with made(scene, "route", second):
            both = arrivals(scene, "w1", to)
            assert set(both) == {"g1", "g2"}
            assert both.total() == FLOWS
            assert arrivals(scene, "w1", to) == both
        assert arrivals(scene, "w1", to) == {"g1": FLOWS}


def test_tables_and_ranks(scene: Scene) -> None:
    prefix = {"ip_prefix": "192.0.2.0/24"}
    with made(
        scene,
        "route",
        {**prefix, "nexthop": "10.20.9.1"},
        {**prefix, "nexthop": "10.20.9.3", "route_table": "guests"},
        {**prefix, "nexthop": "10.20.9.2", "origin": "learned"},
        {"ip_prefix": "192.0.2.128/25", "nexthop": "discard"},
        {"ip_prefix": "10.20.1.0/24", "nexthop": "10.20.9.2", "override_connected": True},
    ):
        assert arrivals(scene, "w1", "192.0.2.9") == {"g1": FLOWS}
        assert arrivals(scene, "w2", "192.0.2.9") == {"g3": FLOWS}
        assert arrivals(scene, "w1", "192.0.2.129") == {}
        assert arrivals(scene, "w2", "192.0.2.129") == {"g3": FLOWS}
        assert arrivals(scene, "w1", "10.20.1.77") == {"g2": FLOWS}


def test_policies(scene: Scene) -> None:
    scene.net.address_set("choice_far", "192.0.2.64/26")
    with (
        made(scene, "route", {"ip_prefix": "192.0.2.0/24", "nexthop": "10.20.9.1"}),
        made(
            scene,
            "policy",
            {"priority": 1, "match": "ip4.dst == 192.0.2.1", "action": "drop"},
            {
                "priority": 2,
                "match": 'inport == "choice-desk" && ip4.dst == $choice_far',
                "action": "reroute",
                "nexthops": ["10.20.9.3"],
            },
            {
                "priority": 3,
                "match": "ip4.dst == 192.0.2.3",
                "action": "reroute",
                "nexthops": ["10.20.9.2", "10.20.9.3"],
            },
            {"priority": 4, "match": "ip4", "action": "jump", "jump_chain": "late"},
            {"priority": 9, "match": "udp.dst == 7 && ip4.dst == 192.0.2.4", "action": "drop"}
            | {"chain": "late"},
            {"priority": 8, "match": "ip4.dst == 192.0.2.5", "action": "reroute"}
            | {"chain": "late", "nexthops": ["10.20.9.2"]},
        ),
    ):
        # The jump is asked first: what its chain doesn't decide goes by its route.
        assert arrivals(scene, "w1", "192.0.2.1") == {"g1": FLOWS}
        assert arrivals(scene, "w1", "192.0.2.4") == {}
        assert arrivals(scene, "w1", "192.0.2.5") == {"g2": FLOWS}
        jump = scene.net.get("/router-policies?limit=100")["items"]
        (jumping,) = [each["id"] for each in jump if each["action"] == "jump"]
        scene.net.call("PATCH", f"/router-policies/{jumping}", {"match": "ip6"})
        assert arrivals(scene, "w1", "192.0.2.1") == {}
        assert arrivals(scene, "w1", "192.0.2.65") == {"g3": FLOWS}
        assert arrivals(scene, "w1", "192.0.2.7") == {"g1": FLOWS}
        spread = arrivals(scene, "w1", "192.0.2.3")
        assert set(spread) == {"g2", "g3"}
        assert spread.total() == FLOWS
    scene.net.delete("/address-sets/choice_far")


@pytest.mark.parametrize("family", [4, 6])
def test_the_mark_of_a_policy_is_there_when_the_packet_leaves(scene: Scene, family: int) -> None:
    """Behind the router and a switch, for the kernel of the hypervisor; others have none."""
    to, hops = {
        4: ("192.0.2.9", ("10.20.9.1", "10.20.9.2")),
        6: ("2001:db8::9", ("fd20:9::1", "fd20:9::2")),
    }[family]
    prefix = {4: "192.0.2.0/24", 6: "2001:db8::/32"}[family]
    policies = (
        {"priority": 1, "match": "udp.dst == 7", "action": "allow", "pkt_mark": 7},
        {"priority": 2, "match": "udp.dst == 8", "action": "reroute", "pkt_mark": 8}
        | {"nexthops": [hops[0]]},
        {"priority": 3, "match": "udp.dst == 9", "action": "reroute", "pkt_mark": 9}
        | {"nexthops": list(hops)},
    )
    with (
        made(scene, "route", {"ip_prefix": prefix, "nexthop": hops[0]}),
        made(scene, "policy", *policies),
    ):
        for port in (7, 8, 9):
            assert f"set(skb_mark({port:#x}))" in done_with(scene, "w1", to, port)
        assert "skb_mark" not in done_with(scene, "w1", to, 10)


def done_with(scene: Scene, sender: str, to: str, port: int) -> str:
    """What the switch of a sender does with a datagram for the router."""
    vm, hypervisor = scene.lab.vm(sender), scene.lab.hypervisor("hv1")
    ofport = hypervisor.switch.vsctl("get", "Interface", vm.state.interface, "ofport").strip()
    switch, mac = SENDERS[sender]
    kind, net = ("udp6", "ipv6_{}") if ":" in to else ("udp", "nw_{}")
    ends = f"{net.format('src')}={IP[sender][':' in to]},{net.format('dst')}={to}"
    packet = f"in_port={ofport},{kind},dl_src={mac},dl_dst={ROUTER[switch]},{ends},nw_ttl=64"
    traced = hypervisor.trace(f"{packet},udp_src=2000,udp_dst={port}")
    (actions,) = [line for line in traced.splitlines() if line.startswith("Datapath actions")]
    return actions
