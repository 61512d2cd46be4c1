"""Tokens of a Keystone, checked by OpenStack's keystonemiddleware.

The Keystone is another server's identity service, so this is a test of both: that what the
middleware finds out arrives, and that the identity service answers what the middleware asks.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from cli.testbed.server import Server
from cli.testbed.tcp_ports import free_ports
from tests.compat.environments import environment
from tests.compat.neutron.endpoints import PASSWORD, log_in, neutron_settings, write_users

pytestmark = pytest.mark.compat

_FILE = """\
[keystone_authtoken]
www_authenticate_uri = {url}/identity
auth_url = {url}/identity
auth_type = password
username = administrator
password = {password}
project_name = default
user_domain_name = Default
project_domain_name = Default
"""


@contextmanager
def served(directory: Path, port: int, settings: dict[str, str]) -> Iterator[str]:
    directory.mkdir()
    api_port, agents_port = free_ports(2)
    server = Server(directory, api_port, agents_port)
    process = server.start(settings)
    try:
        server.wait_until_ready(process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.stop()


def with_middleware(directory: Path) -> dict[str, str]:
    """What of its environment lets a server import the middleware, behind what it has itself."""
    [packages] = environment("keystonemiddleware").directory.glob("lib/python*/site-packages")
    path = directory / "path"
    path.mkdir()
    customize = f"import sys\nsys.path.append({str(packages)!r})\n"
    (path / "sitecustomize.py").write_text(customize)
    return {"PYTHONPATH": str(path)}


def test_tokens_of_a_keystone(tmp_path: Path) -> None:
    keystone_port, port = free_ports(2)
    users = write_users(tmp_path)
    settings = neutron_settings(keystone_port, identity_file=users)
    with served(tmp_path / "keystone", keystone_port, settings) as keystone:
        file = tmp_path / "keystone.conf"
        file.write_text(_FILE.format(url=keystone, password=PASSWORD))
        settings = neutron_settings(port)
        settings["TREADLE_SERVER__NEUTRON__AUTHENTICATION"] = "keystone"
        settings["TREADLE_SERVER__NEUTRON__KEYSTONE_FILE"] = str(file)
        settings |= with_middleware(tmp_path)
        with served(tmp_path / "server", port, settings) as url:
            _check(keystone, url)


def _check(keystone: str, url: str) -> None:
    networks = f"{url}/v2.0/networks"
    tenant = {"X-Auth-Token": log_in(keystone, "tenant")}
    made = httpx.post(networks, json={"network": {"name": "blue"}}, headers=tenant, timeout=30)
    assert made.status_code == 201, made.text
    assert made.json()["network"]["project_id"] == "acme"
    assert "provider:network_type" not in made.json()["network"]
    administrator = {"X-Auth-Token": log_in(keystone, "administrator")}
    seen = httpx.get(networks, headers=administrator, timeout=30).json()["networks"]
    assert [each["provider:network_type"] for each in seen] == ["geneve"]
    for headers in ({}, {"X-Auth-Token": "wrong"}, {"X-Project-Id": "acme", "X-Roles": "admin"}):
        refused = httpx.get(networks, headers=headers, timeout=30)
        assert refused.status_code == 401, refused.text
        assert refused.headers["WWW-Authenticate"] == f'Keystone uri="{keystone}/identity"'


def test_a_keystone_that_is_away(tmp_path: Path) -> None:
    away, port = free_ports(2)
    file = tmp_path / "keystone.conf"
    file.write_text(_FILE.format(url=f"http://127.0.0.1:{away}", password=PASSWORD))
    settings = neutron_settings(port)
    settings["TREADLE_SERVER__NEUTRON__AUTHENTICATION"] = "keystone"
    settings["TREADLE_SERVER__NEUTRON__KEYSTONE_FILE"] = str(file)
    settings |= with_middleware(tmp_path)
    with served(tmp_path / "server", port, settings) as url:
        headers = {"X-Auth-Token": "any"}
        answer = httpx.get(f"{url}/v2.0/networks", headers=headers, timeout=60)
        assert answer.status_code == 503, answer.text
        assert answer.json()["NeutronError"]["type"] == "ServiceUnavailable"
