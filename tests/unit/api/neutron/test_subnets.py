"""Subnets over the Neutron API: what is made, shown, changed and refused."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.api.neutron.conftest import Neutron

UNKNOWN = "0b4b5f0e-52c1-4d1f-9d1f-0f4f3f6b7a11"
SIX = {"ip_version": 6, "cidr": "fd00::/64"}
FOUR = {"ip_version": 4, "cidr": "10.0.0.0/24"}


def pool(first: str, last: str) -> dict[str, str]:
    return {"start": first, "end": last}


async def network(neutron: Neutron, caller: str = "", **values: Any) -> str:
    made = await neutron.make("networks", caller, **values)
    return str(made["id"])


async def make(neutron: Neutron, network_id: str, caller: str = "", **values: Any) -> Any:
    return await neutron.make("subnets", caller, network_id=network_id, **{**FOUR, **values})


async def test_a_subnet_and_what_it_says_by_default(neutron: Neutron) -> None:
    net = await network(neutron)
    made = await make(neutron, net, cidr="10.0.0.5/24", enable_dhcp="True")
    assert {name: made[name] for name in made if name not in ("id", "created_at")} == {
        "name": "",
        "description": "",
        "network_id": net,
        "project_id": "default",
        "tenant_id": "default",
        "ip_version": 4,
        "cidr": "10.0.0.0/24",
        "gateway_ip": "10.0.0.1",
        "allocation_pools": [pool("10.0.0.2", "10.0.0.254")],
        "enable_dhcp": True,
        "ipv6_ra_mode": None,
        "ipv6_address_mode": None,
        "host_routes": [],
        "dns_nameservers": [],
        "service_types": [],
        "subnetpool_id": None,
        "router:external": False,
        "tags": [],
        "revision_number": made["revision_number"],
        "updated_at": made["created_at"],
    }
    assert made == await neutron.get(f"subnets/{made['id']}")
    assert (await neutron.get(f"networks/{net}"))["subnets"] == [made["id"]]


@pytest.mark.parametrize(
    ("values", "gateway", "pools"),
    [
        ({"gateway_ip": None}, None, [pool("10.0.0.1", "10.0.0.254")]),
        ({"gateway_ip": "192.0.2.1"}, "192.0.2.1", [pool("10.0.0.1", "10.0.0.254")]),
        (
            {"gateway_ip": "10.0.0.9"},
            "10.0.0.9",
            [pool("10.0.0.1", "10.0.0.8"), pool("10.0.0.10", "10.0.0.254")],
        ),
        ({"gateway_ip": "10.0.0.254"}, "10.0.0.254", [pool("10.0.0.1", "10.0.0.253")]),
        (
            {"allocation_pools": [pool("10.0.0.30", "10.0.0.39"), pool("10.0.0.9", "10.0.0.9")]},
            "10.0.0.1",
            [pool("10.0.0.9", "10.0.0.9"), pool("10.0.0.30", "10.0.0.39")],
        ),
        ({"allocation_pools": []}, "10.0.0.1", [pool("10.0.0.2", "10.0.0.254")]),
        (
            {"cidr": "10.0.0.4/32", "enable_dhcp": False},
            "10.0.0.5",
            [pool("10.0.0.4", "10.0.0.4")],
        ),
        (
            {"cidr": "10.0.0.4/31", "enable_dhcp": False, "gateway_ip": None},
            None,
            [pool("10.0.0.4", "10.0.0.5")],
        ),
        (SIX, "fd00::", [pool("fd00::1", "fd00::ffff:ffff:ffff:ffff")]),
        (
            {**SIX, "gateway_ip": "fd00::1", "ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"},
            "fd00::1",
            [pool("fd00::2", "fd00::ffff:ffff:ffff:ffff")],
        ),
    ],
)
async def test_gateways_and_pools(
    neutron: Neutron, values: dict[str, Any], gateway: str | None, pools: list[dict[str, str]]
) -> None:
    made = await make(neutron, await network(neutron), **values)
    assert (made["gateway_ip"], made["allocation_pools"]) == (gateway, pools)


@pytest.mark.parametrize(
    ("status", "type_", "values", "words"),
    [
        (400, "InvalidInput", {"ip_version": 6}, "does not match the ip_version '6'"),
        (400, "HTTPBadRequest", {"ip_version": 5}, "ip_version"),
        (400, "HTTPBadRequest", {"cidr": "x"}, "'x' is not a valid IP subnet"),
        (400, "BadRequest", {"cidr": None}, "subnetpool must be specified"),
        (400, "BadRequest", {"prefixlen": 24}, "must not be supplied together"),
        (400, "InvalidInput", {"cidr": "10.0.0.0/31"}, "incompatible with DHCP"),
        (409, "IpamValueInvalid", {"cidr": "10.0.0.0/31", "enable_dhcp": False}, "10.0.0.1"),
        (400, "InvalidInput", {"cidr": "0.0.0.0/0", "enable_dhcp": False}, "0 is not allowed"),
        (400, "InvalidInput", {"cidr": "224.0.0.0/24"}, "Multicast IP subnet"),
        (400, "InvalidInput", {"cidr": "127.0.0.0/24"}, "Loopback IP subnet"),
        (400, "InvalidInput", {"cidr": "0.0.0.0/24"}, "First IP '0.0.0.0'"),
        (400, "InvalidInput", {"cidr": "127.0.0.0/24", "enable_dhcp": False}, "no host can have"),
        (400, "InvalidInput", {**SIX, "cidr": "::/64"}, "'::' is not supported"),
        (400, "InvalidInput", {**SIX, "cidr": "fd00::/127"}, "incompatible with DHCP"),
        (400, "InvalidInput", {"gateway_ip": "10.0.0.0"}, "Gateway is not valid"),
        (400, "InvalidInput", {"gateway_ip": "10.0.0.255"}, "Gateway is not valid"),
        (400, "InvalidInput", {"gateway_ip": "fd00::1"}, "gateway_ip 'fd00::1' does not match"),
        (400, "HTTPBadRequest", {"gateway_ip": "x"}, "'x' is not a valid IP address"),
        (400, "HTTPBadRequest", {**SIX, "gateway_ip": "fe80::1%eth0"}, "not a valid IP address"),
        (400, "HTTPBadRequest", {**SIX, "cidr": "fd00::%eth0/64"}, "not a valid IP subnet"),
        (
            409,
            "GatewayConflictWithAllocationPools",
            {"allocation_pools": [pool("10.0.0.1", "10.0.0.9")]},
            "Gateway ip 10.0.0.1 conflicts with allocation pool 10.0.0.1-10.0.0.9.",
        ),
        (
            400,
            "InvalidAllocationPool",
            {"allocation_pools": [pool("10.0.0.9", "10.0.0.3")]},
            "is not valid",
        ),
        (
            400,
            "InvalidAllocationPool",
            {"allocation_pools": [pool("fd00::1", "fd00::9")]},
            "is not valid",
        ),
        (
            400,
            "OutOfBoundsAllocationPool",
            {"allocation_pools": [pool("10.0.0.0", "10.0.0.3")]},
            "spans beyond the subnet cidr 10.0.0.0/24",
        ),
        (
            409,
            "OverlappingAllocationPools",
            {"allocation_pools": [pool("10.0.0.3", "10.0.0.9"), pool("10.0.0.9", "10.0.0.19")]},
            "10.0.0.3-10.0.0.9 10.0.0.9-10.0.0.19",
        ),
        (400, "HTTPBadRequest", {"allocation_pools": [{"start": "10.0.0.3"}]}, "end"),
        (400, "HTTPBadRequest", {"allocation_pools": "x"}, "allocation_pools"),
        (400, "HTTPBadRequest", {"dns_nameservers": ["1.1.1.1"] * 2}, "Duplicate"),
        (400, "HTTPBadRequest", {"dns_nameservers": ["x"]}, "'x' is not a valid IP address"),
        (400, "InvalidInput", {"dns_nameservers": ["fd00::1"]}, "dns_nameserver 'fd00::1'"),
        (
            400,
            "DNSNameServersExhausted",
            {"dns_nameservers": [f"1.1.1.{i}" for i in range(1, 7)]},
            "exceeds the limit 5",
        ),
        (
            400,
            "HTTPBadRequest",
            {"host_routes": [{"destination": "10.1.0.5/16", "nexthop": "10.0.0.7"}]},
            "'10.1.0.5/16' is not a valid CIDR",
        ),
        (
            400,
            "HTTPBadRequest",
            {"host_routes": [{"destination": "10.1.0.0/16", "nexthop": "10.0.0.7"}] * 2},
            "Duplicate",
        ),
        (400, "HTTPBadRequest", {"host_routes": [{"destination": "10.1.0.0/16"}]}, "nexthop"),
        (
            400,
            "InvalidInput",
            {"host_routes": [{"destination": "fd00::/64", "nexthop": "10.0.0.7"}]},
            "destination 'fd00::/64' does not match",
        ),
        (
            400,
            "HostRoutesExhausted",
            {
                "host_routes": [
                    {"destination": "10.1.0.0/16", "nexthop": f"10.0.0.{i}"} for i in range(21)
                ]
            },
            "exceeds the limit 20",
        ),
        (400, "InvalidInput", {"ipv6_ra_mode": "slaac"}, "not valid when ip_version is 4"),
        (400, "HTTPBadRequest", {**SIX, "ipv6_ra_mode": "x"}, "ipv6_ra_mode"),
        (
            400,
            "InvalidInput",
            {**SIX, "ipv6_ra_mode": "slaac", "ipv6_address_mode": "dhcpv6-stateless"},
            "they must be the same value",
        ),
        (
            400,
            "InvalidInput",
            {**SIX, "ipv6_address_mode": "slaac", "enable_dhcp": False},
            "cannot be set when enable_dhcp is set to False",
        ),
        (
            400,
            "InvalidInput",
            {**SIX, "cidr": "fd00::/60", "ipv6_address_mode": "slaac"},
            "requires the prefix to be /64",
        ),
        (400, "HTTPBadRequest", {"service_types": ["x"]}, "valid device owner"),
        (400, "HTTPBadRequest", {"shared": True}, "'shared' not allowed in POST"),
        (400, "HTTPBadRequest", {"segment_id": None}, "Unrecognized attribute(s) 'segment_id'"),
        (400, "HTTPBadRequest", {"network_id": "x"}, "'x' is not a valid UUID"),
        (404, "NetworkNotFound", {"network_id": UNKNOWN}, UNKNOWN),
        (404, "SubnetPoolNotFound", {"subnetpool_id": UNKNOWN}, UNKNOWN),
        (400, "BadRequest", {"use_default_subnetpool": True}, "No default subnetpool found"),
        (400, "HTTPBadRequest", {"name": "x" * 256}, "exceeds maximum length"),
    ],
)
async def test_refusals(
    neutron: Neutron, status: int, type_: str, values: dict[str, Any], words: str
) -> None:
    body = {"subnet": {"network_id": await network(neutron), **FOUR, **values}}
    assert words in await neutron.refused(status, type_, "POST", "subnets", body)
    assert await neutron.get("subnets") == []


@pytest.mark.parametrize("missing", ["network_id", "ip_version"])
async def test_what_is_required(neutron: Neutron, missing: str) -> None:
    values = {"network_id": await network(neutron), **FOUR}
    del values[missing]
    message = await neutron.refused(400, "HTTPBadRequest", "POST", "subnets", {"subnet": values})
    assert f"Required attribute '{missing}' not specified" in message


async def test_subnets_of_a_network_do_not_overlap(neutron: Neutron) -> None:
    net = await network(neutron)
    await make(neutron, net)
    body = {"subnet": {"network_id": net, **FOUR, "cidr": "10.0.0.128/25"}}
    message = await neutron.refused(400, "InvalidInput", "POST", "subnets", body)
    assert "10.0.0.128/25" in message
    assert "overlaps with another subnet" in message
    await make(neutron, net, cidr="10.0.1.0/24")
    await make(neutron, await network(neutron))


async def test_bulk_creation_is_all_or_nothing(neutron: Neutron) -> None:
    net = await network(neutron)
    bodies = [{"network_id": net, **FOUR, "cidr": f"10.0.{i}.0/24"} for i in (1, 2, 1)]
    await neutron.refused(400, "InvalidInput", "POST", "subnets", {"subnets": bodies})
    assert await neutron.get("subnets") == []
    answer = await neutron.call("POST", "subnets", {"subnets": bodies[:2]})
    assert [each["cidr"] for each in answer.json()["subnets"]] == ["10.0.1.0/24", "10.0.2.0/24"]


async def test_changes(neutron: Neutron) -> None:
    made = await make(neutron, await network(neutron))
    changes = {
        "name": "blue",
        "description": "x",
        "gateway_ip": None,
        "enable_dhcp": "False",
        "allocation_pools": [pool("10.0.0.9", "10.0.0.19"), pool("10.0.0.3", "10.0.0.4")],
        "dns_nameservers": ["8.8.8.8", "1.1.1.1"],
        "host_routes": [{"destination": "10.8.0.0/24", "nexthop": "10.0.0.8"}],
        "service_types": ["network:x"],
    }
    path = f"subnets/{made['id']}"
    changed = (await neutron.call("PUT", path, {"subnet": changes})).json()["subnet"]
    pools = [pool("10.0.0.3", "10.0.0.4"), pool("10.0.0.9", "10.0.0.19")]
    told = {**changes, "enable_dhcp": False, "allocation_pools": pools}
    assert {name: changed[name] for name in told} == told
    assert changed["revision_number"] == made["revision_number"] + 1
    assert changed == await neutron.get(path)
    back = {"dns_nameservers": None, "host_routes": None, "allocation_pools": None}
    changed = (await neutron.call("PUT", path, {"subnet": back})).json()["subnet"]
    assert (changed["dns_nameservers"], changed["host_routes"]) == ([], [])
    assert changed["allocation_pools"] == pools


@pytest.mark.parametrize(
    ("status", "type_", "changes"),
    [
        (409, "GatewayConflictWithAllocationPools", {"gateway_ip": "10.0.0.5"}),
        (
            409,
            "GatewayConflictWithAllocationPools",
            {"allocation_pools": [pool("10.0.0.1", "10.0.0.9")]},
        ),
        (
            400,
            "OutOfBoundsAllocationPool",
            {"allocation_pools": [pool("10.0.1.1", "10.0.1.9")]},
        ),
        (400, "InvalidInput", {"gateway_ip": "10.0.0.0"}),
        (400, "InvalidInput", {"gateway_ip": "fd00::1"}),
        (400, "InvalidInput", {"dns_nameservers": ["fd00::1"]}),
        (
            400,
            "InvalidInput",
            {"host_routes": [{"destination": "fd00::/64", "nexthop": "10.0.0.7"}]},
        ),
        *(
            (400, "HTTPBadRequest", {name: value})
            for name, value in (
                ("cidr", "10.0.0.0/24"),
                ("ip_version", 4),
                ("network_id", UNKNOWN),
                ("subnetpool_id", None),
                ("ipv6_ra_mode", None),
                ("ipv6_address_mode", None),
                ("prefixlen", 24),
                ("use_default_subnetpool", True),
                ("shared", True),
                ("router:external", True),
                ("tenant_id", "x"),
                ("id", UNKNOWN),
                ("colour", "blue"),
            )
        ),
    ],
)
async def test_refused_changes(
    neutron: Neutron, status: int, type_: str, changes: dict[str, Any]
) -> None:
    made = await make(neutron, await network(neutron))
    path = f"subnets/{made['id']}"
    await neutron.refused(status, type_, "PUT", path, {"subnet": changes})
    assert await neutron.get(path) == made


async def test_leases_of_automatic_addresses_stay(neutron: Neutron) -> None:
    made = await make(neutron, await network(neutron), **SIX, ipv6_address_mode="slaac")
    body = {"subnet": {"enable_dhcp": False}}
    await neutron.refused(400, "InvalidInput", "PUT", f"subnets/{made['id']}", body)


async def test_leases_need_room(neutron: Neutron) -> None:
    small = {"cidr": "10.0.0.4/31", "enable_dhcp": False, "gateway_ip": None}
    made = await make(neutron, await network(neutron), **small)
    body = {"subnet": {"enable_dhcp": True}}
    await neutron.refused(400, "InvalidInput", "PUT", f"subnets/{made['id']}", body)


async def test_ipv6_needs_an_mtu(neutron: Neutron) -> None:
    small = await network(neutron, mtu=1200)
    body = {"subnet": {"network_id": small, **SIX}}
    message = await neutron.refused(409, "NetworkMTUSubnetConflict", "POST", "subnets", body)
    assert message == f"MTU of {small} is not valid, subnet requires a minimum of 1280"
    net = await network(neutron)
    await make(neutron, net, **SIX)
    body = {"network": {"mtu": 1200}}
    await neutron.refused(409, "NetworkMTUSubnetConflict", "PUT", f"networks/{net}", body)


async def port(neutron: Neutron, network_id: str, element: str) -> str:
    values = {"addresses": [element]}
    made = await neutron.v1.post(f"/v1/logical-switches/{network_id}/ports", json=values)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def test_a_subnet_with_ports_is_in_use(neutron: Neutron) -> None:
    net = await network(neutron)
    four, six = await make(neutron, net), await make(neutron, net, **SIX)
    other = await make(neutron, net, cidr="10.0.1.0/24")
    addresses = ("0a:00:00:00:00:01 10.0.0.77", "0a:00:00:00:00:02 fd00::77")
    ports = [await port(neutron, net, each) for each in addresses]
    for each in (four, six):
        message = await neutron.refused(409, "SubnetInUse", "DELETE", f"subnets/{each['id']}")
        assert message == (
            f"Unable to complete operation on subnet {each['id']}: One or more ports have an IP "
            "allocation from this subnet."
        )
    assert (await neutron.call("DELETE", f"subnets/{other['id']}")).status_code == 204
    for each in ports:
        await neutron.v1.delete(f"/v1/logical-switch-ports/{each}")
    for subnet in (four, six):
        assert (await neutron.call("DELETE", f"subnets/{subnet['id']}")).status_code == 204
        await neutron.refused(404, "SubnetNotFound", "DELETE", f"subnets/{subnet['id']}")
    assert (await neutron.get(f"networks/{net}"))["subnets"] == []


async def test_a_gateway_that_a_router_has_stays(neutron: Neutron) -> None:
    net = await network(neutron)
    made = await make(neutron, net)
    await neutron.v1.post("/v1/logical-routers", json={"name": "r"})
    values = {"name": "r-net", "networks": ["10.0.0.1/24"]}
    await neutron.v1.post("/v1/logical-routers/r/ports", json=values)
    values = {"name": "net-r", "router_port": "r-net"}
    attached = await neutron.v1.post(f"/v1/logical-switches/{net}/ports", json=values)
    path = f"subnets/{made['id']}"
    for gateway in ("10.0.0.254", None):
        body = {
            "subnet": {
                "gateway_ip": gateway,
                "allocation_pools": [pool("10.0.0.2", "10.0.0.9")],
            }
        }
        message = await neutron.refused(409, "GatewayIpInUse", "PUT", path, body)
        assert str(attached.json()["id"]) in message
    body = {"subnet": {"gateway_ip": "10.0.0.1", "name": "same"}}
    assert (await neutron.call("PUT", path, body)).status_code == 200
    await neutron.refused(409, "SubnetInUse", "DELETE", path)


async def test_a_subnet_goes_with_its_network(neutron: Neutron) -> None:
    for api in ("v2.0", "v1"):
        net = await network(neutron)
        await make(neutron, net)
        if api == "v1":
            gone = await neutron.v1.delete(f"/v1/logical-switches/{net}")
        else:
            gone = await neutron.call("DELETE", f"networks/{net}")
        assert gone.status_code == 204
        assert await neutron.get("subnets") == []


async def test_subnets_of_switches_of_v1(neutron: Neutron) -> None:
    values = {
        "name": "office",
        "subnet4": "10.9.0.0/24",
        "subnet6": "fd09::/64",
        "exclude_ips": ["10.9.0.2..10.9.0.9", "10.9.0.254"],
    }
    switch = (await neutron.v1.post("/v1/logical-switches", json=values)).json()
    four, six = await neutron.get(f"subnets?network_id={switch['id']}&sort_key=ip_version")
    assert (four["cidr"], four["gateway_ip"]) == ("10.9.0.0/24", "10.9.0.1")
    assert four["allocation_pools"] == [pool("10.9.0.10", "10.9.0.253")]
    assert (six["cidr"], six["ipv6_address_mode"]) == ("fd09::/64", "slaac")
    assert four["revision_number"] == switch["version"]
    assert sorted((await neutron.get(f"networks/{switch['id']}"))["subnets"]) == sorted(
        [four["id"], six["id"]]
    )
    for each in (four, six):
        assert await neutron.get(f"subnets/{each['id']}") == each
        assert await neutron.get(f"subnets?id={each['id']}") == [each]
        assert await neutron.get(f"subnets?cidr={each['cidr']}") == [each]
        path = f"subnets/{each['id']}"
        for method, where, body in (
            ("PUT", path, {"subnet": {"name": "x"}}),
            ("DELETE", path, None),
            ("PUT", f"{path}/tags/x", None),
        ):
            message = await neutron.refused(409, "Conflict", method, where, body)
            assert "of logical switch office" in message
    assert await neutron.get("subnets?name=x") == []
    assert await neutron.get(f"subnets?subnetpool_id={UNKNOWN}") == []
    await neutron.refused(404, "SubnetNotFound", "GET", f"subnets/{four['id']}", caller="alice")
    body = {"subnet": {"network_id": switch["id"], **FOUR, "cidr": "10.9.0.0/25"}}
    await neutron.refused(400, "InvalidInput", "POST", "subnets", body)


async def test_a_switch_gets_no_subnet_that_overlaps(neutron: Neutron) -> None:
    net = await network(neutron)
    made = await make(neutron, net)
    six = await make(neutron, net, **SIX)
    path = f"/v1/logical-switches/{net}"
    for name, block, other in (
        ("subnet4", "10.0.0.128/25", made),
        ("subnet4", "10.0.0.0/16", made),
        ("subnet6", "fd00::/64", six),
    ):
        refused = await neutron.v1.patch(path, json={name: block})
        assert refused.status_code == 422
        [error] = refused.json()["errors"]
        assert error["pointer"] == f"#/{name}"
        assert f"overlaps with {other['cidr']}" in error["reason"]
    apart = {"subnet4": "10.1.0.0/24", "subnet6": "fd01::/64"}
    assert (await neutron.v1.patch(path, json=apart)).status_code == 200
    assert len(await neutron.get(f"subnets?network_id={net}")) == 4


async def test_a_name_is_no_id(neutron: Neutron) -> None:
    await make(neutron, await network(neutron), name="blue")
    await neutron.refused(404, "SubnetNotFound", "GET", "subnets/blue")
    assert len(await neutron.get("subnets?name=blue")) == 1


async def test_projects(neutron: Neutron) -> None:
    own = await network(neutron, "alice")
    shared = await network(neutron, shared=True)
    other = await network(neutron, "bob")
    mine = await make(neutron, own, "alice")
    seen = await make(neutron, shared)
    hidden = await make(neutron, other, "bob")
    found = await neutron.get("subnets", caller="alice")
    assert {each["id"] for each in found} == {mine["id"], seen["id"]}
    assert mine["project_id"] == "acme"
    path = f"subnets/{hidden['id']}"
    await neutron.refused(404, "SubnetNotFound", "GET", path, caller="alice")
    body: Any = {"subnet": {"name": "x"}}
    await neutron.refused(404, "SubnetNotFound", "PUT", path, body, "alice")
    path = f"subnets/{seen['id']}"
    for method, values in (("PUT", body), ("DELETE", None)):
        await neutron.refused(403, "PolicyNotAuthorized", method, path, values, "alice")
        path_of_mine = f"subnets/{mine['id']}"
        await neutron.refused(403, "PolicyNotAuthorized", method, path_of_mine, values, "rita")
    body = {"subnet": {"network_id": shared, **FOUR, "cidr": "10.1.0.0/24"}}
    await neutron.refused(403, "PolicyNotAuthorized", "POST", "subnets", body, "alice")
    body = {"subnet": {"network_id": other, **FOUR}}
    await neutron.refused(404, "NetworkNotFound", "POST", "subnets", body, "alice")
    body = {"subnet": {"network_id": own, **FOUR, "service_types": ["network:x"]}}
    await neutron.refused(403, "PolicyNotAuthorized", "POST", "subnets", body, "alice")
    # What an admin makes on a network is for its owner to change.
    made = await make(neutron, own, cidr="10.7.0.0/24")
    body = {"subnet": {"name": "x"}}
    changed = await neutron.call("PUT", f"subnets/{made['id']}", body, "alice")
    assert (made["project_id"], changed.status_code) == ("default", 200)


async def test_filters_and_sorting(neutron: Neutron) -> None:
    net, shared = await network(neutron), await network(neutron, shared=True)
    one = await make(neutron, net, name="one")
    two = await make(neutron, shared, name="two", **SIX, enable_dhcp=False)
    for query, found in {
        "ip_version=6": [two],
        "cidr=10.0.0.0/24": [one],
        "cidr=10.0.0.0%2F24": [one],
        f"network_id={net}&cidr=10.0.0.0/24": [one],
        "enable_dhcp=False": [two],
        "gateway_ip=fd00::": [two],
        "shared=True": [two],
        "router:external=True": [],
        "name=one&name=two&sort_key=name&sort_dir=desc": [two, one],
        f"subnetpool_id={UNKNOWN}": [],
        "ipv6_ra_mode=slaac": [],
    }.items():
        assert await neutron.get(f"subnets?{query}") == found, query
    assert await neutron.get("subnets?fields=id&name=one") == [{"id": one["id"]}]
    for name in ("prefixlen", "allocation_pools", "service_types", "colour"):
        await neutron.refused(400, "HTTPBadRequest", "GET", f"subnets?{name}=1")
    await neutron.refused(400, "HTTPBadRequest", "GET", "subnets?sort_key=shared")


async def test_tags_and_revisions(neutron: Neutron) -> None:
    made = await make(neutron, await network(neutron))
    path = f"subnets/{made['id']}"
    assert (await neutron.call("PUT", f"{path}/tags/a:b.c")).status_code == 201
    assert [each["id"] for each in await neutron.get("subnets?tags=a:b.c")] == [made["id"]]
    stale = {"If-Match": f"revision_number={made['revision_number']}"}
    assert (await neutron.call("DELETE", path, **stale)).status_code == 412
    assert (await neutron.call("DELETE", f"{path}/tags/a:b.c")).status_code == 204


AUTOMATIC = {**SIX, "ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}


async def addresses(neutron: Neutron, port_id: str) -> list[str]:
    shown = await neutron.get(f"ports/{port_id}")
    return [each["ip_address"] for each in shown["fixed_ips"]]


async def test_automatic_addresses_come_and_go_with_their_subnet(neutron: Neutron) -> None:
    net = await network(neutron, "alice")
    await make(neutron, net, "alice")
    mine = {"network_id": net, "mac_address": "0a:00:00:00:00:01"}
    made = await neutron.make("ports", "alice", **mine)
    pair = {"ip_address": "10.0.0.0/24", "mac_address": "0a:00:00:00:00:77"}
    values = {"network_id": net, "mac_address": "0a:00:00:00:00:02"}
    other = await neutron.make("ports", **values, allowed_address_pairs=[pair])
    before = await port(neutron, net, "0a:00:00:00:00:03")
    subnet = await make(neutron, net, "alice", **AUTOMATIC)
    assert await addresses(neutron, made["id"]) == ["10.0.0.2", "fd00::800:ff:fe00:1"]
    assert await addresses(neutron, other["id"]) == ["10.0.0.3", "fd00::800:ff:fe00:2"]
    assert await addresses(neutron, before) == []
    switch_port = (await neutron.v1.get(f"/v1/logical-switch-ports/{other['id']}")).json()
    assert switch_port["port_security"] == [
        "0a:00:00:00:00:02 10.0.0.3 fd00::800:ff:fe00:2",
        "0a:00:00:00:00:77 10.0.0.0/24",
    ]
    path = f"subnets/{subnet['id']}"
    assert (await neutron.call("DELETE", path, caller="alice")).status_code == 204
    assert await addresses(neutron, made["id"]) == ["10.0.0.2"]
    assert await addresses(neutron, other["id"]) == ["10.0.0.3"]


async def test_both_addresses_of_a_point_to_point_subnet(neutron: Neutron) -> None:
    net = await network(neutron)
    small = {"cidr": "10.0.0.4/31", "enable_dhcp": False, "gateway_ip": None}
    subnet = await make(neutron, net, **small)
    for address in ("10.0.0.4", "10.0.0.5"):
        made = await neutron.make("ports", network_id=net)
        assert made["fixed_ips"] == [{"subnet_id": subnet["id"], "ip_address": address}]


async def test_automatic_addresses_of_others_are_in_the_way(neutron: Neutron) -> None:
    net = await network(neutron)
    await port(neutron, net, "0a:00:00:00:00:09 fd00::800:ff:fe00:1")
    await neutron.make("ports", network_id=net, mac_address="0a:00:00:00:00:01")
    body = {"subnet": {"network_id": net, **AUTOMATIC}}
    await neutron.refused(409, "IpAddressAlreadyAllocated", "POST", "subnets", body)
    assert await neutron.get("subnets") == []
    subnet = await make(neutron, net, **{**AUTOMATIC, "cidr": "fd01::/64"})
    await port(neutron, net, "0a:00:00:00:00:08 fd01::8")
    await neutron.refused(409, "SubnetInUse", "DELETE", f"subnets/{subnet['id']}")


async def test_lists_and_creation_cost_the_same_beside_many(
    neutron: Neutron, statements: Callable[[], int]
) -> None:
    pool = (await neutron.make("subnetpools", name="pool", prefixes=["10.0.0.0/12"]))["id"]
    net = await network(neutron)
    requests: list[tuple[str, str, Any]] = [
        ("GET", "subnets", None),
        ("GET", "subnetpools", None),
        ("GET", "network-ip-availabilities", None),
        ("GET", f"networks/{net}", None),
    ]
    costs = []
    for count in (2, 30):
        body = {"network_id": net, "ip_version": 4, "subnetpool_id": pool, "prefixlen": 24}
        await neutron.call("POST", "subnets", {"subnets": [body] * count})
        for i in range(count):
            await neutron.v1.post("/v1/logical-switches", json={"subnet4": f"10.{i}.0.0/24"})
        cost = []
        for method, path, values in [*requests, ("POST", "subnets", {"subnet": body})]:
            before = statements()
            assert (await neutron.call(method, path, values)).is_success
            cost.append(statements() - before)
        costs.append(cost)
    assert costs[0] == costs[1]
