"""The questions that one agent was asked and has not answered yet.

Each has a number of its own, by which its answer is known. A caller may leave
before the answer comes, which is then dropped; if the connection ends, everybody who
still waits is told.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from southbound import wire
from southbound.errors import CannotAnswerError, NotConnectedError
from southbound.questions import Question, Result

MAX_OPEN: Final = 16
"""Questions that wait for one agent at a time: each makes it read its whole switch."""


class Asked(NamedTuple):
    """The message to send, and what will hold the answer."""

    ask: wire.Ask
    answer: asyncio.Future[Result]


class Asking:
    """Belongs to one connection."""

    def __init__(self) -> None:
        self._number = 0
        self._open: dict[int, asyncio.Future[Result]] = {}

    @contextmanager
    def about(self, question: Question) -> Iterator[Asked]:
        """Keeps the question open while the context lasts."""
        if len(self._open) >= MAX_OPEN:
            raise CannotAnswerError(f"{MAX_OPEN} other questions wait for its agent")
        self._number += 1
        number = self._number
        answer = asyncio.get_running_loop().create_future()
        self._open[number] = answer
        try:
            yield Asked(wire.Ask(number, question), answer)
        finally:
            self._open.pop(number, None)
            answer.cancel()

    def answered(self, message: wire.Answer) -> None:
        answer = self._open.get(message.number)
        if answer is None or answer.done():
            return
        if message.result is None:
            answer.set_exception(CannotAnswerError(message.error or "its agent gives no reason"))
        else:
            answer.set_result(message.result)

    def end(self) -> None:
        """The connection is gone."""
        for answer in self._open.values():
            if not answer.done():
                answer.set_exception(NotConnectedError("its connection was lost"))
