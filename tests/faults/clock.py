"""The time of day as single processes see it, which can be made to jump.

Only the time of day jumps, as when an operator or NTP sets it. What runs by the monotonic clock,
as waits do, is not touched, and neither is this machine's clock.
"""

import os
from pathlib import Path

_SHIFTED = Path(__file__).with_name("shifted")


class Clock:
    """One process' time of day, set by a file that the process reads each time."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.shift(0)

    @property
    def environment(self) -> dict[str, str]:
        """What the process has to be started with."""
        paths = filter(None, (str(_SHIFTED), os.environ.get("PYTHONPATH")))
        return {"PYTHONPATH": os.pathsep.join(paths), "SHIFTED_CLOCK": str(self._file)}

    def shift(self, seconds: int) -> None:
        """Show a time this much after the true one; before it where negative."""
        written = self._file.with_suffix(".new")
        written.write_text(str(seconds))
        written.replace(self._file)
