"""What becomes of DNS queries: who answers, or why nobody here does."""

from typing import Any

import pytest

from tests.unit.api.conftest import Server
from tests.unit.diagnosis.explain.asking import allow, first, refused
from tests.unit.diagnosis.explain.conftest import Plugged, plugged

SERVER = "10.2.0.11"
QUERY = {"source": "a1", "destination": SERVER}


@pytest.fixture
async def net(server: Server) -> Plugged:
    """The switch of `a1` answers for `corp.example`, of which it has a host of both families."""
    net = await plugged(server)
    await record_set(net, "corp", ["a"], owned=True, domain="corp.example")
    await record(net, "corp", "db.corp.example", addresses=["10.2.0.50", "fd02::50"])
    await record(net, "corp", "four.corp.example", addresses=["10.2.0.51"])
    await record(net, "corp", "50.0.2.10.in-addr.arpa", pointer="db.corp.example")
    return net


async def record_set(net: Plugged, name: str, switches: list[str], **fields: Any) -> None:
    body = {"name": name, "switches": switches, **fields}
    await net.call("POST", "/dns-record-sets", body)


async def record(net: Plugged, record_set: str, hostname: str, **fields: Any) -> None:
    body = {"dns_record_set": record_set, "hostname": hostname, **fields}
    await net.call("POST", "/dns-records", body)


def of_kind(found: Any, kind: str) -> list[str]:
    return [each["text"] for each in found["assumptions"] if each["kind"] == kind]


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("db.corp.example", "A", "10.2.0.50"),
        ("DB.Corp.Example.", "AAAA", "fd02::50"),
        ("50.0.2.10.in-addr.arpa", "PTR", "db.corp.example"),
    ],
)
async def test_a_name_is_answered_by_a_record(
    net: Plugged, name: str, kind: str, value: str
) -> None:
    """Whatever ACLs say, and whether or not the server is there."""
    await net.acl("ls:a", "from-lport", 1, "ip")
    await net.acl("ls:a", "to-lport", 1, "ip")
    net.server.realised.facts.release("hv2", "b1")
    found = await net.ask(**QUERY, dns_name=name, dns_type=kind)
    canonical = name.lower().rstrip(".")
    assert found["answer"] == "yes"
    assert found["text"].startswith(
        f"yes: the request is answered by the network itself, without asking ACLs: {canonical} is "
        f"{value}, by DNS record {canonical} of DNS record set corp, added by local in revision"
    )
    assert (found["service"], found["obstacles"], found["assumptions"]) == ("udp/53", [], [])


async def test_records_of_one_name_add_up(net: Plugged) -> None:
    await record_set(net, "more", ["a"])
    await record(net, "more", "db.corp.example", addresses=["10.2.0.60"])
    found = await net.ask(**QUERY, dns_name="db.corp.example")
    for part in ("10.2.0.50", "10.2.0.60", "DNS record set corp", "DNS record set more"):
        assert part in found["text"]


async def test_what_a_name_lacks(net: Plugged) -> None:
    found = await refused(net, **QUERY, dns_name="four.corp.example", dns_type="AAAA")
    assert first(found)[0] == "dns"
    assert "answered with nothing of type AAAA: DNS record four.corp.example" in found["text"]
    assert found["text"].endswith("has 10.2.0.51 alone")
    assert found["proposal"] is None


async def test_a_name_that_is_not_in_a_domain(net: Plugged) -> None:
    found = await refused(net, **QUERY, dns_name="www.corp.example")
    assert first(found) == ("dns", "corp")
    assert "answered that there is no such name: DNS record set corp, added by" in found["text"]
    assert "speaks for corp.example, and no DNS record set of logical switch a has" in found["text"]
    assert found["proposal"] is None


async def test_a_record_set_that_has_it_is_made_known_there(net: Plugged) -> None:
    await record_set(net, "web", ["b"])
    await record_set(net, "other", ["b"], owned=True, domain="corp.example")
    await record(net, "web", "www.corp.example", addresses=["10.2.0.80"])
    question = {**QUERY, "dns_name": "www.corp.example"}
    found = await refused(net, **question)
    assert "DNS record set web has it, and is not known on logical switch a" in found["text"]
    (operation,) = found["proposal"]["transaction"]["operations"]
    assert operation["values"] == {"switches": ["b", "a"]}
    await allow(net, found, **question)
    assert "www.corp.example is 10.2.0.80" in (await net.ask(**question))["text"]


async def test_other_names_are_passed_on(net: Plugged) -> None:
    question = {**QUERY, "dns_name": "www.example.org"}
    found = await net.ask(**question)
    assert found["text"] == "yes: a1 reaches b1 by udp/53, and replies come back"
    why = "as no DNS record set of logical switch a has it"
    passed = f"{SERVER} knows www.example.org: the query is passed on, {why}"
    assert of_kind(found, "name") == [passed]
    await net.acl("ls:a", "from-lport", 1, "udp.dst == 53")
    found = await refused(net, **question)
    assert first(found)[0] == "acl"
    assert of_kind(found, "name") == [passed]
    await allow(net, found, **question)


async def test_a_type_that_is_not_known_of_a_name(net: Plugged) -> None:
    await record_set(net, "open", ["a"])
    await record(net, "open", "1.0.1.10.in-addr.arpa", pointer="gw.example")
    found = await net.ask(**QUERY, dns_name="1.0.1.10.in-addr.arpa")
    assert of_kind(found, "name")[0].endswith("as logical switch a knows nothing of type A of it")


async def test_a_switch_that_knows_no_names(net: Plugged) -> None:
    await net.call("PATCH", "/dns-record-sets/corp", {"switches": []})
    (text,) = of_kind(await net.ask(**QUERY, dns_name="db.corp.example"), "name")
    assert text.endswith(
        "the query is passed on, as logical switch a knows no names; DNS record set corp has it, "
        "and is not known on logical switch a"
    )


async def test_the_switch_of_the_server_answers_who_asks_from_another(net: Plugged) -> None:
    found = await net.ask(source="b1", destination="a2", dns_name="db.corp.example")
    assert "db.corp.example is 10.2.0.50, by DNS record" in found["text"]
    found = await net.ask(source="b1", destination="a2", dns_name="www.example.org")
    assert of_kind(found, "name")[0].endswith("as no DNS record set of logical switch a has it")


async def test_names_of_other_projects(net: Plugged) -> None:
    await net.call("POST", "/logical-switches", {"name": "theirs", "project": "acme"})
    fields = {"owned": True, "domain": "acme.example", "project": "acme"}
    await record_set(net, "names", ["theirs"], **fields)
    found = await net.ask(**QUERY, dns_name="www.acme.example")
    whose = "which is for switches of its project alone"
    told = f"DNS record set acme/names speaks for acme.example, {whose}"
    assert of_kind(found, "name")[0].endswith(told)
    await record(net, "acme/names", "www.acme.example", addresses=["10.0.0.1"])
    found = await net.ask(**QUERY, dns_name="www.acme.example")
    assert of_kind(found, "name")[0].endswith(f"DNS record set acme/names has it, {whose}")


async def test_a_query_that_is_dropped_before_any_name_is_looked_up(net: Plugged) -> None:
    await net.change("/logical-switch-ports/a1", port_security=["0a:00:00:00:01:01 10.1.0.99"])
    found = await refused(net, **QUERY, dns_name="www.example.org")
    assert first(found)[0] == "port-security"
    assert of_kind(found, "name") == []


async def test_a_packet_that_is_a_query(net: Plugged) -> None:
    match = (
        "eth.src == 0a:00:00:00:01:01 && eth.dst == 0a:00:00:01:00:01 && ip4.src == 10.1.0.11 && "
        "ip4.dst == 10.2.0.11 && ip.ttl == 64 && udp.src == 5000 && udp.dst == 53"
    )
    found = await net.ask(match=match, inport="a1", dns_name="db.corp.example")
    assert "db.corp.example is 10.2.0.50" in found["text"]


async def test_the_server_is_the_one_that_dhcp_tells(net: Plugged) -> None:
    options = {"routers": ["10.1.0.1"], "dns_servers": [SERVER, "10.1.0.12"]}
    body = {"name": "v4", "cidr": "10.1.0.0/24", "dhcpv4": options}
    await net.call("POST", "/dhcp-options", body)
    await net.change("/logical-switches/a", dhcpv4_options="v4")
    found = await net.ask(source="a1", dns_name="www.example.org")
    assert found["text"] == "yes: a1 reaches b1 by udp/53, and replies come back"
    passed, told = of_kind(found, "name")
    assert passed.startswith(f"{SERVER} knows www.example.org: the query is passed on")
    assert told == f"a1 asks the DNS server {SERVER}, which DHCP tells it"
    found = await net.ask(**QUERY, dns_name="www.example.org")
    assert of_kind(found, "name") == [passed]
    await net.change("/logical-switch-ports/a1", dhcp=False)
    answer = await net.server.client.post(
        "/v1/reachability", json={"source": "a1", "dns_name": "a.example"}
    )
    assert "DHCP tells a1 no DNS server that it could ask" in answer.text


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({**QUERY, "service": "tcp/53", "dns_name": "a.example"}, "dns_name"),
        ({**QUERY, "service": "icmp", "dns_name": "a.example"}, "dns_name"),
        ({"match": "icmp4 && ip4.src == 10.1.0.11", "inport": "a1", "dns_name": "a"}, "dns_name"),
        ({**QUERY, "dns_name": "a..example"}, "dns_name"),
        ({"source": "a1", "dns_name": "a.example"}, "destination"),
        ({"source": "a1", "destination": "www.example.org"}, "destination"),
    ],
)
async def test_what_is_no_query(net: Plugged, question: dict[str, str], field: str) -> None:
    answer = await net.server.client.post("/v1/reachability", json=question)
    assert answer.status_code == 422, answer.text
    assert [each["pointer"] for each in answer.json()["errors"]] == [f"#/{field}"]


async def test_without_a_name_it_is_about_the_server(net: Plugged) -> None:
    found = await net.ask(**QUERY, service="udp/53")
    assert found["text"] == "yes: a1 reaches b1 by udp/53, and replies come back"
    assert found["assumptions"] == []
