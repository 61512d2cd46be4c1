"""``treadle status``: what is wrong is named, line by line."""

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from api.v1.realised import STATUS_EXAMPLE
from cli.main import app

_CLIENT = httpx.Client
TROUBLED: dict[str, Any] = {
    **STATUS_EXAMPLE,
    "faults": [{"derivation": "flows", "key": "web", "message": "KeyError"}],
    "trouble": "the disk is full",
    "port_problems_total": 3,
}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the server says; a test may change it."""
    status = dict(TROUBLED)

    def client(**options: Any) -> httpx.Client:
        transport = httpx.MockTransport(lambda _request: httpx.Response(200, json=status))
        return _CLIENT(transport=transport, **options)

    monkeypatch.setattr(httpx, "Client", client)
    return status


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["status", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.usefixtures("told")
def test_everything_that_is_wrong_is_named() -> None:
    assert run().splitlines() == [
        "version     0.1.0",
        "revision    42, translated up to 42",
        "flow groups 118",
        "chassis     3, 3 alive, 1 degraded",
        "ports up    8",
        "translation is not getting on: the disk is full",
        "fault: flows web: KeyError",
        f"chassis hypervisor-2: {STATUS_EXAMPLE['chassis_problems'][0]['text']}",  # type: ignore[index]
        "port web-9: there is no chassis or host named hypervisor-9",
        "ports: 2 more problems",
        f"MTU: {STATUS_EXAMPLE['mtu_problems'][0]['text']}",  # type: ignore[index]
    ]


def test_a_network_that_is_well_has_five_lines(told: dict[str, Any]) -> None:
    for field in ("faults", "chassis_problems", "port_problems", "mtu_problems"):
        told[field] = []
    told |= {
        "trouble": "",
        "chassis_problems_total": 0,
        "port_problems_total": 0,
        "mtu_problems_total": 0,
    }
    assert len(run().splitlines()) == 5


def test_a_document_is_that_of_the_api(told: dict[str, Any]) -> None:
    assert json.loads(run("--json")) == told
