"""The program as runtimes run it, where they don't do their part."""

import json
import os
import subprocess
import sys

import pytest

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
