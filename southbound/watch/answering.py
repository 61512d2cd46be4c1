"""The agent's answers to what the server asks, given beside everything else that it does.

Questions are answered one after the other: each may read the whole switch. An answer that
is too long, or that could not be found, becomes an answer that says so. What was asked
over a connection that is gone is dropped with it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import structlog

from southbound import wire
from southbound.errors import CannotAnswerError
from southbound.questions import Question, Result

log = structlog.get_logger(__name__)

Answerer: TypeAlias = Callable[[Question], Awaitable[Result]]
"""Finds the answer, or raises CannotAnswerError."""

MAX_ANSWER: Final = 4 << 20
"""Bytes of one answer: well below what the server takes for a message."""


class Answering:
    """The questions of one connection; `send` takes the answers."""

    def __init__(self, answerer: Answerer | None, send: Callable[[wire.Message], None]) -> None:
        self._answerer = answerer
        self._send = send
        self._asked: asyncio.Queue[wire.Ask] = asyncio.Queue()

    def take(self, ask: wire.Ask) -> None:
        self._asked.put_nowait(ask)

    async def run(self) -> None:
        """Until cancelled, which is when the connection ends."""
        while True:
            ask = await self._asked.get()
            answer = await self._answer(ask)
            size = len(wire.encode(answer))
            if size > MAX_ANSWER:
                answer = wire.Answer(ask.number, None, f"the answer is too long: {size} bytes")
            self._send(answer)

    async def _answer(self, ask: wire.Ask) -> wire.Answer:
        if self._answerer is None:
            return wire.Answer(ask.number, None, "this agent answers no questions")
        try:
            return wire.Answer(ask.number, await self._answerer(ask.question))
        except CannotAnswerError as error:
            return wire.Answer(ask.number, None, str(error))
        except Exception as error:
            # The server that asked is told, too; the connection carries rows and has to go on.
            log.exception("question failed", question=type(ask.question).__name__)
            return wire.Answer(ask.number, None, f"{type(error).__name__}: {error}")
