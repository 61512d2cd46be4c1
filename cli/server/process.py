"""The server process: database, translator, watch server and API, in one event loop.

They start in that order and stop in the reverse. If one of them ends by itself
the whole server ends, loudly: its supervisor starts it again.
"""

import asyncio
import contextlib
import gc
import logging
import os
import socket
import ssl
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from typing import Any, NamedTuple

import structlog
import uvicorn
from starlette.types import ASGIApp

from api.app import create_app
from api.backend import Backend
from api.token_watch import TokenWatch
from cli.server.agents import AgentGate
from cli.server.descriptors import share_of_connections
from cli.server.errors import (
    AddressInUseError,
    DatabaseLostError,
    NoTokensError,
    ServiceFailedError,
)
from cli.server.history import keep_short
from cli.server.http import ApiServer, Sparsely
from cli.server.neutron import neutron_app, read_users, reloading_users
from cli.server.ownership import Ownership, owning
from cli.server.settings import AgentListener, Listener, ServerSettings
from cli.server.stopping import GRACE_SECONDS, stopping_on_signals
from cli.server.tls import Certificate, reloading
from controller.local import LocalController
from northbound import tokens
from northbound.attempts import FailedAttempts
from northbound.database import Database, open_database, upgrade
from southbound.admission import Admission
from southbound.state import RealisedState
from southbound.store import Store
from southbound.watch.limits import Limits
from southbound.watch.server import WatchServer
from translator.runner import Translator

log = structlog.get_logger(__name__)

_COLLECTION = (50_000, 20, 20)
"""When garbage is collected: after so many new objects, not Python's 700. Requests leave few
cycles, and each collection holds up everybody; large ones caused one after the other."""


async def serve(settings: ServerSettings) -> None:
    """Serve until a signal says to stop. Raises what keeps the server from serving."""
    gc.set_threshold(*_COLLECTION)
    stop = asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(stopping_on_signals(stop))
        listeners = (settings.api, settings.agents, settings.neutron)
        certificates = tuple(Certificate.of(each) for each in listeners)
        api_tls, agents_tls, neutron_tls = (held.context if held else None for held in certificates)
        users = read_users(settings.neutron)
        api_admission, agents_admission, neutron_admission = _admissions(settings)
        listener = stack.enter_context(_bound(settings.api, "the API", api_admission))
        neutron_listener = None
        if settings.neutron.enabled:
            neutron = _bound(settings.neutron, "the Neutron API", neutron_admission)
            neutron_listener = stack.enter_context(neutron)
        ownership = stack.enter_context(owning(settings.database_url))
        database = stack.enter_context(_database(settings))
        _require_tokens_if_exposed(settings, database)
        realised = await stack.enter_async_context(_realised(database, settings.agents))
        translator, translating = await stack.enter_async_context(_translated(database, realised))
        forgetting = keep_short(database, translator, settings.history)
        await stack.enter_async_context(_in_background(forgetting, "the history"))
        token_watch, attempts = TokenWatch(database), FailedAttempts()
        gate = AgentGate(
            database, token_watch, attempts, needed=settings.agents.asks_for_credentials
        )
        stack.enter_context(
            reloading(certificates, gate.show_certificates_again, reloading_users(users))
        )
        agents = await stack.enter_async_context(
            _watched(settings.agents, agents_tls, agents_admission, realised, gate)
        )
        backend = Backend(
            database,
            LocalController(realised, agents, translator),
            attempts=attempts,
            authentication=settings.api.asks_for_tokens,
            limits=settings.api.limits,
        )
        patience = settings.api.patience
        servers = [
            _HttpServer(
                "the API",
                ApiServer(
                    _uvicorn_config(create_app(backend), api_tls),
                    patience=patience,
                    admission=api_admission,
                ),
                listener,
            )
        ]
        if neutron_listener is not None:
            app = neutron_app(backend, settings.neutron, users)
            server = ApiServer(
                _uvicorn_config(app, neutron_tls), patience=patience, admission=neutron_admission
            )
            servers.append(_HttpServer("the Neutron API", server, neutron_listener))
        stopped = backend.stopping
        await _serve_http(servers, settings, translating, database, ownership, stop, stopped)
    log.info("stopped")


class _HttpServer(NamedTuple):
    """A server of HTTP, and the socket that listens for it."""

    name: str
    server: ApiServer
    listener: socket.socket


async def _serve_http(
    servers: Sequence[_HttpServer],
    settings: ServerSettings,
    translating: asyncio.Task[None],
    database: Database,
    ownership: Ownership,
    stop: asyncio.Event,
    stopped: asyncio.Event,
) -> None:
    """Serve until `stop`, until a server or the translator ends, or the database is lost.

    Sets `stopped` when it begins to end.
    """
    serving = [
        asyncio.create_task(each.server.serve(sockets=[each.listener]), name=each.name)
        for each in servers
    ]
    stopping = asyncio.create_task(stop.wait(), name="stop")
    losing = asyncio.create_task(ownership.lost(), name="the hold on the database")
    log.info(
        "serving",
        api=settings.api.url("http"),
        documentation=settings.api.url("http") + "/docs",
        agents=settings.agents.url("ws"),
        neutron=settings.neutron.url("http") if settings.neutron.enabled else "off",
        tokens="needed" if settings.api.asks_for_tokens else "not needed",
    )
    try:
        await asyncio.wait(
            (*serving, translating, stopping, losing), return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        ended = [task for task in (*serving, translating) if task.done()]
        is_lost = losing.done()
        if is_lost:
            database.end_writes()
        stopped.set()
        for each in servers:
            each.server.end()
        stopping.cancel()
        losing.cancel()
        ending = asyncio.get_running_loop().call_later(GRACE_SECONDS, database.end_writes)
        await asyncio.gather(*serving, stopping, losing, return_exceptions=True)
        ending.cancel()
        database.end_writes()
    if is_lost:
        raise DatabaseLostError(f"this server may not write any more: {losing.result()}")
    for task in ended:
        raise ServiceFailedError(f"{task.get_name()} has ended") from task.exception()


def _uvicorn_config(app: ASGIApp, tls: ssl.SSLContext | None) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    config.load()
    logging.getLogger("uvicorn.error").addFilter(Sparsely())
    # Ours, and not one of its own making: this one can be given another certificate.
    config.ssl = tls
    return config


def _admissions(settings: ServerSettings) -> tuple[Admission, Admission, Admission]:
    """Return what bounds the connections of the API's listener, the agents', and Neutron's."""
    listeners = (("api", settings.api), ("agents", settings.agents), ("neutron", settings.neutron))
    serving = [each for _, each in listeners if each is not settings.neutron or each.enabled]
    share = share_of_connections(sum(each.connection_limit for each in serving))
    api, agents, neutron = (
        Admission(
            name,
            limit=max(1, int(share * each.connection_limit)),
            peer_limit=each.peer_connection_limit,
        )
        for name, each in listeners
    )
    return api, agents, neutron


@contextlib.contextmanager
def _bound(listener: Listener, who: str, admission: Admission) -> Iterator[socket.socket]:
    """The socket of a server, before anything is started that would have to be stopped again."""
    try:
        bound = admission.listen(listener.host, listener.port)
    except OSError as error:
        raise _no_address(who, listener, error) from error
    with bound:
        yield bound


@contextlib.contextmanager
def _database(settings: ServerSettings) -> Iterator[Database]:
    if settings.database_is_embedded:
        upgrade(settings.database_url)
    database = open_database(settings.database_url, limits=settings.api.write_limits)
    try:
        yield database
    finally:
        database.close()


@contextlib.asynccontextmanager
async def _realised(database: Database, listener: AgentListener) -> AsyncIterator[RealisedState]:
    realised = RealisedState(
        Store(database.derived, database.writer),
        takeover=listener.takeover,
        learned_age=listener.learned_age,
    )
    await realised.load()
    try:
        yield realised
    finally:
        await realised.close()


@contextlib.asynccontextmanager
async def _translated(
    database: Database, realised: RealisedState
) -> AsyncIterator[tuple[Translator, asyncio.Task[None]]]:
    translator = Translator(database, realised)
    await translator.start()
    async with _in_background(translator.run(), "the translator") as running:
        yield translator, running


@contextlib.asynccontextmanager
async def _in_background(
    work: Coroutine[Any, Any, None], name: str
) -> AsyncIterator[asyncio.Task[None]]:
    """A task that is cancelled, and has ended, when the block ends."""
    running = asyncio.create_task(work, name=name)
    try:
        yield running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@contextlib.asynccontextmanager
async def _watched(
    listener: AgentListener,
    tls: ssl.SSLContext | None,
    admission: Admission,
    realised: RealisedState,
    gate: AgentGate,
) -> AsyncIterator[WatchServer]:
    server = WatchServer(
        realised,
        gate,
        host=listener.host,
        port=listener.port,
        tls=tls,
        admission=admission,
        lease=listener.lease,
        origins=listener.origins,
        limits=Limits(claims=listener.claim_limit, scopes=listener.scope_limit),
    )
    try:
        await server.start()
    except OSError as error:
        raise _no_address("agents", listener, error) from error
    try:
        yield server
    finally:
        await server.stop()


def _require_tokens_if_exposed(settings: ServerSettings, database: Database) -> None:
    """An API that others reach needs tokens; without any, it could not be used anyway."""
    if not settings.api.asks_for_tokens:
        return
    with database.read() as reader:
        users = [token for token in tokens.every(reader) if token.role != "chassis"]
    if not users:
        raise NoTokensError(
            f"the API at {settings.api.url('http')} asks for tokens and there are none: "
            "run 'treadle token create NAME --role admin' first"
        )


def _no_address(who: str, listener: Listener, error: OSError) -> AddressInUseError:
    reason = os.strerror(error.errno) if error.errno else str(error)
    return AddressInUseError(
        f"cannot listen for {who} on {listener.host} port {listener.port}: {reason}"
    )
