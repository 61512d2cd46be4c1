"""The agent's end of the watch: rows in, facts out, over a connection that comes and goes.

A :class:`WatchClient` keeps what its user asked for (:mod:`southbound.watch.wishes`) and says
it again to the server after each reconnect. What the server sends gathers in an
:mod:`~southbound.watch.inbox`, what is to be said in an :mod:`~southbound.watch.outbox`.
"""

import asyncio
import errno
import ssl
import uuid
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from southbound import present, wire
from southbound.errors import ProtocolError, WatchRefusedError
from southbound.questions import GroupHits
from southbound.rows import Chassis, Row, RowId
from southbound.tolerant import ForAgent, Skipped, UnknownQuestion, read_from_server
from southbound.vocabulary import Vocabulary
from southbound.watch.answering import Answerer, Answering
from southbound.watch.backoff import Backoff
from southbound.watch.cache import CachedChange, CachedRows, RowCache
from southbound.watch.inbox import Batch, Inbox
from southbound.watch.outbox import Outbox
from southbound.watch.wishes import Source, Wishes

log = structlog.get_logger(__name__)

_CACHE_SECONDS = 3.0
_LEAVE_SECONDS = 2.0
_DENIALS = 32
_LONGEST_REASON = 300


class WatchClient:
    """One agent's rows, kept current. Belongs to one event loop.

    `run` connects and reconnects until it is cancelled; another task reads `next_batch`,
    applies what it got to its switch and then calls `acknowledge`. While that task is
    busy, changes gather into one next batch (the last state of each row), not a queue.
    """

    def __init__(
        self,
        address: str,
        chassis: Chassis,
        *,
        token: str = "",
        tls: Callable[[], ssl.SSLContext] | None = None,
        cache: RowCache | None = None,
        answerer: Answerer | None = None,
        backoff: Backoff | None = None,
        cache_delay: float = _CACHE_SECONDS,
        vocabulary: Vocabulary | None = present.AGENT,
    ) -> None:
        """`address` is ``ws://host:port`` or ``wss://host:port``.

        `tls` makes the context of each connection, so that renewed certificates are taken.
        `answerer` answers what the server asks about the switch. `vocabulary` is what this
        agent understands; None leaves it out, as agents did before they were open.
        """
        self._address = address
        self._chassis = chassis
        self._credentials = {"Authorization": f"Bearer {token}"} if token else {}
        self._tls = tls
        self._cache = cache
        self._answerer = answerer
        self._cache_delay = cache_delay
        self._vocabulary = vocabulary
        self._backoff = backoff or Backoff()
        self._instance = uuid.uuid4().hex
        self._wishes = Wishes()
        self._inbox = Inbox(chassis.name)
        self._outbox = Outbox()
        self._cache_due = asyncio.Event()
        self._socket: ClientConnection | None = None
        self._last_error = "not connected yet"
        self._left = False
        self._is_down = False
        self._denials: dict[str, int] = {}
        self._skipped = Skipped()
        self.learned_refresh = 0.0
        """Seconds after which to report a learned address again; 0 until the server said."""
        if cache is not None and (cached := cache.load()) is not None:
            self._inbox.use(cached)

    # --- what the user reads

    @property
    def connected(self) -> bool:
        return self._socket is not None

    @property
    def last_error(self) -> str:
        """Why the connection is away, or was refused; empty while connected."""
        return self._last_error

    @property
    def denials(self) -> Mapping[str, int]:
        """What the server denied last, each reason with how often, the latest last."""
        return MappingProxyType(self._denials)

    @property
    def skipped(self) -> Mapping[str, int]:
        """What the server sent that this agent doesn't know, and how often."""
        return self._skipped.counts

    @property
    def unsent(self) -> Mapping[str, int]:
        """What this agent has to say that the server is too old to take, and how often."""
        return self._outbox.unsent

    @property
    def revision(self) -> int:
        """The northbound revision that the server's last update realises."""
        return self._inbox.revision

    @property
    def rows(self) -> Mapping[RowId, Row]:
        """All rows of the subscribed scopes, as of the last batch taken."""
        return self._inbox.rows

    @property
    def in_sync(self) -> frozenset[str]:
        """As in the last batch taken, without scopes that were left since.

        A user that keeps batches for later goes by the batch that it applied last instead.
        """
        return self._inbox.in_sync

    @property
    def subscriptions(self) -> frozenset[str]:
        return frozenset(self._wishes.subscriptions.scopes)

    async def next_batch(self) -> Batch:
        """The next changes; waits for some. May be of no rows: scopes came in sync."""
        return await self._inbox.next_batch()

    def acknowledge(self, batch: Batch) -> None:
        """What `batch` asked for is in the switch (or concerned nothing there).

        Subscribe to scopes that a batch calls for before acknowledging it: a waiter for
        the revision then waits for their rows, too.

        A port may have been bound elsewhere for a moment, or deleted and made again, between
        two batches, so that its user sees no difference. The server does, and takes it for
        down: it is told again.
        """
        for port in sorted(self._inbox.take_down() & self._wishes.ups):
            self._send(wire.PortUp(port, True))
        if batch.serial and batch.connection == self._inbox.connections:
            self._send(wire.Acknowledge(batch.serial))

    # --- what the user asks for

    def subscribe(self, scopes: Iterable[str]) -> None:
        subscriptions = self._wishes.subscriptions
        new = [scope for scope in scopes if scope not in subscriptions.scopes]
        if not new:
            return
        for scope in new:
            self._inbox.enter(scope)
        self._send(subscriptions.add(new))

    def unsubscribe(self, scopes: Iterable[str]) -> None:
        """The rows that no other subscribed scope holds leave with the next batch."""
        subscriptions = self._wishes.subscriptions
        gone = [scope for scope in scopes if scope in subscriptions.scopes]
        if not gone:
            return
        self._inbox.leave(gone)
        self._send(subscriptions.remove(gone))

    def set_chassis(self, chassis: Chassis) -> None:
        """The host's encapsulations or names changed: registers anew."""
        if chassis != self._chassis:
            self._chassis = chassis
            if self._socket is not None:
                self._socket.transport.abort()

    def claim_only(self, ports: Iterable[str]) -> None:
        """All ports with an interface here; call it once the switch's database is read.

        Until it is called for the first time, claims that the server knows from earlier
        stay as they are.
        """
        self._send(self._wishes.claim_only(ports))

    def claim(self, port: str) -> None:
        """An interface for `port` was plugged in."""
        self._send(self._wishes.claim(port))

    def release(self, port: str) -> None:
        self._send(self._wishes.release(port))

    def set_up(self, port: str, up: bool) -> None:
        """The flows of `port` are in the switch (or no longer). Call when bound here."""
        self._send(self._wishes.set_up(port, up))

    def learned_mac(self, port: str, ip: str, mac: str) -> None:
        """A neighbour of a router port was seen. Lost if the server is away: packets go on."""
        self._send(wire.LearnedMac(port, ip, mac))

    def learned_fdb(self, port: str, mac: str) -> None:
        """A source address was seen on a switch port. Lost if the server is away."""
        self._send(wire.LearnedFdb(port, mac))

    def count(self, values: Mapping[str, int]) -> None:
        """The agent's counters, for the server to show."""
        self._send(wire.Counters(dict(values)))

    def tell_hits(self, hits: tuple[GroupHits, ...]) -> None:
        """Counters of ACLs went up."""
        self._send(wire.AclHits(hits))

    def tell(self, source: Source) -> None:
        """What `source` makes is news to the server: it is told, and told again on reconnecting.

        The message is made when it can be sent, so news that come fast are told as one.
        """
        self._wishes.sources[source] = None
        if self._socket is not None:
            self._outbox.add_source(source)

    async def leave(self) -> None:
        """The host takes another name: have the chassis forgotten, if the server is there.

        Afterwards there is no connection, and none is made any more. A server that can't be
        told notices when the lease of the chassis is over.
        """
        self._left = True
        socket = self._socket
        if socket is None:
            return
        try:
            async with asyncio.timeout(_LEAVE_SECONDS):
                await socket.send(wire.encode(wire.Leave()))
                await socket.wait_closed()
        except (TimeoutError, ConnectionClosed):
            socket.transport.abort()

    # --- the connection

    async def run(self) -> None:
        """Connect, and again whenever the connection is lost, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            if self._cache is not None:
                tasks.create_task(self._save_cache(self._cache))
            while not self._left:
                await self._connect()
                await asyncio.sleep(self._backoff.delay(is_down=self._is_down))

    async def _connect(self) -> None:
        self._is_down = False
        try:
            async with connect(
                self._address,
                additional_headers=self._credentials,
                ssl=self._tls() if self._tls else None,
                compression=None,
                max_size=None,
                proxy=None,
                open_timeout=10,
                close_timeout=1,
                ping_interval=10,
                ping_timeout=20,
            ) as socket:
                await self._session(socket)
        except WatchRefusedError as refusal:
            self._backoff.exhaust()
            self._last_error = f"refused: {refusal}"
            log.error("the server refused this agent", code=refusal.code, reason=str(refusal))
        except InvalidStatus as answer:
            self._note_refusal(answer)
        except (OSError, WebSocketException, TimeoutError, ProtocolError) as error:
            self._is_down = _is_refusal(error)
            before, self._last_error = self._last_error, f"{type(error).__name__}: {error}"
            if self._last_error != before:
                log.warning("no connection to the server", server=self._address, reason=str(error))

    def _note_refusal(self, answer: InvalidStatus) -> None:
        """The handshake was answered with a status of HTTP, and perhaps a reason."""
        status, body = answer.response.status_code, answer.response.body or b""
        lines = body.decode("utf-8", "replace").strip().splitlines()
        reason = lines[0][:_LONGEST_REASON] if lines else f"HTTP {status}"
        self._backoff.exhaust()
        self._last_error = f"refused: {reason}"
        log.error("the server refused this agent", code=status, reason=reason)

    async def _session(self, socket: ClientConnection) -> None:
        if self._left:
            return
        resume = self._inbox.resume()
        register = wire.Register(
            wire.PROTOCOL, self._chassis, self._instance, resume, self._vocabulary
        )
        await socket.send(wire.encode(register))
        hello = await self._receive(socket)
        if not isinstance(hello, wire.Hello):
            raise ProtocolError("the server did not say hello")
        self.learned_refresh = hello.learned_refresh
        if hello.epoch != self._inbox.epoch:
            self._skipped.clear()
        self._inbox.connected()
        self._socket, self._last_error = socket, ""
        resumed = frozenset(resume.scopes) if resume else frozenset()
        wishes = self._wishes.repeated(resumed, self._inbox.based)
        self._outbox.begin(hello.vocabulary, wishes)
        log.info("connected", server=self._address)
        answering = Answering(self._answerer, self._send)
        tasks = [
            asyncio.create_task(self._read(socket, hello.epoch, answering)),
            asyncio.create_task(self._outbox.write(socket)),
            asyncio.create_task(answering.run()),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._socket = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _send(self, message: wire.Message | None) -> None:
        """Wishes are repeated on connecting; all else is only for the present connection."""
        if message is not None and self._socket is not None:
            self._outbox.add(message)

    async def _read(self, socket: ClientConnection, epoch: str, answering: Answering) -> None:
        while True:
            match await self._receive(socket):
                case None:
                    log.warning(
                        "a message that this agent doesn't know", skipped=str(self._skipped)
                    )
                case wire.Update() as update:
                    self._apply(epoch, update)
                    self._backoff.reset()
                case wire.Ask() as ask:
                    answering.take(ask)
                case UnknownQuestion(number, kind):
                    reason = f"this agent doesn't know questions of the kind {kind!r}"
                    self._send(wire.Answer(number, None, reason))
                case wire.Denied(reason):
                    self._note_denial(reason)
                case message:
                    raise ProtocolError(f"unexpected {type(message).__name__}")

    async def _receive(self, socket: ClientConnection) -> ForAgent | None:
        """The next message; None for one that this agent doesn't know."""
        data = await socket.recv()
        if isinstance(data, str):
            raise ProtocolError("a text message")
        message = read_from_server(data, self._skipped)
        if isinstance(message, wire.Refused):
            raise WatchRefusedError(message.code, message.reason)
        return message

    def _note_denial(self, reason: str) -> None:
        """What is said again and again is logged once."""
        if reason not in self._denials:
            log.warning("the server denied a write", reason=reason)
        self._denials[reason] = self._denials.pop(reason, 0) + 1
        while len(self._denials) > _DENIALS:
            del self._denials[next(iter(self._denials))]

    def _apply(self, epoch: str, update: wire.Update) -> None:
        def accepts(scope: str) -> bool:
            return self._wishes.subscriptions.accepts(scope, update.heard)

        self._inbox.apply(epoch, update, accepts)
        self._cache_due.set()

    # --- the cache

    async def _save_cache(self, cache: RowCache) -> None:
        """Saves a while after an update, so that many are saved at once; and when stopped."""
        try:
            while True:
                await self._cache_due.wait()
                await asyncio.sleep(self._cache_delay)
                self._cache_due.clear()
                unsaved = self._inbox.to_cache() if cache.is_long else self._inbox.take_unsaved()
                try:
                    saved = await asyncio.to_thread(_save, cache, unsaved)
                except asyncio.CancelledError:
                    self._cache_due.set()
                    raise
                if not saved:
                    self._inbox.save_all_next()
        finally:
            # A start without the server would take back what came since the last save.
            if self._cache_due.is_set():
                _save(cache, self._inbox.to_cache())


def _save(cache: RowCache, unsaved: CachedRows | tuple[CachedChange, ...]) -> bool:
    """Save all rows, or what has changed of them; whether that could be done."""
    try:
        if isinstance(unsaved, CachedRows):
            cache.save(unsaved)
        else:
            cache.add(unsaved)
    except OSError as error:
        log.error("row cache not saved", reason=str(error))
        return False
    return True


def _is_refusal(error: Exception) -> bool:
    """Whether none of the server's addresses takes connections."""
    if isinstance(error, ConnectionRefusedError):
        return True
    # asyncio tells of several addresses, of which each refused, in words alone.
    attempts = str(error).count("Connect call failed")
    refusals = str(error).count(f"[Errno {errno.ECONNREFUSED}]")
    return isinstance(error, OSError) and 0 < attempts == refusals
