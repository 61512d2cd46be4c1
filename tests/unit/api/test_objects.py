"""The operations that every kind of object has: create, read, list, change, delete."""

from typing import Any

import httpx
import pytest

from api.kinds import KINDS, Kind

MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


async def make_network(client: httpx.AsyncClient) -> None:
    """What the examples of all kinds refer to."""
    for path, body in (
        ("logical-switches", {"name": "web", "subnet4": "10.0.0.0/24"}),
        ("logical-routers", {"name": "edge"}),
        (
            "logical-router-ports",
            {"name": "uplink", "logical_router": "edge", "networks": ["10.0.0.250/24"]},
        ),
        (
            "logical-router-ports",
            {"name": "edge-web", "logical_router": "edge", "networks": ["10.8.0.1/24"]},
        ),
        ("logical-switch-ports", {"name": "spare", "logical_switch": "web"}),
        ("port-groups", {"name": "others", "ports": ["spare"]}),
        ("address-sets", {"name": "nets", "addresses": ["192.0.2.0/24"]}),
        ("load-balancers", {"name": KINDS["load_balancer_vip"].example["load_balancer"]}),
        (
            "dns-record-sets",
            {"name": KINDS["dns_record"].example["dns_record_set"], "switches": ["web"]},
        ),
    ):
        response = await client.post(f"/v1/{path}", json=body)
        assert response.status_code == 201, response.text


BODIES: dict[str, dict[str, Any]] = {
    **{kind.name: dict(kind.example) for kind in KINDS.values()},
    "logical_switch": {"name": "db", "subnet4": "10.1.0.0/24"},
    "logical_switch_port": {"name": "web-1", "logical_switch": "web", "addresses": ["unknown"]},
    "logical_router": {"name": "core"},
    "logical_router_port": {
        "name": "edge-db",
        "logical_router": "edge",
        "networks": ["10.9.0.1/24"],
    },
    "static_route": {"logical_router": "edge", "ip_prefix": "1.0.0.0/8", "nexthop": "10.0.0.9"},
    "port_group": {"name": "servers", "ports": ["spare"]},
    "address_set": {"name": "office", "addresses": ["198.51.100.0/24"]},
    "router_policy": {
        **KINDS["router_policy"].example,
        "match": "ip4.src == $nets",
    },
    "load_balancer": {"name": "other"},
    "load_balancer_backend": {
        **KINDS["load_balancer_backend"].example,
        "logical_port": "spare",
    },
    "dns_record_set": {"name": "other", "switches": ["web"]},
    "acl": {
        "logical_switch": "web",
        "direction": "from-lport",
        "priority": 7,
        "match": "ip4.src == $nets && inport == @others",
        "action": "drop",
    },
}
PATCHES: dict[str, dict[str, Any]] = {
    **{kind.name: dict(kind.patch) for kind in KINDS.values()},
    "logical_switch": {"exclude_ips": ["10.1.0.2..10.1.0.9"]},
    "logical_switch_port": {"enabled": False},
    "logical_router": {"enabled": False},
    "logical_router_port": {"enabled": False},
    "static_route": {"nexthop": "discard"},
    "port_group": {"ports": []},
    "address_set": {"addresses": ["198.51.100.7"]},
    "acl": {"action": "reject"},
}

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@every_kind
async def test_an_object_is_made_read_changed_and_deleted(
    client: httpx.AsyncClient, kind: Kind
) -> None:
    await make_network(client)
    made = await client.post(f"/v1/{kind.path}", json=BODIES[kind.name])
    assert made.status_code == 201, made.text
    path = made.headers["Location"]
    assert path == f"/v1/{kind.path}/{made.json()['id']}"
    assert made.headers["ETag"] == f'"{made.json()["version"]}"'
    assert made.json().items() >= BODIES[kind.name].items()

    read = await client.get(path)
    assert read.json() == made.json()
    assert read.headers["ETag"] == made.headers["ETag"]

    changed = await client.patch(path, json=PATCHES[kind.name], headers=MERGE_PATCH)
    assert changed.status_code == 200, changed.text
    assert changed.json() == {
        **made.json(),
        **PATCHES[kind.name],
        "version": made.json()["version"] + 1,
    }

    listed = (await client.get(f"/v1/{kind.path}")).json()["items"]
    assert changed.json() in listed

    gone = await client.delete(path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await client.get(path)).status_code == 404


@every_kind
async def test_a_named_object_is_found_by_its_name(client: httpx.AsyncClient, kind: Kind) -> None:
    await make_network(client)
    made = (await client.post(f"/v1/{kind.path}", json=BODIES[kind.name])).json()
    if kind.service.named:
        found = await client.get(f"/v1/{kind.path}/{made['name']}")
        assert found.json() == made
    else:
        assert kind.service.declaration.natural_key


@every_kind
async def test_a_field_that_is_not_there_is_refused(client: httpx.AsyncClient, kind: Kind) -> None:
    await make_network(client)
    response = await client.post(f"/v1/{kind.path}", json={**BODIES[kind.name], "colour": "red"})
    assert response.status_code == 422
    assert response.json()["errors"] == [
        {"pointer": "#/colour", "reason": "there is no such field"}
    ]


@every_kind
async def test_replacing_resets_what_is_left_out(client: httpx.AsyncClient, kind: Kind) -> None:
    await make_network(client)
    made = await client.post(
        f"/v1/{kind.path}", json={**BODIES[kind.name], "labels": {"team": "shop"}}
    )
    replaced = await client.put(made.headers["Location"], json=BODIES[kind.name])
    assert replaced.status_code == 200, replaced.text
    assert replaced.json()["labels"] == {}
    assert replaced.json()["id"] == made.json()["id"]


async def test_null_in_a_patch_resets_and_maps_are_merged(client: httpx.AsyncClient) -> None:
    body = {"name": "web", "subnet4": "10.0.0.0/24", "labels": {"a": "1", "b": "2"}}
    await client.post("/v1/logical-switches", json=body)
    patch = {"subnet4": None, "labels": {"a": None, "c": "3"}}
    response = await client.patch("/v1/logical-switches/web", json=patch)
    assert response.json()["subnet4"] is None
    assert response.json()["labels"] == {"b": "2", "c": "3"}


async def test_a_required_field_cannot_be_patched_away(client: httpx.AsyncClient) -> None:
    await client.post("/v1/logical-routers", json={"name": "edge"})
    values = {"name": "edge-web", "networks": ["10.0.0.1/24"]}
    await client.post("/v1/logical-routers/edge/ports", json=values)
    response = await client.patch("/v1/logical-router-ports/edge-web", json={"networks": None})
    assert response.status_code == 422
    reason = "this field is required"
    assert response.json()["errors"] == [{"pointer": "#/networks", "reason": reason}]


async def test_a_patch_that_changes_nothing_writes_nothing(client: httpx.AsyncClient) -> None:
    made = await client.post("/v1/logical-switches", json={"name": "web"})
    same = await client.patch("/v1/logical-switches/web", json={"name": "web"})
    assert same.headers["Treadle-Revision"] == made.headers["Treadle-Revision"]
    assert same.json() == made.json()


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
async def test_if_match_refuses_to_write_over_a_change(
    client: httpx.AsyncClient, method: str
) -> None:
    made = await client.post("/v1/logical-switches", json={"name": "web"})
    seen = made.headers["ETag"]
    await client.patch("/v1/logical-switches/web", json={"labels": {"a": "1"}})
    body = None if method == "DELETE" else {"name": "web"}
    path = "/v1/logical-switches/web"
    late = await client.request(method, path, json=body, headers={"If-Match": seen})
    assert late.status_code == 412
    assert late.json()["type"] == "/problems/changed"
    now = (await client.get(path)).headers["ETag"]
    fresh = await client.request(method, path, json=body, headers={"If-Match": now})
    assert fresh.is_success


async def test_if_match_has_to_be_an_entity_tag(client: httpx.AsyncClient) -> None:
    await client.post("/v1/logical-switches", json={"name": "web"})
    path = "/v1/logical-switches/web"
    refused = await client.delete(path, headers={"If-Match": "yesterday"})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["parameter"] == "If-Match"
    assert (await client.delete(path, headers={"If-Match": "*"})).status_code == 204


async def test_contents_take_their_parent_from_the_path(client: httpx.AsyncClient) -> None:
    await make_network(client)
    for path, body in (
        ("logical-switches/web/ports", {"name": "p1"}),
        ("logical-routers/edge/ports", {"name": "r1", "networks": ["10.5.0.1/24"]}),
        ("logical-routers/edge/static-routes", {"ip_prefix": "::/0", "nexthop": "discard"}),
        (
            "port-groups/others/acls",
            {"direction": "to-lport", "priority": 1, "match": "ip", "action": "drop"},
        ),
    ):
        made = await client.post(f"/v1/{path}", json=body)
        assert made.status_code == 201, made.text
        listed = (await client.get(f"/v1/{path}")).json()["items"]
        assert made.json() in listed

    await client.post("/v1/logical-switches", json={"name": "other"})
    assert (await client.get("/v1/logical-switches/other/ports")).json()["items"] == []


async def test_contents_of_nothing(client: httpx.AsyncClient) -> None:
    listed = await client.get("/v1/logical-switches/none/ports")
    made = await client.post("/v1/logical-switches/none/ports", json={"name": "p"})
    assert (listed.status_code, made.status_code) == (404, 404)


async def test_a_body_cannot_contradict_the_path(client: httpx.AsyncClient) -> None:
    await make_network(client)
    body = {"name": "p1", "logical_switch": "elsewhere"}
    response = await client.post("/v1/logical-switches/web/ports", json=body)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "#/logical_switch"


async def test_pages_follow_each_other_while_rows_come_and_go(client: httpx.AsyncClient) -> None:
    for i in range(5):
        await client.post("/v1/logical-switches", json={"name": f"s{i}"})
    first = (await client.get("/v1/logical-switches", params={"limit": 2})).json()
    assert [item["name"] for item in first["items"]] == ["s0", "s1"]
    await client.delete("/v1/logical-switches/s0")
    await client.post("/v1/logical-switches", json={"name": "s00"})
    second = (
        await client.get(
            "/v1/logical-switches", params={"limit": 2, "cursor": first["next_cursor"]}
        )
    ).json()
    assert [item["name"] for item in second["items"]] == ["s2", "s3"]
    third = (
        await client.get("/v1/logical-switches", params={"cursor": second["next_cursor"]})
    ).json()
    assert [item["name"] for item in third["items"]] == ["s4"]
    assert third["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"name": "a"}, ["a"]),
        ({"label.team": "shop"}, ["a", "c"]),
        ({"label.team": "shop", "name": "c"}, ["c"]),
        ({"label.team": "nobody"}, []),
    ],
)
async def test_lists_are_filtered(
    client: httpx.AsyncClient, query: dict[str, str], names: list[str]
) -> None:
    for name, team in (("a", "shop"), ("b", "ops"), ("c", "shop")):
        await client.post("/v1/logical-switches", json={"name": name, "labels": {"team": team}})
    found = (await client.get("/v1/logical-switches", params=query)).json()
    assert [item["name"] for item in found["items"]] == names


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "few"}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "WzFd"}, "cursor"),
        ({"name": "a\0b"}, "name"),
        ({"label.\0": "x"}, "label.\0"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_wrong_query_is_refused_by_name(
    client: httpx.AsyncClient, query: dict[str, str], parameter: str
) -> None:
    response = await client.get("/v1/logical-switches", params=query)
    assert response.status_code == 422
    assert [error["parameter"] for error in response.json()["errors"]] == [parameter]


async def test_a_misspelt_option_does_not_go_unnoticed(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/apply", params={"dryrun": "true"}, json={"document": "d"})
    assert response.status_code == 422
    assert response.json()["errors"][0]["parameter"] == "dryrun"
    assert (await client.get("/v1/revisions")).json()["items"] == []


async def test_deleting_with_contents_takes_cascade(client: httpx.AsyncClient) -> None:
    await client.post("/v1/logical-switches", json={"name": "web"})
    await client.post("/v1/logical-switches/web/ports", json={"name": "p1"})
    refused = await client.delete("/v1/logical-switches/web")
    assert refused.status_code == 409
    assert [referrer["name"] for referrer in refused.json()["referrers"]] == ["p1"]
    done = await client.delete("/v1/logical-switches/web", params={"cascade": "true"})
    assert done.status_code == 204
    assert (await client.get("/v1/logical-switch-ports/p1")).status_code == 404


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("acls?action=alow", "action"),
        ("acls?direction=sideways", "direction"),
        ("logical-switch-ports?type=vip", "type"),
        ("logical-flows?stage=nope", "stage"),
        ("logical-flows?pipeline=nope", "pipeline"),
        ("revisions?kind=nope", "kind"),
        ("acls?cursor=", "cursor"),
    ],
)
async def test_a_filter_by_what_there_is_not(
    client: httpx.AsyncClient, query: str, parameter: str
) -> None:
    """An empty list would look as if there were nothing."""
    response = await client.get(f"/v1/{query}")
    assert response.status_code == 422
    assert [error["parameter"] for error in response.json()["errors"]] == [parameter]


async def test_revisions_of_an_object_are_found_by_its_name(client: httpx.AsyncClient) -> None:
    await make_network(client)
    by_name = (await client.get("/v1/revisions?object=web")).json()["items"]
    switch = (await client.get("/v1/logical-switches/web")).json()
    by_id = (await client.get(f"/v1/revisions?object={switch['id']}")).json()["items"]
    assert by_name == by_id != []


async def test_revisions_of_objects_that_are_gone_or_never_were(client: httpx.AsyncClient) -> None:
    made = (await client.post("/v1/logical-switches", json={"name": "brief"})).json()
    await client.delete("/v1/logical-switches/brief")
    gone = await client.get(f"/v1/revisions?object={made['id']}")
    assert len(gone.json()["items"]) == 2
    for name in ("brief", "never"):
        answer = await client.get(f"/v1/revisions?object={name}")
        assert answer.status_code == 422
        (fault,) = answer.json()["errors"]
        assert fault["parameter"] == "object"
        assert fault["reason"] == "no object has that name; one that was deleted is found by its id"
    unknown = await client.get("/v1/revisions?object=00000000-0000-4000-8000-000000000000")
    assert (unknown.status_code, unknown.json()["items"]) == (200, [])


async def test_a_path_with_a_slash_at_its_end_is_another(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/acls/")
    assert response.status_code == 404
    assert response.json()["type"] == "/problems/no-such-path"


async def test_an_if_match_that_is_no_number_of_a_version(client: httpx.AsyncClient) -> None:
    await make_network(client)
    for tag in ('"' + "9" * 5000 + '"', '"٣"'.encode()):
        response = await client.patch(
            "/v1/logical-switches/web", json={}, headers={"If-Match": tag}
        )
        assert response.status_code == 400
        assert response.json()["type"] == "/problems/bad-precondition"


async def test_parts_of_a_document_may_be_left_empty_as_described(
    client: httpx.AsyncClient,
) -> None:
    described = (await client.get("/openapi.json")).json()["components"]["schemas"]["Document"]
    for part in ("logical_switches", "logical_routers", "port_groups", "address_sets"):
        (entry,) = described["properties"][part]["patternProperties"].values()
        assert {"type": "null"} in entry["anyOf"]
        document = {"document": "empty", part: {"A": None}}
        assert (await client.post("/v1/apply", json=document)).is_success
