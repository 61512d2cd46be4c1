"""What every kind of object owes its users, checked for all kinds that there are.

The objects are the examples of the declarations, made in the order of kinds. A kind that
lacks something (a column, a filter, a path, a place in documents, a sentence) fails here.
"""

import asyncio
import copy
import json
import re
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from api.kinds import CONTENTS, KINDS, Kind
from cli.import_ovn.snapshot import Snapshot
from cli.import_ovn.translation import translate
from cli.main import app
from diagnosis.trace.causes import Causes
from northbound.models import TRACKED
from northbound.services import SERVICES
from tests.unit.api.conftest import Server
from tests.unit.cli.import_ovn.rows import Database, references
from translator.graph import INPUTS

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
every_named_kind = pytest.mark.parametrize(
    "kind", [kind for kind in KINDS.values() if kind.service.named], ids=lambda kind: kind.name
)
every_owner = pytest.mark.parametrize(
    "kind", [kind for kind in KINDS.values() if kind.service.contents], ids=lambda kind: kind.name
)

MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


async def make_examples(server: Server) -> dict[str, dict[str, Any]]:
    """One object of each kind, by kind, as the API answers."""
    made = {}
    for kind in KINDS.values():
        answer = await server.client.post(f"/v1/{kind.path}", json=dict(kind.example))
        assert answer.status_code == 201, (kind.name, answer.text)
        made[kind.name] = answer.json()
    return made


async def listed(server: Server, kind: Kind, **filters: Any) -> list[dict[str, Any]]:
    answer = await server.client.get(f"/v1/{kind.path}", params=filters)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


# --- REST


@every_kind
async def test_what_was_said_is_kept_changed_and_replaced(server: Server, kind: Kind) -> None:
    made = (await make_examples(server))[kind.name]
    assert {**made, **kind.example} == made
    assert made.keys() == kind.view_example.keys()
    path = f"/v1/{kind.path}/{made['id']}"
    changed = await server.client.patch(path, json=dict(kind.patch), headers=MERGE_PATCH)
    assert changed.status_code == 200, changed.text
    assert {**changed.json(), **kind.patch} == changed.json()
    replaced = await server.client.put(path, json=dict(kind.example))
    assert {**replaced.json(), "version": 0} == {**made, "version": 0}
    assert (await server.client.get(path)).json() == replaced.json()


@every_kind
async def test_what_is_part_of_an_object_stays_there(server: Server, kind: Kind) -> None:
    made = (await make_examples(server))[kind.name]
    for owner in kind.service.owners:
        assert owner.refers is not None
        other = KINDS[owner.refers.kind]
        values = {**other.example, "name": "other"}
        if "mac" in values:
            values |= {"networks": ["10.7.0.1/24"], "mac": "0a:00:00:00:07:01"}
        assert (await server.client.post(f"/v1/{other.path}", json=values)).is_success
        if made[owner.name] is None:
            continue
        answer = await server.client.patch(
            f"/v1/{kind.path}/{made['id']}", json={owner.name: "other"}, headers=MERGE_PATCH
        )
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["pointer"] == f"#/{owner.name}"
        assert "cannot move" in answer.json()["errors"][0]["reason"]


@every_kind
async def test_lists_are_filtered_by_what_is_declared(server: Server, kind: Kind) -> None:
    made = (await make_examples(server))[kind.name]
    references = {f.name for f in kind.service.references if f.name not in kind.service.members}
    marked = {field.name for field in kind.service.fields if field.filtered}
    assert kind.service.filters.keys() >= references | marked
    for name, each in kind.service.filters.items():
        if made[name] is not None:
            assert [i["id"] for i in await listed(server, kind, **{name: made[name]})] == [
                made["id"]
            ]
        if each.choices:
            answer = await server.client.get(f"/v1/{kind.path}", params={name: "nonsense"})
            assert answer.status_code == 422
    assert await listed(server, kind, **{"label.team": "none"}) == []


@pytest.mark.parametrize("content", CONTENTS, ids=lambda each: f"{each.kind.name}-{each.path}")
async def test_an_owner_has_its_objects_under_its_path(server: Server, content: Any) -> None:
    made = await make_examples(server)
    path = f"/v1/{content.parent.path}/{made[content.parent.name]['id']}/{content.path}"
    found = (await server.client.get(path)).json()["items"]
    own = made[content.kind.name]
    assert found == ([own] if own[content.field] is not None else [])


@every_kind
async def test_an_object_goes_with_its_owner(server: Server, kind: Kind) -> None:
    made = await make_examples(server)
    for other in reversed(KINDS.values()):
        path = f"/v1/{other.path}/{made[other.name]['id']}"
        answer = await server.client.delete(path, params={"cascade": "true"})
        assert answer.status_code in (204, 404), (other.name, answer.text)
    assert await listed(server, kind) == []


@every_kind
async def test_the_log_knows_it(server: Server, kind: Kind) -> None:
    made = (await make_examples(server))[kind.name]
    answer = await server.client.get("/v1/revisions", params={"kind": kind.name})
    assert made["version"] in [entry["id"] for entry in answer.json()["items"]]
    answer = await server.client.get("/v1/revisions", params={"object": made["id"]})
    assert made["version"] in [entry["id"] for entry in answer.json()["items"]]


# --- batches


async def test_a_batch_makes_all_kinds_by_alias(server: Server) -> None:
    """Whatever refers to another object does so by the alias of the operation that makes it."""
    names = {kind.example["name"]: kind.name for kind in KINDS.values() if kind.service.named}
    operations = []
    for kind in KINDS.values():
        values = dict(kind.example)
        for field in kind.service.references:
            value = values.get(field.name)
            if isinstance(value, str):
                values[field.name] = f"#{names[value]}"
            elif value is not None:
                values[field.name] = [f"#{names[each]}" for each in value]
        operations.append(
            {"action": "create", "kind": kind.name, "as": kind.name, "values": values}
        )
    operations += [
        {"action": "update", "kind": k.name, "ref": f"#{k.name}", "values": dict(k.patch)}
        for k in KINDS.values()
    ]
    answer = await server.client.post("/v1/transactions", json={"operations": operations})
    assert answer.status_code == 200, answer.text
    for kind in KINDS.values():
        (found,) = await listed(server, kind)
        assert {**found, **kind.example, **kind.patch} == found


# --- documents


def whole_document() -> dict[str, Any]:
    """A document of the examples of all kinds."""
    document: dict[str, Any] = {"document": "contract"}
    entries: dict[tuple[str, str], dict[str, Any]] = {}
    for kind, service in SERVICES.items():
        example = dict(service.declaration.example)
        section, home = service.declaration.key, document
        for owner in service.owners:
            if example.pop(owner.name, None) is not None and owner.refers is not None:
                name = service.declaration.example[owner.name]
                section, home = service.declaration.collection, entries[owner.refers.kind, name]
        if service.named:
            name = example.pop("name")
            home.setdefault(section, {})[name] = example
            entries[kind, name] = example
        else:
            home.setdefault(section, []).append(example)
    return document


async def apply(server: Server, document: dict[str, Any]) -> dict[str, Any]:
    answer = await server.client.post("/v1/apply", json=document)
    assert answer.status_code == 200, answer.text
    done: dict[str, Any] = answer.json()
    return done


async def assert_is(server: Server, document: dict[str, Any]) -> None:
    """The network is what `document` says: one object of each kind, and nothing to do."""
    for kind in KINDS.values():
        assert any(kind.example.items() <= each.items() for each in await listed(server, kind))
    assert not (await apply(server, document))["changed"]


@every_kind
async def test_a_document_makes_it_once(server: Server, kind: Kind) -> None:
    done = await apply(server, whole_document())
    assert kind.name in {made["kind"] for made in done["created"]}
    await assert_is(server, whole_document())


@every_named_kind
async def test_a_document_renames_it_with_all_that_is_part_of_it(
    server: Server, kind: Kind
) -> None:
    before = whole_document()
    name = kind.example["name"]
    alone = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    after = json.loads(alone.sub(f"{name}_2", json.dumps(before)))
    await apply(server, before)
    for document in (after, before):
        done = await apply(server, document)
        assert done["changed"]
        assert len(await listed(server, kind)) == 1
        assert not (await apply(server, document))["changed"]
    await assert_is(server, before)


@every_owner
async def test_a_document_moves_what_is_part_of_it(server: Server, kind: Kind) -> None:
    """To another object of the kind, and back."""
    before = whole_document()
    home = before
    for owner in kind.service.owners:
        owner_kind = KINDS[owner.name]
        home = before[owner_kind.service.declaration.key][kind.example[owner.name]]
    key = kind.service.declaration.key if home is before else kind.service.declaration.collection
    name = kind.example["name"]
    parts = [each.declaration.collection for each in kind.service.contents]
    twin = {field: value for field, value in home[key][name].items() if field not in parts}
    if "mac" in twin:
        twin = {"networks": ["10.8.0.1/24"]}
    home[key][f"{name}_2"] = copy.deepcopy(twin)
    after = copy.deepcopy(before)
    moved_home = after
    for owner in kind.service.owners:
        owner_kind = KINDS[owner.name]
        moved_home = after[owner_kind.service.declaration.key][kind.example[owner.name]]
    for part in parts:
        if part in moved_home[key][name]:
            moved_home[key][f"{name}_2"][part] = moved_home[key][name].pop(part)
    await apply(server, before)
    for document in (after, before):
        assert (await apply(server, document))["changed"]
        assert not (await apply(server, document))["changed"]
    await assert_is(server, before)


@every_kind
async def test_a_document_deletes_it(server: Server, kind: Kind) -> None:
    await apply(server, whole_document())
    done = await apply(server, {"document": "contract"})
    assert kind.name in {gone["kind"] for gone in done["deleted"]}
    assert await listed(server, kind) == []


# --- what others read


@every_kind
async def test_a_cause_is_told_with_its_author(server: Server, kind: Kind) -> None:
    made = (await make_examples(server))[kind.name]
    with server.backend.database.read() as reader:
        sentence = Causes(reader).of(kind.name, made["id"]).sentence
    assert sentence.startswith(f"{kind.title} ")
    assert f"in revision {made['version']}" in sentence
    shown = [made.get("name"), *(made[f] for f in kind.service.declaration.natural_key[-1:])]
    assert any(each and str(each) in sentence for each in shown)
    for owner in kind.service.owners:
        if made[owner.name] is not None and not kind.service.named:
            assert owner_phrase(owner.name, made[owner.name]) in sentence


def owner_phrase(field: str, name: str) -> str:
    """What an object is part of: the words of its kind, by the field that refers to it."""
    return f"{field.replace('_', ' ').replace('dns', 'DNS')} {name}"


@every_kind
async def test_translation_follows_it(server: Server, kind: Kind) -> None:
    assert kind.name in INPUTS
    await make_examples(server)
    await server.translate()
    assert (await server.client.get("/v1/status")).json()["trouble"] == ""
    assert (await server.client.get("/v1/status/differences")).json()["differences"] == []


# --- OVN


DHCP_IN_OVN = {
    "server_id": "10.0.0.1",
    "server_mac": "0a:00:00:00:01:01",
    "lease_time": "43200",
    "router": "10.0.0.1",
    "dns_server": "{10.0.0.2}",
    "domain_search_list": '"web.example"',
    "mtu": "1442",
}
"""How OVN says what the example of DHCP options does."""

NAMELESS_IN_OVN = frozenset({"dhcp_options", "dns_record_set"})
"""Kinds whose objects have names that OVN's rows have not."""


def ovn_of_examples() -> Snapshot:
    """An OVN database with the examples of all kinds, which a row each is written for here.

    Rows of kinds that are only copied follow from their declarations.
    """
    ovn = Database()
    example = {kind.name: dict(kind.example) for kind in KINDS.values()}
    switch, port = example["logical_switch"], example["logical_switch_port"]
    workload = ovn.port(port["name"], *port["addresses"], port_security=port["port_security"])
    subnet = {"subnet": switch["subnet4"], "exclude_ips": " ".join(switch["exclude_ips"])}
    balancer, vip = example["load_balancer"], example["load_balancer_vip"]
    vips = {f"{vip['address']}:{vip['port']}": ",".join(vip["backends"])}
    backend = example["load_balancer_backend"]
    check = ovn.add("Load_Balancer_Health_Check", vip="10.96.0.99:1")
    balanced = ovn.add(
        "Load_Balancer",
        name=balancer["name"],
        protocol=balancer["protocol"],
        vips=vips,
        health_check=references(check),
        ip_port_mappings={
            backend["address"]: f"{backend['logical_port']}:{backend['source_ip']}",
        },
    )
    ovn.add("Chassis_Template_Var", **example["chassis_template_var"])
    grouped = ovn.add(
        "Load_Balancer_Group",
        name=example["load_balancer_group"]["name"],
        load_balancer=references(balanced),
    )
    dns = dict(example["dns_record"])
    records = {dns["hostname"]: " ".join(dns["addresses"])}
    named = ovn.add("DNS", records=records, options={"ovn-owned": "true"})
    ovn.switch(
        workload,
        name=switch["name"],
        other_config=subnet,
        dns_records=references(named),
        load_balancer=references(balanced),
    )
    ovn.ha_chassis_group(
        example["ha_chassis_group"]["name"],
        *((each["chassis"], each["priority"]) for each in example["ha_chassis_group"]["chassis"]),
    )
    router_port, route = example["logical_router_port"], example["static_route"]
    nat = {k: v for k, v in example["nat"].items() if k != "logical_router"}
    policy = {k: v for k, v in example["router_policy"].items() if k != "logical_router"}
    ovn.router(
        ovn.router_port(router_port["name"], *router_port["networks"], mac=router_port["mac"]),
        name=example["logical_router"]["name"],
        nat=references(ovn.add("NAT", **nat)),
        static_routes=references(ovn.route(route["ip_prefix"], route["nexthop"])),
        policies=references(ovn.add("Logical_Router_Policy", **policy)),
        load_balancer_group=references(grouped),
    )
    bfd = {k: v for k, v in example["bfd_session"].items() if k != "logical_router_port"}
    ovn.add("BFD", logical_port=router_port["name"], **bfd)
    acl = {k: v for k, v in example["acl"].items() if k not in ("port_group", "match")}
    meter = dict(example["meter"])
    band = ovn.add("Meter_Band", action="drop", rate=meter["rate"], burst_size=meter["burst"])
    ovn.add("Meter", name=meter["name"], unit="pktps", fair=True, bands=references(band))
    rules = references(ovn.acl(example["acl"]["match"], **acl))
    group, addresses = example["port_group"], example["address_set"]
    ovn.add("Port_Group", name=group["name"], ports=references(workload), acls=rules)
    ovn.add("Address_Set", **addresses)
    dhcp = dict(example["dhcp_options"])
    ovn.add("DHCP_Options", cidr=dhcp["cidr"], options=DHCP_IN_OVN)
    for kind in KINDS.values():
        if source := kind.service.declaration.ovn:
            (owner,) = kind.service.owners
            columns = {each: kind.example[each] for each in source.columns if each in kind.example}
            ovn.add(source.table, **{source.owner: kind.example[owner.name]}, **columns)
    return ovn.snapshot()


async def test_an_import_makes_all_kinds(server: Server) -> None:
    imported = translate(ovn_of_examples(), "contract")
    assert imported.report.findings == []
    await apply(server, imported.document)
    for kind in KINDS.values():
        found = await listed(server, kind)
        said = dict(kind.example)
        if kind.name in NAMELESS_IN_OVN:
            del said["name"]
        for field in kind.service.owners:
            if field.refers and field.refers.kind in NAMELESS_IN_OVN:
                del said[field.name]
        assert [{**each, **said} for each in found] == found != [], kind.name


# --- the command line


async def treadle(server: Server, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """Return what the command tells that asks `server`."""
    loop, make_client = asyncio.get_running_loop(), httpx.Client

    def answer(request: httpx.Request) -> httpx.Response:
        asked = server.client.request(request.method, str(request.url), headers=request.headers)
        answer = asyncio.run_coroutine_threadsafe(asked, loop).result()
        return httpx.Response(answer.status_code, content=answer.content)

    def client(**options: Any) -> httpx.Client:
        return make_client(**options | {"transport": httpx.MockTransport(answer)})

    monkeypatch.setattr(httpx, "Client", client)
    url = str(server.client.base_url)
    done = await asyncio.to_thread(CliRunner().invoke, app, [*arguments, "--url", url])
    assert done.exit_code == 0, done.output
    return done.output


async def test_tables_show_all_kinds(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, made in (await make_examples(server)).items():
        path, columns = KINDS[kind].path, KINDS[kind].service.declaration.columns
        owners = [owner.name for owner in KINDS[kind].service.owners]
        assert columns, kind
        headings, *rows = (await treadle(server, monkeypatch, "show", path)).splitlines()
        assert len(rows) == 1, kind
        for column in columns:
            shared = column in owners and len(owners) > 1
            assert column.replace("_", " ").upper() in headings or shared, (kind, column)
            for word in words_of(made[column]):
                assert word in rows[0], (kind, column)
        assert json.loads(await treadle(server, monkeypatch, "show", path, "--json")) == [made]


def words_of(value: Any) -> list[str]:
    """Return the words that a cell of a table has to say for a value."""
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if value is None:
        return []
    if isinstance(value, dict):
        value = list(value.values())
    return (
        [word for each in value for word in words_of(each)]
        if isinstance(value, list)
        else [str(value)]
    )


async def test_the_tree_shows_all_kinds(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await make_examples(server)
    tree = await treadle(server, monkeypatch, "show")
    for kind in KINDS.values():
        said = "name" if kind.service.named else kind.service.declaration.natural_key[-1]
        assert made[kind.name][said] in tree, kind.name


def test_every_table_of_objects_has_a_kind() -> None:
    resources = {model.__tablename__ for model in TRACKED if hasattr(model, "external_ids")}
    assert resources == set(KINDS)
