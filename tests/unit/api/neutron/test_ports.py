"""Ports over the Neutron API: what is made, shown, changed and refused."""

from typing import Any

import pytest

from api.neutron.resources.port import Ports
from southbound.chassis import bridge_ids
from southbound.rows import Chassis, Encap
from tests.unit.api.neutron.conftest import Neutron

UNKNOWN = "0b4b5f0e-52c1-4d1f-9d1f-0f4f3f6b7a11"
MAC, OTHER_MAC = "0a:00:00:00:00:01", "0a:00:00:00:00:02"


async def make_network(neutron: Neutron, *cidrs: str, caller: str = "", **values: Any) -> Any:
    """Create a network with a subnet of each of `cidrs`; returns it and the subnets' ids."""
    network = await neutron.make("networks", caller, **values)
    subnets = []
    for cidr in cidrs:
        subnet = await neutron.make(
            "subnets", caller, network_id=network["id"], ip_version=4, cidr=cidr
        )
        subnets.append(subnet["id"])
    return network["id"], *subnets


async def update(neutron: Neutron, port: Any, caller: str = "", **values: Any) -> Any:
    """Change a port, which has to succeed, and return it."""
    response = await neutron.call("PUT", f"ports/{port['id']}", {"port": values}, caller)
    assert response.status_code == 200, response.text
    return response.json()["port"]


async def v1_port(neutron: Neutron, port_id: str) -> Any:
    response = await neutron.v1.get(f"/v1/logical-switch-ports/{port_id}")
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_port_is_a_switch_port_of_the_same_id(neutron: Neutron) -> None:
    network, subnet = await make_network(neutron, "10.0.0.0/24")
    port = await neutron.make("ports", network_id=network, name="web", mac_address=MAC.upper())
    assert port["fixed_ips"] == [{"subnet_id": subnet, "ip_address": "10.0.0.2"}]
    switch_port = await v1_port(neutron, port["id"])
    assert (switch_port["name"], switch_port["display_name"]) == (port["id"], "web")
    assert switch_port["addresses"] == switch_port["port_security"] == [f"{MAC} 10.0.0.2"]
    assert port == await neutron.get(f"ports/{port['id']}")
    assert (port["status"], port["binding:vif_type"]) == ("DOWN", "unbound")
    changed = await update(neutron, port, admin_state_up="false", name="")
    assert (changed["admin_state_up"], changed["name"]) == (False, "")
    assert (await v1_port(neutron, port["id"]))["enabled"] is False
    assert (await neutron.call("DELETE", f"ports/{port['id']}")).status_code == 204
    await neutron.refused(404, "PortNotFound", "GET", f"ports/{port['id']}")
    again = await neutron.make("ports", network_id=network, fixed_ips=port["fixed_ips"])
    assert again["fixed_ips"] == port["fixed_ips"]


async def test_mac_addresses(neutron: Neutron) -> None:
    network, _ = await make_network(neutron, "10.0.0.0/24")
    port = await neutron.make("ports", network_id=network, mac_address=None)
    assert port["mac_address"].startswith("0a:")
    same = {"port": {"network_id": network, "mac_address": port["mac_address"]}}
    await neutron.refused(409, "MacAddressInUse", "POST", "ports", same)
    changed = await update(neutron, port, mac_address=MAC)
    assert changed["mac_address"] == MAC
    assert changed["fixed_ips"] == port["fixed_ips"]
    other = await neutron.make("ports", network_id=network)
    body = {"port": {"mac_address": MAC}}
    await neutron.refused(409, "MacAddressInUse", "PUT", f"ports/{other['id']}", body)
    assert (await update(neutron, port, mac_address=None))["mac_address"] not in (MAC, None)
    await update(neutron, port, **{"binding:host_id": "hv1"})
    await neutron.refused(409, "PortBound", "PUT", f"ports/{port['id']}", body)
    kept = await update(neutron, port, mac_address=(await update(neutron, port))["mac_address"])
    assert kept["binding:host_id"] == "hv1"


async def test_fixed_ips_change(neutron: Neutron) -> None:
    network, first, second = await make_network(neutron, "10.0.0.0/24", "10.1.0.0/24")
    port = await neutron.make("ports", network_id=network, fixed_ips=[{"ip_address": "10.1.0.9"}])
    assert port["fixed_ips"] == [{"subnet_id": second, "ip_address": "10.1.0.9"}]
    wanted = [{"subnet_id": first, "ip_address": "10.0.0.7"}, {"subnet_id": second}]
    changed = await update(neutron, port, fixed_ips=wanted)
    assert {each["ip_address"] for each in changed["fixed_ips"]} == {"10.0.0.7", "10.1.0.9"}
    switch_port = await v1_port(neutron, port["id"])
    assert switch_port["addresses"] == [f"{port['mac_address']} 10.0.0.7 10.1.0.9"]
    none = await update(neutron, port, fixed_ips=[])
    assert none["fixed_ips"] == []
    assert none["mac_address"] == port["mac_address"]


async def test_what_v1_changes_is_shown(neutron: Neutron) -> None:
    network, subnet = await make_network(neutron, "10.0.0.0/24")
    port = await neutron.make("ports", network_id=network)
    patch = {
        "addresses": [f"{MAC} 10.0.0.77 192.0.2.1"],
        "port_security": [],
        "requested_chassis": ["hv1"],
        "enabled": False,
        "display_name": "renamed",
    }
    patched = await neutron.v1.patch(f"/v1/logical-switch-ports/{port['id']}", json=patch)
    assert patched.is_success, patched.text
    shown = await neutron.get(f"ports/{port['id']}")
    assert (shown["name"], shown["mac_address"], shown["admin_state_up"]) == ("renamed", MAC, False)
    assert shown["fixed_ips"] == [
        {"subnet_id": subnet, "ip_address": "10.0.0.77"},
        {"subnet_id": None, "ip_address": "192.0.2.1"},
    ]
    assert (shown["port_security_enabled"], shown["binding:host_id"]) == (False, "hv1")
    assert shown["revision_number"] > port["revision_number"]
    deleted = await neutron.v1.delete(f"/v1/logical-switch-ports/{port['id']}")
    assert deleted.is_success
    assert await neutron.get("ports") == []


async def test_changes_of_v1_do_not_stand_in_the_way(neutron: Neutron) -> None:
    network, _ = await make_network(neutron, "10.0.0.0/24")
    port = await neutron.make("ports", network_id=network, allowed_address_pairs=PAIRS)
    body: dict[str, Any] = {"port_security": []}
    patched = await neutron.v1.patch(f"/v1/logical-switch-ports/{port['id']}", json=body)
    assert patched.is_success
    changed = await update(neutron, port, name="renamed", device_id="vm")
    assert (changed["name"], changed["port_security_enabled"]) == ("renamed", False)
    body = {"port": {"port_security_enabled": False}}
    path = f"ports/{port['id']}"
    await neutron.refused(409, "PortSecurityPortHasSecurityGroup", "PUT", path, body)
    secured = await update(neutron, port, port_security_enabled=True)
    assert secured["allowed_address_pairs"] == port["allowed_address_pairs"]
    again = (await v1_port(neutron, port["id"]))["port_security"]
    assert [each.split()[0] for each in again] == [port["mac_address"], OTHER_MAC]


async def test_nothing_changes_where_nothing_is_changed(neutron: Neutron) -> None:
    network, _ = await make_network(neutron, "10.0.0.0/24")
    port = await neutron.make("ports", network_id=network, name="a", allowed_address_pairs=PAIRS)
    names = [attribute.name for attribute in Ports.attributes.by_name.values() if attribute.put]
    same = await update(neutron, port, **{name: port[name] for name in names})
    assert same == port


async def test_ports_of_v1_are_ports(neutron: Neutron) -> None:
    switch = {"name": "lan", "subnet4": "10.9.0.0/24"}
    network = (await neutron.v1.post("/v1/logical-switches", json=switch)).json()["id"]
    body = {"name": "vm-1", "addresses": ["dynamic"]}
    made = (await neutron.v1.post("/v1/logical-switches/lan/ports", json=body)).json()
    port = await neutron.get(f"ports/{made['id']}")
    assert (port["name"], port["network_id"]) == ("vm-1", network)
    assert port["mac_address"] == made["dynamic_addresses"].split()[0]
    assert [each["ip_address"] for each in port["fixed_ips"]] == ["10.9.0.2"]
    assert port["fixed_ips"][0]["subnet_id"] is not None
    assert (port["security_groups"], port["port_security_enabled"]) == ([], False)
    changed = await update(neutron, port, description="of /v1", device_id="vm")
    assert (changed["description"], changed["device_id"]) == ("of /v1", "vm")
    assert (await v1_port(neutron, made["id"]))["addresses"] == ["dynamic"]
    secured = await update(neutron, port, port_security_enabled=True)
    assert secured["fixed_ips"] == port["fixed_ips"]
    address = f"{port['mac_address']} 10.9.0.2"
    assert (await v1_port(neutron, made["id"]))["port_security"] == [address]


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "localnet", "network_name": "physnet1"},
        {"type": "l2gateway", "network_name": "physnet1", "requested_chassis": ["hv1"]},
        {"type": "localport", "addresses": ["0a:00:00:00:00:fe"]},
    ],
)
async def test_ports_of_no_instance_are_none(neutron: Neutron, fields: dict[str, object]) -> None:
    await neutron.v1.post("/v1/logical-switches", json={"name": "lan"})
    made = await neutron.v1.post("/v1/logical-switches/lan/ports", json={"name": "p", **fields})
    assert made.status_code == 201, made.text
    assert await neutron.get("ports") == []
    missing = await neutron.call("GET", f"ports/{made.json()['id']}")
    assert missing.status_code == 404
    (network,) = await neutron.get("networks")
    deleted = await neutron.call("DELETE", f"networks/{network['id']}")
    assert deleted.status_code == 204, "they go with their network"


async def test_interfaces_of_routers_that_v1_made(neutron: Neutron) -> None:
    network, subnet = await make_network(neutron, "10.0.0.0/24")
    router = (await neutron.v1.post("/v1/logical-routers", json={"name": "r"})).json()
    lrp = {"name": "r-lan", "mac": MAC, "networks": ["10.0.0.1/24"]}
    assert (await neutron.v1.post("/v1/logical-routers/r/ports", json=lrp)).is_success
    body = {"name": "lan-r", "router_port": "r-lan"}
    path = f"/v1/logical-switches/{network}/ports"
    made = (await neutron.v1.post(path, json=body)).json()
    query = f"ports?device_owner=network:router_interface&device_id={router['id']}"
    [port] = await neutron.get(query)
    assert (port["id"], port["mac_address"], port["status"]) == (made["id"], MAC, "ACTIVE")
    assert port["fixed_ips"] == [{"subnet_id": subnet, "ip_address": "10.0.0.1"}]
    assert [port] == await neutron.get("ports?fixed_ips=ip_address=10.0.0.1")
    path = f"ports/{port['id']}"
    await neutron.refused(409, "ServicePortInUse", "DELETE", path)
    for type_, status, change in (
        ("BadRequest", 400, {"fixed_ips": [{"ip_address": "10.0.0.3"}]}),
        ("UnsupportedPortDeviceOwner", 409, {"mac_address": OTHER_MAC}),
        ("UnsupportedPortDeviceOwner", 409, {"device_owner": "compute:x"}),
        ("UnsupportedPortDeviceOwner", 409, {"device_id": "x"}),
        ("UnsupportedPortDeviceOwner", 409, {"port_security_enabled": True}),
        ("UnsupportedPortDeviceOwner", 409, {"binding:host_id": "hv1"}),
    ):
        await neutron.refused(status, type_, "PUT", path, {"port": change})
    assert (await update(neutron, port, name="gateway"))["name"] == "gateway"


async def test_binding_and_status(neutron: Neutron) -> None:
    network, _ = await make_network(neutron, "10.0.0.0/24")
    facts = neutron.server.realised.facts
    facts.connected(Chassis("hv1", "host-1.example", (Encap("geneve", "192.0.2.1"),)))
    values = {"network_id": network, "binding:host_id": "host-1.example"}
    port = await neutron.make("ports", **values)
    assert port["binding:vif_type"] == "ovs"
    details = port["binding:vif_details"]
    assert (details["bridge_name"], details["port_filter"]) == ("br-int", True)
    assert details["ovs_hybrid_plug"] is False
    assert (await v1_port(neutron, port["id"]))["requested_chassis"] == ["host-1.example"]

    async def status() -> tuple[str, str]:
        shown = await neutron.get(f"ports/{port['id']}")
        return shown["status"], shown["binding:vif_type"]

    await neutron.server.translate()
    assert await status() == ("DOWN", "ovs")
    facts.claim("hv1", port["id"])
    assert await status() == ("BUILD", "ovs")
    facts.set_up("hv1", port["id"], up=True)
    assert await status() == ("ACTIVE", "ovs")
    assert [each["id"] for each in await neutron.get("ports?status=ACTIVE")] == [port["id"]]
    assert await neutron.get("ports?status=DOWN") == []
    moved = await update(neutron, port, **{"binding:host_id": "nowhere"})
    assert (moved["binding:vif_type"], moved["binding:vif_details"]) == ("binding_failed", {})
    found = await neutron.get("ports?binding:host_id=nowhere")
    assert [each["id"] for each in found] == [port["id"]]
    direct = {"binding:host_id": "hv1", "binding:vnic_type": "direct"}
    assert (await update(neutron, port, **direct))["binding:vif_type"] == "binding_failed"
    profile = {"binding:profile": {"capabilities": ["switchdev"]}}
    assert (await update(neutron, port, **profile))["binding:vif_type"] == "ovs"
    free = await update(neutron, port, **{"binding:host_id": "", "binding:vnic_type": "normal"})
    await neutron.server.translate()
    assert (await v1_port(neutron, port["id"]))["requested_chassis"] == []
    # It is where it has an interface, though no one asks for that host any more.
    shown = await neutron.get(f"ports/{free['id']}")
    assert (shown["binding:host_id"], shown["binding:vif_type"]) == ("host-1.example", "ovs")
    found = await neutron.get("ports?binding:host_id=host-1.example&binding:host_id=hv9")
    assert [each["id"] for each in found] == [port["id"]]
    assert await neutron.get("ports?binding:host_id=hv9") == []
    stopped = await update(neutron, port, admin_state_up=False)
    assert stopped["status"] == "DOWN"


async def test_the_bridge_is_that_of_the_chassis(neutron: Neutron) -> None:
    network, _ = await make_network(neutron, "10.0.0.0/24")
    encaps = (Encap("geneve", "192.0.2.1"),)
    neutron.server.realised.facts.connected(Chassis("hv1", "", encaps, bridge_ids("br-other")))
    port = await neutron.make("ports", network_id=network, **{"binding:host_id": "hv1"})
    assert port["binding:vif_details"]["bridge_name"] == "br-other"


async def test_port_security_and_groups(neutron: Neutron) -> None:
    network, _ = await make_network(neutron, "10.0.0.0/24")
    port = await neutron.make("ports", network_id=network)
    [default] = port["security_groups"]
    path = f"ports/{port['id']}"
    group = await neutron.make("security-groups", name="web")
    changed = await update(neutron, port, security_groups=[group["id"]])
    assert changed["security_groups"] == [group["id"]]
    assert changed["revision_number"] > port["revision_number"]
    found = await neutron.get(f"ports?security_groups={group['id']}")
    assert [each["id"] for each in found] == [port["id"]]
    open_ = {"port": {"port_security_enabled": False}}
    await neutron.refused(409, "PortSecurityPortHasSecurityGroup", "PUT", path, open_)
    changed = await update(neutron, port, port_security_enabled=False, security_groups=[])
    assert (changed["port_security_enabled"], changed["security_groups"]) == (False, [])
    switch_port = await v1_port(neutron, port["id"])
    assert switch_port["port_security"] == []
    assert switch_port["addresses"][1:] == ["unknown"]
    required = "PortSecurityAndIPRequiredForSecurityGroups"
    body: dict[str, Any] = {"port": {"security_groups": [default]}}
    await neutron.refused(400, required, "PUT", path, body)
    body = {"port": {"allowed_address_pairs": [{"ip_address": "10.0.0.9"}]}}
    await neutron.refused(409, "AddressPairAndPortSecurityRequired", "PUT", path, body)
    closed = await update(neutron, port, port_security_enabled=True)
    assert closed["security_groups"] == []
    body = {"port": {"security_groups": [UNKNOWN]}}
    await neutron.refused(404, "SecurityGroupNotFound", "PUT", path, body)
    for values in ({"security_groups": [default]}, {"allowed_address_pairs": PAIRS}):
        body = {"port": {"network_id": network, "port_security_enabled": False, **values}}
        assert (await neutron.call("POST", "ports", body)).status_code in (400, 409)
    dhcp = await neutron.make("ports", network_id=network, device_owner="network:dhcp")
    assert (dhcp["port_security_enabled"], dhcp["security_groups"]) == (False, [])
    await neutron.call("PUT", f"networks/{network}", {"network": {"port_security_enabled": False}})
    plain = await neutron.make("ports", network_id=network)
    assert (plain["port_security_enabled"], plain["security_groups"]) == (False, [])


PAIRS: list[dict[str, str]] = [
    {"ip_address": "10.0.0.200"},
    {"ip_address": "10.5.0.1/24", "mac_address": OTHER_MAC},
    {"ip_address": "fd00::/64"},
]


async def test_allowed_address_pairs(neutron: Neutron) -> None:
    network, _ = await make_network(neutron, "10.0.0.0/24")
    values = {"network_id": network, "mac_address": MAC, "allowed_address_pairs": PAIRS}
    port = await neutron.make("ports", **values)
    assert port["allowed_address_pairs"] == [{"mac_address": MAC, **each} for each in PAIRS]
    switch_port = await v1_port(neutron, port["id"])
    # Packets to the other MAC address have to get there: the switch learns where it is.
    assert switch_port["addresses"] == [f"{MAC} 10.0.0.2", "unknown"]
    assert switch_port["port_security"] == [
        f"{MAC} 10.0.0.2 10.0.0.200 fd00::/64",
        f"{OTHER_MAC} 10.5.0.0/24",
    ]
    everything = [{"ip_address": "0.0.0.0/0"}, {"ip_address": "::/0"}]
    await update(neutron, port, allowed_address_pairs=everything)
    # Several ports may be allowed the same address, which they hand on to each other.
    await neutron.make("ports", network_id=network, allowed_address_pairs=PAIRS)
    await neutron.server.translate()
    assert neutron.server.translator.failures == []
    assert (await update(neutron, port, allowed_address_pairs=None))["allowed_address_pairs"] == []
    assert (await v1_port(neutron, port["id"]))["addresses"] == [f"{MAC} 10.0.0.2"]


async def test_filters_of_fixed_ips(neutron: Neutron) -> None:
    network, first, second = await make_network(neutron, "10.0.0.0/24", "10.1.0.0/24")
    wanted = (("10.0.0.5",), ("10.1.0.5",), ("10.0.0.6", "10.1.0.6"))
    a, b, both = [
        (
            await neutron.make(
                "ports", network_id=network, fixed_ips=[{"ip_address": each} for each in ips]
            )
        )["id"]
        for ips in wanted
    ]

    async def found(*filters: str) -> set[str]:
        query = "&".join(f"fixed_ips={each}" for each in filters)
        return {port["id"] for port in await neutron.get(f"ports?{query}")}

    assert await found("ip_address=10.0.0.5") == {a}
    assert await found("ip_address=10.0.0.5", "ip_address=10.1.0.5") == {a, b}
    assert await found(f"subnet_id={first}") == {a, both}
    assert await found(f"subnet_id={first}", f"subnet_id={second}") == {a, b, both}
    assert await found(f"subnet_id={first}", "ip_address=10.0.0.6") == {both}
    assert await found(f"subnet_id={first}", "ip_address=10.1.0.6") == set()
    dual = (f"subnet_id={first}", "ip_address=10.0.0.5", f"subnet_id={second}")
    assert await found(*dual, "ip_address=10.1.0.5") == {a, b}
    assert await found("ip_address_substr=0.5") == {a, b}
    assert await found("ip_address=nowhere") == set()
    assert await found(f"subnet_id={UNKNOWN}") == set()
    assert await found("colour=blue") == {a, b, both}
    mac = (await neutron.get(f"ports/{a}"))["mac_address"]
    query = f"ports?fixed_ips=subnet_id={first}&mac_address={mac}"
    assert [port["id"] for port in await neutron.get(query)] == [a]
    await neutron.refused(400, "InvalidInput", "GET", "ports?fixed_ips=x")
    await neutron.refused(400, "HTTPBadRequest", "GET", "ports?sort_key=fixed_ips")
    await neutron.refused(400, "HTTPBadRequest", "GET", "ports?allowed_address_pairs=x")


async def test_other_filters(neutron: Neutron) -> None:
    network, _ = await make_network(neutron, "10.0.0.0/24")
    other, _ = await make_network(neutron, "10.0.0.0/24")
    values = {"device_owner": "compute:kuryr", "device_id": "vm-1", "name": "a"}
    a = await neutron.make("ports", network_id=network, **values)
    b = await neutron.make("ports", network_id=other, name="b")
    for query, ids in (
        (f"network_id={network}", [a["id"]]),
        ("device_owner=compute:kuryr&device_owner=trunk:subport", [a["id"]]),
        ("device_owner=", [b["id"]]),
        ("device_id=vm-1", [a["id"]]),
        ("name=a", [a["id"]]),
        (f"id={a['id'].upper()}", [a["id"]]),
        (f"mac_address={b['mac_address'].upper()}", [b["id"]]),
        ("mac_address=none", []),
        ("network_id=none", []),
        ("tenant_id=default&name=b", [b["id"]]),
        ("admin_state_up=false", []),
        ("binding:host_id=nowhere", []),
        (f"revision_number={b['revision_number']}", [b["id"]]),
    ):
        assert [each["id"] for each in await neutron.get(f"ports?{query}")] == ids, query


async def test_many_at_once(neutron: Neutron) -> None:
    network, _ = await make_network(neutron, "10.0.0.0/24")
    bodies: list[dict[str, Any]] = [
        {"network_id": network, "name": "a", "tags": ["x"]},
        {"network_id": network, "name": "b"},
    ]
    made = (await neutron.call("POST", "ports", {"ports": bodies})).json()["ports"]
    assert [(each["name"], each["tags"]) for each in made] == [("a", ["x"]), ("b", [])]
    addresses = {each["fixed_ips"][0]["ip_address"] for each in made}
    assert addresses == {"10.0.0.2", "10.0.0.3"}
    for tags in ("a", [1], ["a,b"], [""], ["x" * 256], [str(i) for i in range(51)]):
        body = {"port": {"network_id": network, "tags": tags}}
        await neutron.refused(400, "HTTPBadRequest", "POST", "ports", body)
    path, change = f"ports/{made[0]['id']}", {"port": {"tags": []}}
    await neutron.refused(400, "HTTPBadRequest", "PUT", path, change)
    # The second one asks for what the first is given.
    wrong = [{"network_id": network, "mac_address": MAC}] * 2
    await neutron.refused(409, "MacAddressInUse", "POST", "ports", {"ports": wrong})
    assert len(await neutron.get("ports")) == 2


async def test_attributes_that_are_kept(neutron: Neutron) -> None:
    network, _ = await make_network(neutron, "10.0.0.0/24")
    options = [{"opt_name": "tftp-server", "opt_value": "10.0.0.1"}]
    port = await neutron.make(
        "ports",
        network_id=network,
        extra_dhcp_opts=options,
        dns_name="Web",
        numa_affinity_policy="preferred",
        device_profile="fpga",
        **{"binding:profile": {"a": [1]}},
    )
    assert port["extra_dhcp_opts"] == [{**options[0], "ip_version": 4}]
    assert (port["numa_affinity_policy"], port["device_profile"]) == ("preferred", "fpga")
    assert (port["propagate_uplink_status"], port["data_plane_status"]) == (True, None)
    assert port["binding:profile"] == {"a": [1]}
    [assigned] = port["dns_assignment"]
    assert assigned == {
        "ip_address": "10.0.0.2",
        "hostname": "web",
        "fqdn": "web.openstacklocal.",
    }
    more = [{"opt_name": "tftp-server", "opt_value": None}, {"opt_name": "mtu", "opt_value": "9"}]
    changed = await update(
        neutron, port, extra_dhcp_opts=more, data_plane_status="DOWN", dns_name=""
    )
    assert [each["opt_name"] for each in changed["extra_dhcp_opts"]] == ["mtu"]
    assert changed["data_plane_status"] == "DOWN"
    assert changed["dns_assignment"][0]["hostname"] == "host-10-0-0-2"


@pytest.mark.parametrize(
    ("values", "status", "type_", "words"),
    [
        ({"network_id": UNKNOWN}, 404, "NetworkNotFound", UNKNOWN),
        ({"network_id": "x"}, 400, "HTTPBadRequest", "'x' is not a valid UUID"),
        ({"colour": "blue"}, 400, "HTTPBadRequest", "Unrecognized attribute(s) 'colour'"),
        ({"status": "ACTIVE"}, 400, "HTTPBadRequest", "not allowed in POST"),
        ({"mac_address": "xx"}, 400, "HTTPBadRequest", "not a valid MAC address"),
        ({"mac_address": "01:00:5e:00:00:01"}, 400, "HTTPBadRequest", "not a valid MAC"),
        ({"name": "a\nb"}, 400, "HTTPBadRequest", "Invalid input for name"),
        ({"fixed_ips": None}, 400, "HTTPBadRequest", "Invalid data format for fixed IP: 'None'"),
        ({"fixed_ips": ["x"]}, 400, "HTTPBadRequest", "Invalid data format for fixed IP: 'x'"),
        ({"fixed_ips": [{"ip_address": "z"}]}, 400, "HTTPBadRequest", "not a valid IP address"),
        ({"fixed_ips": [{"subnet_id": 1}]}, 400, "HTTPBadRequest", "not a valid UUID"),
        ({"fixed_ips": [{}]}, 400, "InvalidInput", "IP allocation requires subnet_id or ip_"),
        ({"fixed_ips": [{}] * 101}, 400, "HTTPBadRequest", "more than 100"),
        ({"fixed_ips": [{"subnet_id": UNKNOWN}]}, 404, "SubnetNotFound", UNKNOWN),
        ({"fixed_ips": [{"ip_address": "9.9.9.9"}]}, 400, "InvalidIpForNetwork", "9.9.9.9"),
        (
            {"fixed_ips": [{"ip_address": "10.0.0.9"}] * 2},
            400,
            "HTTPBadRequest",
            "Duplicate IP address '10.0.0.9'",
        ),
        ({"allowed_address_pairs": "x"}, 400, "HTTPBadRequest", "must be a list"),
        ({"allowed_address_pairs": ["x"]}, 400, "HTTPBadRequest", "not a dictionary"),
        (
            {"allowed_address_pairs": [{"mac_address": MAC}]},
            400,
            "AllowedAddressPairsMissingIP",
            "must contain ip_address",
        ),
        ({"allowed_address_pairs": [{"ip_address": "x"}]}, 400, "HTTPBadRequest", "not a valid IP"),
        (
            {"allowed_address_pairs": [{"ip_address": "224.0.0.1"}]},
            400,
            "HTTPBadRequest",
            "multicast",
        ),
        (
            {"allowed_address_pairs": [{"ip_address": "10.0.0.1", "x": 1}]},
            400,
            "HTTPBadRequest",
            "Unrecognized attribute(s) 'x'",
        ),
        (
            {"allowed_address_pairs": [{"ip_address": "10.0.0.1"}] * 2},
            400,
            "DuplicateAddressPairInRequest",
            "duplicate address pair",
        ),
        (
            {"allowed_address_pairs": [{"ip_address": f"10.0.0.{i}"} for i in range(11)]},
            400,
            "AllowedAddressPairExhausted",
            "maximum 10",
        ),
        ({"security_groups": ["x"]}, 400, "HTTPBadRequest", "'x' is not a valid UUID"),
        ({"security_groups": [UNKNOWN] * 2}, 400, "HTTPBadRequest", "Duplicate items"),
        ({"security_groups": [UNKNOWN]}, 404, "SecurityGroupNotFound", UNKNOWN),
        ({"binding:vnic_type": "x"}, 400, "HTTPBadRequest", "binding:vnic_type"),
        ({"binding:profile": "x"}, 400, "HTTPBadRequest", "not a dictionary"),
        ({"binding:profile": {"a": "x" * 4096}}, 400, "InvalidInput", "too large"),
        ({"binding:host_id": "\t"}, 400, "HTTPBadRequest", "control characters"),
        ({"binding:host_id": "x" * 256}, 400, "HTTPBadRequest", "maximum length"),
        ({"extra_dhcp_opts": "x"}, 400, "InvalidInput", "not a list"),
        ({"extra_dhcp_opts": [{"opt_name": ""}]}, 400, "InvalidInput", "No valid key specs"),
        (
            {"extra_dhcp_opts": [{"opt_name": "a", "opt_value": "1"}] * 2},
            400,
            "InvalidInput",
            "Duplicate items",
        ),
        ({"dns_name": "a..b"}, 400, "HTTPBadRequest", "not a valid PQDN or FQDN"),
        ({"dns_name": "a.1"}, 400, "HTTPBadRequest", "all numeric"),
        ({"dns_domain": "example.org"}, 400, "HTTPBadRequest", "is not a FQDN"),
        ({"data_plane_status": "DOWN"}, 400, "HTTPBadRequest", "not allowed in POST"),
        ({"numa_affinity_policy": "x"}, 400, "HTTPBadRequest", "numa_affinity_policy"),
    ],
)
async def test_refusals(
    neutron: Neutron, values: dict[str, Any], status: int, type_: str, words: str
) -> None:
    network, _ = await make_network(neutron, "10.0.0.0/24")
    body = {"port": {"network_id": network, **values}}
    assert words in await neutron.refused(status, type_, "POST", "ports", body)
    assert await neutron.get("ports") == []


async def test_refusals_of_other_routes(neutron: Neutron) -> None:
    network, _ = await make_network(neutron, "10.0.0.0/24")
    port = await neutron.make("ports", network_id=network)
    path = f"ports/{port['id']}"
    await neutron.refused(400, "HTTPBadRequest", "POST", "ports", {"port": {}})
    await neutron.refused(400, "HTTPBadRequest", "PUT", path, {"port": {"network_id": network}})
    taken = {"port": {"network_id": network, "fixed_ips": port["fixed_ips"]}}
    await neutron.refused(409, "IpAddressAlreadyAllocated", "POST", "ports", taken)
    for method, body in (("GET", None), ("PUT", {"port": {"name": "x"}}), ("DELETE", None)):
        for unknown in (UNKNOWN, "name"):
            await neutron.refused(404, "PortNotFound", method, f"ports/{unknown}", body)
    await neutron.refused(404, "PortNotFound", "PUT", f"ports/{UNKNOWN}/tags/x")
    wrong = {"If-Match": f"revision_number={port['revision_number'] + 1}"}
    answer = await neutron.call("PUT", path, {"port": {"name": "x"}}, **wrong)
    assert answer.status_code == 412
    assert (await neutron.call("DELETE", path, **wrong)).status_code == 412


async def test_owners_that_keep_their_ports(neutron: Neutron) -> None:
    network, _ = await make_network(neutron, "10.0.0.0/24")
    router = (await neutron.v1.post("/v1/logical-routers", json={"name": "r"})).json()
    owner = "network:router_interface"
    values = {"network_id": network, "device_owner": owner}
    port = await neutron.make("ports", device_id=router["id"], **values)
    await neutron.refused(409, "ServicePortInUse", "DELETE", f"ports/{port['id']}")
    for device in ("", UNKNOWN):
        left = await neutron.make("ports", device_id=device, **values)
        assert (await neutron.call("DELETE", f"ports/{left['id']}")).status_code == 204
    dhcp = await neutron.make("ports", network_id=network, device_owner="network:dhcp")
    assert (await neutron.call("DELETE", f"ports/{dhcp['id']}")).status_code == 204


async def test_tags(neutron: Neutron) -> None:
    network, _ = await make_network(neutron, "10.0.0.0/24")
    port = await neutron.make("ports", network_id=network)
    await neutron.make("ports", network_id=network)
    for tag in ("kuryr.net.uuid.lh:0123", "compute:kuryr"):
        assert (await neutron.call("PUT", f"ports/{port['id']}/tags/{tag}")).status_code == 201
    found = await neutron.get("ports?tags=kuryr.net.uuid.lh:0123,compute:kuryr")
    assert [each["id"] for each in found] == [port["id"]]
    path = f"ports/{port['id']}/tags/compute:kuryr"
    assert (await neutron.call("DELETE", path)).status_code == 204
    await neutron.refused(404, "TagNotFound", "DELETE", path)


async def test_options_for_dhcp_are_bounded_however_they_come(neutron: Neutron) -> None:
    network, _ = await make_network(neutron, "10.0.0.0/24")
    options = [{"opt_name": f"o{i}", "opt_value": "1"} for i in range(100)]
    port = await neutron.make("ports", network_id=network, extra_dhcp_opts=options)
    path = f"ports/{port['id']}"
    one_more = {"port": {"extra_dhcp_opts": [{"opt_name": "more", "opt_value": "1"}]}}
    message = await neutron.refused(400, "InvalidInput", "PUT", path, one_more)
    assert "at most 100" in message
    instead = {"opt_name": "o0", "opt_value": None}
    one_more["port"]["extra_dhcp_opts"].append(instead)
    assert (await neutron.call("PUT", path, one_more)).status_code == 200


async def test_projects_on_a_shared_network(neutron: Neutron) -> None:
    network, subnet = await make_network(neutron, "10.0.0.0/24", shared=True)
    own = await neutron.make("ports", "alice", network_id=network)
    assert own["project_id"] == "acme"
    assert not any(name.startswith("binding:") for name in set(own) - {"binding:vnic_type"})
    theirs = await neutron.make("ports", "bob", network_id=network)
    assert own["security_groups"] != theirs["security_groups"]
    assert [each["id"] for each in await neutron.get("ports", "alice")] == [own["id"]]
    path = f"ports/{theirs['id']}"
    body: dict[str, Any]
    for method, body in (("GET", None), ("PUT", {"port": {"name": "x"}}), ("DELETE", None)):
        await neutron.refused(404, "PortNotFound", method, path, body, "alice")
    for values in (
        {"mac_address": MAC},
        {"fixed_ips": [{"ip_address": "10.0.0.9"}]},
        {"port_security_enabled": False},
        {"allowed_address_pairs": PAIRS},
        {"device_owner": "network:dhcp"},
        {"binding:host_id": "hv1"},
        {"binding:profile": {}},
        {"project_id": "zoo"},
    ):
        body = {"port": {"network_id": network, **values}}
        await neutron.refused(403, "PolicyNotAuthorized", "POST", "ports", body, "alice")
    _, unseen = await make_network(neutron, "10.7.0.0/24", caller="bob")
    for unknown in (unseen, network):  # the latter is no subnet at all
        body = {"port": {"network_id": network, "fixed_ips": [{"subnet_id": unknown}]}}
        await neutron.refused(404, "SubnetNotFound", "POST", "ports", body, "alice")
    by_subnet = [{"subnet_id": subnet}]
    await neutron.make("ports", "alice", network_id=network, fixed_ips=by_subnet)
    for change in ({"mac_address": MAC}, {"fixed_ips": by_subnet}, {"binding:host_id": "hv1"}):
        path = f"ports/{own['id']}"
        await neutron.refused(403, "PolicyNotAuthorized", "PUT", path, {"port": change}, "alice")
    path = f"ports/{own['id']}"
    group = {"port": {"security_groups": theirs["security_groups"]}}
    await neutron.refused(404, "SecurityGroupNotFound", "PUT", path, group, "alice")


async def test_what_only_admins_see_is_not_to_be_guessed_by_filters(neutron: Neutron) -> None:
    network, _ = await make_network(neutron, "10.0.0.0/24", caller="alice")
    port = await neutron.make("ports", "alice", network_id=network)
    change = {"port": {"binding:host_id": "hv1"}}
    assert (await neutron.call("PUT", f"ports/{port['id']}", change)).status_code == 200
    segment = (await neutron.get(f"networks/{network}"))["provider:segmentation_id"]
    for query in (
        "ports?binding:host_id=hv1",
        f"networks?provider:segmentation_id={segment}",
        "networks?provider:network_type=geneve&name=",
    ):
        assert await neutron.get(query, "alice") == [], query
    assert len(await neutron.get("ports?binding:host_id=hv1")) == 1
    assert len(await neutron.get(f"networks?provider:segmentation_id={segment}")) == 1


async def test_projects_on_their_own_networks(neutron: Neutron) -> None:
    network, _ = await make_network(neutron, "10.0.0.0/24", caller="alice")
    body = {"port": {"network_id": network}}
    await neutron.refused(404, "NetworkNotFound", "POST", "ports", body, "bob")
    await neutron.refused(403, "PolicyNotAuthorized", "POST", "ports", body, "rita")
    values = {"mac_address": MAC, "fixed_ips": [{"ip_address": "10.0.0.9"}]}
    port = await neutron.make("ports", "alice", network_id=network, **values)
    assert await neutron.get(f"ports/{port['id']}", "rita") == port
    for method, change in (("PUT", {"port": {"name": "x"}}), ("DELETE", None)):
        path = f"ports/{port['id']}"
        await neutron.refused(403, "PolicyNotAuthorized", method, path, change, "rita")
    mac = {"port": {"mac_address": OTHER_MAC}}
    await neutron.refused(403, "PolicyNotAuthorized", "PUT", path, mac, "alice")
    # A port of another project on the network is seen by its owner, who may take it off.
    await neutron.call("PUT", f"networks/{network}", {"network": {"shared": True}})
    guest = await neutron.make("ports", "bob", network_id=network)
    seen = await neutron.get("ports", "alice")
    assert {each["id"] for each in seen} == {port["id"], guest["id"]}
    path = f"ports/{guest['id']}"
    change = {"port": {"name": "x"}}
    await neutron.refused(403, "PolicyNotAuthorized", "PUT", path, change, "alice")
    assert (await neutron.call("DELETE", path, caller="alice")).status_code == 204
    made = await neutron.make("ports", network_id=network, project_id="zoo")
    assert [each["id"] for each in await neutron.get("ports", "bob")] == [made["id"]]
