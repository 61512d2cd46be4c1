"""Following Treadle's revisions, and when that isn't possible."""

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from integrations.client import Client, read_token
from integrations.http_exchange import BODY_LIMIT
from integrations.kubernetes import feed as feeds
from integrations.kubernetes.api import Cluster, KubernetesApi
from integrations.kubernetes.controller import Controller
from integrations.kubernetes.feed import Feed, Revision
from integrations.kubernetes.health import Health
from tests.unit.integrations.scripted_server import http, scripted_server, sends

PROBLEM = "application/problem+json"
NOT_REACHED = sends(http(504, '{"type": "not-reached"}', kind=PROBLEM))
MISSING = sends(http(404, '{"type": "not-found"}', kind=PROBLEM))
REFUSED = sends(http(401, '{"type": "unauthenticated"}', kind=PROBLEM))


def revision(number: int) -> str:
    return f'{{"id": {number}, "changes": []}}'


@contextmanager
def following(connect: Callable[[], Client], health: Health) -> Iterator["queue.Queue[Any]"]:
    sink: queue.Queue[Any] = queue.Queue()
    feed = Feed(connect, sink, health.tell)
    feed.follow(7)
    try:
        yield sink
    finally:
        feed.stop()


@pytest.mark.parametrize(
    "answers",
    [
        [sends(f"HTTP/1.1 200 OK\r\nContent-Length: {BODY_LIMIT + 1}\r\n\r\n")],
        [MISSING],
        [sends(http(200, '{"id": 7, "changes": null}'))],
        # The database was restored: what comes next there is 5.
        [NOT_REACHED, MISSING, sends(http(200, '{"revision": 4}'))],
    ],
    ids=["too large", "forgotten", "changes forgotten", "gone back"],
)
def test_what_cannot_be_followed_is_read_anew(answers: list[Any]) -> None:
    health = Health()
    with (
        scripted_server(*answers) as server,
        following(lambda: Client(server.url), health) as sink,
    ):
        assert sink.get(timeout=20) == Revision(7, None)


def test_a_revision_that_is_still_to_come_is_waited_for() -> None:
    answers = [NOT_REACHED, MISSING, sends(http(200, '{"revision": 6}'))]
    with (
        scripted_server(*answers, sends(http(200, revision(7)))) as server,
        following(lambda: Client(server.url), Health()) as sink,
    ):
        assert sink.get(timeout=20) == Revision(7, [])


def test_a_token_that_is_replaced_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "_PAUSE", 0.05)
    token = tmp_path / "token"
    problems: queue.Queue[str] = queue.Queue()

    class Told(Health):
        def tell(self, part: str, problem: str) -> None:
            super().tell(part, problem)
            problems.put(problem)

    with scripted_server(REFUSED, sends(http(200, revision(7)))) as server:

        def connect() -> Client:
            return Client(server.url, token=read_token(str(token)))

        with following(connect, Told()) as sink:
            assert "No such file" in problems.get(timeout=20), "told, and tried again"
            token.write_text("new")
            assert sink.get(timeout=20) == Revision(7, [])
    assert all(b"Bearer new" in request for request in server.requests)


def test_the_controller_reads_its_token_again() -> None:
    connections: list[Client] = []
    with scripted_server(REFUSED) as server:

        def connect() -> Client:
            connections.append(Client(server.url, token=f"token{len(connections)}"))
            return connections[-1]

        health = Health()
        api = KubernetesApi(Cluster("http://127.0.0.1:1"))
        controller = Controller(api, connect, "kubernetes", "default", health)
        controller.turn()
    assert "can't be written" in health.problems()["writing"]
    assert len(connections) == 2
