"""Both listeners with certificates: who trusts them gets in, and a renewed one is taken."""

import asyncio
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.server.errors import CertificateError
from cli.server.tls import Certificate
from cli.testbed.tcp_ports import free_ports
from southbound.rows import Chassis
from southbound.watch.client import WatchClient
from tests.unit.cli.test_server import run, start

pytestmark = pytest.mark.processes


def make_certificate(directory: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, good for a day and its own authority; and its key."""
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    words = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 "
        "-subj /CN=treadle -addext subjectAltName=IP:127.0.0.1"
    )
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *words.split(), *files], check=True, capture_output=True)
    return certificate, key


@dataclass
class TlsServer:
    process: subprocess.Popen[str]
    certificate: Path
    key: Path
    api_port: int
    agents_port: int

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.api_port}"

    def presented(self, port: int) -> str:
        return ssl.get_server_certificate(("127.0.0.1", port), timeout=30)

    def hang_up(self) -> None:
        self.process.send_signal(signal.SIGHUP)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TlsServer]:
    certificate, key = make_certificate(tmp_path)
    api_port, agents_port = free_ports(2)
    files = {
        f"TREADLE_SERVER__{listener}__{name}": str(path)
        for listener in ("API", "AGENTS")
        for name, path in (("CERTIFICATE", certificate), ("PRIVATE_KEY", key))
    }
    process = start(
        *("server", "--database", str(tmp_path / "treadle.db")),
        *("--api-port", str(api_port), "--agents-port", str(agents_port)),
        **files,
    )
    running = TlsServer(process, certificate, key, api_port, agents_port)
    eventually(lambda: answers(running, certificate), 60)
    yield running
    process.terminate()
    _, log = process.communicate(timeout=30)
    assert process.returncode == 0, log
    assert "Traceback" not in log


def answers(server: TlsServer, authority: Path) -> bool:
    return run("show", TREADLE_URL=server.url, SSL_CERT_FILE=str(authority)).returncode == 0


def eventually(condition: object, seconds: float = 30.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_command_that_does_not_trust_the_server_says_so(
    server: TlsServer, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other, _ = make_certificate(tmp_path / "other")
    answer = run("show", TREADLE_URL=server.url, SSL_CERT_FILE=str(other))
    assert answer.returncode != 0
    assert "certificate verify failed" in answer.stderr
    assert "Traceback" not in answer.stderr


async def test_an_agent_connects(server: TlsServer) -> None:
    client = WatchClient(
        f"wss://127.0.0.1:{server.agents_port}",
        Chassis("hv1", "hv1", ()),
        tls=lambda: ssl.create_default_context(cafile=server.certificate),
    )
    running = asyncio.create_task(client.run())
    client.subscribe(["global"])
    async with asyncio.timeout(20):
        batch = await client.next_batch()
    assert batch.in_sync == {"global"}
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_a_renewed_certificate_is_taken_and_a_broken_one_is_not(server: TlsServer) -> None:
    ports = (server.api_port, server.agents_port)
    first = server.certificate.read_text()
    assert {server.presented(port) for port in ports} == {first}

    make_certificate(server.certificate.parent)
    renewed = server.certificate.read_text()
    assert renewed != first
    assert {server.presented(port) for port in ports} == {first}
    server.hang_up()
    eventually(lambda: {server.presented(port) for port in ports} == {renewed})
    assert answers(server, server.certificate)

    server.certificate.write_text(first)  # goes with another key
    server.hang_up()
    answers(server, server.certificate)
    assert {server.presented(port) for port in ports} == {renewed}


def test_a_key_of_another_certificate_changes_nothing(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    held = Certificate(certificate, key)
    (tmp_path / "other").mkdir()
    _, other_key = make_certificate(tmp_path / "other")
    key.write_bytes(other_key.read_bytes())
    with pytest.raises(CertificateError, match=r"certificate\.pem cannot be used"):
        held.reload()
