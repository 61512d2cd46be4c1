"""Network namespaces: make, delete, run a command or open a socket in one.

Namespaces are the named ones of ``ip netns`` (a bind mount below
``/run/netns``), so that ``ip netns exec`` works on them by hand too. Commands enter by
``nsenter``: ``ip netns exec`` also mounts a ``/sys`` anew, which takes a root directory
that is a mount point, and that of a chroot is none.
"""

import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from cli.testbed.errors import CommandError

_NETNS = Path("/run/netns")
_CLONE_NEWNET = 0x40000000

Result = TypeVar("Result")


def run(argv: Sequence[str], *, timeout: float = 30, check: bool = True) -> str:
    """Run a command and return its standard output.

    Raises :class:`CommandError` with both outputs when it exits with an error
    and `check` is set, or when it takes longer than `timeout` seconds.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the lab's own commands
            list(argv),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{' '.join(argv)}: still running after {timeout} s") from error
    except FileNotFoundError as error:
        raise CommandError(f"{argv[0]}: not installed") from error
    if check and done.returncode != 0:
        output = (done.stderr + done.stdout).strip()
        raise CommandError(f"{' '.join(argv)}: exit code {done.returncode}: {output}")
    return done.stdout


class Namespace:
    """One named network namespace."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def path(self) -> Path:
        return _NETNS / self.name

    def exists(self) -> bool:
        return self.path.exists()

    def create(self) -> None:
        run(["ip", "netns", "add", self.name])
        self.ip("link", "set", "lo", "up")

    def delete(self) -> None:
        """Remove the namespace; one that is gone already is no error."""
        if self.exists():
            run(["ip", "netns", "delete", self.name])

    def ip(self, *arguments: str) -> str:
        """``ip`` in this namespace."""
        return run(["ip", "-n", self.name, *arguments])

    def argv(self, command: Sequence[str]) -> list[str]:
        """The command line that runs `command` in this namespace, with the same pid."""
        return ["nsenter", f"--net={self.path}", "--", *command]

    def run(self, *command: str, timeout: float = 30, check: bool = True) -> str:
        return run(self.argv(command), timeout=timeout, check=check)

    def pids(self) -> list[int]:
        """Processes that run in this namespace."""
        if not self.exists():
            return []
        return [int(pid) for pid in run(["ip", "netns", "pids", self.name]).split()]

    def call(self, function: Callable[[], Result]) -> Result:
        """Call `function` in a thread that has entered this namespace.

        What it opens (a socket) stays in the namespace after it returned. A
        thread, since a namespace is a property of threads: the caller stays
        where it is.
        """
        results: list[Result] = []
        errors: list[BaseException] = []

        def enter_and_call() -> None:
            try:
                with self.path.open() as handle:
                    libc = ctypes.CDLL(None, use_errno=True)
                    if libc.setns(handle.fileno(), _CLONE_NEWNET) != 0:
                        code = ctypes.get_errno()
                        raise OSError(code, os.strerror(code), str(self.path))
                results.append(function())
            except BaseException as error:  # raised again in the caller's thread
                errors.append(error)

        thread = threading.Thread(target=enter_and_call)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return results[0]

    def socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        """A socket in this namespace, usable from any thread."""
        return self.call(lambda: socket.socket(family, kind, protocol))
