"""The program as runtimes run it, where they don't do their part."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from integrations.cni.install import NAME, main

pytestmark = pytest.mark.processes


def test_a_configuration_that_never_ends_is_not_waited_for() -> None:
    hurried = (
        "from integrations.cni import interruptions, main\n"
        "interruptions._GRACE = -29.5\n"
        "main.run()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hurried],
        env={**os.environ, "CNI_COMMAND": "VERSION"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'{"cniVersion": ')
        process.stdin.flush()
        assert process.wait(timeout=20) == 1
        assert json.loads(process.stdout.read())["code"] == 11


def test_an_installation_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    assert main(["install", "--bin-dir", str(tmp_path)]) == 1
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
