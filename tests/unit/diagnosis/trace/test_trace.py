"""Traces over the demo's network: who decides what becomes of a packet."""

from typing import Any

import pytest

from southbound.cookies import PHYSICAL_COOKIE, physical_cookie
from southbound.rows import Chassis
from tests.unit.api.conftest import Server
from tests.unit.api.demo import apply_demo, trace, verdict


@pytest.fixture
async def demo(server: Server) -> Server:
    return await apply_demo(server)


def flat(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for step in steps for each in (step, *flat(step["steps"]))]


async def test_a_packet_that_an_acl_allows_is_delivered(demo: Server) -> None:
    found = await trace(demo, "tcp web-1 -> db-1:5432")
    assert found["verdict"]["outcome"] == "delivered"
    assert found["verdict"]["text"] == "delivered to db-1"
    (delivery,) = found["verdict"]["deliveries"]
    assert delivery["original"]
    for field in ("eth.dst=0a:00:00:20:02:11", "eth.src=0a:00:00:20:02:01", "ip.ttl=63"):
        assert field in delivery["packet"]
    steps = flat(found["steps"])
    assert {step["datapath"] for step in steps if step["datapath"]} == {"web", "core", "data"}
    assert "db-sql" in [step["cause"]["name"] for step in steps if step["cause"]]
    assert any("ip.ttl: 64 -> 63" in step["changes"] for step in steps)


async def test_an_address_that_port_security_allows(demo: Server) -> None:
    security = ["0a:00:00:20:01:12 10.20.1.12 fd20:1::12 10.20.1.100"]
    body = {"port_security": security}
    await demo.client.patch("/v1/logical-switch-ports/web-2", json=body)
    await demo.translate()
    found = await trace(demo, "icmp web-1 -> 10.20.1.100")
    assert found["verdict"]["text"] == "delivered to web-2"
    (assumption,) = found["assumptions"]
    assert assumption["text"] == "10.20.1.100 is behind web-2, whose port security allows it"
    found = await trace(demo, "icmp web-1 -> web-2", guests="via-gateway")
    assert "core" in {step["datapath"] for step in flat(found["steps"])}


async def test_a_source_port_that_matters_is_an_assumption(demo: Server) -> None:
    assert (await trace(demo, "tcp web-1 -> db-1:5432"))["assumptions"] == []
    acl = {
        "port_group": "databases",
        "direction": "to-lport",
        "priority": 2000,
        "match": "outport == @databases && tcp.src == 40000",
        "action": "drop",
    }
    await demo.client.post("/v1/acls", json=acl)
    await demo.translate()
    (assumption,) = (await trace(demo, "tcp web-1 -> db-1:5432"))["assumptions"]
    assert assumption["text"].startswith("the source port is 50000")
    assert (await trace(demo, "tcp web-1:40000 -> db-1:5432"))["assumptions"] == []


async def test_a_drop_names_the_acl_and_its_author(demo: Server) -> None:
    found = await verdict(demo, "udp web-1 -> db-1:53")
    assert (found["outcome"], found["datapath"]) == ("dropped", "data")
    assert found["stage"] == "ls_out_acl_action"
    assert found["cause"]["name"] == "db-silent"
    assert (found["cause"]["author"], found["cause"]["revision"]) == ("local", 1)
    assert found["text"] == (
        "dropped in data at ls_out_acl_action, by ACL db-silent (to-lport, tier 0, priority 10) "
        "of port group databases, last changed by local in revision 1"
    )


async def test_the_acl_that_rejects_answers(demo: Server) -> None:
    found = await verdict(demo, "tcp web-1 > db-1:22")
    assert (found["outcome"], found["cause"]["name"]) == ("answered", "db-reject")
    (delivery,) = found["deliveries"]
    assert (delivery["port"], delivery["original"]) == ("web-1", False)


async def test_port_security_drops_what_is_spoofed(demo: Server) -> None:
    found = await verdict(demo, "icmp 10.20.1.99 -> web-2", inport="web-1")
    assert (found["outcome"], found["stage"]) == ("dropped", "ls_in_port_sec_ip")
    assert (found["cause"]["kind"], found["cause"]["name"]) == ("logical_switch_port", "web-1")


async def test_no_route(demo: Server) -> None:
    found = await verdict(demo, "icmp web-1 -> 8.8.8.8")
    assert (found["outcome"], found["datapath"]) == ("dropped", "core")
    assert found["stage"] == "lr_in_ip_routing"
    assert found["text"].startswith(
        "dropped: logical router core has no route to 8.8.8.8, it leads to "
        "10.20.2.0/24, 10.20.1.0/24, in core at lr_in_ip_routing"
    )


@pytest.mark.parametrize("address", ["core-to-web", "10.20.1.1", "10.20.2.1", "fd20:1::1"])
async def test_the_router_answers_pings(demo: Server, address: str) -> None:
    found = await verdict(demo, f"icmp web-1 -> {address}")
    assert (found["outcome"], found["datapath"]) == ("answered", "core")
    assert [delivery["port"] for delivery in found["deliveries"]] == ["web-1"]
    assert found["stage"] == "lr_in_ip_input"


async def test_a_packet_that_goes_around_in_circles_is_dropped(server: Server) -> None:
    """Two routers that send each other all that they don't know."""
    ends = {"left": "right", "right": "left"}
    routers = {
        name: {
            "ports": {
                name: {
                    "mac": f"0a:00:00:00:09:0{number}",
                    "networks": [f"10.9.0.{number}/30"],
                    "peer": peer,
                }
            },
            "static_routes": [{"ip_prefix": "0.0.0.0/0", "nexthop": f"10.9.0.{3 - number}"}],
        }
        for number, (name, peer) in enumerate(ends.items(), 1)
    }
    routers["left"]["ports"]["gate"] = {"mac": "0a:00:00:00:01:fe", "networks": ["10.0.1.254/24"]}
    switch = {
        "ports": {
            "host": {"addresses": ["0a:00:00:00:01:01 10.0.1.1"]},
            "s-gate": {"type": "router", "router_port": "gate"},
        }
    }
    document = {
        "document": "circle",
        "logical_switches": {"s": switch},
        "logical_routers": routers,
    }
    made = await server.client.post("/v1/apply", json=document)
    assert made.status_code == 200, made.text
    await server.translate()
    sent = (
        "eth.src == 0a:00:00:00:01:01 && eth.dst == 0a:00:00:00:01:fe && ip4.src == 10.0.1.1 "
        "&& ip4.dst == 192.0.2.1 && ip.ttl == {} && tcp.dst == 80"
    )
    circles = await verdict(server, inport="host", match=sent.format(255))
    assert circles["outcome"] == "dropped"
    assert "goes around in circles" in circles["text"]
    told = await verdict(server, inport="host", match=sent.format(8))
    assert told["outcome"] == "answered"
    assert [delivery["port"] for delivery in told["deliveries"]] == ["host"]


async def test_the_switch_answers_arp(demo: Server) -> None:
    found = await verdict(demo, "arp web-1 -> web-2")
    assert (found["outcome"], found["stage"]) == ("answered", "ls_in_arp_rsp")
    assert found["cause"]["name"] == "web-2"


@pytest.mark.parametrize(
    ("connection", "outcome"),
    [("new", "dropped"), ("established", "dropped"), ("reply", "delivered")],
)
async def test_replies_pass_where_requests_do_not(
    demo: Server, connection: str, outcome: str
) -> None:
    packet = "udp web-1 -> db-1:53"
    assert (await verdict(demo, packet, connection=connection))["outcome"] == outcome


@pytest.mark.parametrize(
    ("packet", "connection", "outcome"),
    [
        ("tcp web-1 -> db-1:5432", "established", "delivered"),
        ("udp web-1 -> db-1:53", "established", "dropped"),
        ("udp web-1 -> db-1:53", "reply", "dropped"),
    ],
)
async def test_a_blocked_connection_is_asked_about_again_and_its_replies_stop(
    demo: Server, packet: str, connection: str, outcome: str
) -> None:
    found = await trace(demo, packet, connection=connection, blocked=True)
    assert (found["verdict"]["outcome"], found["blocked"]) == (outcome, True)


async def test_both_is_a_new_connection_and_a_known_one(demo: Server) -> None:
    packet = "tcp web-1 -> db-1:22"
    found = await trace(demo, packet, connection="both")
    (known,) = found["alternatives"]
    for traced, connection in ((found, "new"), (known, "established")):
        alone = await trace(demo, packet, connection=connection)
        assert alone["alternatives"] == []
        assert {name: traced[name] for name in known} == {name: alone[name] for name in known}
    assert flat(found["steps"]) != flat(known["steps"])


async def test_the_verdict_says_who_is_not_there(demo: Server) -> None:
    facts = demo.realised.facts
    packet = "tcp web-1 -> db-1:5432"

    async def absences() -> list[tuple[str, str]]:
        found = await verdict(demo, packet)
        assert found["outcome"] == "delivered"
        return [(each["port"], each["problem"]) for each in found["absences"]]

    assert await absences() == [("web-1", "unbound"), ("db-1", "unbound")]
    facts.connected(Chassis("hv1"))
    facts.claim("hv1", "web-1")
    facts.set_up("hv1", "web-1", True)
    assert await absences() == [("db-1", "unbound")]
    facts.connected(Chassis("hv2"))
    facts.claim("hv2", "db-1")
    assert await absences() == [("db-1", "not-up")]
    facts.set_up("hv2", "db-1", True)
    assert await absences() == []
    facts.lapsed("hv2")
    assert await absences() == [("db-1", "dead-chassis")]


async def test_a_packet_as_a_match(demo: Server) -> None:
    match = (
        'inport == "operator" && eth.src == 0a:00:00:20:01:20 && eth.dst == 0a:00:00:20:01:01 '
        "&& ip4.src == 10.20.1.20 && ip4.dst == 10.20.2.11 && ip.ttl == 1 && udp.dst == 53"
    )
    found = await verdict(demo, match=match)
    assert "ip.ttl" not in found["text"]
    assert found["datapath"] == "core"
    assert (await verdict(demo, match=match.replace("ttl == 1", "ttl == 9")))["datapath"] == "data"


async def test_words_need_no_arrow(demo: Server) -> None:
    with_arrow = await trace(demo, "tcp web-1 -> db-1:5432")
    assert await trace(demo, "tcp web-1 db-1:5432") == with_arrow


async def test_a_source_address_stands_for_its_port(demo: Server) -> None:
    assert (await trace(demo, "tcp 10.20.1.12 -> 10.20.2.11:5432"))["inport"] == "web-2"


@pytest.mark.parametrize(
    ("request_body", "pointer", "position"),
    [
        ({"packet": "tpc web-1 -> db-1:5432"}, "#/packet", 0),
        ({"packet": "tcp web-9 -> db-1:5432"}, "#/packet", 4),
        ({"packet": "tcp web-1 -> db-9:5432"}, "#/packet", 13),
        ({"packet": "tcp web-1 -> db-1:99999"}, "#/packet", 18),
        ({"packet": "tcp web-1 -> db-1"}, "#/packet", 17),
        ({"packet": "icmp web-1 ->"}, "#/packet", 13),
        ({"packet": "icmp web-1 -> 10.20.1.77"}, "#/packet", 14),
        ({"packet": "icmp 192.0.2.1 -> db-1"}, "#/packet", 5),
        ({"packet": "icmp core-to-web -> web-1"}, "#/packet", 5),
        ({"packet": "icmp web-1 -> db-1", "inport": "core-to-web"}, "#/inport", None),
        ({"match": 'inport == "web-1" && tpc'}, "#/match", 21),
        ({"match": "tcp"}, "#/inport", None),
        ({"packet": "icmp web-1 -> db-1", "inport": "nowhere"}, "#/inport", None),
        ({"packet": "icmp web-1 -> db-1", "connection": "old"}, "#/connection", None),
        ({"packet": "icmp web-1 -> db-1", "blocked": True}, "#/blocked", None),
        ({}, "#", None),
    ],
)
async def test_refusals_show_where(
    demo: Server, request_body: dict[str, Any], pointer: str, position: int | None
) -> None:
    response = await demo.client.post("/v1/trace", json=request_body)
    assert response.status_code == 422, response.text
    (fault,) = response.json()["errors"]
    assert (fault["pointer"], fault.get("position")) == (pointer, position)


@pytest.mark.parametrize(
    ("packet", "inport", "reason"),
    [
        ("icmp nothing -> web-1", None, "nothing has no address of its own"),
        ("icmp web-1 -> nothing", None, "nothing has no address of its own"),
        ("arp nothing -> 10.20.1.11", None, "nothing has no address of its own"),
        ("icmp 10.20.1.77 -> web-1", "nothing", "nothing has no address of its own"),
        ("icmp mac-only -> web-1", None, "mac-only has no IP address"),
        ("udp web-1 -> mac-only:53", None, "mac-only has no IP address"),
    ],
)
async def test_ports_without_addresses_are_told(
    demo: Server, packet: str, inport: str | None, reason: str
) -> None:
    for name, addresses in (("nothing", ["unknown"]), ("mac-only", ["0a:00:00:00:99:01"])):
        body = {"name": name, "addresses": addresses}
        await demo.client.post("/v1/logical-switches/web/ports", json=body)
    await demo.translate()
    request = {"packet": packet} | ({"inport": inport} if inport else {})
    response = await demo.client.post("/v1/trace", json=request)
    assert response.status_code == 422, response.text
    assert response.json()["errors"][0]["reason"].startswith(reason)


async def test_a_source_of_another_family_than_the_port_has(demo: Server) -> None:
    body = {"name": "six", "addresses": ["0a:00:00:00:99:06 fd20:1::99"]}
    await demo.client.post("/v1/logical-switches/web/ports", json=body)
    await demo.translate()
    found = await verdict(demo, "icmp 10.20.1.77 -> web-1", inport="six")
    assert found["outcome"] == "delivered"


async def test_a_question_that_comes_to_the_sender_is_no_answer(demo: Server) -> None:
    """The router asks on the sender's switch for an address that nobody has."""
    match = (
        'inport == "web-1" && eth.src == 0a:00:00:20:01:11 && eth.dst == 0a:00:00:20:01:01 && '
        "ip4.src == 10.20.1.11 && ip4.dst == 10.20.1.77 && ip.ttl == 64 && udp.dst == 53"
    )
    response = await demo.client.post("/v1/trace", json={"match": match})
    found = response.json()["verdict"]
    assert found["outcome"] == "asked"
    assert "web-1" in {delivery["port"] for delivery in found["deliveries"]}


async def test_a_change_shows_in_the_next_trace(demo: Server) -> None:
    assert (await verdict(demo, "tcp web-1 -> db-1:22"))["outcome"] == "answered"
    await demo.client.patch(
        "/v1/address-sets/operators", json={"addresses": ["10.20.1.20", "10.20.1.11"]}
    )
    acls = (await demo.client.get("/v1/acls", params={"name": "db-reject"})).json()["items"]
    await demo.client.patch(f"/v1/acls/{acls[0]['id']}", json={"action": "drop"})
    await demo.translate()
    assert (await verdict(demo, "tcp web-1 -> db-1:22"))["outcome"] == "delivered"
    dropped = await verdict(demo, "tcp web-1 -> db-1:23")
    assert (dropped["outcome"], dropped["cause"]["revision"]) == ("dropped", 3)


async def test_a_cookie_leads_back_to_the_object(demo: Server) -> None:
    steps = flat((await trace(demo, "udp web-1 -> db-1:53"))["steps"])
    step = next(s for s in steps if s["cause"] and s["cause"]["name"] == "db-silent")
    found = (await demo.client.get(f"/v1/cookies/{step['group']}")).json()
    assert (found["kind"], found["datapath"], found["author"]) == ("logical", "data", "local")
    assert found["cause"] == step["cause"]
    assert step["flow"] in [flow["text"] for flow in found["flows"]]
    decimal = await demo.client.get(f"/v1/cookies/{int(step['group'], 16)}")
    assert decimal.json() == found


async def test_cookies_of_the_agents_own(demo: Server) -> None:
    port = (await demo.client.get("/v1/port-bindings/db-1")).json()
    switch = (await demo.client.get("/v1/logical-switches/data")).json()
    texts = {}
    for key in (port["tunnel_key"], 0, 0x8000, 999):
        cookie = hex(physical_cookie(switch["tunnel_key"], key))
        found = (await demo.client.get(f"/v1/cookies/{cookie}")).json()
        assert (found["kind"], found["datapath"]) == ("physical", "data")
        texts[key] = found["text"]
    assert texts[port["tunnel_key"]] == "the way to and from port db-1 of data"
    assert texts[0] == "defaults of the stages of data"
    assert "multicast" in texts[0x8000]
    assert "gone" in texts[999]
    tunnels = (await demo.client.get(f"/v1/cookies/{PHYSICAL_COOKIE}")).json()
    assert "tunnels" in tunnels["text"]


@pytest.mark.parametrize(
    ("cookie", "status"), [("0xffff", 404), ("web-1", 422), ("0x10000000000000000", 422)]
)
async def test_wrong_cookies(demo: Server, cookie: str, status: int) -> None:
    assert (await demo.client.get(f"/v1/cookies/{cookie}")).status_code == status


async def test_acls_that_nothing_orders_are_both_named(demo: Server) -> None:
    """One lets go on to the next tier, where nothing stops it; the other lets through."""
    for name, tier, match, action in (
        ("first", 0, "tcp.dst == 53", "allow"),
        ("second", 0, "tcp", "pass"),
        ("last", 1, "tcp", "drop"),
    ):
        values = {"direction": "to-lport", "priority": 2000, "port_group": "databases"}
        values |= {"name": name, "tier": tier, "action": action}
        values["match"] = f"outport == @databases && {match}"
        made = await demo.client.post("/v1/acls", json=values)
        assert made.status_code == 201, made.text
    await demo.translate()
    found = await verdict(demo, "tcp web-1 -> db-1:53")
    assert (found["outcome"], found["cause"], found["flow"]) == ("unknown", None, None)
    first, second = (
        f"ACL {name} (to-lport, tier 0, priority 2000) of port group databases"
        for name in ("first", "second")
    )
    assert found["text"] in (
        f"not known, because it is not defined which of {one} and {other} decides: they have the "
        "same priority and both fit, in data at ls_out_acl_eval_0"
        for one, other in ((first, second), (second, first))
    )
    assert (await verdict(demo, "tcp web-1 -> db-1:54"))["outcome"] == "dropped"


@pytest.mark.parametrize("fragment", [1, 3])
async def test_ports_say_nothing_of_fragments(demo: Server, fragment: int) -> None:
    """The ACL that allows the port doesn't see it, as the switch doesn't."""
    match = (
        "eth.src == 0a:00:00:20:01:11 && eth.dst == 0a:00:00:20:01:12 && ip4.src == 10.20.1.11 "
        "&& ip4.dst == 10.20.1.12 && tcp.dst == 80"
    )
    whole = await trace(demo, inport="web-1", match=match)
    assert whole["verdict"]["outcome"] == "delivered"
    found = await trace(demo, inport="web-1", match=f"{match} && ip.frag == {fragment}")
    assert "tcp.dst" not in found["packet"]
    assert found["verdict"]["outcome"] == "dropped"
    assert found["verdict"]["cause"]["name"] == "web-nothing-else"
    assert "fragments show no ports" in found["verdict"]["text"]
    assert "fragments" not in whole["verdict"]["text"]


async def test_a_dns_query_is_answered_where_the_name_is_known(demo: Server) -> None:
    body = {"name": "corp", "switches": ["data"], "owned": True, "domain": "corp.example"}
    await demo.client.post("/v1/dns-record-sets", json=body)
    record = {
        "dns_record_set": "corp",
        "hostname": "db.corp.example",
        "addresses": ["10.20.2.11"],
    }
    (await demo.client.post("/v1/dns-records", json=record)).raise_for_status()
    await demo.translate()
    query = "udp db-1 -> db-2:53"
    known = await trace(demo, query, dns_name="DB.corp.example")
    assert known["verdict"]["outcome"] == "answered"
    texts = [step["text"] for step in flat(known["steps"])]
    assert any("db.corp.example" in text and "10.20.2.11" in text for text in texts)
    assert any(
        "there is no such name" in step["text"]
        for step in flat(
            (await trace(demo, query, dns_name="no.corp.example", dns_type="AAAA"))["steps"]
        )
    )
    passed_on = await trace(demo, query, dns_name="example.org")
    assert passed_on["verdict"]["outcome"] != "answered"
    unsaid = await trace(demo, query)
    assert unsaid["verdict"]["outcome"] == "unknown"
    assert "which name" in unsaid["verdict"]["text"]
