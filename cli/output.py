"""How commands speak: tables on standard output, refusals on standard error, exit codes.

======  ========================================================
code    meaning
======  ========================================================
0       done
1       refused: by the server, or by what was asked for
2       used wrongly: options, settings, a file that is not there
3       the server or the database cannot be reached
4       committed, but not everywhere in the time given
5       something that no command foresaw: a fault of Treadle's
======  ========================================================
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import IntEnum
from typing import Annotated, Any, NoReturn

import typer

PIPED_WIDTH = 10_000
"""Columns of output that no terminal limits."""


AsJson = Annotated[
    bool, typer.Option("--json", help="For programs: the whole answer as a JSON document.")
]


class UnexpectedAnswerError(Exception):
    """A server answers, and not as a Treadle server of this version does."""


class ExitCode(IntEnum):
    """See the module's table."""

    REFUSED = 1
    USAGE = 2
    UNREACHABLE = 3
    NOT_REACHED = 4
    FAULT = 5


_SIGNS = (("created", "+"), ("updated", "~"), ("deleted", "-"))


def change_lines(change: Mapping[str, Any]) -> Iterator[str]:
    """What was created, updated and deleted, as the server lists it, an object a line."""
    for field, sign in _SIGNS:
        for each in change[field]:
            yield f"{sign} {each['kind'].replace('_', ' ')} {each['name'] or each['id']}"


def fail(message: object, code: ExitCode = ExitCode.REFUSED) -> NoReturn:
    """End the command with `message` on standard error."""
    typer.secho(f"treadle: {message}", err=True, fg=typer.colors.RED)
    raise typer.Exit(code)


def print_json(document: object) -> None:
    """Print a document for programs; times are as the API writes them (RFC 3339)."""
    typer.echo(json.dumps(document, indent=2, default=_as_json))


def _as_json(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under `columns`: fitted to a terminal, whole when piped into something."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    piped = not console.is_terminal
    table = Table(*columns, box=None if piped else SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    (Console(width=PIPED_WIDTH) if piped else console).print(table)
