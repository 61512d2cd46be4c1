"""``treadle trace`` and ``treadle detrace``: what they ask, and how they put the answer."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from api.v1.cookies import EXAMPLE as COOKIE
from api.v1.trace import EXAMPLE as TRACE
from cli.live import live_lines
from cli.main import app
from cli.trace import _summary, lines


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """The requests that reach a server which answers with the API's examples."""
    requests: list[httpx.Request] = []
    make_client = httpx.Client
    acl = TRACE["verdict"]["cause"]  # type: ignore[index]
    visit = {
        "kind": "visit",
        "text": "data ls_out_acl_eval_0 drop",
        "datapath": "data",
        "stage": "ls_out_acl_eval_0",
        "group": "0x2a",
        "cause": acl,
        "changes": ["reg8: 0x0 -> 0x20000"],
        "steps": [],
    }
    passed = {**visit, "stage": "ls_out_acl_pre", "text": "data ls_out_acl_pre", "cause": None}
    found = {**TRACE, "steps": [{"kind": "crossing", "text": "to db-1", "steps": [passed, visit]}]}

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json=found if request.method == "POST" else COOKIE)

    def client(**options: Any) -> httpx.Client:
        return make_client(transport=httpx.MockTransport(answer), **options)

    monkeypatch.setattr(httpx, "Client", client)
    return requests


def run(*arguments: str, code: int = 0, color: bool = False) -> str:
    result = CliRunner().invoke(app, arguments, color=color)
    assert result.exit_code == code, result.output
    return result.output


def test_the_summary_shows_the_way_the_acl_and_the_verdict(asked: list[httpx.Request]) -> None:
    lines = run("trace", "udp", "web-1", "db-1:53").splitlines()
    assert json.loads(asked[0].content) == {"packet": "udp web-1 db-1:53", "connection": "new"}
    assert lines[0] == TRACE["packet"]
    acl = "ACL db-silent (to-lport, tier 0, priority 10) of port group databases"
    assert lines[1:3] == ["  to db-1", f"    data ls_out_acl_eval_0: {acl}"]
    assert lines[-2] == TRACE["verdict"]["text"]  # type: ignore[index]
    assert lines[-1] == "  besides, port web-1 is not bound to any chassis"


def test_all_stages_with_causes_and_changes(asked: list[httpx.Request]) -> None:
    text = run("trace", "--detailed", "udp web-1 -> db-1:53")
    assert "data ls_out_acl_pre" in text
    assert "reg8: 0x0 -> 0x20000" in text
    assert "alice in 42; cookie 0x2a" in text


def test_the_document(asked: list[httpx.Request]) -> None:
    text = run("trace", "--json", "--match", "tcp", "--inport", "web-1", "--connection", "reply")
    assert json.loads(asked[0].content) == {
        "match": "tcp",
        "inport": "web-1",
        "connection": "reply",
    }
    assert json.loads(text)["verdict"] == TRACE["verdict"]


def test_what_would_be(asked: list[httpx.Request], tmp_path: Path) -> None:
    change, document = tmp_path / "change.yaml", tmp_path / "network.json"
    change.write_text("operations: [{action: delete, kind: acl, ref: db-silent}]")
    document.write_text('{"document": "more"}')
    run("trace", "udp a -> b:53", "--with", str(change), "--with", str(document), "--adopt")
    assert json.loads(asked[0].content) == {
        "packet": "udp a -> b:53",
        "connection": "new",
        "with": [
            {"operations": [{"action": "delete", "kind": "acl", "ref": "db-silent"}]},
            {"document": "more"},
        ],
        "adopt": True,
    }


@pytest.mark.parametrize("text", ["operations: [", "- a list", None])
def test_files_that_hold_no_change(
    asked: list[httpx.Request], tmp_path: Path, text: str | None
) -> None:
    file = tmp_path / "change.yaml"
    if text is not None:
        file.write_text(text)
    assert str(file) in run("trace", "udp a -> b:53", "--with", str(file), code=2).replace("\n", "")
    assert asked == []


def test_every_connection_that_was_assumed_and_what_was_proposed() -> None:
    created = {"kind": "acl", "id": "1", "name": "db-dns"}
    proposed = {"created": [created], "updated": [], "deleted": [], "faults": ["acl_flows: oh"]}
    absence = {"text": "port db-1 is not bound to any chassis"}
    hindrance = {"certain": False, "text": "the packet is handled by hv1, whose agent is away"}
    delivered = {"outcome": "delivered", "text": "delivered to db-1", "deliveries": []}
    known = {
        "connection": "established",
        "steps": [{"kind": "delivery", "text": "delivered to db-1", "steps": []}],
        "verdict": {**delivered, "absences": [absence], "hindrances": [hindrance]},
    }
    document = {**TRACE, "proposed": proposed, "alternatives": [known]}
    texts = [text for text, _ in lines(document, _summary)]
    verdict = TRACE["verdict"]["text"]  # type: ignore[index]
    assert texts == [
        "+ acl db-dns",
        "acl_flows: oh",
        TRACE["packet"],
        "connection new:",
        verdict,
        "  besides, port web-1 is not bound to any chassis",
        "connection established:",
        "  delivered to db-1",
        "delivered to db-1",
        "  but port db-1 is not bound to any chassis",
        f"  but it is not known whether it gets on: {hindrance['text']}",
    ]


def test_a_blocked_connection(asked: list[httpx.Request]) -> None:
    run("trace", "udp a -> b:53", "--connection", "both", "--blocked")
    request = json.loads(asked[0].content)
    assert (request["connection"], request["blocked"]) == ("both", True)


def test_a_drop_is_red_on_a_terminal(asked: list[httpx.Request]) -> None:
    assert "\x1b[31mdropped" in run("trace", "udp web-1 -> db-1:53", color=True)
    assert "\x1b" not in run("trace", "udp web-1 -> db-1:53")


@pytest.mark.parametrize(
    "arguments",
    [[], ["icmp a -> b", "--match", "tcp"], ["icmp a -> b", "--json", "--detailed"]],
)
def test_wrong_use(asked: list[httpx.Request], arguments: list[str]) -> None:
    run("trace", *arguments, code=2)
    assert asked == []


LEG = {"text": "a packet from port web-1 goes to chassis hv2, as the walk says", "agrees": True}
CHASSIS = {
    "chassis": "hv1",
    "agrees": True,
    "problem": None,
    "revision": 42,
    "in_sync": True,
    "differences": [],
    "more_differences": 0,
    "legs": [LEG],
}


def test_switches_that_agree_in_lines() -> None:
    live = {"agrees": True, "text": "…", "chassis": [CHASSIS]}
    assert list(live_lines(live)) == [
        ("live: the switches do what the walk does", "green"),
        ("  hv1: in sync with revision 42, the flows that are wanted", "green"),
        (f"    {LEG['text']}", "green"),
    ]


def test_switches_that_differ_in_lines() -> None:
    difference = {"text": "in output the switch lacks …"}
    hv1 = {**CHASSIS, "agrees": False, "differences": [difference], "more_differences": 2}
    hv2 = {**CHASSIS, "chassis": "hv2", "agrees": None, "problem": "its agent is not connected"}
    live = {"agrees": False, "text": "…", "chassis": [hv1, {**hv2, "legs": []}]}
    assert list(live_lines(live)) == [
        ("live: the switches differ", "red"),
        ("  hv1: in sync with revision 42, 3 flows that differ", "red"),
        ("    in output the switch lacks …", "red"),
        (f"    {LEG['text']}", "green"),
        ("    and 2 more differences", "red"),
        ("  hv2: can't be asked: its agent is not connected", "yellow"),
    ]


def test_a_live_check_is_asked_for_and_printed(asked: list[httpx.Request]) -> None:
    assert "live" not in run("trace", "udp", "web-1", "db-1:53")
    run("trace", "udp", "web-1", "db-1:53", "--live")
    assert json.loads(asked[1].content)["live"] is True


def test_detrace_leads_from_a_dumped_flow_to_its_author(asked: list[httpx.Request]) -> None:
    text = run("detrace", " cookie=0x2a, duration=8.1s, table=40, n_packets=7 actions=drop")
    assert asked[0].url.path == "/v1/cookies/0x2a"
    assert "ACL db-silent" in text
    assert "alice in 42" in text
    assert "table=27(ls_in_l2_lkup)" in text


@pytest.mark.parametrize(
    ("text", "cookie"),
    [("0x2a", "0x2a"), ("42", "0x2a"), ("cookie=0x7,table=3", "0x7")],
)
def test_where_the_cookie_is(asked: list[httpx.Request], text: str, cookie: str) -> None:
    run("detrace", text)
    assert asked[0].url.path == f"/v1/cookies/{cookie}"


def test_a_line_without_a_cookie(asked: list[httpx.Request]) -> None:
    run("detrace", "table=3", code=2)
    assert asked == []


def test_an_arrow_that_the_shell_has_eaten_is_told(asked: list[httpx.Request]) -> None:
    text = run("trace", "tcp", "web-1", "-", code=2)
    assert "quote the packet" in " ".join(text.split())
    assert asked == []
