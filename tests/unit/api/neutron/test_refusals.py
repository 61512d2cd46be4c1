"""Every route of the Neutron API refuses what it has to: a route without an entry fails.

Nothing of what is refused changes anything, and without a login there is nothing but discovery.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from unittest.mock import MagicMock

from starlette.routing import BaseRoute, Route

from api.neutron.agents import agent_id
from api.neutron.app import create_neutron_app
from api.neutron.auth.keystone import identity_routes
from southbound.rows import Chassis
from tests.unit.api.neutron.auth.conftest import Connect, connect, users
from tests.unit.api.neutron.conftest import Neutron
from tests.unit.api.neutron.refusals import ANY_ELSE, MORE, UNKNOWN, refusals_of

__all__ = ["connect", "users"]

ALL_ELSE = "/{path:path}"
DISCOVERY = {"/", "/v2.0", "/v2.0/"}
"""What is told without a login, and refuses nothing."""
VERSIONS = {"/identity", "/identity/", "/identity/v3", "/identity/v3/"}
"""What the identity service tells without a login."""
LOG_IN = "POST /identity/v3/auth/tokens"

REFUSES_NOTHING = {"GET /v2.0/extensions", "GET /v2.0/quotas/tenant", "GET /v2.0/quotas/project"}
"""Routes whose answers depend on nothing that a caller says, once it has logged in."""


def routes_of(routes: Iterable[BaseRoute]) -> list[str]:
    """Return routes as their method and path, but for the one that takes all other paths."""
    return [
        f"{method} {route.path}"
        for route in routes
        if isinstance(route, Route) and route.path != ALL_ELSE
        for method in sorted(route.methods or ())
        if method != "HEAD"
    ]


def routes() -> list[str]:
    """Return all routes of the API."""
    return routes_of(create_neutron_app(MagicMock(), MagicMock()).routes)


async def make_world(neutron: Neutron) -> dict[str, str]:
    """Make what refusals are about: objects of two projects, and those that use them."""
    world = {}
    for caller, prefix in (("alice", ""), ("bob", "their_")):
        for name, object_id in (await _make_project(neutron, caller)).items():
            world[prefix + name] = object_id
    world["shared"] = (await neutron.make("networks", shared=True))["id"]
    rules = await neutron.get("default-security-group-rules")
    world["default_rule"] = rules[0]["id"]
    neutron.server.realised.facts.connected(Chassis("hv1"))
    neutron.server.agents.connected["hv1"] = 1
    world["agent"] = agent_id("hv1")
    return world


async def _make_project(neutron: Neutron, caller: str) -> dict[str, str]:
    made: dict[str, str] = {}

    async def make(word: str, path: str, **values: Any) -> str:
        made[word] = (await neutron.make(path, caller, **values))["id"]
        return made[word]

    network = await make("network", "networks", name="lan")
    lan = {"network_id": network, "ip_version": 4}
    subnet = await make("subnet", "subnets", **lan, cidr="10.0.0.0/24")
    pool = await make("pool", "subnetpools", name="pool", prefixes=["10.64.0.0/16"])
    pooled = await make("pooled", "networks", name="pooled")
    of_pool = {"subnetpool_id": pool, "prefixlen": 24}
    await make("taken", "subnets", network_id=pooled, ip_version=4, **of_pool)
    group = await make("group", "security-groups", name="guard")
    addresses = await make("addresses", "address-groups", addresses=["10.0.0.1/32"])
    await make("rule", "security-group-rules", **rule(group), protocol="tcp")
    await make("other", "security-group-rules", **rule(group), remote_address_group_id=addresses)
    fixed_ips = [{"ip_address": "10.0.0.9"}]
    used = {"fixed_ips": fixed_ips, "device_id": "vm", "device_owner": "compute:x"}
    await make("port", "ports", network_id=network, security_groups=[group], **used)
    router = await make("router", "routers", name="edge")
    add = f"routers/{router}/add_router_interface"
    added = await neutron.call("PUT", add, {"subnet_id": subnet}, caller)
    made["leg"] = added.json()["port_id"]
    routes = [{"destination": "10.7.0.0/24", "nexthop": "10.0.0.9"}]
    body = {"router": {"routes": routes}}
    changed = await neutron.call("PUT", f"routers/{router}", body, caller)
    assert changed.status_code == 200, changed.text
    return made


def rule(group: str) -> dict[str, str]:
    return {"security_group_id": group, "direction": "ingress"}


def filled(value: Any, world: Mapping[str, str]) -> Any:
    """Return a path or body with ids in place of words in braces."""
    if isinstance(value, str):
        return re.sub(r"{(\w+)}", lambda match: world[match[1]], value)
    if isinstance(value, list):
        return [filled(each, world) for each in value]
    if isinstance(value, Mapping):
        return {name: filled(each, world) for name, each in value.items()}
    return value


def test_every_route_has_refusals() -> None:
    known = routes()
    without = [route for route in known if not refusals_of(route)]
    assert set(without) == REFUSES_NOTHING | {f"GET {path}" for path in DISCOVERY}
    assert set(MORE) <= set(known)


async def test_what_is_refused_changes_nothing(neutron: Neutron) -> None:
    world = await make_world(neutron)
    revision = (await neutron.v1.get("/v1/status")).json()["revision"]
    wrong = []
    for route in [*routes(), ""]:
        method = route.partition(" ")[0] or "GET"
        for each in refusals_of(route) if route else ANY_ELSE:
            path, body = filled(each.path, world), filled(each.body, world)
            answer = await neutron.call(method, path, body, each.caller, **each.headers)
            told = answer.json().get("NeutronError", {}) if answer.content else {}
            if (answer.status_code, told.get("type")) != (each.status, each.type):
                wrong.append(f"{method} {each}: {answer.status_code} {answer.text[:200]}")
            elif not told["message"]:
                wrong.append(f"{method} {each}: no message")
    assert wrong == []
    assert (await neutron.v1.get("/v1/status")).json()["revision"] == revision


async def test_without_a_login_there_is_only_discovery(connect: Connect) -> None:
    served = [*routes(), *routes_of(identity_routes(MagicMock(), MagicMock(), None))]
    async with connect("identity") as (client, _):
        for route in served:
            method, path = route.split()
            where = re.sub(r"{\w+(:path)?}", UNKNOWN, path)
            # Before a login there is not even an answer to what is wrong with a body.
            answer = await client.request(method, where, content=b"{")
            open_to_all = path in DISCOVERY | VERSIONS
            expected = (200, 300) if open_to_all else (400,) if route == LOG_IN else (401,)
            assert answer.status_code in expected, f"{route}: {answer.status_code} {answer.text}"
