"""How a cluster's API is asked again that doesn't let itself be followed."""

import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from integrations.kubernetes import reflector as reflectors
from integrations.kubernetes.api import Cluster, KubernetesApi
from integrations.kubernetes.errors import ApiError, GoneError
from integrations.kubernetes.health import Health
from integrations.kubernetes.reflector import Reflector
from integrations.kubernetes.watched import KINDS

Event = tuple[str, dict[str, Any]]


class Api(KubernetesApi):
    """Lists nothing, and ends each watch as a test says."""

    def __init__(self, *events: Event, error: ApiError | None = None) -> None:
        super().__init__(Cluster("http://127.0.0.1:1"))
        self.lists = 0
        self.versions: list[str] = []
        self._events, self._error = events, error

    def read_all(self, path: str) -> tuple[list[dict[str, Any]], str]:
        self.lists += 1
        return [], "1"

    def watch(self, path: str, version: str) -> Iterator[Event]:
        self.versions.append(version)
        yield from self._events
        if self._error is not None:
            raise self._error


class Pauses(threading.Event):
    """Set after some pauses, which are noted and not waited for."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.seconds: list[float] = []
        self._most = most

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout or 0)
        if len(self.seconds) == self._most:
            self.set()
        return self.is_set()


def pauses(api: Api, monkeypatch: pytest.MonkeyPatch, most: int = 8) -> tuple[Health, list[float]]:
    health = Health()
    reflector = Reflector(api, KINDS["Pod"], queue.Queue(), health.tell)
    stopping = Pauses(most)
    monkeypatch.setattr(reflector, "_stopping", stopping)
    monkeypatch.setattr("random.uniform", lambda least, most: most)
    reflector._run()
    return health, stopping.seconds


def test_an_api_that_keeps_no_history_is_asked_less_and_less(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    api = Api(error=GoneError("too old", 410))
    _, seconds = pauses(api, monkeypatch)
    assert seconds == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert api.lists == 8


def test_a_watch_that_ends_at_once_is_begun_again_a_little_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bookmark = ("BOOKMARK", {"metadata": {"resourceVersion": "5"}})
    api = Api(bookmark)
    _, seconds = pauses(api, monkeypatch, 3)
    assert seconds == [1, 1, 1]
    assert api.lists == 1
    assert api.versions == ["1", "5", "5"]


def test_trouble_after_a_long_time_counts_as_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reflectors, "_SETTLED_SECONDS", 0.0)
    _, seconds = pauses(Api(error=ApiError("closed")), monkeypatch)
    assert seconds == [0.5] * 8


@pytest.mark.parametrize("value", [{}, {"metadata": []}, {"metadata": {"resourceVersion": 7}}])
def test_an_event_without_a_version_is_trouble(
    monkeypatch: pytest.MonkeyPatch, value: dict[str, Any]
) -> None:
    """To watch from no version is to miss what went before."""
    api = Api(("MODIFIED", value))
    health, _ = pauses(api, monkeypatch, 2)
    assert "resourceVersion" in health.problems()["Pod"]
    assert set(api.versions) == {"1"}
