"""The client of the Kubernetes API, and what it doesn't take from one."""

import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from integrations.kubernetes import api
from integrations.kubernetes.api import Cluster, KubernetesApi
from integrations.kubernetes.errors import ApiError, GoneError, SettingsError
from tests.compat.fake_kubernetes import FakeKubernetes

PODS = "/api/v1/pods"


def client(cluster: FakeKubernetes, **more: str) -> KubernetesApi:
    return KubernetesApi(Cluster(cluster.url, **more))


def make_pods(cluster: FakeKubernetes, *names: str) -> None:
    for name in names:
        cluster.create("pods", {"metadata": {"name": name, "namespace": "default"}})


def test_lists_come_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "PAGE", 2)
    with FakeKubernetes() as cluster:
        make_pods(cluster, *"abcde")
        values, version = client(cluster).read_all(PODS)
        assert [each["metadata"]["name"] for each in values] == list("abcde")
        assert version == str(cluster.store.revision)
        assert len(cluster.requests) == 3


def test_a_watch_goes_on_from_a_version() -> None:
    with FakeKubernetes() as cluster:
        _, version = client(cluster).read_all(PODS)
        make_pods(cluster, "a")
        watch = client(cluster).watch(PODS, version)
        kind, value = next(watch)
        assert (kind, value["metadata"]["name"]) == ("ADDED", "a")
        cluster.compact()
        assert [kind for kind, _ in watch if kind != "BOOKMARK"] == []
        with pytest.raises(GoneError):
            list(client(cluster).watch(PODS, version))


def test_the_token_is_read_each_time(tmp_path: Path) -> None:
    token = tmp_path / "token"
    with FakeKubernetes(token="new") as cluster:
        asking = client(cluster, token_file=str(token))
        with pytest.raises(ApiError, match="No such file"):
            asking.read_all(PODS)
        token.write_text("old\n")
        with pytest.raises(ApiError, match="401"):
            asking.read_all(PODS)
        token.write_text("new\n")
        assert asking.read_all(PODS)[0] == []


def test_https_is_checked_against_the_authority(tmp_path: Path) -> None:
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
            ),
            *("-nodes", "-keyout", str(key), "-out", str(certificate), "-subj", "/CN=cluster"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    with FakeKubernetes(tls=(str(certificate), str(key))) as cluster:
        assert client(cluster, authority=str(certificate)).read_all(PODS)[0] == []
        with pytest.raises(ApiError, match=r"(?i)certificate"):
            client(cluster).read_all(PODS)
        with pytest.raises(SettingsError, match="kubernetes_ca"):
            client(cluster, authority=str(tmp_path / "none")).read_all(PODS)


def test_a_token_stays_off_other_hosts_in_plain_text() -> None:
    with pytest.raises(SettingsError, match="plain text"):
        KubernetesApi(Cluster("http://cluster:8080", token_file="/none"))


def test_a_token_that_is_none_is_told(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("two\nlines\n")
    with FakeKubernetes() as cluster, pytest.raises(ApiError, match="token"):
        client(cluster, token_file=str(token)).read_all(PODS)


def test_an_address_may_have_a_path() -> None:
    """As behind a proxy for several clusters."""
    with FakeKubernetes() as cluster:
        with pytest.raises(ApiError, match="404"):
            KubernetesApi(Cluster(f"{cluster.url}/clusters/one/")).read_all(PODS)
        assert cluster.requests[-1][1].startswith(f"/clusters/one{PODS}?")


@pytest.mark.parametrize(
    "server", ["cluster:6443", "ftp://cluster", "https://", "http://cluster:99999", "http://a@b"]
)
def test_an_address_that_is_none_is_refused(server: str) -> None:
    with pytest.raises(SettingsError, match="kubernetes_server"):
        KubernetesApi(Cluster(server)).read_all(PODS)


@pytest.fixture
def answering() -> Iterator[Callable[[bytes], KubernetesApi]]:
    """Make a client of a server that answers these bytes to everything."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(answer: bytes) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    def start(answer: bytes) -> KubernetesApi:
        threading.Thread(target=serve, args=(answer,), daemon=True).start()
        return KubernetesApi(Cluster(f"http://127.0.0.1:{listener.getsockname()[1]}"))

    yield start
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def http(body: bytes, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"", "RemoteDisconnected|closed connection"),
        (b"SSH-2.0\r\n\r\n", "SSH"),
        (http(b"<html>"), "no JSON"),
        (http(b"[" * 200_000), "no JSON"),
        (http(b"[]"), "no object"),
        (http(b'{"items": 7, "metadata": {}}'), "no list"),
        (http(b'{"items": []}'), "no list"),
        (http(b'{"items": [], "metadata": {}}'), "resourceVersion"),
        (http(b'{"items": [1], "metadata": {"resourceVersion": "1"}}'), "no object"),
        (http(b'{"items": [], "metadata": {"continue": "again"}}'), "page without objects"),
        (http(b"oops", "503 Busy"), "503"),
        (http(b'{"message": "not you"}', "403 Forbidden"), "403 not you"),
    ],
)
def test_what_is_no_list_is_told(
    answering: Callable[[bytes], KubernetesApi], answer: bytes, told: str
) -> None:
    with pytest.raises(ApiError, match=told):
        answering(answer).read_all(PODS)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"type": "ADDED"}\n', "no event"),
        (b'{"type": 1, "object": {}}\n', "no event"),
        (b"nonsense\n", "no JSON"),
        (b'{"type": "ERROR", "object": {"code": 500, "message": "etcd"}}\n', "etcd"),
        (b'"' + b"x" * 3000 + b'"\n', "more than 2000 bytes"),
    ],
)
def test_what_is_no_event_ends_a_watch(
    answering: Callable[[bytes], KubernetesApi],
    monkeypatch: pytest.MonkeyPatch,
    body: bytes,
    told: str,
) -> None:
    monkeypatch.setattr(api, "LONGEST_EVENT", 2000)
    with pytest.raises(ApiError, match=told):
        list(answering(http(body)).watch(PODS, "1"))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b'{"type": "ADDED", "obj',
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n" + b'{"type": "ADDED", "obj',
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    ],
    ids=["bytes missing", "a chunk broken off", "no last chunk"],
)
def test_half_of_an_event_ends_a_watch(
    answering: Callable[[bytes], KubernetesApi], answer: bytes
) -> None:
    with pytest.raises(ApiError):
        list(answering(answer).watch(PODS, "1"))


def test_an_answer_is_bounded(
    answering: Callable[[bytes], KubernetesApi], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "LONGEST_ANSWER", 100)
    with pytest.raises(ApiError, match="more than 100 bytes"):
        answering(http(b'{"a": "' + b"x" * 200 + b'"}')).read_all(PODS)
