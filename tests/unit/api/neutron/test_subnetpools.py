"""Subnet pools over the Neutron API, and the subnets that are allocated from them."""

from typing import Any

import pytest

from tests.unit.api.neutron.conftest import Neutron

UNKNOWN = "0b4b5f0e-52c1-4d1f-9d1f-0f4f3f6b7a11"


async def make(neutron: Neutron, *prefixes: str, caller: str = "", **values: Any) -> Any:
    values = {"name": "pool", "prefixes": list(prefixes), **values}
    return await neutron.make("subnetpools", caller, **values)


async def subnet(neutron: Neutron, pool: str, caller: str = "", **values: Any) -> Any:
    """Allocate a subnet on a network of its own."""
    network = await neutron.make("networks", caller)
    values = {"network_id": network["id"], "ip_version": 4, "subnetpool_id": pool, **values}
    return await neutron.make("subnets", caller, **values)


async def refused(
    neutron: Neutron, pool: str, status: int, type_: str, caller: str = "", **values: Any
) -> str:
    network = await neutron.make("networks", caller)
    body = {"network_id": network["id"], "ip_version": 4, "subnetpool_id": pool, **values}
    return await neutron.refused(status, type_, "POST", "subnets", {"subnet": body}, caller)


async def test_a_pool_and_what_it_says_by_default(neutron: Neutron) -> None:
    made = await make(neutron, "10.0.0.5/24", "10.0.1.0/24", "10.0.0.0/25")
    assert {name: made[name] for name in made if name not in ("id", "created_at")} == {
        "name": "pool",
        "description": "",
        "project_id": "default",
        "tenant_id": "default",
        "prefixes": ["10.0.0.0/23"],
        "ip_version": 4,
        "min_prefixlen": 8,
        "max_prefixlen": 32,
        "default_prefixlen": 8,
        "default_quota": None,
        "shared": False,
        "is_default": False,
        "tags": [],
        "revision_number": made["revision_number"],
        "updated_at": made["created_at"],
    }
    assert made == await neutron.get(f"subnetpools/{made['id']}")
    six = await make(neutron, "fd00::/48", default_prefixlen="72")
    lengths = ("min_prefixlen", "max_prefixlen", "default_prefixlen")
    assert [six[name] for name in lengths] == [64, 128, 72]


@pytest.mark.parametrize(
    ("type_", "values", "words"),
    [
        ("HTTPBadRequest", {"name": ""}, "Blank strings are not permitted"),
        ("EmptySubnetPoolPrefixList", {"prefixes": []}, "Empty subnet pool prefix list."),
        ("HTTPBadRequest", {"prefixes": "x"}, "'x' is not a list"),
        ("HTTPBadRequest", {"prefixes": ["x"]}, "'x' is not a valid IP subnet"),
        ("HTTPBadRequest", {"prefixes": ["10.0.0.0"]}, "is not a valid IP subnet"),
        ("HTTPBadRequest", {"prefixes": ["10.0.0.0/8"] * 2}, "Duplicate items"),
        ("PrefixVersionMismatch", {"prefixes": ["10.0.0.0/8", "fd00::/48"]}, "Cannot mix"),
        (
            "IllegalSubnetPoolPrefixBounds",
            {"min_prefixlen": 24, "max_prefixlen": 16},
            "min_prefixlen=24, max_prefixlen=16",
        ),
        ("IllegalSubnetPoolPrefixBounds", {"max_prefixlen": 33}, "ip_version_max=32"),
        ("IllegalSubnetPoolPrefixBounds", {"default_prefixlen": 4}, "min_prefixlen=8"),
        (
            "IllegalSubnetPoolPrefixBounds",
            {"max_prefixlen": 24, "default_prefixlen": 25},
            "default_prefixlen=25, max_prefixlen=24",
        ),
        ("HTTPBadRequest", {"min_prefixlen": -1}, "min_prefixlen"),
        ("HTTPBadRequest", {"min_prefixlen": None}, "min_prefixlen"),
        ("HTTPBadRequest", {"default_quota": -1}, "default_quota"),
        ("HTTPBadRequest", {"default_quota": 1 << 31}, "too large"),
        ("HTTPBadRequest", {"ip_version": 4}, "'ip_version' not allowed in POST"),
        ("HTTPBadRequest", {"address_scope_id": UNKNOWN}, "Unrecognized attribute(s)"),
    ],
)
async def test_refusals(neutron: Neutron, type_: str, values: dict[str, Any], words: str) -> None:
    body = {"subnetpool": {"name": "x", "prefixes": ["10.0.0.0/8"], **values}}
    assert words in await neutron.refused(400, type_, "POST", "subnetpools", body)
    assert await neutron.get("subnetpools") == []


@pytest.mark.parametrize("missing", ["name", "prefixes"])
async def test_what_is_required(neutron: Neutron, missing: str) -> None:
    values: dict[str, Any] = {"name": "x", "prefixes": ["10.0.0.0/8"]}
    del values[missing]
    body = {"subnetpool": values}
    message = await neutron.refused(400, "HTTPBadRequest", "POST", "subnetpools", body)
    assert f"Required attribute '{missing}' not specified" in message


async def test_changes(neutron: Neutron) -> None:
    made = await make(neutron, "10.0.0.0/23", max_prefixlen=28)
    path = f"subnetpools/{made['id']}"
    changes = {
        "name": "other",
        "description": "x",
        "prefixes": ["10.0.0.0/22", "10.0.4.0/22"],
        "min_prefixlen": 20,
        "default_prefixlen": 24,
        "default_quota": 9,
        "is_default": True,
    }
    changed = (await neutron.call("PUT", path, {"subnetpool": changes})).json()["subnetpool"]
    assert {name: changed[name] for name in changes} == {**changes, "prefixes": ["10.0.0.0/21"]}
    assert changed == await neutron.get(path)
    for type_, wrong in (
        ("IllegalSubnetPoolPrefixUpdate", {"prefixes": ["10.0.0.0/22"]}),
        ("IllegalSubnetPoolPrefixUpdate", {"prefixes": []}),
        ("IllegalSubnetPoolPrefixUpdate", {"prefixes": ["fd00::/48"]}),
        ("PrefixVersionMismatch", {"prefixes": ["10.0.0.0/21", "fd00::/48"]}),
        ("IllegalSubnetPoolPrefixBounds", {"min_prefixlen": 30}),
        ("IllegalSubnetPoolPrefixBounds", {"default_prefixlen": 10}),
        ("IllegalSubnetPoolPrefixBounds", {"max_prefixlen": 40}),
        ("HTTPBadRequest", {"name": " "}),
        ("HTTPBadRequest", {"shared": True}),
        ("HTTPBadRequest", {"ip_version": 4}),
        ("HTTPBadRequest", {"tenant_id": "x"}),
    ):
        await neutron.refused(400, type_, "PUT", path, {"subnetpool": wrong})
    assert await neutron.get(path) == changed


async def test_one_default_of_each_version(neutron: Neutron) -> None:
    made = await make(neutron, "10.0.0.0/16", is_default=True, default_prefixlen=24)
    other = await make(neutron, "10.1.0.0/16")
    await make(neutron, "fd00::/48", is_default=True)
    values = {"name": "x", "prefixes": ["10.2.0.0/16"], "is_default": True}
    body = {"subnetpool": values}
    message = await neutron.refused(400, "InvalidInput", "POST", "subnetpools", body)
    assert "Only one default may exist per IP family" in message
    path = f"subnetpools/{other['id']}"
    body = {"subnetpool": {"is_default": True}}
    await neutron.refused(400, "InvalidInput", "PUT", path, body)
    again = await neutron.call("PUT", f"subnetpools/{made['id']}", body)
    assert again.status_code == 200
    network = await neutron.make("networks")
    values = {"network_id": network["id"], "use_default_subnetpool": True}
    four = await neutron.make("subnets", ip_version=4, **values)
    assert (four["subnetpool_id"], four["cidr"]) == (made["id"], "10.0.0.0/24")
    six = await neutron.make("subnets", ip_version=6, **values)
    assert (six["cidr"], six["gateway_ip"]) == ("fd00::/64", "fd00::1")
    message = await refused(neutron, other["id"], 400, "BadRequest", use_default_subnetpool=True)
    assert "cannot both be specified" in message


async def test_the_default_pool_follows_the_cidr(neutron: Neutron) -> None:
    await make(neutron, "10.0.0.0/16", is_default=True)
    network = await neutron.make("networks")
    values = {"network_id": network["id"], "cidr": "10.0.7.0/24", "ip_version": 6}
    body = {"subnet": {**values, "use_default_subnetpool": True}}
    # As with Neutron: there is a pool, and then the version is wrong.
    await neutron.refused(400, "InvalidInput", "POST", "subnets", body)


async def test_allocations(neutron: Neutron) -> None:
    pool = (await make(neutron, "10.0.0.0/22", default_prefixlen=24))["id"]
    first = await subnet(neutron, pool)
    assert (first["cidr"], first["gateway_ip"]) == ("10.0.0.0/24", "10.0.0.1")
    # The smallest gap that has room is filled first.
    chosen = await subnet(neutron, pool, cidr="10.0.3.0/25")
    assert chosen["cidr"] == "10.0.3.0/25"
    assert (await subnet(neutron, pool, prefixlen=26))["cidr"] == "10.0.3.128/26"
    around = await subnet(neutron, pool, prefixlen=24, gateway_ip="10.0.2.9")
    assert (around["cidr"], around["gateway_ip"]) == ("10.0.2.0/24", "10.0.2.9")
    assert (await subnet(neutron, pool, gateway_ip=None))["cidr"] == "10.0.1.0/24"
    words = "Failed to allocate subnet: Insufficient prefix space to allocate subnet size /24."
    assert await refused(neutron, pool, 409, "SubnetAllocationError") == words
    words = (
        "Failed to allocate subnet: Cannot allocate requested subnet from the available set of "
        "prefixes."
    )
    for block in ("10.0.0.0/25", "10.9.0.0/24", "10.0.0.0/22"):
        assert await refused(neutron, pool, 409, "SubnetAllocationError", cidr=block) == words
    await neutron.call("DELETE", f"subnets/{first['id']}")
    assert (await subnet(neutron, pool))["cidr"] == "10.0.0.0/24"


async def test_refused_allocations(neutron: Neutron) -> None:
    pool = (await make(neutron, "10.0.0.0/16", min_prefixlen=23, max_prefixlen=28))["id"]
    for type_, values, words in (
        ("MaxPrefixSubnetAllocationError", {"prefixlen": 29}, "maximum allowed prefix is 28"),
        ("MinPrefixSubnetAllocationError", {"prefixlen": 22}, "minimum allowed prefix is 23"),
        ("MinPrefixSubnetAllocationError", {"cidr": "10.0.0.0/22"}, "minimum allowed"),
        ("BadRequest", {"ip_version": 6}, "Cannot allocate IPv6 subnet from IPv4 subnet pool"),
        (
            "BadRequest",
            {"allocation_pools": [{"start": "10.0.0.3", "end": "10.0.0.4"}]},
            "allocation_pools allowed only for specific subnet requests",
        ),
    ):
        assert words in await refused(neutron, pool, 400, type_, **values)
    six = (await make(neutron, "fd00::/48"))["id"]
    automatic = {"ip_version": 6, "ipv6_address_mode": "slaac", "prefixlen": 80}
    await refused(neutron, six, 400, "InvalidInput", **automatic)


async def test_a_network_has_subnets_of_one_pool(neutron: Neutron) -> None:
    pool = (await make(neutron, "10.0.0.0/16", default_prefixlen=24))["id"]
    made = await subnet(neutron, pool)
    values = {"network_id": made["network_id"], "ip_version": 4, "cidr": "10.77.0.0/24"}
    body = {"subnet": values}
    await neutron.refused(400, "NetworkSubnetPoolAffinityError", "POST", "subnets", body)
    more = {"network_id": made["network_id"], "ip_version": 4, "subnetpool_id": pool}
    assert (await neutron.make("subnets", **more))["cidr"] == "10.0.1.0/24"
    await neutron.make("subnets", **{**values, "ip_version": 6, "cidr": "fd00::/64"})


async def test_bulk_allocation(neutron: Neutron) -> None:
    pool = (await make(neutron, "10.0.0.0/16", default_prefixlen=24))["id"]
    network = await neutron.make("networks")
    body = {"network_id": network["id"], "ip_version": 4, "subnetpool_id": pool}
    answer = await neutron.call("POST", "subnets", {"subnets": [body] * 3})
    blocks = [each["cidr"] for each in answer.json()["subnets"]]
    assert blocks == ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]


async def test_a_quota_is_of_each_project(neutron: Neutron) -> None:
    pool = await make(neutron, "10.0.0.0/16", shared=True, default_quota=300)
    for caller in ("alice", "bob"):
        await subnet(neutron, pool["id"], caller, prefixlen=24)
        await refused(neutron, pool["id"], 409, "SubnetPoolQuotaExceeded", caller, prefixlen=26)
        await subnet(neutron, pool["id"], caller, prefixlen=27)
    six = await make(neutron, "fd00::/48", default_quota=2)
    await subnet(neutron, six["id"], ip_version=6, prefixlen=64)
    await subnet(neutron, six["id"], ip_version=6, prefixlen=64)
    await refused(neutron, six["id"], 409, "SubnetPoolQuotaExceeded", ip_version=6, prefixlen=80)


async def test_a_pool_with_subnets_stays(neutron: Neutron) -> None:
    pool = (await make(neutron, "10.0.0.0/16", default_prefixlen=24))["id"]
    made = await subnet(neutron, pool)
    path = f"subnetpools/{pool}"
    message = await neutron.refused(400, "SubnetPoolDeleteError", "DELETE", path)
    assert message == "Unable to delete subnet pool: Subnet pool has existing allocations."
    await neutron.call("DELETE", f"networks/{made['network_id']}")
    assert (await neutron.call("DELETE", path)).status_code == 204
    await neutron.refused(404, "SubnetPoolNotFound", "DELETE", path)


async def test_prefixes_come_and_go(neutron: Neutron) -> None:
    pool = (await make(neutron, "10.0.0.0/16", default_prefixlen=24))["id"]
    await subnet(neutron, pool)
    path = f"subnetpools/{pool}"

    async def change(verb: str, *prefixes: str) -> Any:
        body = {"prefixes": list(prefixes)}
        return (await neutron.call("PUT", f"{path}/{verb}_prefixes", body)).json()

    assert await change("add", "10.2.0.0/16") == {"prefixes": ["10.0.0.0/16", "10.2.0.0/16"]}
    assert await change("add") == {"prefixes": ["10.0.0.0/16", "10.2.0.0/16"]}
    assert await change("remove", "10.2.0.0/17", "10.9.0.0/16", "fd00::/48") == {
        "prefixes": ["10.0.0.0/16", "10.2.128.0/17"]
    }
    assert (await neutron.get(path))["prefixes"] == ["10.0.0.0/16", "10.2.128.0/17"]
    for type_, verb, body in (
        ("IllegalSubnetPoolPrefixUpdate", "remove", {"prefixes": ["10.0.0.0/28"]}),
        ("PrefixVersionMismatch", "add", {"prefixes": ["fd00::/48"]}),
        ("HTTPBadRequest", "add", {"prefixes": "x"}),
        ("HTTPBadRequest", "add", {}),
        ("HTTPBadRequest", "remove", {"prefixes": [], "x": 1}),
    ):
        await neutron.refused(400, type_, "PUT", f"{path}/{verb}_prefixes", body)
        await neutron.refused(
            404, "SubnetPoolNotFound", "PUT", f"subnetpools/{UNKNOWN}/{verb}_prefixes", body
        )


async def test_projects(neutron: Neutron) -> None:
    own = await make(neutron, "10.0.0.0/16", caller="alice", default_prefixlen=24)
    shared = await make(neutron, "10.1.0.0/16", shared=True, default_prefixlen=24)
    other = await make(neutron, "10.2.0.0/16", caller="bob")
    seen = await neutron.get("subnetpools", caller="alice")
    assert {each["id"] for each in seen} == {own["id"], shared["id"]}
    path = f"subnetpools/{other['id']}"
    await neutron.refused(404, "SubnetPoolNotFound", "GET", path, caller="alice")
    await refused(neutron, other["id"], 404, "SubnetPoolNotFound", "alice")
    assert (await subnet(neutron, shared["id"], "alice"))["cidr"] == "10.1.0.0/24"
    body: Any = {"subnetpool": {"name": "x"}}
    path = f"subnetpools/{shared['id']}"
    for method, where, values in (
        ("PUT", path, body),
        ("DELETE", path, None),
        ("PUT", f"{path}/add_prefixes", {"prefixes": []}),
    ):
        await neutron.refused(403, "PolicyNotAuthorized", method, where, values, "alice")
        where = where.replace(shared["id"], own["id"])
        await neutron.refused(403, "PolicyNotAuthorized", method, where, values, "rita")
    for name in ("shared", "is_default"):
        body = {"subnetpool": {"name": "x", "prefixes": ["10.3.0.0/16"], name: True}}
        await neutron.refused(403, "PolicyNotAuthorized", "POST", "subnetpools", body, "alice")
    body = {"subnetpool": {"is_default": True}}
    where = f"subnetpools/{own['id']}"
    await neutron.refused(403, "PolicyNotAuthorized", "PUT", where, body, "alice")


async def test_filters_tags_and_revisions(neutron: Neutron) -> None:
    four = await make(neutron, "10.0.0.0/16", name="four", shared=True)
    six = await make(neutron, "fd00::/48", name="six", is_default=True, default_quota=7)
    for query, found in {
        "name=four": [four],
        f"id={six['id']}": [six],
        "ip_version=6": [six],
        "shared=True": [four],
        "is_default=True": [six],
        "default_quota=7": [six],
        "min_prefixlen=8": [four],
        "sort_key=ip_version&sort_dir=desc": [six, four],
    }.items():
        assert await neutron.get(f"subnetpools?{query}") == found, query
    for query in ("prefixes=x", "sort_key=prefixes", "colour=blue"):
        await neutron.refused(400, "HTTPBadRequest", "GET", f"subnetpools?{query}")
    path = f"subnetpools/{four['id']}"
    assert (await neutron.call("PUT", f"{path}/tags/kuryr.x")).status_code == 201
    found = await neutron.get("subnetpools?name=four&tags=kuryr.x")
    assert [each["id"] for each in found] == [four["id"]]
    stale = {"If-Match": f"revision_number={four['revision_number']}"}
    assert (await neutron.call("DELETE", path, **stale)).status_code == 412


async def test_prefixes_are_bounded_however_they_come(neutron: Neutron) -> None:
    prefixes = [f"10.{i >> 7}.{(i & 127) * 2}.0/24" for i in range(1000)]
    pool = await neutron.make("subnetpools", name="many", prefixes=prefixes)
    path = f"subnetpools/{pool['id']}"
    type_ = "IllegalSubnetPoolPrefixUpdate"
    for action, body in (
        ("add_prefixes", {"prefixes": ["172.16.0.0/24"]}),
        ("remove_prefixes", {"prefixes": ["10.0.0.64/26"]}),
    ):
        message = await neutron.refused(400, type_, "PUT", f"{path}/{action}", body)
        assert "at most 1000 prefixes" in message
    answer = await neutron.call("PUT", f"{path}/remove_prefixes", {"prefixes": prefixes[:1]})
    assert answer.json()["prefixes"] == prefixes[1:]
