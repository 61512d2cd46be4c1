"""The network service of openstacksdk, unmodified, in a process of its own."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.compat.environments import environment

_SDK_SERVER = Path(__file__).with_name("sdk_server.py")


class SdkError(Exception):
    """What the SDK raised; `types` are the names of its class and of those above it."""

    def __init__(self, types: list[str], status: int | None, message: str) -> None:
        super().__init__(f"{types[0]}: {message}")
        self.types = types
        self.status = status


@dataclass(frozen=True)
class Sdk:
    """Calls methods of the SDK's network service by their names."""

    process: "subprocess.Popen[str]"

    def __call__(self, method: str, *arguments: Any, **keywords: Any) -> Any:
        """Return what a method returns, objects as dictionaries; raises :class:`SdkError`."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps([method, arguments, keywords]) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the process ended in {method}"
        answer = json.loads(line)
        if "error" in answer:
            raise SdkError(**answer["error"])
        return answer["answer"]


@contextmanager
def sdk(connection: dict[str, Any]) -> Iterator[Sdk]:
    """The SDK, connected with the keywords `connection`, for as long as the context lasts."""
    python = environment("openstack").program("python")
    process = subprocess.Popen(
        [python, str(_SDK_SERVER), json.dumps(connection)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield Sdk(process)
    finally:
        assert process.stdin
        assert process.stdout
        process.stdin.close()
        process.wait()
        process.stdout.close()
