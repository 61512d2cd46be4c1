"""How commands put what the server answers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer

from cli.client import Client
from cli.output import ExitCode

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Client]:
    """A client of a server that answers as the test says."""

    make_client = httpx.Client

    def make(answer: Answer, token: str | None = None, token_file: Path | None = None) -> Client:
        def with_answer(**options: Any) -> httpx.Client:
            return make_client(transport=httpx.MockTransport(answer), **options)

        monkeypatch.setattr(httpx, "Client", with_answer)
        return Client("http://controller:6680/", token, token_file)

    return make


def problem(status: int, **members: Any) -> httpx.Response:
    body = {"title": "A field is wrong", "detail": "wrong: match", "status": status, **members}
    headers = {"Content-Type": "application/problem+json"}
    return httpx.Response(status, json=body, headers=headers)


def test_a_list_is_read_to_its_last_page(ask: Callable[..., Client]) -> None:
    one, two, three = ({"id": number} for number in range(3))
    pages = {None: ([one, two], "x"), "x": ([three], "y"), "y": ([], None)}

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.params["name"] == "web"
        items, following = pages[request.url.params.get("cursor")]
        return httpx.Response(200, json={"items": items, "next_cursor": following})

    assert list(ask(answer).items("/v1/acls", name="web", other=None)) == [one, two, three]


def test_a_refusal_names_fields_and_shows_the_caret(
    ask: Callable[..., Client], capsys: pytest.CaptureFixture[str]
) -> None:
    fault = {"pointer": "#/acls/0/match", "reason": "no such field", "caret": "tpc\n^^^"}
    client = ask(lambda _: problem(422, errors=[fault]))
    with pytest.raises(typer.Exit) as ended:
        client.get("/v1/acls")
    assert ended.value.exit_code == ExitCode.REFUSED
    assert capsys.readouterr().err == (
        "treadle: A field is wrong\n  acls.0.match: no such field\n    tpc\n    ^^^\n"
    )


def test_a_refusal_of_the_whole_names_no_field(
    ask: Callable[..., Client], capsys: pytest.CaptureFixture[str]
) -> None:
    client = ask(lambda _: problem(422, errors=[{"pointer": "#", "reason": "is no object"}]))
    with pytest.raises(typer.Exit):
        client.get("/v1/acls")
    assert capsys.readouterr().err == "treadle: A field is wrong\n  is no object\n"


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (problem(404), ExitCode.REFUSED),
        (problem(504, revision=7), ExitCode.NOT_REACHED),
        (httpx.Response(502, text="<html>Bad gateway</html>"), ExitCode.REFUSED),
    ],
)
def test_exit_codes(ask: Callable[..., Client], response: httpx.Response, code: int) -> None:
    with pytest.raises(typer.Exit) as ended:
        ask(lambda _: response).get("/v1/acls")
    assert ended.value.exit_code == code


def test_no_answer(ask: Callable[..., Client], capsys: pytest.CaptureFixture[str]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    with pytest.raises(typer.Exit) as ended:
        ask(answer).get("/v1/acls")
    assert ended.value.exit_code == ExitCode.UNREACHABLE
    assert "http://controller:6680" in capsys.readouterr().err


def test_the_token_is_sent_and_can_be_in_a_file(ask: Callable[..., Client], tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"sent": request.headers.get("Authorization")})

    file = tmp_path / "token"
    file.write_text("t0ken\n")
    assert ask(answer).get("/") == {"sent": None}
    assert ask(answer, "t0ken").get("/") == {"sent": "Bearer t0ken"}
    assert ask(answer, token_file=file).get("/") == {"sent": "Bearer t0ken"}
    with pytest.raises(typer.Exit):
        ask(answer, "t0ken", file)
    with pytest.raises(typer.Exit):
        ask(answer, token_file=tmp_path / "none")
