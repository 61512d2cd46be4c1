"""What a token of one project reaches, and what it doesn't."""

import asyncio
from typing import Any

import httpx
import pytest

from api.kinds import KINDS
from northbound import tokens
from northbound.database import Database
from tests.unit.api.conftest import Server

OPEN = ("/v1/transactions", "/v1/apply", "/v1/kinds")
"""Paths that tokens of one project may ask for, beside those of objects."""

OBJECTS = tuple(kind.path for kind in KINDS.values())
ACL = {"direction": "to-lport", "priority": 1, "match": "ip4", "action": "drop"}


class Project:
    """Requests with a token of one project, or of all."""

    def __init__(self, server: Server, database: Database, project: str | None) -> None:
        self._client = server.client
        with database.maintain() as session:
            _, secret = tokens.create(
                session, name=f"of-{project}", role="operator", project=project
            )
        self.headers = {"Authorization": f"Bearer {secret}"}

    async def ask(self, method: str, path: str, **values: Any) -> httpx.Response:
        body = values or None
        return await self._client.request(method, f"/v1/{path}", json=body, headers=self.headers)

    async def create(self, path: str, **values: Any) -> dict[str, Any]:
        response = await self.ask("POST", path, **values)
        assert response.status_code == 201, response.text
        made: dict[str, Any] = response.json()
        return made

    async def names(self, path: str) -> list[str]:
        response = await self.ask("GET", path)
        assert response.status_code == 200, response.text
        return [f"{item['project']}/{item['name']}" for item in response.json()["items"]]


@pytest.fixture
def acme(guarded: Server, database: Database) -> Project:
    return Project(guarded, database, "acme")


@pytest.fixture
def zoo(guarded: Server, database: Database) -> Project:
    return Project(guarded, database, "zoo")


@pytest.fixture
def everyone(guarded: Server, database: Database) -> Project:
    return Project(guarded, database, None)


async def test_a_token_of_one_project_gets_to_nothing_but_what_is_made_for_it(
    guarded: Server, acme: Project
) -> None:
    """What is not made for it must not be open by oversight: new operations are closed."""
    described = (await guarded.client.get("/openapi.json")).json()
    for path, operations in described["paths"].items():
        if not path.startswith("/v1/"):
            continue
        concrete = path.replace("{revision}", "1").replace("{ref}", "x").replace("{member}", "y")
        is_open = path in OPEN or path.split("/")[2] in OBJECTS
        for method in operations:
            response = await guarded.client.request(method.upper(), concrete, headers=acme.headers)
            assert (response.status_code == 403) != is_open, (method, path, response.text)
            if not is_open:
                assert response.json()["type"] == "/problems/forbidden"


async def test_kinds_are_told_to_all_alike(acme: Project, zoo: Project, everyone: Project) -> None:
    """What ``treadle show`` asks first says nothing of any project's objects."""
    await zoo.create("logical-switches", name="secret", labels={"of": "zoo"})
    response = await acme.ask("GET", "kinds")
    assert response.status_code == 200
    assert [kind["kind"] for kind in response.json()["items"]] == list(KINDS)
    assert response.json() == (await everyone.ask("GET", "kinds")).json()
    assert "zoo" not in response.text
    assert "secret" not in response.text


async def test_projects_call_their_objects_alike(
    acme: Project, zoo: Project, everyone: Project
) -> None:
    for project, whose in ((acme, "acme"), (zoo, "zoo")):
        made = await project.create("logical-switches", name="web")
        assert made["project"] == whose
        await project.create("logical-switches/web/ports", name="web-1")
        await project.create("logical-switches/web/acls", **ACL)
        assert await project.names("logical-switches") == [f"{whose}/web"]
        assert await project.names("logical-switches/web/ports") == [f"{whose}/web-1"]
    assert sorted(await everyone.names("logical-switches")) == ["acme/web", "zoo/web"]
    assert await everyone.names("logical-switches?project=zoo") == ["zoo/web"]
    assert (await everyone.ask("GET", "logical-switches/web")).status_code == 404
    assert (await everyone.ask("GET", "logical-switches/web?project=zoo")).status_code == 200
    port = await everyone.create("logical-switches/web/ports?project=zoo", name="web-2")
    assert (port["project"], port["logical_switch"]) == ("zoo", "web")


async def test_a_document_of_another_project_is_not_told(acme: Project, zoo: Project) -> None:
    addresses = ["0a:00:00:00:00:01 10.0.0.1"]
    lan = {"shared": True, "ports": {"a": {"addresses": addresses}}}
    document = {"document": "secret", "logical_switches": {"lan": lan}}
    assert (await zoo.ask("POST", "apply", **document)).status_code == 200
    (shared,) = (await acme.ask("GET", "logical-switches")).json()["items"]
    path = f"logical-switches/{shared['id']}/ports"
    taken = await acme.ask("POST", path, name="b", addresses=addresses)
    assert (taken.status_code, taken.json()["type"]) == (409, "/problems/taken")
    assert "already taken by an object of another project" in taken.text
    assert "secret" not in taken.text


async def test_a_foreign_object_is_not_there(acme: Project, zoo: Project) -> None:
    web = await zoo.create("logical-switches", name="web")
    port = await zoo.create("logical-switches/web/ports", name="web-1")
    acl = await zoo.create("logical-switches/web/acls", **ACL)
    group = await zoo.create("port-groups", name="all", ports=["web-1"])
    for path, made in (
        ("logical-switches", web),
        ("logical-switch-ports", port),
        ("acls", acl),
        ("port-groups", group),
    ):
        for method, values in (("GET", {}), ("PATCH", {"labels": {}}), ("DELETE", {})):
            response = await acme.ask(method, f"{path}/{made['id']}", **values)
            assert response.status_code == 404, (method, path)
            assert response.json()["type"] == "/problems/not-found"
        assert (await acme.ask("GET", path)).json()["items"] == []
    for path in (f"logical-switches/{web['id']}/ports", f"logical-switches/{web['id']}/acls"):
        assert (await acme.ask("GET", path)).status_code == 404
        assert (await acme.ask("POST", path, name="x", **ACL)).status_code in (404, 422)
    member = f"port-groups/{group['id']}/ports/{port['id']}"
    for method in ("PUT", "DELETE"):
        assert (await acme.ask(method, member)).status_code == 404
    response = await acme.ask("GET", f"logical-switch-ports?logical_switch={web['id']}")
    assert response.status_code == 404


async def test_batches_and_documents_stay_in_the_project(acme: Project, zoo: Project) -> None:
    await zoo.create("logical-switches", name="web")
    delete = {"action": "delete", "kind": "logical_switch", "ref": "zoo/web"}
    response = await acme.ask("POST", "transactions", operations=[delete])
    assert response.status_code == 404
    create = {"action": "create", "kind": "logical_switch", "values": {"name": "web"}}
    assert (await acme.ask("POST", "transactions", operations=[create])).status_code == 200
    document = {"document": "shop", "logical_switches": {"db": {}}}
    assert (await acme.ask("POST", "apply", **document)).status_code == 200
    assert await acme.names("logical-switches") == ["acme/db", "acme/web"]
    response = await acme.ask("POST", "apply", project="zoo", **document)
    assert response.json()["errors"][0]["pointer"] == "#/project"
    assert await zoo.names("logical-switches") == ["zoo/web"]


async def test_an_alias_leads_to_its_object_whatever_project_that_is_of(everyone: Project) -> None:
    kinds = ("logical_switch", "logical_switch_port")
    values = ({"name": "web", "project": "acme"}, {"name": "web-1", "logical_switch": "#new"})
    operations = [
        {"action": "create", "kind": kind, "values": each, "as": alias}
        for kind, each, alias in zip(kinds, values, ("new", "port"), strict=True)
    ]
    response = await everyone.ask("POST", "transactions", operations=operations)
    assert response.status_code == 200, response.text
    port = response.json()["results"][1]["object"]
    assert (port["project"], port["logical_switch"]) == ("acme", "web")


async def test_no_project_but_its_own_can_be_named(acme: Project) -> None:
    response = await acme.ask("GET", "logical-switches?project=zoo")
    assert (response.status_code, response.json()["type"]) == (403, "/problems/forbidden")
    response = await acme.ask("POST", "logical-switches", name="x", project="zoo")
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "#/project"
    assert (await acme.ask("GET", "logical-switches?project=acme")).status_code == 200


async def test_what_is_shared_can_be_used_and_not_changed(acme: Project, zoo: Project) -> None:
    shared = await zoo.create("logical-switches", name="public", shared=True)
    assert await acme.names("logical-switches") == ["zoo/public"]
    port = await acme.create(f"logical-switches/{shared['id']}/ports", name="mine")
    assert (port["project"], port["logical_switch"]) == ("acme", "zoo/public")
    response = await acme.ask("PATCH", f"logical-switches/{shared['id']}", shared=False)
    assert (response.status_code, response.json()["type"]) == (403, "/problems/forbidden")
    response = await zoo.ask("DELETE", "logical-switches/public?cascade=true")
    assert response.status_code == 409
    assert "mine" not in response.text
    assert response.json()["detail"].endswith("is referenced by 1 of other projects")
    assert await zoo.names("logical-switches/public/ports") == []


async def test_conflicts_name_nothing_of_others(acme: Project, zoo: Project) -> None:
    shared = await zoo.create("logical-switches", name="public", shared=True)
    address = "0a:00:00:00:00:01 10.0.0.1"
    values = {"logical_switch": shared["id"], "addresses": [address]}
    secret = await zoo.create("logical-switch-ports", name="secret", **values)
    response = await acme.ask("POST", "logical-switch-ports", name="x", **values)
    assert (response.status_code, response.json()["type"]) == (409, "/problems/taken")
    for hidden in ("secret", secret["id"]):
        assert hidden not in response.text


@pytest.mark.parametrize("project", ["a/b", "a b", "a\x00", "\n", "-", "", "a" * 256])
async def test_a_request_names_no_project_that_there_cannot_be(
    everyone: Project, project: str
) -> None:
    query = httpx.QueryParams(project=project)
    response = await everyone.ask("POST", f"logical-switches?{query}", name="web")
    assert response.status_code == 422, response.text
    assert response.json()["errors"][0]["parameter"] == "project"
    assert await everyone.names("logical-switches") == []


async def test_a_port_of_another_project_is_made_under_its_switch(everyone: Project) -> None:
    await everyone.create("logical-switches", name="public", shared=True)
    port = await everyone.create("logical-switches/public/ports", name="web-1", project="acme")
    assert (port["project"], port["logical_switch"]) == ("acme", "default/public")


@pytest.mark.parametrize("path", ["logical-switches", "logical-switches/web/ports"])
async def test_a_wait_in_vain_names_no_chassis_to_a_project(
    guarded: Server, acme: Project, everyone: Project, path: str
) -> None:
    await everyone.create("logical-switches?project=acme", name="web")
    guarded.agents.lagging = ["hypervisor-2"]
    following = asyncio.create_task(guarded.translator.run())
    values = {"name": "one", "project": "acme"}
    told = await everyone.ask("POST", f"{path}?wait=chassis&timeout=30&project=acme", **values)
    hidden = await acme.ask("POST", f"{path}?wait=chassis&timeout=30", name="two")
    following.cancel()
    assert (told.status_code, told.json()["waiting_for"]) == (504, ["hypervisor-2"])
    assert hidden.status_code == 504
    assert "hypervisor-2" not in hidden.text
    assert "missing: 1 chassis" in hidden.json()["detail"]


async def test_lists_are_filtered_by_ports_of_one_project(everyone: Project) -> None:
    """Ports lead to router ports by name, and names are unique within a project only."""
    made = {}
    for project in ("acme", "zoo"):
        query = f"?project={project}"
        await everyone.create(f"logical-switches{query}", name="web")
        await everyone.create(f"logical-routers{query}", name="edge")
        port = {"name": "edge-web", "networks": ["10.0.0.1/24"]}
        made[project] = await everyone.create(f"logical-routers/edge/ports{query}", **port)
        port = {"name": "to-edge", "router_port": "edge-web"}
        await everyone.create(f"logical-switches/web/ports{query}", **port)
    for ref in ("zoo/edge-web", made["zoo"]["id"]):
        assert await everyone.names(f"logical-switch-ports?router_port={ref}") == ["zoo/to-edge"]
    response = await everyone.ask("GET", "logical-switch-ports?router_port=edge-web")
    assert (response.status_code, response.json()["type"]) == (404, "/problems/not-found")
