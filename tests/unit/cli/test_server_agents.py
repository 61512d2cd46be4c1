"""Who may be which chassis: tokens, certificates, and that connections end with them."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from websockets.exceptions import InvalidHandshake, InvalidStatus

from api.token_watch import TokenWatch
from chassis_agent.session import tls_of
from chassis_agent.settings import AgentSettings
from cli.server.agents import EXPIRED, LISTS_CHANGED, AgentGate
from cli.server.tls import Certificate, Clients
from northbound import tokens
from northbound.attempts import FORGOTTEN_SECONDS, FREE, LONGEST_SECONDS, MAX_PLACES, FailedAttempts
from northbound.database import Database, open_database
from southbound import wire
from southbound.rows import Chassis, Encap, PortBinding
from southbound.state import RealisedState
from southbound.store import Store
from southbound.watch.backoff import Backoff
from southbound.watch.client import WatchClient
from southbound.watch.gate import ClientCertificate, Credentials, certificate_of
from southbound.watch.server import WatchServer
from tests.databases import new_database
from tests.unit.southbound.agents import until
from tests.unit.southbound.raw_agent import raw_agent


@dataclass
class Gated:
    """A watch server behind a gate, and what decides there."""

    database: Database
    state: RealisedState
    watch: WatchServer
    gate: AgentGate
    attempts: FailedAttempts

    @property
    def port(self) -> int:
        return self.watch.port

    def token(self, chassis: str, **more: object) -> str:
        with self.database.maintain() as session:
            _, secret = tokens.create(
                session,
                name=f"of {chassis} {more}",
                role="chassis",
                chassis=chassis,
                **more,  # type: ignore[arg-type]
            )
        return secret

    def revoke(self, chassis: str) -> None:
        with self.database.read() as reader:
            found = [token for token in tokens.every(reader) if token.chassis == chassis]
        with self.database.maintain() as session:
            for token in found:
                tokens.delete(session, token.id)

    def revoke_all(self) -> None:
        with self.database.read() as reader:
            found = tokens.every(reader)
        with self.database.maintain() as session:
            for token in found:
                tokens.delete(session, token.id)


async def gated(
    directory: Path, tls: Certificate | None = None, origins: tuple[str, ...] = ()
) -> AsyncIterator[Gated]:
    database = open_database(new_database(directory / "treadle.db"))
    state = RealisedState(Store(database.engine))
    await state.load()
    attempts = FailedAttempts()
    gate = AgentGate(database, TokenWatch(database, every=0.05), attempts, needed=True)
    context = tls.context if tls else None
    watch = WatchServer(state, gate, port=0, lease=0.1, tls=context, origins=origins)
    await watch.start()
    await state.write(1, [PortBinding("p1", "d1", "p1", 1, "vif")])
    yield Gated(database, state, watch, gate, attempts)
    await watch.stop()
    await state.close()
    database.close()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Gated]:
    async for running in gated(tmp_path):
        yield running


# --- tokens


async def test_a_connection_ends_when_its_token_is_revoked(server: Gated) -> None:
    secret = server.token("hv1")
    async with raw_agent(server.port, "hv1", token=secret) as agent:
        await until(lambda: server.watch.status("hv1").connected)
        server.revoke_all()
        refused = await agent.until_ended()
        assert refused == wire.Refused(wire.REFUSED_TOKEN, "the token was revoked")
    assert not server.watch.status("hv1").connected
    with pytest.raises(InvalidStatus):
        async with raw_agent(server.port, "hv1", token=secret):
            pass


async def test_a_connection_ends_when_its_token_expires(server: Gated) -> None:
    secret = server.token("hv1", expires_at=datetime.now(UTC) + timedelta(seconds=5))
    async with raw_agent(server.port, "hv1", token=secret) as agent:
        refused = await agent.until_ended()
    assert refused == wire.Refused(wire.REFUSED_TOKEN, "the token has expired")


async def test_another_token_of_the_chassis_ends_nothing(server: Gated) -> None:
    with server.database.maintain() as session:
        tokens.create(session, name="spare", role="chassis", chassis="hv1")
    secret = server.token("hv1")
    async with raw_agent(server.port, "hv1", token=secret) as agent:
        with server.database.maintain() as session:
            tokens.delete(session, "spare")
        await asyncio.sleep(0.2)
        await agent.say(wire.Claim("p1"))
        await until(lambda: server.state.rows(PortBinding)["p1"].chassis == "hv1")
        assert not agent.ended


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("", "agents have to show a token"),
        ("treadle_wrong", "the token is unknown, expired or revoked"),
        ("operator", "the token is not one of a chassis"),
    ],
)
async def test_strangers_send_nothing(server: Gated, token: str, reason: str) -> None:
    if token == "operator":
        with server.database.maintain() as session:
            _, token = tokens.create(session, name="op", role="operator")
    with pytest.raises(InvalidStatus) as caught:
        async with raw_agent(server.port, "hv1", token=token):
            pass
    assert caught.value.response.status_code == 401
    assert reason.encode() in bytes(caught.value.response.body or b"")


async def test_a_token_is_good_for_its_chassis_alone(server: Gated) -> None:
    async with raw_agent(server.port, "hv2", token=server.token("hv1")) as agent:
        refused = await agent.until_ended()
        assert refused is not None
        assert refused.reason == "the token is not valid for chassis 'hv2'"


# --- pins


def host(name: str, hostname: str, *addresses: str) -> Chassis:
    return Chassis(name, hostname, tuple(Encap("geneve", ip) for ip in addresses))


@pytest.mark.parametrize(
    ("chassis", "reason"),
    [
        (host("hv1", "one", "192.0.2.1"), None),
        (host("hv1", "one", "2001:db8::1", "192.0.2.1"), None),
        (host("hv1", "two", "192.0.2.1"), "the token is for the host name one, not 'two'"),
        (host("hv1", "one", "192.0.2.2"), "the token is for the tunnel addresses 192.0.2.1, "),
    ],
)
async def test_a_token_may_say_what_its_host_is(
    server: Gated, chassis: Chassis, reason: str | None
) -> None:
    secret = server.token("hv1", hostname="one", encap_ips=["192.0.2.1", "2001:DB8::1"])
    async with raw_agent(server.port, "hv1", token=secret, chassis=chassis) as agent:
        if reason is None:
            await until(lambda: server.watch.status("hv1").connected)
            return
        refused = await agent.until_ended()
        assert refused is not None
        assert refused.reason.startswith(reason)


@pytest.mark.parametrize(
    "chassis", [host("hv2", "one"), host("hv2", "two", "192.0.2.1")], ids=["name", "address"]
)
async def test_what_a_token_says_is_no_other_chassis(server: Gated, chassis: Chassis) -> None:
    server.token("hv1", hostname="one", encap_ips=["192.0.2.1"])
    secret = server.token("hv2")
    async with raw_agent(server.port, "hv2", token=secret, chassis=chassis) as agent:
        refused = await agent.until_ended()
        assert refused is not None
        assert "is another chassis'" in refused.reason
    server.revoke_all()
    secret = server.token("hv2")
    async with raw_agent(server.port, "hv2", token=secret, chassis=chassis):
        await until(lambda: server.watch.status("hv2").connected)


# --- wrong tokens, and web pages


def test_wrong_tokens_from_one_place_wait_ever_longer() -> None:
    attempts = FailedAttempts()
    delays = [attempts.failed("192.0.2.1", 0.0) for _ in range(20)]
    assert delays[:FREE] == [0.0] * FREE
    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_SECONDS
    assert attempts.failed("192.0.2.2", 0.0) == 0.0
    assert attempts.failed("192.0.2.1", FORGOTTEN_SECONDS + 1) == 0.0
    for n in range(FREE + 1):
        last = attempts.failed(f"2001:db8::{n}", 100.0)
    assert last > 0, "one host has a whole network"


def test_what_is_remembered_of_wrong_tokens_is_bounded() -> None:
    attempts = FailedAttempts()
    for number in range(3 * MAX_PLACES):
        attempts.failed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 0.0)
    assert len(attempts) <= MAX_PLACES


@pytest.fixture
async def with_console(tmp_path: Path) -> AsyncIterator[Gated]:
    async for running in gated(tmp_path, origins=("https://console.example",)):
        yield running


async def test_web_pages_may_not_connect(with_console: Gated) -> None:
    server = with_console
    secret = server.token("hv1")
    with pytest.raises(InvalidStatus) as caught:
        async with raw_agent(server.port, "hv1", token=secret, origin="https://evil.example"):
            pass
    assert caught.value.response.status_code == 403
    async with raw_agent(server.port, "hv1", token=secret, origin="https://console.example"):
        await until(lambda: server.watch.status("hv1").connected)


# --- certificates


class Authority:
    """An authority of certificates, by the command `openssl`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir()
        self._openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 "
                      "-subj /CN=authority -keyout ca.key -out ca.pem")  # fmt: skip
        (directory / "index.txt").touch()
        (directory / "ca.cnf").write_text(
            "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=1\n"
        )
        self.list_revoked("20200101000000Z")

    def _openssl(self, words: str) -> None:
        subprocess.run(
            ["openssl", *words.split()], cwd=self._directory, check=True, capture_output=True
        )

    @property
    def authorities(self) -> Path:
        return self._directory / "ca.pem"

    @property
    def revoked(self) -> Path:
        return self._directory / "crl.pem"

    def list_revoked(self, since: str) -> None:
        words = "ca -config ca.cnf -gencrl -keyfile ca.key -cert ca.pem -out crl.pem"
        self._openssl(f"{words} -crl_lastupdate {since} -crl_nextupdate 20990101000000Z")

    def revoke(self, file: str) -> None:
        self._openssl(f"ca -config ca.cnf -revoke {file}.pem -keyfile ca.key -cert ca.pem")
        self.list_revoked("20200102000000Z")

    def certify(self, file: str, name: str, alternative: str = "IP:127.0.0.1") -> tuple[Path, Path]:
        (self._directory / "ext").write_text(f"subjectAltName={alternative}\n")
        self._openssl("req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
                      f"-subj /CN={name} -keyout {file}.key -out {file}.csr")  # fmt: skip
        self._openssl(f"x509 -req -in {file}.csr -CA ca.pem -CAkey ca.key -CAcreateserial "
                      f"-days 1 -extfile ext -out {file}.pem")  # fmt: skip
        return self._directory / f"{file}.pem", self._directory / f"{file}.key"

    def client(self, file: str, name: str, alternative: str = "IP:127.0.0.1") -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.authorities)
        context.load_cert_chain(*self.certify(file, name, alternative))
        return context


@dataclass
class WithCertificates:
    server: Gated
    authority: Authority
    certificate: Certificate


@pytest.fixture
async def certified(tmp_path: Path) -> AsyncIterator[WithCertificates]:
    authority = Authority(tmp_path / "ca")
    clients = Clients(authority.authorities, authority.revoked)
    certificate = Certificate(*authority.certify("server", "server"), clients)
    async for server in gated(tmp_path, certificate):
        yield WithCertificates(server, authority, certificate)


async def test_an_agent_shows_the_certificate_of_its_settings(
    certified: WithCertificates, tmp_path: Path
) -> None:
    authority, server = certified.authority, certified.server
    certificate, key = authority.certify("client", "hv1")
    settings = AgentSettings(
        tls_ca=authority.authorities, tls_certificate=certificate, tls_private_key=key
    )
    address = f"wss://127.0.0.1:{server.port}"
    client = WatchClient(
        address, Chassis("hv1"), tls=tls_of(settings, address), backoff=Backoff(0.02, 0.1)
    )
    running = asyncio.create_task(client.run())
    await until(lambda: server.watch.status("hv1").connected)
    key.write_text("no key any more")
    server.gate.show_certificates_again()
    await until(lambda: not client.connected and "SSL" in client.last_error)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("alternative", [None, "DNS:other,DNS:hv1"])
async def test_a_certificate_stands_for_a_token(
    certified: WithCertificates, alternative: str | None
) -> None:
    authority, server = certified.authority, certified.server
    name, names = ("hv1", "IP:127.0.0.1") if alternative is None else ("a host", alternative)
    tls = authority.client("client", name.replace(" ", "-"), names)
    async with raw_agent(server.port, "hv1", token="", tls=tls):
        await until(lambda: server.watch.status("hv1").connected)
    async with raw_agent(server.port, "hv2", token="", tls=tls) as agent:
        refused = await agent.until_ended()
        assert refused is not None
        assert "not for chassis 'hv2'" in refused.reason
    token = server.token("hv2")
    async with raw_agent(server.port, "hv2", token=token, tls=tls) as agent:
        assert await agent.until_ended() is not None, "both have to be right"


async def turned_away(server: Gated, tls: ssl.SSLContext) -> None:
    """In TLS 1.3 a client learns after its handshake that its certificate was not taken."""
    with suppress(InvalidHandshake, OSError):
        async with raw_agent(server.port, "hv1", token="", tls=tls) as agent:
            await agent.until_ended()
            assert agent.heard == []
    assert not server.watch.status("hv1").connected


async def test_a_certificate_of_strangers_is_none(
    certified: WithCertificates, tmp_path: Path
) -> None:
    strangers = Authority(tmp_path / "strangers").client("client", "hv1")
    strangers.load_verify_locations(certified.authority.authorities)
    await turned_away(certified.server, strangers)


async def test_without_a_certificate_it_takes_a_token(certified: WithCertificates) -> None:
    tls = ssl.create_default_context(cafile=certified.authority.authorities)
    server = certified.server
    with pytest.raises(InvalidStatus):
        async with raw_agent(server.port, "hv1", token="", tls=tls):
            pass
    async with raw_agent(server.port, "hv1", token=server.token("hv1"), tls=tls):
        await until(lambda: server.watch.status("hv1").connected)


async def test_a_revoked_certificate_ends_its_connection(certified: WithCertificates) -> None:
    authority, server = certified.authority, certified.server
    tls = authority.client("client", "hv1")
    async with raw_agent(server.port, "hv1", token="", tls=tls) as agent:
        await until(lambda: server.watch.status("hv1").connected)
        assert certified.certificate.reload() is False
        authority.revoke("client")
        assert certified.certificate.reload() is True
        server.gate.show_certificates_again()
        refused = await agent.until_ended()
        assert refused == wire.Refused(wire.REFUSED_TOKEN, LISTS_CHANGED)
    await turned_away(server, tls)


async def test_a_connection_ends_with_its_certificate(server: Gated) -> None:
    gone = ClientCertificate(frozenset({"hv1"}), datetime.now(UTC).timestamp() + 0.2)
    identity = await server.gate(Credentials("", gone, "192.0.2.1"))
    identity.check(Chassis("hv1"))
    async with asyncio.timeout(30):
        assert await identity.ended() == EXPIRED


def test_names_of_a_certificate() -> None:
    found = {
        "subject": ((("organizationName", "hv9"),), (("commonName", "hv1"),)),
        "subjectAltName": (("DNS", "hv2"), ("IP Address", "192.0.2.1"), ("URI", "hv3")),
        "notAfter": "Nov 26 12:00:00 2026 GMT",
    }
    certificate = certificate_of(found)
    assert certificate is not None
    assert certificate.names == {"hv1", "hv2"}
    assert certificate_of(None) is None
    assert certificate_of({}) is None
