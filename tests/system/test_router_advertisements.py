"""Router advertisements: to who asks, and to all from time to time; with real clients."""

import re
from pathlib import Path

import pytest
import yaml

from cli.testbed.network_facts import VmFacts
from cli.testbed.vm import Vm
from cli.testbed.wait import until
from tests.system.conftest import Scene
from tests.system.dhcp.clients import Dhcpcd
from tests.system.tap import Tap

pytestmark = pytest.mark.system

RA = 134
ROUTER_MAC = "0a:00:00:00:31:fe"
PORT = "/logical-router-ports/r-ra-radv"
TOLD = {
    "address_mode": "slaac",
    "mtu": 1400,
    "router_preference": "high",
    "rdnss": ["fd31::53", "fd31::54"],
    "dnssl": ["radv.example"],
    "routes": [{"prefix": "fd99::/48", "preference": "low", "lifetime": 600}],
}
MODES = {
    "asks-all": (1, "dhcpv6_stateful", {"dns_servers": ["fd33:1::53"]}),
    "asks-rest": (2, "dhcpv6_stateless", {"dns_servers": ["fd33:2::53"], "stateless": True}),
}
"""VMs whose routers send them to the network's DHCPv6: number, mode, and what is told there."""


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """`ra1` on hv1, `ra2` on hv2; `quiet` is on a switch whose router port tells nothing.

    Each VM of `MODES` is on a switch of its own, whose ACLs drop everything.
    """
    net = scene.net
    net.switch("radv")
    net.switch("still")
    for n, name in enumerate(("ra1", "ra2", "ra3"), 1):
        net.port("radv", name, f"0a:00:00:00:31:0{n}")
    net.port("still", "quiet", "0a:00:00:00:31:09")
    net.router("r-ra")
    net.router_port("r-ra", "r-ra-radv", ROUTER_MAC, "fd31::fe/64", ipv6_ra=TOLD)
    net.port("radv", "radv-r-ra", type="router", router_port="r-ra-radv")
    net.attach("r-ra", "still", "0a:00:00:00:31:fd", "fd32::fe/64")
    for name, (n, mode, told) in MODES.items():
        options = {"name": name, "cidr": f"fd33:{n}::/64", "dhcpv6": told}
        net.call("POST", "/dhcp-options", options)
        net.switch(name, dhcpv6_options=name)
        secured = f"0a:00:00:00:33:0{n} fd33:{n}::1{n} {made_up(n)}"
        net.port(name, f"{name}-vm", secured, port_security=[secured])
        ra = {"address_mode": mode}
        net.router_port("r-ra", f"r-{name}", f"0a:00:00:00:33:f{n}", f"fd33:{n}::fe/64", ipv6_ra=ra)
        net.port(name, f"{name}-r", type="router", router_port=f"r-{name}")
        for direction in ("from-lport", "to-lport"):
            net.acl(f"ls:{name}", direction, 1, "1", "drop")
        scene.lab.add_vm(f"{name}-vm", f"hv{n}", VmFacts(f"0a:00:00:00:33:0{n}", (), ()))
    for name, hypervisor in {"ra1": "hv1", "ra2": "hv2", "ra3": "hv1", "quiet": "hv1"}.items():
        scene.lab.add_vm(name, hypervisor)
    scene.lab.wait_until_up()


def made_up(n: int) -> str:
    """The address that a host of `MODES` makes itself."""
    return f"fd33:{n}::800:ff:fe00:330{n}"


def discover(vm: Vm, tries: int = 20) -> str:
    """What `rdisc6` hears of routers; it ends with an error where there is none."""
    command = ("rdisc6", "-1", "-r", str(tries), "-w", "1500", "eth0")
    return vm.namespace.run(*command, timeout=60, check=False)


def test_rdisc6_hears_what_was_declared(scene: Scene) -> None:
    for name in ("ra1", "ra2"):
        heard = discover(scene.lab.vm(name))
        for line in (
            r"Stateful address conf\. +: +No",
            r"Stateful other conf\. +: +No",
            r"Router preference +: +high",
            r"Router lifetime +: +65535",
            r"Source link-layer address: 0A:00:00:00:31:FE",
            r"MTU +: +1400 bytes",
            r"Prefix +: fd31::/64",
            r"Recursive DNS server +: fd31::53",
            r"Recursive DNS server +: fd31::54",
            r"DNS search list +: radv\.example",
            r"Route +: fd99::/48",
            r"Route preference +: +low",
            r"from fe80::800:ff:fe00:31fe",
        ):
            assert re.search(line, heard), (line, heard)


def test_a_router_port_that_tells_nothing_is_silent(scene: Scene) -> None:
    assert "Prefix" not in discover(scene.lab.vm("quiet"), 1)


def test_only_who_asks_hears_the_answer(scene: Scene) -> None:
    with Tap(scene.lab.vm("ra3")) as other:
        assert "fd31::" in discover(scene.lab.vm("ra1"))
        assert not other.matching(lambda frame: frame.icmp_type == RA)


def test_a_kernel_makes_itself_an_address(scene: Scene) -> None:
    """SLAAC: the VM gets an address, its default route and its MTU, and reaches the router."""
    vm = scene.lab.vm("ra1")

    def listen() -> None:
        settings = Path("/proc/sys/net/ipv6/conf/eth0")
        for name, value in (("accept_ra", "2"), ("router_solicitations", "3")):
            (settings / name).write_text(value)

    vm.namespace.call(listen)
    vm.namespace.ip("link", "set", "eth0", "down")
    vm.namespace.ip("link", "set", "eth0", "up")
    until(lambda: "fd31::800:ff:fe00:3101/64" in vm.namespace.ip("-6", "addr"), "an address")
    gateway = "via fe80::800:ff:fe00:31fe"
    until(lambda: gateway in vm.namespace.ip("-6", "route", "show", "default"), "a default route")
    mtu = ("cat", "/proc/sys/net/ipv6/conf/eth0/mtu")
    until(lambda: vm.namespace.run(*mtu).strip() == "1400", "its MTU")
    assert vm.reaches("fd32::fe"), "the router behind its other network"


def test_all_hosts_are_told_from_time_to_time_and_at_the_end(scene: Scene) -> None:
    """Each agent tells its own ports: one message a port, none through the tunnel."""
    told = {**TOLD, "send_periodic": True, "max_interval": 4, "lifetime": 12}
    with Tap(scene.lab.vm("ra3")) as here, Tap(scene.lab.vm("ra2")) as there:
        scene.net.call("PATCH", PORT, {"ipv6_ra": told})
        for tap in (here, there):
            heard = tap.expect(lambda frame: frame.icmp_type == RA, "an advertisement")
            assert (heard.src, heard.dst) == (ROUTER_MAC, "33:33:00:00:00:01")
            assert heard.ip_src == "fe80::800:ff:fe00:31fe"
            assert heard.l4[6:8] == (12).to_bytes(2)
        heard_before = len(here.received)
        here.expect(
            lambda frame: frame.icmp_type == RA and frame in here.received[heard_before:],
            "another advertisement",
            30,
        )
        scene.net.call("PATCH", PORT, {"ipv6_ra": None})
        here.expect(
            lambda frame: frame.icmp_type == RA and frame.l4[6:8] == bytes(2),
            "an advertisement that ends the router's service",
        )
        assert "fd31::" not in discover(scene.lab.vm("ra2"), 1)
    scene.net.call("PATCH", PORT, {"ipv6_ra": TOLD})


def test_hosts_do_as_they_are_told(scene: Scene, tmp_path: Path) -> None:
    """They ask DHCPv6 for everything or for the rest alone, though ACLs let nothing pass."""
    for name, (n, _, _) in MODES.items():
        vm = scene.lab.vm(f"{name}-vm")
        heard = discover(vm)
        is_all = name == "asks-all"
        assert re.search(rf"Stateful address conf\. +: +{'Yes' if is_all else 'No'}", heard), heard
        assert re.search(rf"Stateful other conf\. +: +{'No' if is_all else 'Yes'}", heard), heard
        assert re.search(rf"Autonomous address conf\.: +{'No' if is_all else 'Yes'}", heard), heard
        (tmp_path / name).mkdir()
        with Dhcpcd(vm, tmp_path / name) as client:
            reason = "BOUND6" if is_all else "INFORM6"
            told = client.wait_for(reason)
            assert told["new_dhcp6_name_servers"] == f"fd33:{n}::53"
            address = f"fd33:{n}::1{n}" if is_all else made_up(n)
            until(lambda: addresses(vm) == [address], f"{address} alone")  # noqa: B023
            router = f"via fe80::800:ff:fe00:33f{n}"
            until(lambda: router in vm.namespace.ip("-6", "route"), "a default route")  # noqa: B023


def addresses(vm: Vm) -> list[str]:
    """The addresses of a VM that aren't of its link alone."""
    shown = vm.namespace.ip("-6", "-br", "address", "show", "dev", "eth0", "scope", "global")
    return [each.partition("/")[0] for each in shown.split()[2:]]


def test_explain_says_that_acls_are_not_asked(scene: Scene) -> None:
    match = (
        "eth.src == 0a:00:00:00:33:01 && eth.dst == 33:33:00:00:00:02 && nd_rs && ip.ttl == 255 "
        "&& ip6.src == fe80::800:ff:fe00:3301 && ip6.dst == ff02::2"
    )
    found = scene.net.reachability({"inport": "asks-all-vm", "match": match})
    assert found["reachable"], found
    assert "answered by the network itself" in str(found)


def test_the_example_of_the_page(scene: Scene) -> None:
    example = Path(__file__).parents[2] / "examples" / "router-advertisements" / "network.yaml"
    document = yaml.safe_load(example.read_text())
    scene.net.call("POST", "/apply", document)
    scene.lab.add_vm("wing-1", "hv2")
    scene.lab.wait_until_up()
    heard = discover(scene.lab.vm("wing-1"))
    assert "fd00:36::/64" in heard
    assert "wing.example.org" in heard
