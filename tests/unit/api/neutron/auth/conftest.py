"""Servers with each way to log in, and a file of users."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from pathlib import Path

import httpx
import pytest

from api.neutron.app import create_neutron_app
from api.neutron.auth.directory import DirectoryFile
from api.neutron.auth.passwords import hash_password
from api.neutron.auth.setup import Method, make_authentication
from northbound.database import Database
from tests.unit.api.conftest import Server, serve


@cache
def hash_of(password: str) -> str:
    return hash_password(password)


def users_file() -> str:
    return f"""
region = "Here"

[projects.acme]
id = "0123456789abcdef0123456789abcdef"
description = "Acme"

[users.root]
password_hash = "{hash_of("toor")}"
roles = {{ default = ["admin"], acme = ["reader"] }}
project = "default"

[users.alice]
password_hash = "{hash_of("wonderland")}"
roles = {{ acme = ["member"] }}

[users.alice.application_credentials.ci]
secret_hash = "{hash_of("tick-tock")}"
roles = ["reader"]

[users.alice.application_credentials.old]
secret_hash = "{hash_of("tick-tock")}"
expires_at = 2020-01-01T00:00:00Z

[users.rita]
password_hash = "{hash_of("reads")}"
roles = {{ acme = ["reader"] }}

[users.nobody]
password_hash = "{hash_of("nothing")}"

[[services]]
type = "load-balancer"
name = "octavia"
url = "http://192.0.2.1:9876"
"""


ACME = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def users(tmp_path: Path) -> DirectoryFile:
    path = tmp_path / "identity.toml"
    path.write_text(users_file())
    return DirectoryFile(path)


Connect = Callable[..., AbstractAsyncContextManager[tuple[httpx.AsyncClient, Server]]]


@pytest.fixture
def connect(database: Database, users: DirectoryFile) -> Connect:
    @asynccontextmanager
    async def connected(
        method: Method, **options: object
    ) -> AsyncIterator[tuple[httpx.AsyncClient, Server]]:
        async with serve(database) as server:
            made = make_authentication(method, server.backend, users, **options)  # type: ignore[arg-type]
            app = create_neutron_app(server.backend, made.authenticate, more_routes=made.routes)
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost:9696"
            ) as client:
                yield client, server

    return connected
