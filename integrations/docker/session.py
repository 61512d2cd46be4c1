"""One call's conversation with Treadle's server, within the call's deadline."""

import queue
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from integrations.client import Client, Json, NotReachedError
from integrations.deadline import Deadline

Operation = dict[str, Any]
_WAIT_MARGIN = 1.0
"""Seconds before the deadline at which the server is to give up a wait, so that it says so."""


class Session:
    """What the driver asks of the API, all of it in one project's eyes."""

    def __init__(self, client: Client, deadline: Deadline) -> None:
        self._client = client
        self.deadline = deadline

    def until(self, deadline: Deadline) -> "Session":
        """The same conversation with another deadline, to undo what this one's ended."""
        return Session(self._client, deadline)

    def find(self, path: str, project: str | None = None) -> dict[str, Json] | None:
        """Return the object at a path, by its name in `project` or by its id; None if none is."""
        found = self._client.find(path, self.deadline, project=project)
        return None if found is None else dict(found)

    def items(self, path: str, query: Mapping[str, str | int | None]) -> Iterator[dict[str, Json]]:
        """Yield all items of a list."""
        return self._client.items(path, self.deadline, query)

    def change(
        self, operations: Sequence[Operation], project: str, *, up: bool = False
    ) -> list[dict[str, Json]]:
        """Do all operations, or none; return what each of them left.

        With `up` this waits until the ports among them are up.

        Ids are chosen, so that a change that was made already is refused when it is made again.
        Raises :class:`integrations.client.NotReachedError` where it is made, but not up in time.
        """
        query: dict[str, str | int | None] = {"project": project}
        if up:
            query["wait"] = "up"
            query["timeout"] = max(1, int(self.deadline.left() - _WAIT_MARGIN))
        done = self._client.request(
            "POST",
            "/v1/transactions",
            self.deadline,
            query=query,
            body={"operations": list(operations)},
            repeatable=True,
        )
        return list(done["results"])

    def delete(self, path: str) -> bool:
        """Delete an object that is named by its id; return whether it was there."""
        return self._client.delete(path, self.deadline)


class Sessions:
    """Makes sessions; connections to the server are kept for later ones."""

    def __init__(
        self,
        url: str,
        token: str | None,
        authority: str | None,
        *,
        plain_text: bool,
        seconds: float,
    ) -> None:
        """`seconds` is what one call may take. Raises ``ClientSettingsError``."""
        self.seconds = seconds
        self._idle: queue.LifoQueue[Client] = queue.LifoQueue()
        self._url = url
        self._token = token
        self._authority = authority
        self._plain_text = plain_text
        self._idle.put(self._make())

    def _make(self) -> Client:
        return Client(
            self._url, token=self._token, authority=self._authority, plain_text=self._plain_text
        )

    @contextmanager
    def open(self, seconds: float | None = None) -> Iterator[Session]:
        """A session for one call, which may take `seconds`."""
        try:
            client = self._idle.get_nowait()
        except queue.Empty:
            client = self._make()
        try:
            yield Session(client, Deadline(self.seconds if seconds is None else seconds))
        finally:
            self._idle.put(client)

    def close(self) -> None:
        """Close the connections that no session uses."""
        while True:
            try:
                self._idle.get_nowait().close()
            except queue.Empty:
                return


__all__ = ["NotReachedError", "Operation", "Session", "Sessions"]
