"""Interruption of a command that makes a lab: Ctrl-C, a request to end, a closed terminal.

The first signal becomes an exception, so that what was made is taken down on the way
out. Those that follow are ignored: taking down is not to be cut short, and it ends by
itself, since no process is waited for without limit.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """The user, init or a terminal that went away asked the command to end."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number
        """As shells tell of a process that a signal ended."""


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Do something to its end, whatever signals come."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first signal into :class:`Interrupted`; one that was ignored stays ignored."""

    def interrupt(number: int, _frame: FrameType | None) -> None:
        for each in heeded:
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(number)

    heeded = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
