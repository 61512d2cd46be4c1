"""Which way packets take: over several next hops, by tables, and by policies."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from cli.testbed.wait import until
from tests.system.conftest import Scene
from tests.system.frames import (
    IPV4,
    IPV6,
    UDP,
    ethernet,
    fragments4,
    fragments6,
    ipv4,
    ipv6,
    udp,
)
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


def arrivals(scene: Scene, sender: str, to: str, *others: str) -> Counter[str]:
    """How many packets each gateway sees, of `FLOWS` connections of a sender: all, or none.

    They differ in their source ports, or all are for other addresses from one port.
    """
    flows = [(other, 2000) for other in (to, *others)] if others else []
    flows = flows or [(to, 2000 + number) for number in range(FLOWS)]
    switch, mac = SENDERS[sender]
    with ExitStack() as stack:
        tap = stack.enter_context(Tap(scene.lab.vm(sender)))
        taps = {name: stack.enter_context(Tap(scene.lab.vm(name))) for name in GATEWAYS}
        source = IP[sender][":" in to]
        for ip, port in flows:
            datagram = udp(source, ip, port, 7, b"choice")
            packet = (ipv6 if ":" in ip else ipv4)(source, ip, UDP, datagram)
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
            until(lambda: counted().total() >= len(flows), f"{len(flows)} packets for {to}")
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


WAYS = {4: ("192.0.2.0/24", "192.0.2.", "10.20.9."), 6: ("2001:db8::/32", "2001:db8::", "fd20:9::")}


@contextmanager
def two_ways(scene: Scene, kind: str, family: int, *fields: list[str]) -> Iterator[list[str]]:
    """Two ways to one prefix, by two routes or by a policy, chosen by the fields that they name."""
    prefix, _, hop = WAYS[family]
    if kind == "route":
        routes = (
            {"ip_prefix": prefix, "nexthop": f"{hop}{number}", "selection_fields": named}
            for number, named in enumerate(fields, 1)
        )
        with made(scene, "route", *routes) as ids:
            yield ids
        return
    policy = {
        "priority": 1,
        "match": f"ip{family}.dst == {prefix}",
        "action": "reroute",
        "nexthops": [f"{hop}1", f"{hop}2"],
        "selection_fields": sorted(set.intersection(*map(set, fields))),
    }
    with (
        made(scene, "route", {"ip_prefix": prefix, "nexthop": f"{hop}3"}),
        made(scene, "policy", policy) as ids,
    ):
        yield ids


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("kind", ["route", "policy"])
def test_a_way_follows_from_the_fields_that_are_selected(
    scene: Scene, kind: str, family: int
) -> None:
    """What differs in others alone goes one way, also once they are selected no more."""
    network = WAYS[family][1]
    to, others = f"{network}9", [f"{network}{number}" for number in range(10, 9 + FLOWS)]
    with two_ways(scene, kind, family, ["ip_dst", "ip_src"], ["ip_dst", "ip_src"]) as ids:
        one = arrivals(scene, "w1", to)
        assert list(one.values()) == [FLOWS]
        assert arrivals(scene, "w1", to) == one
        assert set(arrivals(scene, "w1", to, *others)) == {"g1", "g2"}
        path = "static-routes" if kind == "route" else "router-policies"
        for each in ids:
            scene.net.call("PATCH", f"/{path}/{each}", {"selection_fields": ["tp_src"]})
        assert set(arrivals(scene, "w1", to)) == {"g1", "g2"}
        (at,) = arrivals(scene, "w1", to, *others)
        assert list(arrivals(scene, "w1", *reversed(others))) == [at]


@pytest.mark.parametrize("family", [4, 6])
def test_fragments_go_together_where_no_ports_are_selected(scene: Scene, family: int) -> None:
    """All but the first show none."""
    source, cut = IP["w1"][family == 6], fragments6 if family == 6 else fragments4
    targets = [f"{WAYS[family][1]}{number}" for number in range(20, 36)]
    fields = ["ip_dst", "ip_src"]
    with two_ways(scene, "route", family, fields, fields), ExitStack() as stack:
        tap = stack.enter_context(Tap(scene.lab.vm("w1")))
        taps = {name: stack.enter_context(Tap(scene.lab.vm(name))) for name in GATEWAYS}
        for to in targets:
            whole = udp(source, to, 2000, 7, bytes(64))
            for part in cut(source, to, UDP, whole, first=32):
                kind = IPV6 if family == 6 else IPV4
                tap.send(ethernet(ROUTER["desk"], SENDERS["w1"][1], kind, part))

        def arrived() -> Counter[tuple[str, str]]:
            """How many fragments for each target came to each gateway."""
            for each in taps.values():
                each.drain()
            return Counter(
                (frame.ip_dst, name)
                for name, each in taps.items()
                for frame in each.matching(lambda f: f.ip_dst in targets)
            )

        until(lambda: arrived().total() == 2 * len(targets), "all fragments arrive")
        assert set(arrived().values()) == {2}
        assert {name for _, name in arrived()} == {"g1", "g2"}


def test_routes_are_chosen_by_what_all_of_them_name(scene: Scene) -> None:
    with two_ways(scene, "route", 4, ["ip_src", "tp_src"], ["ip_src", "ip_dst"]):
        assert len(arrivals(scene, "w1", "192.0.2.9")) == 1
    with two_ways(scene, "route", 4, ["ip_src"], ["ip_dst"]):
        assert set(arrivals(scene, "w1", "192.0.2.9")) == {"g1", "g2"}


def test_a_member_that_goes_moves_its_own_packets_alone(scene: Scene) -> None:
    """And one that comes takes some from each: packets that stay are found where they were."""
    route = {"ip_prefix": "192.0.2.0/24", "nexthop": "10.20.9.3", "selection_fields": ["tp_src"]}
    with made(scene, "route", route), two_ways(scene, "route", 4, ["tp_src"], ["tp_src"]) as ids:
        three = arrivals(scene, "w1", "192.0.2.9")
        assert set(three) == {"g1", "g2", "g3"}
        scene.net.call("PATCH", f"/static-routes/{ids[1]}", {"ip_prefix": "198.51.100.0/24"})
        two = arrivals(scene, "w1", "192.0.2.9")
        assert two["g1"] >= three["g1"]
        assert two["g3"] >= three["g3"]
        assert two.total() == FLOWS


def hop(number: int, family: int) -> str:
    return f"{WAYS[family][2]}{number}"


@pytest.mark.parametrize("family", [4, 6])
def test_routes_by_source(scene: Scene, family: int) -> None:
    """They hold for the sources of their prefix alone, and the longer prefix wins; of two that are
    as long, that of the destination."""
    prefix, network, _ = WAYS[family]
    to = f"{network}9"
    source = {4: "10.20.1.0/24", 6: "fd20:1::/32"}[family]
    by_source = {"ip_prefix": source, "policy": "src-ip"}
    with made(scene, "route", by_source | {"nexthop": hop(2, family)}) as (route,):
        assert arrivals(scene, "w1", to) == {"g2": FLOWS}
        assert arrivals(scene, "w2", to) == {}
        with made(scene, "route", by_source | {"nexthop": hop(3, family)}):
            both = arrivals(scene, "w1", to)
            assert set(both) == {"g2", "g3"}
            assert both.total() == FLOWS
        with made(scene, "route", {"ip_prefix": prefix, "nexthop": hop(1, family)}) as (other,):
            assert arrivals(scene, "w1", to) == {"g1": FLOWS}
            shorter = {4: "192.0.0.0/16", 6: "2001::/16"}[family]
            scene.net.call("PATCH", f"/static-routes/{other}", {"ip_prefix": shorter})
            assert arrivals(scene, "w1", to) == {"g2": FLOWS}
        scene.net.call("PATCH", f"/static-routes/{route}", {"nexthop": "discard"})
        assert arrivals(scene, "w1", to) == {}


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


def test_policies_about_ipv6(scene: Scene) -> None:
    """Each action; IPv4 packets, which they aren't about, go by their route."""
    scene.net.address_set("choice_far6", "2001:db8:6::/48")
    to = "ip6.dst == 2001:db8::"
    with (
        made(
            scene,
            "route",
            {"ip_prefix": "2001:db8::/32", "nexthop": "fd20:9::1"},
            {"ip_prefix": "2001:db8::/32", "nexthop": "fd20:9::1", "route_table": "guests"},
            {"ip_prefix": "192.0.2.0/24", "nexthop": "10.20.9.1"},
        ),
        made(
            scene,
            "policy",
            {"priority": 1, "match": "ip6", "action": "drop"},
            {"priority": 2, "match": f"{to}2", "action": "allow"},
            {"priority": 3, "match": f"{to}3", "action": "reroute", "nexthops": ["fd20:9::2"]},
            {"priority": 4, "match": f"{to}4 && udp.dst == 7", "action": "jump"}
            | {"jump_chain": "six"},
            {"priority": 5, "match": 'inport == "choice-guest" && ip6.dst == $choice_far6'}
            | {"action": "reroute", "nexthops": ["fd20:9::2", "fd20:9::3"]},
            {"priority": 1, "match": "ip6.src == fd20:1::1", "action": "reroute", "chain": "six"}
            | {"nexthops": ["fd20:9::3"]},
        ),
    ):
        assert arrivals(scene, "w1", "2001:db8::1") == {}
        assert arrivals(scene, "w1", "192.0.2.1") == {"g1": FLOWS}
        assert arrivals(scene, "w1", "2001:db8::2") == {"g1": FLOWS}
        assert arrivals(scene, "w1", "2001:db8::3") == {"g2": FLOWS}
        assert arrivals(scene, "w1", "2001:db8::4") == {"g3": FLOWS}
        assert arrivals(scene, "w2", "2001:db8::4") == {"g1": FLOWS}
        assert set(arrivals(scene, "w2", "2001:db8:6::9")) == {"g2", "g3"}
        assert arrivals(scene, "w1", "2001:db8:6::9") == {}
    scene.net.delete("/address-sets/choice_far6")


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
