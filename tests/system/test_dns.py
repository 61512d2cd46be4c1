"""DNS queries, asked by `dig`: answered here, refused by nobody, or passed on to the server."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.system.conftest import Scene
from tests.system.network import Network

pytestmark = pytest.mark.system

SERVER = {"a": "10.0.33.53", "b": "fd33::53"}
REFUSED = 5


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> Iterator[None]:
    """`dns1` on hv1 asks `dns-server` on hv2, a server that refuses everything."""
    net = scene.net
    net.switch("names")
    net.port("names", "dns1", "0a:00:00:00:33:01 10.0.33.1 fd33::1")
    net.port("names", "dns-server", f"0a:00:00:00:33:53 {SERVER['a']} {SERVER['b']}")
    scene.lab.add_vm("dns1", "hv1")
    scene.lab.add_vm("dns-server", "hv2")
    scene.lab.wait_until_up()
    net.call("POST", "/dns-record-sets", {"name": "corp", "switches": ["names"], "ttl": 30})
    record(net, "db.corp.example", "10.0.33.5", "fd33::5")
    net.call(
        "POST",
        "/dns-records",
        {
            "dns_record_set": "corp",
            "hostname": "5.33.0.10.in-addr.arpa",
            "pointer": "db.corp.example",
        },
    )
    sockets = [
        scene.lab.vm("dns-server").namespace.socket(family, socket.SOCK_DGRAM)
        for family in (socket.AF_INET, socket.AF_INET6)
    ]
    for listening, address in zip(sockets, SERVER.values(), strict=True):
        listening.bind((address, 53))
        listening.settimeout(0.2)
    is_over = threading.Event()
    threads = [threading.Thread(target=refuse_all, args=(each, is_over)) for each in sockets]
    for thread in threads:
        thread.start()
    # The first query would wait for neighbours otherwise.
    assert all(scene.lab.vm("dns1").reaches(address) for address in SERVER.values())
    yield
    is_over.set()
    for thread in threads:
        thread.join()
    for listening in sockets:
        listening.close()


def refuse_all(listening: socket.socket, is_over: threading.Event) -> None:
    """Refuse every query, until it is over."""
    while not is_over.is_set():
        try:
            data, sender = listening.recvfrom(4096)
        except TimeoutError:
            continue
        flags = (0x8000 | int.from_bytes(data[2:4]) | REFUSED).to_bytes(2)
        listening.sendto(data[:2] + flags + data[4:], sender)


def record(net: Network, hostname: str, *addresses: str) -> str:
    """Declare a record; returns its id."""
    body = {"dns_record_set": "corp", "hostname": hostname, "addresses": list(addresses)}
    return str(net.call("POST", "/dns-records", body)["id"])


def dig(scene: Scene, *arguments: str, server: str = SERVER["a"]) -> str:
    command = ("dig", f"@{server}", "+tries=3", "+time=10", *arguments)
    return scene.lab.vm("dns1").namespace.run(*command, check=False)


def short(scene: Scene, *arguments: str, server: str = SERVER["a"]) -> list[str]:
    return sorted(dig(scene, "+short", *arguments, server=server).split())


@pytest.mark.parametrize("server", SERVER.values())
def test_known_names_are_answered_over_both_families(scene: Scene, server: str) -> None:
    assert short(scene, "db.corp.example", server=server) == ["10.0.33.5"]
    assert short(scene, "DB.Corp.Example", "AAAA", server=server) == ["fd33::5"]
    assert short(scene, "-x", "10.0.33.5", server=server) == ["db.corp.example."]


@pytest.mark.parametrize("edns", ["+edns=0", "+noedns", "+dnssec"])
def test_the_answer_is_one_that_dig_likes(scene: Scene, edns: str) -> None:
    answer = dig(scene, edns, "db.corp.example")
    assert "status: NOERROR" in answer
    assert "WARNING" not in answer.replace("recursion requested but not available", "")
    assert "db.corp.example.\t30\tIN\tA\t10.0.33.5" in answer.replace("\t\t", "\t")
    assert ("EDNS: version: 0" in answer) is (edns != "+noedns")
    assert " aa " in answer


def test_what_is_not_known_goes_to_the_server(scene: Scene) -> None:
    for question in (["www.corp.example"], ["db.corp.example", "MX"], ["example.org", "AAAA"]):
        assert "status: REFUSED" in dig(scene, *question)


def test_names_of_the_other_family_have_no_addresses(scene: Scene) -> None:
    only4 = record(scene.net, "only4.corp.example", "10.0.33.4")
    answer = dig(scene, "only4.corp.example", "AAAA")
    assert "status: NOERROR" in answer
    assert "ANSWER: 0" in answer
    scene.net.delete(f"/dns-records/{only4}")
    assert "status: REFUSED" in dig(scene, "only4.corp.example")


def test_a_domain_that_is_owned_has_no_other_names(scene: Scene) -> None:
    scene.net.call("PATCH", "/dns-record-sets/corp", {"owned": True, "domain": "corp.example"})
    assert "status: NXDOMAIN" in dig(scene, "www.corp.example")
    assert "status: NOERROR" in dig(scene, "db.corp.example", "MX")
    assert "status: REFUSED" in dig(scene, "example.org")
    assert short(scene, "db.corp.example") == ["10.0.33.5"]
    scene.net.call("PATCH", "/dns-record-sets/corp", {"owned": False, "domain": None})
    assert "status: REFUSED" in dig(scene, "www.corp.example")


def test_explanations_say_what_dig_hears(scene: Scene) -> None:
    """Of a name that is known, of one that isn't, and of one that is made known as proposed."""

    def explained(name: str) -> Any:
        question = {"source": "dns1", "destination": SERVER["a"], "dns_name": name}
        return scene.net.reachability(question)

    found = explained("db.corp.example")
    assert "db.corp.example is 10.0.33.5, by DNS record" in found["text"]
    assert short(scene, "db.corp.example") == ["10.0.33.5"]
    found = explained("www.corp.example")
    assert found["text"].startswith("yes: dns1 reaches dns-server by udp/53")
    assert "status: REFUSED" in dig(scene, "www.corp.example"), "by the server that is reached"
    scene.net.call("PATCH", "/dns-record-sets/corp", {"owned": True, "domain": "corp.example"})
    scene.net.call("POST", "/dns-record-sets", {"name": "elsewhere", "switches": []})
    body = {"dns_record_set": "elsewhere", "hostname": "www.corp.example"}
    scene.net.call("POST", "/dns-records", body | {"addresses": ["10.0.33.80"]})
    found = explained("www.corp.example")
    assert [each["kind"] for each in found["obstacles"]] == ["dns"], found["text"]
    assert "status: NXDOMAIN" in dig(scene, "www.corp.example")
    scene.net.call("POST", "/transactions", found["proposal"]["transaction"])
    assert "www.corp.example is 10.0.33.80" in explained("www.corp.example")["text"]
    assert short(scene, "www.corp.example") == ["10.0.33.80"]
    scene.net.delete("/dns-record-sets/elsewhere")
    scene.net.call("PATCH", "/dns-record-sets/corp", {"owned": False, "domain": None})


def test_many_addresses_need_edns_or_are_cut(scene: Scene) -> None:
    many = record(scene.net, "many.corp.example", *(f"fd33::1:{n}" for n in range(1, 33)))
    assert len(short(scene, "many.corp.example", "AAAA")) == 32
    cut = dig(scene, "+noedns", "+ignore", "many.corp.example", "AAAA")
    assert " tc " in cut
    scene.net.delete(f"/dns-records/{many}")


@pytest.mark.parametrize("directions", [["to-lport"], ["from-lport"], ["to-lport", "from-lport"]])
def test_acls_decide_about_what_goes_on_alone(scene: Scene, directions: list[str]) -> None:
    """A security group that denies everything doesn't keep known names from being looked up."""
    denied = [scene.net.acl("ls:names", direction, 1, "ip", "drop") for direction in directions]
    for server in SERVER.values():
        assert short(scene, "db.corp.example", server=server) == ["10.0.33.5"]
        assert short(scene, "db.corp.example", "AAAA", server=server) == ["fd33::5"]
        assert short(scene, "-x", "10.0.33.5", server=server) == ["db.corp.example."]
    assert "no servers could be reached" in dig(scene, "+tries=1", "+time=1", "example.org")
    assert traced(scene, "db.corp.example") == "answered"
    assert traced(scene, "example.org") == "dropped"
    for acl in denied:
        scene.net.delete(f"/acls/{acl}")


def traced(scene: Scene, name: str) -> str:
    """How a query ends, by the trace of it."""
    packet = f"udp dns1 -> {SERVER['a']}:53"
    answer = scene.net.client.post("/v1/trace", json={"packet": packet, "dns_name": name})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["verdict"]["outcome"])


def test_projects_know_their_own_names(scene: Scene) -> None:
    """The same names stand for something else to another project, or for nothing."""
    net = scene.net
    net.switch("names", project="acme")
    for name, address in (
        ("dns1", "0a:00:00:00:33:02 10.0.33.1"),
        ("dns-server", f"0a:00:00:00:33:54 {SERVER['a']}"),
    ):
        values = {"name": name, "logical_switch": "acme/names", "addresses": [address]}
        net.call("POST", "/logical-switch-ports", values)
    port = net.get("/logical-switch-ports/dns1?project=acme")["id"]
    records = [
        {"hostname": "db.corp.example", "addresses": ["10.0.33.99"]},
        {"hostname": "only.acme.example", "addresses": ["10.0.33.98"]},
    ]
    document = {
        "document": "acme-names",
        "project": "acme",
        "dns_record_sets": {"corp": {"switches": ["names"], "records": records}},
    }
    net.call("POST", "/apply", document)
    scene.lab.add_vm(port, "hv1", name="acme-dns1")
    scene.lab.wait_until_up()
    asked = ("dig", "+short", "+tries=5", f"@{SERVER['a']}")
    there = scene.lab.vm("acme-dns1").namespace
    assert there.run(*asked, "db.corp.example").split() == ["10.0.33.99"]
    assert there.run(*asked, "only.acme.example").split() == ["10.0.33.98"]
    assert short(scene, "db.corp.example") == ["10.0.33.5"]
    assert "status: REFUSED" in dig(scene, "only.acme.example")


def test_queries_that_go_on_are_tracked_by_stateful_acls(scene: Scene) -> None:
    acls = [
        scene.net.acl("ls:names", "from-lport", 1, "ip", "drop"),
        scene.net.acl("ls:names", "to-lport", 1, "ip", "drop"),
        scene.net.acl("ls:names", "from-lport", 2, "udp.dst == 53", "allow-related"),
        scene.net.acl(
            "ls:names", "to-lport", 2, 'outport == "dns-server" && udp.dst == 53', "allow-related"
        ),
    ]
    assert "status: REFUSED" in dig(scene, "example.org")
    assert short(scene, "db.corp.example") == ["10.0.33.5"]
    for acl in acls:
        scene.net.delete(f"/acls/{acl}")


def test_other_switches_and_detached_sets_know_nothing(scene: Scene) -> None:
    scene.net.call("PATCH", "/dns-record-sets/corp", {"switches": []})
    assert "status: REFUSED" in dig(scene, "db.corp.example")
    scene.net.call("PATCH", "/dns-record-sets/corp", {"switches": ["names"]})
    assert short(scene, "db.corp.example") == ["10.0.33.5"]


def test_what_is_no_query_reaches_the_server(scene: Scene) -> None:
    """Something else may speak over port 53."""
    vm = scene.lab.vm("dns1")
    asking = vm.namespace.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asking.settimeout(30)
    with asking:
        for data in (b"hello", bytes(12), b"\xff" * 600):
            asking.sendto(data, (SERVER["a"], 53))
            answer, _ = asking.recvfrom(4096)
            assert answer[4:] == data[4:]


def test_the_example_of_the_page(scene: Scene) -> None:
    example = Path(__file__).parents[2] / "examples" / "dns" / "network.yaml"
    document = yaml.safe_load(example.read_text())
    scene.net.call("POST", "/apply", document)
    scene.lab.add_vm("stall-1", "hv2")
    scene.lab.wait_until_up()
    asked = ("dig", "+short", "+tries=5", "@10.0.34.53", "stall-2.bazaar.example")
    assert scene.lab.vm("stall-1").namespace.run(*asked).split() == ["10.0.34.12"]
