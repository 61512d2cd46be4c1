"""``treadle show``: how kinds are named, and what tables and the tree are like."""

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from api.kinds import KINDS
from api.v1.kinds import DESCRIBED
from cli.main import app

_CLIENT = httpx.Client


@pytest.fixture(autouse=True)
def _server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that has one object of each kind, its example."""
    _serve(monkeypatch, "default")


def _serve(monkeypatch: pytest.MonkeyPatch, project: str) -> None:
    lists: dict[str, list[dict[str, Any]]] = {
        f"/v1/{kind.path}": [kind.view_example | {"project": project}] for kind in KINDS.values()
    }
    lists |= {"/v1/kinds": DESCRIBED, "/v1/chassis": [], "/v1/port-bindings": []}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"items": lists[request.url.path], "next_cursor": None})

    def client(**options: Any) -> httpx.Client:
        return _CLIENT(transport=httpx.MockTransport(answer), **options)

    monkeypatch.setattr(httpx, "Client", client)


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == code, result.output
    return result.output


def test_owners_of_several_kinds_share_a_column() -> None:
    headings, row = run("show", "acls").splitlines()[:2]
    assert headings.split()[0] == "OF"
    assert row.split()[0] == "@web_servers"


@pytest.mark.parametrize("word", ["static-route", "static_routes", "logical-switches", "acl"])
def test_a_kind_may_be_called_as_one_or_as_in_a_document(word: str) -> None:
    assert run("show", word)


def test_json_has_all_lists() -> None:
    shown = json.loads(run("show", "--json"))
    assert shown.keys() == {kind.path for kind in KINDS.values()} | {"chassis", "port-bindings"}
    assert shown["acls"] == [KINDS["acl"].view_example]


def test_what_is_no_kind_is_told_with_those_that_are() -> None:
    told = run("show", "ports", code=2)
    assert "'ports' is none of " in told
    assert "logical-switches, " in told


@pytest.mark.parametrize("project", ["default", "acme"])
def test_the_tree_has_all_objects(monkeypatch: pytest.MonkeyPatch, project: str) -> None:
    _serve(monkeypatch, project)
    tree = run("show")
    for name in (
        "switch web" if project == "default" else "switch acme/web",
        "web-1",
        "router edge" if project == "default" else "router acme/edge",
        "edge-web",
        "192.0.2.0/24",
        "$office" if project == "default" else "$acme/office",
        "ip 10.0.0.77  mac",
        "chassis template variables",
        "NODE=192.0.2.1",
    ):
        assert name in tree
    assert tree.count("HA chassis group") == 1


def test_one_project_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[httpx.URL] = []
    make_client = httpx.Client

    def client(**options: Any) -> httpx.Client:
        return make_client(
            event_hooks={"request": [lambda each: asked.append(each.url)]}, **options
        )

    monkeypatch.setattr(httpx, "Client", client)
    run("show", "acls", "--project", "acme")
    assert asked[-1].params["project"] == "acme"
    assert "project" not in asked[0].params


def test_a_token_of_one_project_sees_no_chassis(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its ports may be on switches that others share, which a list of its own hasn't."""
    lists = {f"/v1/{kind.path}": [kind.view_example] for kind in KINDS.values()}
    lists |= {"/v1/kinds": DESCRIBED}
    port = KINDS["logical_switch_port"].view_example | {"logical_switch": "zoo/public"}
    lists["/v1/logical-switch-ports"] = [port]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path not in lists:
            return httpx.Response(403, json={"title": "no", "detail": "for one project"})
        return httpx.Response(200, json={"items": lists[request.url.path], "next_cursor": None})

    def client(**options: Any) -> httpx.Client:
        return _CLIENT(transport=httpx.MockTransport(answer), **options)

    monkeypatch.setattr(httpx, "Client", client)
    tree = run("show")
    assert "switch zoo/public  of another project" in tree
    assert "web-1  0a:00:00:00:00:01 10.0.0.11\n" in tree
    assert json.loads(run("show", "--json")).keys() == {kind.path for kind in KINDS.values()}
    run("show", "chassis", code=1)
