"""Daemons of a lab: start, watch, stop by pid, never by name.

A :class:`Process` remembers a pid together with its start time, so that a
number which the kernel has given to another process since is never signalled.
"""

import contextlib
import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from cli.testbed.errors import ProcessEndedError

_STOP_SECONDS = 10.0
_LISTENING = "0A"
"""The state of such a socket in ``/proc/net/tcp``."""


def _start_time(pid: int) -> int | None:
    """Start of a process in clock ticks since boot (proc(5), field 22); None when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    # A zombie has ended; its parent has just not asked yet.
    return None if fields[0] == "Z" else int(fields[19])


class Process(NamedTuple):
    """One daemon: what it is, its pid and start time, and its log."""

    what: str
    pid: int
    started: int
    log: str

    @classmethod
    def current(cls, what: str) -> "Process":
        """The process that asks."""
        return cls.running(what, os.getpid(), "")

    @classmethod
    def running(cls, what: str, pid: int, log: str) -> "Process":
        """Return a process that runs already, as a child or not; `log` is where its output goes."""
        return cls(what, pid, _start_time(pid) or 0, log)

    def alive(self) -> bool:
        return _start_time(self.pid) == self.started

    def listens_on(self, port: int) -> bool:
        """Whether it is this process that listens on a TCP port of IPv4, of all that may."""
        sockets = Path(f"/proc/{self.pid}/net/tcp")
        try:
            lines = [line.split() for line in sockets.read_text().splitlines()[1:]]
            held = {str(fd.readlink()) for fd in Path(f"/proc/{self.pid}/fd").iterdir()}
        except OSError:
            return False  # it has ended, or has closed one while we looked
        return any(
            f"socket:[{inode}]" in held
            for _, local, _, state, *_, inode in (line[:10] for line in lines)
            if state == _LISTENING and int(local.rpartition(":")[2], 16) == port
        )

    def check(self) -> None:
        """Raise :class:`ProcessEndedError` with the end of the log unless it runs."""
        if not self.alive():
            raise ProcessEndedError(
                f"{self.what} ended; the end of {self.log}:\n{tail(Path(self.log))}"
            )

    def send(self, number: signal.Signals) -> None:
        if self.alive():
            os.kill(self.pid, number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Signal the process and wait until it ended; SIGKILL after ten seconds."""
        if not self.alive():
            return
        handle = os.pidfd_open(self.pid)
        try:
            os.kill(self.pid, number)
            if not _ended(handle, _STOP_SECONDS):
                os.kill(self.pid, signal.SIGKILL)
                _ended(handle, _STOP_SECONDS)
        except ProcessLookupError:
            pass  # it ended between the look and the signal
        finally:
            os.close(handle)
        self._reap()

    def _reap(self) -> None:
        # A process that another command started is reaped by init.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)


def _ended(pidfd: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def spawn(
    what: str,
    argv: Sequence[str],
    log: Path,
    environment: Mapping[str, str] | None = None,
) -> Process:
    """Start `argv` in a session of its own, its output appended to `log`."""
    with log.open("ab") as output:
        child = subprocess.Popen(  # noqa: S603 - the lab's own daemons
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
    # The child is watched by pid from here on; Popen must not wait for it.
    child.returncode = 0
    started = _start_time(child.pid)
    if started is None:
        raise ProcessEndedError(f"{what} ended at once; the end of {log}:\n{tail(log)}")
    return Process(what, child.pid, started, str(log))


def tail(path: Path, lines: int = 15) -> str:
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return "(no log)"
