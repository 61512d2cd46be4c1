"""Files that commands are given: documents in YAML or JSON."""

import sys
from pathlib import Path
from typing import Any

import typer

from cli.output import ExitCode, fail


def read_file(file: Path) -> bytes:
    """What is in `file`, or on standard input if that is ``-``."""
    if str(file) == "-":
        if sys.stdin is None:
            fail("standard input is closed", ExitCode.USAGE)
        return typer.get_binary_stream("stdin").read()
    try:
        return file.read_bytes()
    except OSError as error:
        fail(f"{file}: {error.strerror}", ExitCode.USAGE)


def read_mapping(file: Path) -> dict[Any, Any]:
    """The mapping that `file` holds."""
    from api.errors import TooComplexError, UnreadableBodyError
    from api.yaml_text import parse_mapping
    from northbound.errors import InvalidError

    try:
        return parse_mapping(read_file(file).decode())
    except (UnreadableBodyError, TooComplexError, InvalidError, UnicodeDecodeError) as error:
        fail(f"{file}: {error}", ExitCode.USAGE)
