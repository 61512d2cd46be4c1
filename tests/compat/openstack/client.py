"""The command ``openstack``, unmodified, run many times by one process."""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tests.compat.environments import environment

_COMMAND_SERVER = Path(__file__).with_name("command_server.py")


class Answer(NamedTuple):
    """What a command came to: its exit code, and both outputs."""

    code: int
    output: str
    errors: str


@dataclass(frozen=True)
class Openstack:
    """Runs commands of one user: the options of `login` go before each.

    One user, for the program keeps its first connection as long as its process lasts.
    """

    process: "subprocess.Popen[str]"
    login: tuple[str, ...]

    def try_command(self, command: str) -> Answer:
        """Run a command as one would type it, without ``openstack`` before it."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps([*self.login, *shlex.split(command)]) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the process ended while it ran: {command}"
        return Answer(**json.loads(line))

    def __call__(self, command: str) -> str:
        """Run a command that has to succeed, and return what it prints."""
        answer = self.try_command(command)
        assert answer.code == 0, f"{command}: {answer.errors}{answer.output}"
        return answer.output

    def json(self, command: str) -> Any:
        """What a command says that lists or shows something."""
        return json.loads(self(f"{command} --format json"))

    def refusal(self, command: str) -> str:
        """What a command says that has to fail."""
        answer = self.try_command(command)
        assert answer.code == 1, f"{command}: exit code {answer.code}: {answer}"
        return answer.errors


@contextmanager
def openstack(*login: str) -> Iterator[Openstack]:
    """The program, for as long as the context lasts."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    process = subprocess.Popen(
        [environment("openstack").program("python"), str(_COMMAND_SERVER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=kept,
    )
    try:
        yield Openstack(process, login)
    finally:
        assert process.stdin
        assert process.stdout
        process.stdin.close()
        process.wait()
        process.stdout.close()


def differences(expected: Any, shown: Any, where: str = "") -> list[str]:
    """What of `expected` isn't so in `shown`, which may say more; lists have any order."""
    if isinstance(expected, Mapping) and isinstance(shown, Mapping):
        told: list[str] = []
        for key, value in expected.items():
            told += (
                differences(value, shown[key], f"{where}{key}: ")
                if key in shown
                else [f"{where}{key} isn't shown"]
            )
        return told
    if isinstance(expected, (list, tuple)) and isinstance(shown, list):
        rest, missing = list(shown), []
        for value in expected:
            equal = next((each for each in rest if not differences(value, each)), None)
            if equal is None:
                missing.append(value)
            else:
                rest.remove(equal)
        return [f"{where}{missing} missing, {rest} too much"] if missing or rest else []
    return [] if expected == shown else [f"{where}{shown!r}, not {expected!r}"]
