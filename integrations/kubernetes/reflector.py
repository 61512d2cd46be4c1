"""All objects of one kind, kept up with by a list and a watch, in a thread of its own.

What the thread learns goes into a queue as :class:`Listed` and :class:`Seen`. The queue is bounded:
while its reader is behind, nothing more is read from the API. After ``410 Gone`` everything is
listed again; after any other trouble as well, later and later up to half a minute.
"""

import logging
import queue
import random
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from integrations.kubernetes.api import KubernetesApi
from integrations.kubernetes.errors import ApiError, GoneError
from integrations.kubernetes.watched import Kind

_LOG = logging.getLogger(__name__)
_LONGEST_PAUSE = 30.0
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
            try:
                self._follow()
                failures = 0
            except GoneError as error:
                _LOG.info("%s: listing again: %s", self._kind.name, error)
                failures = 0
            except ApiError as error:
                if error.status == 404 and self._kind.is_optional:
                    self._put(Listed(self._kind.name, []))
                    self._tell(self._kind.name, "")
                    self._stopping.wait(_ABSENT_SECONDS)
                    continue
                failures += 1
                self._tell(self._kind.name, str(error))
                _LOG.warning("%s: %s", self._kind.name, error)
                pause = min(_LONGEST_PAUSE, 0.25 * 2 ** min(failures, 10))
                self._stopping.wait(pause * random.uniform(0.5, 1))  # noqa: S311 - no secret
            except Exception as error:
                # A fault of our own: this kind would silently stay as it was.
                failures += 1
                self._tell(self._kind.name, f"fault: {error!r}")
                _LOG.exception("%s: a fault", self._kind.name)
                self._stopping.wait(_LONGEST_PAUSE)

    def _follow(self) -> None:
        """List, then watch until a watch is refused."""
        values, version = self._api.read_all(self._kind.path)
        self._put(Listed(self._kind.name, values))
        self._tell(self._kind.name, "")
        while not self._stopping.is_set():
            for event, value in self._api.watch(self._kind.path, version):
                if self._stopping.is_set():
                    return
                meta = value.get("metadata")
                version = str((meta if isinstance(meta, dict) else {}).get("resourceVersion", ""))
                if event != "BOOKMARK":
                    self._put(Seen(self._kind.name, value, event == "DELETED"))

    def _put(self, item: Listed | Seen) -> None:
        while not self._stopping.is_set():
            try:
                self._sink.put(item, timeout=_STOP_SECONDS)
            except queue.Full:
                continue
            return
