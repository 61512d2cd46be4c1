"""Waiting until a committed change is in force further down."""

import asyncio
import time
from typing import Final

from api.auth import while_token_holds
from api.backend import Backend
from api.errors import Milestone, WaitTimeoutError
from northbound.projects import Scope
from northbound.services import revisions
from northbound.transaction import Reader

_PORTS = "logical_switch_port"

LAST_SECONDS: Final = 1.0
"""For how long a wait goes on once the server stops: mostly what is waited for is under way."""


async def wait_for(
    backend: Backend,
    revision: int,
    milestone: Milestone | None,
    timeout: float,  # noqa: ASYNC109 - part of the answer, not only of the wait
    scope: Scope,
) -> None:
    """Wait until `revision` has reached `milestone`, or raise :class:`WaitTimeoutError`.

    It may be one that is not committed yet. Callers of one project, which `scope` tells, are
    told how many chassis lack it, and not which. A server that stops ends the wait early.
    """
    if milestone is None:
        return
    begin = time.monotonic()
    waiting = asyncio.ensure_future(_wait_for(backend, revision, milestone, timeout, scope))
    stopping = asyncio.ensure_future(backend.stopping.wait())
    try:
        await asyncio.wait((waiting, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            await asyncio.wait((waiting,), timeout=LAST_SECONDS)
        if not waiting.done():
            waited = round(time.monotonic() - begin, 1)
            raise WaitTimeoutError(revision, milestone, waited)
        waiting.result()
    finally:
        waiting.cancel()
        stopping.cancel()
        await asyncio.gather(waiting, stopping, return_exceptions=True)


@while_token_holds
async def _wait_for(
    backend: Backend,
    revision: int,
    milestone: Milestone,
    timeout: float,  # noqa: ASYNC109 - part of the answer, not only of the wait
    scope: Scope,
) -> None:
    deadline = time.monotonic() + timeout

    def left() -> float:
        return max(0.0, deadline - time.monotonic())

    if not await backend.controller.wait_revision(revision, timeout):
        raise WaitTimeoutError(revision, milestone, timeout)
    if milestone == "translated":
        return
    lagging = await backend.controller.wait_applied(revision, left())
    if lagging and scope.confined:
        raise WaitTimeoutError(revision, milestone, timeout, unnamed=len(lagging))
    if lagging:
        raise WaitTimeoutError(revision, milestone, timeout, lagging)
    if milestone == "up":
        down = await backend.controller.wait_up(await _ports_of(backend, revision), left())
        if down:
            raise WaitTimeoutError(revision, milestone, timeout, down)


async def _ports_of(backend: Backend, revision: int) -> list[str]:
    """The ids of the switch ports that a revision made or changed."""

    def work(reader: Reader) -> list[str]:
        return list(revisions.touched(reader, revision, _PORTS))

    return await backend.read(work)
