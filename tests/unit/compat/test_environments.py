"""Environments of third-party clients are made once, whoever asks, and anew when pins change."""

import threading
from pathlib import Path

import pytest

from tests.compat.environments import REQUIREMENTS, environment

pytestmark = pytest.mark.processes


@pytest.fixture
def pins(tmp_path: Path) -> Path:
    requirements = tmp_path / "requirements"
    requirements.mkdir()
    (requirements / "client.txt").write_text("# installs nothing\n")
    return requirements


def test_made_once_for_all_that_ask(pins: Path, tmp_path: Path) -> None:
    given: list[Path] = []

    def ask() -> None:
        made = environment("client", tmp_path, pins)
        given.append(made.directory)
        # One that was made a second time would have lost this.
        (made.directory / "mark").touch()

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(given) == 3
    assert len(set(given)) == 1
    assert (given[0] / "mark").exists()
    assert Path(environment("client", tmp_path, pins).program("python")).exists()

    (pins / "client.txt").write_text("# installs nothing, too\n")
    anew = environment("client", tmp_path, pins).directory
    assert anew not in given
    assert not given[0].exists()


def test_one_that_could_not_be_made_is_not_taken_for_made(pins: Path, tmp_path: Path) -> None:
    (pins / "client.txt").write_text("./no-such-folder\n")
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no-such-folder"):
            environment("client", tmp_path, pins)


@pytest.mark.parametrize("pinned", sorted(REQUIREMENTS.glob("*.txt")), ids=lambda path: path.stem)
def test_requirements_are_pinned(pinned: Path) -> None:
    lines = [line for line in pinned.read_text().splitlines() if not line.startswith("#")]
    assert [line for line in lines if "==" not in line] == []
