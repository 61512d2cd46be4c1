"""What is kept of Neutron's definitions is what the pinned Neutron declares."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.compat.environments import environment

HERE = Path(__file__).parent


@pytest.mark.compat
def test_kept_definitions_are_those_of_the_pinned_release() -> None:
    argv = [environment("neutron").program("python"), str(HERE / "dump_definitions.py")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((HERE / "definitions.json").read_text())
