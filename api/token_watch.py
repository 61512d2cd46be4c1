"""Tells when a token ends, to those who go on for longer than a request.

Tokens are revoked by any process that can open the database, so the only way to know is to
look: once a second whether anything was committed, and if so one query for all tokens that are
followed; nothing while none is.
A database that can't be asked ends no token, since that would cut off every agent with it;
that is logged, and asked again.
"""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import structlog

from northbound import tokens
from northbound.database import Database
from northbound.errors import DatabaseError
from northbound.tokens import Token

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 1.0

REVOKED: Final = "the token was revoked"
EXPIRED: Final = "the token has expired"


class TokenWatch:
    """Belongs to one event loop. Looks while there are followers."""

    def __init__(self, database: Database, *, every: float = LOOK_SECONDS) -> None:
        self._database = database
        self._every = every
        self._followers: dict[str, set[asyncio.Future[str]]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._looked: object = None
        self._expiries: dict[str, datetime | None] = {}

    async def ended(self, token: Token) -> str:
        """Wait until the token is revoked or has expired; returns which of the two."""
        end: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._followers.setdefault(token.id, set()).add(end)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look_again_and_again(), name="token watch")
        try:
            return await end
        finally:
            followers = self._followers[token.id]
            followers.discard(end)
            if not followers:
                del self._followers[token.id]
            if not self._followers and self._looking is not None:
                self._looking.cancel()
                self._looking = None

    async def _look_again_and_again(self) -> None:
        with suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(self._every)
                try:
                    await self._look()
                except DatabaseError as error:
                    log.error("cannot look whether tokens were revoked", reason=str(error))

    async def _look(self) -> None:
        followed = list(self._followers)
        version = self._database.probe.version()
        if version != self._looked:
            self._expiries = await asyncio.to_thread(self._read)
            self._looked = version
        expiries = self._expiries
        now = datetime.now(UTC)
        for token in followed:
            if token not in expiries:
                self._end(token, REVOKED)
            elif (expires_at := expiries[token]) is not None and expires_at <= now:
                self._end(token, EXPIRED)

    def _read(self) -> dict[str, datetime | None]:
        with self._database.read() as reader:
            return tokens.expiries(reader)

    def _end(self, token: str, reason: str) -> None:
        for end in self._followers.get(token, ()):
            if not end.done():
                end.set_result(reason)
