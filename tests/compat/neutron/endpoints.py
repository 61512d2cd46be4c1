"""Neutron APIs to be asked: Treadle's, and Neutron's own, which tells what is right."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from api.neutron.auth.passwords import hash_password
from cli.testbed.process import Process, spawn
from cli.testbed.server import Server
from cli.testbed.tcp_ports import free_ports
from cli.testbed.wait import until
from tests.compat.environments import environment
from tests.compat.intent import rows_of_intent

_SERVE_REFERENCE = Path(__file__).with_name("serve_reference.py")


@dataclass(frozen=True)
class User:
    """A user who asks an API; with `token`, or without one where no one is asked for it."""

    url: str
    token: str | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """How ``openstack`` logs in."""
        if self.token is None:
            return ("--os-auth-type", "none", "--os-endpoint", self.url)
        given = ("--os-endpoint", self.url, "--os-token", self.token)
        return ("--os-auth-type", "admin_token", *given)

    @property
    def connection(self) -> dict[str, Any]:
        """How openstacksdk connects."""
        if self.token is None:
            return {"auth_type": "none", "auth": {"endpoint": self.url}}
        return {"auth_type": "admin_token", "auth": {"endpoint": self.url, "token": self.token}}

    @property
    def headers(self) -> dict[str, str]:
        """What a request of HTTP has to have."""
        return {} if self.token is None else {"X-Auth-Token": self.token}


@dataclass(frozen=True)
class Endpoint:
    """Where an API answers, and its users by their names, of which one is administrator."""

    url: str
    users: Mapping[str, User]


@contextmanager
def endpoint(name: str, directory: Path) -> Iterator[Endpoint]:
    """``treadle`` or ``neutron``, for as long as the context lasts; it fills `directory`."""
    with {"treadle": _treadle, "neutron": _reference}[name](directory) as api:
        yield api


@contextmanager
def _treadle(directory: Path) -> Iterator[Endpoint]:
    api_port, agents_port, neutron_port = free_ports(3)
    server = Server(directory, api_port, agents_port)
    url = f"http://127.0.0.1:{neutron_port}"
    users = write_users(directory)
    process = server.start(neutron_settings(neutron_port, identity_file=users))
    try:
        server.wait_until_ready(process)
        yield Endpoint(url, {name: User(url, log_in(url, name)) for name in PROJECTS})
        left_behind = rows_of_intent(server.database)
        assert left_behind == {}, left_behind
    finally:
        process.stop()


PASSWORD = "treadle"
PROJECTS = {"administrator": "default", "tenant": "acme"}
"""The users that there are where the API asks who they are, and the project of each."""


def write_users(directory: Path, load_balancers: str = "") -> Path:
    """A file with all users; the catalog has `load_balancers` as the URL of that service."""
    hashed = hash_password(PASSWORD)
    roles = {"administrator": "admin", "tenant": "member"}
    lines = []
    for name, project in PROJECTS.items():
        lines += [
            f"[users.{name}]",
            f'password_hash = "{hashed}"',
            f'roles = {{ {project} = ["{roles[name]}"] }}',
            f"[users.{name}.application_credentials.program]",
            f'secret_hash = "{hashed}"',
        ]
    if load_balancers:
        lines += ["[[services]]", 'type = "load-balancer"', f'url = "{load_balancers}"']
    file = directory / "users.toml"
    file.write_text("\n".join(lines) + "\n")
    file.chmod(0o600)
    return file


def log_in(url: str, name: str) -> str:
    user = {"name": name, "domain": {"id": "default"}, "password": PASSWORD}
    identity = {"methods": ["password"], "password": {"user": user}}
    scope = {"project": {"name": PROJECTS[name], "domain": {"id": "default"}}}
    body = {"auth": {"identity": identity, "scope": scope}}
    answer = httpx.post(f"{url}/identity/v3/auth/tokens", json=body, timeout=30)
    assert answer.status_code == 201, answer.text
    return answer.headers["X-Subject-Token"]


def neutron_settings(
    port: int, *, hidden_extensions: Sequence[str] = (), identity_file: Path | None = None
) -> dict[str, str]:
    """What of a server's environment has it serve the Neutron API.

    With `identity_file` it asks who calls, and the users in there can log in.
    """
    settings = {
        "TREADLE_SERVER__NEUTRON__ENABLED": "true",
        "TREADLE_SERVER__NEUTRON__PORT": str(port),
        "TREADLE_SERVER__NEUTRON__HIDDEN_EXTENSIONS": json.dumps(list(hidden_extensions)),
    }
    if identity_file is not None:
        settings["TREADLE_SERVER__NEUTRON__AUTHENTICATION"] = "identity"
        settings["TREADLE_SERVER__NEUTRON__IDENTITY_FILE"] = str(identity_file)
    return settings


@contextmanager
def _reference(directory: Path) -> Iterator[Endpoint]:
    (port,) = free_ports(1)
    python = environment("neutron").program("python")
    argv = [python, str(_SERVE_REFERENCE), str(directory), str(port)]
    url = f"http://127.0.0.1:{port}"
    process = spawn("Neutron", argv, directory / "log")
    try:
        until(lambda: _answers(process, url), "Neutron", 120)
        yield Endpoint(url, {"administrator": User(url)})
    finally:
        process.stop()


def _answers(process: Process, url: str) -> bool:
    process.check()
    try:
        return httpx.get(url, timeout=30).is_success
    except httpx.TransportError:
        return False
