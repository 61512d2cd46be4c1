"""The lock of an attachment, which tools that a call ran hold as well."""

import subprocess
from pathlib import Path

import pytest

from integrations.cni.errors import CniError
from integrations.cni.lock import hold
from integrations.deadline import Deadline, TimeLimitError
from integrations.host.commands import run

ONE = "11111111-2222-5333-8444-555555555555"
OTHER = "11111111-2222-6333-8444-555555555555"


def test_an_attachment_is_locked_and_others_are_not(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    with (
        hold(ONE, Deadline(5), path),
        hold(OTHER, Deadline(5), path),
        pytest.raises(TimeLimitError),
        hold(ONE, Deadline(0.1), path),
    ):
        pass
    with hold(ONE, Deadline(5), path):
        pass
    assert Path(path).stat().st_mode & 0o777 == 0o600
    assert Path(path).read_bytes() == b""


def test_a_tool_that_outlives_the_call_keeps_the_lock(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    child = None
    try:
        with hold(ONE, Deadline(5), path):
            # ``run`` ends its tool; what that leaves behind stands for one of a call that died.
            said = run(["sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $!"], Deadline(5))
            child = said.strip()
        with pytest.raises(TimeLimitError), hold(ONE, Deadline(0.1), path):
            pass
    finally:
        assert child is not None
        subprocess.run(["kill", child], check=True)
    with hold(ONE, Deadline(5), path):
        pass


def test_a_file_that_can_not_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("none/lock", "link"):
        with (
            pytest.raises(CniError, match=name) as failed,
            hold(ONE, Deadline(5), str(tmp_path / name)),
        ):
            pass
        assert failed.value.code == 5
    assert not (tmp_path / "elsewhere").exists()
