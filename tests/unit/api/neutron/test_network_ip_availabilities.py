"""How many addresses of networks are held, over the Neutron API."""

from typing import Any

from tests.unit.api.neutron.conftest import Neutron

UNKNOWN = "0b4b5f0e-52c1-4d1f-9d1f-0f4f3f6b7a11"


async def network(neutron: Neutron, name: str, caller: str = "") -> str:
    """Make a network with two subnets, and ports with addresses in and beside the pools."""
    made = await neutron.make("networks", caller, name=name)
    values = {"network_id": made["id"], "allocation_pools": [pool("10.0.0.3", "10.0.0.6")]}
    await neutron.make("subnets", ip_version=4, cidr="10.0.0.0/24", name="four", **values)
    await neutron.make("subnets", ip_version=6, cidr="fd00::/64", network_id=made["id"])
    for i, ips in enumerate(("10.0.0.3 fd00::5", "10.0.0.99", "192.0.2.1")):
        element = f"0a:00:00:00:00:0{i} {ips}"
        port = {"addresses": [element]}
        await neutron.v1.post(f"/v1/logical-switches/{made['id']}/ports", json=port)
    return str(made["id"])


def pool(start: str, end: str) -> dict[str, str]:
    return {"start": start, "end": end}


def details(*numbers: int) -> dict[str, int]:
    names = (
        "total_ips_in_subnet",
        "total_ips_in_allocation_pool",
        "used_ips_in_subnet",
        "used_ips_in_allocation_pool",
    )
    return dict(zip(names, numbers, strict=True))


async def test_addresses_are_counted(neutron: Neutron) -> None:
    net = await network(neutron, "blue")
    shown = await neutron.get(f"network-ip-availabilities/{net}")
    four, six = sorted(shown.pop("subnet_ip_availability"), key=lambda each: each["ip_version"])
    assert (four.pop("subnet_id"), six.pop("subnet_id")) != (None, None)
    assert four == {
        "subnet_name": "four",
        "ip_version": 4,
        "cidr": "10.0.0.0/24",
        "used_ips": 2,
        "total_ips": 4,
        "ip_availability_details": details(254, 4, 2, 1),
    }
    assert (six["used_ips"], six["total_ips"]) == (1, 2**64 - 1)
    assert six["ip_availability_details"] == details(2**64, 2**64 - 1, 1, 1)
    assert shown == {
        "network_id": net,
        "network_name": "blue",
        "project_id": "default",
        "tenant_id": "default",
        "used_ips": 3,
        "total_ips": 2**64 + 3,
        "ip_availability_details": details(2**64 + 254, 2**64 + 3, 3, 2),
    }


async def test_filters_and_pages(neutron: Neutron) -> None:
    blue = await network(neutron, "blue")
    own = await network(neutron, "own", "alice")
    empty = (await neutron.make("networks", name="empty"))["id"]
    path = "network-ip-availabilities"

    async def ids(query: str) -> list[str]:
        return [each["network_id"] for each in await neutron.get(f"{path}?{query}")]

    assert await ids("sort_key=network_id") == sorted([blue, own, empty])
    assert await ids(f"network_id={blue}&network_id={own}&sort_key=network_id") == sorted(
        [blue, own]
    )
    assert await ids("network_name=empty") == [empty]
    assert await ids("tenant_id=acme") == [own]
    assert await ids("project_id=acme&network_name=blue") == []
    first = (await neutron.call("GET", f"{path}?limit=2")).json()
    assert len(first["network_ip_availabilities"]) == 2
    [link] = first["network_ip_availabilities_links"]
    rest = (await neutron.client.get(link["href"])).json()["network_ip_availabilities"]
    listed = [each["network_id"] for each in (*first["network_ip_availabilities"], *rest)]
    assert listed == sorted([blue, own, empty])
    [only] = await neutron.get(f"{path}?ip_version=6&network_name=blue")
    assert [each["ip_version"] for each in only["subnet_ip_availability"]] == [6]
    assert (only["used_ips"], only["total_ips"]) == (1, 2**64 - 1)
    assert await neutron.get(f"{path}?ip_version=6&network_name=empty") == []
    fields = await neutron.get(f"{path}?network_name=blue&fields=network_id")
    assert fields == [{"network_id": blue}]
    for query in ("total_ips=3", f"id={blue}", "sort_key=network_name", "colour=blue"):
        await neutron.refused(400, "HTTPBadRequest", "GET", f"{path}?{query}")


async def test_switches_of_v1(neutron: Neutron) -> None:
    values = {"name": "office", "subnet4": "10.9.0.0/24", "exclude_ips": ["10.9.0.2..10.9.0.9"]}
    switch = (await neutron.v1.post("/v1/logical-switches", json=values)).json()
    port = {"addresses": ["dynamic"]}
    await neutron.v1.post("/v1/logical-switches/office/ports", json=port)
    shown = await neutron.get(f"network-ip-availabilities/{switch['id']}")
    assert (shown["network_name"], shown["used_ips"], shown["total_ips"]) == ("office", 1, 245)


async def test_it_is_for_admins(neutron: Neutron) -> None:
    own = await network(neutron, "own", "alice")
    path = "network-ip-availabilities"
    assert await neutron.get(path, caller="alice") == []
    await neutron.refused(404, "NetworkNotFound", "GET", f"{path}/{own}", caller="alice")
    await neutron.refused(404, "NetworkNotFound", "GET", f"{path}/{UNKNOWN}")


async def test_it_is_only_read(neutron: Neutron) -> None:
    own = (await neutron.make("networks"))["id"]
    body: Any = {"network_ip_availability": {}}
    for method, path in (("POST", ""), ("PUT", f"/{own}"), ("DELETE", f"/{own}")):
        answer = await neutron.call(method, f"network-ip-availabilities{path}", body)
        assert answer.status_code in (404, 405)
