"""Every operation that the API describes: whatever is asked, no fault, and a described answer.

Requests are made from the description itself, so that a new operation is asked, too.
"""

import asyncio
import json
from collections.abc import Callable, Iterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.app import create_app
from api.problems import MEDIA_TYPE
from northbound.database import open_database
from tests.databases import new_database
from tests.property.api.generated import Described, Request, raw_bodies
from tests.unit.api.conftest import serve
from tests.unit.api.test_objects import BODIES, make_network

Send = Callable[[Request], httpx.Response]

COMMITTED_BUT_NOT_REACHED = 504


class _NoBackend:
    """All of a backend that its description says something about."""

    authentication = False


DESCRIBED = Described(create_app(_NoBackend()).openapi())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def send(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Send]:
    """A server with a network, and how to send to it."""
    file = tmp_path_factory.mktemp("every-route") / "treadle.db"
    loop = asyncio.new_event_loop()
    database = open_database(new_database(file))
    serving = serve(database)
    server = loop.run_until_complete(serving.__aenter__())
    loop.run_until_complete(make_network(server.client))
    for kind, body in BODIES.items():
        path = DESCRIBED.operations[f"create_{kind}"][1]
        loop.run_until_complete(server.client.post(path, json=body))
    loop.run_until_complete(server.translate())

    def send(request: Request) -> httpx.Response:
        content = request.body if isinstance(request.body, bytes) else json.dumps(request.body)
        sent = server.client.request(
            request.method,
            request.path,
            content=None if request.body is None else content,
            headers=dict(request.headers),
        )
        return loop.run_until_complete(asyncio.wait_for(sent, 60))

    try:
        yield send
    finally:
        loop.run_until_complete(serving.__aexit__(None, None, None))
        database.close()
        loop.close()


def check(operation_id: str, response: httpx.Response) -> None:
    """The answer is one that the operation describes, and no fault."""
    _, _, operation = DESCRIBED.operations[operation_id]
    if response.status_code != COMMITTED_BUT_NOT_REACHED:
        assert response.status_code < 500, response.text
    assert str(response.status_code) in operation["responses"], response.text
    if response.is_error:
        assert response.headers["Content-Type"] == MEDIA_TYPE
        assert response.json()["status"] == response.status_code


@pytest.mark.parametrize("operation_id", sorted(DESCRIBED.operations))
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_request(send: Send, operation_id: str, data: st.DataObject) -> None:
    check(operation_id, send(data.draw(DESCRIBED.requests(operation_id))))


@pytest.mark.parametrize(
    "operation_id",
    sorted(name for name, (_, _, what) in DESCRIBED.operations.items() if "requestBody" in what),
)
def test_any_bytes(send: Send, operation_id: str) -> None:
    method, path, operation = DESCRIBED.operations[operation_id]
    for what, media_type, body in raw_bodies(operation):
        target = path.replace("{ref}", "web")
        response = send(Request(method, target, body, {"Content-Type": media_type}))
        check(operation_id, response)
        assert response.is_client_error or what == "a byte order mark", (what, response.text)
