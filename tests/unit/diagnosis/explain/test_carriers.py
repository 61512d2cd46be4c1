"""Explanations and traces rest on what is known of switches and of the tunnels between them."""

from typing import Any

import pytest

from southbound.chassis_status import ChassisStatus
from southbound.conditions import FLOODS
from southbound.rows import Chassis, Datapath, Encap
from southbound.tunnels import TunnelFault, TunnelReport
from tests.unit.diagnosis.explain.asking import A_TO_B, first, unknown
from tests.unit.diagnosis.explain.conftest import Plugged
from tests.unit.diagnosis.explain.test_dhcp import discovery

WELL = TunnelReport({}, frozenset())
LOST = TunnelFault("hv2", "no-answer", "192.0.2.2", "", 1764158400.0)


def say(net: Plugged, chassis: str, **facts: Any) -> None:
    """What is known of the agent of a chassis; it is well but for that."""
    known = {"connected": True, "applied_revision": 1, "counters": {}, "tunnels": WELL, **facts}
    net.server.agents.statuses[chassis] = ChassisStatus(**known)


def datapath(net: Plugged, name: str) -> str:
    """The scope of a switch or router."""
    rows = net.server.realised.rows(Datapath).values()
    return next(f"datapath:{row.id}" for row in rows if row.name == name)


async def traced(net: Plugged) -> list[dict[str, Any]]:
    """What hinders a packet, by a trace."""
    found = await net.call("POST", "/trace", {"packet": "icmp a1 -> b1"})
    hindrances: list[dict[str, Any]] = found["verdict"]["hindrances"]
    return hindrances


async def test_all_is_well(net: Plugged) -> None:
    assert (await net.ask(**A_TO_B))["answer"] == "yes"
    assert await traced(net) == []
    assert net.server.agents.settled[0] == {"hv1", "hv2"}


async def test_a_tunnel_that_leads_nowhere_is_a_no(net: Plugged) -> None:
    say(net, "hv1", tunnels=TunnelReport({"hv2": LOST}, frozenset()))
    found = await net.ask(**A_TO_B)
    assert found["answer"] == "no"
    assert found["text"] == (
        "no: the request is lost on its way from hv1 to hv2: hv1 gets no answer from hv2's "
        "tunnel address 192.0.2.2 since 2025-11-26 12:00:00 UTC"
    )
    assert first(found)[0] == "unreachable"
    assert "treadle show chassis" in found["proposal"]["commands"]
    (hindrance,) = await traced(net)
    assert (hindrance["problem"], hindrance["certain"]) == ("unreachable", True)
    assert (hindrance["chassis"], hindrance["peer"]) == ("hv1", "hv2")
    assert (await net.explain("a1", "a2"))["answer"] == "yes", "it stays on one chassis"


async def test_the_tunnel_of_the_reply_counts_too(net: Plugged) -> None:
    lost = LOST._replace(chassis="hv1", address="192.0.2.1", reason="other-chassis", other="hv9")
    say(net, "hv2", tunnels=TunnelReport({"hv1": lost}, frozenset()))
    found = await net.ask(**A_TO_B)
    assert found["text"].startswith(
        "no: the reply is lost on its way from hv2 to hv1: hv1's tunnel address 192.0.2.1 is "
        "answered by hv9 when hv2 probes it"
    )


@pytest.mark.parametrize(
    ("tunnels", "text"),
    [
        (TunnelReport({}, frozenset({"hv2"})), "that has not been probed yet"),
        (None, "of which the agent says nothing"),
    ],
)
async def test_a_tunnel_of_which_nothing_is_known(
    net: Plugged, tunnels: TunnelReport | None, text: str
) -> None:
    say(net, "hv1", tunnels=tunnels)
    found = await net.ask(**A_TO_B)
    assert (found["answer"], found["reachable"]) == ("not-known", None)
    assert found["text"] == (
        f"not known, because the request is sent from hv1 to hv2 by a tunnel {text}"
    )
    (hindrance,) = await traced(net)
    assert (hindrance["problem"], hindrance["certain"]) == ("unprobed", False)


async def test_chassis_without_a_common_address_family(net: Plugged) -> None:
    encaps = (Encap("geneve", "2001:db8::2"),)
    net.server.realised.facts.connected(Chassis("hv2", "hv2.example.net", encaps))
    found = await net.ask(**A_TO_B)
    assert found["text"] == (
        "no: the request is lost on its way from hv1 to hv2: hv1 has tunnel addresses of IPv4, "
        "hv2 of IPv6: they share no address family"
    )


async def test_what_a_chassis_has_not_acknowledged(net: Plugged) -> None:
    say(net, "hv2", unapplied={datapath(net, "b")}, applied_revision=0)
    found = await net.ask(**A_TO_B)
    revision = net.server.realised.revision
    assert found["text"] == (
        "not known, because the request is handled by hv2, whose agent has not acknowledged "
        f"revision {revision} (its switch has 0)"
    )
    assert first(found)[0] == "agent"
    say(net, "hv2", unapplied={datapath(net, "transit")})
    assert (await net.ask(**A_TO_B))["answer"] == "yes", "that doesn't concern these packets"


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"connected": False}, "whose agent is not connected"),
        (
            {"connected": False, "heard_at": 1764158400.0},
            "whose agent is not connected, and was last heard of at 2025-11-26 12:00:00 UTC",
        ),
        ({"conditions": {"switch": "it is gone"}}, "whose agent says: it is gone"),
    ],
)
async def test_an_agent_that_is_not_well(net: Plugged, facts: dict[str, Any], text: str) -> None:
    say(net, "hv1", **facts)
    found = await net.ask(**A_TO_B)
    assert found["text"] == f"not known, because the request is handled by hv1, {text}"


async def test_conditions_that_are_not_about_flows_are_no_doubt(net: Plugged) -> None:
    say(net, "hv1", conditions={"announcing": "the database is slow"})
    assert (await net.ask(**A_TO_B))["answer"] == "yes"


async def test_a_no_is_a_no_whatever_else_is_not_known(net: Plugged) -> None:
    say(net, "hv1", connected=False)
    say(net, "hv2", tunnels=TunnelReport({"hv1": LOST._replace(chassis="hv1")}, frozenset()))
    found = await net.ask(**A_TO_B)
    assert found["answer"] == "no"
    assert "the reply is lost on its way from hv2 to hv1" in found["text"]


async def test_packets_too_big_for_a_tunnel(net: Plugged) -> None:
    say(net, "hv1", tunnels=TunnelReport({}, frozenset(), {"hv2": 1342}))
    assert (await net.ask(**A_TO_B))["answer"] == "yes"
    assert (await net.ask(**A_TO_B, length=1342 + 14))["answer"] == "yes"
    found = await net.ask(**A_TO_B, length=1342 + 15)
    assert found["text"] == (
        "no: the request is too big for the tunnel from hv1 to hv2, whose MTU is 1342; its "
        "sender is told so"
    )
    assert first(found)[0] == "tunnel-mtu"
    assert "treadle show chassis" in found["proposal"]["commands"]
    question = {"packet": "icmp a1 -> b1", "length": 1400}
    (hindrance,) = (await net.call("POST", "/trace", question))["verdict"]["hindrances"]
    assert (hindrance["problem"], hindrance["certain"]) == ("too-big", True)


async def test_replies_too_big_for_a_tunnel(net: Plugged) -> None:
    say(net, "hv2", tunnels=TunnelReport({}, frozenset(), {"hv1": 1342}))
    found = await net.ask(**A_TO_B, length=1500)
    assert found["text"].startswith("no: the reply is too big for the tunnel from hv2 to hv1")


FLOOD = "packets for the agent were dropped, beyond the share of who sent them: 40 of a1"


async def test_a_sender_that_has_more_than_its_share_of_the_agent(net: Plugged) -> None:
    """What the agent has to answer may be lost; what the switch does by itself isn't."""
    say(net, "hv1", conditions={FLOODS: FLOOD})
    options = {"name": "v4", "cidr": "10.1.0.0/24", "dhcpv4": {"routers": ["10.1.0.1"]}}
    await net.call("POST", "/dhcp-options", options)
    await net.change("/logical-switches/a", dhcpv4_options="v4")
    found = await unknown(net, **discovery())
    assert first(found)[0] == "flood"
    assert found["text"] == (
        "not known, because the request is perhaps lost before the agent of hv1, of which a1 asks "
        f"too much: {FLOOD}"
    )
    assert found["proposal"]["commands"] == ["treadle agent status --json"]
    assert (await net.ask(**A_TO_B))["answer"] == "yes"
    say(net, "hv1", conditions={FLOODS: FLOOD.replace("a1", "a2")})
    assert (await net.ask(**discovery()))["answer"] == "yes"


async def test_a_query_that_is_passed_on_goes_by_the_agent(net: Plugged) -> None:
    await net.call("POST", "/dns-record-sets", {"name": "corp", "switches": ["a"]})
    body = {"dns_record_set": "corp", "hostname": "db.example", "addresses": ["10.2.0.50"]}
    await net.call("POST", "/dns-records", body)
    question = {"source": "a1", "destination": "b1", "dns_name": "www.example"}
    assert (await net.ask(**question))["answer"] == "yes"
    say(net, "hv1", conditions={FLOODS: FLOOD})
    assert first(await unknown(net, **question))[0] == "flood"
