"""Settings of the daemons beside Treadle: where they come from, and what is refused."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.configuration import SECTIONS
from integrations import settings
from integrations.settings import SettingsError, add_options, load, setting


@dataclass(frozen=True)
class Example:
    url: str = setting("http://127.0.0.1:6680", "Where the server is.")
    token_file: str | None = setting(None, "A file with the token.")
    limit: int = setting(3, "How many.")
    timeout: float = setting(30.0, "Seconds.")
    strict: bool = setting(False, "Whether to be strict.")

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ValueError("limit: has to be 1 at least")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "DEFAULT_PATH", tmp_path / "nowhere" / "treadle.toml")
    return tmp_path / "treadle.toml"


def read(*argv: str) -> Example:
    parser = argparse.ArgumentParser()
    add_options(parser, Example)
    return load(Example, "docker", vars(parser.parse_args(argv)))


def test_options_over_environment_over_files(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read() == Example()
    file.write_text('[docker]\nurl = "file"\nlimit = 4\n[server]\nport = 1\n')
    (file.parent / "conf.d").mkdir()
    (file.parent / "conf.d" / "10.toml").write_text("[docker]\nlimit = 5\nstrict = true\n")
    assert read("-c", str(file)) == Example(url="file", limit=5, strict=True)
    monkeypatch.setenv("TREADLE_DOCKER__LIMIT", "6")
    monkeypatch.setenv("TREADLE_SERVER__LIMIT", "60")
    assert read("-c", str(file)).limit == 6
    assert read("-c", str(file), "--limit", "7", "--no-strict") == Example(url="file", limit=7)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[docker]\nurll = 'x'\n", "docker.urll: there is no such setting"),
        ("[docker]\nurl = 5\n", "docker.url: 5 is no text"),
        ("[docker]\nlimit = 'many'\n", "docker.limit: 'many' is no number"),
        ("[docker]\nlimit = 0\n", "docker.limit: has to be 1 at least"),
        ("[docker]\nlimit = true\n", "docker.limit: True is no number"),
        ("[docker]\nstrict = 'perhaps'\n", "docker.strict: 'perhaps' is neither true nor false"),
        ("docker = 3\n", "has to be a table"),
        ("[docker\n", "treadle.toml"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(file: Path, text: str, told: str) -> None:
    file.write_text(text)
    with pytest.raises(SettingsError, match=told.replace("(", "[(]")):
        read("--config", str(file))


def test_a_file_that_was_asked_for_has_to_be_there(file: Path) -> None:
    with pytest.raises(SettingsError, match="there is no such file"):
        read("--config", str(file))


def test_the_server_and_the_agent_let_the_tables_of_these_daemons_be() -> None:
    assert {"docker", "kubernetes"} <= set(SECTIONS)
