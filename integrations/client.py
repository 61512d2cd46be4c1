"""A client of Treadle's REST API that needs nothing but the standard library.

Every request has a deadline, which holds for all its attempts together. What may be tried again is:

- a request that can't have reached the server (no connection): three times more, within a second
  or so;
- one that was answered 503 by the API, which then has written nothing: as long as there is time;
- one that was lost on its way or whose answer was: only if doing it twice does no harm, which is
  so for ``GET``, ``PUT`` and ``DELETE``, and where the caller says `repeatable`. To make an object
  with a chosen id is such a call: made again, it is refused as :attr:`RefusedError.taken`.

Errors::

    ClientError
    ├── ClientSettingsError      URL, token or certificates can't be what is meant
    ├── UnreachableError         no answer
    ├── AnswerError              what answers isn't Treadle's API
    │   └── AnswerTooLargeError  it is longer than is read
    └── RefusedError             a problem document (RFC 9457)
        └── NotReachedError      committed, but what was waited for didn't come in time
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from integrations.deadline import Deadline, TimeLimitError
from integrations.http_exchange import (
    Address,
    Connection,
    HttpError,
    MalformedAnswerError,
    Response,
    TooLargeAnswerError,
    parse_url,
)

if TYPE_CHECKING:
    import ssl

PAGE = 1000
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_CONNECTION_ATTEMPTS = 4
_FIRST_PAUSE = 0.1
_TOKEN_LIMIT = 64 * 1024

Json = Any
"""What a JSON text stands for."""


class ClientError(Exception):
    """Base of all that a request can end with, but success."""


class ClientSettingsError(ClientError):
    """The settings can't be what is meant."""


class UnreachableError(ClientError):
    """No answer came; `sent` is whether the server may have done what was asked."""

    def __init__(self, reason: str, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent


class AnswerError(ClientError):
    """What was answered is nothing that the API answers."""


class AnswerTooLargeError(AnswerError):
    """What was answered is longer than is read. What was asked may have been done."""


class RefusedError(ClientError):
    """The API refused: `type` and `status` of the problem, its `errors` field by field."""

    def __init__(self, problem: Mapping[str, Json], status: int, retry_after: float | None) -> None:
        self.problem = problem
        self.type = _text(problem, "type").rpartition("/")[2]
        """The last part of the problem's type, such as ``taken``."""
        self.status = status
        self.retry_after = retry_after
        """Seconds after which to ask again, where the server says so."""
        self.errors = _errors(problem)
        super().__init__(_explain(problem, self.errors))

    @property
    def taken(self) -> bool:
        """Whether a name, an id or an address is another object's already."""
        return self.type == "taken"

    @property
    def missing(self) -> bool:
        """Whether nothing has that id or name."""
        return self.type == "not-found"


class NotReachedError(RefusedError):
    """The change is committed, as `revision`, but the wait for it ended."""

    @property
    def revision(self) -> int | None:
        revision = self.problem.get("revision")
        return revision if isinstance(revision, int) else None


class FieldProblem:
    """What is wrong with one field of a request."""

    def __init__(self, where: str, reason: str) -> None:
        self.where = where
        """A JSON pointer without ``#/``, or the name of a parameter; empty for the whole."""
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}" if self.where else self.reason


class Client:
    """A session with the API, as a context manager; not for several threads at once.

    `token` may not be sent to another host in plain text unless `plain_text` allows it.
    `authority` is a file of certificates that the server's is checked against; without it the
    system's are. Raises :class:`ClientSettingsError`.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        authority: str | None = None,
        project: str | None = None,
        plain_text: bool = False,
    ) -> None:
        try:
            self._address = parse_url(url)
        except ValueError as error:
            raise ClientSettingsError(str(error)) from None
        self.url = url
        self._project = project
        self._headers = {"Accept": "application/json", "User-Agent": "treadle-integration"}
        if token is not None:
            if not self._address.secure and not self._address.local and not plain_text:
                raise ClientSettingsError(
                    f"a token would go to {self._address.host} in plain text: use https"
                )
            self._headers["Authorization"] = f"Bearer {_checked_token(token)}"
        self._connection = Connection(self._address, _tls(self._address, authority))

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; another request opens it again."""
        self._connection.close()

    def get(self, path: str, deadline: Deadline, **query: str | int | None) -> Json:
        """Return the JSON object at `path`, which begins with ``/v1``."""
        return self.request("GET", path, deadline, query=query)

    def find(self, path: str, deadline: Deadline, **query: str | int | None) -> Json | None:
        """Return the JSON object at `path`, or None if there is none."""
        try:
            return self.get(path, deadline, **query)
        except RefusedError as error:
            if error.missing:
                return None
            raise

    def delete(self, path: str, deadline: Deadline, **query: str | int | None) -> bool:
        """Delete what is at `path`; return whether it was there."""
        try:
            self.request("DELETE", path, deadline, query=query)
        except RefusedError as error:
            if error.missing:
                return False
            raise
        return True

    def items(
        self, path: str, deadline: Deadline, query: Mapping[str, str | int | None] | None = None
    ) -> Iterator[dict[str, Json]]:
        """Yield all items of a list, which is read page by page, smaller ones of large items."""
        cursor = None
        limit = PAGE
        while True:
            asked = {**(query or {}), "limit": limit, "cursor": cursor}
            try:
                page = self.request("GET", path, deadline, query=asked)
            except AnswerTooLargeError:
                if limit == 1:
                    raise
                limit = max(1, limit // 8)
                continue
            try:
                yield from page["items"]
                cursor = page["next_cursor"]
            except (KeyError, TypeError):
                raise AnswerError(f"{path}: the answer is no list of the API") from None
            if cursor is None:
                return

    def request(
        self,
        method: str,
        path: str,
        deadline: Deadline,
        *,
        query: Mapping[str, str | int | None] | None = None,
        body: Json = None,
        repeatable: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        """Ask for something, and return the JSON that is answered (None for an empty answer).

        What is None in `query` is left out; with ``project`` None so is the client's project.
        Raises the errors above.
        """
        target = self._target(path, query or {})
        octets = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        more = {"Content-Type": "application/json"} if body is not None else {}
        sent = {**self._headers, **more, **(headers or {})}
        again = repeatable or method in _REPEATABLE
        unconnected = 0
        pause = _FIRST_PAUSE
        while True:
            kept = self._connection.used
            try:
                response = self._connection.exchange(method, target, sent, octets, deadline)
            except TooLargeAnswerError as error:
                raise AnswerTooLargeError(f"{self.url}: {error}") from None
            except MalformedAnswerError as error:
                raise AnswerError(f"{self.url}: {error}") from None
            except HttpError as error:
                if kept and again:
                    continue  # The server may have closed it for being idle: not its fault.
                unconnected += 1
                if (error.sent and not again) or unconnected >= _CONNECTION_ATTEMPTS:
                    raise UnreachableError(f"{self.url}: {error}", error.sent) from error
                failure: ClientError = UnreachableError(f"{self.url}: {error}", error.sent)
            else:
                refusal = _refusal(response)
                if refusal is None:
                    return _json(response, self.url)
                if refusal.type not in ("busy", "unavailable"):
                    raise refusal
                pause = max(pause, min(refusal.retry_after or 0.0, 5.0))
                failure = refusal
            wait = pause * _jitter()
            try:
                if deadline.left() <= wait:
                    raise failure
            except TimeLimitError:
                raise failure from None
            time.sleep(wait)
            pause = min(pause * 2, 2.0)

    def _target(self, path: str, query: Mapping[str, str | int | None]) -> str:
        given = {name: str(value) for name, value in query.items() if value is not None}
        if self._project is not None and "project" not in query:
            given["project"] = self._project
        return f"{path}?{urlencode(given)}" if given else path


def _jitter() -> float:
    """Return a factor around 1: many that were refused at once shouldn't come again at once."""
    import random  # of no use where all goes well, and slow to load

    return random.uniform(0.5, 1.5)  # noqa: S311 - no secret


def segment(text: str) -> str:
    """Return `text` as one segment of a path.

    >>> segment("a/b")
    'a%2Fb'
    """
    return quote(text, safe="")


def read_token(path: str) -> str:
    """Return the bearer token in a file; raise :class:`ClientSettingsError` if there is none."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib is slow to load
            octets = file.read(_TOKEN_LIMIT)
        return _checked_token(octets.decode("ascii").strip())
    except OSError as error:
        raise ClientSettingsError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ClientSettingsError(f"{path}: this is no token") from None


def _checked_token(token: str) -> str:
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ClientSettingsError("a token has printable ASCII characters only, and no spaces")
    return token


def _tls(address: Address, authority: str | None) -> "ssl.SSLContext | None":
    if not address.secure:
        return None
    import ssl  # it is slow to load, and most plugins ask on loopback or in their own network

    try:
        return ssl.create_default_context(cafile=authority)
    except OSError as error:
        name = authority or os.environ.get("SSL_CERT_FILE", "the system's certificates")
        raise ClientSettingsError(f"{name}: {error}") from None


def _json(response: Response, url: str) -> Json:
    if not response.body:
        return None
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError):
        raise AnswerError(f"{url}: the answer is no JSON") from None


def _refusal(response: Response) -> RefusedError | None:
    """Return what an answer refuses, or None for a success."""
    if 200 <= response.status < 300:
        return None
    problem: Json = None
    if response.headers.get("content-type", "").startswith("application/problem+json"):
        try:
            problem = json.loads(response.body)
        except (ValueError, RecursionError):
            problem = None
    if not isinstance(problem, dict):
        raise AnswerError(f"the server answered {response.status}, which is no answer of the API")
    kind = NotReachedError if response.status == 504 else RefusedError
    return kind(problem, response.status, _seconds(response.headers.get("retry-after")))


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdigit() else None


def _text(problem: Mapping[str, Json], name: str) -> str:
    value = problem.get(name)
    return value if isinstance(value, str) else ""


def _errors(problem: Mapping[str, Json]) -> list[FieldProblem]:
    errors = problem.get("errors")
    entries = errors if isinstance(errors, list) else []
    return [
        FieldProblem(
            (_text(entry, "pointer") or _text(entry, "parameter")).removeprefix("#").strip("/"),
            _text(entry, "reason"),
        )
        for entry in entries
        if isinstance(entry, dict)
    ]


def _explain(problem: Mapping[str, Json], errors: list[FieldProblem]) -> str:
    title, detail = _text(problem, "title"), _text(problem, "detail")
    if errors:
        return f"{title}: " + "; ".join(map(str, errors))
    return f"{title}: {detail}" if detail else title
