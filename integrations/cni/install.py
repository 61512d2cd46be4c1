"""``treadle-cni`` from a terminal: what it is, and how it gets to where runtimes look for it.

What is installed is a script of a few lines that starts Python without looking for packages of
all kinds, which takes a third of the time that a start takes otherwise.
"""

import os
import sys
from pathlib import Path

from integrations.cni.versions import SUPPORTED

DEFAULT_DIRECTORY = "/opt/cni/bin"
NAME = "treadle-cni"
_USAGE = f"""CNI plugin {NAME}, for versions {", ".join(SUPPORTED)} of the specification.

Container runtimes run it. To put it where they look for plugins:

    {NAME} install [--bin-dir {DEFAULT_DIRECTORY}]
"""


def main(arguments: list[str]) -> int:
    """Do what a person asks for; return the exit code: 2 for what can't be meant."""
    if arguments[:1] != ["install"]:
        print(_USAGE, end="")  # noqa: T201
        return 0 if arguments in ([], ["--help"]) else 2
    directory = DEFAULT_DIRECTORY
    if len(arguments) == 3 and arguments[1] == "--bin-dir":
        directory = arguments[2]
    elif len(arguments) != 1:
        print(_USAGE, end="", file=sys.stderr)  # noqa: T201
        return 2
    try:
        path = install(Path(directory))
    except OSError as error:
        print(f"{directory}: {error.strerror}", file=sys.stderr)  # noqa: T201
        return 1
    print(path)  # noqa: T201
    return 0


def install(directory: Path) -> Path:
    """Write the script into `directory`, which is made if need be; return its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / NAME
    # A runtime may be about to run the one that is there.
    new = directory / f".{NAME}.{os.getpid()}"
    try:
        new.write_text(script())
        new.chmod(0o755)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    return path


def script() -> str:
    """Return a script that runs the plugin with this Python, from where it is installed now."""
    packages = Path(__file__).resolve().parents[2]
    return (
        f"#!{sys.executable} -IS\n"
        "import sys\n"
        f"sys.path.append({str(packages)!r})\n"
        "from integrations.cni.main import run\n"
        "run()\n"
    )
