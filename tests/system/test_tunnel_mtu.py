"""Packets that are too big for the tunnels, where the underlay carries less than workloads send."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cli.testbed.namespace import Namespace
from cli.testbed.vm import TENANT_MTU, Vm
from cli.testbed.wait import until
from tests.system import who
from tests.system.conftest import Scene, make_lab

pytestmark = pytest.mark.system

UNDERLAY = 1400
MTU = UNDERLAY - 58
"""What is left for workloads."""
HEADERS = {4: 28, 6: 48}
"""Bytes of an echo request beside its data."""
BRIDGED = {4: "10.0.37.2", 6: "fd37::2"}
ROUTED = {4: "10.0.38.1", 6: "fd38::1"}
OUTSIDE = {4: "10.0.39.1", 6: "fd39::1"}
MOVING = {4: "10.0.37.3", 6: "fd37::3"}
TARGETS = [*BRIDGED.values(), *ROUTED.values(), *OUTSIDE.values()]
SERVERS = {"b": BRIDGED, "c": ROUTED, "d": OUTSIDE}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """`a` on hv1 has on hv2 a neighbour `b`, and behind a router `c`, and `d` behind its gateway.

    ACLs let ICMP errors in that no connection has caused, from no one.
    """
    with make_lab(tmp_path_factory) as lab:
        lab.start_server()
        for name in ("hv1", "hv2"):
            lab.add_hypervisor(name)
        set_underlay(lab.hypervisor("hv1").namespace, UNDERLAY)
        scene = Scene(lab)
        net = scene.net
        net.switch("near")
        net.switch("far")
        net.port("near", "a", "0a:00:00:00:37:01 10.0.37.1 fd37::1")
        net.port("near", "b", "0a:00:00:00:37:02 10.0.37.2 fd37::2")
        net.port("far", "c", "0a:00:00:00:38:01 10.0.38.1 fd38::1")
        net.router("r-size")
        net.attach("r-size", "near", "0a:00:00:00:37:fe", "10.0.37.254/24", "fd37::fe/64")
        net.attach("r-size", "far", "0a:00:00:00:38:fe", "10.0.38.254/24", "fd38::fe/64")
        net.switch("out")
        net.port("out", "d", "0a:00:00:00:39:01 10.0.39.1 fd39::1")
        net.attach("r-size", "out", "0a:00:00:00:39:fe", "10.0.39.254/24", "fd39::fe/64")
        gateway = {"gateway_chassis": [{"chassis": "hv2", "priority": 10}]}
        net.call("PATCH", "/logical-router-ports/r-size-out", gateway)
        net.port_group("all", "a", "b", "c", "d")
        net.acl("pg:all", "to-lport", 1000, "outport == @all && icmp4.type == 3", "drop")
        net.acl("pg:all", "to-lport", 1000, "outport == @all && icmp6.type == 2", "drop")
        net.acl(
            "pg:all", "to-lport", 900, "outport == @all && (icmp || tcp || udp)", "allow-related"
        )
        net.acl("pg:all", "to-lport", 10, "outport == @all && ip", "drop")
        lab.add_vm("a", "hv1")
        lab.add_vm("b", "hv2")
        lab.add_vm("c", "hv2")
        lab.add_vm("d", "hv2")
        lab.wait_until_up()
        yield scene
        net.client.close()


def set_underlay(namespace: Namespace, mtu: int) -> None:
    """Have the uplink of hypervisor hv1 carry packets up to `mtu` only."""
    namespace.ip("link", "set", "up-hv1", "mtu", str(mtu))


def narrow(scene: Scene, hypervisor: str = "hv1") -> dict[str, int]:
    return dict(scene.lab.hypervisor(hypervisor).agent("status")["tunnels"]["mtu"])


def forget_mtus(vm: Vm, target: str) -> None:
    vm.namespace.run("ip", "-6" if ":" in target else "-4", "route", "flush", "cache", check=False)


def echo(vm: Vm, target: str, size: int) -> str:
    """What `ping` says of echo requests that are that big as IP packets, and stay whole."""
    command = ("ping", "-n", "-c", "2", "-i", "0.2", "-W", "10", "-M", "do")
    data = size - HEADERS[6 if ":" in target else 4]
    return vm.namespace.run(*command, "-s", str(data), target, check=False)


@contextmanager
def iperf_server(vm: Vm, version: str) -> Iterator[None]:
    """Take connections of one test of `iperf3`."""
    command = ("iperf3", "--server", "--one-off", version, "--forceflush")
    with subprocess.Popen(vm.namespace.argv(command), stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        while "listening" not in server.stdout.readline():
            assert server.poll() is None
        try:
            yield
        finally:
            server.kill()


@pytest.fixture
def measured(scene: Scene) -> None:
    until(lambda: narrow(scene) == {"hv2": MTU}, "MTU known on hv1", 60)
    until(lambda: narrow(scene, "hv2") == {"hv1": MTU}, "MTU known on hv2", 60)


@pytest.mark.usefixtures("measured")
def test_what_is_told_beyond_that_is_named(scene: Scene) -> None:
    """By DHCP and by the router, until it is no more than the tunnel carries."""
    net = scene.net
    told = {"server_id": "10.0.37.254", "server_mac": "0a:00:00:00:37:fe", "lease_time": 3600}
    options = {"name": "near", "cidr": "10.0.37.0/24", "dhcpv4": {**told, "mtu": MTU + 1}}
    net.call("POST", "/dhcp-options", options)
    net.call("PATCH", "/logical-switches/near", {"dhcpv4_options": "near"})
    advertised = {"address_mode": "slaac", "mtu": MTU + 2}
    net.call("PATCH", "/logical-router-ports/r-size-far", {"ipv6_ra": advertised})

    def named() -> dict[str, tuple[int, int]]:
        problems = net.call("GET", "/status")["mtu_problems"]
        return {each["name"]: (each["mtu"], each["tunnel_mtu"]) for each in problems}

    interfaces = {"hv1": (TENANT_MTU, MTU), "hv2": (TENANT_MTU, MTU)}
    wrong = {"near": (MTU + 1, MTU), "r-size-far": (MTU + 2, MTU), **interfaces}
    until(lambda: named() == wrong, "what is told too much is named", 30)
    net.call("PATCH", "/dhcp-options/near", {"dhcpv4": {**told, "mtu": MTU}})
    net.call("PATCH", "/logical-router-ports/r-size-far", {"ipv6_ra": None})
    until(lambda: named() == interfaces, "only interfaces are left", 30)


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("target", TARGETS)
def test_ping_that_may_not_be_fragmented_hears_the_mtu(scene: Scene, target: str) -> None:
    vm = scene.lab.vm("a")
    forget_mtus(vm, target)
    until(lambda: " 0% packet loss" in echo(vm, target, MTU), "what is not too big arrives")
    told = echo(vm, target, MTU + 1)
    assert "100% packet loss" in told
    assert re.search(rf"mtu[ =]*{MTU}", told), told


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("target", TARGETS)
def test_tracepath_finds_the_mtu(scene: Scene, target: str) -> None:
    vm, version = scene.lab.vm("a"), "-6" if ":" in target else "-4"
    forget_mtus(vm, target)

    def is_told() -> bool:
        found = vm.namespace.run("tracepath", "-n", version, target, timeout=60, check=False)
        return f"pmtu {MTU}" in found and "reached" in found

    until(is_told, "tracepath gets there and knows the MTU", 60)


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("target", [BRIDGED[4], ROUTED[6], OUTSIDE[4]])
def test_a_connection_transfers_whole_segments(scene: Scene, target: str) -> None:
    """TCP begins with segments for its own MTU, and learns that they have to be smaller."""
    vm, version = scene.lab.vm("a"), "-6" if ":" in target else "-4"
    server = scene.lab.vm(next(n for n, of in SERVERS.items() if target in of.values()))
    for direction in ([], ["--reverse"]):
        for host in (vm, server):
            forget_mtus(host, target)
        with iperf_server(server, version):
            command = ("iperf3", "--client", target, version, "--bytes", "200K", *direction)
            vm.namespace.run(*command, timeout=90)


@pytest.mark.usefixtures("measured")
def test_what_may_be_fragmented_arrives_in_fragments(scene: Scene) -> None:
    """Who knows the MTU by now fragments by itself."""
    who.serve(scene.lab, "b", 8080)
    with who.connect(scene.lab, "a", BRIDGED[4], 8080, "udp", seconds=1) as client:
        answer = ["b", "10.0.37.1"]
        until(lambda: who.again(client, bytes(MTU)) == answer, "a datagram in fragments arrives")


@contextmanager
def moving(scene: Scene) -> Iterator[None]:
    """The port `m` is on hv1, and on hv2 as well; once that is over, on hv1 alone."""
    scene.net.change_port("m", requested_chassis=["hv1", "hv2"])
    scene.lab.add_vm("m", "hv2", name="m-new")
    try:
        until(
            lambda: scene.net.get("/port-bindings/m")["additional_chassis"] == ["hv2"],
            "the port is on both",
        )
        scene.net.catch_up()
        yield
    finally:
        scene.lab.remove_vm("m-new")
        scene.net.change_port("m", requested_chassis=["hv1"])


@pytest.fixture
def mover(scene: Scene) -> Iterator[Vm]:
    """A workload at home on hv1, as `a` is."""
    addresses = " ".join(("0a:00:00:00:37:03", *MOVING.values()))
    at_home = {"requested_chassis": ["hv1"], "activation_strategy": ["rarp"]}
    scene.net.port("near", "m", addresses, **at_home)
    scene.lab.add_vm("m", "hv1")
    scene.lab.wait_until_up()
    yield scene.lab.vm("m")
    scene.lab.remove_vm("m")
    scene.net.delete("/logical-switch-ports/m")


@pytest.mark.usefixtures("measured", "mover")
def test_who_sends_to_a_port_that_moves_hears_the_mtu_of_the_tunnel(scene: Scene) -> None:
    """On its own hypervisor, too: a copy goes to the other one. That which stays arrives."""
    vm = scene.lab.vm("a")

    def said(target: str, size: int) -> str:
        forget_mtus(vm, target)
        return echo(vm, target, size)

    def passes(size: int) -> bool:
        answers = [said(target, size) for target in MOVING.values()]
        return all(" 0% packet loss" in answer and "mtu" not in answer for answer in answers)

    until(lambda: passes(MTU + 1), "what is big stays on the hypervisor")
    with moving(scene):
        until(lambda: passes(MTU), "what fits the tunnel arrives")
        for target in MOVING.values():
            told = said(target, MTU + 1)
            assert re.search(rf"From {target}.*mtu[ =]*{MTU}", told), told
            assert "1 received" in told
    until(lambda: passes(MTU + 1), "what is big arrives once the move is over")


def test_an_underlay_that_carries_more_is_used(scene: Scene) -> None:
    set_underlay(scene.lab.hypervisor("hv1").namespace, 1500)
    until(lambda: not narrow(scene) and not narrow(scene, "hv2"), "wide tunnels", 120)
    for hypervisor in scene.lab.hypervisors.values():
        until(
            lambda flows=hypervisor.flows: not any("check_pkt_larger" in flow for flow in flows()),  # type: ignore[misc]
            f"{hypervisor.name} measures nothing",
            30,
        )
    vm = scene.lab.vm("a")
    for target in TARGETS:
        forget_mtus(vm, target)
        until(lambda to=target: " 0% packet loss" in echo(vm, to, 1442), f"{target} is reached")  # type: ignore[misc]
