"""The command: its settings, and what it says where it can't serve."""

import threading
from pathlib import Path

import pytest

from integrations import settings
from integrations.docker import main
from integrations.docker.settings import DockerSettings


@pytest.fixture(autouse=True)
def _no_settings_of_the_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(settings, "DEFAULT_PATH", tmp_path / "nowhere" / "treadle.toml")


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["--scope", "planet"], "docker.scope: has to be one of local, global"),
        (["--mtu", "9"], "docker.mtu: has to be from 576"),
        (["--mtu", "big"], "docker.mtu: 'big' is no number"),
        (["--pools", "10.0.0.0/25"], "docker.pools: has to have room"),
        (["--pools", "fd00::/64"], "docker.pools"),
        (["--host", "a,b"], "docker.host"),
        (["--token-file", "/nonexistent"], "/nonexistent: No such file"),
        (["--url", "treadle"], "'treadle' is no URL"),
        (["--config", "/nonexistent"], "there is no such file"),
    ],
)
def test_settings_that_cannot_be_used(
    argv: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(argv) == 2
    assert told in capsys.readouterr().err


def test_a_token_comes_from_the_environment_or_a_file_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        main.run(["--token", "x"])
    assert refused.value.code == 2
    monkeypatch.setenv("TREADLE_DOCKER__TOKEN", "hidden")
    assert main.run(["--url", "http://far:6680"]) == 2
    assert main.run(["--token-file", "y"]) == 2
    told = capsys.readouterr().err
    assert "in plain text" in told
    assert "docker.token: give token or token_file" in told
    assert "hidden" not in told + repr(DockerSettings(token="hidden"))


def test_a_status_without_a_driver(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--status", "--socket", str(tmp_path / "none.sock")]) == 1
    assert "none.sock: No such file" in capsys.readouterr().err


def test_a_driver_serves_tells_its_status_and_stops(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "treadle.sock"
    # Nothing listens there: the driver starts all the same, and says what doesn't work.
    chosen = DockerSettings(
        url="http://127.0.0.1:1",
        socket=str(path),
        host="hv1",
        bridge="br-int",
        timeout=1,
        interval=0.1,
    )
    driver = main.Driver(chosen, main._sessions(chosen))
    serving = threading.Thread(target=driver.serve)
    serving.start()
    try:
        assert main.run(["--status", "--socket", str(path)]) == 0
        assert '"calls of Treadle.Status": 1' in capsys.readouterr().out
    finally:
        driver.stop()
        serving.join(10)
    assert not serving.is_alive()
    assert not path.exists()
