"""DHCPv4: real clients get their port's address, and nothing else does."""

from pathlib import Path
from typing import Any

import pytest

from cli.testbed.network_facts import VmFacts
from cli.testbed.vm import Vm
from cli.testbed.wait import until
from tests.system.conftest import Scene
from tests.system.dhcp.clients import Dhclient, dhclient_of_debian, udhcpc
from tests.system.dhcp.messages import (
    ACK,
    DISCOVER,
    INFORM,
    LEASE_TIME,
    NAK,
    OFFER,
    REBINDING_TIME,
    RENEWAL_TIME,
    REQUEST,
    REQUESTED_ADDRESS,
    ROUTERS,
    SERVER_ID,
    client4,
    is_dhcp4,
    kinds4,
    options4,
    xid4,
    your_address,
)
from tests.system.frames import BROADCAST, arp_request, ip
from tests.system.tap import Tap

pytestmark = pytest.mark.system

NAMES = ("d1", "d2", "d3", "d4", "d5", "d6")
MAC = {name: f"0a:00:00:00:0d:0{n}" for n, name in enumerate(NAMES, 1)}
IP = {name: f"10.0.13.1{n}" for n, name in enumerate(NAMES, 1)}
MOVED = "10.0.13.22"
"""Another address that `d2` may have."""
FORBIDDEN = "10.0.13.66"
"""What `d6` is to get, and may not use."""

PATIENT_FOR_A_SECOND = "initial-interval 1; backoff-cutoff 1;\n"
"""What ISC's client is told to ask again each second."""

OPTIONS: dict[str, dict[str, Any]] = {
    "lan": {
        "routers": ["10.0.13.1"],
        "dns_servers": ["10.0.13.2", "10.0.13.3"],
        "domain_search": ["lan.example", "example"],
        "mtu": 1400,
        "lease_time": 600,
    },
    "short": {
        "server_id": "10.0.13.3",
        "lease_time": 30,
        "renewal_time": 1,
        "rebinding_time": 2,
        "classless_static_routes": [{"destination": "0.0.0.0/0", "nexthop": "10.0.13.1"}],
    },
    "all": {
        "routers": ["10.0.13.1"],
        "server_mac": "0a:00:00:00:0d:fe",
        "domain_name": "lan.example",
        "domain_search": ["lan.example", "example"],
        "dns_servers": ["10.0.13.2", "10.0.13.3"],
        "ntp_servers": ["10.0.13.5", "10.0.13.6"],
        "mtu": 1380,
        "static_routes": [{"destination": "192.0.2.9", "nexthop": "10.0.13.2"}],
        "classless_static_routes": [
            {"destination": "0.0.0.0/0", "nexthop": "10.0.13.1"},
            {"destination": "198.51.100.0/25", "nexthop": "10.0.13.4"},
        ],
        "ms_classless_static_routes": [{"destination": "192.0.0.0/9", "nexthop": "10.0.13.4"}],
        "next_server": "10.0.13.7",
        "tftp_server": "boot.example",
        "bootfile_name": "pxelinux.0",
        "bootfile_names": [{"architecture": 7, "bootfile_name": "grubx64.efi"}],
    },
}


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """What the switch has for all is for `d1`, `d3` and `d6`; ACLs let nothing out or in.

    `d2` and `d5` have options of their own, `d4` none. What `d6` is told port security forbids.
    """
    net = scene.net
    for options, values in OPTIONS.items():
        body = {"name": options, "cidr": "10.0.13.0/24", "dhcpv4": values}
        net.call("POST", "/dhcp-options", body)
    net.switch("dhcp", dhcpv4_options="lan")
    for name, own in {"d1": None, "d2": "short", "d3": None, "d5": "all"}.items():
        address = f"{MAC[name]} {IP[name]}"
        chosen = {"dhcpv4_options": own} if own else {}
        named = f"{name}.lan.example"
        net.port("dhcp", name, address, port_security=[address], hostname=named, **chosen)
    net.port("dhcp", "d4", f"{MAC['d4']} {IP['d4']}", dhcp=False)
    secured = [f"{MAC['d6']} {IP['d6']}"]
    net.port("dhcp", "d6", f"{MAC['d6']} {FORBIDDEN}", port_security=secured)
    for direction in ("from-lport", "to-lport"):
        net.acl("ls:dhcp", direction, 1, "ip", "drop")
    for name in NAMES:
        scene.lab.add_vm(name, "hv2" if name in ("d2", "d5") else "hv1", VmFacts(MAC[name], (), ()))
    scene.lab.wait_until_up()


def wait_for_mark(sender: Tap, mac: str, *receivers: Tap, source: str = "10.0.13.98") -> None:
    """Wait until a broadcast has arrived that was sent after all that is asked about."""
    sender.send(arp_request(mac, source, "10.0.13.99"))
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
        d1.send(client4(MAC["d1"], DISCOVER))
        offer = d1.expect(is_dhcp4, "an offer")
        assert (offer.ip_src, offer.ip_dst) == ("10.0.13.1", IP["d1"])
        assert (offer.dst, offer.dport) == (MAC["d1"], 68)
        wait_for_mark(d4, MAC["d4"], d2)
        assert not d2.matching(is_dhcp4)
        assert not d4.matching(is_dhcp4)


@pytest.mark.parametrize(("mac", "chaddr"), [("d1", ""), ("d3", "d1")])
def test_a_client_gets_no_lease_of_another(scene: Scene, mac: str, chaddr: str) -> None:
    with Tap(scene.lab.vm("d3")) as d3:
        d3.send(client4(MAC[mac], DISCOVER, chaddr=chaddr and MAC[chaddr], xid=b"bad!"))
        d3.send(client4(MAC["d3"], DISCOVER, xid=b"good"))
        d3.expect(is_dhcp4, "the answer to the second request")
        assert [xid4(frame) for frame in d3.matching(is_dhcp4)] == [b"good"]


def test_ports_without_dhcp_are_not_answered(scene: Scene) -> None:
    """What came later of another port of the hypervisor has been answered when they would be."""
    with Tap(scene.lab.vm("d4")) as d4, Tap(scene.lab.vm("d1")) as d1:
        d4.send(client4(MAC["d4"], DISCOVER))
        d1.send(client4(MAC["d1"], DISCOVER))
        d1.expect(is_dhcp4, "the answer to another client")
        wait_for_mark(d1, MAC["d1"], d4, source=IP["d1"])
        assert not d4.matching(is_dhcp4)


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


def test_dhclient_rebinds_where_its_server_is_another(scene: Scene, tmp_path: Path) -> None:
    """The one that it knows doesn't answer; what it asks all then goes to the one that is there."""
    vm, path = scene.lab.vm("d2"), "/dhcp-options/short"
    client = Dhclient(vm, tmp_path, "-4", settings=PATIENT_FOR_A_SECOND)
    with client, Tap(scene.lab.vm("d4")) as d4:
        assert client.wait_for("BOUND")["new_dhcp_server_identifier"] == "10.0.13.3"
        scene.net.call("PATCH", path, {"dhcpv4": {"server_id": "10.0.13.8"}})
        # Its script may be told that it has renewed, though it asked all.
        told = client.wait_for("RENEW", "REBIND", new_dhcp_server_identifier="10.0.13.8")
        assert told["new_ip_address"] == IP["d2"]
        d4.drain()
        assert not d4.matching(is_dhcp4)
    scene.net.call("PATCH", path, {"dhcpv4": {"server_id": "10.0.13.3"}})


def test_dhclient_that_renews_another_address_is_refused(scene: Scene, tmp_path: Path) -> None:
    """Its port got another address: it is told no, begins anew, and has that."""
    net, security = scene.net, [f"{MAC['d2']} {IP['d2']} {MOVED}"]
    net.change_port("d2", port_security=security)
    with Dhclient(scene.lab.vm("d2"), tmp_path, "-4") as client:
        client.wait_for("BOUND", new_ip_address=IP["d2"])
        net.change_port("d2", addresses=[f"{MAC['d2']} {MOVED}"])
        client.wait_for("BOUND", new_ip_address=MOVED)
        assert client.said("DHCPNAK")
        assert client.told("EXPIRE")["old_ip_address"] == IP["d2"]
    original = f"{MAC['d2']} {IP['d2']}"
    net.change_port("d2", addresses=[original], port_security=[original])


def test_dhclient_whose_address_is_forbidden_begins_anew(scene: Scene, tmp_path: Path) -> None:
    """Nobody hears it ask for more time; with its next lease it has the new address."""
    net, path = scene.net, "/dhcp-options/short"
    net.call("PATCH", path, {"dhcpv4": {"lease_time": 5}})
    with Dhclient(scene.lab.vm("d2"), tmp_path, "-4", settings=PATIENT_FOR_A_SECOND) as client:
        client.wait_for("BOUND", new_ip_address=IP["d2"])
        moved = f"{MAC['d2']} {MOVED}"
        net.change_port("d2", addresses=[moved], port_security=[moved])
        client.wait_for("BOUND", new_ip_address=MOVED)
        assert client.told("EXPIRE")["old_ip_address"] == IP["d2"]
        assert not client.said("DHCPNAK")
    original = f"{MAC['d2']} {IP['d2']}"
    net.change_port("d2", addresses=[original], port_security=[original])
    net.call("PATCH", path, {"dhcpv4": {"lease_time": 30}})


def test_dhclient_that_declines_gets_the_same_again(scene: Scene, tmp_path: Path) -> None:
    """The address stays its port's; nothing is said to its DECLINE, but in the agent's log."""
    vm = scene.lab.vm("d1")
    client = Dhclient(vm, tmp_path, "-4", "--decline-wait-time", "0")
    client.declines_first()
    vm.namespace.ip("-4", "address", "flush", "dev", "eth0")
    with Tap(vm) as d1, client:
        until(lambda: client.said("DHCPDECLINE"), "what it declines")
        until(lambda: IP["d1"] in vm.namespace.ip("-4", "address"), "its address")
        d1.drain()
        assert kinds4(d1.matching(is_dhcp4)) == [OFFER, ACK, OFFER, ACK]
    line = "a DHCP client found its address in use"
    until(lambda: line in scene.lab.hypervisor("hv1").log.read_text(), "a line of the agent's")


def test_who_informs_itself_gets_no_lease(scene: Scene) -> None:
    server = ("0a:00:00:00:0d:fe", "10.0.13.1")
    for to in ((BROADCAST, "255.255.255.255"), server):
        with Tap(scene.lab.vm("d5")) as d5:
            d5.send(client4(MAC["d5"], INFORM, ciaddr=IP["d5"], to=to))
            answer = d5.expect(is_dhcp4, "an answer")
        assert (answer.src, answer.ip_src) == server
        assert (answer.dst, answer.ip_dst) == (MAC["d5"], IP["d5"])
        assert (kinds4([answer]), your_address(answer)) == ([ACK], bytes(4))
        told = options4(answer)
        assert not told.keys() & {LEASE_TIME, RENEWAL_TIME, REBINDING_TIME}
        assert told[ROUTERS] == ip("10.0.13.1")


def test_another_address_is_refused(scene: Scene) -> None:
    """A client that comes with the lease of another network begins anew."""
    with Tap(scene.lab.vm("d1")) as d1:
        d1.send(client4(MAC["d1"], REQUEST, (REQUESTED_ADDRESS, ip("192.0.2.7"))))
        nak = d1.expect(is_dhcp4, "a refusal")
        assert (nak.dst, nak.ip_dst) == (BROADCAST, "255.255.255.255")
        assert kinds4([nak]) == [NAK]
        assert options4(nak)[SERVER_ID] == ip("10.0.13.1")


def test_boot_files_are_those_of_the_architecture(scene: Scene, tmp_path: Path) -> None:
    wanted = [part for option in ("tftp", "bootfile") for part in ("-O", option)]
    server = {"siaddr": "10.0.13.7", "sname": "boot.example", "tftp": "boot.example"}
    for architecture, file in (("", "pxelinux.0"), ("0007", "grubx64.efi"), ("000b", "pxelinux.0")):
        said = ["-x", f"0x5d:{architecture}"] if architecture else []
        told = udhcpc(scene.lab.vm("d5"), tmp_path, *said, *wanted)
        assert {**server, "boot_file": file, "bootfile": file}.items() <= told.items(), told


def test_udhcpc_reads_all_kinds_of_routes(scene: Scene, tmp_path: Path) -> None:
    wanted = ("routes", "staticroutes", "msstaticroutes", "ntpsrv", "mtu", "search")
    asked = [part for option in wanted for part in ("-O", option)]
    told = udhcpc(scene.lab.vm("d5"), tmp_path, *asked)
    assert told["routes"] == "192.0.2.9/10.0.13.2"
    assert told["staticroutes"] == "0.0.0.0/0 10.0.13.1 198.51.100.0/25 10.0.13.4"
    assert told["msstaticroutes"] == "192.0.0.0/9 10.0.13.4"
    assert told["ntpsrv"] == "10.0.13.5 10.0.13.6"
    assert told["search"] == "lan.example example"


def test_debian_applies_what_it_is_told(scene: Scene, tmp_path: Path) -> None:
    """Address, routes without classes in place of the router, MTU, DNS servers and domains."""
    vm = scene.lab.vm("d5")
    with dhclient_of_debian(vm, tmp_path) as etc:
        settings = etc / "resolv.conf"
        until(lambda: "10.0.13.2" in settings.read_text(), "its DNS servers")
        until(lambda: "198.51.100.0" in vm.namespace.ip("route"), "its routes")
        routes = vm.namespace.ip("route").splitlines()
        assert [line.strip() for line in routes] == [
            "default via 10.0.13.1 dev eth0",
            f"10.0.13.0/24 dev eth0 proto kernel scope link src {IP['d5']}",
            "198.51.100.0/25 via 10.0.13.4 dev eth0",
        ]
        assert "mtu 1380" in vm.namespace.ip("link", "show", "eth0")
        assert settings.read_text().split("\n")[:4] == [
            "domain lan.example",
            "search lan.example. example.",
            "nameserver 10.0.13.2",
            "nameserver 10.0.13.3",
        ]
    vm.namespace.ip("link", "set", "eth0", "mtu", str(Vm.mtu))


def test_a_lease_that_port_security_forbids(scene: Scene, tmp_path: Path) -> None:
    """It is told of by a broadcast at most, and of no use."""
    vm = scene.lab.vm("d6")
    assert udhcpc(vm, tmp_path, attempts=1) == {}
    assert udhcpc(vm, tmp_path, "-B")["ip"] == FORBIDDEN
    with Tap(vm) as d6, Tap(scene.lab.vm("d4")) as d4:
        d6.send(arp_request(MAC["d6"], FORBIDDEN, "10.0.13.98"))
        wait_for_mark(d6, MAC["d6"], d4, source=IP["d6"])
        assert [frame.arp_spa for frame in d4.matching(lambda frame: frame.arp_op == 1)] == [
            IP["d6"]
        ]
    found = scene.net.reachability({"inport": "d6", "match": DISCOVERY.format(MAC["d6"])})
    assert not found["reachable"]
    assert (
        f"answered with {FORBIDDEN}, which gets to it by a broadcast at most, and is of no use: "
        "what comes from there is dropped by port security of logical switch port d6"
    ) in found["text"]


def test_acls_that_drop_everything_are_not_asked(scene: Scene, tmp_path: Path) -> None:
    """Not even ARP passes them."""
    acls = [
        scene.net.acl("ls:dhcp", direction, 2, "1", "drop")
        for direction in ("from-lport", "to-lport")
    ]
    assert udhcpc(scene.lab.vm("d1"), tmp_path)["ip"] == IP["d1"]
    for acl in acls:
        scene.net.delete(f"/acls/{acl}")


def test_explain_says_that_acls_are_not_asked(scene: Scene) -> None:
    found = scene.net.reachability({"inport": "d1", "match": DISCOVERY.format(MAC["d1"])})
    assert found["reachable"]
    assert "answered by the network itself" in str(found)


DISCOVERY = (
    "eth.src == {} && eth.dst == ff:ff:ff:ff:ff:ff && ip4.src == 0.0.0.0 "
    "&& ip4.dst == 255.255.255.255 && udp.src == 68 && udp.dst == 67"
)


def test_changed_options_are_told_at_once(scene: Scene, tmp_path: Path) -> None:
    scene.net.call("PATCH", "/dhcp-options/lan", {"dhcpv4": {"mtu": 1300}})
    assert udhcpc(scene.lab.vm("d3"), tmp_path)["mtu"] == "1300"
    scene.net.call("PATCH", "/dhcp-options/lan", {"dhcpv4": {"mtu": 1400}})
