"""Whatever is sent, the answer is a success or a problem of the sender's, never a fault.

Bodies are the examples of all kinds with something in them replaced by arbitrary
JSON, so that most get past the first check and meet the others.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.kinds import KINDS, Kind
from northbound.database import open_database
from tests.databases import new_database
from tests.unit.api.conftest import serve
from tests.unit.api.test_objects import BODIES, make_network

Send = Callable[..., httpx.Response]

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
words = st.sampled_from(
    [
        "0a:00:00:00:00:01",
        "10.0.0.11",
        "10.0.0.0/24",
        "fd00::1/64",
        "::ffff:10.0.0.1",
        "fe80::1%eth0",
        "dynamic",
        "unknown",
        "router",
        "discard",
        "web",
        "edge",
        "spare",
        "uplink",
        "#alias",
        "ip4.src == $nets && inport == @others",
        "ip4.src == {10.0.0.1, 10.0.0.2} || !tcp",
        "\x00",
        "a\ud800",
        "9" * 400,
    ]
)
values = st.recursive(
    scalars | words,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(words | st.text(), inner, max_size=4)
    ),
    max_leaves=6,
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[Kind, dict[str, Any]]:
    """A kind and a body for it, of which a part is arbitrary."""
    kind = draw(st.sampled_from(list(KINDS.values())))
    body = dict(BODIES[kind.name])
    fields = [*kind.service.spec.model_fields, "anything"]
    for field in draw(st.lists(st.sampled_from(fields), min_size=1, max_size=3)):
        body[field] = draw(values)
    return kind, body


@contextmanager
def sending(database: Path) -> Iterator[Send]:
    """A server of its own, and how to send to it."""
    loop = asyncio.new_event_loop()
    opened = open_database(f"sqlite:///{database}")
    serving = serve(opened)
    server = loop.run_until_complete(serving.__aenter__())
    loop.run_until_complete(make_network(server.client))

    def send(method: str, path: str, body: Any) -> httpx.Response:
        request = server.client.request(
            method, path, content=json.dumps(body), headers={"Content-Type": "application/json"}
        )
        return loop.run_until_complete(request)

    try:
        yield send
    finally:
        loop.run_until_complete(serving.__aexit__(None, None, None))
        opened.close()
        loop.close()


@pytest.fixture(scope="module")
def send(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Send]:
    file = tmp_path_factory.mktemp("any-request") / "treadle.db"
    new_database(file)
    with sending(file) as send:
        yield send


def check(response: httpx.Response) -> None:
    assert response.status_code < 500, response.text
    if response.is_error:
        assert response.headers["Content-Type"] == "application/problem+json"


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(requests())
def test_objects(send: Send, request: tuple[Kind, dict[str, Any]]) -> None:
    kind, body = request
    made = send("POST", f"/v1/{kind.path}", body)
    check(made)
    if made.is_success:
        path = f"/v1/{kind.path}/{made.json()['id']}"
        check(send("PATCH", path, body))
        check(send("DELETE", path, None))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(requests(), st.sampled_from(["create", "update", "replace", "delete"]), values)
def test_batches(send: Send, request: tuple[Kind, dict[str, Any]], action: str, noise: Any) -> None:
    kind, body = request
    operations = [
        {"action": "create", "kind": kind.name, "as": "alias", "values": BODIES[kind.name]},
        {"action": action, "kind": kind.name, "ref": "#alias", "values": body},
        noise,
    ]
    check(send("POST", "/v1/transactions", {"operations": operations}))
    check(send("POST", "/v1/transactions", {"operations": operations[:2]}))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from(
            ["logical_switches", "logical_routers", "port_groups", "address_sets", "noise"]
        ),
        values,
    ),
    values,
)
def test_documents(send: Send, parts: dict[str, Any], members: Any) -> None:
    check(send("POST", "/v1/apply?dry_run=true", {"document": "any", **parts}))
    switch = {"ports": {"any-port": members}, "acls": members}
    document = {"document": "any", "logical_switches": {"any": switch}}
    check(send("POST", "/v1/apply?dry_run=true", document))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    requests(),
    st.dictionaries(
        st.sampled_from(["packet", "match", "inport", "connection", "blocked", "with", "noise"]),
        values,
        max_size=3,
    ),
    values,
)
def test_traces(
    send: Send, request: tuple[Kind, dict[str, Any]], noise: dict[str, Any], part: Any
) -> None:
    kind, body = request
    create = {"action": "create", "kind": kind.name, "values": body}
    asked = {"match": 'inport == "uplink" && ip4', "with": {"operations": [create]}}
    for question in ({**asked, **noise}, {**asked, "with": [asked["with"], part]}):
        check(send("POST", "/v1/trace", question))


LISTS = [f"/v1/{kind.path}" for kind in KINDS.values()] + [
    "/v1/chassis",
    "/v1/port-bindings",
    "/v1/logical-flows",
    "/v1/revisions",
    "/v1/logical-switches/web/ports",
]
NAMES = ["limit", "cursor", "name", "label.a", "port", "cause", "datapath", "up", "object", "kind"]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(LISTS),
    st.dictionaries(
        st.sampled_from(NAMES) | st.text(st.characters(codec="utf-8"), max_size=9),
        st.sampled_from(["1", "true", "web", "acl/x", "WzFd"])
        | st.text(st.characters(codec="utf-8")),
        max_size=3,
    ),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=9),
)
def test_queries_and_paths(send: Send, path: str, query: dict[str, str], ref: str) -> None:
    check(send("GET", f"{path}?{urlencode(query)}", None))
    check(send("GET", f"{path}/{quote(ref, safe='')}", None))
