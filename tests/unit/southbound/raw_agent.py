"""An agent that says whatever a test wants, over a real connection, and notes the answers."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from southbound import wire
from southbound.rows import Chassis, Row
from southbound.vocabulary import Vocabulary
from tests.unit.southbound.agents import until


class RawAgent:
    """Takes all that the server sends, acknowledges nothing."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.heard: list[wire.FromServer] = []
        self.frames: list[bytes] = []
        self.ended = False
        self._reading = asyncio.create_task(self._read())

    async def say(self, *messages: wire.Message) -> None:
        for message in messages:
            await self.socket.send(wire.encode(message))

    async def _read(self) -> None:
        with suppress(ConnectionClosed):
            while True:
                data = await self.socket.recv()
                assert isinstance(data, bytes)
                self.frames.append(data)
                self.heard.append(wire.decode_from_server(data))
        self.ended = True

    @property
    def rows(self) -> list[Row]:
        """All that it was ever sent."""
        updates = [message for message in self.heard if isinstance(message, wire.Update)]
        return [row for update in updates for part in update.parts for row in part.puts]

    @property
    def denied(self) -> list[str]:
        return [message.reason for message in self.heard if isinstance(message, wire.Denied)]

    @property
    def refused(self) -> wire.Refused | None:
        found = [message for message in self.heard if isinstance(message, wire.Refused)]
        return found[0] if found else None

    async def until_ended(self) -> wire.Refused | None:
        """How the server ended it."""
        await until(lambda: self.ended)
        return self.refused


@asynccontextmanager
async def raw_agent(
    port: int,
    name: str,
    *,
    token: str | None = None,
    chassis: Chassis | None = None,
    tls: ssl.SSLContext | None = None,
    origin: str | None = None,
    resume: wire.Resume | None = None,
    vocabulary: Vocabulary | None = None,
    says_hello: bool = True,
) -> AsyncIterator[RawAgent]:
    """A connected agent that has said who it is."""
    secret = f"token-of-{name}" if token is None else token
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    async with connect(
        f"{'wss' if tls else 'ws'}://127.0.0.1:{port}",
        ssl=tls,
        origin=Origin(origin) if origin else None,
        additional_headers=headers,
        compression=None,
        max_size=None,
        proxy=None,
    ) as socket:
        agent = RawAgent(socket)
        if says_hello:
            registered = chassis or Chassis(name)
            instance = f"of {name}"
            await agent.say(wire.Register(wire.PROTOCOL, registered, instance, resume, vocabulary))
        yield agent
