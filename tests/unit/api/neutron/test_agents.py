"""Chassis as agents, and the zone that all are in."""

import pytest

from api.neutron import zones
from api.neutron.agents import agent_id
from southbound.rows import Chassis, Encap
from tests.unit.api.neutron.conftest import Neutron

UNKNOWN = "0b4b5f0e-52c1-4d1f-9d1f-0f4f3f6b7a11"


async def test_chassis_are_agents(neutron: Neutron, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zones, "_PAGE", 1)
    facts = neutron.server.realised.facts
    assert await neutron.get("agents") == []
    facts.connected(Chassis("hv1", "host-1.example", encaps=(Encap("geneve", "192.0.2.1"),)))
    facts.connected(Chassis("hv2"))
    agents = await neutron.get("agents?sort_key=host")
    assert [(each["host"], each["alive"]) for each in agents] == [
        ("host-1.example", True),
        ("hv2", True),
    ]
    first = agents[0]
    assert first["configurations"]["tunnels"] == [{"type": "geneve", "ip": "192.0.2.1"}]
    assert first["id"] == agent_id("hv1")
    assert await neutron.get(f"agents/{first['id']}") == first
    assert await neutron.get(f"agents/{first['id']}?fields=host") == {"host": "host-1.example"}
    assert await neutron.get("agents?host=hv2&fields=host") == [{"host": "hv2"}]
    assert await neutron.get("agents?alive=False") == []
    page = (await neutron.call("GET", "agents?limit=1")).json()
    assert (len(page["agents"]), page["agents_links"][0]["rel"]) == (1, "next")


async def test_a_chassis_that_is_gone_can_be_forgotten(neutron: Neutron) -> None:
    neutron.server.realised.facts.connected(Chassis("hv1"))
    neutron.server.agents.connected["hv1"] = 1
    path = f"agents/{agent_id('hv1')}"
    await neutron.refused(409, "AgentInUse", "DELETE", path)
    del neutron.server.agents.connected["hv1"]
    assert (await neutron.call("DELETE", path)).status_code == 204
    assert neutron.server.agents.removed == ["hv1"]


async def test_refusals_of_agents(neutron: Neutron) -> None:
    neutron.server.realised.facts.connected(Chassis("hv1"))
    path = f"agents/{agent_id('hv1')}"
    for method in ("GET", "PUT", "DELETE"):
        await neutron.refused(404, "AgentNotFound", method, f"agents/{UNKNOWN}")
    body = {"agent": {"admin_state_up": False}}
    await neutron.refused(400, "BadRequest", "PUT", path, body)
    await neutron.refused(400, "BadRequest", "POST", "agents", {"agent": {}})
    for query in ("agents?colour=1", "agents?configurations=x", f"{path}?host=x"):
        await neutron.refused(400, "HTTPBadRequest", "GET", query)
    await neutron.refused(400, "HTTPBadRequest", "GET", "agents?sort_key=configurations")
    # Others see none.
    assert await neutron.get("agents", caller="alice") == []
    await neutron.refused(404, "AgentNotFound", "GET", path, caller="alice")
    for method in ("PUT", "DELETE"):
        await neutron.refused(403, "PolicyNotAuthorized", method, path, None, "alice")


async def test_availability_zones(neutron: Neutron) -> None:
    assert await neutron.get("availability_zones") == []
    neutron.server.realised.facts.connected(Chassis("hv1"))
    both = [
        {"name": "nova", "resource": resource, "state": "available"}
        for resource in ("network", "router")
    ]
    assert await neutron.get("availability_zones", caller="alice") == both
    assert await neutron.get("availability_zones?resource=router") == both[1:]
    assert await neutron.get("availability_zones?state=unavailable") == []
    await neutron.refused(400, "HTTPBadRequest", "GET", "availability_zones?colour=1")
    neutron.server.realised.facts.lapsed("hv1")
    assert (await neutron.get("availability_zones"))[0]["state"] == "unavailable"


@pytest.mark.parametrize("path", ["networks", "routers"])
async def test_hints_name_zones(neutron: Neutron, path: str) -> None:
    made = await neutron.make(path, availability_zone_hints=["nova"])
    assert made["availability_zone_hints"] == ["nova"]
    body = {path.removesuffix("s"): {"availability_zone_hints": ["moon"]}}
    message = await neutron.refused(404, "AvailabilityZoneNotFound", "POST", path, body)
    assert message == "AvailabilityZone moon could not be found."
