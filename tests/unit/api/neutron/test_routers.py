"""Routers over the Neutron API: interfaces, extra routes, what is refused, what /v1 sees."""

from typing import Any

import pytest

from tests.unit.api.neutron.conftest import Neutron

UNKNOWN = "0b4b5f0e-52c1-4d1f-9d1f-0f4f3f6b7a11"


async def lan(
    neutron: Neutron, cidr: str = "10.0.0.0/24", caller: str = "", **values: Any
) -> dict[str, Any]:
    """Create a subnet on a network of its own, unless one is said."""
    if "network_id" not in values:
        values["network_id"] = (await neutron.make("networks", caller))["id"]
    version = 6 if ":" in cidr else 4
    return await neutron.make("subnets", caller, cidr=cidr, ip_version=version, **values)


async def act(
    neutron: Neutron, edge: dict[str, Any], action: str, caller: str = "", **body: Any
) -> Any:
    answer = await neutron.call("PUT", f"routers/{edge['id']}/{action}", body, caller)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def attach(neutron: Neutron, router: dict[str, Any], caller: str = "", **body: Any) -> Any:
    return await act(neutron, router, "add_router_interface", caller, **body)


async def detach(neutron: Neutron, router: dict[str, Any], caller: str = "", **body: Any) -> Any:
    return await act(neutron, router, "remove_router_interface", caller, **body)


async def refused(
    neutron: Neutron,
    router: dict[str, Any],
    status: int,
    type_: str,
    action: str,
    body: Any,
    caller: str = "",
) -> str:
    path = f"routers/{router['id']}" + (f"/{action}" if action else "")
    return await neutron.refused(status, type_, "PUT", path, body, caller)


async def test_a_router_is_a_logical_router_of_the_same_id(neutron: Neutron) -> None:
    made = await neutron.make("routers", name="edge", description="d", admin_state_up=False)
    seen = (await neutron.v1.get(f"/v1/logical-routers/{made['id']}")).json()
    assert (seen["name"], seen["display_name"], seen["enabled"]) == (made["id"], "edge", False)
    assert (seen["dynamic_neigh_routers"], seen["always_learn_from_arp_request"]) == (True, False)
    assert made == await neutron.get(f"routers/{made['id']}")
    assert (made["routes"], made["external_gateway_info"], made["status"]) == ([], None, "ACTIVE")
    body = {"router": {"name": "core", "admin_state_up": True, "description": "e"}}
    changed = (await neutron.call("PUT", f"routers/{made['id']}", body)).json()["router"]
    assert (changed["name"], changed["admin_state_up"], changed["description"]) == (
        "core",
        True,
        "e",
    )
    assert changed["revision_number"] > made["revision_number"]
    assert (await neutron.call("DELETE", f"routers/{made['id']}")).status_code == 204
    message = await neutron.refused(404, "RouterNotFound", "GET", f"routers/{made['id']}")
    assert message == f"Router {made['id']} could not be found"


async def test_an_interface_is_a_switch_port_and_a_router_port(neutron: Neutron) -> None:
    router, subnet = await neutron.make("routers"), await lan(neutron)
    added = await attach(neutron, router, subnet_id=subnet["id"])
    assert added == {
        "id": router["id"],
        "project_id": "default",
        "tenant_id": "default",
        "port_id": added["port_id"],
        "network_id": subnet["network_id"],
        "subnet_id": subnet["id"],
        "subnet_ids": [subnet["id"]],
    }
    port = await neutron.get(f"ports/{added['port_id']}")
    assert port["device_owner"] == "network:router_interface"
    assert (port["device_id"], port["status"]) == (router["id"], "ACTIVE")
    assert port["fixed_ips"] == [{"subnet_id": subnet["id"], "ip_address": "10.0.0.1"}]
    assert (port["security_groups"], port["port_security_enabled"]) == ([], False)
    switch_port = (await neutron.v1.get(f"/v1/logical-switch-ports/{port['id']}")).json()
    name = switch_port["router_port"]
    router_port = (await neutron.v1.get(f"/v1/logical-router-ports/{name}")).json()
    assert (router_port["networks"], router_port["mac"]) == (["10.0.0.1/24"], port["mac_address"])
    shown = await neutron.get(f"routers/{router['id']}")
    assert shown["revision_number"] > router["revision_number"]

    removed = await detach(neutron, router, subnet_id=subnet["id"])
    assert removed == added
    await neutron.refused(404, "PortNotFound", "GET", f"ports/{port['id']}")
    gone = await neutron.v1.get(f"/v1/logical-router-ports/{name}")
    assert gone.status_code == 404


async def test_ipv6_subnets_of_a_network_share_a_port(neutron: Neutron) -> None:
    router, first = await neutron.make("routers"), await lan(neutron, "fd01::/64")
    second = await lan(
        neutron, "fd02::/64", network_id=first["network_id"], ipv6_address_mode="slaac"
    )
    four = await lan(neutron, network_id=first["network_id"])
    port_id = (await attach(neutron, router, subnet_id=first["id"]))["port_id"]
    assert (await attach(neutron, router, subnet_id=second["id"]))["port_id"] == port_id
    assert (await attach(neutron, router, subnet_id=four["id"]))["port_id"] != port_id
    port = await neutron.get(f"ports/{port_id}")
    assert [each["subnet_id"] for each in port["fixed_ips"]] == [first["id"], second["id"]]
    removed = await detach(neutron, router, subnet_id=first["id"])
    assert (removed["port_id"], removed["subnet_ids"]) == (port_id, [first["id"]])
    port = await neutron.get(f"ports/{port_id}")
    assert [each["subnet_id"] for each in port["fixed_ips"]] == [second["id"]]
    other = await neutron.make(
        "ports", network_id=first["network_id"], fixed_ips=[{"subnet_id": first["id"]}]
    )
    body = {"port_id": other["id"]}
    message = await refused(neutron, router, 400, "BadRequest", "add_router_interface", body)
    assert f"Router already contains IPv6 port {port_id}" in message
    await detach(neutron, router, port_id=port_id)
    await attach(neutron, router, port_id=other["id"])


async def test_a_port_becomes_an_interface_and_goes_with_it(neutron: Neutron) -> None:
    router, subnet = await neutron.make("routers"), await lan(neutron)
    port = await neutron.make(
        "ports",
        network_id=subnet["network_id"],
        name="leg",
        description="mine",
        fixed_ips=[{"ip_address": "10.0.0.77"}],
    )
    await neutron.call("PUT", f"ports/{port['id']}/tags/blue")
    added = await attach(neutron, router, port_id=port["id"])
    assert (added["port_id"], added["subnet_ids"]) == (port["id"], [subnet["id"]])
    shown = await neutron.get(f"ports/{port['id']}")
    for name in ("id", "name", "description", "mac_address", "fixed_ips", "created_at"):
        assert shown[name] == port[name], name
    assert (shown["device_id"], shown["tags"]) == (router["id"], ["blue"])
    assert shown["device_owner"] == "network:router_interface"
    assert (shown["security_groups"], shown["port_security_enabled"]) == ([], False)
    await neutron.refused(409, "ServicePortInUse", "DELETE", f"ports/{port['id']}")
    body = {"port_id": port["id"]}
    await refused(neutron, router, 409, "PortInUse", "add_router_interface", body)
    other = await neutron.make("routers")
    await refused(neutron, other, 404, "RouterInterfaceNotFound", "remove_router_interface", body)
    await detach(neutron, router, port_id=port["id"], subnet_id=subnet["id"])
    await neutron.refused(404, "PortNotFound", "GET", f"ports/{port['id']}")


@pytest.mark.parametrize("action", ["add_router_interface", "remove_router_interface"])
async def test_what_names_no_interface(neutron: Neutron, action: str) -> None:
    router = await neutron.make("routers")
    for body, words in (
        ({}, "Either subnet_id or port_id"),
        ({"colour": 1}, "Either subnet_id or port_id"),
        ({"subnet_id": "x"}, "'x' is not a valid UUID"),
        ({"port_id": ["x"]}, "is not a valid UUID"),
    ):
        message = await refused(neutron, router, 400, "BadRequest", action, body)
        assert message.startswith("Bad router request: ")
        assert words in message
    body = {"subnet_id": UNKNOWN}
    await refused(neutron, router, 404, "SubnetNotFound", action, body)
    await neutron.refused(404, "RouterNotFound", "PUT", f"routers/{UNKNOWN}/{action}", body)


async def test_refusals_of_interfaces(neutron: Neutron) -> None:
    router, subnet = await neutron.make("routers"), await lan(neutron)
    add, remove = "add_router_interface", "remove_router_interface"
    bad = "BadRequest"
    both = {"subnet_id": subnet["id"], "port_id": UNKNOWN}
    await refused(neutron, router, 400, bad, add, both)
    await refused(neutron, router, 404, "PortNotFound", add, {"port_id": UNKNOWN})
    without = await lan(neutron, "10.1.0.0/24", gateway_ip=None)
    message = await refused(neutron, router, 400, bad, add, {"subnet_id": without["id"]})
    assert "must have a gateway IP" in message
    added = await attach(neutron, router, subnet_id=subnet["id"])
    message = await refused(neutron, router, 400, bad, add, {"subnet_id": subnet["id"]})
    assert f"already has a port on subnet {subnet['id']}" in message
    overlapping = await lan(neutron, "10.0.0.0/25")
    message = await refused(neutron, router, 400, bad, add, {"subnet_id": overlapping["id"]})
    assert f"overlaps with cidr 10.0.0.0/24 of subnet {subnet['id']}" in message
    bare = await neutron.make("ports", network_id=subnet["network_id"], fixed_ips=[])
    await refused(neutron, router, 400, bad, add, {"port_id": bare["id"]})
    used = await neutron.make("ports", network_id=subnet["network_id"], device_id="vm")
    message = await refused(neutron, router, 409, "PortInUse", add, {"port_id": used["id"]})
    assert message.endswith("Port already has an attached device vm.")
    taken = await lan(neutron, "10.3.0.0/24")
    await neutron.make(
        "ports", network_id=taken["network_id"], fixed_ips=[{"ip_address": "10.3.0.1"}]
    )
    body = {"subnet_id": taken["id"]}
    await refused(neutron, router, 409, "IpAddressAlreadyAllocated", add, body)
    await refused(neutron, router, 404, "RouterInterfaceNotFoundForSubnet", remove, body)
    body = {"port_id": bare["id"]}
    await refused(neutron, router, 404, "RouterInterfaceNotFound", remove, body)
    body = {"port_id": added["port_id"], "subnet_id": taken["id"]}
    await refused(neutron, router, 409, "SubnetMismatchForPort", remove, body)
    message = await neutron.refused(409, "RouterInUse", "DELETE", f"routers/{router['id']}")
    assert message == f"Router {router['id']} has ports still attached: {added['port_id']}"
    await neutron.refused(409, "SubnetInUse", "DELETE", f"subnets/{subnet['id']}")
    gateway = {"subnet": {"gateway_ip": "10.0.0.7"}}
    await neutron.refused(409, "GatewayIpInUse", "PUT", f"subnets/{subnet['id']}", gateway)


async def test_two_ipv4_addresses_are_too_many(neutron: Neutron) -> None:
    router, subnet = await neutron.make("routers"), await lan(neutron)
    ips = [{"ip_address": "10.0.0.5"}, {"ip_address": "10.0.0.6"}]
    port = await neutron.make("ports", network_id=subnet["network_id"], fixed_ips=ips)
    body = {"port_id": port["id"]}
    message = await refused(neutron, router, 400, "BadRequest", "add_router_interface", body)
    assert "multiple IPv4 subnets" in message
    assert (await neutron.get(f"ports/{port['id']}"))["device_id"] == ""


async def test_routes_are_static_routes(neutron: Neutron) -> None:
    router, subnet = await neutron.make("routers"), await lan(neutron)
    await attach(neutron, router, subnet_id=subnet["id"])
    path, static = f"routers/{router['id']}", f"/v1/logical-routers/{router['id']}/static-routes"

    async def put(*pairs: tuple[str, str]) -> Any:
        routes = [{"destination": to, "nexthop": via} for to, via in pairs]
        answer = await neutron.call("PUT", path, {"router": {"routes": routes}})
        assert answer.status_code == 200, answer.text
        assert answer.json()["router"]["routes"] == routes
        return (await neutron.v1.get(static)).json()["items"]

    [kept] = await put(("10.8.0.0/16", "10.0.0.9"))
    both = await put(("10.8.0.0/16", "10.0.0.9"), ("10.9.0.0/16", "10.0.0.9"))
    assert kept in both
    changed = await put(("10.8.0.0/16", "10.0.0.8"))
    assert [(each["id"], each["nexthop"]) for each in changed] == [(kept["id"], "10.0.0.8")]
    spread = await put(("10.8.0.0/16", "10.0.0.7"), ("10.8.0.0/16", "10.0.0.8"))
    assert kept["id"] in {each["id"] for each in spread if each["nexthop"] == "10.0.0.8"}
    assert len(await put(("10.8.0.0/16", "10.0.0.6"), ("10.8.0.0/16", "10.0.0.7"))) == 2
    assert len(await put(("10.8.0.0/16", "10.0.0.6"))) == 1
    message = await refused(
        neutron,
        router,
        409,
        "RouterInterfaceInUseByRoute",
        "remove_router_interface",
        {"subnet_id": subnet["id"]},
    )
    assert "required by one or more routes" in message
    assert await put() == []
    await detach(neutron, router, subnet_id=subnet["id"])


async def test_single_routes_come_and_go(neutron: Neutron) -> None:
    router, subnet = await neutron.make("routers"), await lan(neutron)
    await attach(neutron, router, subnet_id=subnet["id"])
    one = {"destination": "10.8.0.0/16", "nexthop": "10.0.0.8"}
    two = {"destination": "10.9.0.0/16", "nexthop": "10.0.0.9"}

    async def change(action: str, *routes: dict[str, str]) -> Any:
        answer = await act(neutron, router, action, router={"routes": list(routes)})
        return answer["router"]

    added = await change("add_extraroutes", one)
    assert added["routes"] == [one]
    assert await change("add_extraroutes", one) == added
    assert (await change("add_extraroutes", two, one))["routes"] == [one, two]
    assert (await change("remove_extraroutes", one, one | {"nexthop": "10.0.0.7"}))["routes"] == [
        two
    ]
    assert (await change("remove_extraroutes", two))["routes"] == []
    for action in ("add_extraroutes", "remove_extraroutes"):
        for body in ({}, {"routes": []}, {"router": 1}, {"router": {"routes": [1]}}):
            await refused(neutron, router, 400, "HTTPBadRequest", action, body)


@pytest.mark.parametrize(
    ("routes", "type_", "words"),
    [
        ([("20.0.0.0/8", "99.0.0.1")], "InvalidRoutes", "not connected with router"),
        ([("20.0.0.0/8", "10.0.0.1")], "InvalidRoutes", "used by router"),
        ([("fd99::/64", "10.0.0.9")], "InvalidRoutes", "IPv6 destination"),
        ([("20.0.0.0/8", "10.0.0.9")] * 2, "HTTPBadRequest", "Duplicate"),
        ([("20.0.0.1/8", "10.0.0.9")], "HTTPBadRequest", "not a valid CIDR"),
        ([("20.0.0.0/8", "nowhere")], "HTTPBadRequest", "not a valid IP address"),
        ([("20.0.0.0/8", "10.0.0.255")], "HTTPBadRequest", "broadcast"),
    ],
)
async def test_refusals_of_routes(
    neutron: Neutron, routes: list[tuple[str, str]], type_: str, words: str
) -> None:
    router, subnet = await neutron.make("routers"), await lan(neutron)
    await attach(neutron, router, subnet_id=subnet["id"])
    values = [{"destination": to, "nexthop": via} for to, via in routes]
    for action in ("", "add_extraroutes"):
        body = {"router": {"routes": values}}
        assert words in await refused(neutron, router, 400, type_, action, body)
    assert (await neutron.get(f"routers/{router['id']}"))["routes"] == []


async def test_refusals_of_attributes(neutron: Neutron) -> None:
    inside = await neutron.make("networks")
    outside = await neutron.make("networks", **{"router:external": True})
    router = await neutron.make("routers", external_gateway_info={})
    for values, status, type_ in (
        ({"routes": []}, 400, "HTTPBadRequest"),
        ({"colour": 1}, 400, "HTTPBadRequest"),
        ({"status": "DOWN"}, 400, "HTTPBadRequest"),
        ({"admin_state_up": "maybe"}, 400, "HTTPBadRequest"),
        ({"external_gateway_info": {"x": 1}}, 400, "HTTPBadRequest"),
        ({"external_gateway_info": "x"}, 400, "HTTPBadRequest"),
        ({"external_gateway_info": {"network_id": UNKNOWN}}, 404, "NetworkNotFound"),
        ({"external_gateway_info": {"network_id": inside["id"]}}, 400, "BadRequest"),
        ({"external_gateway_info": {"network_id": outside["id"]}}, 400, "BadRequest"),
    ):
        await neutron.refused(status, type_, "POST", "routers", {"router": values})
        if "routes" not in values:
            path = f"routers/{router['id']}"
            await neutron.refused(status, type_, "PUT", path, {"router": values})
    answer = await neutron.call(
        "PUT", f"routers/{router['id']}", {"router": {"external_gateway_info": None}}
    )
    assert answer.json()["router"] == router
    for query in ("status=ACTIVE", "external_gateway_info=x", "routes=x"):
        await neutron.refused(400, "HTTPBadRequest", "GET", f"routers?{query}")
    wrong = {"If-Match": "revision_number=999999"}
    body = {"router": {"name": "x"}}
    for method in ("PUT", "DELETE"):
        answer = await neutron.call(method, f"routers/{router['id']}", body, **wrong)
        assert answer.status_code == 412


async def test_filters_and_tags(neutron: Neutron) -> None:
    one = await neutron.make("routers", name="one")
    await neutron.make("routers", name="two", admin_state_up=False)
    assert (await neutron.call("PUT", f"routers/{one['id']}/tags/blue")).status_code == 201
    for query in ("name=one", "tags=blue", "admin_state_up=True", f"id={one['id']}"):
        found = await neutron.get(f"routers?{query}&fields=name")
        assert found == [{"name": "one"}], query


async def test_projects(neutron: Neutron) -> None:
    own = await neutron.make("routers", caller="alice")
    other = await neutron.make("routers", caller="bob")
    subnet = await lan(neutron, caller="alice")
    foreign = await lan(neutron, "10.5.0.0/24", caller="bob")
    assert [each["id"] for each in await neutron.get("routers", caller="alice")] == [own["id"]]
    path, body = f"routers/{other['id']}", {"router": {"name": "x"}}
    for method in ("GET", "PUT", "DELETE"):
        await neutron.refused(404, "RouterNotFound", method, path, body, "alice")
    await refused(
        neutron,
        own,
        404,
        "SubnetNotFound",
        "add_router_interface",
        {"subnet_id": foreign["id"]},
        "alice",
    )
    for action in ("add_router_interface", "add_extraroutes"):
        await refused(neutron, own, 403, "PolicyNotAuthorized", action, {}, "rita")
    await neutron.refused(403, "PolicyNotAuthorized", "POST", "routers", {"router": {}}, "rita")
    body = {"router": {"project_id": "zoo"}}
    await neutron.refused(403, "PolicyNotAuthorized", "POST", "routers", body, "alice")

    added = await attach(neutron, own, "alice", subnet_id=subnet["id"])
    port = await neutron.get(f"ports/{added['port_id']}", caller="alice")
    assert port["project_id"] == "acme"
    shared = await neutron.make("networks", shared=True)
    common = await lan(neutron, "10.6.0.0/24", network_id=shared["id"])
    # The gateway of a shared network is its owner's; a port of one's own is fine.
    body = {"subnet_id": common["id"]}
    message = await refused(neutron, own, 400, "BadRequest", "add_router_interface", body, "alice")
    assert "not owned by" in message
    port = await neutron.make("ports", caller="alice", network_id=shared["id"])
    added = await attach(neutron, own, "alice", port_id=port["id"])
    assert (await neutron.get(f"ports/{added['port_id']}"))["project_id"] == "acme"
    # An admin may do so for others, also where these couldn't.
    added = await attach(neutron, own, subnet_id=foreign["id"])
    assert (await neutron.get(f"ports/{added['port_id']}"))["project_id"] == "acme"
    port = await neutron.make("ports", caller="bob", network_id=foreign["network_id"])
    fresh = await neutron.make("routers", caller="alice")
    body = {"port_id": port["id"]}
    message = await refused(neutron, fresh, 400, "BadRequest", "add_router_interface", body)
    assert "another project" in message


async def test_what_v1_made_is_seen_and_goes(neutron: Neutron) -> None:
    document = {
        "document": "d",
        "logical_switches": {
            "lan": {
                "subnet4": "10.0.1.0/24",
                "ports": {"to-edge": {"type": "router", "router_port": "edge-lan"}},
            }
        },
        "logical_routers": {
            "edge": {
                "ports": {"edge-lan": {"networks": ["10.0.1.1/24"]}},
                "static_routes": [
                    {"ip_prefix": "0.0.0.0/0", "nexthop": "10.0.1.254"},
                    {"ip_prefix": "10.7.0.0/16", "nexthop": "discard"},
                    {"ip_prefix": "10.8.0.0/16", "nexthop": "10.0.1.9", "policy": "src-ip"},
                ],
            }
        },
    }
    assert (await neutron.v1.post("/v1/apply", json=document)).status_code == 200
    [router] = await neutron.get("routers?name=edge")
    assert router["routes"] == [{"destination": "0.0.0.0/0", "nexthop": "10.0.1.254"}]
    [port] = await neutron.get(f"ports?device_id={router['id']}")
    [subnet] = await neutron.get("subnets")
    assert port["fixed_ips"] == [{"subnet_id": subnet["id"], "ip_address": "10.0.1.1"}]
    body = {"subnet_id": subnet["id"]}
    await refused(neutron, router, 400, "BadRequest", "add_router_interface", body)
    same = await lan(neutron, "10.0.1.0/25")
    body = {"subnet_id": same["id"]}
    message = await refused(neutron, router, 400, "BadRequest", "add_router_interface", body)
    assert "overlaps" in message
    await act(neutron, router, "remove_extraroutes", router={"routes": router["routes"]})
    left = (await neutron.v1.get("/v1/logical-routers/edge/static-routes")).json()["items"]
    assert {each["ip_prefix"] for each in left} == {"10.7.0.0/16", "10.8.0.0/16"}
    removed = await detach(neutron, router, subnet_id=subnet["id"])
    assert removed["port_id"] == port["id"]
    assert (await neutron.call("DELETE", f"routers/{router['id']}")).status_code == 204
    assert (await neutron.v1.get("/v1/logical-routers")).json()["items"] == []


async def test_a_link_between_routers_stands_in_the_way(neutron: Neutron) -> None:
    router = await neutron.make("routers")
    path = f"/v1/logical-routers/{router['id']}/ports"
    made = await neutron.v1.post(path, json={"name": "link", "networks": ["10.9.0.1/30"]})
    assert made.status_code == 201
    message = await neutron.refused(409, "RouterInUse", "DELETE", f"routers/{router['id']}")
    assert message.endswith("link")
    deleted = await neutron.v1.delete(f"/v1/logical-routers/{router['id']}?cascade=true")
    assert deleted.status_code == 204
    assert await neutron.get("routers") == []
