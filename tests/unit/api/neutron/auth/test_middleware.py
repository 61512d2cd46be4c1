"""Keystone's middleware behind the Neutron API: what it is told, and what it tells.

A stand-in takes its place here; `tests/compat/keystone` has the real one.
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from api.neutron.app import create_neutron_app
from api.neutron.auth.middleware import KeystoneMiddleware, MiddlewareError
from api.neutron.auth.setup import make_authentication
from api.neutron.auth.slowing import Slowing
from northbound.attempts import FailedAttempts
from northbound.database import Database
from tests.unit.api.conftest import serve

CALLERS = {
    "alice": {"IDENTITY_STATUS": "Confirmed", "PROJECT_ID": "acme", "ROLES": "member, reader"},
    "nowhere": {"IDENTITY_STATUS": "Confirmed", "PROJECT_ID": "", "ROLES": ""},
    "odd": {"IDENTITY_STATUS": "Confirmed", "PROJECT_ID": "a b", "ROLES": "admin"},
    "long": {"IDENTITY_STATUS": "Confirmed", "PROJECT_ID": "a" * 256, "ROLES": "admin"},
    "delayed": {"IDENTITY_STATUS": "Invalid", "PROJECT_ID": "acme", "ROLES": "admin"},
}


class StandIn:
    """Confirms tokens that are names of callers; refuses others as the middleware does."""

    def __init__(self, app: Callable[..., Iterable[bytes]], options: dict[str, str]) -> None:
        if "broken" in Path(options["oslo_config_file"]).read_text():
            raise ValueError("no auth_url")
        self._app = app

    def __call__(self, environment: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        assert not [name for name in environment if name.startswith("HTTP_X_ROLES")]
        token = environment.get("HTTP_X_AUTH_TOKEN", "")
        if token == "away":
            start("503 Service Unavailable", [])
            return [b"away"]
        if token not in CALLERS:
            start("401 Unauthorized", [("WWW-Authenticate", 'Keystone uri="http://k"')])
            return [b"who?"]
        told = {**CALLERS[token], "USER_NAME": token, "USER_ID": "0"}
        environment.update({f"HTTP_X_{name}": value for name, value in told.items()})
        return self._app(environment, start)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    package, module = ModuleType("keystonemiddleware"), ModuleType("auth_token")
    module.AuthProtocol = StandIn  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keystonemiddleware", package)
    monkeypatch.setitem(sys.modules, "keystonemiddleware.auth_token", module)


@pytest.mark.usefixtures("installed")
async def test_callers(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "keystone.conf"
    file.write_text("[keystone_authtoken]\n")
    async with serve(database) as server:
        with pytest.raises(ValueError, match="needs its file"):
            make_authentication("keystone", server.backend)
        made = make_authentication("keystone", server.backend, keystone_file=file)
        app = create_neutron_app(server.backend, made.authenticate)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:

            async def make(token: str | None, **headers: str) -> httpx.Response:
                if token is not None:
                    headers["X-Auth-Token"] = token
                return await client.post("/v2.0/networks", json={"network": {}}, headers=headers)

            assert (await make("alice")).json()["network"]["project_id"] == "acme"
            forged = {"X-Roles": "admin", "X-Project-Id": "acme", "X-Identity-Status": "Confirmed"}
            refused = await make(None, **forged)
            assert refused.status_code == 401
            assert refused.headers["WWW-Authenticate"] == 'Keystone uri="http://k"'
            statuses = {
                token: (await make(token)).status_code
                for token in ("nowhere", "odd", "long", "delayed", "wrong", "away")
            }
            assert statuses == {
                "nowhere": 403,
                "odd": 403,
                "long": 403,
                "delayed": 401,
                "wrong": 401,
                "away": 503,
            }


@pytest.mark.usefixtures("installed")
def test_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    file, slowing = tmp_path / "keystone.conf", Slowing(FailedAttempts())
    with pytest.raises(MiddlewareError, match="no such file"):
        KeystoneMiddleware(file, slowing)
    file.write_text("broken")
    with pytest.raises(MiddlewareError, match="no auth_url"):
        KeystoneMiddleware(file, slowing)


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keystonemiddleware.auth_token", None)
    file = tmp_path / "keystone.conf"
    file.write_text("")
    with pytest.raises(MiddlewareError, match="the extra 'keystone'"):
        KeystoneMiddleware(file, Slowing(FailedAttempts()))
