"""The client of the REST API against servers that answer well, badly, late and never."""

import socket
from pathlib import Path
from typing import Any

import pytest

from integrations.client import (
    AnswerError,
    Client,
    ClientSettingsError,
    NotReachedError,
    RefusedError,
    UnreachableError,
    read_token,
)
from integrations.deadline import Deadline
from integrations.http_exchange import BODY_LIMIT
from tests.unit.integrations.scripted_server import (
    Answer,
    http,
    problem,
    read_request,
    scripted_server,
    sends,
)

pytestmark = pytest.mark.processes


def ask(url: str, method: str = "GET", *, seconds: float = 5, repeatable: bool = False) -> Any:
    with Client(url) as client:
        return client.request(method, "/v1/x", Deadline(seconds), repeatable=repeatable)


def test_a_request_carries_body_token_and_project() -> None:
    query = {"wait": "up", "none": None}
    with (
        scripted_server(sends(http(201, '{"id": "x"}'))) as server,
        Client(server.url, token="secret", project="acme") as client,
    ):
        answer = client.request("POST", "/v1/x", Deadline(5), query=query, body={"a": [1]})
    assert answer == {"id": "x"}
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/x?wait=up&project=acme HTTP/1.1\r\n")
    with scripted_server(sends(http(200, "{}"))) as server, Client(server.url, project="a") as one:
        one.request("GET", "/v1/x", Deadline(5), query={"project": None})
        assert server.requests[0].startswith(b"GET /v1/x HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Bearer secret\r\n" in head
    assert body == b'{"a":[1]}'


def test_an_empty_answer_is_none() -> None:
    with scripted_server(sends("HTTP/1.1 204 No Content\r\n\r\n")) as server:
        assert ask(server.url, "DELETE") is None


def test_answers_in_chunks_and_to_the_end_are_read() -> None:
    chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    chunked += '3\r\n{"a\r\n4;x=y\r\n": 1\r\n1\r\n}\r\n0\r\nTrailer: x\r\n\r\n'
    until_end = 'HTTP/1.0 200 OK\r\n\r\n{"b": 2}'
    with scripted_server(sends(chunked), sends(until_end)) as server, Client(server.url) as client:
        assert client.get("/v1/x", Deadline(5)) == {"a": 1}
        assert client.get("/v1/x", Deadline(5)) == {"b": 2}


def test_a_connection_serves_several_requests_and_is_opened_again() -> None:
    kept = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

    def twice(connection: socket.socket) -> None:
        connection.sendall(kept.encode())
        read_request(connection)
        connection.sendall(kept.encode())

    with scripted_server(twice, sends(http(200, "{}"))) as server, Client(server.url) as client:
        for _ in range(3):
            assert client.get("/v1/x", Deadline(5)) == {}
        assert len(server.requests) == 2


def test_a_list_is_read_page_by_page() -> None:
    pages = [
        sends(http(200, '{"items": [{"id": "1"}], "next_cursor": "c/1"}')),
        sends(http(200, '{"items": [{"id": "2"}], "next_cursor": null}')),
    ]
    with scripted_server(*pages) as server, Client(server.url) as client:
        items = list(client.items("/v1/x", Deadline(5), {"label.a": "b"}))
    assert [item["id"] for item in items] == ["1", "2"]
    assert b"label.a=b&limit=1000&cursor=c%2F1 " in server.requests[1]


def test_a_list_of_large_items_is_read_in_smaller_pages() -> None:
    pages = [
        sends(f"HTTP/1.1 200 OK\r\nContent-Length: {BODY_LIMIT + 1}\r\n\r\n"),
        sends(http(200, '{"items": [{"id": "1"}], "next_cursor": null}')),
    ]
    with scripted_server(*pages) as server, Client(server.url) as client:
        assert list(client.items("/v1/x", Deadline(5))) == [{"id": "1"}]
    assert [b"limit=1000 " in each for each in server.requests] == [True, False]
    assert b"limit=125 " in server.requests[1]


def test_a_refusal_tells_type_status_and_fields() -> None:
    body = (
        '{"type": "/problems/invalid", "title": "A field is wrong", "detail": "wrong: a",'
        '"errors": [{"pointer": "#/a/0", "reason": "no"}, {"parameter": "q", "reason": "bad"}]}'
    )
    answer = sends(http(422, body, kind="application/problem+json"))
    with scripted_server(answer) as server, pytest.raises(RefusedError) as refused:
        ask(server.url)
    assert (refused.value.type, refused.value.status) == ("invalid", 422)
    assert str(refused.value) == "A field is wrong: a/0: no; q: bad"


def test_what_is_committed_and_not_reached_tells_its_revision() -> None:
    body = '{"type": "/problems/not-reached", "title": "T", "detail": "d", "revision": 7}'
    answer = sends(http(504, body, kind="application/problem+json"))
    with scripted_server(answer) as server, pytest.raises(NotReachedError) as refused:
        ask(server.url, "POST")
    assert refused.value.revision == 7


def test_missing_is_none_and_deleting_what_is_gone_is_no_error() -> None:
    gone = sends(problem(404, "not-found"))
    with scripted_server(gone, gone) as server, Client(server.url) as client:
        assert client.find("/v1/x", Deadline(5)) is None
        assert client.delete("/v1/x", Deadline(5)) is False


@pytest.mark.parametrize("slug", ["busy", "unavailable"])
def test_what_was_not_done_is_asked_again(slug: str) -> None:
    answers = [sends(problem(503, slug, "Retry-After: 0\r\n")), sends(http(201, "{}"))]
    with scripted_server(*answers) as server:
        assert ask(server.url, "POST") == {}
        assert len(server.requests) == 2


def test_another_503_is_no_answer_of_the_api() -> None:
    answer = sends(http(503, "<html>", kind="text/html"))
    with scripted_server(answer) as server, pytest.raises(AnswerError, match="503"):
        ask(server.url, "POST")


def _close(connection: socket.socket) -> None:
    """Answer nothing."""


def test_a_lost_answer_is_asked_for_again_only_where_it_does_no_harm() -> None:
    with scripted_server(_close, sends(http(201, "{}"))) as server:
        assert ask(server.url, "POST", repeatable=True) == {}
    with scripted_server(_close) as server, pytest.raises(UnreachableError) as failed:
        ask(server.url, "POST")
    assert failed.value.sent


def test_no_server_is_tried_a_few_times() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(UnreachableError, match="refused") as failed:
        ask(f"http://127.0.0.1:{port}", "POST", seconds=20)
    assert not failed.value.sent


def test_the_deadline_holds_for_a_server_that_sends_a_little_now_and_then() -> None:
    def drip(connection: socket.socket) -> None:
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while True:
                connection.sendall(b"X: y\r\n")
                # The other side closes when its time is over.
                connection.settimeout(0.05)
                try:
                    if not connection.recv(1):
                        return
                except TimeoutError:
                    continue
        except OSError:
            return

    with (
        scripted_server(drip) as server,
        pytest.raises(UnreachableError, match=r"within 0\.5|in time"),
    ):
        ask(server.url, seconds=0.5)


HOSTILE: dict[str, Answer] = {
    "no HTTP": sends("SSH-2.0-OpenSSH\r\n\r\n"),
    "a status that is none": sends("HTTP/1.1 2x0 OK\r\n\r\n"),
    "a header without colon": sends("HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"),
    "endless headers": sends(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 100_000),
    "too long": sends(f"HTTP/1.1 200 OK\r\nContent-Length: {BODY_LIMIT + 1}\r\n\r\n"),
    "a negative length": sends("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
    "chunks without length": sends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "a too long chunk": sends(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffff\r\n"
    ),
    "an unknown encoding": sends("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"),
    "no JSON": sends(http(200, "nonsense")),
    "deep JSON": sends(http(200, "[" * 100_000)),
    "a page": sends(http(404, "<html>", kind="text/html")),
    "a problem that is none": sends(http(404, "[]", kind="application/problem+json")),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_answers_are_refused(name: str) -> None:
    with scripted_server(HOSTILE[name]) as server, pytest.raises(AnswerError):
        ask(server.url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:6680",
        "ftp://host",
        "http://",
        "http://host:port",
        "http://user@host",
        "http://host/?a",
        "http://host/a b",
        "http://host\r\nX: y",
        "http://hö",
    ],
)
def test_urls_that_are_none_are_refused(url: str) -> None:
    with pytest.raises(ClientSettingsError):
        Client(url)


def test_a_token_stays_off_other_hosts_in_plain_text() -> None:
    with pytest.raises(ClientSettingsError, match="plain text"):
        Client("http://192.0.2.1:6680", token="x")
    Client("http://192.0.2.1:6680", token="x", plain_text=True)
    Client("https://192.0.2.1:6680", token="x")


@pytest.mark.parametrize("content", [b"", b"a b", b"a\nb", b"\xff"])
def test_tokens_that_are_none_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(ClientSettingsError):
        read_token(str(path))
    path.write_bytes(b"good\n")
    assert read_token(str(path)) == "good"


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(ClientSettingsError, match="No such file"):
        read_token(str(tmp_path / "none"))
    with pytest.raises(ClientSettingsError, match="none"):
        Client("https://host", authority=str(tmp_path / "none"))


def test_all_addresses_of_a_server_have_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one's queue is full, so that connecting to it only ends with its time."""
    with (
        scripted_server(sends(http(200, "{}"))) as server,
        socket.create_server(("127.0.0.1", 0), backlog=0) as full,
    ):
        busy = [_begin_to_connect(full.getsockname()) for _ in range(4)]
        port = int(server.url.rpartition(":")[2])
        places = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", place)
            for place in (full.getsockname(), ("127.0.0.1", port))
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places)
        assert ask("http://controller:6680", seconds=3) == {}
        for each in busy:
            each.close()


def _begin_to_connect(place: tuple[str, int]) -> socket.socket:
    opened = socket.socket()
    opened.setblocking(False)
    opened.connect_ex(place)
    return opened
