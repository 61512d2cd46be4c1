"""Neutron APIs to be asked: Treadle's, and Neutron's own, which tells what is right."""

import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from cli.testbed.process import Process, spawn
from cli.testbed.server import Server
from cli.testbed.wait import until
from tests.compat.environments import environment

_SERVE_REFERENCE = Path(__file__).with_name("serve_reference.py")


@dataclass(frozen=True)
class Endpoint:
    """Where an API answers, and with which options ``openstack`` logs in there, by user."""

    url: str
    logins: Mapping[str, tuple[str, ...]]


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
    process = server.start(neutron_settings(neutron_port))
    try:
        server.wait_until_ready(process)
        yield Endpoint(url, {"administrator": _without_login(url)})
    finally:
        process.stop()


def neutron_settings(port: int, *, hidden_extensions: Sequence[str] = ()) -> dict[str, str]:
    """What of a server's environment has it serve the Neutron API."""
    return {
        "TREADLE_SERVER__NEUTRON__ENABLED": "true",
        "TREADLE_SERVER__NEUTRON__PORT": str(port),
        "TREADLE_SERVER__NEUTRON__HIDDEN_EXTENSIONS": json.dumps(list(hidden_extensions)),
    }


@contextmanager
def _reference(directory: Path) -> Iterator[Endpoint]:
    (port,) = free_ports(1)
    python = environment("neutron").program("python")
    argv = [python, str(_SERVE_REFERENCE), str(directory), str(port)]
    url = f"http://127.0.0.1:{port}"
    process = spawn("Neutron", argv, directory / "log")
    try:
        until(lambda: _answers(process, url), "Neutron", 120)
        yield Endpoint(url, {"administrator": _without_login(url)})
    finally:
        process.stop()


def _without_login(url: str) -> tuple[str, ...]:
    return ("--os-auth-type", "none", "--os-endpoint", url)


def _answers(process: Process, url: str) -> bool:
    process.check()
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


def free_ports(count: int) -> list[int]:
    """TCP ports of loopback that are free now."""
    with ExitStack() as stack:
        listeners = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [int(listener.getsockname()[1]) for listener in listeners]
