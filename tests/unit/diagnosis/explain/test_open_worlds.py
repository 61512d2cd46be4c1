"""Where an answer hangs on what nobody has said, it says so; and nothing is taken from others."""

from typing import Any

import pytest

from tests.unit.diagnosis.explain.asking import allow, refused, unknown
from tests.unit.diagnosis.explain.conftest import Plugged

VIRTUAL = "10.1.0.100"
A1, A2 = "0a:00:00:00:01:01", "0a:00:00:00:01:02"


def kinds(found: Any) -> list[str]:
    return [each["kind"] for each in found["assumptions"]]


async def plug(net: Plugged, name: str, switch: str, addresses: list[str], **more: Any) -> None:
    body = {"name": name, "addresses": addresses, **more}
    await net.call("POST", f"/logical-switches/{switch}/ports", body)
    net.plug(name, "hv1")


# --- addresses that are known from elsewhere than a port's addresses


@pytest.mark.parametrize("allowed", [VIRTUAL, "10.1.0.96/28", "0.0.0.0/0"])
@pytest.mark.parametrize("source", ["a1", "b1"])
async def test_an_address_that_port_security_allows(
    net: Plugged, allowed: str, source: str
) -> None:
    security = [f"{A2} 10.1.0.12 fd01::12 {allowed}"]
    await net.change("/logical-switch-ports/a2", port_security=security)
    found = await net.ask(source=source, destination=VIRTUAL)
    assert found["answer"] == "yes", found["text"]
    assert found["proposal"] is None
    (assumption,) = (each for each in found["assumptions"] if each["kind"] == "owner")
    assert assumption["text"] == f"{VIRTUAL} is behind a2, whose port security allows it"


async def test_an_address_that_two_ports_share(net: Plugged) -> None:
    await plug(net, "a3", "a", ["0a:00:00:00:01:03 10.1.0.13"])
    for name, mac, own in (("a2", A2, "10.1.0.12"), ("a3", "0a:00:00:00:01:03", "10.1.0.13")):
        security = [f"{mac} {own} {VIRTUAL}"]
        await net.change(f"/logical-switch-ports/{name}", port_security=security)
    found = await net.ask(source="a1", destination=VIRTUAL)
    assert found["answer"] == "yes", found["text"]
    assert "a2, whose port security allows it or a3" in found["assumptions"][0]["text"]
    await net.acl("ls:a", "to-lport", 5, 'outport == "a3" && ip', name="not-a3")
    found = await unknown(net, source="a1", destination=VIRTUAL)
    assert f"it hangs on who has {VIRTUAL}" in found["text"]
    assert "with a2 yes; with a3 no: the request is dropped by ACL not-a3" in found["text"]


@pytest.mark.parametrize("source", ["a1", "b1"])
async def test_an_address_behind_a_port_that_takes_unknown_ones(net: Plugged, source: str) -> None:
    await plug(net, "a4", "a", ["unknown"])
    found = await unknown(net, source=source, destination=VIRTUAL)
    assert "a4, which takes unknown addresses" in found["text"]
    assert found["proposal"] is None
    await net.acl("ls:a", "to-lport", 5, 'outport == "a4" && ip', name="closed")
    assert "closed" in (await refused(net, source=source, destination=VIRTUAL))["text"]


async def test_an_address_that_the_router_has_learned(net: Plugged) -> None:
    net.server.realised.facts.learned.learn_mac("hv1", "r1-a", VIRTUAL, A2)
    found = await net.ask(source="a1", destination=VIRTUAL)
    assert found["answer"] == "yes", found["text"]
    text = found["assumptions"][0]["text"]
    assert text == f"{VIRTUAL} is behind a2, where router port r1-a found it"
    found = await net.ask(source="b1", destination=VIRTUAL)
    assert found["answer"] == "yes", found["text"]
    assert [each["text"] for each in found["assumptions"]] == [
        f"{VIRTUAL} is at {A2}, where router port r1-a found it",
        f"a2 has {VIRTUAL}, which is none of its addresses",
    ]


async def test_a_no_that_rests_on_what_a_router_has_learned_says_so(net: Plugged) -> None:
    await net.change("/logical-switch-ports/a2", port_security=[f"{A2} 10.1.0.12"])
    net.server.realised.facts.learned.learn_mac("hv1", "r1-a", VIRTUAL, A2)
    found = await refused(net, source="b1", destination=VIRTUAL)
    assert "port security of logical switch port a2" in found["text"]
    assert kinds(found) == ["owner"]


async def test_who_asks_for_an_address_of_its_own_is_not_robbed_of_it(net: Plugged) -> None:
    """The sender's port security allows what it asks for: it may be its own at another time."""
    await net.change("/logical-switch-ports/a1", port_security=[f"{A1} 10.1.0.11 {VIRTUAL}"])
    found = await refused(net, source="a1", destination=VIRTUAL)
    assert found["proposal"]["sufficient"] is False
    assert "may be in use behind a1" in found["proposal"]["breaks"][0]


async def test_a_typo_is_a_no_that_says_what_it_assumes(net: Plugged) -> None:
    found = await refused(net, source="a1", destination="10.1.0.50")
    assert kinds(found) == ["unused"]
    assert "nobody behind a2 uses 10.1.0.50" in found["assumptions"][0]["text"]
    assert found["proposal"]["sufficient"]
    for name, mac, own in (("a1", A1, 11), ("a2", A2, 12)):
        security = [f"{mac} 10.1.0.{own}"]
        await net.change(f"/logical-switch-ports/{name}", port_security=security)
    found = await refused(net, source="a1", destination="10.1.0.50")
    assert found["assumptions"] == []


async def test_a_change_is_not_sufficient_that_takes_an_address_from_others(net: Plugged) -> None:
    """The sender uses an address that another port may have by its port security."""
    security = [f"{A2} 10.1.0.12 {VIRTUAL}"]
    await net.change("/logical-switch-ports/a2", port_security=security)
    found = await net.ask(source=VIRTUAL, inport="b1", destination="c1")
    assert found["proposal"] is None or not found["proposal"]["sufficient"], found


# --- the client's port

RPC = {"source": "a1", "destination": "b1", "service": "udp/111"}


async def guard(net: Plugged, *matches: tuple[str, str, int, str]) -> None:
    for direction, match, priority, action in matches:
        await net.acl("pg:guarded", direction, priority, match, action=action)


async def test_a_remedy_for_a_reply_is_for_all_clients(net: Plugged) -> None:
    await net.call("POST", "/port-groups", {"name": "guarded", "ports": ["a1", "a-r1"]})
    await guard(
        net,
        ("from-lport", "inport == @guarded && ip", 1000, "drop"),
        ("to-lport", "outport == @guarded && ip", 1000, "drop"),
        ("from-lport", "inport == @guarded && udp.dst == 111", 2000, "allow-related"),
        ("to-lport", "outport == @guarded && udp.dst == 111", 2000, "allow-related"),
    )
    found = await refused(net, **RPC)
    for operation in found["proposal"]["transaction"]["operations"]:
        assert "50000" not in operation["values"]["match"]
        assert "udp.src == 111" in operation["values"]["match"]
    await allow(net, found, **RPC)
    for port in (50000, 41234):
        assert (await net.ask(**RPC, source_port=port))["answer"] == "yes"


@pytest.mark.parametrize("first", [40000, 49999])
async def test_an_answer_that_hangs_on_the_clients_port(net: Plugged, first: int) -> None:
    match = f'inport == "a1" && udp.src >= {first} && udp.src <= 50010'
    await net.acl("ls:a", "from-lport", 7, match, name="some-clients")
    found = await unknown(net, **RPC)
    assert "it hangs on the client's port" in found["text"]
    assert "no: the request is dropped by ACL some-clients" in found["text"]
    assert (await net.ask(**RPC, source_port=first))["answer"] == "no"
    assert (await net.ask(**RPC, source_port=first - 1))["answer"] == "yes"


async def test_ports_that_clients_seldom_have_are_an_assumption(net: Plugged) -> None:
    await net.acl("ls:a", "to-lport", 7, "udp.dst == 3306", name="no-database")
    found = await net.ask(**RPC)
    assert found["answer"] == "yes"
    (assumption,) = (each for each in found["assumptions"] if each["kind"] == "client-port")
    assert assumption["text"] == "the client asks from a port of 32768 or above"
    assert "from 3306 no: the reply is dropped by ACL no-database" in assumption["otherwise"]


async def test_ports_that_nothing_looks_at_are_no_assumption(net: Plugged) -> None:
    await net.acl("ls:a", "from-lport", 7, "tcp.src == 40000", name="other-protocol")
    found = await net.ask(**RPC)
    assert (found["answer"], kinds(found)) == ("yes", [])


# --- how guests send


async def test_guests_that_leave_everything_to_their_gateway(net: Plugged) -> None:
    direct = "eth.dst != {0a:00:00:01:00:01, ff:ff:ff:ff:ff:ff} && ip"
    await net.acl("ls:a", "from-lport", 7, f'inport == {{"a1", "a2"}} && {direct}', name="direct")
    question = {"source": "a1", "destination": "10.1.0.12"}
    found = await refused(net, **question)
    (assumption,) = (each for each in found["assumptions"] if each["kind"] == "guest")
    assert assumption["otherwise"] == "yes"
    assert (await net.ask(**question, guests="via-gateway"))["answer"] == "yes"
    found = await refused(net, **question, guests="direct")
    assert "guest" not in kinds(found)


async def test_a_yes_that_needs_direct_frames_says_so(net: Plugged) -> None:
    await net.acl("ls:a", "to-lport", 7, 'outport == "a-r1" && ip4', name="no-router")
    found = await net.ask(source="a1", destination="10.1.0.12")
    assert found["answer"] == "yes"
    (assumption,) = (each for each in found["assumptions"] if each["kind"] == "guest")
    assert "no: the request is dropped by ACL no-router" in assumption["otherwise"]


# --- other addresses of the ends


async def test_an_answer_for_one_family_says_what_is_of_the_other(net: Plugged) -> None:
    await net.acl("ls:b", "to-lport", 7, "ip6 && icmp6.type == 128", name="no-ping6")
    found = await net.ask(source="a1", destination="b1")
    assert found["answer"] == "yes"
    (assumption,) = (each for each in found["assumptions"] if each["kind"] == "address")
    assert assumption["otherwise"].startswith("from fd01::11 to fd02::11 no: ")


# --- next hops that are no hosts


@pytest.mark.parametrize(
    ("hop", "why"),
    [
        ("10.9.0.1", "the router's own address 10.9.0.1"),
        ("10.9.0.0", "10.9.0.0, which is kept for all of 10.9.0.0/24"),
        ("10.9.0.255", "10.9.0.255, which is kept for all of 10.9.0.0/24"),
    ],
)
async def test_a_next_hop_that_no_host_has(
    net: Plugged, hop: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New ones are refused; those that are there already are named."""
    monkeypatch.setattr("northbound.services.static_routes.why_no_nexthop", lambda *_: None)
    route = {"ip_prefix": "198.51.100.0/24", "nexthop": hop}
    await net.call("POST", "/logical-routers/r1/static-routes", route)
    found = await refused(net, source="a1", destination="198.51.100.7")
    assert f"its next hop is {why}, which no host has" in found["text"]
    assert found["obstacles"][0]["kind"] == "next-hop"
    assert found["obstacles"][0]["cause"]["kind"] == "static_route"


# --- what a change might spoil


async def test_a_change_that_spoils_what_works_is_not_sufficient(
    net: Plugged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A remedy that moved another port's way is told, with who suffers from it."""
    from diagnosis.explain import looking
    from diagnosis.explain.remedies.case import Remedy

    await net.acl("ls:b", "to-lport", 9, 'outport == "b1" && tcp.dst == 80', name="no-web")
    await plug(net, "b2", "b", ["0a:00:00:00:02:02 10.2.0.12"])
    blunt = (
        {"action": "update", "kind": "logical_switch_port", "ref": "b2"},
        {"action": "update", "kind": "logical_switch_port", "ref": "a2"},
    )
    real = looking.remedy

    def careless(*args: Any) -> Remedy | None:
        found = real(*args)
        if found is None:
            return None
        more = tuple({**each, "values": {"enabled": False}} for each in blunt)
        return Remedy(found.text, (*found.operations, *more))

    question = {"source": "a1", "destination": "b1", "service": "tcp/80"}
    assert (await refused(net, **question))["proposal"]["sufficient"]
    monkeypatch.setattr(looking, "remedy", careless)
    found = await refused(net, **question)
    assert found["proposal"]["sufficient"] is False
    assert (
        "a1 reaches b2 by tcp/80 without it, and with it no longer" in (found["proposal"]["breaks"])
    )
