"""DHCPv6: real clients get their port's address, or only what goes with addresses of their own."""

from pathlib import Path

import pytest

from cli.testbed.network_facts import VmFacts
from tests.system.conftest import Scene
from tests.system.dhcp.clients import Dhclient
from tests.system.frames import IPV6, NS, UDP, Frame, ethernet, ipv6, neighbour_solicitation, udp
from tests.system.tap import Tap

pytestmark = pytest.mark.system

MAC = {name: f"0a:00:00:00:0e:0{n}" for n, name in enumerate(("e1", "e2", "e3", "e4"), 1)}
IP = {name: f"fd0e::1{n}" for n, name in enumerate(("e1", "e2", "e3", "e4"), 1)}
LINK_LOCAL = {name: f"fe80::800:ff:fe00:e0{n}" for n, name in enumerate(MAC, 1)}
SERVERS = "ff02::1:2"


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """`e1`, `e2` get addresses, `e3` only options, `e4` nothing; ACLs let nothing out or in."""
    net = scene.net
    said = {"dns_servers": ["fd0e::2"], "domain_search": ["lan.example"]}
    for name, more in (
        ("stateful", {"renewal_time": 1, "valid_lifetime": 600}),
        ("stateless", {"stateless": True}),
    ):
        body = {"name": name, "cidr": "fd0e::/64", "dhcpv6": {**said, **more}}
        net.call("POST", "/dhcp-options", body)
    net.switch("six", dhcpv6_options="stateful")
    for name, own in {"e1": {}, "e2": {}, "e3": {"dhcpv6_options": "stateless"}}.items():
        address = f"{MAC[name]} {IP[name]}"
        net.port("six", name, address, port_security=[address], **own)
    net.port("six", "e4", f"{MAC['e4']} {IP['e4']}", dhcp=False)
    net.acl("ls:six", "from-lport", 1, "ip", "drop")
    net.acl("ls:six", "to-lport", 1, "ip", "drop")
    for name, hypervisor in {"e1": "hv1", "e2": "hv2", "e3": "hv1", "e4": "hv1"}.items():
        scene.lab.add_vm(name, hypervisor, VmFacts(MAC[name], (), ()))
    scene.lab.wait_until_up()


def message(
    name: str, kind: int, *options: tuple[int, bytes], mac: str = "", xid: bytes = b"xid"
) -> bytes:
    """A client's message, from its link-local address to all servers."""
    encoded = b"".join(code.to_bytes(2) + len(value).to_bytes(2) + value for code, value in options)
    src = LINK_LOCAL[name]
    datagram = udp(src, SERVERS, 546, 547, bytes((kind,)) + xid + encoded)
    packet = ipv6(src, SERVERS, UDP, datagram, hops=1)
    return ethernet("33:33:00:01:00:02", mac or MAC[name], IPV6, packet)


def is_dhcp(frame: Frame) -> bool:
    return frame.dport == 546


CLIENT = (1, bytes((0, 3, 0, 1)) + bytes(6))
IA_NA = (3, b"iaid" + bytes(8))


def test_dhclient_gets_renews_and_releases(scene: Scene, tmp_path: Path) -> None:
    with Dhclient(scene.lab.vm("e1"), tmp_path, "-6") as client:
        told = client.wait_for("BOUND6")
        assert told["new_ip6_address"] == IP["e1"]
        assert told["new_dhcp6_name_servers"] == "fd0e::2"
        assert told["new_dhcp6_domain_search"].rstrip(".") == "lan.example"
        assert client.wait_for("RENEW6")["new_ip6_address"] == IP["e1"]
        client.release()
        assert client.wait_for("RELEASE6")["old_ip6_address"] == IP["e1"]


def test_dhclient_without_state(scene: Scene, tmp_path: Path) -> None:
    with Dhclient(scene.lab.vm("e3"), tmp_path, "-6", "-S") as client:
        told = client.wait_for("RENEW6")
        assert told["new_dhcp6_name_servers"] == "fd0e::2"
        assert "new_ip6_address" not in told


def test_rapid_commit(scene: Scene) -> None:
    with Tap(scene.lab.vm("e2")) as e2:
        e2.send(message("e2", 1, CLIENT, IA_NA, (14, b"")))
        answer = e2.expect(is_dhcp, "a reply")
        assert answer.l4[8] == 7
        assert answer.ip_dst == LINK_LOCAL["e2"]


@pytest.mark.parametrize("case", ["another's MAC", "another server"])
def test_who_is_not_answered(scene: Scene, case: str) -> None:
    with Tap(scene.lab.vm("e2")) as e2:
        if case == "another server":
            e2.send(message("e2", 3, CLIENT, IA_NA, (2, b"another"), xid=b"bad"))
        else:
            e2.send(message("e2", 1, CLIENT, IA_NA, mac=MAC["e1"], xid=b"bad"))
        e2.send(message("e2", 1, CLIENT, IA_NA, xid=b"yes"))
        e2.expect(is_dhcp, "the answer to the second message")
        assert [frame.l4[9:12] for frame in e2.matching(is_dhcp)] == [b"yes"]


def test_ports_without_dhcp_are_not_answered(scene: Scene) -> None:
    """A flood that was sent later has come when the answer would have."""
    with Tap(scene.lab.vm("e4")) as e4, Tap(scene.lab.vm("e3")) as e3:
        e4.send(message("e4", 1, CLIENT, IA_NA))
        e3.send(message("e3", 1, CLIENT, IA_NA))
        answer = e3.expect(is_dhcp, "the answer to another client")
        assert answer.l4[8] == 2
        assert (13).to_bytes(2) in answer.l4
        e3.send(neighbour_solicitation(MAC["e3"], IP["e3"], "fd0e::99"))
        e4.expect(lambda frame: frame.icmp_type == NS, "a solicitation")
        assert not e4.matching(lambda frame: frame.dport in (546, 547))
