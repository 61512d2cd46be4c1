"""Answers wrong credentials late, the later the more of them come from one address."""

import asyncio
import time

from starlette.requests import Request

from northbound.attempts import FailedAttempts


class Slowing:
    """What failed is counted in `attempts`, which listeners of one server have in common."""

    def __init__(self, attempts: FailedAttempts) -> None:
        self._attempts = attempts

    async def slow_down(self, request: Request) -> None:
        """Wait as long as a request with wrong credentials has to."""
        peer = request.client.host if request.client else ""
        await asyncio.sleep(self._attempts.failed(peer, time.monotonic()))
