"""Whatever is sent to the identity service, it is no fault of the server, and no login."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.neutron.app import create_neutron_app
from api.neutron.auth import keystone
from api.neutron.auth.directory import DirectoryFile
from api.neutron.auth.passwords import hash_password
from api.neutron.auth.setup import make_authentication
from api.neutron.auth.slowing import Slowing
from api.neutron.auth.tokens import Tokens
from northbound.database import open_database
from tests.databases import new_database
from tests.unit.api.conftest import serve

Send = Callable[..., httpx.Response]

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
words = st.sampled_from(
    ["alice", "alice.ci", "acme", "default", "Default", "wrong", "password", "token", "\x00"]
)
keys = st.sampled_from(
    ["id", "name", "domain", "user", "password", "secret", "methods", "project", "system"]
)
noise = st.recursive(
    scalars | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys | words, inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def send(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Send]:
    directory: Path = tmp_path_factory.mktemp("any-login")
    users = directory / "identity.toml"
    hashed = hash_password("wonderland")
    users.write_text(
        f'[users.alice]\npassword_hash = "{hashed}"\nroles = {{ acme = ["admin"] }}\n'
        f'[users.alice.application_credentials.ci]\nsecret_hash = "{hashed}"\n'
    )
    loop = asyncio.new_event_loop()
    database = open_database(new_database(directory / "treadle.db"))
    serving = serve(database)
    server = loop.run_until_complete(serving.__aenter__())
    made = make_authentication("identity", server.backend, DirectoryFile(users))
    app = create_neutron_app(server.backend, made.authenticate, more_routes=made.routes)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    client = httpx.AsyncClient(transport=transport, base_url="http://localhost")

    def send(method: str, path: str, **options: Any) -> httpx.Response:
        return loop.run_until_complete(client.request(method, path, **options))

    yield send
    loop.run_until_complete(serving.__aexit__(None, None, None))
    loop.run_until_complete(client.aclose())
    database.close()
    loop.close()


async def _at_once(slowing: Slowing, request: object) -> None:
    """Take the place of what answers wrong credentials late."""


@pytest.fixture(autouse=True)
def unslowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Slowing, "slow_down", _at_once)


@st.composite
def logins(draw: st.DrawFn) -> Any:
    """A body of which a part is what the service asks for."""
    method = draw(st.sampled_from(["password", "token", "application_credential"]))
    shown = {
        "password": {"user": draw(noise)},
        "token": {"id": draw(noise)},
        "application_credential": draw(
            st.dictionaries(keys, noise, max_size=3) | st.just({"id": "alice.ci", "secret": "x"})
        ),
    }
    identity: Any = {"methods": draw(st.just([method]) | noise), method: shown[method]}
    auth = {"identity": draw(st.just(identity) | noise), "scope": draw(noise)}
    return draw(st.just({"auth": auth}) | noise)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(logins())
def test_no_one_gets_in(send: Send, body: Any) -> None:
    headers = {"Content-Type": "application/json"}
    answer = send("POST", "/identity/v3/auth/tokens", content=json.dumps(body), headers=headers)
    assert answer.status_code in (400, 401), answer.text
    assert answer.json()["error"]["code"] == answer.status_code


@settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f")))
def test_no_token_is_guessed(send: Send, token: str) -> None:
    headers = {"X-Auth-Token": token.encode("latin-1"), "X-Subject-Token": b"x"}
    for method, path in (
        ("GET", "/v2.0/networks"),
        ("GET", "/identity/v3/auth/tokens"),
        ("GET", "/identity/v3/users"),
    ):
        assert send(method, path, headers=headers).status_code == 401


@given(st.text(max_size=60), st.integers(0, 200), st.text(max_size=2))
def test_a_token_that_was_changed_is_none(noise: str, place: int, other: str) -> None:
    tokens = Tokens(b"k" * 32)
    assert tokens.read(noise, 0) is None
    from tests.unit.api.neutron.auth.test_identity import grant

    token = tokens.issue(grant())
    place %= len(token)
    changed = token[:place] + other + token[place + 1 :]
    assert (tokens.read(changed, 11) is not None) == (changed == token)


def test_the_largest_body_is_read_at_all(send: Send) -> None:
    body = b'{"auth": "' + b"x" * (keystone.LARGEST_BODY - 12) + b'"}'
    assert len(body) == keystone.LARGEST_BODY
    assert send("POST", "/identity/v3/auth/tokens", content=body).status_code == 400
    assert send("POST", "/identity/v3/auth/tokens", content=body + b" ").status_code == 413
