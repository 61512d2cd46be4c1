"""A database that was started answers, whatever its last life left behind."""

import os
import signal
import socket
from pathlib import Path
from typing import cast

from cli.testbed.namespace import Namespace
from cli.testbed.openvswitch import OpenVSwitch


class Here:
    """Stands for a namespace: commands run in the test's own."""

    name = "here"

    def argv(self, argv: list[str]) -> list[str]:
        return argv


def test_database_answers_once_it_is_started(tmp_path: Path) -> None:
    switch = OpenVSwitch(cast(Namespace, Here()), tmp_path)
    switch.create_database()
    # A socket that nobody listens on any more, as a killed server leaves it.
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(os.fspath(switch.database))
    process = switch.start_database()
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(os.fspath(switch.database))
        switch.vsctl("--no-wait", "init")
    finally:
        process.stop(signal.SIGTERM)
