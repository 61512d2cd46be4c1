"""Settings of the daemons of this package: from options, the environment and files, in that order.

They are read as those of the server and the agent are: the table ``[SECTION]`` of
``/etc/treadle/treadle.toml`` and of the files in ``conf.d/`` beside it, over it
``TREADLE_SECTION__NAME`` in the environment, over both the options of the command. A key that no
setting has is an error. With the standard library alone, since that is all that these daemons need.

The settings of a daemon are a frozen dataclass, whose fields are texts, numbers or truth values,
each with a line of explanation as ``field(metadata={"help": …})``.
"""

import argparse
import dataclasses
import os
import tomllib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

DEFAULT_PATH = Path("/etc/treadle/treadle.toml")
_PREFIX = "TREADLE_"
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}

S = TypeVar("S")


class SettingsError(Exception):
    """Settings that can't be used; the message says which and why."""


def setting(default: Any, text: str) -> Any:
    """A field with a default and the line that explains it."""
    return dataclasses.field(default=default, metadata={"help": text})


def secret(text: str) -> Any:
    """A field for what no option takes: all users of a host see the arguments of its commands."""
    return dataclasses.field(default=None, repr=False, metadata={"help": text, "secret": True})


def add_options(parser: argparse.ArgumentParser, model: type[Any]) -> None:
    """Give a command an option for every setting that is no secret, and ``--config``."""
    parser.add_argument("--config", "-c", metavar="FILE", help=f"settings; {DEFAULT_PATH}")
    for name, field, kind in _fields(model):
        if field.metadata.get("secret"):
            continue
        text = str(field.metadata.get("help", ""))
        option = "--" + name.replace("_", "-")
        if kind is bool:
            parser.add_argument(
                option, dest=name, action=argparse.BooleanOptionalAction, default=None, help=text
            )
        else:
            parser.add_argument(option, dest=name, metavar=kind.__name__.upper(), help=text)


def load(model: type[S], section: str, options: Mapping[str, Any]) -> S:
    """Return the settings of a section. Raises :class:`SettingsError`.

    `options` are those of the command, ``config`` among them; None stands for not given.
    """
    given = {name: value for name, value in options.items() if value is not None}
    path = given.pop("config", None)
    if path is not None and not Path(path).is_file():
        raise SettingsError(f"{path}: there is no such file")
    values: dict[str, Any] = _from_files(Path(path) if path else DEFAULT_PATH, section)
    values |= _from_environment(section)
    values |= given
    known = {name: kind for name, _, kind in _fields(model)}
    read = {}
    for name, value in values.items():
        if name not in known:
            raise SettingsError(f"{section}.{name}: there is no such setting")
        read[name] = _value(f"{section}.{name}", known[name], value)
    try:
        return model(**read)
    except ValueError as error:
        raise SettingsError(f"{section}.{error}") from None


def _fields(model: type[Any]) -> list[tuple[str, "dataclasses.Field[Any]", type[Any]]]:
    hints = typing.get_type_hints(model)
    return [(each.name, each, _kind(hints[each.name])) for each in dataclasses.fields(model)]


def _kind(hint: Any) -> type[Any]:
    """The type of a setting that may be missing, or not."""
    if isinstance(hint, types.UnionType):
        (hint,) = [each for each in typing.get_args(hint) if each is not type(None)]
    kind: type[Any] = hint
    return kind


def _from_files(path: Path, section: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for file in (path, *sorted((path.parent / "conf.d").glob("*.toml"))):
        if not file.is_file():
            continue
        try:
            table = tomllib.loads(file.read_text(encoding="utf-8")).get(section, {})
        except (OSError, ValueError) as error:
            raise SettingsError(f"{file}: {error}") from error
        if not isinstance(table, dict):
            raise SettingsError(f"{file}: [{section}] has to be a table")
        values |= table
    return values


def _from_environment(section: str) -> dict[str, Any]:
    prefix = f"{_PREFIX}{section.upper()}__"
    return {
        name.removeprefix(prefix).lower(): value
        for name, value in os.environ.items()
        if name.startswith(prefix)
    }


def _value(name: str, kind: type[Any], value: Any) -> Any:
    """A setting as its type; files have types of their own, the environment has texts."""
    if kind is bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in _TRUTH:
            return _TRUTH[value.lower()]
        raise SettingsError(f"{name}: {value!r} is neither true nor false")
    if kind is str:
        if isinstance(value, str):
            return value
        raise SettingsError(f"{name}: {value!r} is no text")
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise SettingsError(f"{name}: {value!r} is no number")
    try:
        return kind(value)
    except ValueError:
        raise SettingsError(f"{name}: {value!r} is no number") from None
