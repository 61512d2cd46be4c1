"""The API describes itself completely, and the description is true."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from api import documents, problems
from api.app import create_app
from api.kinds import KINDS
from diagnosis import documents as trace_documents
from diagnosis.explain import documents as explain_documents
from tests.unit.api.conftest import Server
from tests.unit.api.demo import apply_demo
from tests.unit.api.test_objects import BODIES, make_network

Operation = tuple[str, str, dict[str, Any]]

MODELS: dict[str, type[BaseModel]] = {
    **{kind.view.__name__: kind.view for kind in KINDS.values()},
    **{
        model.__name__: model
        for module in (documents, trace_documents, explain_documents)
        for model in vars(module).values()
        if isinstance(model, type) and issubclass(model, BaseModel)
    },
}


@pytest.fixture
def described(server: Server) -> dict[str, Any]:
    return create_app(server.backend).openapi()


def operations(described: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    for reference in set(references(described)):
        part = described
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]


def test_every_operation_says_what_it_does(described: dict[str, Any]) -> None:
    identifiers = []
    for method, path, operation in operations(described):
        assert operation["summary"], (method, path)
        assert operation["tags"], (method, path)
        identifiers.append(operation["operationId"])
    assert len(identifiers) == len(set(identifiers))


def test_every_body_has_an_example_and_every_response_too(described: dict[str, Any]) -> None:
    for method, path, operation in operations(described):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            assert media.get("example") or media.get("examples"), (method, path)
        for status, response in operation["responses"].items():
            assert response["description"], (method, path, status)
            for media in response.get("content", {}).values():
                assert media.get("example") or media.get("examples"), (method, path, status)


def test_every_operation_of_v1_tells_its_refusals(described: dict[str, Any]) -> None:
    for method, path, operation in operations(described):
        if path.startswith("/v1/"):
            statuses = set(operation["responses"])
            assert statuses >= {"401", "403", "422", "503"}, (method, path)
            assert operation["security"] == [{"HTTPBearer": []}, {}]
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert list(response["content"]) == [problems.MEDIA_TYPE]


def test_examples_of_responses_are_as_described(described: dict[str, Any]) -> None:
    checked = 0
    for _, path, operation in operations(described):
        for status, response in operation["responses"].items():
            media = response.get("content", {}).get("application/json")
            if int(status) >= 300 or media is None or not path.startswith("/v1/"):
                continue
            (name,) = media["examples"]
            example = described["components"]["examples"][name]["value"]
            schema = media["schema"]
            if "$ref" in schema:
                check(schema["$ref"], example)
            else:
                assert set(example) == set(schema["required"])
                for item in example["items"]:
                    check(schema["properties"]["items"]["items"]["$ref"], item)
            checked += 1
    assert checked > 50


def check(reference: str, value: Any) -> None:
    """`value` has exactly the fields of the document, with values that fit."""
    model = MODELS[reference.rpartition("/")[2]]
    read = model.model_validate(value, strict=False)
    assert set(value) == set(read.model_dump(by_alias=True))


async def test_examples_of_bodies_are_taken(server: Server, described: dict[str, Any]) -> None:
    """In an order in which each finds what it refers to."""
    client = server.client
    await client.post("/v1/logical-switches", json={"name": "spare"})

    def example(method: str, path: str) -> Any:
        content = described["paths"][path][method]["requestBody"]["content"]
        return content["application/json"]["example"]

    for path, ref in (
        *((f"/v1/{kind.path}", "") for kind in KINDS.values()),
        ("/v1/address-sets/{ref}/addresses", "office"),
        ("/v1/port-groups/{ref}/ports", "web_servers"),
        ("/v1/tokens", ""),
        ("/v1/transactions", ""),
        ("/v1/apply", ""),
    ):
        body = example("post", path)
        response = await client.post(path.replace("{ref}", ref), json=body)
        assert response.is_success, (path, response.text)
    for kind in KINDS.values():
        ref = (await client.get(f"/v1/{kind.path}")).json()["items"][0]["id"]
        body = example("patch", f"/v1/{kind.path}/{{ref}}")
        response = await client.patch(f"/v1/{kind.path}/{ref}", json=body)
        assert response.is_success, (kind.name, response.text)


@pytest.mark.parametrize("path", ["/v1/trace", "/v1/reachability"])
async def test_examples_of_questions_are_answered(
    server: Server, described: dict[str, Any], path: str
) -> None:
    await apply_demo(server)
    content = described["paths"][path]["post"]["requestBody"]["content"]
    examples = content["application/json"]["examples"]
    assert len(examples) >= 5
    for name, example in examples.items():
        response = await server.client.post(path, json=example["value"])
        assert response.is_success, (name, response.text)
        check({"/v1/trace": "Trace", "/v1/reachability": "Reachability"}[path], response.json())


async def test_what_is_answered_is_as_described(server: Server) -> None:
    await make_network(server.client)
    for kind in KINDS.values():
        made = await server.client.post(f"/v1/{kind.path}", json=BODIES[kind.name])
        check(kind.view.__name__, made.json())
    await server.translate()
    for path, name in (
        ("logical-flows", "LogicalFlow"),
        ("port-bindings", "PortBinding"),
        ("revisions", "Revision"),
    ):
        for item in (await server.client.get(f"/v1/{path}")).json()["items"]:
            check(name, item)
    check("Status", (await server.client.get("/v1/status")).json())
    check("RevisionWithChanges", (await server.client.get("/v1/revisions/1")).json())


async def test_it_is_served_with_its_pages(client: httpx.AsyncClient) -> None:
    assert (await client.get("/openapi.json")).json()["info"]["title"] == "Treadle"
    page = await client.get("/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    for operation in (await client.get("/openapi.json")).json()["paths"]["/v1/acls"].values():
        assert f"id='{operation['operationId']}'" in page.text
    assert not re.search(r"<script|<link|<img|(src|href)=.https?:", page.text)


def test_a_server_that_asks_for_tokens_says_so(guarded: Server) -> None:
    for _, path, operation in operations(create_app(guarded.backend).openapi()):
        if path.startswith("/v1/"):
            assert operation["security"] == [{"HTTPBearer": []}]


def test_schemas_are_titled_apart(described: dict[str, Any]) -> None:
    """Generators of clients leave out operations whose schemas share a title."""
    schemas = described["components"]["schemas"]
    assert {name: schema["title"] for name, schema in schemas.items()} == {n: n for n in schemas}


def test_the_guide_knows_every_path_and_problem(described: dict[str, Any]) -> None:
    guide = (Path(__file__).parents[3] / "docs" / "rest.md").read_text()
    for path in described["paths"]:
        resource = path.removeprefix("/v1/").removesuffix("/{ref}").removesuffix("/{revision}")
        assert resource.removesuffix("/{member}") in guide, path
    rows = re.findall(r"^\| `/problems/([a-z-]+)` \| (\d+) \|", guide, re.MULTILINE)
    assert dict(rows) == {slug: str(kind.status) for slug, kind in problems.KINDS.items()}
