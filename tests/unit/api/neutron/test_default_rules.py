"""The rules that security groups begin with, over the Neutron API."""

from typing import Any

import pytest

from tests.unit.api.neutron.conftest import Neutron

UNKNOWN = "0b4b5f0e-52c1-4d1f-9d1f-0f4f3f6b7a11"
PATH = "default-security-group-rules"
HTTP = {"direction": "ingress", "protocol": "tcp", "port_range_min": 80, "port_range_max": 80}
IN_ALL = {"used_in_default_sg": True, "used_in_non_default_sg": True}


def told(rules: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    names = ("direction", "ethertype", "protocol", "remote_group_id")
    return sorted((tuple(each[name] for name in names) for each in rules), key=str)


async def test_what_there_is_at_first(neutron: Neutron) -> None:
    rules = await neutron.get(PATH, caller="alice")
    used = {
        (each["direction"], each["ethertype"], each["remote_group_id"]): (
            each["used_in_default_sg"],
            each["used_in_non_default_sg"],
        )
        for each in rules
    }
    assert used == {
        ("egress", "IPv4", None): (True, True),
        ("egress", "IPv6", None): (True, True),
        ("ingress", "IPv4", "PARENT"): (True, False),
        ("ingress", "IPv6", "PARENT"): (True, False),
    }
    assert await neutron.get(f"{PATH}/{rules[0]['id']}", caller="rita") == rules[0]
    assert not {"project_id", "tenant_id", "tags", "revision_number"} & set(rules[0])
    query = f"{PATH}?direction=ingress&used_in_non_default_sg=false"
    assert len(await neutron.get(query)) == 2


async def test_new_groups_have_what_an_admin_says(neutron: Neutron) -> None:
    [before] = await neutron.get("security-groups", caller="alice")
    made = await neutron.make(PATH, **HTTP, **IN_ALL, description="http")
    assert await neutron.get(f"{PATH}/{made['id']}") == made
    own = {"used_in_default_sg": False, "used_in_non_default_sg": True}
    await neutron.make(PATH, direction="ingress", remote_group_id="PARENT", **own)
    sets = {"name": "all", "addresses": ["10.9.0.0/16"], "shared": True}
    office = (await neutron.v1.post("/v1/address-sets", json=sets)).json()["id"]
    values = {"direction": "egress", "protocol": "udp", "remote_address_group_id": office}
    await neutron.make(PATH, **values, **own)
    for each in await neutron.get(f"{PATH}?direction=egress&ethertype=IPv6"):
        assert (await neutron.call("DELETE", f"{PATH}/{each['id']}")).status_code == 204

    group = await neutron.make("security-groups", caller="alice", name="web")
    assert told(group["security_group_rules"]) == [
        ("egress", "IPv4", "udp", None),
        ("egress", "IPv4", None, None),
        ("ingress", "IPv4", "tcp", None),
        ("ingress", "IPv4", None, group["id"]),
    ]
    [default] = await neutron.get("security-groups", caller="bob")
    assert told(default["security_group_rules"]) == [
        ("egress", "IPv4", None, None),
        ("ingress", "IPv4", "tcp", None),
        ("ingress", "IPv4", None, default["id"]),
        ("ingress", "IPv6", None, default["id"]),
    ]
    # What is there stays, and a set that is gone is left out.
    assert before in await neutron.get("security-groups", caller="alice")
    for each in group["security_group_rules"]:
        await neutron.call("DELETE", f"security-group-rules/{each['id']}", caller="alice")
    assert (await neutron.v1.delete(f"/v1/address-sets/{office}")).status_code == 204
    later = await neutron.make("security-groups", caller="alice", name="later")
    assert len(later["security_group_rules"]) == 3


@pytest.mark.parametrize(
    ("values", "status", "type_", "words"),
    [
        (HTTP, 409, "DefaultSecurityGroupRuleExists", "Rule id is"),
        (
            {**HTTP, "used_in_default_sg": False},
            409,
            "DefaultSecurityGroupRuleExists",
            "Rule id is",
        ),
        ({"protocol": "tcp", "port_range_min": 80}, 400, "SecurityGroupInvalidPortRange", ""),
        ({"protocol": "foo"}, 400, "SecurityGroupRuleInvalidProtocol", "foo"),
        ({"remote_group_id": UNKNOWN}, 400, "HTTPBadRequest", "remote_group_id"),
        ({"remote_address_group_id": UNKNOWN}, 404, "AddressGroupNotFound", UNKNOWN),
        (
            {"remote_group_id": "PARENT", "remote_ip_prefix": "10.0.0.0/8"},
            400,
            "SecurityGroupMultipleRemoteEntites",
            "",
        ),
        ({"used_in_default_sg": "maybe"}, 400, "HTTPBadRequest", "used_in_default_sg"),
        ({"colour": 1}, 400, "HTTPBadRequest", "colour"),
        ({"id": UNKNOWN}, 400, "HTTPBadRequest", "'id' not allowed in POST"),
    ],
)
async def test_refusals(
    neutron: Neutron, values: dict[str, Any], status: int, type_: str, words: str
) -> None:
    await neutron.make(PATH, **HTTP, **IN_ALL)
    before = await neutron.get(PATH)
    body = {"default_security_group_rule": {"direction": "ingress", **IN_ALL, **values}}
    assert words in await neutron.refused(status, type_, "POST", PATH, body)
    assert await neutron.get(PATH) == before


async def test_an_address_group_of_one_project(neutron: Neutron) -> None:
    made = await neutron.make("address-groups", addresses=["10.0.0.0/8"])
    values = {"direction": "ingress", **IN_ALL, "remote_address_group_id": made["id"]}
    body = {"default_security_group_rule": values}
    message = await neutron.refused(400, "HTTPBadRequest", "POST", PATH, body)
    assert "an address group that is shared" in message


async def test_who_may_change_them(neutron: Neutron) -> None:
    [first, *_] = await neutron.get(PATH)
    path = f"{PATH}/{first['id']}"
    body = {"default_security_group_rule": {**HTTP, **IN_ALL}}
    for caller in ("alice", "rita"):
        await neutron.refused(403, "PolicyNotAuthorized", "POST", PATH, body, caller)
        await neutron.refused(403, "PolicyNotAuthorized", "DELETE", path, caller=caller)
    for name in IN_ALL:
        missing = {key: value for key, value in {**HTTP, **IN_ALL}.items() if key != name}
        body = {"default_security_group_rule": missing}
        message = await neutron.refused(400, "HTTPBadRequest", "POST", PATH, body)
        assert f"Required attribute '{name}' not specified" in message
    wrong = {"If-Match": "revision_number=7"}
    assert (await neutron.call("DELETE", path, **wrong)).status_code == 412
    await neutron.refused(404, "HTTPNotFound", "PUT", path, {})
    type_ = "DefaultSecurityGroupRuleNotFound"
    for method in ("GET", "DELETE"):
        message = await neutron.refused(404, type_, method, f"{PATH}/{UNKNOWN}")
        assert message == f"Default Security Group rule {UNKNOWN} does not exist"
