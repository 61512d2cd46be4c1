"""HTTP connections that end when their peers take too long.

Uvicorn waits for as long as a peer likes: for a header, for a body, for what was sent to
be read. Each of these has its time here. A timer runs from the moment a step begins, and
what trickles in meanwhile doesn't prolong it.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any, Literal, NamedTuple

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from southbound.admission import Admission

_SECONDS_BETWEEN_LINES = 1.0

_Step = Literal["header", "body", "answer"]


class Patience(NamedTuple):
    """For how many seconds a connection waits for its peer."""

    header: float
    """For a request, from the beginning or the end of the one before to the end of its header."""
    body: float
    """For the rest of a request."""
    reading: float
    """For the peer to read any of what it was sent, once as much lies there as is kept."""


class DateClock:
    """The second that the header ``Date`` of answers says; one for all connections."""

    seconds = 0


class ImpatientProtocol(H11Protocol):
    """Uvicorn's protocol with time limits; settled while a request is answered."""

    def __init__(
        self,
        *arguments: Any,
        patience: Patience,
        admission: Admission,
        clock: DateClock,
        **more: Any,
    ) -> None:
        super().__init__(*arguments, **more)
        self._clock = clock
        self._patience = patience
        self._admission = admission
        self._step: tuple[_Step, object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._timer, self._unread):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        self._keep_date()
        super().handle_events()
        self._look()

    def _keep_date(self) -> None:
        """Let answers say what time it is. Uvicorn has a timer for that, ten times a second."""
        now = int(time.time())
        if now != self._clock.seconds:
            self._clock.seconds = now
            date = (b"date", formatdate(now, usegmt=True).encode())
            self.server_state.default_headers = [date, *self.config.encoded_headers]

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(self._patience.reading, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _look(self) -> None:
        """Begin to wait for what comes next, unless that is what is waited for already."""
        step: _Step = "header"
        if self.cycle is not None and self.cycle.more_body:
            step = "body"
        elif self.cycle is not None and not self.cycle.response_complete:
            step = "answer"
        if self._step == (step, self.cycle):
            return
        self._step = (step, self.cycle)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._admission.settle(self.transport, step == "answer")
        if step != "answer":
            seconds = self._patience.header if step == "header" else self._patience.body
            self._timer = self.loop.call_later(seconds, self.transport.abort)


class ApiServer(uvicorn.Server):
    """Uvicorn without what the server process does itself: signals and listening."""

    def __init__(self, config: uvicorn.Config, *, patience: Patience, admission: Admission) -> None:
        super().__init__(config)
        self._patience = patience
        self._admission = admission
        self._ending = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing: ours stop everything in order."""
        yield

    def end(self) -> None:
        """Answer what was asked, then end :meth:`serve`."""
        self.should_exit = True
        self._ending.set()

    async def main_loop(self) -> None:
        """Wait for the end, where Uvicorn looks for it ten times a second."""
        await self._ending.wait()

    async def startup(self, sockets: Any = None) -> None:
        """Take connections from `sockets`, which listen already."""

        clock = DateClock()

        def make_protocol() -> ImpatientProtocol:
            return ImpatientProtocol(
                config=self.config,
                server_state=self.server_state,
                app_state=self.lifespan.state,
                patience=self._patience,
                admission=self._admission,
                clock=clock,
            )

        loop, tls = asyncio.get_running_loop(), self.config.ssl
        self.servers = [
            await loop.create_server(
                make_protocol,
                sock=sock,
                backlog=self.config.backlog,
                ssl=tls,
                ssl_handshake_timeout=None if tls is None else self._patience.header,
            )
            for sock in sockets
        ]
        self.started = True


class Sparsely(logging.Filter):
    """Lets warnings of a library through once a second: each bad request causes one."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno > logging.WARNING:
            return True
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + _SECONDS_BETWEEN_LINES
        return True
