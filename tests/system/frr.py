"""FRR's bfdd in a namespace of a test: the other end of BFD sessions."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from cli.testbed.namespace import Namespace
from cli.testbed.wait import until

_DAEMONS = Path("/usr/lib/frr")


class Bfdd:
    """zebra and bfdd, which has the interfaces from it, with sessions as in FRR's configuration."""

    def __init__(self, namespace: Namespace, peers: str) -> None:
        self._namespace = namespace
        # FRR gives up root, and whoever that makes it has no way into the directories of tests.
        directory = self._directory = Path(tempfile.mkdtemp(prefix="treadle-frr-"))
        shutil.chown(directory, "frr", "frr")
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        (directory / "zebra.conf").write_text("hostname zebra\n")
        (directory / "bfdd.conf").write_text(f"bfd\n{peers}\n")
        try:
            self._start("zebra")
            until(lambda: (directory / "zserv.api").exists(), "zebra serves", 30)
            self._start("bfdd", f"--bfdctl={directory / 'bfdd.sock'}")
            until(lambda: (directory / "bfdd.vty").exists(), "bfdd serves", 30)
        except BaseException:
            self.kill()
            raise

    def peers(self) -> dict[str, str]:
        """The state of each session, by the peer's address."""
        found: list[dict[str, Any]] = json.loads(self._vtysh("show bfd peers json"))
        return {each["peer"]: each["status"] for each in found}

    def counters(self, peer: str) -> dict[str, int]:
        """What bfdd counted of the session with a peer."""
        found = json.loads(self._vtysh("show bfd peers counters json"))
        return next(each for each in found if each["peer"] == peer)

    def configure(self, *lines: str) -> None:
        """Run commands of FRR's configuration."""
        self._vtysh("configure terminal", "bfd", *lines)

    def kill(self) -> None:
        """End both as if they had failed: without a word."""
        for process in self._processes.values():
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _start(self, daemon: str, *arguments: str) -> None:
        directory = self._directory
        command = [
            str(_DAEMONS / daemon),
            *("-f", str(directory / f"{daemon}.conf"), "-i", str(directory / f"{daemon}.pid")),
            *("-z", str(directory / "zserv.api"), "--vty_socket", str(directory)),
            *("--log", f"file:{directory / daemon}.log", "-P", "0"),
            *arguments,
        ]
        with (directory / f"{daemon}.out").open("w") as out:
            self._processes[daemon] = subprocess.Popen(
                self._namespace.argv(command), stdout=out, stderr=out, start_new_session=True
            )

    def _vtysh(self, *commands: str) -> str:
        asked = [part for command in commands for part in ("-c", command)]
        return self._namespace.run(
            "vtysh", "--vty_socket", str(self._directory), "-d", "bfdd", *asked
        )
