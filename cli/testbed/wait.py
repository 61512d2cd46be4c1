"""Wait for a fact, never for a time."""

import time
from collections.abc import Callable

from cli.testbed.errors import NotReadyError


def until(condition: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    """Return as soon as `condition` is true.

    Raises :class:`NotReadyError`, naming `what`, when it is not true within
    `seconds`. Errors that `condition` raises pass through: a condition decides
    itself what "not yet" is.
    """
    deadline = time.monotonic() + seconds
    pause = 0.002
    while not condition():
        if time.monotonic() > deadline:
            raise NotReadyError(f"{what}: not ready within {seconds:g} s")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
