"""Address groups over the Neutron API: made, shown, changed and refused."""

from typing import Any

import pytest

from tests.unit.api.neutron.conftest import Neutron

UNKNOWN = "0b4b5f0e-52c1-4d1f-9d1f-0f4f3f6b7a11"
PATH = "address-groups"


async def test_a_group_is_an_address_set_of_the_same_id(neutron: Neutron) -> None:
    addresses = ["10.0.0.1/32", "10.1.0.7/24", "10.1.0.8/24", "FD00::1/128"]
    made = await neutron.make(PATH, name="office", addresses=addresses, description="ours")
    assert made["addresses"] == ["10.0.0.1/32", "10.1.0.0/24", "fd00::1/128"]
    there = (await neutron.v1.get(f"/v1/address-sets/{made['id']}")).json()
    assert there["addresses"] == ["10.0.0.1", "10.1.0.0/24", "fd00::1"]
    assert (there["name"], there["display_name"]) == (
        f"ag_{made['id'].replace('-', '')}",
        "office",
    )
    assert made == await neutron.get(f"{PATH}/{made['id']}")
    assert [each["id"] for each in await neutron.get(f"{PATH}?name=office")] == [made["id"]]
    assert "tags" not in made


async def test_addresses_are_added_and_removed(neutron: Neutron) -> None:
    made = await neutron.make(PATH, addresses=["10.0.0.1/32"])
    path = f"{PATH}/{made['id']}"
    body = {"addresses": ["10.0.0.2/32", "10.0.0.3/32"]}
    added = (await neutron.call("PUT", f"{path}/add_addresses", body)).json()["address_group"]
    assert added["addresses"] == ["10.0.0.1/32", *body["addresses"]]
    assert added["revision_number"] > made["revision_number"]
    twice = {"addresses": ["10.0.0.9/32", "10.0.0.2/32"]}
    message = await neutron.refused(
        400, "AddressesAlreadyExist", "PUT", f"{path}/add_addresses", twice
    )
    assert message == (
        f"Addresses ['10.0.0.2/32'] already exist in the address group {made['id']}."
    )
    await neutron.call("PUT", f"{path}/remove_addresses", {"addresses": ["10.0.0.1/32"]})
    assert (await neutron.get(path))["addresses"] == body["addresses"]
    message = await neutron.refused(
        404, "AddressesNotFound", "PUT", f"{path}/remove_addresses", twice
    )
    assert "10.0.0.9/32" in message
    assert (await neutron.get(path))["addresses"] == body["addresses"]


@pytest.mark.parametrize("action", ["add_addresses", "remove_addresses"])
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"addresses": "10.0.0.0/8"},
        {"addresses": ["x"]},
        {"addresses": ["10.0.0.1"]},
        {"addresses": [1]},
        {"addresses": ["10.0.0.0/8"], "name": "x"},
        {"address_group": {"addresses": []}},
    ],
)
async def test_actions_with_bodies_that_are_none(
    neutron: Neutron, action: str, body: dict[str, Any]
) -> None:
    made = await neutron.make(PATH, addresses=["10.0.0.1/32"])
    path = f"{PATH}/{made['id']}"
    message = await neutron.refused(400, "HTTPBadRequest", "PUT", f"{path}/{action}", body)
    assert "Invalid input for addresses" in message
    await neutron.refused(404, "AddressGroupNotFound", "PUT", f"{PATH}/{UNKNOWN}/{action}", body)
    assert await neutron.get(path) == made


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"addresses": ["10.0.0.1"]}, "'10.0.0.1' is not a valid IP subnet"),
        ({"addresses": ["10.0.0.1/32", "10.0.0.1/32"]}, "Duplicate items in the list"),
        ({"addresses": "10.0.0.0/8"}, "is not a list"),
        ({"addresses": [["10.0.0.0/8"]]}, "is not a valid IP subnet"),
        ({"name": "x" * 256}, "exceeds maximum length"),
        ({"name": None}, "'None' is not a valid string"),
        ({"description": None}, "'None' is not a valid string"),
        ({"shared": True}, "Attribute 'shared' not allowed in POST"),
        ({"tags": ["x"]}, "Unrecognized attribute(s) 'tags'"),
    ],
)
async def test_refusals(neutron: Neutron, values: dict[str, Any], words: str) -> None:
    message = await neutron.refused(400, "HTTPBadRequest", "POST", PATH, {"address_group": values})
    assert words in message
    assert await neutron.get(PATH) == []


async def test_changes(neutron: Neutron) -> None:
    made = await neutron.make(PATH, name="one")
    path = f"{PATH}/{made['id']}"
    body = {"address_group": {"name": "two", "description": "words"}}
    changed = (await neutron.call("PUT", path, body)).json()["address_group"]
    assert (changed["name"], changed["description"]) == ("two", "words")
    headers = {"If-Match": f"revision_number={made['revision_number']}"}
    refused = await neutron.call("PUT", path, body, **headers)
    assert refused.status_code == 412
    body = {"address_group": {"addresses": ["10.0.0.0/8"]}}
    message = await neutron.refused(400, "HTTPBadRequest", "PUT", path, body)
    assert message == "Cannot update read-only attribute addresses"


async def test_a_group_that_a_rule_names_is_in_use(neutron: Neutron) -> None:
    made = await neutron.make(PATH, addresses=["10.0.0.0/8"])
    group = await neutron.make("security-groups", name="web")
    rule = await neutron.make(
        "security-group-rules",
        security_group_id=group["id"],
        direction="ingress",
        remote_address_group_id=made["id"],
    )
    acl = (await neutron.v1.get(f"/v1/acls/{rule['id']}")).json()
    assert acl["match"].endswith(f"&& ip4.src == $ag_{made['id'].replace('-', '')}")
    message = await neutron.refused(409, "AddressGroupInUse", "DELETE", f"{PATH}/{made['id']}")
    assert message == (f"Address group {made['id']} is in use on one or more security group rules.")
    await neutron.call("DELETE", f"security-group-rules/{rule['id']}")
    assert (await neutron.call("DELETE", f"{PATH}/{made['id']}")).status_code == 204
    await neutron.refused(404, "AddressGroupNotFound", "GET", f"{PATH}/{made['id']}")
    assert (await neutron.v1.get(f"/v1/address-sets/{made['id']}")).status_code == 404


async def test_address_sets_of_v1_are_seen(neutron: Neutron) -> None:
    members = ["10.0.0.1", "fd00::/64", "0a:00:00:00:00:01"]
    values = {"name": "lab", "addresses": members}
    made = (await neutron.v1.post("/v1/address-sets", json=values)).json()
    [seen] = await neutron.get(f"{PATH}?name=lab")
    assert seen["id"] == made["id"]
    assert seen["addresses"] == ["10.0.0.1/32", "fd00::/64"]
    path = f"{PATH}/{made['id']}"
    await neutron.call("PUT", path, {"address_group": {"description": "x"}})
    assert (await neutron.get(path))["name"] == "lab"
    await neutron.v1.delete(f"/v1/address-sets/{made['id']}")
    await neutron.refused(404, "AddressGroupNotFound", "GET", path)


async def test_projects(neutron: Neutron) -> None:
    made = await neutron.make(PATH, caller="alice", addresses=["10.0.0.0/8"])
    path = f"{PATH}/{made['id']}"
    assert await neutron.get(PATH, caller="bob") == []
    for method, body in (
        ("GET", None),
        ("PUT", {"address_group": {"name": "x"}}),
        ("DELETE", None),
    ):
        await neutron.refused(404, "AddressGroupNotFound", method, path, body, "bob")
    shared = {"name": "all", "addresses": ["10.9.0.0/16"], "shared": True}
    everyones = (await neutron.v1.post("/v1/address-sets", json=shared)).json()
    assert [each["id"] for each in await neutron.get(PATH, caller="bob")] == [everyones["id"]]
    path, body = f"{PATH}/{everyones['id']}", {"addresses": ["10.0.0.0/8"]}
    await neutron.refused(403, "PolicyNotAuthorized", "PUT", f"{path}/add_addresses", body, "bob")
    await neutron.refused(403, "PolicyNotAuthorized", "DELETE", path, caller="bob")
    body = {"address_group": {"addresses": []}}
    await neutron.refused(403, "PolicyNotAuthorized", "POST", PATH, body, "rita")
    [group] = await neutron.get("security-groups", caller="bob")
    rule = {"security_group_id": group["id"], "direction": "ingress"}
    await neutron.make(
        "security-group-rules", "bob", **rule, remote_address_group_id=everyones["id"]
    )
    # Ids are meant, not the names that address sets have in /v1.
    named = {"name": "zoo_only", "addresses": ["10.0.0.0/8"], "project": "zoo"}
    assert (await neutron.v1.post("/v1/address-sets", json=named)).is_success
    for wrong in (made["id"], "zoo_only", "all"):
        body = {"security_group_rule": {**rule, "remote_address_group_id": wrong}}
        type_ = "AddressGroupNotFound"
        await neutron.refused(404, type_, "POST", "security-group-rules", body, "bob")
