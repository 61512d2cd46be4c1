"""Networks over the Neutron API: what is made, shown, changed and refused."""

from typing import Any

import pytest

from tests.unit.api.neutron.conftest import Neutron

UNKNOWN = "0b4b5f0e-52c1-4d1f-9d1f-0f4f3f6b7a11"


async def test_a_network_is_a_logical_switch_of_the_same_id(neutron: Neutron) -> None:
    made = await neutron.make("networks", name="blue", description="for tests")
    switch = (await neutron.v1.get(f"/v1/logical-switches/{made['id']}")).json()
    assert (switch["id"], switch["name"]) == (made["id"], made["id"])
    assert switch["display_name"] == "blue"
    assert made["provider:segmentation_id"] == switch["tunnel_key"]
    assert made == await neutron.get(f"networks/{made['id']}")
    assert made["revision_number"] == switch["version"]


async def test_names_need_not_be_unique(neutron: Neutron) -> None:
    made = [await neutron.make("networks", name="twin") for _ in range(2)]
    found = await neutron.get("networks?name=twin")
    assert {each["id"] for each in found} == {each["id"] for each in made}


async def test_what_v1_made_is_seen(neutron: Neutron) -> None:
    switch = (await neutron.v1.post("/v1/logical-switches", json={"name": "office"})).json()
    seen = await neutron.get(f"networks/{switch['id']}")
    assert (seen["name"], seen["project_id"], seen["mtu"]) == ("office", "default", 1442)
    await neutron.call("PUT", f"networks/{switch['id']}", {"network": {"mtu": 1400}})
    assert (await neutron.get("networks?name=office"))[0]["mtu"] == 1400
    deleted = await neutron.v1.delete(f"/v1/logical-switches/{switch['id']}")
    assert deleted.status_code == 204
    await neutron.refused(404, "NetworkNotFound", "GET", f"networks/{switch['id']}")


async def test_a_change_is_one_revision_with_the_caller_as_its_author(neutron: Neutron) -> None:
    made = await neutron.make("networks", caller="alice", name="blue")
    body = {"network": {"name": "red", "description": "now red"}}
    changed = (await neutron.call("PUT", f"networks/{made['id']}", body, "alice")).json()
    assert changed["network"]["revision_number"] == made["revision_number"] + 1
    revision = (await neutron.v1.get(f"/v1/revisions/{made['revision_number'] + 1}")).json()
    assert revision["author"] == "alice"
    assert {each["table"] for each in revision["changes"]} == {"logical_switch", "neutron_network"}


async def test_nothing_changes_where_nothing_is_changed(neutron: Neutron) -> None:
    made = await neutron.make("networks", name="blue")
    answer = await neutron.call("PUT", f"networks/{made['id']}", {"network": {"name": "blue"}})
    assert answer.json()["network"] == made


async def test_if_match(neutron: Neutron) -> None:
    made = await neutron.make("networks", name="blue")
    path, body = f"networks/{made['id']}", {"network": {"name": "red"}}
    wrong = {"If-Match": f"revision_number={made['revision_number'] + 1}"}
    refused = await neutron.call("PUT", path, body, **wrong)
    assert refused.status_code == 412
    assert refused.json()["NeutronError"]["type"] == "RevisionNumberConstraintFailed"
    right = {"If-Match": f"revision_number={made['revision_number']}"}
    assert (await neutron.call("PUT", path, body, **right)).status_code == 200
    assert (await neutron.call("DELETE", path, **right)).status_code == 412


async def test_bulk_creation_is_all_or_nothing(neutron: Neutron) -> None:
    body = {"networks": [{"name": "a"}, {"name": "b"}]}
    answer = await neutron.call("POST", "networks", body)
    assert [each["name"] for each in answer.json()["networks"]] == ["a", "b"]
    wrong = {"networks": [{"name": "c"}, {"name": "d", "mtu": "large"}]}
    await neutron.refused(400, "HTTPBadRequest", "POST", "networks", wrong)
    assert len(await neutron.get("networks")) == 2


async def test_projects_see_their_own_and_what_is_shared(neutron: Neutron) -> None:
    own = await neutron.make("networks", caller="alice", name="own")
    other = await neutron.make("networks", caller="bob", name="other")
    shared = await neutron.make("networks", name="shared", shared=True)
    seen = await neutron.get("networks", caller="alice")
    assert {each["id"] for each in seen} == {own["id"], shared["id"]}
    await neutron.refused(404, "NetworkNotFound", "GET", f"networks/{other['id']}", caller="alice")
    for method, body in (("PUT", {"network": {"name": "x"}}), ("DELETE", None)):
        path = f"networks/{shared['id']}"
        await neutron.refused(403, "PolicyNotAuthorized", method, path, body, "alice")
    body = {"network": {"name": "x"}}
    await neutron.refused(403, "PolicyNotAuthorized", "POST", "networks", body, "rita")


async def test_attributes_for_admins(neutron: Neutron) -> None:
    made = await neutron.make("networks", caller="alice", name="own")
    assert not any(name.startswith("provider:") for name in made)
    body = {"network": {"shared": True}}
    await neutron.refused(403, "PolicyNotAuthorized", "POST", "networks", body, "alice")
    body = {"network": {"project_id": "zoo"}}
    await neutron.refused(403, "PolicyNotAuthorized", "POST", "networks", body, "alice")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"colour": "blue"}, "Unrecognized attribute(s) 'colour'"),
        ({"id": UNKNOWN}, "Attribute 'id' not allowed in POST"),
        ({"tags": ["a"]}, "Attribute 'tags' not allowed in POST"),
        ({"admin_state_up": "maybe"}, "'maybe' cannot be converted to boolean"),
        ({"mtu": 1}, "too small"),
        ({"name": "x" * 256}, "exceeds maximum length of 255"),
        ({"name": ["x"]}, "is not a valid string"),
        ({"provider:network_type": "vlan"}, "not supported"),
        ({"provider:segmentation_id": 7}, "cannot be chosen"),
        ({"project_id": "a", "tenant_id": "b"}, "do not match"),
    ],
)
async def test_refusals(neutron: Neutron, values: dict[str, Any], words: str) -> None:
    body = {"network": values}
    message = await neutron.refused(400, "HTTPBadRequest", "POST", "networks", body)
    assert words in message
    assert await neutron.get("networks") == []


async def test_a_network_with_ports_is_in_use(neutron: Neutron) -> None:
    made = await neutron.make("networks")
    await neutron.v1.post(f"/v1/logical-switches/{made['id']}/ports", json={})
    await neutron.refused(409, "NetworkInUse", "DELETE", f"networks/{made['id']}")


async def test_filters_fields_sorting_and_pages(neutron: Neutron) -> None:
    for name in ("b", "a", "c"):
        await neutron.make("networks", name=name)
    found = await neutron.get("networks?sort_key=name&sort_dir=desc&fields=name")
    assert found == [{"name": "c"}, {"name": "b"}, {"name": "a"}]
    first = (await neutron.call("GET", "networks?sort_key=name&limit=2")).json()
    assert [each["name"] for each in first["networks"]] == ["a", "b"]
    [link] = first["networks_links"]
    last = (await neutron.client.get(link["href"])).json()
    assert [each["name"] for each in last["networks"]] == ["c"]
    assert [each["rel"] for each in last["networks_links"]] == ["previous"]
    back = (await neutron.client.get(last["networks_links"][0]["href"])).json()
    assert [each["name"] for each in back["networks"]] == ["a", "b"]
    both = await neutron.get("networks?name=a&name=b&admin_state_up=True&sort_key=name")
    assert [each["name"] for each in both] == ["a", "b"]
    for query in ("colour=blue", "sort_key=colour", "limit=many", "marker=none", "sort_dir=up"):
        await neutron.refused(400, "HTTPBadRequest", "GET", f"networks?{query}")


async def test_tags(neutron: Neutron) -> None:
    made = await neutron.make("networks")
    path = f"networks/{made['id']}"
    for tag in ("kuryr.net.uuid.lh:0123", "other", "other"):
        assert (await neutron.call("PUT", f"{path}/tags/{tag}")).status_code == 201
    await neutron.make("networks", name="untagged")
    query = "networks?tags=kuryr.net.uuid.lh:0123,other"
    assert [each["id"] for each in await neutron.get(query)] == [made["id"]]
    assert await neutron.get("networks?tags=other,another") == []
    assert [each["id"] for each in await neutron.get("networks?tags-any=other,x")] == [made["id"]]
    assert [each["name"] for each in await neutron.get("networks?not-tags=other")] == ["untagged"]
    assert (await neutron.call("GET", f"{path}/tags/other")).status_code == 204
    assert (await neutron.call("DELETE", f"{path}/tags/other")).status_code == 204
    await neutron.refused(404, "TagNotFound", "DELETE", f"{path}/tags/other")
    replaced = await neutron.call("PUT", f"{path}/tags", {"tags": ["x", "y", "x"]})
    assert replaced.json() == {"tags": ["x", "y"]}
    await neutron.refused(400, "HTTPBadRequest", "PUT", f"{path}/tags", {"tags": ["a,b"]})
    assert (await neutron.call("DELETE", f"{path}/tags")).status_code == 204
    assert (await neutron.get(f"{path}/tags")) == []


async def test_discovery(neutron: Neutron) -> None:
    versions = (await neutron.client.get("/")).json()["versions"]
    assert versions[0]["links"][0]["href"] == "http://localhost/v2.0/"
    assert (await neutron.get("extensions/standard-attr-tag"))["alias"] == "standard-attr-tag"
    await neutron.refused(404, "ExtensionNotFound", "GET", "extensions/none")
    await neutron.refused(404, "HTTPNotFound", "GET", "colours")


@pytest.mark.parametrize(
    "body", ["{", "[]", '{"network": 1}', '{"networks": []}', '{"networks": [1]}']
)
async def test_bodies_that_are_none(neutron: Neutron, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await neutron.client.post("/v2.0/networks", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["NeutronError"]["type"] in ("HTTPBadRequest", "MalformedRequestBody")


async def test_ports_that_serve_the_network_go_with_it(neutron: Neutron) -> None:
    made = await neutron.make("networks")
    subnet = await neutron.make("subnets", network_id=made["id"], ip_version=4, cidr="10.0.0.0/24")
    serving = await neutron.make("ports", network_id=made["id"], device_owner="network:dhcp")
    assert serving["fixed_ips"] != []
    assert (await neutron.call("DELETE", f"subnets/{subnet['id']}")).status_code == 204
    assert (await neutron.get(f"ports/{serving['id']}"))["fixed_ips"] == []
    assert (await neutron.call("DELETE", f"networks/{made['id']}")).status_code == 204
    await neutron.refused(404, "PortNotFound", "GET", f"ports/{serving['id']}")


async def test_a_network_that_others_use_stays_shared(neutron: Neutron) -> None:
    made = await neutron.make("networks", name="hall", shared=True)
    path, body = f"networks/{made['id']}", {"network": {"shared": False}}
    port = await neutron.make("ports", "alice", network_id=made["id"])
    message = await neutron.refused(409, "InvalidSharedSetting", "PUT", path, body)
    assert "hall. Multiple projects are using it" in message
    await neutron.call("DELETE", f"ports/{port['id']}", caller="alice")
    values = {"network_id": made["id"], "ip_version": 4, "cidr": "10.0.0.0/24"}
    subnet = await neutron.make("subnets", **values, project_id="zoo")
    await neutron.refused(409, "InvalidSharedSetting", "PUT", path, body)
    await neutron.call("DELETE", f"subnets/{subnet['id']}")
    assert (await neutron.call("PUT", path, body)).status_code == 200
