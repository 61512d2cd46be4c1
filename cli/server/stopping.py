"""Stopping when a signal says so: in order, and at all events in the end.

First requests have their time to finish, then transactions that are still at work are told
to end. What does not listen even then (a thread that computes, a disk that hangs) is not
waited for: the process ends, and transactions that were not committed have never been.
"""

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

import structlog

log = structlog.get_logger(__name__)

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
GRACE_SECONDS = 5
"""How long requests may take to end once the server is told to stop."""
LAST_SECONDS = 20
"""After which the process ends whatever it does; systemd is set to wait for 30."""


@contextlib.contextmanager
def stopping_on_signals(stop: asyncio.Event) -> Iterator[None]:
    """Set `stop` on a signal, and see to it that the process ends not much later."""
    loop = asyncio.get_running_loop()

    def limit_the_time(_number: int, _frame: FrameType | None) -> None:
        # Not in the event loop, which may be what is stuck.
        timer = threading.Timer(LAST_SECONDS, _end_at_once)
        timer.daemon = True
        timer.start()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
        # The loop hears of it all the same.
        signal.signal(number, limit_the_time)
        signal.siginterrupt(number, False)
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)


def _end_at_once() -> None:
    log.error("did not stop in time, and ends without", seconds=LAST_SECONDS)
    os._exit(1)
