"""A client of the Kubernetes API, for lists, watches and events; standard library only.

What is read is bounded: the bytes of one answer, of one object of a watch, and the time without
any. The token is read from its file for each connection, as clusters replace it every hour.
"""

import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from integrations.client import ClientSettingsError, read_token
from integrations.http_exchange import Address, parse_url
from integrations.kubernetes.errors import ApiError, GoneError, SettingsError

Json = dict[str, Any]

PAGE: Final = 500
"""Objects of a list that are asked for at once."""
MAXIMUM_OBJECTS: Final = 1_000_000
"""Objects of one kind; a cluster has 150,000 pods at most."""
LONGEST_ANSWER: Final = 256 * 1024 * 1024
LONGEST_EVENT: Final = 8 * 1024 * 1024
"""Bytes of one object; what etcd takes is a fifth of it."""
SECONDS: Final = 30.0
"""Without an answer, or a part of one."""
WATCH_SECONDS: Final = 300
"""After which a watch is begun anew."""
_SILENCE: Final = 330.0
"""Seconds without an event or a bookmark after which a watch is given up."""


@dataclass(frozen=True)
class Cluster:
    """Where a cluster's API is, and how to get in."""

    server: str
    token_file: str | None = None
    authority: str | None = None
    """A file with the certificates that the server's is checked against."""

    def address(self) -> Address:
        """Return where the API is. Raises SettingsError."""
        try:
            address = parse_url(self.server)
        except ValueError as error:
            raise SettingsError(f"kubernetes_server: {error}") from None
        if self.token_file is not None and not address.secure and not address.local:
            raise SettingsError(
                f"kubernetes_server: a token would go to {address.host} in plain text: use https"
            )
        return address

    def connect(self, seconds: float) -> http.client.HTTPConnection:
        """Return a connection that isn't open yet. Raises SettingsError."""
        address = self.address()
        if not address.secure:
            return http.client.HTTPConnection(address.host, address.port, timeout=seconds)
        try:
            context = ssl.create_default_context(cafile=self.authority)
        except OSError as error:
            raise SettingsError(f"kubernetes_ca: {self.authority}: {error}") from None
        return http.client.HTTPSConnection(
            address.host, address.port, timeout=seconds, context=context
        )

    def headers(self) -> dict[str, str]:
        """Return what goes with each request. Raises ApiError if the token can't be read."""
        headers = {"Accept": "application/json", "User-Agent": "treadle-kube-controller"}
        if self.token_file is not None:
            try:
                headers["Authorization"] = f"Bearer {read_token(self.token_file)}"
            except ClientSettingsError as error:
                raise ApiError(str(error)) from None
        return headers


class KubernetesApi:
    """Requests to one cluster; each has a connection of its own, so that threads may share it.

    All raise :class:`ApiError`.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._prefix = cluster.address().path

    def read_all(self, path: str) -> tuple[list[Json], str]:
        """Return all objects of a list, page by page, and the version to watch from."""
        items: list[Json] = []
        token = ""
        while True:
            query = {"limit": str(PAGE), **({"continue": token} if token else {})}
            page = self._request("GET", f"{path}?{urlencode(query)}")
            listed, meta = page.get("items"), page.get("metadata")
            if not isinstance(listed, list | None) or not isinstance(meta, dict):
                raise ApiError(f"{path}: what answers is no list of the Kubernetes API")
            for each in listed or ():
                if not isinstance(each, dict):
                    raise ApiError(f"{path}: what is listed is no object")
                items.append(each)
            if len(items) > MAXIMUM_OBJECTS:
                raise ApiError(f"{path}: more than {MAXIMUM_OBJECTS} objects")
            token = str(meta.get("continue") or "")
            if not token:
                return items, version_of(page)
            if not listed:
                raise ApiError(f"{path}: a page without objects, and more after it")

    def watch(self, path: str, version: str) -> Iterator[tuple[str, Json]]:
        """Yield type and object of each event from a version on, until the server ends it.

        Raises GoneError if the version is too old.
        """
        query = {
            "watch": "1",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        connection = self._cluster.connect(_SILENCE)
        try:
            target = f"{self._prefix}{path}?{urlencode(query)}"
            connection.request("GET", target, headers=self._cluster.headers())
            response = connection.getresponse()
            if response.status != 200:
                raise _refusal(path, response.status, response.read(64 * 1024))
            while line := response.readline(LONGEST_EVENT + 1):
                if len(line) > LONGEST_EVENT:
                    raise ApiError(f"{path}: an event of more than {LONGEST_EVENT} bytes")
                if line.strip():
                    yield _event(path, line)
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(f"{path}: {error or type(error).__name__}") from error
        finally:
            connection.close()

    def create(self, path: str, value: Mapping[str, Any], seconds: float = SECONDS) -> None:
        """Create an object."""
        self._request("POST", path, value, seconds)

    def _request(
        self,
        method: str,
        path: str,
        value: Mapping[str, Any] | None = None,
        seconds: float = SECONDS,
    ) -> Json:
        connection = self._cluster.connect(seconds)
        headers = self._cluster.headers()
        body = None
        if value is not None:
            body = json.dumps(value).encode()
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, f"{self._prefix}{path}", body, headers)
            response = connection.getresponse()
            text = response.read(LONGEST_ANSWER + 1)
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(f"{path}: {error or type(error).__name__}") from error
        finally:
            connection.close()
        if not 200 <= response.status < 300:
            raise _refusal(path, response.status, text)
        if len(text) > LONGEST_ANSWER:
            raise ApiError(f"{path}: an answer of more than {LONGEST_ANSWER} bytes")
        return _parsed(path, text)


def version_of(value: Mapping[str, Any]) -> str:
    """Return the version to watch from after a list or an event. Raises ApiError.

    A watch from no version begins anywhere: ends of objects before it would never be told.
    """
    meta = value.get("metadata")
    version = meta.get("resourceVersion") if isinstance(meta, dict) else None
    if not isinstance(version, str) or not version:
        raise ApiError("what was answered has no resourceVersion")
    return version


def _parsed(path: str, text: bytes) -> Json:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise ApiError(f"{path}: the answer is no JSON") from None
    if not isinstance(value, dict):
        raise ApiError(f"{path}: the answer is no object")
    return value


def _event(path: str, line: bytes) -> tuple[str, Json]:
    event = _parsed(path, line)
    kind, value = event.get("type"), event.get("object")
    if not isinstance(kind, str) or not isinstance(value, dict):
        raise ApiError(f"{path}: what was sent is no event")
    if kind == "ERROR":
        code = value.get("code")
        message = f"{path}: {str(value.get('message'))[:200]}"
        raise GoneError(message, 410) if code == 410 else ApiError(message)
    return kind, value


def _refusal(path: str, status: int, text: bytes) -> ApiError:
    """Return the error for an answer that is none of success."""
    try:
        message = _parsed(path, text).get("message")
    except ApiError:
        message = None
    told = f"{path}: {status} {str(message or '')[:200]}".rstrip()
    return GoneError(told, status) if status == 410 else ApiError(told, status)
