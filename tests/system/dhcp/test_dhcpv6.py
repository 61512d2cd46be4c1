"""DHCPv6: real clients get their port's address, or only what goes with addresses of their own."""

from pathlib import Path

import pytest

from cli.testbed.network_facts import VmFacts
from cli.testbed.vm import Vm
from cli.testbed.wait import until
from tests.system.conftest import Scene
from tests.system.dhcp.clients import Dhclient
from tests.system.dhcp.messages import (
    ADVERTISE,
    CONFIRM,
    REPLY,
    REQUEST6,
    SOLICIT,
    Option,
    client6,
    is_dhcp6,
    kinds6,
    options6,
)
from tests.system.frames import NS, Frame, ip, neighbour_solicitation
from tests.system.tap import Tap

pytestmark = pytest.mark.system

NAMES = ("e1", "e2", "e3", "e4", "e5")
MAC = {name: f"0a:00:00:00:0e:0{n}" for n, name in enumerate(NAMES, 1)}
IP = {name: f"fd0e::1{n}" for n, name in enumerate(NAMES, 1)}
LINK_LOCAL = {name: f"fe80::800:ff:fe00:e0{n}" for n, name in enumerate(NAMES, 1)}
MOVED = "fd0e::22"
"""Another address that `e1` may have."""
FORBIDDEN = "fd0e::66"
"""What `e5` is to get, and may not use."""
SERVER_MAC = "02:00:00:00:0e:fe"


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """`e1`, `e2` get addresses, `e3` only options, `e4` nothing; ACLs let nothing out or in.

    What `e5` is given port security forbids.
    """
    net = scene.net
    said = {"dns_servers": ["fd0e::2"], "domain_search": ["lan.example"]}
    for name, more in (
        (
            "stateful",
            {
                "server_mac": SERVER_MAC,
                "renewal_time": 1,
                "rebinding_time": 2,
                "valid_lifetime": 600,
            },
        ),
        ("stateless", {"stateless": True}),
    ):
        body = {"name": name, "cidr": "fd0e::/64", "dhcpv6": {**said, **more}}
        net.call("POST", "/dhcp-options", body)
    net.switch("six", dhcpv6_options="stateful")
    for name, own in {"e1": {}, "e2": {}, "e3": {"dhcpv6_options": "stateless"}}.items():
        address = f"{MAC[name]} {IP[name]}"
        net.port("six", name, address, port_security=[address], **own)
    net.port("six", "e4", f"{MAC['e4']} {IP['e4']}", dhcp=False)
    secured = [f"{MAC['e5']} {IP['e5']}"]
    net.port("six", "e5", f"{MAC['e5']} {FORBIDDEN}", port_security=secured)
    for direction in ("from-lport", "to-lport"):
        net.acl("ls:six", direction, 1, "ip", "drop")
    for name in NAMES:
        scene.lab.add_vm(name, "hv2" if name == "e2" else "hv1", VmFacts(MAC[name], (), ()))
    scene.lab.wait_until_up()


def message(name: str, kind: int, *options: Option, source: str = "", xid: bytes = b"xid") -> bytes:
    """What a VM's client says, from its link-local address."""
    return client6(source or MAC[name], LINK_LOCAL[name], kind, *options, xid=xid)


CLIENT = (1, bytes((0, 3, 0, 1)) + bytes(6))
IA_NA = (3, b"iaid" + bytes(8))
STATUS = 13
SUCCESS, NOT_ON_LINK = 0, 4


def status_of(answer: Frame) -> int:
    """What a server says came of it."""
    assert kinds6([answer]) == [REPLY]
    return int.from_bytes(options6(answer)[STATUS][:2])


def iana(address: str) -> Option:
    """An identity association with an address."""
    return (3, b"iaid" + bytes(8) + (5).to_bytes(2) + (24).to_bytes(2) + ip(address) + bytes(8))


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


def test_dhclient_rebinds_where_its_server_is_another(scene: Scene, tmp_path: Path) -> None:
    """It asks all servers for more time; the one that is there takes it over."""
    path, ours = "/dhcp-options/stateful", {"server_mac": SERVER_MAC, "rebinding_time": 2}
    # It would ask the server that it knows for ten seconds more, if it began with that.
    scene.net.call("PATCH", path, {"dhcpv6": {"rebinding_time": 1}})
    with Dhclient(scene.lab.vm("e1"), tmp_path, "-6") as client:
        before = client.wait_for("BOUND6")["new_dhcp6_server_id"]
        scene.net.call("PATCH", path, {"dhcpv6": {"server_mac": "02:00:00:00:0e:fd"}})
        after = ":".join(before.split(":")[:-1]) + ":fd"
        told = client.wait_for("REBIND6", new_dhcp6_server_id=after)
        assert told["new_ip6_address"] == IP["e1"]
    scene.net.call("PATCH", path, {"dhcpv6": ours})


def test_dhclient_that_renews_another_address_loses_it(scene: Scene, tmp_path: Path) -> None:
    """Its port got another one: that is what it has from then on."""
    net, vm = scene.net, scene.lab.vm("e1")
    net.change_port("e1", port_security=[f"{MAC['e1']} {IP['e1']} {MOVED}"])
    with Dhclient(vm, tmp_path, "-6") as client:
        client.wait_for("BOUND6", new_ip6_address=IP["e1"])
        net.change_port("e1", addresses=[f"{MAC['e1']} {MOVED}"])
        client.wait_for("RENEW6", new_ip6_address=MOVED)
        until(lambda: has_only(vm, MOVED), "the new address alone")
    original = f"{MAC['e1']} {IP['e1']}"
    net.change_port("e1", addresses=[original], port_security=[original])


def has_only(vm: Vm, address: str) -> bool:
    """Whether a VM has an address, and no other but link-local ones."""
    shown = vm.namespace.ip("-6", "-br", "address", "show", "dev", "eth0")
    return [each for each in shown.split()[2:] if not each.startswith("fe80")] == [f"{address}/64"]


def test_dhclient_that_declines_gets_the_same_again(scene: Scene, tmp_path: Path) -> None:
    """It hears that this is well, and the address stays its port's; the agent's log tells of it."""
    vm = scene.lab.vm("e2")
    client = Dhclient(vm, tmp_path, "-6")
    client.declines_first()
    with Tap(vm) as e2, client:
        until(lambda: IP["e2"] in vm.namespace.ip("-6", "address"), "its address")
        assert client.said("Decline")
        e2.drain()
        expected = [ADVERTISE, REPLY, REPLY, ADVERTISE, REPLY]
        assert kinds6(e2.matching(is_dhcp6))[: len(expected)] == expected
    line = "a DHCP client found its address in use"
    until(lambda: line in scene.lab.hypervisor("hv2").log.read_text(), "a line of the agent's")


def test_dhclient_with_rapid_commit(scene: Scene, tmp_path: Path) -> None:
    vm = scene.lab.vm("e2")
    client = Dhclient(vm, tmp_path, "-6", settings="send dhcp6.rapid-commit;\n")
    with Tap(vm) as e2, client:
        assert client.wait_for("BOUND6")["new_ip6_address"] == IP["e2"]
        e2.drain()
        assert kinds6(e2.matching(is_dhcp6))[:1] == [REPLY]


def test_dhclient_that_comes_back_confirms_its_address(scene: Scene, tmp_path: Path) -> None:
    """If its port has got another one meanwhile, it is told so, and begins anew."""
    net, vm = scene.net, scene.lab.vm("e2")
    with Dhclient(vm, tmp_path, "-6") as client:
        client.wait_for("BOUND6", new_ip6_address=IP["e2"])
    with Tap(vm) as e2, Dhclient(vm, tmp_path, "-6") as client:
        until(lambda: client.said("Confirm on eth0"), "what it asks first")
        assert status_of(e2.expect(is_dhcp6, "the answer")) == SUCCESS
        until(lambda: has_only(vm, IP["e2"]), "its address")
    address = f"{MAC['e2']} {MOVED}"
    net.change_port("e2", addresses=[address], port_security=[address])
    with Tap(vm) as e2, Dhclient(vm, tmp_path, "-6") as client:
        assert status_of(e2.expect(is_dhcp6, "the answer")) == NOT_ON_LINK
        client.wait_for("BOUND6", new_ip6_address=MOVED)
    original = f"{MAC['e2']} {IP['e2']}"
    net.change_port("e2", addresses=[original], port_security=[original])


def test_addresses_that_are_confirmed(scene: Scene) -> None:
    said = {IP["e2"]: SUCCESS, IP["e1"]: NOT_ON_LINK, "fd00::1": NOT_ON_LINK}
    for address, status in said.items():
        with Tap(scene.lab.vm("e2")) as e2:
            e2.send(message("e2", CONFIRM, CLIENT, iana(address)))
            answer = e2.expect(is_dhcp6, "a reply")
        assert answer.ip_dst == LINK_LOCAL["e2"]
        assert status_of(answer) == status, address


@pytest.mark.parametrize("case", ["another's MAC", "another server"])
def test_who_is_not_answered(scene: Scene, case: str) -> None:
    with Tap(scene.lab.vm("e2")) as e2:
        if case == "another server":
            e2.send(message("e2", REQUEST6, CLIENT, IA_NA, (2, b"another"), xid=b"bad"))
        else:
            e2.send(message("e2", SOLICIT, CLIENT, IA_NA, source=MAC["e1"], xid=b"bad"))
        e2.send(message("e2", SOLICIT, CLIENT, IA_NA, xid=b"yes"))
        e2.expect(is_dhcp6, "the answer to the second message")
        assert [frame.l4[9:12] for frame in e2.matching(is_dhcp6)] == [b"yes"]


def test_ports_without_dhcp_are_not_answered(scene: Scene) -> None:
    """A flood that was sent later has come when the answer would have."""
    with Tap(scene.lab.vm("e4")) as e4, Tap(scene.lab.vm("e3")) as e3:
        e4.send(message("e4", SOLICIT, CLIENT, IA_NA))
        e3.send(message("e3", SOLICIT, CLIENT, IA_NA))
        answer = e3.expect(is_dhcp6, "the answer to another client")
        assert kinds6([answer]) == [ADVERTISE]
        assert STATUS in options6(answer)
        e3.send(neighbour_solicitation(MAC["e3"], IP["e3"], "fd0e::99"))
        e4.expect(lambda frame: frame.icmp_type == NS, "a solicitation")
        assert not e4.matching(lambda frame: frame.dport in (546, 547))


def test_a_lease_that_port_security_forbids(scene: Scene, tmp_path: Path) -> None:
    """It is given, for the answer goes to the link-local address, and is of no use."""
    vm = scene.lab.vm("e5")
    with Dhclient(vm, tmp_path, "-6") as client, Tap(scene.lab.vm("e4")) as e4:
        assert client.wait_for("BOUND6")["new_ip6_address"] == FORBIDDEN
        with Tap(vm) as e5:
            e5.send(neighbour_solicitation(MAC["e5"], FORBIDDEN, "fd0e::98"))
            e5.send(neighbour_solicitation(MAC["e5"], IP["e5"], "fd0e::99"))
        e4.expect(lambda frame: frame.icmp_type == NS and frame.ip_src == IP["e5"], "the second")
        assert not e4.matching(lambda frame: frame.ip_src == FORBIDDEN)
    found = scene.net.reachability({"inport": "e5", "match": solicitation("e5")})
    assert not found["reachable"]
    assert f"answered with {FORBIDDEN}, which is of no use" in found["text"]


def test_explain_says_that_acls_are_not_asked(scene: Scene) -> None:
    for name in ("e1", "e3"):
        found = scene.net.reachability({"inport": name, "match": solicitation(name)})
        assert found["reachable"]
        assert "answered by the network itself" in str(found)


def solicitation(name: str) -> str:
    """A client's message as explain is asked about it."""
    return (
        f"eth.src == {MAC[name]} && eth.dst == 33:33:00:01:00:02 && ip6.src == {LINK_LOCAL[name]} "
        "&& ip6.dst == ff02::1:2 && udp.src == 546 && udp.dst == 547"
    )
