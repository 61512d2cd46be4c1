"""What breaks a verb off: the runtime, and a step that doesn't heed the deadline.

Reading the configuration and resolving a name are such steps. Cleaning up what a verb has made is
broken off by the runtime no more, and has a time of its own.
"""

import signal
from types import FrameType

from integrations.deadline import TimeLimitError

_GRACE = 2
"""Seconds after the deadline, which most steps heed themselves."""


class InterruptedByRuntimeError(Exception):
    """The runtime asked the plugin to end."""


def limit(seconds: float) -> None:
    """From now on break off what takes longer than this, and what the runtime wants to end.

    Raises there, once, ``TimeLimitError`` or :class:`InterruptedByRuntimeError`.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)
    _limit_time(seconds)


def limit_cleanup(seconds: float) -> None:
    """From now on break off what takes longer than this, and heed the runtime no more."""
    _ignore_runtime()
    _limit_time(seconds)


def _limit_time(seconds: float) -> None:
    signal.signal(signal.SIGALRM, _run_out)
    signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE)


def _ignore_runtime() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    signal.setitimer(signal.ITIMER_REAL, 0)
    _ignore_runtime()
    raise InterruptedByRuntimeError


def _run_out(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    _ignore_runtime()
    raise TimeLimitError("a step took longer than there was time for all")
