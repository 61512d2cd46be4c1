"""What an agent has to say over the present connection, in order."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

from websockets.asyncio.client import ClientConnection

from southbound import wire
from southbound.closed import CLOSED_SERVER
from southbound.tolerant import Skipped
from southbound.vocabulary import Vocabulary
from southbound.watch.wishes import Source

MAX_WAITING: Final = 8192
"""How many messages may wait before what was learned is no longer added: packets go on."""


class Outbox:
    """Messages on their way. A source's message is made when it can be sent."""

    def __init__(self) -> None:
        self._messages: deque[wire.Message | Source] = deque()
        self._due = asyncio.Event()
        self._unsent = Skipped()
        self._server_takes = frozenset(CLOSED_SERVER.messages)

    @property
    def unsent(self) -> Mapping[str, int]:
        """What the server is too old to take, and how often there was such a thing to say."""
        return self._unsent.counts

    def begin(
        self, vocabulary: Vocabulary | None, messages: Iterable[wire.Message | Source]
    ) -> None:
        """A new connection, to a server of that vocabulary, begins with these messages."""
        self._server_takes = frozenset((vocabulary or CLOSED_SERVER).messages)
        self._unsent.clear()
        self._messages.clear()
        for message in messages:
            if isinstance(message, wire.Message):
                self.add(message)
            else:
                self.add_source(message)
        self._due.set()

    def add(self, message: wire.Message) -> None:
        """Say something; what a server doesn't take is counted instead."""
        if not self._is_taken(message):
            return
        learned = isinstance(message, wire.LearnedMac | wire.LearnedFdb)
        if learned and len(self._messages) >= MAX_WAITING:
            return
        self._messages.append(message)
        self._due.set()

    def add_source(self, source: Source) -> None:
        """Say what `source` makes, once however often it is added before that."""
        if source not in self._messages:
            self._messages.append(source)
            self._due.set()

    async def write(self, socket: ClientConnection) -> None:
        """Send what there is and what comes, until cancelled or the connection is lost."""
        while True:
            await self._due.wait()
            self._due.clear()
            while self._messages:
                due = self._messages.popleft()
                if isinstance(due, wire.Message):
                    await socket.send(wire.encode(due))
                    continue
                message = due()
                if self._is_taken(message):
                    await socket.send(wire.encode(message))

    def _is_taken(self, message: wire.Message) -> bool:
        kind = message.__struct_config__.tag
        if kind in self._server_takes:
            return True
        self._unsent.note(f"messages {kind}")
        return False
