"""Labs: the lab file, processes that are stopped by pid, state that survives the maker."""

import signal
import sys
from pathlib import Path

import pytest

from cli.testbed.errors import LabNotFoundError, NotReadyError, ProcessEndedError, TestbedError
from cli.testbed.process import Process, spawn
from cli.testbed.spec import load_spec
from cli.testbed.state import LabState, VmState
from cli.testbed.wait import until


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_lab_file_is_read(tmp_path: Path) -> None:
    spec = load_spec(
        write(
            tmp_path / "lab.yaml",
            """
            hypervisors: [hv1]
            network: net.yaml
            vms: [{port: a, hypervisor: hv1, listen: [80]}, {port: b, hypervisor: hv1}]
            probes: [{from: b, to: a, tcp: 80, expect: connected}]
            """,
        )
    )
    assert spec.network == tmp_path / "net.yaml"
    assert spec.probes[0].source == "b"
    assert spec.vms[0].listen == (80,)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("hypervisors: [hv1]\nvms: [{port: a, hypervisor: hv9}]", "hv9"),
        ("vms: [{port: a, hypervisor: hv1}]\nprobes: [{from: a, to: z, expect: dropped}]", "z"),
        ("colour: red", "colour"),
        ("probes: [{from: a, to: a, expect: maybe}]", "probes.0.expect"),
        ("vms: [", "lab.yaml"),
    ],
)
def test_wrong_lab_file_is_refused_by_name(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(TestbedError, match=complaint):
        load_spec(write(tmp_path / "lab.yaml", text))


def test_missing_lab_file(tmp_path: Path) -> None:
    with pytest.raises(TestbedError, match="nowhere"):
        load_spec(tmp_path / "nowhere.yaml")


def test_process_is_stopped(tmp_path: Path) -> None:
    process = spawn("sleeper", ["sleep", "1000"], tmp_path / "log")
    assert process.alive()
    process.stop()
    assert not process.alive()
    process.stop()  # again is no error


def test_process_that_ignores_sigterm_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.testbed.process._STOP_SECONDS", 0.5)
    code = (
        "import signal, pathlib, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "pathlib.Path(sys.argv[1]).touch(); signal.pause()"
    )
    ready = tmp_path / "ready"
    process = spawn("stubborn", [sys.executable, "-c", code, str(ready)], tmp_path / "log")
    until(ready.exists, "the process ignores SIGTERM")
    process.stop()
    assert not process.alive()


def test_pid_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    other = spawn("other", ["sleep", "1000"], tmp_path / "log")
    try:
        stale = Process("long gone", other.pid, other.started - 1, str(tmp_path / "log"))
        assert not stale.alive()
        stale.stop()
        stale.send(signal.SIGKILL)
        assert other.alive()
    finally:
        other.stop()


def test_ended_process_shows_its_last_words(tmp_path: Path) -> None:
    process = spawn("short", ["sh", "-c", "echo no such luck; sleep 0.1; exit 3"], tmp_path / "log")
    until(lambda: not process.alive(), "the process ended")
    with pytest.raises(ProcessEndedError, match="no such luck"):
        process.check()


def test_until_names_what_did_not_come() -> None:
    with pytest.raises(NotReadyError, match="the moon"):
        until(lambda: False, "the moon", 0.01)


def test_state_survives(tmp_path: Path) -> None:
    state = LabState(name="red", directory=str(tmp_path))
    state.processes["server"] = Process("server", 1, 2, "log")
    state.vms["a"] = VmState("a", "hv1", "vm-a", "0a:00:00:00:00:01", ["10.0.0.1/24"], [])
    state.save()
    assert LabState.load(tmp_path) == state


def test_unknown_lab(tmp_path: Path) -> None:
    with pytest.raises(LabNotFoundError):
        LabState.load(tmp_path / "blue")
