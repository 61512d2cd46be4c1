"""Security groups and their rules over the Neutron API: made, shown, changed and refused."""

from typing import Any

import pytest

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


async def test_rules_as_neutron_shows_them(neutron: Neutron) -> None:
    group = await neutron.make(GROUPS, name="web")
    for given, shown in (
        ({"protocol": 17}, {"protocol": "17"}),
        ({"protocol": "any"}, {"protocol": None}),
        ({"protocol": "ICMPv6", "ethertype": "ipv6"}, {"protocol": "ipv6-icmp"}),
        ({"protocol": "icmp", "ethertype": "IPv6", "port_range_min": 1}, {"ethertype": "IPv6"}),
        ({"protocol": 58, "ethertype": "IPv6", "port_range_min": 2}, {"protocol": "58"}),
        ({"protocol": 1, "ethertype": "IPv6", "port_range_min": 3}, {"protocol": "58"}),
        ({"protocol": "icmp", "port_range_min": 8, "port_range_max": 0}, {"port_range_max": 0}),
        (
            {"protocol": "tcp", "port_range_min": 1, "port_range_max": 65535},
            {"port_range_min": None},
        ),
        ({"protocol": "ip"}, {"protocol": "ip"}),
        ({"protocol": "ipv6-frag", "ethertype": "IPv6"}, {"protocol": "ipv6-frag"}),
        ({"remote_ip_prefix": "10.0.0.7"}, {"remote_ip_prefix": "10.0.0.7/32"}),
        ({"remote_ip_prefix": "10.0.0.7/24"}, {"normalized_cidr": "10.0.0.0/24"}),
        ({"remote_ip_prefix": "10.0.0.0/24"}, {"remote_ip_prefix": "10.0.0.0/24"}),
        ({"protocol": "dccp"}, {"protocol": "dccp"}),
        ({"protocol": "ah"}, {"protocol": "ah"}),
        ({"remote_ip_prefix": ""}, None),
    ):
        if shown is None:
            body = {"security_group_id": group["id"], "direction": "ingress", **given}
            body = {"security_group_rule": body}
            await neutron.refused(409, "SecurityGroupRuleExists", "POST", RULES, body)
            continue
        made = await rule(neutron, group, **given)
        assert {name: made[name] for name in shown} == shown
        assert "tags" not in made


@pytest.mark.parametrize(
    ("values", "type_", "words"),
    [
        ({"direction": "up"}, "HTTPBadRequest", "direction"),
        ({"direction": None}, "HTTPBadRequest", "direction"),
        ({"colour": 1}, "HTTPBadRequest", "Unrecognized attribute(s) 'colour'"),
        ({"id": UNKNOWN}, "HTTPBadRequest", "Attribute 'id' not allowed in POST"),
        ({"description": "x" * 256}, "HTTPBadRequest", "exceeds maximum length"),
        ({"ethertype": "IPX"}, "SecurityGroupRuleInvalidEtherType", "'IPX' not supported"),
        ({"ethertype": None}, "SecurityGroupRuleInvalidEtherType", "'None' not supported"),
        ({"protocol": 256}, "SecurityGroupRuleInvalidProtocol", "protocol 256 not supported"),
        ({"protocol": -1}, "SecurityGroupRuleInvalidProtocol", "protocol -1 not supported"),
        ({"protocol": "foo"}, "SecurityGroupRuleInvalidProtocol", "protocol foo not supported"),
        ({"protocol": True}, "SecurityGroupRuleInvalidProtocol", "protocol True not supported"),
        ({"protocol": [6]}, "SecurityGroupRuleInvalidProtocol", "not supported"),
        ({"protocol": "\u0663"}, "SecurityGroupRuleInvalidProtocol", "not supported"),
        (
            {"protocol": "ipv6-route", "ethertype": "IPv6"},
            "SecurityGroupRuleInvalidProtocol",
            "the routing header comes before the protocol",
        ),
        (
            {"protocol": "hopopt", "ethertype": "IPv6"},
            "SecurityGroupRuleInvalidProtocol",
            "the hop-by-hop options header",
        ),
        ({"protocol": 51, "ethertype": "IPv6"}, "SecurityGroupRuleInvalidProtocol", "for IPv6"),
        (
            {"protocol": "icmpv6"},
            "SecurityGroupEthertypeConflictWithProtocol",
            "Invalid ethertype IPv4 for protocol ipv6-icmp.",
        ),
        ({"protocol": 44}, "SecurityGroupEthertypeConflictWithProtocol", "protocol 44"),
        (
            {"remote_ip_prefix": "fd00::/64"},
            "SecurityGroupRuleParameterConflict",
            "Conflicting value ethertype IPv4 for CIDR fd00::/64",
        ),
        ({"remote_ip_prefix": "x"}, "InvalidCIDR", "Invalid CIDR x given as IP prefix."),
        ({"remote_ip_prefix": ["x"]}, "InvalidCIDR", "Invalid CIDR"),
        ({"remote_ip_prefix": "10.0.0.0/33"}, "InvalidCIDR", "Invalid CIDR 10.0.0.0/33"),
        ({"remote_ip_prefix": "fe80::1%eth0", "ethertype": "IPv6"}, "InvalidCIDR", "Invalid CIDR"),
        ({"remote_group_id": 7}, "HTTPBadRequest", "remote_group_id"),
        (
            {"remote_group_id": UNKNOWN, "remote_ip_prefix": "10.0.0.0/8"},
            "SecurityGroupMultipleRemoteEntites",
            "Only one of remote_ip_prefix or remote_group_id or remote_address_group_id",
        ),
        (
            {"port_range_min": 80, "port_range_max": 80},
            "SecurityGroupProtocolRequiredWithPorts",
            "Must also specify protocol",
        ),
        (
            {"protocol": "gre", "port_range_min": 80, "port_range_max": 80},
            "SecurityGroupInvalidProtocolForPort",
            "Ports cannot be specified for protocol 47.",
        ),
        (
            {"protocol": "udplite", "port_range_min": 80, "port_range_max": 80},
            "SecurityGroupInvalidProtocolForPort",
            "switches don't read its ports",
        ),
    ],
)
async def test_rules_that_are_refused(
    neutron: Neutron, values: dict[str, Any], type_: str, words: str
) -> None:
    group = await neutron.make(GROUPS, name="web")
    body = {"security_group_id": group["id"], "direction": "ingress", **values}
    body = {"security_group_rule": body}
    message = await neutron.refused(400, type_, "POST", RULES, body)
    assert words in message
    assert await neutron.get(f"{GROUPS}/{group['id']}") == group


RANGE, PORT = "SecurityGroupInvalidPortRange", "SecurityGroupInvalidPortValue"
ICMP = "SecurityGroupInvalidIcmpValue"


@pytest.mark.parametrize(
    ("protocol", "low", "high", "type_"),
    [
        ("tcp", 80, None, RANGE),
        ("tcp", None, 80, RANGE),
        ("udp", 90, 80, RANGE),
        ("tcp", 0, 80, PORT),
        ("tcp", 1, 65536, PORT),
        ("sctp", -1, 3, PORT),
        ("tcp", "x", 80, PORT),
        ("tcp", "", "", PORT),
        ("tcp", [80], 80, PORT),
        ("tcp", True, 80, PORT),
        ("icmp", 256, None, ICMP),
        ("icmp", 8, 256, ICMP),
        ("1", None, 0, "SecurityGroupMissingIcmpType"),
    ],
)
async def test_ports_that_are_refused(
    neutron: Neutron, protocol: str, low: Any, high: Any, type_: str
) -> None:
    group = await neutron.make(GROUPS, name="web")
    values = {"protocol": protocol, "port_range_min": low, "port_range_max": high}
    body = {"security_group_id": group["id"], "direction": "egress", **values}
    await neutron.refused(400, type_, "POST", RULES, {"security_group_rule": body})
    assert await neutron.get(f"{GROUPS}/{group['id']}") == group


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"protocol": "any"}),
        ({}, {"remote_ip_prefix": "0.0.0.0/0"}),
        ({"ethertype": "IPv6"}, {"ethertype": "IPv6", "remote_ip_prefix": "::/0"}),
        ({"protocol": "tcp"}, {"protocol": 6, "description": "other words"}),
        (
            {"protocol": "tcp"},
            {"protocol": "tcp", "port_range_min": 1, "port_range_max": 65535},
        ),
        ({"protocol": "0"}, {"protocol": "ip"}),
        (
            {"protocol": "ipv6-icmp", "ethertype": "IPv6"},
            {"protocol": "icmp", "ethertype": "IPv6"},
        ),
    ],
)
async def test_rules_that_say_the_same(
    neutron: Neutron, first: dict[str, Any], second: dict[str, Any]
) -> None:
    group = await neutron.make(GROUPS, name="web")
    made = await rule(neutron, group, **first)
    place = {"security_group_id": group["id"], "direction": "ingress"}
    body: dict[str, Any] = {"security_group_rule": {**place, **second}}
    message = await neutron.refused(409, "SecurityGroupRuleExists", "POST", RULES, body)
    assert message == f"Security group rule already exists. Rule id is {made['id']}."
    await neutron.call("DELETE", f"{RULES}/{made['id']}")
    body = {"security_group_rules": [{**place, **first}, {**place, **second}]}
    await neutron.refused(409, "DuplicateSecurityGroupRuleInPost", "POST", RULES, body)
    assert len((await neutron.get(f"{GROUPS}/{group['id']}"))["security_group_rules"]) == 2


async def test_many_rules_at_once(neutron: Neutron) -> None:
    group, other = [await neutron.make(GROUPS, name=name) for name in ("web", "other")]
    place = {"security_group_id": group["id"], "direction": "ingress"}
    rules = [{**place, "protocol": "tcp"}, {**place, "protocol": "udp"}]
    answer = await neutron.call("POST", RULES, {"security_group_rules": rules})
    made = answer.json()["security_group_rules"]
    assert [each["protocol"] for each in made] == ["tcp", "udp"]
    rules = [{**place, "protocol": "sctp"}, {**place, "security_group_id": other["id"]}]
    type_ = "SecurityGroupNotSingleGroupRules"
    await neutron.refused(400, type_, "POST", RULES, {"security_group_rules": rules})
    rules = [{**place, "protocol": "sctp"}, {**place, "protocol": "udp"}]
    type_ = "SecurityGroupRuleExists"
    await neutron.refused(409, type_, "POST", RULES, {"security_group_rules": rules})
    assert len(await neutron.get(f"{RULES}?security_group_id={group['id']}")) == 4


async def test_groups_that_rules_name(neutron: Neutron) -> None:
    group, other = [await neutron.make(GROUPS, name=name) for name in ("web", "clients")]
    made = await rule(neutron, group, remote_group_id=other["id"].upper())
    assert made["remote_group_id"] == other["id"]
    acl = (await neutron.v1.get(f"/v1/acls/{made['id']}")).json()
    assert acl["match"].endswith(f"ip4.src == $sg_{other['id'].replace('-', '')}_ip4")
    for values in (
        {"remote_group_id": UNKNOWN},
        {"remote_group_id": "x"},
        {"security_group_id": UNKNOWN},
        {"security_group_id": "x"},
    ):
        body = {"security_group_id": group["id"], "direction": "ingress", **values}
        body = {"security_group_rule": body}
        message = await neutron.refused(404, "SecurityGroupNotFound", "POST", RULES, body)
        assert message == f"Security group {next(iter(values.values()))} does not exist"
    # Rules go with the group that they name.
    assert (await neutron.call("DELETE", f"{GROUPS}/{other['id']}")).status_code == 204
    await neutron.refused(404, "SecurityGroupRuleNotFound", "GET", f"{RULES}/{made['id']}")
    assert (await neutron.v1.get(f"/v1/acls/{made['id']}")).status_code == 404


async def test_other_projects_groups(neutron: Neutron) -> None:
    [hers] = await neutron.get(GROUPS, caller="alice")
    [his] = await neutron.get(GROUPS, caller="bob")
    path = f"{GROUPS}/{hers['id']}"
    type_ = "SecurityGroupNotFound"
    for method, body in (
        ("GET", None),
        ("PUT", {"security_group": {"description": "x"}}),
        ("DELETE", None),
    ):
        await neutron.refused(404, type_, method, path, body, "bob")
    rules = hers["security_group_rules"]
    path = f"{RULES}/{rules[0]['id']}"
    for method, body in (
        ("GET", None),
        ("PUT", {"security_group_rule": {"description": "x"}}),
        ("DELETE", None),
    ):
        await neutron.refused(404, "SecurityGroupRuleNotFound", method, path, body, "bob")
    assert {each["project_id"] for each in await neutron.get(RULES, caller="bob")} == {"zoo"}
    for values in (
        {"security_group_id": hers["id"]},
        {"security_group_id": his["id"], "remote_group_id": hers["id"]},
    ):
        body = {"security_group_rule": {"direction": "ingress", **values}}
        await neutron.refused(404, type_, "POST", RULES, body, "bob")
    for name, path in (("security_group", GROUPS), ("security_group_rule", RULES)):
        body = {name: {"security_group_id": hers["id"], "direction": "ingress"}}
        body = body if path == RULES else {name: {}}
        await neutron.refused(403, "PolicyNotAuthorized", "POST", path, body, "rita")
    for path in (f"{GROUPS}/{hers['id']}", f"{RULES}/{rules[0]['id']}"):
        await neutron.refused(403, "PolicyNotAuthorized", "DELETE", path, caller="rita")
    # An admin's rule is of the group's project, and may name a group of another.
    made = await rule(neutron, hers, remote_group_id=his["id"])
    assert made["project_id"] == "acme"
    acl = (await neutron.v1.get(f"/v1/acls/{made['id']}")).json()
    assert (acl["project"], acl["match"].split()[-1]) == ("acme", f"${his['id']}_ip4")
    assert made in (await neutron.get(GROUPS, caller="alice"))[0]["security_group_rules"]


async def test_a_group_in_use_stays(neutron: Neutron) -> None:
    group = await neutron.make(GROUPS, name="web")
    path = f"{GROUPS}/{group['id']}"
    await neutron.v1.post("/v1/logical-switches", json={"name": "lan"})
    await neutron.v1.post("/v1/logical-switches/lan/ports", json={"name": "vm"})
    patch = {"ports": ["vm"]}
    changed = await neutron.v1.patch(f"/v1/port-groups/{group['id']}", json=patch)
    assert changed.status_code == 200
    message = await neutron.refused(409, "SecurityGroupInUse", "DELETE", path)
    assert message == f"Security Group {group['id']} in use."
    body = {"security_group": {"stateful": False}}
    await neutron.refused(409, "SecurityGroupInUse", "PUT", path, body)
    await neutron.v1.delete("/v1/logical-switch-ports/vm")
    named = {"name": "x", "direction": "to-lport", "priority": 1, "action": "drop"}
    named |= {"logical_switch": "lan", "match": f"outport == @{group['id']}"}
    acl = (await neutron.v1.post("/v1/acls", json=named)).json()
    message = await neutron.refused(409, "SecurityGroupInUse", "DELETE", path)
    assert "is referenced by acl x" in message
    await neutron.v1.delete(f"/v1/acls/{acl['id']}")
    assert (await neutron.call("DELETE", path)).status_code == 204
    await neutron.refused(404, "SecurityGroupNotFound", "DELETE", path)


async def test_stateless_groups(neutron: Neutron) -> None:
    group = await neutron.make(GROUPS, name="web", stateful="False")
    assert group["stateful"] is False
    made = await rule(neutron, group, protocol="tcp")
    path = f"/v1/acls/{made['id']}"
    assert (await neutron.v1.get(path)).json()["action"] == "allow-stateless"
    body = {"security_group": {"stateful": True}}
    changed = (await neutron.call("PUT", f"{GROUPS}/{group['id']}", body)).json()
    assert changed["security_group"]["stateful"] is True
    assert (await neutron.v1.get(path)).json()["action"] == "allow-related"
    assert await neutron.get(f"{GROUPS}?stateful=false") == []


async def test_what_v1_deletes_is_gone(neutron: Neutron) -> None:
    group = await neutron.make(GROUPS, name="web")
    made = await rule(neutron, group, protocol="tcp")
    await neutron.v1.delete(f"/v1/acls/{made['id']}")
    await neutron.refused(404, "SecurityGroupRuleNotFound", "GET", f"{RULES}/{made['id']}")
    deleted = await neutron.v1.delete(f"/v1/port-groups/{group['id']}")
    assert deleted.status_code == 204
    await neutron.refused(404, "SecurityGroupNotFound", "GET", f"{GROUPS}/{group['id']}")
    assert await neutron.get(f"{RULES}?security_group_id={group['id']}") == []


async def test_port_groups_of_v1_are_no_security_groups(neutron: Neutron) -> None:
    made = (await neutron.v1.post("/v1/port-groups", json={"name": "web"})).json()
    await neutron.refused(404, "SecurityGroupNotFound", "GET", f"{GROUPS}/{made['id']}")
    assert await neutron.get(f"{GROUPS}?name=web") == []


async def test_changes_of_groups_and_rules(neutron: Neutron) -> None:
    group = await neutron.make(GROUPS, name="web")
    path = f"{GROUPS}/{group['id']}"
    body: dict[str, Any] = {"security_group": {"name": "shop", "description": "new"}}
    headers = {"If-Match": f"revision_number={group['revision_number'] + 1}"}
    assert (await neutron.call("PUT", path, body, **headers)).status_code == 412
    headers = {"If-Match": f"revision_number={group['revision_number']}"}
    changed = (await neutron.call("PUT", path, body, **headers)).json()["security_group"]
    assert (changed["name"], changed["description"]) == ("shop", "new")
    [found] = await neutron.get(f"{GROUPS}?name=shop&fields=id&fields=name")
    assert found == {"id": group["id"], "name": "shop"}
    made = await rule(neutron, group, protocol="tcp")
    path = f"{RULES}/{made['id']}"
    body = {"security_group_rule": {"description": "why"}}
    changed = (await neutron.call("PUT", path, body)).json()["security_group_rule"]
    assert changed["description"] == "why"
    for name in ("protocol", "direction", "security_group_id", "remote_ip_prefix"):
        body = {"security_group_rule": {name: made[name]}}
        message = await neutron.refused(400, "HTTPBadRequest", "PUT", path, body)
        assert message == f"Cannot update read-only attribute {name}"
    for name, values in (("stateful", "maybe"), ("name", "x" * 256), ("shared", True)):
        body = {"security_group": {name: values}}
        await neutron.refused(400, "HTTPBadRequest", "PUT", f"{GROUPS}/{group['id']}", body)


async def test_filters_of_rules(neutron: Neutron) -> None:
    group = await neutron.make(GROUPS, name="web")
    made = await rule(neutron, group, protocol="tcp", port_range_min=80, port_range_max=80)
    for query in (
        "protocol=tcp",
        "protocol=TCP&direction=ingress",
        "port_range_min=80",
        "ethertype=ipv4&direction=ingress&protocol=tcp",
        "belongs_to_default_sg=false&protocol=tcp",
    ):
        assert await neutron.get(f"{RULES}?{query}") == [made], query
    assert await neutron.get(f"{RULES}?protocol=6") == []
    for query, type_ in (
        ("ethertype=foo", "SecurityGroupRuleInvalidEtherType"),
        ("port_range_min=x", "SecurityGroupInvalidPortValue"),
        ("protocol=foo", "SecurityGroupRuleInvalidProtocol"),
        ("remote_ip_prefix=x", "InvalidCIDR"),
        ("colour=blue", "HTTPBadRequest"),
        ("sort_key=description", "HTTPBadRequest"),
        ("tags=x", "HTTPBadRequest"),
    ):
        await neutron.refused(400, type_, "GET", f"{RULES}?{query}")


async def test_tags_are_of_groups_only(neutron: Neutron) -> None:
    group = await neutron.make(GROUPS, name="web")
    assert (await neutron.call("PUT", f"{GROUPS}/{group['id']}/tags/a")).status_code == 201
    assert [each["id"] for each in await neutron.get(f"{GROUPS}?tags=a")] == [group["id"]]
    made = group["security_group_rules"][0]
    await neutron.refused(404, "HTTPNotFound", "PUT", f"{RULES}/{made['id']}/tags/a")
