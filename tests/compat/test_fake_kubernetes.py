"""The fake behaves as clients of a real Kubernetes API server expect."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.compat.fake_kubernetes import FakeKubernetes


@pytest.fixture
def cluster() -> Iterator[FakeKubernetes]:
    with FakeKubernetes() as cluster:
        yield cluster


@pytest.fixture
def client(cluster: FakeKubernetes) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=cluster.url, timeout=20) as client:
        yield client


def pod(name: str, **meta: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, **meta}, "spec": {"nodeName": "n1"}}


PODS = "/api/v1/namespaces/default/pods"
PATCHES = {"json": "application/json-patch+json", "merge": "application/merge-patch+json"}


def patch(client: httpx.Client, path: str, value: Any, kind: str = "merge") -> httpx.Response:
    headers = {"Content-Type": PATCHES[kind]}
    return client.patch(path, content=json.dumps(value), headers=headers)


class Watch:
    """Reads the events of a watch one by one."""

    def __init__(self, client: httpx.Client, path: str, **params: Any) -> None:
        self._context = client.stream("GET", path, params={"watch": "1", **params})
        self._lines = self._context.__enter__().iter_lines()

    def next(self) -> tuple[str, dict[str, Any]]:
        event = json.loads(next(self._lines))
        return event["type"], event["object"]

    def rest(self) -> list[tuple[str, dict[str, Any]]]:
        found = [(event["type"], event["object"]) for event in map(json.loads, self._lines)]
        self._context.__exit__(None, None, None)
        return found


def test_an_object_has_what_the_server_gives_it(client: httpx.Client) -> None:
    made = client.post(PODS, json=pod("a"))
    assert made.status_code == 201
    meta = made.json()["metadata"]
    assert (meta["name"], meta["namespace"], meta["generation"]) == ("a", "default", 1)
    assert meta["uid"]
    assert made.json()["kind"] == "Pod"
    assert client.get(f"{PODS}/a").json() == made.json()
    assert client.post(PODS, json=pod("a")).json()["reason"] == "AlreadyExists"
    named = client.post(PODS, json={"metadata": {"generateName": "b-"}}).json()
    assert named["metadata"]["name"].startswith("b-")


def test_objects_may_be_yaml(client: httpx.Client) -> None:
    headers = {"Content-Type": "application/yaml"}
    made = client.post(PODS, content="metadata: {name: a, labels: {app: web}}", headers=headers)
    assert (made.status_code, made.json()["metadata"]["labels"]) == (201, {"app": "web"})
    assert client.post(PODS, content="{", headers=headers).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("GET", f"{PODS}/none", None, 404),
        ("GET", "/apis/nothing/v1/here", None, 404),
        ("POST", "/api/v1/namespaces/none/pods", pod("a"), 404),
        ("POST", "/api/v1/pods", pod("a"), 404),
        ("POST", PODS, pod("A_b"), 422),
        ("POST", PODS, pod("a", namespace="kube-system"), 400),
        ("POST", PODS, [], 400),
    ],
)
def test_refusals(client: httpx.Client, method: str, path: str, body: Any, code: int) -> None:
    answer = client.request(method, path, json=body)
    assert (answer.status_code, answer.json()["kind"]) == (code, "Status")
    assert answer.json()["code"] == code


def test_lists_are_filtered_and_come_in_parts(client: httpx.Client) -> None:
    for name, labels in (("a", {"app": "web"}), ("b", {"app": "db"}), ("c", {})):
        client.post(PODS, json=pod(name, labels=labels))

    def names(**params: Any) -> list[str]:
        return [
            each["metadata"]["name"] for each in client.get(PODS, params=params).json()["items"]
        ]

    assert names() == ["a", "b", "c"]
    assert names(labelSelector="app") == ["a", "b"]
    assert names(labelSelector="app notin (web, x)") == ["b", "c"]
    assert names(labelSelector="!app") == ["c"]
    assert names(fieldSelector="metadata.name=b,spec.nodeName=n1") == ["b"]
    first = client.get(PODS, params={"limit": 2}).json()
    assert [each["metadata"]["name"] for each in first["items"]] == ["a", "b"]
    assert names(limit=2, **{"continue": first["metadata"]["continue"]}) == ["c"]


def test_writes_from_an_old_version_are_refused(client: httpx.Client) -> None:
    old = client.post(PODS, json=pod("a")).json()
    patch(client, f"{PODS}/a", {"metadata": {"labels": {"x": "1"}}})
    refused = client.put(f"{PODS}/a", json=old)
    assert (refused.status_code, refused.json()["reason"]) == (409, "Conflict")
    new = client.get(f"{PODS}/a").json()
    new["spec"]["nodeName"] = "n2"
    done = client.put(f"{PODS}/a", json=new).json()
    assert done["metadata"]["generation"] == 2
    assert done["metadata"]["labels"] == {"x": "1"}


def test_patches(client: httpx.Client) -> None:
    client.post(PODS, json=pod("a"))
    operations = [{"op": "add", "path": "/metadata/annotations", "value": {"k/x": "1"}}]
    assert patch(client, f"{PODS}/a", operations, "json").status_code == 200
    remove = [{"op": "remove", "path": "/metadata/annotations/k~1x"}]
    assert patch(client, f"{PODS}/a", remove, "json").json()["metadata"]["annotations"] == {}
    assert patch(client, f"{PODS}/a", remove, "json").status_code == 422
    test = [{"op": "test", "path": "/spec/nodeName", "value": "other"}]
    assert patch(client, f"{PODS}/a", test, "json").status_code == 422
    assert client.patch(f"{PODS}/a", json={}).status_code == 415


def test_status_is_written_through_its_subresource(client: httpx.Client) -> None:
    client.post(PODS, json=pod("a"))
    beside = patch(client, f"{PODS}/a", {"status": {"phase": "Running"}}).json()
    assert beside["status"]["phase"] == "Pending"
    done = patch(client, f"{PODS}/a/status", {"status": {"phase": "Running"}, "spec": {}}).json()
    assert done["status"]["phase"] == "Running"
    assert done["spec"] == {"nodeName": "n1"}
    assert patch(client, "/api/v1/namespaces/default/status", {"status": {"x": 1}}).is_success


def test_finalizers_keep_what_is_deleted(cluster: FakeKubernetes, client: httpx.Client) -> None:
    client.post(PODS, json=pod("a", finalizers=["test/one"]))
    assert client.delete(f"{PODS}/a").json()["metadata"]["deletionTimestamp"]
    assert client.delete(f"{PODS}/a").status_code == 200
    assert patch(client, f"{PODS}/a", {"metadata": {"finalizers": None}}).status_code == 200
    assert client.get(f"{PODS}/a").status_code == 404


def test_a_namespace_goes_after_its_contents(cluster: FakeKubernetes, client: httpx.Client) -> None:
    cluster.create("namespaces", {"metadata": {"name": "shop"}})
    cluster.create("pods", pod("a", namespace="shop"))
    cluster.create("kuryrports", pod("a", namespace="shop", finalizers=["test/one"]))
    client.delete("/api/v1/namespaces/shop")
    assert client.get("/api/v1/namespaces/shop").json()["status"]["phase"] == "Terminating"
    assert cluster.list("pods", "shop") == []
    path = "/apis/openstack.org/v1/namespaces/shop/kuryrports/a"
    patch(client, path, {"metadata": {"finalizers": []}})
    assert client.get("/api/v1/namespaces/shop").status_code == 404


def test_what_has_no_owner_any_more_goes(cluster: FakeKubernetes) -> None:
    owner = cluster.create("pods", pod("a", namespace="default"))["metadata"]["uid"]
    owned = pod("b", namespace="default", ownerReferences=[{"uid": owner}])
    cluster.create("pods", owned)
    cluster.delete("pods", "a")
    assert cluster.list("pods") == []


def test_a_watch_tells_changes_from_a_version_on(
    cluster: FakeKubernetes, client: httpx.Client
) -> None:
    client.post(PODS, json=pod("a", labels={"app": "web"}))
    revision = client.get(PODS).json()["metadata"]["resourceVersion"]
    watch = Watch(client, PODS, resourceVersion=revision, labelSelector="app=web")
    cluster.create("pods", pod("b", namespace="default", labels={"app": "web"}))
    cluster.create("pods", pod("c", namespace="default"))
    cluster.merge("pods", "a", {"metadata": {"labels": {"app": "db"}}})
    cluster.merge("pods", "b", {"status": {"phase": "Running"}})
    cluster.delete("pods", "b")
    told = [watch.next() for _ in range(4)]
    assert [(kind, each["metadata"]["name"]) for kind, each in told] == [
        ("ADDED", "b"),
        ("DELETED", "a"),
        ("MODIFIED", "b"),
        ("DELETED", "b"),
    ]
    cluster.drop_watches()
    assert watch.rest() == []


def test_a_watch_without_a_version_begins_with_all_there_is(client: httpx.Client) -> None:
    client.post(PODS, json=pod("a"))
    watch = Watch(client, "/api/v1/pods", timeoutSeconds=0)
    assert [kind for kind, _ in watch.rest()] == ["ADDED"]


def test_bookmarks_tell_the_version_while_nothing_changes(
    cluster: FakeKubernetes, client: httpx.Client
) -> None:
    watch = Watch(client, PODS, resourceVersion=cluster.store.revision, allowWatchBookmarks="true")
    other = cluster.create("services", pod("s", namespace="default"))
    kind, told = watch.next()
    assert kind == "BOOKMARK"
    assert told["metadata"] == {"resourceVersion": other["metadata"]["resourceVersion"]}


def test_a_version_that_is_too_old_is_gone(cluster: FakeKubernetes, client: httpx.Client) -> None:
    old = cluster.store.revision
    client.post(PODS, json=pod("a"))
    cluster.compact()
    ((kind, status),) = Watch(client, PODS, resourceVersion=old).rest()
    assert (kind, status["code"]) == ("ERROR", 410)


def test_new_types_come_by_definition(client: httpx.Client) -> None:
    definition = {
        "metadata": {"name": "things.example.org"},
        "spec": {
            "group": "example.org",
            "names": {"plural": "things", "kind": "Thing"},
            "scope": "Cluster",
            "versions": [{"name": "v1", "subresources": {"status": {}}}],
        },
    }
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    assert client.post(path, json=definition).status_code == 201
    assert client.post("/apis/example.org/v1/things", json=pod("t")).status_code == 201
    told = client.get("/apis/example.org/v1").json()["resources"]
    assert [each["kind"] for each in told] == ["Thing"]


def test_discovery(client: httpx.Client) -> None:
    groups = [each["name"] for each in client.get("/apis").json()["groups"]]
    assert "networking.k8s.io" in groups
    assert client.get("/version").json()["major"] == "1"
    assert "pods" in {each["name"] for each in client.get("/api/v1").json()["resources"]}


def test_faults_at_command(cluster: FakeKubernetes, client: httpx.Client) -> None:
    cluster.refuse(503, "ServiceUnavailable")
    assert client.get(PODS).status_code == 503
    cluster.refuse()
    assert client.get(PODS).status_code == 200


def test_a_token_is_asked_for() -> None:
    with FakeKubernetes(token="secret") as cluster:
        assert httpx.get(f"{cluster.url}/api", timeout=30).status_code == 401
        headers = {"Authorization": "Bearer secret"}
        assert httpx.get(f"{cluster.url}/api", headers=headers, timeout=30).status_code == 200
