"""A small fake of the Kubernetes API server, for what watches a cluster.

It serves what :class:`~tests.compat.kubernetes_objects.ObjectStore` holds over HTTP on
loopback: discovery, list (selectors, ``limit`` and ``continue``), get, create, update, merge
patch and JSON patch, the ``status`` subresource, delete, and watch with resource versions,
bookmarks and ``410 Gone``. Faults are at a test's command: :meth:`FakeKubernetes.compact`,
:meth:`~FakeKubernetes.drop_watches`, :meth:`~FakeKubernetes.refuse`.

    with FakeKubernetes() as cluster:
        cluster.create("pods", {"metadata": {"name": "web", "namespace": "default"}})
        requests.get(f"{cluster.url}/api/v1/pods")

``python -m tests.compat.fake_kubernetes PORT`` serves an empty one until it is ended.
"""

import base64
import json
import re
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import yaml

from tests.compat.kubernetes_objects import ObjectStore, Resource, events
from tests.compat.kubernetes_requests import Json, StatusError, field_filter, label_filter

BOOKMARK_SECONDS = 1.0
"""How often watches that asked for bookmarks get one while nothing changes."""

_PATH = re.compile(
    r"/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+)/(?P<version>[^/]+))"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/(?!status$)))?"
    r"/(?P<plural>[^/]+)(?:/(?P<name>[^/]+))?(?P<status>/status)?"
)


class FakeKubernetes:
    """The API server of one cluster, on a port of loopback of its own.

    With `token` every request has to bear it. `listen` is another address than loopback's, for
    clients in a network namespace of a test. With `tls`, the files of a certificate and its
    key, it speaks HTTPS.
    """

    def __init__(
        self,
        *,
        token: str = "",
        listen: tuple[str, int] = ("127.0.0.1", 0),
        tls: tuple[str, str] | None = None,
    ) -> None:
        self.store = ObjectStore()
        self.token = token
        self.requests: list[tuple[str, str]] = []
        """Method and path with query of each request, in order."""
        self._refusal: StatusError | None = None
        self._watch_epoch = 0
        self._ending = False
        handler = type("Handler", (_Handler,), {"cluster": self})
        self._server = _Server(listen, handler)
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        host, port = self._server.server_address[:2]
        self.url = f"{'http' if tls is None else 'https'}://{host!s}:{port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._ending = True
        self.drop_watches()
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()
        self._server.server_close()

    def create(self, plural: str, value: Json) -> Json:
        """Create an object in the namespace that its metadata name."""
        return self.store.create(self._resource(plural), _namespace(value), value)

    def merge(self, plural: str, name: str, patch: Json, namespace: str = "default") -> Json:
        """Change an object by a merge patch; its status too, subresource or not."""
        resource = self._resource(plural)
        where = (resource, namespace if resource.namespaced else "", name)
        done = self.store.get(*where)
        if set(patch) - {"status"}:
            done = self.store.merge(*where, patch)
        if "status" in patch:
            done = self.store.merge(*where, patch, status=True)
        return done

    def delete(self, plural: str, name: str, namespace: str = "default") -> Json:
        resource = self._resource(plural)
        return self.store.delete(resource, namespace if resource.namespaced else "", name)

    def get(self, plural: str, name: str, namespace: str = "default") -> Json:
        resource = self._resource(plural)
        return self.store.get(resource, namespace if resource.namespaced else "", name)

    def list(self, plural: str, namespace: str = "") -> list[Json]:
        return self.store.list(self._resource(plural), namespace)

    def register(self, resource: Resource) -> None:
        self.store.register(resource)

    def compact(self) -> None:
        """Forget history, and end all watches: who comes back with an old version gets 410."""
        self.store.compact()
        self.drop_watches()

    def drop_watches(self) -> None:
        """End all watches, as an API server does every few minutes."""
        with self.store.changed:
            self._watch_epoch += 1
            self.store.changed.notify_all()

    def refuse(self, code: int = 0, reason: str = "InternalError") -> None:
        """Answer every request with that status from now on; with 0, serve again."""
        self._refusal = StatusError(code, reason, "the test says so") if code else None

    def _resource(self, plural: str) -> Resource:
        return self.store.named(plural)


class _Server(ThreadingHTTPServer):
    """Remembers its connections: those that clients keep open must not hold up the end."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, *arguments: Any) -> None:
        self._connections: set[socket.socket] = set()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # it has ended by itself
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    cluster: FakeKubernetes
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Say nothing: tests have :attr:`FakeKubernetes.requests`."""

    def do_GET(self) -> None:
        self._answer(self._read)

    def do_POST(self) -> None:
        self._answer(self._create)

    def do_PUT(self) -> None:
        self._answer(self._update)

    def do_PATCH(self) -> None:
        self._answer(self._patch)

    def do_DELETE(self) -> None:
        self._answer(self._delete)

    def _answer(self, work: Callable[[], tuple[int, Json] | None]) -> None:
        self._url = urlsplit(self.path)
        self._query = {key: values[-1] for key, values in parse_qs(self._url.query).items()}
        length = int(self.headers.get("Content-Length") or 0)
        self._body = self.rfile.read(length)
        self.cluster.requests.append((self.command, self.path))
        try:
            self._check()
            answer = work()
        except StatusError as error:
            answer = error.code, error.status()
        if answer is None:
            return
        code, value = answer
        text = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _check(self) -> None:
        refusal = self.cluster._refusal
        if refusal is not None:
            raise refusal
        token = self.cluster.token
        if token and self.headers.get("Authorization") != f"Bearer {token}":
            raise StatusError(401, "Unauthorized", "Unauthorized")

    def _read(self) -> tuple[int, Json] | None:
        if (known := self._discovery()) is not None:
            return 200, known
        resource, namespace, name, _ = self._target()
        if name:
            return 200, self.cluster.store.get(resource, namespace, name)
        if self._query.get("watch", "") in ("1", "true"):
            return self._watch(resource, namespace)
        return 200, self._list(resource, namespace)

    def _create(self) -> tuple[int, Json]:
        resource, namespace, _, _ = self._target()
        return 201, self.cluster.store.create(resource, namespace, self._json())

    def _update(self) -> tuple[int, Json]:
        resource, namespace, name, status = self._target()
        value = self._json()
        return 200, self.cluster.store.update(resource, namespace, name, value, status=status)

    def _patch(self) -> tuple[int, Json]:
        resource, namespace, name, status = self._target()
        kind = (self.headers.get("Content-Type") or "").partition(";")[0].strip()
        where = (resource, namespace, name)
        if kind == "application/json-patch+json":
            return 200, self.cluster.store.patch(*where, self._parsed(), status=status)
        if kind == "application/merge-patch+json":
            return 200, self.cluster.store.merge(*where, self._json(), status=status)
        raise StatusError(
            *(415, "UnsupportedMediaType"),
            f"the body of the request was in an unknown format: {kind}",
        )

    def _delete(self) -> tuple[int, Json]:
        resource, namespace, name, _ = self._target()
        if not name:
            for each in self.cluster.store.list(resource, namespace):
                meta = each["metadata"]
                self.cluster.store.delete(resource, meta.get("namespace", ""), meta["name"])
            return 200, {"kind": "Status", "apiVersion": "v1", "status": "Success"}
        return 200, self.cluster.store.delete(resource, namespace, name)

    def _target(self) -> tuple[Resource, str, str, bool]:
        parts = _PATH.fullmatch(self._url.path.rstrip("/"))
        if parts is not None:
            group, version = parts["group"] or "", parts["core"] or parts["version"]
            resource = self.cluster.store.resources.get((group, version, parts["plural"]))
            namespace = parts["namespace"] or ""
            if resource is not None and (resource.namespaced or not namespace):
                is_alone = parts["name"] is not None or self.command == "POST"
                if not (is_alone and resource.namespaced and not namespace):
                    return resource, namespace, parts["name"] or "", bool(parts["status"])
        raise StatusError(404, "NotFound", "the server could not find the requested resource")

    def _parsed(self) -> Any:
        is_yaml = "yaml" in (self.headers.get("Content-Type") or "")
        try:
            return yaml.safe_load(self._body) if is_yaml else json.loads(self._body)
        except (ValueError, yaml.YAMLError) as error:
            raise StatusError(400, "BadRequest", f"can't be read: {error}") from None

    def _json(self) -> Json:
        value = self._parsed()
        if not isinstance(value, dict):
            raise StatusError(400, "BadRequest", "an object has to be a JSON object")
        return value

    def _fits(self, namespace: str) -> Callable[[Json], bool]:
        labels = label_filter(self._query.get("labelSelector", ""))
        fields = field_filter(self._query.get("fieldSelector", ""))
        return lambda each: (
            (not namespace or each["metadata"].get("namespace") == namespace)
            and labels(each)
            and fields(each)
        )

    def _list(self, resource: Resource, namespace: str) -> Json:
        store = self.cluster.store
        with store.changed:
            found = list(filter(self._fits(namespace), store.list(resource, namespace)))
            revision = str(store.revision)
            compacted = store.compacted
        if token := self._query.get("continue", ""):
            revision, _, start = base64.b64decode(token).decode().partition("/")
            if int(revision) < compacted:
                raise StatusError(410, "Expired", "the provided continue parameter is too old")
            found = [each for each in found if _place(each) > start]
        meta: Json = {"resourceVersion": revision}
        limit = int(self._query.get("limit") or 0)
        if limit and len(found) > limit:
            meta["remainingItemCount"] = len(found) - limit
            found = found[:limit]
            meta["continue"] = base64.b64encode(f"{revision}/{_place(found[-1])}".encode()).decode()
        return {
            "kind": f"{resource.kind}List",
            "apiVersion": resource.api_version,
            "metadata": meta,
            "items": found,
        }

    def _watch(self, resource: Resource, namespace: str) -> None:
        store, fits = self.cluster.store, self._fits(namespace)
        epoch = self.cluster._watch_epoch
        said = self._query.get("resourceVersion", "")
        seconds = float(self._query.get("timeoutSeconds") or 3600)
        wants_bookmarks = self._query.get("allowWatchBookmarks", "") in ("1", "true")
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        end = time.monotonic() + seconds
        try:
            present: list[Json] = []
            with store.changed:
                position = int(said or 0)
                if position == 0:
                    position = store.revision
                    present = store.list(resource, namespace)
            for each in filter(fits, present):
                self._event("ADDED", each)
            while time.monotonic() < end and self.cluster._watch_epoch == epoch:
                with store.changed:
                    if position < store.compacted:
                        break
                    news = [
                        change
                        for change in store.history
                        if change.revision > position and change.resource == resource
                    ]
                    is_new = position < store.revision
                    position = store.revision
                    if not news and not is_new:
                        woken = store.changed.wait(min(BOOKMARK_SECONDS, end - time.monotonic()))
                        if not woken and wants_bookmarks:
                            self._bookmark(resource, position)
                        continue
                for kind, each in events(news, fits):
                    self._event(kind, each)
            if position < store.compacted and self.cluster._watch_epoch == epoch:
                gone = StatusError(410, "Expired", "too old resource version")
                self._event("ERROR", gone.status())
            self.wfile.write(b"0\r\n\r\n")
        except OSError:  # the client went away
            self.close_connection = True

    def _bookmark(self, resource: Resource, revision: int) -> None:
        meta = {"resourceVersion": str(revision)}
        kinds = {"kind": resource.kind, "apiVersion": resource.api_version}
        self._event("BOOKMARK", {**kinds, "metadata": meta})

    def _event(self, kind: str, value: Json) -> None:
        line = json.dumps({"type": kind, "object": value}).encode() + b"\n"
        self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")

    def _discovery(self) -> Json | None:
        """Answer the questions by which clients find out what there is."""
        resources = self.cluster.store.resources.values()
        path = self._url.path.rstrip("/")
        if path in ("/healthz", "/livez", "/readyz"):
            return {"status": "ok"}
        if path == "/version":
            return {"major": "1", "minor": "30", "gitVersion": "v1.30.0-fake"}
        if path == "/api":
            return {"kind": "APIVersions", "versions": ["v1"]}
        if path == "/apis":
            versions: dict[str, list[str]] = {}
            for each in resources:
                if each.group and each.version not in versions.setdefault(each.group, []):
                    versions[each.group].append(each.version)
            groups = [_group(name, found) for name, found in versions.items()]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        served = [each for each in resources if path == _root(each)]
        if not served:
            return None
        return {
            "kind": "APIResourceList",
            "groupVersion": served[0].api_version,
            "resources": [
                {
                    "name": each.plural,
                    "singularName": each.kind.lower(),
                    "kind": each.kind,
                    "namespaced": each.namespaced,
                    "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
                }
                for each in served
            ],
        }


def _place(value: Json) -> str:
    meta = value["metadata"]
    return f"{meta.get('namespace', '')}/{meta['name']}"


def _root(resource: Resource) -> str:
    return f"/{'apis' if resource.group else 'api'}/{resource.api_version}"


def _group(name: str, versions: list[str]) -> Json:
    found = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": found, "preferredVersion": found[0]}


def _namespace(value: Json) -> str:
    return str(value.get("metadata", {}).get("namespace", ""))


def _serve(port: int) -> None:
    with FakeKubernetes(listen=("127.0.0.1", port)):
        threading.Event().wait()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
