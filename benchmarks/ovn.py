"""OVN on the same topology: its databases and ovn-northd, private to the run."""

import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import Usage, measured
from cli.testbed.namespace import run
from cli.testbed.process import Process, spawn
from cli.testbed.wait import until

_COMMANDS_PER_CALL = 2000


class Build(NamedTuple):
    """Where the programs and the schemas of a build of OVN are."""

    programs: Path
    schemas: Path

    def program(self, name: str) -> str:
        return str(self.programs / name)


def debians_ovn() -> Build:
    return Build(Path("/usr/bin"), Path("/usr/share/ovn"))


def ovn_of(prefix: Path) -> Build:
    """What ``make install`` with ``--prefix`` made, or a source tree that was built in place."""
    if (prefix / "northd" / "ovn-northd").exists():
        programs = prefix / "all-programs"
        programs.mkdir(exist_ok=True)
        for program in ("northd/ovn-northd", "utilities/ovn-nbctl", "utilities/ovn-sbctl"):
            link = programs / Path(program).name
            if not link.exists():
                link.symlink_to(prefix / program)
        return Build(programs, prefix)
    return Build(prefix / "bin", prefix / "share" / "ovn")


class Ovn:
    """A northbound and a southbound database, and ovn-northd when it is wanted."""

    def __init__(self, directory: Path, build: Build | None = None) -> None:
        self.directory = directory
        self.build = build or debians_ovn()
        self.databases: list[Process] = []
        self.northd: Process | None = None

    @property
    def northbound(self) -> str:
        return f"unix:{self.directory / 'nb.sock'}"

    @property
    def southbound(self) -> str:
        return f"unix:{self.directory / 'sb.sock'}"

    @property
    def pids(self) -> list[int]:
        processes = [*self.databases, *([self.northd] if self.northd else [])]
        return [process.pid for process in processes]

    def start_databases(self) -> None:
        for name in ("nb", "sb"):
            database = self.directory / f"{name}.db"
            schema = self.build.schemas / f"ovn-{name}.ovsschema"
            subprocess.run(["ovsdb-tool", "create", database, schema], check=True)
            socket = self.directory / f"{name}.sock"
            process = spawn(
                f"ovsdb-server of {name}",
                [
                    "ovsdb-server",
                    str(database),
                    f"--remote=punix:{socket}",
                    f"--unixctl={self.directory / f'{name}.ctl'}",
                    f"--log-file={self.directory / f'{name}.log'}",
                    "-vconsole:off",
                ],
                self.directory / f"{name}.out",
            )
            self.databases.append(process)
            until(socket.is_socket, f"database {name}")
        self.nbctl(["init"])

    def start_northd(self) -> None:
        self.northd = spawn(
            "ovn-northd",
            [
                self.build.program("ovn-northd"),
                f"--ovnnb-db={self.northbound}",
                f"--ovnsb-db={self.southbound}",
                f"--unixctl={self.directory / 'northd.ctl'}",
                f"--log-file={self.directory / 'northd.log'}",
                "-vconsole:off",
            ],
            self.directory / "northd.out",
        )

    def stop(self) -> None:
        for process in (self.northd, *self.databases):
            if process is not None:
                process.stop()

    def nbctl(self, arguments: Sequence[str], *, timeout: float = 600) -> str:
        nbctl = self.build.program("ovn-nbctl")
        command = [nbctl, f"--db={self.northbound}", "--no-leader-only", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=timeout)
        return done.stdout

    def load(self, commands: Iterable[Sequence[str]]) -> None:
        """Run many ovn-nbctl commands, a few thousand in one transaction."""
        iterator = iter(commands)
        while batch := list(islice(iterator, _COMMANDS_PER_CALL)):
            arguments: list[str] = []
            for command in batch:
                arguments += ["--", *command]
            self.nbctl(arguments[1:])

    @contextmanager
    def daemon(self) -> Iterator[None]:
        """An ovn-nbctl that stays connected, so that a change is timed and not its start."""
        run(
            [
                self.build.program("ovn-nbctl"),
                f"--db={self.northbound}",
                "--no-leader-only",
                "--detach",
                "--no-chdir",
                f"--unixctl={self.directory / 'nbctl.ctl'}",
                f"--pidfile={self.directory / 'nbctl.pid'}",
                f"--log-file={self.directory / 'nbctl.log'}",
            ]
        )
        pid = int((self.directory / "nbctl.pid").read_text())
        try:
            yield
        finally:
            subprocess.run(["kill", str(pid)], check=True)

    def timed_change(self, *command: str, wait: str = "sb") -> float:
        """Seconds until a change is in the southbound database (or on all hypervisors: hv)."""
        control = self.directory / "nbctl.ctl"
        start = time.perf_counter()
        run(["ovs-appctl", "-t", str(control), "run", f"--wait={wait}", *command])
        return time.perf_counter() - start

    def timed_cold_translation(self) -> Usage:
        """From an empty southbound database to a complete one, northd's start included."""
        self.start_northd()
        with measured(self.pids) as usage:
            self.nbctl(["--wait=sb", "sync"])
        return usage

    def has_started(self) -> bool:
        """Whether ovn-northd has written anything southbound."""
        return bool(self._sbctl("--bare", "--columns=_uuid", "list", "SB_Global").strip())

    def logical_flow_count(self) -> int:
        return self._sbctl("lflow-list").count("table=")

    def _sbctl(self, *arguments: str) -> str:
        sbctl = self.build.program("ovn-sbctl")
        command = [sbctl, f"--db={self.southbound}", "--no-leader-only", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
