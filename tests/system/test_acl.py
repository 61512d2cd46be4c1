"""ACLs: every action in both directions, tiers, priorities, state, sets and groups."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from cli.testbed.wait import until
from tests.system import frames
from tests.system.conftest import Scene
from tests.system.frames import IPV4, UDP, ethernet, ipv4, udp
from tests.system.tap import Tap

pytestmark = pytest.mark.system

VMS = {"c": ("w1", "hv1"), "s": ("w1", "hv2"), "d": ("w2", "hv1")}
"""Client and server on one switch and two hypervisors; `d` on another switch, routed."""


def mac(name: str) -> str:
    return f"0a:00:00:00:20:0{1 + list(VMS).index(name)}"


def ip4(name: str) -> str:
    return f"10.2.{VMS[name][0][1]}.{11 + list(VMS).index(name)}"


def ip6(name: str) -> str:
    return f"fd20:{VMS[name][0][1]}::{11 + list(VMS).index(name)}"


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    net = scene.net
    net.router("r20")
    for switch in ("w1", "w2"):
        n = switch[1]
        net.switch(switch)
        net.attach("r20", switch, f"0a:00:00:00:2f:0{n}", f"10.2.{n}.1/24", f"fd20:{n}::1/64")
    for name, (switch, hypervisor) in VMS.items():
        net.port(switch, name, f"{mac(name)} {ip4(name)} {ip6(name)}")
        scene.lab.add_vm(name, hypervisor)
    for port in (80, 81, 443):
        scene.lab.listen("s", port)
        scene.lab.listen("c", port)
    net.port_group("clients", "c")
    net.port_group("servers", "s")
    net.port_group("everyone", "c", "s", "d")
    net.address_set("trusted", ip4("c"))
    scene.lab.wait_until_up()
    for target in ("s", "c"):
        until(lambda target=target: scene.lab.vm("d").tcp_connects(ip4(target), 443), "responders")  # type: ignore[misc]


@pytest.fixture(autouse=True)
def _no_acls_left(scene: Scene) -> Iterator[None]:
    yield
    for acl in scene.net.get("/acls")["items"]:
        scene.net.delete(f"/acls/{acl['id']}")


GROUP = {"pg:servers": "@servers", "pg:clients": "@clients", "pg:everyone": "@everyone"}


def of(owner: str, direction: str, match: str) -> str:
    """`match`, for the ports of the group only: an ACL concerns all ports of a switch."""
    port = "outport" if direction == "to-lport" else "inport"
    return f"{port} == {GROUP[owner]} && {match}"


def rule(
    scene: Scene, owner: str, direction: str, priority: int, match: str, action: str, **fields: Any
) -> str:
    return scene.net.acl(owner, direction, priority, of(owner, direction, match), action, **fields)


def outcome(scene: Scene, target: str = "s", port: int = 80, *, source: str = "c") -> str:
    """What becomes of a connection that is not to be silent."""
    return scene.lab.vm(source).tcp_outcome(ip4(target), port, timeout=30)


def is_silent(scene: Scene, target: str = "s", port: int = 80, *, source: str = "c") -> bool:
    """Whether a connection is neither taken nor refused."""
    return scene.lab.vm(source).tcp_outcome(ip4(target), port, timeout=1.5) == "timeout"


@pytest.mark.parametrize(
    ("direction", "owner"), [("to-lport", "pg:servers"), ("from-lport", "pg:clients")]
)
class TestActions:
    """One ACL against TCP port 80 where the rest is allowed or denied by default."""

    def test_drop(self, scene: Scene, direction: str, owner: str) -> None:
        rule(scene, owner, direction, 1000, "tcp.dst == 80", "drop")
        assert is_silent(scene, port=80)
        assert outcome(scene, port=81) == "connected"
        assert scene.lab.vm("c").reaches(ip4("s"))

    def test_reject_tcp_is_a_reset(self, scene: Scene, direction: str, owner: str) -> None:
        rule(scene, owner, direction, 1000, "tcp.dst == 80", "reject")
        assert outcome(scene, port=80) == "refused"
        assert scene.lab.vm("c").tcp_outcome(ip6("s"), 80, timeout=30) == "refused"
        assert outcome(scene, port=81) == "connected"

    def test_reject_udp_is_an_unreachable(self, scene: Scene, direction: str, owner: str) -> None:
        rule(scene, owner, direction, 1000, "udp.dst == 80", "reject")
        with Tap(scene.lab.vm("c")) as c:
            packet = ipv4(ip4("c"), ip4("s"), UDP, udp(ip4("c"), ip4("s"), 5000, 80))
            c.send(ethernet(mac("s"), mac("c"), IPV4, packet))
            error = c.expect(lambda frame: frame.icmp_type == 3, "ICMP unreachable")
            assert error.icmp_code == 3
            assert error.ip_dst == ip4("c")
            packet = frames.ipv6(ip6("c"), ip6("s"), UDP, udp(ip6("c"), ip6("s"), 5000, 80))
            c.send(ethernet(mac("s"), mac("c"), frames.IPV6, packet))
            error = c.expect(lambda frame: frame.icmp_type == 1, "ICMPv6 unreachable")
            assert error.ip_dst == ip6("c")

    def test_allow_related_lets_replies_back(
        self, scene: Scene, direction: str, owner: str
    ) -> None:
        """Everything is denied both ways, but for connections to port 80."""
        for way in ("to-lport", "from-lport"):
            rule(scene, owner, way, 1, "ip", "drop")
        rule(scene, owner, direction, 1000, "tcp.dst == 80", "allow-related")
        assert outcome(scene, port=80) == "connected"
        assert is_silent(scene, port=81)
        # The same ports the other way round: a new connection, not a reply.
        assert is_silent(scene, "c", 80, source="s")

    def test_allow_without_state_takes_both_directions(
        self, scene: Scene, direction: str, owner: str
    ) -> None:
        """`allow` alone keeps no state: replies need an ACL of their own."""
        rule(scene, owner, "to-lport", 1, "ip", "drop")
        rule(scene, owner, "from-lport", 1, "ip", "drop")
        reverse = {"to-lport": "from-lport", "from-lport": "to-lport"}[direction]
        rule(scene, owner, direction, 1000, "tcp.dst == 80", "allow")
        assert is_silent(scene, port=80)
        rule(scene, owner, reverse, 1000, "tcp.src == 80", "allow")
        assert outcome(scene, port=80) == "connected"

    def test_allow_stateless(self, scene: Scene, direction: str, owner: str) -> None:
        """Stateless beside a stateful ACL: no connection is made for what it allows."""
        rule(scene, owner, "to-lport", 1, "ip", "drop")
        rule(scene, owner, "from-lport", 1, "ip", "drop")
        rule(scene, owner, direction, 500, "icmp", "allow-related")
        rule(scene, owner, direction, 1000, "tcp.dst == 80", "allow-stateless")
        reverse = {"to-lport": "from-lport", "from-lport": "to-lport"}[direction]
        assert is_silent(scene, port=80)
        rule(scene, owner, reverse, 1000, "tcp.src == 80", "allow-stateless")
        assert outcome(scene, port=80) == "connected"
        assert scene.lab.vm("c").reaches(ip4("s"))

    def test_pass_goes_on_to_the_next_tier(self, scene: Scene, direction: str, owner: str) -> None:
        rule(scene, owner, direction, 100, "ip", "drop", tier=0)
        rule(scene, owner, direction, 200, "tcp", "pass", tier=0)
        assert outcome(scene, port=80) == "connected"
        rule(scene, owner, direction, 10, "tcp.dst == 81", "drop", tier=1)
        assert outcome(scene, port=80) == "connected"
        assert is_silent(scene, port=81)
        assert not scene.lab.vm("c").ping(ip4("s"), timeout=1)


def test_reject_arp_drops_it(scene: Scene) -> None:
    """Nobody can be told so in ARP: the request reaches nobody."""
    question = frames.arp_request(mac("c"), ip4("c"), "10.2.1.77")
    with Tap(scene.lab.vm("s")) as s, Tap(scene.lab.vm("c")) as c:
        c.send(question)
        s.expect(lambda frame: frame.arp_op == 1, "the request, before there is an ACL")
        rule(scene, "pg:servers", "to-lport", 1000, "arp", "reject")
        c.send(frames.arp_request(mac("c"), ip4("c"), "10.2.1.78"))
        mark = ipv4(ip4("c"), ip4("s"), UDP, udp(ip4("c"), ip4("s"), 5000, 4321))
        c.send(ethernet(mac("s"), mac("c"), IPV4, mark))
        s.expect(lambda frame: frame.dport == 4321, "the mark behind the request")
        assert len(s.matching(lambda frame: frame.arp_op == 1)) == 1


def test_replies_to_a_router_need_no_acl(scene: Scene) -> None:
    """The ACL denies everything on its way out of w1, and so to the router as well."""
    scene.net.acl("ls:w1", "to-lport", 1, "ip", "drop")
    assert is_silent(scene, source="d")
    scene.net.acl("ls:w1", "to-lport", 1000, "tcp.dst == 80", "allow-related")
    assert outcome(scene, source="d") == "connected"


def test_higher_priority_decides(scene: Scene) -> None:
    rule(scene, "pg:servers", "to-lport", 1000, "tcp", "drop")
    rule(scene, "pg:servers", "to-lport", 1001, "tcp.dst == 80", "allow-related")
    assert outcome(scene, port=80) == "connected"
    assert is_silent(scene, port=81)


def test_earlier_tier_decides_whatever_the_priority(scene: Scene) -> None:
    rule(scene, "pg:servers", "to-lport", 1, "tcp.dst == 80", "allow-related", tier=1)
    rule(scene, "pg:servers", "to-lport", 30000, "tcp", "drop", tier=2)
    rule(scene, "pg:servers", "to-lport", 0, "tcp.dst == 443", "reject", tier=0)
    assert outcome(scene, port=80) == "connected"
    assert is_silent(scene, port=81)
    assert outcome(scene, port=443) == "refused"


def test_acl_of_a_switch(scene: Scene) -> None:
    scene.net.acl("ls:w1", "to-lport", 1000, 'outport == "s" && tcp.dst == 80', "drop")
    assert is_silent(scene, port=80)
    assert outcome(scene, "c", 80, source="s") == "connected"


def test_port_group_spans_switches(scene: Scene) -> None:
    rule(scene, "pg:everyone", "to-lport", 1000, "ip4 && tcp.dst == 80", "drop")
    assert is_silent(scene, "s", 80, source="c")
    assert is_silent(scene, "s", 80, source="d")
    assert is_silent(scene, "c", 80, source="d")
    assert outcome(scene, "c", 81, source="d") == "connected"


def test_live_address_set_change(scene: Scene) -> None:
    net = scene.net
    rule(scene, "pg:servers", "to-lport", 1, "ip", "drop")
    net.acl(
        "pg:servers",
        "to-lport",
        1000,
        "ip4.src == $trusted && tcp.dst == {80, 443}",
        "allow-related",
    )
    assert outcome(scene, source="c") == "connected"
    assert is_silent(scene, source="d")
    net.call("PATCH", "/address-sets/trusted", {"addresses": [ip4("d")]})
    assert is_silent(scene, source="c")
    assert outcome(scene, source="d") == "connected"
    assert outcome(scene, port=443, source="d") == "connected"
    net.call("PATCH", "/address-sets/trusted", {"addresses": [ip4("c")]})
    assert outcome(scene, source="c") == "connected"


def test_live_port_group_change(scene: Scene) -> None:
    net = scene.net
    rule(scene, "pg:servers", "to-lport", 1000, "tcp.dst == 80", "drop")
    assert outcome(scene, "c", source="s") == "connected"
    net.call("PATCH", "/port-groups/servers", {"ports": ["s", "c"]})
    try:
        assert is_silent(scene, "c", source="s")
    finally:
        net.call("PATCH", "/port-groups/servers", {"ports": ["s"]})
    assert outcome(scene, "c", source="s") == "connected"


def test_related_icmp_comes_back(scene: Scene) -> None:
    """The unreachable that answers an allowed datagram passes an ACL that allows no ICMP."""
    for way in ("to-lport", "from-lport"):
        rule(scene, "pg:clients", way, 1, "ip", "drop")
    rule(scene, "pg:clients", "from-lport", 1000, "udp.dst == 4242", "allow-related")
    with Tap(scene.lab.vm("c")) as c:
        packet = ipv4(ip4("c"), ip4("s"), UDP, udp(ip4("c"), ip4("s"), 5001, 4242))
        c.send(ethernet(mac("s"), mac("c"), IPV4, packet))
        c.expect(lambda frame: frame.icmp_type == 3, "port unreachable")
    assert not scene.lab.vm("s").ping(ip4("c"), timeout=1)


def test_neighbour_discovery_is_always_allowed(scene: Scene) -> None:
    """With all IP denied, IPv6 neighbours are still found."""
    for way in ("to-lport", "from-lport"):
        rule(scene, "pg:everyone", way, 1, "ip", "drop")
    with Tap(scene.lab.vm("c")) as c:
        c.send(frames.neighbour_solicitation(mac("c"), ip6("c"), ip6("s")))
        c.expect(lambda frame: frame.icmp_type == frames.NA, "a neighbour advertisement")


def test_invalid_packets_are_dropped(scene: Scene) -> None:
    """Once a stateful ACL is there, a segment with a wrong checksum belongs to no connection."""
    rule(scene, "pg:servers", "to-lport", 1000, "tcp", "allow-related")
    good = frames.tcp(ip4("c"), ip4("s"), 6000, 80)
    bad = good[:16] + b"\xde\xad" + good[18:]
    with Tap(scene.lab.vm("c")) as c, Tap(scene.lab.vm("s")) as s:
        for segment in (bad, frames.tcp(ip4("c"), ip4("s"), 6001, 80)):
            c.send(ethernet(mac("s"), mac("c"), IPV4, ipv4(ip4("c"), ip4("s"), 6, segment)))
        s.expect(lambda frame: frame.l4[:2] == (6001).to_bytes(2), "the good segment")
        assert not s.matching(lambda frame: frame.l4[:2] == (6000).to_bytes(2))


def test_match_on_a_range_and_a_negation(scene: Scene) -> None:
    rule(scene, "pg:servers", "to-lport", 1000, "tcp && tcp.dst != {80, 443}", "drop")
    rule(scene, "pg:servers", "to-lport", 1001, "tcp.dst >= 81 && tcp.dst <= 90", "reject")
    assert outcome(scene, port=80) == "connected"
    assert outcome(scene, port=443) == "connected"
    assert outcome(scene, port=81) == "refused"
    assert is_silent(scene, port=91)


@pytest.mark.parametrize(
    ("direction", "owner"), [("to-lport", "pg:servers"), ("from-lport", "pg:clients")]
)
def test_negated_protocols(scene: Scene, direction: str, owner: str) -> None:
    """`!icmp4` and its like leave what they name, and concern all else."""
    rule(scene, owner, direction, 1000, "ip4 && !icmp4", "drop")
    assert scene.lab.vm("c").reaches(ip4("s"))
    assert is_silent(scene, port=80)
    rule(scene, owner, direction, 1001, "ip.proto != {1, 58} && tcp.dst == 81", "allow-related")
    assert outcome(scene, port=81) == "connected"
    assert is_silent(scene, port=80)
    rule(scene, owner, direction, 1002, "icmp4.type != 0 && ip.ttl != 63", "drop")
    assert not scene.lab.vm("c").ping(ip4("s"), timeout=1)
    assert scene.lab.vm("c").reaches(ip6("s"))


def outcome6(scene: Scene, port: int, *, timeout: float = 30) -> str:
    """What becomes of a connection of `c` to `s` over IPv6."""
    return scene.lab.vm("c").tcp_outcome(ip6("s"), port, timeout=timeout)


@pytest.mark.parametrize(
    ("direction", "owner"), [("to-lport", "pg:servers"), ("from-lport", "pg:clients")]
)
class TestNegatedProtocolsOfIpv6:
    def test_all_but_icmp(self, scene: Scene, direction: str, owner: str) -> None:
        """It is dropped, or refused where another negation says so; IPv4 is not concerned."""
        c = scene.lab.vm("c")
        assert outcome6(scene, 80) == "connected"
        rule(scene, owner, direction, 1000, "ip6 && !icmp6", "drop")
        assert c.reaches(ip6("s"))
        assert outcome6(scene, 80, timeout=1.5) == "timeout"
        assert outcome(scene, port=80) == "connected"
        rule(scene, owner, direction, 1001, "ip6 && !icmp6 && tcp.dst != 81", "reject")
        assert outcome6(scene, 80) == "refused"
        assert outcome6(scene, 81, timeout=1.5) == "timeout"
        assert c.reaches(ip6("s"))

    @pytest.mark.parametrize("action", ["drop", "reject"])
    def test_all_but_neighbour_discovery(
        self, scene: Scene, direction: str, owner: str, action: str
    ) -> None:
        """Neighbours are found, and nothing else gets through."""
        vm = scene.lab.vm("c")
        assert vm.reaches(ip6("s"))
        rule(scene, owner, direction, 1000, "ip6 && !nd", action)
        vm.namespace.ip("-6", "neighbour", "flush", "all")
        with Tap(vm) as c, Tap(scene.lab.vm("s")) as s:
            c.send(frames.neighbour_solicitation(mac("c"), ip6("c"), ip6("s")))
            c.expect(lambda frame: frame.icmp_type == frames.NA, "a neighbour advertisement")
            assert not vm.ping(ip6("s"), timeout=1)
            if action == "reject":
                c.expect(lambda frame: frame.icmp_type == 1, "the echo request is refused")
                assert outcome6(scene, 80) == "refused"
            assert scene.lab.vm("c").reaches(ip4("s"))
            s.expect(lambda frame: frame.icmp_type == 8, "the mark behind all of it")
            assert not s.matching(lambda frame: frame.icmp_type == 128)


def test_match_on_sets_on_both_sides(scene: Scene) -> None:
    """A product of sets, which OpenFlow takes as a conjunctive match."""
    match = (
        f"ip4.src == {{{ip4('c')}, 10.9.9.9, {ip4('d')}}} && ip4.dst == {{{ip4('s')}, 10.9.9.8}} "
        "&& tcp.dst == {80, 443}"
    )
    rule(scene, "pg:servers", "to-lport", 1, "ip", "drop")
    rule(scene, "pg:servers", "to-lport", 1000, match, "allow-related")
    assert outcome(scene, port=80, source="c") == "connected"
    assert outcome(scene, port=443, source="d") == "connected"
    assert is_silent(scene, port=81, source="c")


def logged(scene: Scene, hypervisor: str, acl: str) -> list[str]:
    """The lines that an agent wrote of an ACL."""
    text = scene.lab.hypervisor(hypervisor).log.read_text()
    return [line for line in text.splitlines() if f"acl={acl} " in f"{line} "]


@pytest.mark.parametrize(
    ("owner", "direction", "hypervisor"),
    [("pg:clients", "from-lport", "hv1"), ("pg:servers", "to-lport", "hv2")],
)
def test_log(scene: Scene, owner: str, direction: str, hypervisor: str) -> None:
    """Where the ACL decides, a line says which one, what it decided, and about which packet."""
    name = f"no-web-{direction}"
    rule(
        *(scene, owner, direction, 1000, "tcp.dst == 80", "drop"),
        name=name,
        log=True,
        severity="warning",
    )
    # A switch may follow what it has cached of earlier packets for a moment.
    until(lambda: is_silent(scene, port=80), "port 80 is closed")
    until(lambda: logged(scene, hypervisor, name), "the line about the dropped segment")
    facts = set(logged(scene, hypervisor, name)[0].split())
    assert facts >= {
        "severity=warning",
        "verdict=drop",
        f"direction={direction}",
        f"{'inport=c' if direction == 'from-lport' else 'outport=s'}",
        f"ip_src={ip4('c')}",
        f"ip_dst={ip4('s')}",
        "ip_proto=6",
        "dst_port=80",
    }
    assert outcome(scene, port=81) == "connected"
    assert all("dst_port=80" in line for line in logged(scene, hypervisor, name))


def _is_answer(frame: frames.Frame, client_port: int) -> bool:
    return frame.dport == client_port and frame.tcp_flags & frames.ACK != 0


FRAGMENT_RULES: dict[str, list[tuple[int, str, str]]] = {
    "another protocol is dropped by its port": [(1000, "tcp.dst == 5000", "drop")],
    "another port is dropped": [(1000, "udp.dst == 53", "drop")],
    "the port is allowed": [(9, "udp.dst == 5000", "allow-stateless"), (1, "ip", "drop")],
    "the protocol is allowed": [(9, "udp", "allow-stateless"), (1, "ip", "drop")],
    "connections to the port": [(9, "udp.dst == 5000", "allow-related"), (1, "ip", "drop")],
    "connections of the protocol": [(9, "udp", "allow-related"), (1, "ip", "drop")],
}
"""ACLs that datagrams to port 5000 meet in fragments: priority, match and action."""


class TestFragments:
    """A segment in fragments, of which the first holds its ports, or all but a few bytes."""

    @staticmethod
    def _segment(c: Tap, family: int, client_port: int, first: int) -> None:
        """Let `c` ask for port 80 in fragments, and then for port 81 in one piece."""
        address = ip4 if family == 4 else ip6
        ends = address("c"), address("s")
        ethertype, whole, cut = {
            4: (IPV4, ipv4, frames.fragments4),
            6: (frames.IPV6, frames.ipv6, frames.fragments6),
        }[family]
        segment = frames.tcp(*ends, client_port, 80, data=bytes(16))
        number = client_port
        for part in cut(*ends, frames.TCP, segment, first=first, identification=number):
            c.send(ethernet(mac("s"), mac("c"), ethertype, part))
        later = frames.tcp(*ends, client_port + 1, 81)
        c.send(ethernet(mac("s"), mac("c"), ethertype, whole(*ends, frames.TCP, later)))
        c.expect(lambda frame: _is_answer(frame, client_port + 1), "the answer of port 81")

    @pytest.mark.parametrize("first", [8, 16])
    @pytest.mark.parametrize(
        ("direction", "owner"), [("to-lport", "pg:servers"), ("from-lport", "pg:clients")]
    )
    @pytest.mark.parametrize("action", ["drop", "reject"])
    def test_ports_are_refused_in_fragments_too(
        self, scene: Scene, direction: str, owner: str, first: int, action: str
    ) -> None:
        with Tap(scene.lab.vm("c")) as c:
            self._segment(c, 4, 7000, first)
            c.expect(lambda frame: _is_answer(frame, 7000), "an answer while nothing is refused")
            rule(scene, owner, direction, 1000, "tcp.dst == 80", action)
            self._segment(c, 4, 7010, first)
            assert not c.matching(lambda frame: frame.dport == 7010)

    def test_in_ipv6(self, scene: Scene) -> None:
        """Linux takes no first fragment without all of the TCP header."""
        with Tap(scene.lab.vm("c")) as c:
            self._segment(c, 6, 7020, 24)
            c.expect(lambda frame: frame.dport == 7020, "an answer while nothing is refused")
            rule(scene, "pg:servers", "to-lport", 1000, "tcp.dst != 81", "drop")
            self._segment(c, 6, 7030, 24)
            assert not c.matching(lambda frame: frame.dport == 7030)

    def test_a_port_allowed_lets_no_fragment_through(self, scene: Scene) -> None:
        """To the switch a fragment has no port, which is not to say that it is port 0."""
        rule(scene, "pg:servers", "to-lport", 1, "ip", "drop")
        rule(scene, "pg:servers", "to-lport", 1000, "tcp.dst != 80", "allow")
        with Tap(scene.lab.vm("c")) as c:
            self._segment(c, 4, 7040, 8)
            assert not c.matching(lambda frame: frame.dport == 7040)

    def test_large_datagrams_pass_where_no_port_is_asked_for(self, scene: Scene) -> None:
        rule(scene, "pg:servers", "to-lport", 1, "ip", "drop")
        rule(scene, "pg:servers", "to-lport", 1000, "tcp.dst == 81", "drop")
        rule(scene, "pg:servers", "to-lport", 1000, f"udp && ip4.src == {ip4('c')}", "allow")
        datagram = udp(ip4("c"), ip4("s"), 7050, 4242, bytes(1992))
        with Tap(scene.lab.vm("c")) as c, Tap(scene.lab.vm("s")) as s:
            for part in frames.fragments4(ip4("c"), ip4("s"), UDP, datagram, first=1400):
                c.send(ethernet(mac("s"), mac("c"), IPV4, part))
            s.expect(lambda frame: len(frame.l4) == 600, "the last fragment")
            c.expect(lambda frame: frame.icmp_type == 3, "the answer that nothing listens there")

    @pytest.mark.parametrize("family", [4, 6])
    @pytest.mark.parametrize("rules", FRAGMENT_RULES.values(), ids=list(FRAGMENT_RULES))
    def test_traces_and_explanations_say_what_becomes_of_them(
        self, scene: Scene, rules: list[tuple[int, str, str]], family: int
    ) -> None:
        for priority, match, action in [(2000, "udp.dst == 4999", "allow"), *rules]:
            rule(scene, "pg:servers", "to-lport", priority, match, action)
        address, whole, cut, ethertype = {
            4: (ip4, ipv4, frames.fragments4, IPV4),
            6: (ip6, frames.ipv6, frames.fragments6, frames.IPV6),
        }[family]
        ends = address("c"), address("s")
        datagram = udp(*ends, 7070, 5000, bytes(1992))
        parts = cut(*ends, UDP, datagram, first=1280, identification=family)
        mark = whole(*ends, UDP, udp(*ends, 7071, 4999))
        with Tap(scene.lab.vm("c")) as c, Tap(scene.lab.vm("s")) as s:
            for part in (*parts, mark):
                c.send(ethernet(mac("s"), mac("c"), ethertype, part))
            s.expect(lambda frame: frame.dport == 4999, "the mark behind the fragments")
            sizes = {len(frame.l4) for frame in s.received}
            first, later = (len(part) - len(whole(*ends, UDP, b"")) in sizes for part in parts)
        packet = (
            f"eth.src == {mac('c')} && eth.dst == {mac('s')} && ip{family}.src == {ends[0]} "
            f"&& ip{family}.dst == {ends[1]} && udp.src == 7070 && udp.dst == 5000"
        )
        delivered = []
        for fragment in (1, 3):
            traced = {"inport": "c", "match": f"{packet} && ip.frag == {fragment}"}
            verdict = scene.net.client.post("/v1/trace", json=traced).json()["verdict"]
            delivered.append(verdict["outcome"] == "delivered")
            assert delivered[-1] or "fragments show no ports" in verdict["text"]
        if any(action == "allow-related" for *_, action in rules):
            # Connection tracking lets none go on before it has all; a trace takes them for there.
            assert all(delivered) is first is later
        else:
            assert delivered == [first, later]
        asked: dict[str, Any] = {"source": ends[0], "destination": ends[1], "service": "udp/5000"}
        asked["fragmented"] = True
        told = scene.net.reachability(asked)
        assert told["reachable"] is (first and later), told["text"]

    def test_extension_headers_hide_no_protocol(self, scene: Scene) -> None:
        """A first fragment whose extension headers are cut short shows no protocol at all."""
        options = bytes([frames.TCP, 1, 1, 12]) + bytes(12)
        segment = options + frames.tcp(ip6("c"), ip6("s"), 7060, 80)
        parts = frames.fragments6(ip6("c"), ip6("s"), 60, segment, first=8)
        mark = frames.ipv6(ip6("c"), ip6("s"), UDP, udp(ip6("c"), ip6("s"), 7061, 4242))
        with Tap(scene.lab.vm("c")) as c, Tap(scene.lab.vm("s")) as s:
            c.send(ethernet(mac("s"), mac("c"), frames.IPV6, parts[0]))
            s.expect(lambda frame: frame.protocol == 44, "the fragment, before there is an ACL")
            seen = len(s.matching(lambda frame: frame.protocol == 44))
            rule(scene, "pg:servers", "to-lport", 1000, "tcp", "drop")
            c.send(ethernet(mac("s"), mac("c"), frames.IPV6, parts[0]))
            c.send(ethernet(mac("s"), mac("c"), frames.IPV6, mark))
            s.expect(lambda frame: frame.dport == 4242, "the mark behind it")
            assert len(s.matching(lambda frame: frame.protocol == 44)) == seen


def test_of_one_priority_refusals_decide(scene: Scene) -> None:
    """Whatever is changed of the one or the other meanwhile."""
    allow = rule(scene, "pg:servers", "to-lport", 1000, f"ip4.src == {ip4('c')}", "allow-related")
    drop = rule(scene, "pg:servers", "to-lport", 1000, "tcp.dst == 80", "drop")
    for acl, change in ((allow, {"label": 7}), (drop, {"name": "no-web"}), (allow, {"label": 0})):
        assert is_silent(scene, port=80)
        assert outcome(scene, port=81) == "connected"
        scene.net.call("PATCH", f"/acls/{acl}", change)
    assert is_silent(scene, port=80)


def hits(scene: Scene, acl: str) -> dict[str, Any]:
    counted: dict[str, Any] = scene.net.get(f"/acls/{acl}/hits")
    assert counted["not_counted"] == {}
    return counted


def scraped(scene: Scene, acl: str) -> tuple[int, int]:
    """The packets and bytes of an ACL that Prometheus is told."""
    answer = scene.net.client.get("/metrics")
    answer.raise_for_status()
    lines = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if line[0] != "#")
    packets, octets = (
        float(lines[f'treadle_acl_{what}_total{{acl="{acl}"}}']) for what in ("packets", "bytes")
    )
    return int(packets), int(octets)


@pytest.mark.parametrize(
    ("direction", "owner", "where"),
    [("to-lport", "pg:servers", "hv2"), ("from-lport", "pg:clients", "hv1")],
)
@pytest.mark.parametrize(
    ("action", "family"),
    [
        ("allow", 4),
        ("drop", 4),
        ("drop", 6),
        ("reject", 4),
        ("reject", 6),
        ("allow-stateless", 6),
        ("pass", 4),
    ],
)
def test_hits_are_counted_exactly(
    scene: Scene, direction: str, owner: str, where: str, action: str, family: int
) -> None:
    """Those that the datapath handled by itself, and those of flows that are gone, included.

    `/metrics` has the same numbers.
    """
    address, whole, ethertype = {4: (ip4, ipv4, IPV4), 6: (ip6, frames.ipv6, frames.IPV6)}[family]
    ends = address("c"), address("s")
    acl = rule(scene, owner, direction, 1000, "udp.dst == {6001, 6002}", action)
    other = rule(scene, owner, direction, 1000, "udp.dst == 6003", action)
    assert hits(scene, acl)["packets"] == 0

    def send(port: int, count: int) -> int:
        """Send datagrams, and return how many bytes each is as a frame."""
        packet = whole(*ends, UDP, udp(*ends, 5000, port, bytes(64)))
        frame = ethernet(mac("s"), mac("c"), ethertype, packet)
        with Tap(scene.lab.vm("c")) as c:
            for _ in range(count):
                c.send(frame)
        return len(frame)

    size = send(6001, 137)
    until(lambda: hits(scene, acl)["packets"] >= 137, "the packets arrive")
    counted = hits(scene, acl)
    assert (counted["packets"], counted["bytes"]) == (137, 137 * size)
    assert counted["chassis"].keys() == {where}
    assert counted["last_hit"] is not None
    # Another match is other flows of the same ACL.
    scene.net.call(
        "PATCH", f"/acls/{acl}", {"match": of(owner, direction, "udp.dst == {6002, 6004}")}
    )
    send(6002, 63)
    send(6001, 10)
    send(6003, 5)
    until(lambda: hits(scene, other)["packets"] >= 5, "the last packets arrive")
    until(lambda: hits(scene, acl)["packets"] >= 200, "all packets are counted")
    assert hits(scene, acl)["packets"] == 200
    assert hits(scene, other)["packets"] == 5
    assert scraped(scene, acl) == (200, 200 * size)
    assert scraped(scene, other) == (5, 5 * size)


def test_hits_of_a_stateful_acl_are_its_requests(scene: Scene) -> None:
    rule(scene, "pg:servers", "to-lport", 1, "ip", "drop")
    acl = rule(scene, "pg:servers", "to-lport", 1000, "icmp4", "allow-related")
    assert scene.lab.vm("c").ping(ip4("s"), count=5)
    until(lambda: hits(scene, acl)["packets"] >= 5, "all requests are counted")
    assert hits(scene, acl)["packets"] == 5


def test_a_meter_limits_what_an_acl_logs(scene: Scene) -> None:
    """The other ACL, without a meter, logs every packet."""
    scene.net.call("POST", "/meters", {"name": "few", "rate": 1, "burst": 3})
    owner = ("pg:clients", "from-lport", 1000)
    limited = f"few-{scene.net.get('/status')['revision']}"
    rule(scene, *owner, "udp.dst == 7001", "drop", name=limited, log=True, meter="few")
    rule(scene, *owner, "udp.dst == 7002", "drop", name=f"{limited}-all", log=True)
    with Tap(scene.lab.vm("c")) as c:
        for port in (7001, 7002):
            for _ in range(30):
                packet = ipv4(ip4("c"), ip4("s"), UDP, udp(ip4("c"), ip4("s"), 5000, port))
                c.send(ethernet(mac("s"), mac("c"), IPV4, packet))
    until(lambda: len(logged(scene, "hv1", f"{limited}-all")) == 30, "all lines are there")
    assert 1 <= len(logged(scene, "hv1", limited)) < 30
    for acl in scene.net.get("/acls")["items"]:
        scene.net.delete(f"/acls/{acl['id']}")
    scene.net.delete("/meters/few")


def test_acls_share_a_meter_that_is_not_fair(scene: Scene) -> None:
    """What one logs is what the other may not, while a fair meter gives each of them as much."""
    burst, rate = 10, 1
    begin = f"meters-{scene.net.get('/status')['revision']}"
    names = [f"{begin}-{name}" for name in ("shared-a", "shared-b", "fair-a", "fair-b", "all")]
    for name, fair in (("shared", False), ("fair", True)):
        limits = {"rate": rate, "burst": burst, "fair": fair}
        scene.net.call("POST", "/meters", {"name": f"{begin}-{name}", **limits})
    for number, name in enumerate(names, 7011):
        meter = {} if name == names[-1] else {"meter": name.rpartition("-")[0]}
        match = f"udp.dst == {number}"
        rule(scene, "pg:clients", "from-lport", 1000, match, "drop", name=name, log=True, **meter)

    def lines() -> list[int]:
        return [len(logged(scene, "hv1", name)) for name in names]

    with Tap(scene.lab.vm("c")) as c:

        def send(port: int, count: int) -> None:
            packet = ipv4(ip4("c"), ip4("s"), UDP, udp(ip4("c"), ip4("s"), 5000, port))
            for _ in range(count):
                c.send(ethernet(mac("s"), mac("c"), IPV4, packet))

        started = time.monotonic()
        for port in (7011, 7012, 7013, 7014):
            send(port, 3 * burst)
        until(lambda: min(lines()[2:4]) >= burst, "each has logged what a fair meter lets it")
        send(7015, 1)
        until(lambda: lines()[4] == 1, "the line about what was sent last")
        shared = sum(lines()[:2])
        # A bucket may hold the lines of a second beside the burst, and fills up meanwhile.
        most = burst + rate * (2 + time.monotonic() - started)
    assert burst <= shared <= most
    for acl in scene.net.get("/acls")["items"]:
        scene.net.delete(f"/acls/{acl['id']}")
    for name in ("shared", "fair"):
        scene.net.delete(f"/meters/{begin}-{name}")
