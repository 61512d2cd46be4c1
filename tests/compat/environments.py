"""Python environments of third-party clients, made from pinned requirements and kept.

``requirements/NAME.txt`` lists all that is installed, dependencies included: an environment
holds the same tomorrow. It lies in ``.compat/`` of the checkout, under a name that says what
it was made from, and is used again until its requirements or the interpreter change. Several
test processes may ask at once: one makes it, the others wait.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
REQUIREMENTS = Path(__file__).with_name("requirements")
DIRECTORY = ROOT / ".compat"


@dataclass(frozen=True)
class Environment:
    """A Python environment on disk."""

    directory: Path

    def program(self, name: str) -> str:
        """The path of a command that it has, such as ``python``."""
        path = self.directory / "bin" / name
        assert path.exists(), f"{self.directory} has no {name}"
        return str(path)

    @property
    def search_path(self) -> str:
        """A ``PATH`` that has the commands of the environment first."""
        return f"{self.directory / 'bin'}:{os.environ['PATH']}"


def environment(
    name: str, directory: Path = DIRECTORY, requirements: Path = REQUIREMENTS
) -> Environment:
    """The environment of ``requirements/NAME.txt``, made first where it isn't there yet.

    Raises :class:`RuntimeError` with what pip said where that fails.
    """
    pinned = requirements / f"{name}.txt"
    made = directory / f"{name}-{_fingerprint(pinned)}"
    complete = made / ".complete"
    with _only_process(directory / f"{name}.lock"):
        if not complete.exists():
            for older in directory.glob(f"{name}-{'[0-9a-f]' * _DIGITS}"):
                shutil.rmtree(older)
            _install(pinned, made)
            complete.touch()
    return Environment(made)


_DIGITS = 16


def _fingerprint(pinned: Path) -> str:
    made_from = f"{sys.implementation.cache_tag}\n{pinned.read_text()}"
    return hashlib.sha256(made_from.encode()).hexdigest()[:_DIGITS]


def _install(pinned: Path, directory: Path) -> None:
    # Without a pip of its own, which would take longer to install than some clients.
    _run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(directory)])
    python = directory / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    # All is listed: nothing has to be resolved, and what isn't listed is not to come along.
    _run([*install, "--no-deps", "--requirement", str(pinned)])


def _run(argv: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PIP_CONSTRAINT"}
    environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    done = subprocess.run(argv, capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: {done.stdout}{done.stderr}")


@contextmanager
def _only_process(lock: Path) -> Iterator[None]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
