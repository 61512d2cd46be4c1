"""Shift the time of day of this process by the seconds in the file ``SHIFTED_CLOCK`` names.

Python imports this module at its start where its folder is on ``PYTHONPATH``. Only the time of
day is shifted, as when an operator or NTP sets it; what runs by the monotonic clock is not.
"""

import datetime
import os
import time
from pathlib import Path

_file = Path(os.environ["SHIFTED_CLOCK"])
_true_time = time.time


def _shift() -> float:
    return float(_file.read_text() or 0)


def _shifted_time() -> float:
    return _true_time() + _shift()


class _ShiftedDatetime(datetime.datetime):
    """The class that modules import as ``datetime.datetime`` from now on."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
        return super().now(tz) + datetime.timedelta(seconds=_shift())


time.time = _shifted_time
datetime.datetime = _ShiftedDatetime  # type: ignore[misc]
