"""Settings, from the command line, the environment and files, in that order.

One file serves every command of a host. It has one table per part::

    # /etc/treadle/treadle.toml
    [server.api]
    port = 8080

    [agent]
    server = "wss://controller:6650"

Files in ``conf.d/`` beside it are laid over it in the order of their names.
``TREADLE_SERVER__API__PORT=8080`` in the environment is laid over the files, and
an option of the command over both. A key that no setting has is an error, as
are two ways to give one secret.

A part declares its settings as a :class:`SectionSettings`; :func:`load` fills
them. A setting of type :class:`~pydantic.SecretStr` named ``password`` can be
given as ``password_file``, the path of a file that holds it.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource
from pydantic_settings import SettingsConfigDict as SectionConfigDict

DEFAULT_PATH = Path("/etc/treadle/treadle.toml")
ENVIRONMENT_PREFIX = "TREADLE_"
SECTIONS = ("server", "agent", "docker", "kubernetes")
"""The tables of the file. The last two are read by daemons of their own (``integrations``)."""
COMMAND_VARIABLES = (
    "TREADLE_CONFIG",
    "TREADLE_PROGRAM",
    "TREADLE_TESTBED_DIR",
    "TREADLE_TOKEN",
    "TREADLE_TOKEN_FILE",
    "TREADLE_TRACEBACK",
    "TREADLE_URL",
    "TREADLE_VENV",
)
"""Variables that options of commands read by themselves; they are in no section."""


class ConfigurationError(Exception):
    """Settings that cannot be used; the message says which and why."""


def _read_secret_files(model: type[BaseModel], values: Any) -> Any:
    """Replace ``x_file`` by the content of that file where ``x`` is a secret of the model."""
    if not isinstance(values, Mapping):
        return values
    read = dict(values)
    for name, field in model.model_fields.items():
        if SecretStr not in (field.annotation, *getattr(field.annotation, "__args__", ())):
            continue
        path = read.pop(f"{name}_file", None)
        if path is None:
            continue
        if read.get(name) is not None:
            raise ValueError(f"give {name} or {name}_file, not both")
        try:
            read[name] = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ValueError(f"{name}_file: cannot read {path}: {error.strerror}") from error
    return read


class Group(BaseModel):
    """A table inside a section, such as ``[server.api]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _secrets(cls, values: Any) -> Any:
        return _read_secret_files(cls, values)


class SectionSettings(BaseSettings):
    """All settings of one part of Treadle: the table ``[section]``."""

    model_config = SectionConfigDict(extra="forbid", frozen=True)

    section: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _secrets(cls, values: Any) -> Any:
        return _read_secret_files(cls, values)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take nothing but what :func:`load` has merged."""
        return (init_settings,)


S = TypeVar("S", bound=SectionSettings)


def load(model: type[S], *, path: Path | None, options: Mapping[str, Any]) -> S:
    """The settings of one section. `options` come from the command line, nested as in the file.

    Without a `path` the default file is read if there is one; a `path` that was
    asked for has to exist.
    """
    if path is not None and not path.is_file():
        raise ConfigurationError(f"{path}: there is no such file")
    values = _from_files(path or DEFAULT_PATH).get(model.section, {})
    if not isinstance(values, dict):
        raise ConfigurationError(f"[{model.section}] has to be a table")
    values = _laid_over(values, _from_environment(model))
    values = _laid_over(values, options)
    try:
        return model(**values)
    except ValidationError as error:
        raise ConfigurationError(_explain(model.section, error)) from error


def _from_files(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for file in (path, *sorted((path.parent / "conf.d").glob("*.toml"))):
        if not file.is_file():
            continue
        try:
            table = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"{file}: {error}") from error
        unknown = sorted(set(table) - set(SECTIONS))
        if unknown:
            raise ConfigurationError(
                f"{file}: unknown table [{unknown[0]}]; known are {', '.join(SECTIONS)}"
            )
        values = _laid_over(values, table)
    return values


def _from_environment(model: type[SectionSettings]) -> dict[str, Any]:
    prefixes = tuple(f"{ENVIRONMENT_PREFIX}{section.upper()}__" for section in SECTIONS)
    for variable in os.environ:
        if (
            variable.startswith(ENVIRONMENT_PREFIX)
            and variable not in COMMAND_VARIABLES
            and not variable.startswith(prefixes)
        ):
            raise ConfigurationError(f"unknown setting {variable} in the environment")
    prefix = f"{ENVIRONMENT_PREFIX}{model.section.upper()}__"
    known = {name.upper() for name in model.model_fields}
    for variable in os.environ:
        name = variable.removeprefix(prefix).split("__")[0].removesuffix("_FILE")
        if variable.startswith(prefix) and name not in known:
            raise ConfigurationError(f"unknown setting {variable} in the environment")
    return EnvSettingsSource(model, env_prefix=prefix, env_nested_delimiter="__")()


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`, table by table; ``None`` in `above` says nothing."""
    merged = dict(below)
    for key, value in above.items():
        if isinstance(value, Mapping):
            inner = merged.get(key, {})
            merged[key] = _laid_over(inner if isinstance(inner, Mapping) else {}, value)
        elif value is not None:
            merged[key] = value
    return merged


def _explain(section: str, error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        name = ".".join((section, *(str(part) for part in problem["loc"])))
        reason = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            reason = "there is no such setting"
        lines.append(f"{name}: {reason}")
    return "\n".join(lines)
