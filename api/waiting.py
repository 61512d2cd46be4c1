"""Waiting until a committed change is in force further down."""

import time

from api.backend import Backend
from api.errors import Milestone, WaitTimeoutError


async def wait_for(
    backend: Backend,
    revision: int,
    milestone: Milestone | None,
    timeout: float,  # noqa: ASYNC109 - part of the answer, not only of the wait
) -> None:
    """Until `revision` has reached `milestone`, or raise :class:`WaitTimeoutError`."""
    if milestone is None:
        return
    deadline = time.monotonic() + timeout
    if not await backend.realised.wait_revision(revision, timeout):
        raise WaitTimeoutError(revision, milestone, timeout)
    if milestone == "chassis":
        left = max(0.0, deadline - time.monotonic())
        lagging = await backend.agents.wait_applied(revision, left)
        if lagging:
            raise WaitTimeoutError(revision, milestone, timeout, lagging)
