"""All objects of one kind, kept up with by a list and a watch, in a thread of its own.

What the thread learns goes into a queue as :class:`Listed` and :class:`Seen`. The queue is bounded:
while its reader is behind, nothing more is read from the API. After ``410 Gone`` everything is
listed again, and so it is after any other trouble, later and later up to half a minute.
"""

import logging
import queue
import random
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from integrations.kubernetes.api import KubernetesApi, version_of
from integrations.kubernetes.errors import ApiError, GoneError
from integrations.kubernetes.watched import Kind

_LOG = logging.getLogger(__name__)
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 30.0
_SETTLED_SECONDS = 60.0
"""Without trouble, after which the next trouble counts as the first."""
_SHORTEST_WATCH = 1.0
_ABSENT_SECONDS = 60.0
"""After which it is looked again whether a kind that a cluster may lack is there."""
_STOP_SECONDS = 0.2


class Listed(NamedTuple):
    """All objects of a kind that there are."""

    kind: str
    values: list[dict[str, Any]]


class Seen(NamedTuple):
    """An object as it is now, or was when it went."""

    kind: str
    value: dict[str, Any]
    is_gone: bool


class Reflector:
    """`tell` is called with what is wrong, by the name of the kind; with "" once nothing is."""

    def __init__(
        self,
        api: KubernetesApi,
        kind: Kind,
        sink: "queue.Queue[Any]",
        tell: Callable[[str, str], None],
    ) -> None:
        self._api, self._kind, self._sink, self._tell = api, kind, sink, tell
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=kind.name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Have the thread end at its next event; it doesn't keep the process from ending."""
        self._stopping.set()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._follow()
                return
            except GoneError as error:
                _LOG.info("%s: listing again: %s", self._kind.name, error)
            except ApiError as error:
                if error.status == 404 and self._kind.is_optional:
                    self._put(Listed(self._kind.name, []))
                    self._tell(self._kind.name, "")
                    self._stopping.wait(_ABSENT_SECONDS)
                    continue
                self._tell(self._kind.name, str(error))
                _LOG.warning("%s: %s", self._kind.name, error)
            except Exception as error:
                # A fault of our own: this kind would silently stay as it was.
                self._tell(self._kind.name, f"fault: {error!r}")
                _LOG.exception("%s: a fault", self._kind.name)
            if time.monotonic() - began >= _SETTLED_SECONDS:
                failures = 0
            failures += 1
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(failures, 10))
            self._stopping.wait(pause * random.uniform(0.5, 1))  # noqa: S311 - no secret

    def _follow(self) -> None:
        """List, then watch until a watch is refused. Returns only to stop."""
        values, version = self._api.read_all(self._kind.path)
        self._put(Listed(self._kind.name, values))
        self._tell(self._kind.name, "")
        while not self._stopping.is_set():
            began = time.monotonic()
            for event, value in self._api.watch(self._kind.path, version):
                if self._stopping.is_set():
                    return
                version = version_of(value)
                if event != "BOOKMARK":
                    self._put(Seen(self._kind.name, value, event == "DELETED"))
            if time.monotonic() - began < _SHORTEST_WATCH:
                # Not by its time: something on the way ends watches, and would be asked endlessly.
                self._stopping.wait(_SHORTEST_WATCH)

    def _put(self, item: Listed | Seen) -> None:
        while not self._stopping.is_set():
            try:
                self._sink.put(item, timeout=_STOP_SECONDS)
            except queue.Full:
                continue
            return
