"""Quotas of projects: what is shown, set and refused, and what then isn't created."""

from typing import Any

import pytest

from api.neutron.settings import QUOTAS, NeutronLimits
from tests.unit.api.neutron.conftest import Neutron


@pytest.fixture
def limits() -> NeutronLimits:
    return NeutronLimits(quotas={"router": 2})


async def put(neutron: Neutron, project: str, **quota: Any) -> dict[str, int]:
    answer = await neutron.call("PUT", f"quotas/{project}", {"quota": quota})
    assert answer.status_code == 200, answer.text
    shown: dict[str, int] = answer.json()["quota"]
    return shown


async def test_quotas_are_the_servers_until_others_are_set(neutron: Neutron) -> None:
    defaults = {**dict.fromkeys(QUOTAS, -1), "router": 2}
    for path in ("quotas/acme", "quotas/acme/default", "quotas/default"):
        assert await neutron.get(path) == defaults
    assert await neutron.get("quotas") == []
    changed = {**defaults, "network": 1, "router": 5}
    assert await put(neutron, "acme", network=1, router="5") == changed
    assert await neutron.get("quotas/acme", caller="alice") == changed
    assert await neutron.get("quotas/acme/default") == defaults
    assert await neutron.get("quotas/zoo") == defaults
    assert await neutron.get("quotas") == [{**changed, "project_id": "acme", "tenant_id": "acme"}]
    assert (await put(neutron, "acme", network=3))["router"] == 5
    assert (await neutron.call("DELETE", "quotas/acme")).status_code == 204
    assert await neutron.get("quotas/acme") == defaults
    await neutron.refused(404, "TenantQuotaNotFound", "DELETE", "quotas/acme")
    assert await neutron.get("quotas/tenant", caller="alice") == {"tenant_id": "acme"}
    assert await neutron.get("quotas/project", caller="alice") == {"project_id": "acme"}


async def test_nothing_is_created_beyond_a_quota(neutron: Neutron) -> None:
    await put(neutron, "acme", **dict.fromkeys(QUOTAS, 1))
    network = await neutron.make("networks", "alice")
    subnet = {"network_id": network["id"], "cidr": "10.0.0.0/24", "ip_version": 4}
    pool = {"name": "p", "prefixes": ["10.0.0.0/8"], "default_prefixlen": 24}
    group = {"name": "g", "addresses": []}
    await neutron.get("security-groups", caller="alice")  # which makes the default group
    [default] = await neutron.get("security-groups", caller="alice")
    rule = {"security_group_id": default["id"], "direction": "ingress"}
    for path, values, there in (
        ("networks", {}, 1),
        ("subnets", subnet, 0),
        ("subnetpools", pool, 0),
        ("ports", {"network_id": network["id"]}, 0),
        ("routers", {}, 0),
        ("address-groups", group, 0),
        ("security-groups", {"name": "g"}, 1),
        ("security-group-rules", rule, 1),
    ):
        name = path.replace("-", "_").removesuffix("s")
        if not there:
            await neutron.make(path, "alice", **values)
        body = {name: {**values, "cidr": "10.0.1.0/24"} if path == "subnets" else values}
        message = await neutron.refused(409, "OverQuota", "POST", path, body, "alice")
        assert message == f"Quota exceeded for resources: ['{name}']."
        details = await neutron.get("quotas/acme/details", caller="alice")
        assert details[name]["limit"] == 1
        assert details[name]["used"] >= 1
        assert details[name]["reserved"] == 0
    await neutron.make("networks", "bob")
    await neutron.make("networks")
    # What an admin makes for a project is that project's.
    body = {"network": {"project_id": "acme"}}
    await neutron.refused(409, "OverQuota", "POST", "networks", body)


async def test_many_at_once_need_room_for_all(neutron: Neutron) -> None:
    body = {"routers": [{}, {}, {}]}
    await neutron.refused(409, "OverQuota", "POST", "routers", body)
    assert await neutron.get("routers") == []
    assert (
        len((await neutron.call("POST", "routers", {"routers": [{}, {}]})).json()["routers"]) == 2
    )


async def test_what_v1_made_counts(neutron: Neutron) -> None:
    await put(neutron, "default", network=1)
    await neutron.v1.post("/v1/logical-switches", json={"name": "lan"})
    await neutron.refused(409, "OverQuota", "POST", "networks", {"network": {}})


async def test_refusals(neutron: Neutron) -> None:
    await neutron.make("routers")
    for quota, words in (
        ({"colour": 1}, "Unrecognized attribute(s) 'colour'"),
        ({"network": -2}, "too small"),
        ({"network": 2**31}, "too large"),
        ({"network": "many"}, "not an integer"),
        ({"network": None}, "not an integer"),
        ({"router": 0}, "must be greater than or equal to already used 1"),
        ({"router": 0, "force": "maybe"}, "cannot be converted to boolean"),
        ({"router": 0, "force": True, "check_limit": True}, "already used 1"),
        ({"router": 0, "project_id": "acme"}, "not the project of the path"),
    ):
        body = {"quota": quota}
        message = await neutron.refused(400, "HTTPBadRequest", "PUT", "quotas/default", body)
        assert words in message
    for body in ({}, {"quota": 1}, {"x": {}}):
        await neutron.refused(400, "HTTPBadRequest", "PUT", "quotas/default", body)
    assert (await put(neutron, "default", router=0, force=True))["router"] == 0
    await neutron.refused(400, "HTTPBadRequest", "GET", f"quotas/{'x' * 256}")


async def test_projects_see_their_own(neutron: Neutron) -> None:
    for method, path in (
        ("GET", "quotas"),
        ("GET", "quotas/zoo"),
        ("GET", "quotas/zoo/default"),
        ("GET", "quotas/zoo/details"),
        ("PUT", "quotas/acme"),
        ("DELETE", "quotas/acme"),
    ):
        body = {"quota": {"network": 1}} if method == "PUT" else None
        await neutron.refused(403, "PolicyNotAuthorized", method, path, body, "alice")
