"""How commands ask a running server over its REST API.

The server's address and the token come from options or from ``TREADLE_URL``,
``TREADLE_TOKEN`` and ``TREADLE_TOKEN_FILE``. A refusal ends the command with the
problem's own words.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import ExitCode, UnexpectedAnswerError, fail

if TYPE_CHECKING:
    import ssl

    import httpx

DEFAULT_PORT = 6680
DEFAULT_URL = f"http://127.0.0.1:{DEFAULT_PORT}"
FORBIDDEN = 403
PAGE = 1000

Url = Annotated[
    str, typer.Option("--url", envvar="TREADLE_URL", help="Address of the server's API.")
]
Token = Annotated[str | None, typer.Option("--token", envvar="TREADLE_TOKEN", help="Bearer token.")]
Project = Annotated[
    str | None,
    typer.Option(
        "--project", envvar="TREADLE_PROJECT", help="The project that names and objects are of."
    ),
]
TokenFile = Annotated[
    Path | None,
    typer.Option("--token-file", envvar="TREADLE_TOKEN_FILE", help="File with the bearer token."),
]


def _trusted() -> "ssl.SSLContext":
    """The system's authorities, or those in ``SSL_CERT_FILE``; not a list that came with Python."""
    import ssl

    try:
        return ssl.create_default_context()
    except OSError as error:
        fail(f"SSL_CERT_FILE {os.environ.get('SSL_CERT_FILE')}: {error}", ExitCode.USAGE)


class Answer(dict[str, Any]):
    """A JSON object of a server; what is missing in it is the server's fault."""

    def __missing__(self, key: str) -> Any:
        raise UnexpectedAnswerError(f"there is no {key!r}")


class Client:
    """A session with the API, as a context manager."""

    def __init__(self, url: str, token: str | None, token_file: Path | None) -> None:
        import httpx

        self._url = _checked(url).rstrip("/")
        self._http = httpx.Client(
            base_url=self._url,
            headers=_authorization(token, token_file),
            timeout=httpx.Timeout(30.0, read=None),
            verify=_trusted() if self._url.startswith("https:") else True,
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        media_type: str = "application/json",
    ) -> "httpx.Response":
        """Ask, and come back only with a success."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        headers = {"Content-Type": media_type} if body is not None else {}
        response = self._answer(method, path, params=given, content=body, headers=headers)
        if response.is_error:
            _refuse(response)
        return response

    def may_read(self, path: str) -> bool:
        """Tell whether the token is good for `path`; one of a single project isn't for all."""
        return self._answer("GET", path, params={"limit": 1}).status_code != FORBIDDEN

    def _answer(self, method: str, path: str, **request: Any) -> "httpx.Response":
        """What the server answers, or the end of the command where it doesn't."""
        import httpx

        try:
            return self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            fail(f"no answer from {self._url}: {error}", ExitCode.UNREACHABLE)

    def document(self, method: str, path: str, **request: Any) -> Any:
        """Ask as :meth:`request` does, and return the JSON object of the answer."""
        response = self.request(method, path, **request)
        try:
            document = response.json(object_hook=Answer)
        except ValueError:
            document = None
        if not isinstance(document, Answer):
            raise UnexpectedAnswerError("no JSON object")
        return document

    def get(self, path: str, **query: Any) -> Any:
        """The JSON object at `path`."""
        return self.document("GET", path, query=query)

    def items(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """All items of a list, page by page."""
        cursor = None
        while True:
            page = self.get(path, limit=PAGE, cursor=cursor, **query)
            for item in page["items"]:
                if not isinstance(item, Answer):
                    raise UnexpectedAnswerError("items are no objects")
                yield item
            cursor = page["next_cursor"]
            if cursor is None:
                return


def _checked(url: str) -> str:
    """The URL if it can be one of a server, or the end of the command."""
    from urllib.parse import urlsplit

    import httpx

    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for what is no port
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL) as error:
        fail(f"{url!r} is no URL: {error}", ExitCode.USAGE)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        fail(f"{url!r} is no URL of a server, such as {DEFAULT_URL}", ExitCode.USAGE)
    return url


def _authorization(token: str | None, token_file: Path | None) -> dict[str, str]:
    if token is not None and token_file is not None:
        fail("give --token or --token-file, not both", ExitCode.USAGE)
    if token_file is not None:
        try:
            token = token_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            fail(f"{token_file}: {error.strerror}", ExitCode.USAGE)
        except UnicodeDecodeError:
            fail(f"{token_file}: this is no text", ExitCode.USAGE)
    if not token:
        return {}
    if not token.isascii() or not token.isprintable() or " " in token:
        fail("a token has printable ASCII characters only, and no spaces", ExitCode.USAGE)
    return {"Authorization": f"Bearer {token}"}


def _refuse(response: "httpx.Response") -> None:
    """End the command with what the problem document says."""
    code = ExitCode.NOT_REACHED if response.status_code == 504 else ExitCode.REFUSED
    try:
        if not response.headers.get("Content-Type", "").startswith("application/problem+json"):
            raise ValueError("not a problem document")
        lines = problem_lines(response.json())
    except (ValueError, KeyError, TypeError, AttributeError):
        fail(f"the server answered {response.status_code} {response.reason_phrase}", code)
    fail("\n".join(lines), code)


def problem_lines(problem: Mapping[str, Any]) -> list[str]:
    """A problem document in words: what is wrong, and a line or more for each field."""
    errors = problem.get("errors", ())
    lines = [problem["title"] if errors else f"{problem['title']}: {problem['detail']}"]
    for error in errors:
        pointer = error.get("pointer", error.get("parameter", "")).removeprefix("#")
        where = pointer.removeprefix("/").replace("/", ".")
        lines.append(f"  {where}: {error['reason']}" if where else f"  {error['reason']}")
        lines.extend(f"    {line}" for line in error.get("caret", "").splitlines())
    return lines
