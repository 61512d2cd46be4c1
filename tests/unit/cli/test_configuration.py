"""Where settings come from, and which of them wins."""

from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr

from cli import configuration
from cli.configuration import ConfigurationError, Group, SectionSettings, load


class Inner(Group):
    port: int = 1
    password: SecretStr | None = None


class Example(SectionSettings):
    section: ClassVar[str] = "server"

    name: str = "default"
    inner: Inner = Inner()


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(configuration, "DEFAULT_PATH", tmp_path / "nowhere.toml")
    return tmp_path / "treadle.toml"


def read(path: Path | None, **options: Any) -> Example:
    return load(Example, path=path, options=options)


def test_defaults_hold_where_nothing_is_said(file: Path) -> None:
    assert read(None) == Example()


def test_command_line_over_environment_over_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text('[server]\nname = "file"\n[server.inner]\nport = 2\n')
    assert read(file).inner.port == 2
    monkeypatch.setenv("TREADLE_SERVER__INNER__PORT", "3")
    assert (read(file).name, read(file).inner.port) == ("file", 3)
    assert read(file, inner={"port": 4}, name=None).inner.port == 4


def test_files_in_conf_d_are_laid_over_in_order(file: Path) -> None:
    file.write_text('[server]\nname = "main"\n[server.inner]\nport = 2\n')
    (file.parent / "conf.d").mkdir()
    (file.parent / "conf.d" / "20-b.toml").write_text('[server]\nname = "b"\n')
    (file.parent / "conf.d" / "10-a.toml").write_text('[server]\nname = "a"\n')
    (file.parent / "conf.d" / "30-c.txt").write_text("not settings")
    assert (read(file).name, read(file).inner.port) == ("b", 2)


def test_other_parts_of_the_file_are_for_others(file: Path) -> None:
    file.write_text('[agent]\nanything = "goes"\n')
    assert read(file) == Example()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[server]\ncolour = "red"', "server.colour: there is no such setting"),
        ("[server.inner]\nprot = 1", "server.inner.prot: there is no such setting"),
        ("[sever]\nport = 1", "unknown table [sever]"),
        ('[server.inner]\nport = "many"', "server.inner.port: Input should be a valid integer"),
        ("[server", "treadle.toml"),
        ("server = 1", "[server] has to be a table"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read(file)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "variable", ["TREADLE_COLOUR", "TREADLE_SERVER__COLOUR", "TREADLE_SERVER__INNER__COLOUR"]
)
def test_an_unknown_variable_is_an_error(
    file: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "red")
    with pytest.raises(ConfigurationError, match=r"(?i)colour"):
        read(None)


def test_variables_of_commands_and_of_other_parts_are_no_error(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TREADLE_URL", "http://controller:6680")
    monkeypatch.setenv("TREADLE_AGENT__SERVER", "ws://controller:6650")
    assert read(None) == Example()


def test_a_file_that_was_asked_for_has_to_be_there(file: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no such file"):
        read(file)


def test_a_secret_can_be_in_a_file_of_its_own(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = file.parent / "secret"
    secret.write_text("s3cret\n")
    file.write_text(f'[server.inner]\npassword_file = "{secret}"\n')
    password = read(file).inner.password
    assert password is not None
    assert password.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(read(file))

    monkeypatch.setenv("TREADLE_SERVER__INNER__PASSWORD", "other")
    with pytest.raises(ConfigurationError, match="password or password_file, not both"):
        read(file)


def test_a_secret_file_that_is_missing(file: Path) -> None:
    file.write_text('[server.inner]\npassword_file = "/nonexistent/secret"\n')
    with pytest.raises(ConfigurationError, match="cannot read /nonexistent/secret"):
        read(file)


def test_a_secret_file_can_be_named_in_the_environment(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = file.parent / "secret"
    secret.write_text("s3cret")
    monkeypatch.setenv("TREADLE_SERVER__INNER__PASSWORD_FILE", str(secret))
    password = read(None).inner.password
    assert password is not None
    assert password.get_secret_value() == "s3cret"
