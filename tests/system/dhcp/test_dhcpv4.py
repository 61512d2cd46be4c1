"""DHCPv4: real clients get their port's address, and nothing else does."""

from pathlib import Path

import pytest

from cli.testbed.network_facts import VmFacts
from tests.system.conftest import Scene
from tests.system.dhcp.clients import Dhclient, udhcpc
from tests.system.frames import BROADCAST, IPV4, UDP, Frame, arp_request, ethernet, ipv4, udp
from tests.system.tap import Tap

pytestmark = pytest.mark.system

MAC = {name: f"0a:00:00:00:0d:0{n}" for n, name in enumerate(("d1", "d2", "d3", "d4"), 1)}
IP = {name: f"10.0.13.1{n}" for n, name in enumerate(("d1", "d2", "d3", "d4"), 1)}
DISCOVER = bytes((53, 1, 1))


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """`d1` to `d3` get what the switch has for all, `d4` nothing; ACLs let nothing out or in."""
    net = scene.net
    net.call(
        "POST",
        "/dhcp-options",
        {
            "name": "lan",
            "cidr": "10.0.13.0/24",
            "dhcpv4": {
                "routers": ["10.0.13.1"],
                "dns_servers": ["10.0.13.2", "10.0.13.3"],
                "domain_search": ["lan.example", "example"],
                "mtu": 1400,
                "lease_time": 600,
            },
        },
    )
    net.call(
        "POST",
        "/dhcp-options",
        {
            "name": "short",
            "cidr": "10.0.13.0/24",
            "dhcpv4": {
                "server_id": "10.0.13.3",
                "lease_time": 30,
                "renewal_time": 1,
                "classless_static_routes": [{"destination": "0.0.0.0/0", "nexthop": "10.0.13.1"}],
            },
        },
    )
    net.switch("dhcp", dhcpv4_options="lan")
    for name in ("d1", "d2", "d3"):
        address = f"{MAC[name]} {IP[name]}"
        own = {"dhcpv4_options": "short"} if name == "d2" else {}
        named = f"{name}.lan.example"
        net.port("dhcp", name, address, port_security=[address], hostname=named, **own)
    net.port("dhcp", "d4", f"{MAC['d4']} {IP['d4']}", dhcp=False)
    net.acl("ls:dhcp", "from-lport", 1, "ip", "drop")
    net.acl("ls:dhcp", "to-lport", 1, "ip", "drop")
    for name, hypervisor in {"d1": "hv1", "d2": "hv2", "d3": "hv1", "d4": "hv1"}.items():
        scene.lab.add_vm(name, hypervisor, VmFacts(MAC[name], (), ()))
    scene.lab.wait_until_up()


def discover(
    mac: str, *, chaddr: str = "", xid: bytes = b"ours", options: bytes = DISCOVER
) -> bytes:
    """A client's first message."""
    hardware = bytes.fromhex((chaddr or mac).replace(":", "")).ljust(16, b"\0")
    head = bytes((1, 1, 6, 0)) + xid + bytes(20) + hardware
    message = head + bytes(192) + bytes((99, 130, 83, 99)) + options + b"\xff"
    datagram = udp("0.0.0.0", "255.255.255.255", 68, 67, message)
    return ethernet(BROADCAST, mac, IPV4, ipv4("0.0.0.0", "255.255.255.255", UDP, datagram))


def is_dhcp(frame: Frame) -> bool:
    return frame.dport in (67, 68)


def wait_for_mark(sender: Tap, mac: str, *receivers: Tap) -> None:
    """Wait until a broadcast has arrived that was sent after all that is asked about."""
    sender.send(arp_request(mac, "10.0.13.98", "10.0.13.99"))
    for receiver in receivers:
        receiver.expect(lambda frame: frame.arp_op == 1, "the mark")


def test_udhcpc_gets_the_address_of_its_port(scene: Scene, tmp_path: Path) -> None:
    """A security group that lets nothing pass does not stand in the way, nor port security."""
    told = udhcpc(scene.lab.vm("d1"), tmp_path, "-O", "search")
    assert told["ip"] == IP["d1"]
    assert told["mask"] == "24"
    assert told["router"] == "10.0.13.1"
    assert told["dns"] == "10.0.13.2 10.0.13.3"
    assert told["search"] == "lan.example example"
    assert told["hostname"] == "d1.lan.example"
    assert (told["mtu"], told["lease"]) == ("1400", "600")


def test_the_request_reaches_nobody_else(scene: Scene) -> None:
    vm = scene.lab.vm
    with Tap(vm("d1")) as d1, Tap(vm("d2")) as d2, Tap(vm("d4")) as d4:
        d1.send(discover(MAC["d1"]))
        offer = d1.expect(is_dhcp, "an offer")
        assert (offer.ip_src, offer.ip_dst) == ("10.0.13.1", IP["d1"])
        assert (offer.dst, offer.dport) == (MAC["d1"], 68)
        wait_for_mark(d4, MAC["d4"], d2)
        assert not d2.matching(is_dhcp)
        assert not d4.matching(is_dhcp)


@pytest.mark.parametrize(("mac", "chaddr"), [("d1", ""), ("d3", "d1")])
def test_a_client_gets_no_lease_of_another(scene: Scene, mac: str, chaddr: str) -> None:
    with Tap(scene.lab.vm("d3")) as d3:
        d3.send(discover(MAC[mac], chaddr=chaddr and MAC[chaddr], xid=b"bad!"))
        d3.send(discover(MAC["d3"], xid=b"good"))
        d3.expect(is_dhcp, "the answer to the second request")
        assert [frame.l4[12:16] for frame in d3.matching(is_dhcp)] == [b"good"]


def test_ports_without_dhcp_are_not_answered(scene: Scene, tmp_path: Path) -> None:
    assert udhcpc(scene.lab.vm("d4"), tmp_path, attempts=3) == {}


def test_dhclient_renews_and_releases(scene: Scene, tmp_path: Path) -> None:
    """It renews by unicast, for which the server that is no router answers ARP."""
    with Dhclient(scene.lab.vm("d2"), tmp_path, "-4") as client:
        told = client.wait_for("BOUND")
        assert told["new_ip_address"] == IP["d2"]
        assert told["new_dhcp_server_identifier"] == "10.0.13.3"
        assert told["new_host_name"] == "d2.lan.example"
        renewed = client.wait_for("RENEW")
        assert renewed["new_ip_address"] == IP["d2"]
        client.release()
        assert client.wait_for("RELEASE")["old_ip_address"] == IP["d2"]


def test_another_address_is_refused(scene: Scene) -> None:
    """A client that comes with the lease of another network begins anew."""
    with Tap(scene.lab.vm("d1")) as d1:
        asks = bytes((53, 1, 3, 50, 4, 192, 0, 2, 7))
        d1.send(discover(MAC["d1"], options=asks))
        nak = d1.expect(is_dhcp, "a refusal")
        assert nak.ip_dst == "255.255.255.255"
        assert bytes((53, 1, 6)) in nak.l4


def test_changed_options_are_told_at_once(scene: Scene, tmp_path: Path) -> None:
    scene.net.call("PATCH", "/dhcp-options/lan", {"dhcpv4": {"mtu": 1300}})
    assert udhcpc(scene.lab.vm("d3"), tmp_path)["mtu"] == "1300"
    scene.net.call("PATCH", "/dhcp-options/lan", {"dhcpv4": {"mtu": 1400}})
