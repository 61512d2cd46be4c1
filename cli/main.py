"""The command ``treadle``: where all command modules are joined.

A command is added with one line in `COMMANDS`. Only the module of the command that was
asked for is imported: most of the time that a short command takes goes into imports.

However a command ends, its user is told in a line, and an exit code says of what kind it
was (see :mod:`cli.output`). What no command foresaw is a fault of Treadle's: it is named in
a line as well, and ``TREADLE_TRACEBACK=1`` shows where it came from.
"""

import os
import signal
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from types import FrameType
from typing import Annotated, Final, NamedTuple, NoReturn

import typer

from cli.output import ExitCode, UnexpectedAnswerError, fail

TRACEBACK_VARIABLE = "TREADLE_TRACEBACK"


class Place(NamedTuple):
    """Where a command, or a group of them, is defined."""

    module: str
    name: str
    is_group: bool = False


COMMANDS: Final[Mapping[str, Place]] = {
    "server": Place("cli.server.commands", "server"),
    "agent": Place("cli.agent", "app", is_group=True),
    "db": Place("cli.server.commands", "db", is_group=True),
    "token": Place("cli.token", "app", is_group=True),
    "hash-password": Place("cli.hash_password", "hash_password"),
    "apply": Place("cli.apply", "apply"),
    "import-ovn": Place("cli.import_ovn.command", "import_ovn"),
    "show": Place("cli.show", "show"),
    "status": Place("cli.status", "status"),
    "lflow": Place("cli.lflow", "lflow"),
    "trace": Place("cli.trace", "trace"),
    "explain": Place("cli.explain", "explain"),
    "detrace": Place("cli.detrace", "detrace"),
    "hits": Place("cli.hits", "hits"),
    "revisions": Place("cli.revisions", "revisions"),
    "testbed": Place("cli.testbed.commands", "app", is_group=True),
}

_DAEMONS: Final = (["server"], ["agent", "run"])
"""Supervisors and logs want to know all about how these end."""


class _Interrupted(BaseException):
    """Ctrl-C."""


def _print_version(wanted: bool) -> None:
    if wanted:
        from api.version import __version__

        typer.echo(f"treadle {__version__}")
        raise typer.Exit


def _main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Logical switches, routers and ACLs, realised in Open vSwitch."""


def application(commands: Iterable[str] = COMMANDS) -> typer.Typer:
    """The command line with these commands."""
    app = typer.Typer(
        name="treadle",
        help="Logical switches, routers and ACLs, realised in Open vSwitch.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.callback()(_main)
    for command in commands:
        place = COMMANDS[command]
        defined = getattr(import_module(place.module), place.name)
        if place.is_group:
            app.add_typer(defined, name=command)
        else:
            app.command(command)(defined)
    return app


def __getattr__(name: str) -> typer.Typer:
    """The whole command line as ``app``, for programs that want all of it."""
    if name == "app":
        return application()
    raise AttributeError(name)


def run() -> NoReturn:
    """Run the command that this process was started with, and end the process."""
    arguments = sys.argv[1:]
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # Names come from elsewhere, and a terminal may lack their characters.
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGINT, _interrupt)
    try:
        application(_wanted(arguments))()
    except _Interrupted:
        sys.exit(128 + signal.SIGINT)
    except UnexpectedAnswerError as error:
        _end(f"the answer is not one of a Treadle server: {error}", ExitCode.UNREACHABLE)
    except Exception as error:
        if os.environ.get(TRACEBACK_VARIABLE) or any(
            arguments[: len(daemon)] == daemon for daemon in _DAEMONS
        ):
            raise
        _end(
            f"unexpected {type(error).__name__}: {error}\n({TRACEBACK_VARIABLE}=1 shows where)",
            ExitCode.FAULT,
        )
    sys.exit(0)


def _end(message: str, code: ExitCode) -> NoReturn:
    try:
        fail(message, code)
    except typer.Exit as ended:
        sys.exit(ended.exit_code)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _Interrupted


def _wanted(arguments: list[str]) -> Iterable[str]:
    """The commands that can be meant; all for help, for completion and for what is none."""
    first = next(iter(arguments), "")
    if first == "--version":
        return ()
    return (first,) if first in COMMANDS and "_TREADLE_COMPLETE" not in os.environ else COMMANDS


if __name__ == "__main__":
    run()
