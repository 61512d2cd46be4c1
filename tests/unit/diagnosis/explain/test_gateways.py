"""Gateways that no chassis is in charge of, on the way out, and who could be."""

from typing import Any

import pytest

from southbound.conditions import PROVIDER_NETWORKS
from tests.unit.diagnosis.explain.asking import allow, first, refused, unknown
from tests.unit.diagnosis.explain.conftest import Plugged
from tests.unit.diagnosis.explain.test_carriers import say
from tests.unit.diagnosis.explain.test_outside import HOST, OWN, learn, outside, texts

__all__ = ["outside"]

PORT = "/logical-router-ports/r1-public"
OUT = {"source": "a1", "destination": HOST}
IN = {"source": HOST, "inport": "public-net", "destination": "198.51.100.11"}
SNAT = f"NAT snat of 10.1.0.0/24 as {OWN} of logical router r1"
FLOATING = "NAT dnat_and_snat of 10.1.0.12 as 198.51.100.11 of logical router r1"
NOBODY = "there is no chassis or host named gw9"
LACKING = {
    PROVIDER_NETWORKS: "no bridge leads to physnet1: treadle-bridge-mappings has none for it"
}


async def lose(net: Plugged, names: str) -> None:
    """Let a chassis that there is not be named by a gateway port, an HA group or the router."""
    learn(net)
    ranks = [{"chassis": "gw9", "priority": 7}]
    if names == "logical_router_port":
        await net.change(PORT, gateway_chassis=ranks)
    elif names == "ha_chassis_group":
        await net.call("POST", "/ha-chassis-groups", {"name": "edges", "chassis": ranks})
        await net.change(PORT, gateway_chassis=[], ha_chassis_group="edges")
    else:
        await net.change(PORT, gateway_chassis=[])
        await net.change("/logical-routers/r1", chassis="gw9")


def operation(found: Any) -> Any:
    (only,) = found["proposal"]["transaction"]["operations"]
    return only


NAMES = [
    ("logical_router_port", "r1-public"),
    ("ha_chassis_group", "edges"),
    ("logical_router", "r1"),
]


@pytest.mark.parametrize(("kind", "name"), NAMES)
@pytest.mark.parametrize(("asked", "nat"), [(OUT, SNAT), (IN, FLOATING)])
async def test_another_chassis_is_proposed_where_the_named_ones_are_unknown(
    outside: Plugged, asked: dict[str, Any], nat: str, kind: str, name: str
) -> None:
    await lose(outside, kind)
    found = await refused(outside, **asked)
    assert first(found) == ("no-gateway", name)
    assert f"where {nat} translates, and no chassis is in charge: {NOBODY}" in found["text"]
    assert (operation(found)["kind"], operation(found)["ref"]) == (kind, name)
    assert "or start the agent of gw9" in found["proposal"]["text"][0]
    added = {"chassis": "hv1", "priority": 6}
    ranks = [{"chassis": "gw9", "priority": 7}, added]
    values = {
        "logical_router_port": {"gateway_chassis": ranks},
        "ha_chassis_group": {"chassis": ranks},
        "logical_router": {"chassis": "hv1"},
    }
    assert operation(found)["values"] == values[kind]
    assert texts(found["proposal"], "hypervisor") == [
        "chassis hv1 has a bridge to the provider network physnet1"
    ]
    await allow(outside, found, **asked)


async def test_one_that_is_not_heard_of_may_go_on(outside: Plugged) -> None:
    learn(outside)
    await outside.change(PORT, gateway_chassis=[{"chassis": "hv2", "priority": 1}])
    assert (await outside.ask(**OUT))["answer"] == "yes"
    outside.server.realised.facts.lapsed("hv2")
    found = await unknown(outside, **OUT)
    assert first(found) == ("no-gateway", "r1-public")
    assert "the request is perhaps lost at logical router port r1-public" in found["text"]
    assert f"where {SNAT} translates, and no chassis is in charge" in found["text"]
    assert "the agent of hv2 is not heard of" in found["text"]
    await allow(outside, found, **OUT)


async def test_without_another_chassis_one_of_those_named_has_to_come_back(
    outside: Plugged,
) -> None:
    """None is alive beside the one that lacks a bridge."""
    await lose(outside, "logical_router_port")
    say(outside, "hv1", conditions=LACKING)
    outside.server.realised.facts.lapsed("hv2")
    found = await refused(outside, **OUT)
    assert found["proposal"]["text"][0].startswith("start the agent of gw9")
    assert found["proposal"]["transaction"] is None
    assert "treadle show ha-chassis-groups" in found["proposal"]["commands"]
    assert found["proposal"]["sufficient"]
    assert texts(found["proposal"], "hypervisor") == ["what is to be done on hypervisors works"]


async def test_a_chassis_that_lacks_the_bridge_is_not_proposed(outside: Plugged) -> None:
    await lose(outside, "logical_router_port")
    say(outside, "hv1", conditions=LACKING)
    found = await refused(outside, **OUT)
    assert [each["chassis"] for each in operation(found)["values"]["gateway_chassis"]] == [
        "gw9",
        "hv2",
    ]
    assert texts(found["proposal"], "hypervisor") == [], "p1 is there, on the same network"


async def test_what_passes_no_gateway_is_not_lost_there(outside: Plugged) -> None:
    await lose(outside, "logical_router_port")
    assert (await outside.ask(source="a1", destination="b1"))["answer"] == "yes"


@pytest.mark.parametrize(("source", "nat"), [("a1", SNAT), ("a2", FLOATING)])
async def test_what_no_gateway_translates_is_told_on_the_way_out(
    outside: Plugged, source: str, nat: str
) -> None:
    """Hosts outside may have a route to it nevertheless, which isn't known."""
    learn(outside)
    asked = {"source": source, "destination": HOST}
    assert (await outside.ask(**asked))["answer"] == "yes"
    await outside.change(PORT, gateway_chassis=[])
    found = await unknown(outside, **asked)
    assert found["obstacles"][0]["kind"] == "nat"
    assert (
        "it is not known whether hosts beyond public-net have a route to 10.1.0." in found["text"]
    )
    assert nat in found["text"]
    assert "translates nothing: logical router r1 has no gateway" in found["text"]
    assert operation(found)["ref"] == "r1-public"
    await allow(outside, found, **asked)


async def test_an_address_that_no_nat_is_for_is_told_on_the_way_out(outside: Plugged) -> None:
    learn(outside)
    found = await unknown(outside, source="b1", destination=HOST)
    assert found["text"].endswith("; no NAT of logical router r1 translates it")
    assert first(found) == ("nat", "r1")
    assert operation(found)["values"] == {
        "logical_router": "r1",
        "type": "snat",
        "external_ip": OWN,
        "logical_ip": "10.2.0.11",
    }
    assert found["proposal"]["sufficient"]
    asked = {"source": HOST, "inport": "public-net", "destination": "b1"}
    assert first(await unknown(outside, **asked))[0] == "unknown", "its own route would help"
    await outside.change(PORT, gateway_chassis=[])
    found = await unknown(outside, source="b1", destination=HOST)
    assert found["obstacles"][0]["kind"] == "unknown"
    assert "translates nothing" not in str(found)


async def test_what_asks_past_a_nat_has_no_remedy(outside: Plugged) -> None:
    """What becomes of it hangs on hosts outside: another NAT would not help."""
    learn(outside)
    asked = {"source": HOST, "inport": "public-net", "destination": "a1", "service": "tcp/80"}
    found = await outside.ask(**asked)
    assert found["text"].startswith("not known"), found["text"]
    assert found["proposal"] is None


@pytest.mark.parametrize("is_of_router", [False, True])
async def test_what_no_nat_is_for_reaches_hosts_outside_by_one(
    outside: Plugged, is_of_router: bool
) -> None:
    """At a gateway port, and at a router that is on one chassis as a whole."""
    learn(outside)
    if is_of_router:
        await outside.change(PORT, gateway_chassis=[])
        await outside.change("/logical-routers/r1", chassis="hv1")
    asked = {"source": "b1", "destination": HOST}
    await allow(outside, await unknown(outside, **asked), **asked)


@pytest.mark.parametrize("path", [PORT, "/logical-routers/r1"])
async def test_an_external_address_whose_gateway_is_disabled(outside: Plugged, path: str) -> None:
    learn(outside)
    await outside.change(path, enabled=False)
    found = await refused(outside, **IN)
    assert first(found) == ("disabled", path.rpartition("/")[2])
    assert FLOATING in found["text"]
    assert found["text"].endswith(", is disabled")
    await allow(outside, found, **IN)
