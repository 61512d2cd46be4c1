"""A host apart for the commands of a page: its own loopback, processes, ``/run`` and names.

Pages speak of port 6680, of the lab called ``lab`` and of ``/run/ovn/ovnnb_db.sock``. Here
all of these are free whatever else the machine is doing, and all that was started in it
ends with it.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cli.testbed.wait import until
from tests.documentation.commands import Command, commands, run, trouble

ROOT = Path(__file__).parents[2]
_BEGIN = """
mount -t tmpfs tmpfs /run
mkdir /run/netns
ip link set lo up
touch "$1"
exec sleep infinity
"""


class Sandbox:
    """Runs commands as on a host of its own. `directory` is for what it has to keep."""

    def __init__(self, pid: int, directory: Path) -> None:
        # With its root: entering mounts alone would leave a chroot.
        self._nsenter = ("nsenter", f"--target={pid}", "--net", "--mount", "--pid", "--root")
        self.directory = directory
        self.started: list[subprocess.Popen[bytes]] = []
        kept = {name: value for name, value in os.environ.items() if "TREADLE" not in name}
        self.environment: Mapping[str, str] = {
            **kept,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TREADLE_SERVER__STATE_DIRECTORY": str(directory),
        }

    def _within(self, directory: Path) -> tuple[str, ...]:
        """What goes before a command that is to run in the sandbox, in a directory there."""
        return (*self._nsenter, f"--wdns={directory}", "--")

    def start(self, *argv: str) -> None:
        """Start a program that ends with the sandbox."""
        with (self.directory / "log").open("ab") as log:
            process = subprocess.Popen(
                [*self._within(ROOT), *argv],
                env=self.environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.started.append(process)

    def call(self, *argv: str) -> str:
        """What a program says that has to succeed."""
        done = subprocess.run(
            [*self._within(ROOT), *argv],
            env=self.environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def serve(self, **settings: str) -> None:
        """Start a server with these settings in its environment, and wait until it answers."""
        environment = [f"{name}={value}" for name, value in settings.items()]
        self.start("env", *environment, "treadle", "server")
        server = self.started[-1]

        def serves() -> bool:
            assert server.poll() is None, (self.directory / "log").read_text()
            return self._is_served()

        until(serves, "treadle server", 120)

    def _is_served(self) -> bool:
        argv = [*self._within(ROOT), "curl", "--silent", "--fail", "127.0.0.1:6680/healthz"]
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0

    def troubles(
        self, page: str, settings: Mapping[str, str] | None = None, cwd: Path = ROOT
    ) -> list[str]:
        """What goes wrong when all commands of a page are run in their order."""
        found = commands(ROOT / page)
        assert found, f"{page} has no commands"
        return [told for command in found if (told := self._trouble(command, settings or {}, cwd))]

    def _trouble(self, command: Command, settings: Mapping[str, str], cwd: Path) -> str:
        done = run(command, {**self.environment, **settings}, cwd, self._within(cwd))
        return trouble(command, done)


@contextmanager
def sandboxed(directory: Path) -> Iterator[Sandbox]:
    """A sandbox as long as the context lasts."""
    ready = directory / "ready"
    unshare = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    process = subprocess.Popen(
        [*unshare, "sh", "-euc", _BEGIN, "sandbox", str(ready)], start_new_session=True
    )
    try:
        until(lambda: process.poll() is not None or ready.exists(), "the sandbox", 30)
        assert process.poll() is None, "no sandbox could be made; it takes root"
        sandbox = Sandbox(_first_process(process.pid), directory)
        yield sandbox
    finally:
        process.kill()
        process.wait()
    for started in sandbox.started:
        started.wait()


def _first_process(unshare: int) -> int:
    """The process that is number 1 in the sandbox: it ends with all others when it ends."""
    (child,) = Path(f"/proc/{unshare}/task/{unshare}/children").read_text().split()
    return int(child)
