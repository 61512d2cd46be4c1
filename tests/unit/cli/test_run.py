"""The script ``run``: what it hands to ``treadle``, from whatever folder it is called."""

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes


CHECKOUT = Path(__file__).parents[3]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment that `run` takes for up to date, whose ``treadle`` tells how it was called."""
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    parts = [(CHECKOUT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    (venv / ".stamp").write_text(f". {hashlib.sha256(b''.join(parts)).hexdigest()}  -")
    treadle = venv / "bin" / "treadle"
    treadle.write_text('#!/bin/sh\necho "$PWD|$TREADLE_PROGRAM|$*|${TREADLE_VENV-unset}"\n')
    treadle.chmod(0o755)
    return {**os.environ, "TREADLE_VENV": str(venv)}


@pytest.mark.parametrize(
    ("arguments", "handed_over"),
    [
        (["treadle", "testbed", "up", "--file", "lab.yaml"], "testbed up --file lab.yaml"),
        (["demo", "--exit"], "testbed demo --exit"),
    ],
)
def test_paths_are_the_callers(
    environment: dict[str, str], tmp_path: Path, arguments: list[str], handed_over: str
) -> None:
    link = tmp_path / "run-of-treadle"
    link.symlink_to(CHECKOUT / "run")
    called = "../run-of-treadle"
    folder = tmp_path / "folder"
    folder.mkdir()
    done = subprocess.run(
        [called, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.stdout == f"{folder}|{called} treadle|{handed_over}|unset\n", done.stderr
    assert done.returncode == 0


def test_help_and_a_command_that_is_none(environment: dict[str, str], tmp_path: Path) -> None:
    for arguments, code in ([], 0), (["nonsense"], 1):
        done = subprocess.run(
            [CHECKOUT / "run", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert "./run demo [--exit]" in done.stdout
        assert done.returncode == code
