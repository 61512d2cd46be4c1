"""``treadle hits``: what an ACL has decided, in a table and as a document."""

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from api.v1.hits import EXAMPLE
from cli.main import app

_CLIENT = httpx.Client
HTTP = {"id": "0b4b5f0e-52c1-4d1f-9d1f-0f4f3f6b7a11", "logical_switch": None, "port_group": "web"}
SSH = [{**HTTP, "id": "first"}, {"id": "second", "logical_switch": "lan", "port_group": None}]
NAMED = {"http": [HTTP], "ssh": SSH}
COUNTED: dict[str, Any] = {**EXAMPLE, "not_counted": {"hypervisor-3": "its agent is not connected"}}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The paths that a server was asked for, which can't ask one of its chassis.

    It has ACLs with the names in ``NAMED``.
    """
    paths: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/acls":
            items = NAMED.get(request.url.params["name"], [])
            return httpx.Response(200, json={"items": items, "next_cursor": None})
        paths.append(request.url.raw_path)
        return httpx.Response(200, json=COUNTED)

    def client(**options: Any) -> httpx.Client:
        return _CLIENT(transport=httpx.MockTransport(answer), **options)

    monkeypatch.setattr(httpx, "Client", client)
    return paths


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["hits", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_table_has_all_chassis_and_the_sum(asked: list[bytes]) -> None:
    heading, in_all, *chassis = run("web/http").splitlines()
    assert heading.split() == ["CHASSIS", "PACKETS", "BYTES", "LAST"]
    assert in_all.split()[:4] == ["in", "all", "1200", "88800"]
    named = [line.split()[0] for line in chassis if not line.startswith("not counted")]
    assert named == ["hypervisor-1", "hypervisor-2"]
    assert asked == [b"/v1/acls/web%2Fhttp/hits"]


def test_an_acl_is_found_by_its_name(asked: list[bytes]) -> None:
    run("http")
    assert asked == [f"/v1/acls/{HTTP['id']}/hits".encode()]


def test_a_name_that_several_have_is_not_enough(asked: list[bytes]) -> None:
    result = CliRunner().invoke(app, ["hits", "ssh"])
    assert result.exit_code == 1
    assert "several ACLs are called ssh" in result.output
    assert "  first of web\n  second of lan\n" in result.output
    assert asked == []


def test_what_could_not_be_asked_is_told(asked: list[bytes]) -> None:
    told = [line for line in run("http").splitlines() if line.startswith("not counted")]
    assert told == [
        "not counted since it last said so: hypervisor-3, because its agent is not connected"
    ]
    assert asked


def test_a_document_is_that_of_the_api(asked: list[bytes]) -> None:
    assert json.loads(run("http", "--json")) == COUNTED
    assert asked
