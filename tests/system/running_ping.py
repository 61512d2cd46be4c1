"""A ping that runs while something happens, and how many of its packets were lost."""

import re
import signal
import subprocess
import tempfile
from types import TracebackType
from typing import Self

from cli.testbed.host import Host


class RunningPing:
    """Pings `target` every `interval` seconds, until :meth:`finish` or the end of the context."""

    def __init__(self, host: Host, target: str, interval: float) -> None:
        argv = host.namespace.argv(["ping", "-n", "-i", str(interval), "-W", "2", target])
        # A pipe would be full before anything is read.
        self._output = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed at the end
        self._process = subprocess.Popen(argv, stdout=self._output, stderr=subprocess.STDOUT)
        self.sent = 0
        """How many were sent up to the last one that was answered; those behind it were under way
        when it ended."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._output.close()

    def finish(self) -> int:
        """Stop; the number of packets sent before the last answer that weren't answered."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)
        self._output.seek(0)
        told = self._output.read()
        answered = {int(number) for number in re.findall(r"icmp_seq=(\d+) ttl", told)}
        assert answered, f"no packet was answered:\n{told}"
        self.sent = max(answered)
        return self.sent - len(answered)
