"""What changes in Treadle, revision by revision, in a thread of its own.

The feed asks for the next revision and waits until there is one. So ports of new pods are learned
of at once, and so is what others do to objects of ours.
"""

import logging
import queue
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from integrations.client import (
    AnswerTooLargeError,
    Client,
    ClientError,
    NotReachedError,
    RefusedError,
)
from integrations.deadline import Deadline, TimeLimitError

_LOG = logging.getLogger(__name__)
_WAIT_SECONDS = 20
_MARGIN = 15.0
_PAUSE = 1.0
_STOP_SECONDS = 0.2


class Revision(NamedTuple):
    """A revision of Treadle's intent; `changes` None means that all has to be read anew."""

    number: int
    changes: list[dict[str, Any]] | None


class Feed:
    """`tell` is called with what is wrong, and with "" once nothing is."""

    def __init__(
        self,
        connect: Callable[[], Client],
        sink: "queue.Queue[Any]",
        tell: Callable[[str, str], None],
    ) -> None:
        self._connect, self._sink, self._tell = connect, sink, tell
        self._next = 0
        self._is_moved = threading.Event()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def follow(self, revision: int) -> None:
        """Tell the revisions from this one on. May be called again, to go back or on."""
        with self._lock:
            self._next = revision
        if not self._thread.is_alive():
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def _run(self) -> None:
        client: Client | None = None
        while not self._stopping.is_set():
            try:
                client = client or self._connect()
                self._read_next(client)
            except (ClientError, TimeLimitError) as error:
                self._tell("Treadle", f"changes can't be followed: {error}")
                _LOG.warning("changes can't be followed: %s", error)
                if client is not None and is_token_refused(error):
                    client.close()
                    client = None  # the token's file may have another by now
                self._stopping.wait(_PAUSE)
            except Exception as error:
                self._tell("Treadle", f"fault: {error!r}")
                _LOG.exception("a fault of the feed")
                self._stopping.wait(_PAUSE)
        if client is not None:
            client.close()

    def _read_next(self, client: Client) -> None:
        with self._lock:
            number = self._next
        path = f"/v1/revisions/{number}"
        try:
            found = client.get(
                path, Deadline(_WAIT_SECONDS + _MARGIN), wait="translated", timeout=_WAIT_SECONDS
            )
        except NotReachedError:
            # Not committed yet; or it is, and translation is behind.
            found = self._find(client, path)
            if found is None and self._is_next(client, number):
                self._tell("Treadle", "")
                return
        except AnswerTooLargeError as error:
            _LOG.warning("a revision is too large to be followed, so all is read: %s", error)
            found = None
        except RefusedError as error:
            if not error.missing:
                raise
            found = None  # forgotten by now, or of a database that was replaced
        self._tell("Treadle", "")
        changes = found.get("changes") if found is not None else None
        with self._lock:
            if self._next != number:
                return
            self._next = number + 1
        self._put(Revision(number, changes if isinstance(changes, list) else None))

    @staticmethod
    def _find(client: Client, path: str) -> dict[str, Any] | None:
        found = client.find(path, Deadline(_MARGIN))
        return found if isinstance(found, dict) else None

    @staticmethod
    def _is_next(client: Client, number: int) -> bool:
        """Tell whether a revision that isn't there is the one that comes next, or was taken back.

        A server whose database was restored from an older copy goes back to its revision.
        """
        return int(client.get("/v1/status", Deadline(_MARGIN))["revision"]) >= number - 1

    def _put(self, item: Revision) -> None:
        while not self._stopping.is_set():
            try:
                self._sink.put(item, timeout=_STOP_SECONDS)
            except queue.Full:
                continue
            return


def is_token_refused(error: Exception) -> bool:
    """Tell whether the server doesn't take the token, which may have been replaced."""
    return isinstance(error, RefusedError) and error.status == 401
