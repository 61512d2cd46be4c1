"""Labs: the lab file, processes that are stopped by pid, state that survives the maker."""

import signal
import socket
import sys
from pathlib import Path

import pytest

from cli.testbed.errors import LabNotFoundError, NotReadyError, ProcessEndedError, TestbedError
from cli.testbed.interruption import Interrupted, interruptible
from cli.testbed.lab import Lab
from cli.testbed.process import Process, spawn
from cli.testbed.spec import example, load_spec
from cli.testbed.state import (
    LabState,
    OutsideState,
    ProviderNetworkState,
    VmState,
    lab_directory,
    lab_names,
)
from cli.testbed.tcp_ports import claimed
from cli.testbed.wait import until

pytestmark = pytest.mark.processes


_NET = "provider_networks: [{name: a}]\n"


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


def test_a_vm_may_boot_by_dhcp_and_a_probe_go_to_a_name(tmp_path: Path) -> None:
    vms = "vms: [{port: a, hypervisor: hv1, dhcp: true}, {port: b, hypervisor: hv1}]\n"
    probe = "probes: [{from: a, to: b, name: b.example, expect: unknown name}]"
    spec = load_spec(write(tmp_path / "lab.yaml", vms + probe))
    assert [vm.dhcp for vm in spec.vms] == [True, False]
    assert spec.probes[0].name == "b.example"
    for wrong in ("name: -x", "address: 10.0.0"):
        probe = f"probes: [{{from: a, to: b, {wrong}, expect: answered}}]"
        with pytest.raises(TestbedError, match=wrong.partition(":")[0]):
            load_spec(write(tmp_path / "lab.yaml", vms + probe))


def test_provider_networks_of_a_lab_file_are_read(tmp_path: Path) -> None:
    spec = load_spec(
        write(
            tmp_path / "lab.yaml",
            """
            hypervisors: [hv1, hv2]
            provider_networks: [{name: physnet1}, {name: dc, hypervisors: [hv2]}]
            outside:
              - {name: gw, network: physnet1, vlan: 100, addresses: ["203.0.113.1/24"],
                 gateways: [203.0.113.254], listen: [80]}
            vms: [{port: a, hypervisor: hv1}]
            probes: [{from: a, to: gw, tcp: 80, expect: connected}]
            """,
        )
    )
    assert [network.hypervisors for network in spec.provider_networks] == [None, ("hv2",)]
    assert spec.outside[0].vlan == 100
    assert spec.outside[0].addresses == ("203.0.113.1/24",)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("hypervisors: [hv1]\nvms: [{port: a, hypervisor: hv9}]", "hv9"),
        ("vms: [{port: a, hypervisor: hv1}]\nprobes: [{from: a, to: z, expect: dropped}]", "z"),
        ("colour: red", "colour"),
        ("probes: [{from: a, to: a, expect: maybe}]", "probes.0.expect"),
        ("vms: [", "lab.yaml"),
        ("hypervisors: [hv1, hv1]", "two hypervisors hv1"),
        ("hypervisors: [underlay]", "is no name for a hypervisor"),
        ("hypervisors: [../x]", "is no name for a hypervisor"),
        (
            "hypervisors: [a]\nvms: [{port: p, hypervisor: a}, {port: p, hypervisor: a}]",
            "two VMs or outside hosts p",
        ),
        ("provider_networks: [{name: a}, {name: a}]", "two provider networks a"),
        ("provider_networks: [{name: a-name-too-long}]", "is no name for a provider network"),
        ("provider_networks: [{name: int}]", "is no name for a provider network"),
        ("provider_networks: [{name: a, hypervisors: [hv9]}]", "on hv9, which is no hypervisor"),
        ("outside: [{name: h, network: a}]", "on a, which is no provider network"),
        (f"{_NET}outside: [{{name: h, network: a, vlan: 4095}}]", "outside.0.vlan"),
        (f"{_NET}outside: [{{name: h, network: a, mac: 01:00:00:00:00:01}}]", "outside.0.mac"),
        (f"{_NET}outside: [{{name: h, network: a, addresses: [192.0.2.1]}}]", "no prefix length"),
        (f"{_NET}outside: [{{name: h, network: a, gateways: [x]}}]", "outside.0.gateways"),
        (
            f"{_NET}outside: [{{name: p, network: a}}]\nvms: [{{port: p, hypervisor: hv1}}]",
            "two VMs or outside hosts p",
        ),
        ("vms: [{port: p, hypervisor: hv1, listen: [65536]}]", "vms.0.listen.0"),
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
    state.provider_networks["physnet1"] = ProviderNetworkState({"hv1": "port1"})
    state.outside["gw"] = OutsideState(
        "physnet1", "port2", 100, "02:70:76:00:00:02", ["203.0.113.1/24"], []
    )
    state.save()
    assert LabState.load(tmp_path) == state


def test_unknown_lab(tmp_path: Path) -> None:
    with pytest.raises(LabNotFoundError):
        LabState.load(tmp_path / "blue")


@pytest.mark.parametrize("name", ["nope/../x", "", ".hidden", "-x", "a b", "x" * 64])
def test_a_name_that_no_lab_can_have(name: str) -> None:
    with pytest.raises(TestbedError, match="is no name for a lab"):
        lab_directory(name)


def test_labs_that_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TREADLE_TESTBED_DIR", str(tmp_path))
    for name in ("red", "blue"):
        (tmp_path / name).mkdir()
        LabState(name=name, directory=str(tmp_path / name)).save()
    (tmp_path / "empty").mkdir()
    assert lab_names() == ["blue", "red"]


def test_state_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "lab.json").write_text("{")
    with pytest.raises(TestbedError, match=r"lab\.json cannot be read"):
        LabState.load(tmp_path)


@pytest.mark.parametrize("owned_by", ["ended", "alive", "none"])
def test_only_a_lab_whose_owner_has_ended_is_removed(
    owned_by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TREADLE_TESTBED_DIR", str(tmp_path))
    alive = Process.current("this test")
    owners = {"ended": alive._replace(started=alive.started - 1), "alive": alive, "none": None}
    directory = tmp_path / "red"
    directory.mkdir()
    LabState(name="red", directory=str(directory), owner=owners[owned_by]).save()
    assert Lab.remove_abandoned("red") is (owned_by == "ended")
    assert directory.exists() is (owned_by != "ended")
    assert not Lab.remove_abandoned("blue")


def test_who_listens_on_a_port(tmp_path: Path) -> None:
    code = (
        "import socket, pathlib, sys, signal; s = socket.create_server(('127.0.0.1', 0));"
        "pathlib.Path(sys.argv[1]).write_text(str(s.getsockname()[1]) + ' ');"
        "signal.pause()"
    )
    told = tmp_path / "port"
    process = spawn("listener", [sys.executable, "-c", code, str(told)], tmp_path / "log")
    try:
        until(lambda: told.exists() and told.read_text().endswith(" "), "the listener")
        port = int(told.read_text())
        assert process.listens_on(port)
        assert not Process.current("another").listens_on(port)
        assert not process.listens_on(port - 1)
    finally:
        process.stop()
    assert not process.listens_on(port)


def test_a_port_is_claimed_by_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with claimed(port) as taken:
            assert not taken
    with claimed(port) as first, claimed(port) as second:
        assert (first, second) == (True, False)
    with claimed(port) as again:
        assert again


def test_first_signal_interrupts_and_the_next_do_not() -> None:
    before = signal.getsignal(signal.SIGHUP)
    went_on = []

    def work() -> None:
        with interruptible():
            try:
                signal.raise_signal(signal.SIGHUP)
            finally:
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGTERM)
                went_on.append(True)

    with pytest.raises(Interrupted, match="SIGHUP") as interrupted:
        work()
    assert went_on
    assert interrupted.value.exit_code == 129
    assert signal.getsignal(signal.SIGHUP) == before


def test_what_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_example_is_where_it_is_looked_for() -> None:
    spec = load_spec(example())
    assert spec.network is not None
    assert spec.network.is_file()
