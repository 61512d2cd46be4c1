"""How commands ask a running server over its REST API.

The server's address and the token come from options or from ``TREADLE_URL``,
``TREADLE_TOKEN`` and ``TREADLE_TOKEN_FILE``. A refusal ends the command with the
problem's own words.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import ExitCode, fail

if TYPE_CHECKING:
    import ssl

    import httpx

DEFAULT_PORT = 6680
DEFAULT_URL = f"http://127.0.0.1:{DEFAULT_PORT}"
PAGE = 1000

Url = Annotated[
    str, typer.Option("--url", envvar="TREADLE_URL", help="Address of the server's API.")
]
Token = Annotated[str | None, typer.Option("--token", envvar="TREADLE_TOKEN", help="Bearer token.")]
TokenFile = Annotated[
    Path | None,
    typer.Option("--token-file", envvar="TREADLE_TOKEN_FILE", help="File with the bearer token."),
]


def _trusted() -> "ssl.SSLContext":
    """The system's authorities, or those in ``SSL_CERT_FILE``; not a list that came with Python."""
    import ssl

    return ssl.create_default_context()


class Client:
    """A session with the API, as a context manager."""

    def __init__(self, url: str, token: str | None, token_file: Path | None) -> None:
        import httpx

        self._url = url.rstrip("/")
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
        import httpx

        given = {name: value for name, value in (query or {}).items() if value is not None}
        headers = {"Content-Type": media_type} if body is not None else {}
        try:
            response = self._http.request(method, path, params=given, content=body, headers=headers)
        except httpx.HTTPError as error:
            fail(f"no answer from {self._url}: {error}", ExitCode.UNREACHABLE)
        if response.is_error:
            _refuse(response)
        return response

    def get(self, path: str, **query: Any) -> Any:
        """The JSON document at `path`."""
        return self.request("GET", path, query=query).json()

    def items(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """All items of a list, page by page."""
        cursor = None
        while True:
            page = self.get(path, limit=PAGE, cursor=cursor, **query)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return


def _authorization(token: str | None, token_file: Path | None) -> dict[str, str]:
    if token is not None and token_file is not None:
        fail("give --token or --token-file, not both", ExitCode.USAGE)
    if token_file is not None:
        try:
            token = token_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            fail(f"{token_file}: {error.strerror}", ExitCode.USAGE)
    return {"Authorization": f"Bearer {token}"} if token else {}


def _refuse(response: "httpx.Response") -> None:
    """End the command with what the problem document says."""
    code = ExitCode.NOT_REACHED if response.status_code == 504 else ExitCode.REFUSED
    if not response.headers.get("Content-Type", "").startswith("application/problem+json"):
        fail(f"the server answered {response.status_code} {response.reason_phrase}", code)
    fail("\n".join(problem_lines(response.json())), code)


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
