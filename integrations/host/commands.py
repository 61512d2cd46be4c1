"""Running the tools of a host, within a deadline and with bounded output."""

import json
import os
import subprocess
from collections.abc import Sequence
from typing import Any

from integrations.deadline import Deadline, TimeLimitError
from integrations.host.errors import CommandFailedError, MissingNamespaceError, MissingToolError

_OUTPUT_SHOWN = 2000
_NOT_ENTERED = ("nsenter: cannot open ", "nsenter: reassociate to namespace ")
"""How nsenter begins to say that there is no namespace, which is not what a command says."""


def run(
    argv: Sequence[str], deadline: Deadline, *, stdin: str = "", namespace: str | None = None
) -> str:
    """Run a command, in the network namespace at the path `namespace` if one is given.

    Returns its standard output. Raises :class:`CommandFailedError`, :class:`MissingToolError`,
    :class:`MissingNamespaceError`, and ``TimeLimitError`` after it was killed.
    """
    command = list(argv)
    if namespace is not None:
        if not os.path.exists(namespace):  # noqa: PTH110 - pathlib is slow to load
            raise MissingNamespaceError(namespace)
        # Not ``ip netns exec``, which knows names only and mounts a /sys of its own.
        command = ["nsenter", f"--net={namespace}", "--", *command]
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and names are checked
            command,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=deadline.left(),
            check=False,
            # Of this process's files only those that were made to be inherited go along.
            close_fds=False,
        )
    except FileNotFoundError:
        raise MissingToolError(command[0]) from None
    except subprocess.TimeoutExpired:
        raise TimeLimitError(
            f"{argv[0]} was not done within the {deadline.seconds:g} seconds for all"
        ) from None
    if done.returncode != 0:
        if namespace is not None and done.stderr.startswith(_NOT_ENTERED):
            # It went meanwhile, or is the file that one was bound to, or none at all.
            raise MissingNamespaceError(namespace)
        output = (done.stderr.strip() or done.stdout.strip())[:_OUTPUT_SHOWN]
        raise CommandFailedError(argv, done.returncode, output)
    return done.stdout


def run_json(argv: Sequence[str], deadline: Deadline, *, namespace: str | None = None) -> Any:
    """Run a command that prints JSON, and return what it stands for."""
    output = run(argv, deadline, namespace=namespace)
    try:
        # Some versions of ip print nothing where there is nothing.
        return json.loads(output) if output.strip() else []
    except ValueError:
        raise CommandFailedError(argv, 0, "what it printed is no JSON") from None
