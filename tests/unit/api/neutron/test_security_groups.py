"""Security groups and their rules over the Neutron API: made, shown, changed and refused."""

from typing import Any

from tests.unit.api.neutron.conftest import Neutron

UNKNOWN = "0b4b5f0e-52c1-4d1f-9d1f-0f4f3f6b7a11"
GROUPS, RULES = "security-groups", "security-group-rules"


async def test_a_group_is_a_port_group_with_acls(neutron: Neutron) -> None:
    made = await neutron.make(GROUPS, name="web", description="for tests")
    group = (await neutron.v1.get(f"/v1/port-groups/{made['id']}")).json()
    assert group["name"] == f"sg_{made['id'].replace('-', '')}"
    assert group["display_name"] == "web"
    acls = (await neutron.v1.get(f"/v1/acls?port_group={made['id']}")).json()["items"]
    assert {acl["id"] for acl in acls} == {each["id"] for each in made["security_group_rules"]}
    assert {(acl["tier"], acl["priority"], acl["action"], acl["match"]) for acl in acls} == {
        (2, 1002, "allow-related", f"inport == @{group['name']} && ip4"),
        (2, 1002, "allow-related", f"inport == @{group['name']} && ip6"),
    }
    assert (made["stateful"], made["shared"], made["tags"]) == (True, False, [])
    assert made == await neutron.get(f"{GROUPS}/{made['id']}")


async def test_a_project_has_a_default_group_from_its_first_look_on(neutron: Neutron) -> None:
    [mine] = await neutron.get(GROUPS, caller="alice")
    assert (mine["name"], mine["project_id"]) == ("default", "acme")
    shown = {
        (rule["direction"], rule["ethertype"], rule["remote_group_id"])
        for rule in mine["security_group_rules"]
    }
    assert shown == {
        ("egress", "IPv4", None),
        ("egress", "IPv6", None),
        ("ingress", "IPv4", mine["id"]),
        ("ingress", "IPv6", mine["id"]),
    }
    assert await neutron.get(GROUPS, caller="alice") == [mine]
    assert await neutron.get(GROUPS, caller="rita") == [mine]
    await neutron.make(GROUPS, caller="bob", name="first")
    assert len(await neutron.get(f"{GROUPS}?name=default")) == 3


async def test_the_default_group_stays(neutron: Neutron) -> None:
    [default] = await neutron.get(GROUPS, caller="alice")
    path = f"{GROUPS}/{default['id']}"
    body = {"security_group": {"name": "other"}}
    await neutron.refused(409, "SecurityGroupCannotUpdateDefault", "PUT", path, body, "alice")
    await neutron.refused(409, "SecurityGroupCannotRemoveDefault", "DELETE", path, caller="alice")
    body = {"security_group": {"description": "ours"}}
    assert (await neutron.call("PUT", path, body, "alice")).status_code == 200
    for name in ("default", "Default"):
        body = {"security_group": {"name": name}}
        type_ = "SecurityGroupDefaultAlreadyExists"
        await neutron.refused(409, type_, "POST", GROUPS, body, "alice")
    assert (await neutron.call("DELETE", path)).status_code == 204
    [again] = await neutron.get(GROUPS, caller="alice")
    assert again["id"] != default["id"]


async def rule(neutron: Neutron, group: dict[str, Any], **values: Any) -> dict[str, Any]:
    return await neutron.make(
        RULES, security_group_id=group["id"], **{"direction": "ingress", **values}
    )


async def test_a_rule_is_an_acl_of_the_same_id(neutron: Neutron) -> None:
    group = await neutron.make(GROUPS, name="web")
    made = await rule(
        neutron,
        group,
        protocol="TCP",
        port_range_min="80",
        port_range_max=90,
        remote_ip_prefix="10.0.0.7/24",
        description="http",
    )
    name = f"sg_{group['id'].replace('-', '')}"
    acl = (await neutron.v1.get(f"/v1/acls/{made['id']}")).json()
    assert acl["match"] == (
        f"outport == @{name} && ip4 && tcp && tcp.dst >= 80 && tcp.dst <= 90 "
        "&& ip4.src == 10.0.0.7/24"
    )
    assert (acl["direction"], acl["action"], acl["tier"]) == ("to-lport", "allow-related", 2)
    assert (made["protocol"], made["remote_ip_prefix"]) == ("tcp", "10.0.0.7/24")
    assert (made["normalized_cidr"], made["belongs_to_default_sg"]) == ("10.0.0.0/24", False)
    changed = await neutron.get(f"{GROUPS}/{group['id']}")
    assert made in changed["security_group_rules"]
    assert changed["revision_number"] > group["revision_number"]
    assert (await neutron.call("DELETE", f"{RULES}/{made['id']}")).status_code == 204
    await neutron.refused(404, "SecurityGroupRuleNotFound", "GET", f"{RULES}/{made['id']}")
    assert (await neutron.v1.get(f"/v1/acls/{made['id']}")).status_code == 404
