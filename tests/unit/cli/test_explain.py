"""``treadle explain``: what it asks, how it puts the answer, and its exit codes."""

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from api.v1.reachability import EXAMPLE
from cli.main import app

REACHED = {
    **EXAMPLE,
    "answer": "yes",
    "reachable": True,
    "text": "yes",
    "obstacles": [],
    "proposal": None,
}


class Answering:
    """A server that gives one answer, and what it was asked."""

    def __init__(self) -> None:
        self.answer: Any = EXAMPLE
        self.status = 200
        self.requests: list[Any] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(json.loads(request.content))
        return httpx.Response(self.status, json=self.answer)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Answering:
    answering = Answering()
    make_client = httpx.Client
    monkeypatch.setattr(
        httpx,
        "Client",
        lambda **options: make_client(transport=httpx.MockTransport(answering), **options),
    )
    return answering


def run(*arguments: str, code: int) -> str:
    result = CliRunner().invoke(app, ["explain", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_a_name(server: Answering) -> None:
    server.answer = REACHED
    run("web-1", "203.0.113.1", "--dns-name", "db.example", code=0)
    run("web-1", "203.0.113.1", "--dns-name", "db.example", "--dns-type", "AAAA", code=0)
    asked = {"source": "web-1", "destination": "203.0.113.1", "dns_name": "db.example"}
    assert server.requests == [{**asked, "dns_type": "A"}, {**asked, "dns_type": "AAAA"}]


def test_a_no_has_the_reason_and_what_would_help(server: Answering) -> None:
    text = run("web-1", "db-1", "udp/53", code=1)
    assert server.requests == [{"source": "web-1", "destination": "db-1", "service": "udp/53"}]
    lines = text.splitlines()
    assert lines[0] == EXAMPLE["text"]
    assert lines[2] == "to allow it:"
    assert lines[3].startswith("  add an ACL to port group databases")
    body = text.partition("POST /v1/transactions\n")[2]
    assert json.loads(body) == EXAMPLE["proposal"]["transaction"]  # type: ignore[index]


def test_the_argument_beside_a_match_is_where_it_should_get_to(server: Answering) -> None:
    run("--match", "arp", "--inport", "web-1", "db-1", code=1)
    assert server.requests == [{"match": "arp", "inport": "web-1", "destination": "db-1"}]


def test_what_is_said_of_clients_and_guests(server: Answering) -> None:
    run("a", "b", "udp/53", "--source-port", "5353", "--via-gateway", code=1)
    asked = {"source": "a", "destination": "b", "service": "udp/53"}
    assert server.requests == [{**asked, "source_port": 5353, "guests": "via-gateway"}]
    run("a", "b", "--direct", code=1)
    assert server.requests[1]["guests"] == "direct"


def test_a_yes(server: Answering) -> None:
    server.answer = REACHED
    assert run("web-1", "db-1", code=0) == "yes\n"


def test_what_is_not_known_and_what_is_assumed(server: Answering) -> None:
    unknown = {"passed": None, "text": "nobody knows", "trace": None}
    assumption = {"kind": "guest", "text": "guests are plain", "otherwise": "yes: by a detour"}
    proposal = {
        "text": ["ask around"],
        "transaction": None,
        "packet": None,
        "commands": [],
        "sufficient": None,
        "unknowns": ["it hangs on her"],
        "breaks": [],
        "remaining": [],
        "assumptions": [assumption, {"kind": "hypervisor", "text": "it works", "otherwise": None}],
    }
    server.answer = {
        **EXAMPLE,
        "answer": "not-known",
        "reachable": None,
        "text": "not known, because of her",
        "unknowns": ["of her"],
        "obstacles": [],
        "checks": [unknown],
        "assumptions": [assumption],
        "proposal": proposal,
    }
    assert run("a", "b", "--detailed", code=4).splitlines() == [
        "??  nobody knows",
        "not known, because of her",
        "assuming that guests are plain",
        "  otherwise yes: by a detour",
        "",
        "what may help:",
        "  ask around",
        "whether that is enough is not known, because it hangs on her",
        "assuming that it works",
    ]


def test_all_that_was_checked(server: Answering) -> None:
    text = run("web-1", "db-1", "udp/53", "--detailed", code=1)
    assert "ok  port web-1 is up on chassis hypervisor-1" in text
    assert "no  the request does not arrive" in text
    assert "web-1: ip4.src=10.20.1.11" in text


def test_packets_and_commands_that_are_proposed(server: Answering) -> None:
    proposal = {
        "text": ["send it again", "plug it in"],
        "transaction": None,
        "packet": 'inport == "web-1" && ip.ttl == 2',
        "commands": ["ovs-vsctl show"],
        "sufficient": False,
        "unknowns": [],
        "breaks": ["it was better before"],
        "remaining": ["there is a second wall"],
        "assumptions": [],
    }
    server.answer = {**EXAMPLE, "proposal": proposal}
    lines = run("--match", "ip.ttl == 1", "--inport", "web-1", code=1).splitlines()
    assert server.requests == [{"match": "ip.ttl == 1", "inport": "web-1"}]
    assert "to get further:" in lines
    assert "but it was better before" in lines
    assert "then there is this in the way: there is a second wall" in lines
    assert lines[-2:] == ['  inport == "web-1" && ip.ttl == 2', "$ ovs-vsctl show"]


def test_the_document(server: Answering) -> None:
    assert json.loads(run("a", "b", "--json", code=1)) == json.loads(json.dumps(EXAMPLE))


def test_a_question_that_is_refused_is_no_answer(server: Answering) -> None:
    server.status = 422
    assert "422" in run("a", "b", code=2)


def test_a_server_that_is_away_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TREADLE_URL", "http://127.0.0.1:1")
    run("a", "b", code=3)


def test_wrong_use(server: Answering) -> None:
    run("a", "b", "--json", "--detailed", code=2)
    assert server.requests == []
