"""NAT of gateway routers and at gateway ports: what leaves, what comes in, and errors about it.

The gateway is on `hv1`, and so are all others but `vm1`.
"""

import json
import secrets
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import pytest

from cli.testbed.wait import until
from tests.system import frames
from tests.system.conftest import Scene
from tests.system.frames import ICMP, ICMPV6, IPV4, IPV6, TCP, UDP, Frame
from tests.system.hops import assert_hops
from tests.system.network import RefusedError
from tests.system.tap import Tap

pytestmark = pytest.mark.system

PORT = 8080
INSIDE, OUTSIDE = "0a:00:00:00:70:01", "0a:00:00:00:70:02"
"""The MAC addresses of the router."""
VMS = {
    "vm1": ("in", "0a:00:00:00:71:01", "10.70.0.11", "fd70::11"),
    "vm2": ("in", "0a:00:00:00:71:02", "10.70.0.12", "fd70::12"),
    "host": ("out", "0a:00:00:00:71:09", "192.0.2.9", "2001:db8::9"),
}
OWN = {4: "192.0.2.1", 6: "2001:db8::1"}
"""The router's own addresses outside, as which vm1 goes out."""
FLOATING = {4: "192.0.2.112", 6: "2001:db8::112"}
"""What vm2 goes out as, and is reached by."""
PUBLISHED = "192.0.2.111"
"""What vm1 is reached by, and doesn't go out as."""


def address(name: str, version: int = 4) -> str:
    return VMS[name][2 if version == 4 else 3]


def mac(name: str) -> str:
    return VMS[name][1]


def declare_nat(scene: Scene, kind: str, external: str, logical: str, **fields: Any) -> str:
    body = {"type": kind, "external_ip": external, "logical_ip": logical, **fields}
    return str(scene.net.call("POST", "/logical-routers/nat-r/nats", body)["id"])


PLACES = {"vm1": "hv2", "vm2": "hv1", "host": "hv1"}


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    net = scene.net
    net.router("nat-r", chassis="hv1")
    net.switch("in")
    net.switch("out")
    net.attach("nat-r", "in", INSIDE, "10.70.0.1/24", "fd70::1/64")
    net.attach("nat-r", "out", OUTSIDE, f"{OWN[4]}/24", f"{OWN[6]}/64")
    declare_nat(scene, "snat", OWN[4], "10.70.0.0/24")
    declare_nat(scene, "snat", OWN[6], "fd70::/64")
    declare_nat(scene, "dnat", PUBLISHED, address("vm1"))
    for version in (4, 6):
        declare_nat(scene, "dnat_and_snat", FLOATING[version], address("vm2", version))
    for name, (switch, ether, ip4, ip6) in VMS.items():
        net.port(switch, name, f"{ether} {ip4} {ip6}")
        scene.lab.add_vm(name, PLACES[name])
    # The host knows nothing of what is inside.
    for version in ("-4", "-6"):
        scene.lab.vm("host").namespace.ip(version, "route", "del", "default")
    scene.lab.wait_until_up()
    for name in VMS:
        scene.lab.listen(name, PORT)
    for asker, asked in (("vm1", "vm2"), ("vm2", "vm1"), ("vm1", "host")):
        _wait_for_responder(scene, asker, asked)


def _wait_for_responder(scene: Scene, asker: str, asked: str) -> None:
    vm = scene.lab.vm(asker)
    until(lambda: vm.tcp_connects(address(asked), PORT), f"the responder of {asked}")


@pytest.fixture(scope="module", autouse=True, params=["router", "port"])
def _gateway(request: pytest.FixtureRequest, _network: None, scene: Scene) -> None:
    """Everything is the same, whether the router is on a chassis or its port has one."""
    if request.param == "port":
        scene.net.call("PATCH", "/logical-routers/nat-r", {"chassis": None})
        gateway = [{"chassis": "hv1", "priority": 10}]
        path = "/logical-router-ports/nat-r-out"
        scene.net.call("PATCH", path, {"gateway_chassis": gateway})
        status = scene.lab.hypervisor("hv1").agent
        until(
            lambda: "cr-nat-r-out" in status("status")["gateways"]["in_charge"],
            "the gateway is in charge",
        )
        _wait_for_responder(scene, "vm1", "host")


VERSIONS = pytest.mark.parametrize("version", [4, 6])


@VERSIONS
@pytest.mark.parametrize(("name", "external"), [("vm1", OWN), ("vm2", FLOATING)])
def test_what_leaves_has_the_external_address(
    scene: Scene, name: str, external: dict[int, str], version: int
) -> None:
    vm, host = scene.lab.vm(name), scene.lab.vm("host")
    with Tap(host) as tap:
        assert vm.reaches(address("host", version))
        assert vm.tcp_connects(address("host", version), PORT)
        for protocol in (ICMP if version == 4 else ICMPV6, TCP):
            frame = tap.expect(
                lambda f, p=protocol: f.protocol == p and f.ip_dst == address("host", version),
                f"a packet of protocol {protocol} from {name}",
            )
            assert frame.ip_src == external[version]
        assert not tap.matching(lambda frame: frame.ip_src == address(name, version))


@pytest.mark.parametrize(
    ("external", "name"),
    [(PUBLISHED, "vm1"), (FLOATING[4], "vm2"), (FLOATING[6], "vm2")],
)
def test_what_comes_in_gets_behind_the_external_address(
    scene: Scene, external: str, name: str
) -> None:
    host = scene.lab.vm("host")
    version = 6 if ":" in external else 4
    with Tap(scene.lab.vm(name)) as tap:
        assert host.reaches(external)
        assert host.tcp_connects(external, PORT)
        frame = tap.expect(lambda f: f.protocol == TCP and f.dport == PORT, "the connection")
        assert (frame.ip_src, frame.ip_dst) == (address("host", version), address(name, version))


@VERSIONS
@pytest.mark.parametrize(("source", "target"), [("vm1", None), ("vm2", None), ("host", FLOATING)])
def test_fragments_are_translated(
    scene: Scene, source: str, target: dict[int, str] | None, version: int
) -> None:
    """Echo requests in three fragments, and their replies, which carry no identifier each."""
    to = address("host", version) if target is None else target[version]
    vm = scene.lab.vm(source)
    assert vm.reaches(to)
    command = ("ping", "-n", "-c", "3", "-i", "0.2", "-W", "3", "-s", "3000", to)
    until(lambda: " 0% packet loss" in vm.namespace.run(*command, check=False), "all fragments")


@VERSIONS
def test_nothing_comes_in_without_a_connection(scene: Scene, version: int) -> None:
    """The router's own address refuses; one that is only translated to is silent."""
    assert scene.lab.vm("host").tcp_outcome(OWN[version], PORT) == "refused"
    other = {4: "192.0.2.99", 6: "2001:db8::99"}[version]
    network = {4: "10.71.0.0/24", 6: "fd71::/64"}[version]
    nat = declare_nat(scene, "snat", other, network)
    try:
        assert scene.lab.vm("host").tcp_outcome(other, PORT, timeout=1) == "timeout"
    finally:
        scene.net.delete(f"/nats/{nat}")


@VERSIONS
def test_floating_ips_reach_each_other_from_inside(scene: Scene, version: int) -> None:
    """vm1 asks for vm2 by its floating IP, and so does vm2 itself."""
    with Tap(scene.lab.vm("vm2")) as tap:
        assert scene.lab.vm("vm1").tcp_connects(FLOATING[version], PORT)
        frame = tap.expect(lambda f: f.protocol == TCP and f.dport == PORT, "the connection")
        assert frame.ip_src == OWN[version]
    assert scene.lab.vm("vm2").tcp_connects(FLOATING[version], PORT), "its own floating IP"


@VERSIONS
@pytest.mark.parametrize("name", ["vm1", "vm2"])
def test_those_inside_are_told_that_the_hops_are_over(
    scene: Scene, request: pytest.FixtureRequest, name: str, version: int
) -> None:
    """At a gateway port the way to a floating IP leads through the router twice."""
    hops = ["10.70.0.1" if version == 4 else "fd70::1"]
    if request.node.callspec.params["_gateway"] == "port":
        hops.append(OWN[version])
    with Tap(scene.lab.vm(name)) as tap:
        assert_hops(tap, mac(name), INSIDE, address(name, version), FLOATING[version], hops)


def test_acls_and_translation_on_the_same_traffic(scene: Scene) -> None:
    """ACLs of the switch see the addresses of the inside, in both directions."""
    vm1, host = scene.lab.vm("vm1"), scene.lab.vm("host")
    outside, ports = address("host"), f"tcp.dst == {{{PORT}, {PORT + 1}}}"
    allow, drop = "allow-related", "drop"
    acls = [
        scene.net.acl("ls:in", direction, priority, match, action)
        for direction, priority, match, action in (
            ("to-lport", 100, f'outport == "vm2" && ip4.src == {outside} && {ports}', allow),
            ("from-lport", 100, f'inport == "vm1" && ip4.dst == {outside} && {ports}', allow),
            ("to-lport", 10, 'outport == {"vm1", "vm2"} && ip4', drop),
            ("from-lport", 10, 'inport == "vm1" && ip4', drop),
        )
    ]
    try:
        assert host.tcp_connects(FLOATING[4], PORT)
        assert not host.ping(FLOATING[4], timeout=1)
        assert vm1.tcp_connects(outside, PORT), "replies come to the translated source"
        assert not vm1.ping(outside, timeout=1)
        with _connection(scene, "host", "vm2", FLOATING[4]) as (client, server):
            assert _passes(client, server)
            assert _passes(server, client)
            scene.net.delete(f"/acls/{acls.pop(0)}")
            until(lambda: not _passes(server, client, 1), "what is allowed no more has ended", 30)
            assert not _passes(client, server, 1)
    finally:
        for acl in acls:
            scene.net.delete(f"/acls/{acl}")


@contextmanager
def _connection(
    scene: Scene, client: str, server: str, external: str, port: int = PORT + 1
) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Open a TCP connection to a VM by its external address; gives both ends."""
    with ExitStack() as stack:
        listener = scene.lab.vm(server).namespace.socket(socket.AF_INET, socket.SOCK_STREAM)
        stack.enter_context(listener).settimeout(30)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address(server), port))
        listener.listen()
        asking = scene.lab.vm(client).namespace.socket(socket.AF_INET, socket.SOCK_STREAM)
        stack.enter_context(asking).settimeout(30)
        asking.connect((external, port))
        yield asking, stack.enter_context(listener.accept()[0])


def _passes(source: socket.socket, target: socket.socket, seconds: float = 30) -> bool:
    """Whether what is sent at one end arrives at the other; what was sent before may, too."""
    mark = secrets.token_bytes(8)
    source.send(mark)
    target.settimeout(seconds)
    received = b""
    try:
        while mark not in received:
            some = target.recv(2000)
            if not some:
                return False
            received += some
    except TimeoutError:
        return False
    return True


def test_a_deleted_nat_is_over(scene: Scene) -> None:
    nat = declare_nat(scene, "dnat", "192.0.2.113", address("vm1"))
    host = scene.lab.vm("host")
    assert host.tcp_connects("192.0.2.113", PORT)
    scene.net.delete(f"/nats/{nat}")
    assert not host.tcp_connects("192.0.2.113", PORT, timeout=1)


@pytest.mark.parametrize("change", ["another", "deleted"])
def test_connections_end_with_what_translated_them(scene: Scene, change: str) -> None:
    """By TCP the client is told, by UDP who is behind the address now gets what comes."""
    external = "192.0.2.116"
    host, vm1, vm2 = (scene.lab.vm(name) for name in ("host", "vm1", "vm2"))
    nat = declare_nat(scene, "dnat", external, address("vm2"))
    datagram = frames.udp(address("host"), external, 4500, 9994, b"again")
    packet = frames.ipv4(address("host"), external, UDP, datagram)
    frame = frames.ethernet(OUTSIDE, mac("host"), IPV4, packet)

    def has_arrived(tap: Tap) -> bool:
        tap.drain()
        return bool(tap.matching(lambda f: f.protocol == UDP and f.dport == 9994))

    def arrives(tap: Tap, sender: Tap) -> bool:
        sender.send(frame)
        return has_arrived(tap)

    with (
        _connection(scene, "host", "vm2", external) as (client, server),
        _connection(scene, "host", "vm2", FLOATING[4], PORT + 2) as (other, its_server),
        Tap(host) as sender,
    ):
        with Tap(vm2) as tap:
            until(lambda: arrives(tap, sender), "the datagram is where the address leads")
        assert _passes(client, server)
        if change == "another":
            scene.net.call("PATCH", f"/nats/{nat}", {"logical_ip": address("vm1")})
        else:
            scene.net.delete(f"/nats/{nat}")
            nat = declare_nat(scene, "dnat", external, address("vm1"))
        with Tap(vm1) as tap:
            until(lambda: arrives(tap, sender), "the datagram is where the address leads now")
        until(lambda: _is_reset(client), "the client is told")
        with Tap(vm1) as tap, Tap(vm2) as before:
            until(lambda: arrives(tap, sender), "the datagram is where the address leads still")
            assert not has_arrived(before)
        assert _passes(other, its_server), "that of another NAT goes on"
        assert _passes(its_server, other)
    scene.net.delete(f"/nats/{nat}")


def _is_reset(client: socket.socket) -> bool:
    try:
        client.send(b"?")
    except OSError:
        return True
    return False


def test_one_address_leads_to_several_by_what_is_asked_for(scene: Scene) -> None:
    """Ports of one address are forwarded to different VMs, and some sources leave apart. Of NATs
    that fit alike the one of higher priority decides; one without a match, where none fits."""
    host, shared, apart = scene.lab.vm("host"), "192.0.2.114", ("192.0.2.115", "192.0.2.119")
    service = f"tcp.dst == {PORT}"
    inwards = [
        declare_nat(scene, "dnat", shared, address(name), match=match, priority=priority)
        for name, match, priority in (("vm1", service, 2), ("vm2", "ip4", 1))
    ]
    outwards = [
        declare_nat(scene, "snat", external, "10.70.0.0/24", match=match, priority=priority)
        for external, match, priority in zip(apart, (service, "tcp"), (2, 1), strict=True)
    ]
    try:
        assert _who_is_asked(scene, shared) == {"a connection": "vm1", "an echo": "vm2"}
        assert host.tcp_outcome(shared, PORT + 1) == "refused", "by vm2, where nobody listens"
        assert _seen_outside(scene) == {"a connection": apart[0], "an echo": OWN[4]}
        for first, second in (inwards, outwards):
            # At no time may both have the same.
            for nat, priority in ((first, 0), (second, 2)):
                scene.net.call("PATCH", f"/nats/{nat}", {"priority": priority})
        assert _who_is_asked(scene, shared) == {"a connection": "vm2", "an echo": "vm2"}
        assert _seen_outside(scene) == {"a connection": apart[1], "an echo": OWN[4]}
    finally:
        for nat in (*inwards, *outwards):
            scene.net.delete(f"/nats/{nat}")


def _who_is_asked(scene: Scene, external: str) -> dict[str, str]:
    """The VM that a connection of the host to an external address gets to, and an echo request."""
    host = scene.lab.vm("host")
    with Tap(scene.lab.vm("vm1")) as vm1, Tap(scene.lab.vm("vm2")) as vm2:
        assert host.tcp_connects(external, PORT)
        assert host.reaches(external)
        found = {}
        for name, tap in (("vm1", vm1), ("vm2", vm2)):
            tap.drain()
            for what, wanted in _ASKING.items():
                if tap.matching(lambda f, w=wanted: w(f) and f.ip_src == address("host")):  # type: ignore[misc]
                    assert what not in found
                    found[what] = name
        return found


def _seen_outside(scene: Scene) -> dict[str, str]:
    """The source that the host sees of a connection of vm1, and of an echo request."""
    with Tap(scene.lab.vm("host")) as tap:
        assert scene.lab.vm("vm1").tcp_connects(address("host"), PORT)
        assert scene.lab.vm("vm1").reaches(address("host"))
        return {what: tap.expect(wanted, what).ip_src for what, wanted in _ASKING.items()}


_ASKING: Final[dict[str, Callable[[Frame], bool]]] = {
    "a connection": lambda frame: frame.protocol == TCP and frame.dport == PORT,
    "an echo": lambda frame: frame.icmp_type == 8,
}


def test_a_gateway_that_is_one_of_several_is_answered_to(
    scene: Scene, request: pytest.FixtureRequest
) -> None:
    """Who is behind it sees the gateway ask, which a router without a chassis is not."""
    forced = {"dnat_force_snat_ips": ["10.70.0.1", "fd70::1"]}
    change = ("PATCH", "/logical-routers/nat-r")
    if request.node.callspec.params["_gateway"] == "port":
        with pytest.raises(RefusedError, match="dnat_force_snat_ips"):
            scene.net.call(*change, forced)
        return
    host, vm2 = scene.lab.vm("host"), scene.lab.vm("vm2")
    scene.net.call(*change, forced)
    try:
        for version, gateway in ((4, "10.70.0.1"), (6, "fd70::1")):
            with Tap(vm2) as tap:
                assert host.tcp_connects(FLOATING[version], PORT)
                assert host.reaches(FLOATING[version])
                came = tap.expect(lambda f: f.dport == PORT, "the connection")
                assert came.ip_src == gateway
            assert vm2.reaches(address("host", version))
            assert host.reaches(OWN[version])
    finally:
        scene.net.call(*change, {"dnat_force_snat_ips": []})


@VERSIONS
def test_without_a_free_port_nothing_leaves(scene: Scene, version: int) -> None:
    """One port, and three connections to the same place: one of them leaves, translated."""
    ends = address("vm1", version), address("host", version)
    nat = scene.net.get(f"/nats?type=snat&external_ip={OWN[version]}")["items"][0]
    before = nat["external_port_range"]
    path = f"/nats/{nat['id']}"
    scene.net.call("PATCH", path, {"external_port_range": "39999"})
    try:
        with Tap(scene.lab.vm("host")) as host, Tap(scene.lab.vm("vm1")) as vm1:

            def asked() -> list[Frame]:
                host.drain()
                return host.matching(lambda f: f.protocol == UDP and f.dport == 9995)

            def ask() -> bool:
                for sport in (7001, 7002, 7003):
                    said = str(sport).encode()
                    packet = ip_packet(*ends, UDP, frames.udp(*ends, sport, 9995, said))
                    ethertype = IPV4 if version == 4 else IPV6
                    vm1.send(frames.ethernet(INSIDE, mac("vm1"), ethertype, packet))
                return bool(asked())

            until(ask, "one of them")
            assert scene.lab.vm("vm1").reaches(ends[1]), "what has no ports has its own way"
            assert {(f.ip_src, f.l4[:2]) for f in asked()} == {(OWN[version], b"\x9c\x3f")}
            assert len({f.l4[8:12] for f in asked()}) == 1, "they are of one connection"
            assert not host.matching(lambda f: f.ip_src == ends[0])
    finally:
        scene.net.call("PATCH", path, {"external_port_range": before})


# --- errors


@pytest.fixture(scope="module")
def _ranged(_network: None, scene: Scene) -> None:
    """What vm1 sends gets other ports, too, so that they are translated in what errors quote."""
    for nat in scene.net.get(f"/nats?type=snat&external_ip={OWN[4]}")["items"]:
        scene.net.call("PATCH", f"/nats/{nat['id']}", {"external_port_range": "40000-49999"})


def quotation(frame: Frame, length: int) -> bytes:
    """The IPv4 header and as many octets of what follows."""
    return frame.payload[: 20 + length]


def sent_outside(scene: Scene, protocol: int, sport: int) -> Frame:
    """What the host gets of a packet that vm1 sends it."""
    ends = address("vm1"), address("host")
    transport = frames.tcp if protocol == TCP else frames.udp
    segment = transport(*ends, sport, 9999)
    packet = frames.ipv4(*ends, protocol, segment)
    with Tap(scene.lab.vm("host")) as host, Tap(scene.lab.vm("vm1")) as vm1:
        vm1.send(frames.ethernet(INSIDE, mac("vm1"), IPV4, packet))
        return host.expect(lambda f: f.protocol == protocol and f.dport == 9999, "the packet")


@pytest.mark.usefixtures("_ranged")
@pytest.mark.parametrize("length", [8, 20])
@pytest.mark.parametrize("protocol", [TCP, UDP])
def test_an_error_from_outside_is_about_what_was_sent(
    scene: Scene, protocol: int, length: int
) -> None:
    sport = 3000 + 100 * protocol + length
    got = sent_outside(scene, protocol, sport)
    assert got.ip_src == OWN[4]
    assert 40000 <= int.from_bytes(got.l4[:2]) <= 49999
    error = frames.icmp4(3, bytes(4) + quotation(got, length), 1)
    packet = frames.ipv4(address("host"), OWN[4], ICMP, error)
    with Tap(scene.lab.vm("host")) as host, Tap(scene.lab.vm("vm1")) as vm1:
        host.send(frames.ethernet(OUTSIDE, mac("host"), IPV4, packet))
        arrived = vm1.expect(lambda f: f.icmp_type == 3, "the error")
    assert (arrived.ip_src, arrived.ip_dst) == (address("host"), address("vm1"))
    inner = arrived.l4[8:]
    assert inner[12:20] == frames.ip(address("vm1")) + frames.ip(address("host"))
    assert inner[20:24] == struct.pack("!HH", sport, 9999)


TOLD = {
    "unreachable": {4: (3, 3), 6: (1, 4)},
    "too big": {4: (3, 4), 6: (2, 0)},
    "exceeded": {4: (11, 0), 6: (3, 0)},
}
"""Type and code of errors."""
BETWEEN = {4: "203.0.113.1", 6: "2001:db8:9::1"}
"""A router on the way outside, and one behind a VM."""
BEHIND = {4: "10.99.0.1", 6: "fd99::1"}
ICMP_OF = {4: ICMP, 6: ICMPV6}


def ip_packet(src: str, dst: str, protocol: int, payload: bytes) -> bytes:
    make = frames.ipv6 if ":" in src else frames.ipv4
    return make(src, dst, protocol, payload)


def error_about(what: str, src: str, dst: str, quoted: bytes) -> bytes:
    """An ICMP error from `src` that quotes a packet as far as errors have to."""
    version = 6 if ":" in src else 4
    kind, code = TOLD[what][version]
    if version == 4:
        return ip_packet(src, dst, ICMP, frames.icmp4(kind, bytes(4) + quoted[:28], code))
    body = frames.icmp6(src, dst, kind, bytes(4) + quoted[:200], code)
    return ip_packet(src, dst, ICMPV6, body)


def quoted_ends(error: Frame) -> tuple[bytes, bytes]:
    """The addresses of the packet that an error is about."""
    inner = error.l4[8:]
    return (inner[12:16], inner[16:20]) if inner[0] >> 4 == 4 else (inner[8:24], inner[24:40])


def tell(scene: Scene, whom: str, by: str, packet: bytes, version: int) -> Frame:
    """The error that a VM gets when another one sends it to the router."""
    router = OUTSIDE if by == "host" else INSIDE
    ethertype = IPV4 if version == 4 else frames.IPV6
    kinds = {told[version][0] for told in TOLD.values()}
    with Tap(scene.lab.vm(whom)) as heard, Tap(scene.lab.vm(by)) as speaker:
        speaker.send(frames.ethernet(router, mac(by), ethertype, packet))
        return heard.expect(
            lambda f: f.protocol == ICMP_OF[version] and f.icmp_type in kinds, "the error"
        )


@VERSIONS
@pytest.mark.parametrize("what", list(TOLD))
@pytest.mark.parametrize("name", ["vm1", "vm2"])
def test_routers_outside_are_heard(scene: Scene, name: str, what: str, version: int) -> None:
    """What they quote is what was sent: out as the router, and as a floating IP."""
    inner, outer = address(name, version), address("host", version)
    external = {"vm1": OWN, "vm2": FLOATING}[name][version]
    ports = 4200 + 10 * version + list(TOLD).index(what), 9997
    packet = ip_packet(inner, outer, UDP, frames.udp(inner, outer, *ports, b"question"))
    ethertype = IPV4 if version == 4 else frames.IPV6
    with Tap(scene.lab.vm("host")) as host, Tap(scene.lab.vm(name)) as vm:
        vm.send(frames.ethernet(INSIDE, mac(name), ethertype, packet))
        got = host.expect(lambda f: f.protocol == UDP and f.dport == 9997, "the packet")
    assert got.ip_src == external
    between = BETWEEN[version]
    error = error_about(what, between, external, got.payload)
    told = tell(scene, name, "host", error, version)
    assert (told.ip_src, told.ip_dst) == (between, inner)
    assert (told.icmp_type, told.icmp_code) == TOLD[what][version]
    assert quoted_ends(told) == (frames.ip(inner), frames.ip(outer))


@VERSIONS
@pytest.mark.parametrize("what", list(TOLD))
def test_those_behind_a_floating_ip_are_heard(scene: Scene, what: str, version: int) -> None:
    """The VM itself, and a router behind it."""
    inner, outer, external = address("vm2", version), address("host", version), FLOATING[version]
    ports = 4300 + 10 * version + list(TOLD).index(what), 9996
    packet = ip_packet(outer, external, UDP, frames.udp(outer, external, *ports, b"question"))
    ethertype = IPV4 if version == 4 else frames.IPV6
    with Tap(scene.lab.vm("host")) as host, Tap(scene.lab.vm("vm2")) as vm:
        host.send(frames.ethernet(OUTSIDE, mac("host"), ethertype, packet))
        got = vm.expect(lambda f: f.protocol == UDP and f.dport == 9996, "the packet")
        own = host.expect(lambda f: f.protocol == ICMP_OF[version] and f.ip_src == external, "its")
    assert quoted_ends(own) == (frames.ip(outer), frames.ip(external))
    error = error_about(what, BEHIND[version], outer, got.payload)
    told = tell(scene, "host", "vm2", error, version)
    assert (told.icmp_type, told.icmp_code) == TOLD[what][version]
    assert quoted_ends(told) == (frames.ip(outer), frames.ip(external))
    assert got.ip_dst == inner


@pytest.fixture
def _stateless(scene: Scene) -> Iterator[None]:
    """The floating IPs need no connections meanwhile."""
    nats = scene.net.get("/nats?type=dnat_and_snat")["items"]
    paths = [f"/nats/{nat['id']}" for nat in nats if nat["external_ip"] in FLOATING.values()]
    for path in paths:
        scene.net.call("PATCH", path, {"stateless": True})
    yield
    for path in paths:
        scene.net.call("PATCH", path, {"stateless": False})


@pytest.mark.usefixtures("_stateless")
@VERSIONS
def test_errors_without_connections_are_about_what_was_sent(scene: Scene, version: int) -> None:
    """Open vSwitch doesn't look into them then; the path MTU would never be found."""
    host, vm2 = scene.lab.vm("host"), scene.lab.vm("vm2")
    inner, outer, external = address("vm2", version), address("host", version), FLOATING[version]
    assert vm2.tcp_connects(outer, PORT)
    assert host.tcp_connects(external, PORT)
    with Tap(host) as tap:
        ethertype = IPV4 if version == 4 else frames.IPV6
        datagram = frames.udp(outer, external, 4400, 9995, b"question")
        packet = ip_packet(outer, external, UDP, datagram)
        tap.send(frames.ethernet(OUTSIDE, mac("host"), ethertype, packet))
        own = tap.expect(lambda f: f.protocol == ICMP_OF[version] and f.ip_src == external, "its")
    assert quoted_ends(own) == (frames.ip(outer), frames.ip(external))
    # About something that vm2 may have sent: a router looks into no connection to tell it.
    sent = ip_packet(external, outer, UDP, frames.udp(external, outer, 4401, 9, b"x" * 100))
    error = error_about("too big", BETWEEN[version], external, sent)
    told = tell(scene, "vm2", "host", error, version)
    assert told.ip_dst == inner
    assert quoted_ends(told) == (frames.ip(inner), frames.ip(outer))


@pytest.mark.usefixtures("_ranged")
def test_short_errors_do_not_harm_the_switch(scene: Scene) -> None:
    """Packets of the agent have no room behind them, where a switch could write unpunished."""
    got = sent_outside(scene, TCP, 3999)
    hypervisor = scene.lab.hypervisor("hv1")
    for code in range(30):
        error = frames.icmp4(3, bytes(4) + quotation(got, 8), code)
        packet = frames.ipv4(address("host"), OWN[4], ICMP, error)
        frame = frames.ethernet(OUTSIDE, mac("host"), IPV4, packet)
        hypervisor.switch.ofctl(
            "packet-out",
            hypervisor.switch.management("br-int"),
            f"in_port=vm-host packet={frame.hex()} actions=resubmit(,0)",
        )
    assert scene.lab.process("hv1/ovs-vswitchd").alive()
    assert scene.lab.vm("vm1").reaches(address("host"))


@pytest.mark.usefixtures("_ranged")
def test_an_error_from_inside_is_about_what_was_asked_for(scene: Scene) -> None:
    """A closed port behind a floating IP, and a router behind it that says so."""
    ends = address("host"), FLOATING[4]
    request = frames.ipv4(*ends, UDP, frames.udp(*ends, 4000, 9998))
    with Tap(scene.lab.vm("host")) as host:
        host.send(frames.ethernet(OUTSIDE, mac("host"), IPV4, request))
        error = host.expect(lambda f: f.icmp_type == 3, "the error of vm2")
    assert error.ip_src == FLOATING[4]
    assert error.l4[8 + 16 : 8 + 20] == frames.ip(FLOATING[4])

    inner = frames.ipv4(address("host"), address("vm2"), UDP, frames.udp(*ends, 4000, 9998))
    body = frames.icmp4(11, bytes(4) + inner[:28], 0)
    packet = frames.ipv4("10.99.0.1", address("host"), ICMP, body)
    with Tap(scene.lab.vm("host")) as host, Tap(scene.lab.vm("vm2")) as vm2:
        vm2.send(frames.ethernet(INSIDE, mac("vm2"), IPV4, packet))
        error = host.expect(lambda f: f.icmp_type == 11, "the error of a router behind vm2")
    assert error.l4[8 + 16 : 8 + 20] == frames.ip(FLOATING[4])


def test_some_outside_are_apart(scene: Scene) -> None:
    """For partners nothing is translated: they see who it is, and don't get in."""
    net, lab = scene.net, scene.lab
    net.address_set("partners", address("host"))
    changed = {OWN[4]: "exempted_external_ips", PUBLISHED: "exempted_external_ips"}
    paths = {ip: f"/nats/{net.get(f'/nats?external_ip={ip}')['items'][0]['id']}" for ip in changed}
    for ip, field in changed.items():
        net.call("PATCH", paths[ip], {field: "partners"})
    try:
        with Tap(lab.vm("host")) as host:
            lab.vm("vm1").ping(address("host"), timeout=1)
            frame = host.expect(lambda f: f.icmp_type == 8, "the echo request")
            assert frame.ip_src == address("vm1")
        assert not lab.vm("host").tcp_connects(PUBLISHED, PORT, timeout=1)
    finally:
        for ip, field in changed.items():
            net.call("PATCH", paths[ip], {field: None})
        net.delete("/address-sets/partners")
    assert lab.vm("host").tcp_connects(PUBLISHED, PORT)


@pytest.mark.parametrize("field", ["allowed_external_ips", "exempted_external_ips"])
def test_who_is_outside_may_change(scene: Scene, field: str) -> None:
    """In both directions, by an address that comes into the set of a NAT, and that goes."""
    net, vm1, host = scene.net, scene.lab.vm("vm1"), scene.lab.vm("host")
    net.address_set("friends", "203.0.113.0/24")
    inwards = declare_nat(scene, "dnat", "192.0.2.117", address("vm1"), **{field: "friends"})
    outwards = declare_nat(scene, "snat", "192.0.2.118", address("vm1"), **{field: "friends"})
    try:
        for inside in (False, True, False):
            members = ["203.0.113.0/24", *([address("host")] if inside else [])]
            net.call("PATCH", "/address-sets/friends", {"addresses": members})
            translated = inside == (field == "allowed_external_ips")
            if translated:
                until(lambda: host.tcp_connects("192.0.2.117", PORT, timeout=1), "the way in")
            else:
                until(
                    lambda: host.tcp_outcome("192.0.2.117", PORT, timeout=1) == "timeout", "silence"
                )
            # Of a more specific NAT that isn't for the host, the wider one takes what is left,
            # unless the host is exempted.
            seen = "192.0.2.118" if translated else _left(field)
            until(lambda want=seen: _seen_as(scene, want), f"vm1 leaves as {seen}")  # type: ignore[misc]
    finally:
        for nat in (inwards, outwards):
            net.delete(f"/nats/{nat}")
        net.delete("/address-sets/friends")
    assert vm1.tcp_connects(address("host"), PORT)


def _left(field: str) -> str:
    return OWN[4] if field == "allowed_external_ips" else address("vm1")


def _seen_as(scene: Scene, source: str) -> bool:
    """Whether the host sees an echo request of vm1 come from an address."""
    with Tap(scene.lab.vm("host")) as tap:
        scene.lab.vm("vm1").ping(address("host"), timeout=1)
        tap.drain()
        return bool(tap.matching(lambda f: f.icmp_type == 8 and f.ip_src == source))


def test_a_stream_through_nat(scene: Scene) -> None:
    """iperf3 counts what arrives: through a floating IP from outside, and out as the router."""
    for client, server, target in (("host", "vm2", FLOATING[4]), ("vm1", "host", address("host"))):
        listening = scene.lab.vm(server).namespace.argv(["iperf3", "-s", "-1", "-p", "5201"])
        listener = subprocess.Popen(listening, stdout=subprocess.DEVNULL)
        try:
            until(lambda s=server: _listens(scene, s), "iperf3 listens")  # type: ignore[misc]
            output = scene.lab.vm(client).namespace.run(
                "iperf3", "-J", "-c", target, "-p", "5201", "-n", "2M", timeout=90
            )
        finally:
            listener.terminate()
            listener.wait()
        end = json.loads(output)["end"]
        assert end["sum_sent"]["bytes"] >= 2 << 20
        assert end["sum_received"]["bytes"] > 0


def _listens(scene: Scene, name: str) -> bool:
    return ":5201" in scene.lab.vm(name).namespace.run("ss", "-ltn")
