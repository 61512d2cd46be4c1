"""The Neutron API and /v1 beside each other, over the server of the tests of /v1."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import event
from starlette.requests import Request

from api.neutron.app import create_neutron_app
from api.neutron.context import LOCAL, MEMBER, READER, Context
from api.neutron.settings import NeutronLimits
from northbound.database import Database
from tests.unit.api.conftest import Server, serve

CALLERS = {
    "": LOCAL,
    "alice": Context("alice", "acme", frozenset({MEMBER})),
    "bob": Context("bob", "zoo", frozenset({MEMBER})),
    "rita": Context("rita", "acme", frozenset({READER})),
    "vera": Context("vera", "default", frozenset({READER}), sees_everything=True),
}
"""Who asks, by the header `Caller` of a test's request: an admin of `default` by default."""


async def _authenticate(request: Request) -> Context:
    return CALLERS[request.headers.get("Caller", "")]


@dataclass
class Neutron:
    """Both APIs over one server."""

    server: Server
    client: httpx.AsyncClient

    @property
    def v1(self) -> httpx.AsyncClient:
        return self.server.client

    async def call(
        self, method: str, path: str, body: Any = None, caller: str = "", **headers: str
    ) -> httpx.Response:
        return await self.client.request(
            method, f"/v2.0/{path}", json=body, headers={"Caller": caller, **headers}
        )

    async def make(self, path: str, caller: str = "", **values: Any) -> dict[str, Any]:
        """Create an object, which has to succeed, and return it."""
        name = path.replace("-", "_").removesuffix("s")
        response = await self.call("POST", path, {name: values}, caller)
        assert response.status_code == 201, response.text
        made: dict[str, Any] = response.json()[name]
        return made

    async def get(self, path: str, caller: str = "") -> Any:
        """Return what is under `path`, which has to be there, without the key around it."""
        response = await self.call("GET", path, caller=caller)
        assert response.status_code == 200, response.text
        return next(iter(response.json().values()))

    async def refused(
        self, status: int, type_: str, method: str, path: str, body: Any = None, caller: str = ""
    ) -> str:
        """Check that a request is refused so; returns the message."""
        response = await self.call(method, path, body, caller)
        error = response.json()["NeutronError"]
        assert (response.status_code, error["type"]) == (status, type_), response.text
        message: str = error["message"]
        return message


@pytest.fixture
def limits() -> NeutronLimits:
    return NeutronLimits()


@pytest.fixture
async def neutron(database: Database, limits: NeutronLimits) -> AsyncIterator[Neutron]:
    async with serve(database) as server:
        app = create_neutron_app(server.backend, _authenticate, limits)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield Neutron(server, client)


@pytest.fixture
def statements(database: Database) -> Iterator[Callable[[], int]]:
    """The number of statements executed up to now."""
    executed = [0]

    def count(*_: Any) -> None:
        executed[0] += 1

    event.listen(database.engine, "before_cursor_execute", count)
    yield lambda: executed[0]
    event.remove(database.engine, "before_cursor_execute", count)
