"""One connection of a chassis agent, from its registration to its end.

The handshake has shown who the agent is (:mod:`southbound.watch.gate`). It begins with
the agent's :class:`~southbound.wire.Register`, for a chassis that it may be. Then tasks
serve it: one reads what the agent says, one sends updates whenever the session has news
and the socket takes them, and one ends it all when its credentials are no longer good.
"""

import asyncio
import uuid
from collections.abc import Iterator, Sequence

import structlog
from websockets.exceptions import ConnectionClosed

from southbound import present, wire
from southbound.admission import Admission
from southbound.chassis import check_chassis, without_unknown_encaps
from southbound.closed import CLOSED_AGENT
from southbound.errors import (
    ChassisLeftError,
    NotAllowedError,
    NotConnectedError,
    ProtocolError,
    TooOldError,
    WatchRefusedError,
)
from southbound.questions import Question, Result
from southbound.rows import Chassis
from southbound.state import RealisedState
from southbound.tolerant import read_from_agent
from southbound.watch.access import Access
from southbound.watch.asking import Asking
from southbound.watch.dialect import ClosedDialect
from southbound.watch.gate import AgentSocket
from southbound.watch.hearing import Hearing
from southbound.watch.limits import Limits
from southbound.watch.parts import PartCache
from southbound.watch.session import Session
from southbound.watch.sessions import Sessions

log = structlog.get_logger(__name__)

_REGISTER_SECONDS = 10.0
_PROBE_SECONDS = 2.0
_PING_SECONDS = 5.0
_SILENT_SECONDS = 20.0
"""How long a connected agent may leave a ping unanswered."""
_JOIN_BELOW = 64 << 10
_FRAGMENT = 256 << 10
_REFRESHES_PER_AGE = 3
_SHOWN = 64


class Hub:
    """What all connections of a server share. `epoch` names this life of the server."""

    def __init__(
        self,
        state: RealisedState,
        sessions: Sessions,
        parts: PartCache,
        admission: Admission,
        access: Access,
        limits: Limits,
    ) -> None:
        self.epoch = uuid.uuid4().hex
        self.state = state
        self.sessions = sessions
        self.parts = parts
        self.dialect = ClosedDialect(state.feed.get)
        self.closed_parts = PartCache(state.feed, dialect=self.dialect)
        self.admission = admission
        self.access = access
        self.limits = limits
        self.connections: dict[str, AgentConnection] = {}
        self.refusals: dict[str, str] = {}
        """Why the last agent that wanted to be a chassis was turned away, by the chassis' name.

        Of chassis that there are and that are not connected: a name that only a stranger said
        takes no room.
        """

    def note_refusal(self, chassis: str, reason: str) -> None:
        if chassis in self.state.rows(Chassis) and chassis not in self.connections:
            self.refusals[chassis] = reason


class AgentConnection:
    """Serves one WebSocket."""

    def __init__(self, socket: AgentSocket, hub: Hub) -> None:
        self._socket = socket
        host, port = socket.remote_address[:2]  # with TLS, not known any more at the end
        self._peer = f"{host}:{port}"
        self._hub = hub
        self._sessions = hub.sessions
        self._facts = hub.state.facts
        self._asking = Asking()
        self._protocol = wire.PROTOCOL
        self._vocabulary = CLOSED_AGENT
        self._claimed = ""
        """The chassis that the agent says it is."""
        self.instance = ""

    async def serve(self) -> None:
        """Until the agent goes, or is sent away."""
        try:
            register = await self._registration()
            await self._end_others(register)
            self._check_chassis(register)
            session = self._open(register)
            self._hub.admission.settle(self._socket.transport)
            try:
                await self._socket.send(wire.encode(self._hello()))
                await self._talk(session)
            finally:
                self._close(session)
        except ConnectionClosed:
            return
        except ChassisLeftError as left:
            name = str(left)
            log.info("chassis has left: its host takes another name", chassis=name)
            if name not in self._hub.connections:
                self._sessions.forget(name)
                self._facts.remove_chassis(name)
                self._hub.refusals.pop(name, None)
            await self._socket.close()
        except WatchRefusedError as refusal:
            self._hub.note_refusal(self._claimed, str(refusal))
            await self._refuse(refusal.code, str(refusal))
        except ProtocolError as error:
            log.error("agent sent nonsense", peer=self._peer, reason=str(error))
            await self._refuse(wire.REFUSED_MALFORMED, str(error))

    def abort(self) -> None:
        """Drop the connection without waiting for the peer, which may be gone."""
        self._socket.transport.abort()

    async def ask(self, question: Question) -> Result:
        """The agent's answer, however long it takes; raises UnansweredError."""
        if self._protocol < wire.QUESTIONS:
            raise TooOldError(
                f"its protocol is {self._protocol}, questions came with {wire.QUESTIONS}"
            )
        kind = question.__struct_config__.tag
        if kind not in self._vocabulary.questions:
            raise TooOldError(f"it doesn't know questions of the kind {kind!r}")
        with self._asking.about(question) as (ask, answer):
            try:
                await self._socket.send(wire.encode(ask))
            except ConnectionClosed:
                raise NotConnectedError("its connection was lost") from None
            return await answer

    async def is_alive(self) -> bool:
        """Whether the agent answers, and soon."""
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                await (await self._socket.ping())
        except (ConnectionClosed, TimeoutError):
            return False
        return True

    # --- registration

    async def _registration(self) -> wire.Register:
        """The first message, if it is one that we accept."""
        try:
            async with asyncio.timeout(_REGISTER_SECONDS):
                message = wire.decode_from_agent(await self._receive())
        except TimeoutError:
            raise ProtocolError("no registration came") from None
        if not isinstance(message, wire.Register):
            raise ProtocolError("the first message has to be a registration")
        self._claimed = message.chassis.name
        if not wire.OLDEST_AGENT <= message.protocol <= wire.PROTOCOL:
            raise WatchRefusedError(
                wire.REFUSED_PROTOCOL,
                f"this server speaks protocols {wire.OLDEST_AGENT} to {wire.PROTOCOL}, "
                f"the agent {message.protocol}",
            )
        fault = message.vocabulary.fault() if message.vocabulary else ""
        if fault:
            raise ProtocolError(fault)
        try:
            check_chassis(message.chassis)
        except NotAllowedError as error:
            raise self._refused_chassis(message, error) from error
        try:
            self._socket.identity.check(message.chassis)
        except NotAllowedError as error:
            log.warning("agent is not its chassis", peer=self._peer, reason=str(error))
            raise WatchRefusedError(wire.REFUSED_TOKEN, str(error)) from error
        return message

    async def _end_others(self, register: wire.Register) -> None:
        """End an earlier connection of the same agent; refuse if it is of another, live one.

        When this returns there is none. The caller opens the session without
        awaiting anything in between, so that two newcomers can't both pass.
        """
        name = register.chassis.name
        connections = self._hub.connections
        while (other := connections.get(name)) is not None:
            if other.instance != register.instance and await other.is_alive():
                log.error("two agents with the same system-id", chassis=name, second=self._peer)
                raise WatchRefusedError(
                    wire.REFUSED_IN_USE,
                    f"another agent is connected as chassis {name!r}: two hosts have the same "
                    "system-id, or two agents run on one host",
                )
            other.abort()
            if connections.get(name) is other:
                del connections[name]

    def _check_chassis(self, register: wire.Register) -> None:
        try:
            self._facts.check_chassis(without_unknown_encaps(register.chassis).row)
        except NotAllowedError as error:
            raise self._refused_chassis(register, error) from error

    def _refused_chassis(
        self, register: wire.Register, error: NotAllowedError
    ) -> WatchRefusedError:
        name = register.chassis.name[:_SHOWN]
        log.error("chassis refused", chassis=name, peer=self._peer, reason=str(error))
        return WatchRefusedError(wire.REFUSED_CHASSIS, str(error))

    def _open(self, register: wire.Register) -> Session:
        hub, resume = self._hub, register.resume
        if resume is not None:
            hub.limits.check_scopes(len(resume.scopes))
        name = register.chassis.name
        parts = hub.closed_parts if register.vocabulary is None else hub.parts
        session = Session(name, hub.state.feed, parts, lambda scope: hub.access.allows(name, scope))
        session.is_open = register.vocabulary is not None
        self._vocabulary = register.vocabulary or CLOSED_AGENT
        session.lacks = tuple(self._vocabulary.lacking(present.AGENT))
        if resume is not None:
            known = (
                register.protocol >= wire.CONFINED
                and resume.epoch == hub.epoch
                and 0 <= resume.position <= hub.state.feed.position
            )
            session.resume(resume.position if known else None, resume.scopes)
        self.instance, self._protocol = register.instance, register.protocol
        hub.connections[session.chassis] = self
        hub.refusals.pop(session.chassis, None)
        self._sessions.open(session)
        usable = without_unknown_encaps(register.chassis)
        for kind in usable.unknown:
            session.skipped.note(f"tunnels of type {kind}")
        self._facts.connected(usable.row)
        log.info("agent connected", chassis=session.chassis, peer=self._peer)
        return session

    def _close(self, session: Session) -> None:
        if self._hub.connections.get(session.chassis) is self:
            del self._hub.connections[session.chassis]
        self._asking.end()
        self._sessions.disconnected(session)
        log.info("agent disconnected", chassis=session.chassis, peer=self._peer)

    def _hello(self) -> wire.Hello:
        refresh = self._facts.learned_age / _REFRESHES_PER_AGE
        return wire.Hello(self._protocol, self._hub.epoch, refresh, present.SERVER)

    # --- both directions

    async def _talk(self, session: Session) -> None:
        hearing = Hearing(
            session,
            self._sessions,
            self._facts,
            self._hub.state.hits,
            self._asking,
            lambda message: self._socket.send(wire.encode(message)),
            self._hub.limits,
        )

        async def read() -> None:
            while True:
                message = await self._receive()
                session.heard_at = self._facts.now()
                known = read_from_agent(message, session.skipped)
                await (hearing.skip() if known is None else hearing.take(known))

        async def write() -> None:
            while True:
                await session.news.wait()
                if session.news.is_set():  # and not only was when it woke us
                    await self._send(session.compose(self._hub.state.revision))

        async def end_with_credentials() -> None:
            reason = await self._socket.identity.ended()
            log.warning("credentials ended", chassis=session.chassis, reason=reason)
            raise WatchRefusedError(wire.REFUSED_TOKEN, reason)

        tasks = [
            asyncio.create_task(read()),
            asyncio.create_task(write()),
            asyncio.create_task(self._keep_alive(session)),
            asyncio.create_task(end_with_credentials()),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_alive(self, session: Session) -> None:
        """Take note that the agent is there, until it no longer is."""
        session.heard_at = self._facts.now()
        try:
            while True:
                await asyncio.sleep(_PING_SECONDS)
                async with asyncio.timeout(_SILENT_SECONDS):
                    await (await self._socket.ping())
                session.heard_at = self._facts.now()
        except TimeoutError:
            log.warning("agent is silent", chassis=session.chassis, seconds=_SILENT_SECONDS)
            self.abort()

    async def _receive(self) -> bytes:
        try:
            data = await self._socket.recv()
        except UnicodeDecodeError:
            raise ProtocolError("a text message, and not even that") from None
        if isinstance(data, str):
            raise ProtocolError("a text message")
        return data

    async def _send(self, pieces: Sequence[bytes]) -> None:
        """Small updates go as one frame; of large ones, no second copy is made."""
        if sum(map(len, pieces)) < _JOIN_BELOW:
            await self._socket.send(b"".join(pieces))
        else:
            await self._socket.send(_fragments(pieces))

    async def _refuse(self, code: str, reason: str) -> None:
        try:
            await self._socket.send(wire.encode(wire.Refused(code, reason)))
            await self._socket.close(1008, code)
        except ConnectionClosed:
            return


def _fragments(pieces: Sequence[bytes]) -> Iterator[bytes | memoryview]:
    """Of about one size: small pieces are joined, large ones are cut without a copy."""
    small: list[bytes] = []
    size = 0
    for piece in pieces:
        if size + len(piece) > _FRAGMENT:
            yield b"".join(small)
            small, size = [], 0
        if len(piece) > _FRAGMENT:
            view = memoryview(piece)
            for start in range(0, len(view), _FRAGMENT):
                yield view[start : start + _FRAGMENT]
        else:
            small.append(piece)
            size += len(piece)
    yield b"".join(small)
