"""What is sent to backends, and that only what was sent can stay unanswered."""

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from chassis_agent.backends.checker import BackendChecker
from chassis_agent.backends.checks import RETRY_SECONDS
from chassis_agent.derivations.backends import checks_here
from chassis_agent.local.port_names import PortNames
from southbound.rows import BackendCheck, BackendStatus, Datapath, PortBinding

CHECK = BackendCheck(
    *("&v", "10.0.0.1:80", "tcp", "d", "web-1", "0a:00:00:00:00:01", "10.0.0.9"),
    interval=5,
    timeout=3,
    success_count=2,
    failure_count=1,
)
PORT = PortBinding("p", "d", "web-1", 3, "vif")


class Bench:
    """A checker of one backend, whose switch and port the test takes away and gives back."""

    def __init__(self, protocol: str) -> None:
        check = replace(CHECK, protocol=protocol)
        self.now = 100.0
        self.sent: list[bytes] = []
        self.connected = True
        self.ports = PortNames()
        self.ports.change([Datapath("d", "ls", "d", 7), PORT], [])
        rows: dict[Any, Mapping[Any, Any]] = {
            checks_here: {check.key: check},
            BackendStatus: {},
        }
        self.checker = BackendChecker(
            self._send, self.ports, rows.__getitem__, lambda _: None, clock=lambda: self.now
        )

    def _send(self, message: bytes) -> bool:
        if self.connected:
            self.sent.append(message)
        return self.connected

    def pass_time(self, seconds: float) -> None:
        """Look as often as questions are tried again."""
        end = self.now + seconds
        while self.now < end:
            self.now += RETRY_SECONDS
            self.checker.look()

    def told(self) -> list[tuple[bool, str]]:
        states = self.checker._checks.statement().states
        return [(each.up, each.reason) for each in states]


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_without_a_switch_nothing_is_said_of_a_backend(protocol: str) -> None:
    bench = Bench(protocol)
    bench.connected = False
    bench.pass_time(60)
    assert bench.told() == []
    bench.connected = True
    bench.pass_time(RETRY_SECONDS)
    assert len(bench.sent) == 1, "it is asked once there is a switch"
    bench.pass_time(CHECK.timeout)
    assert bench.told() == [(True, "") if protocol == "udp" else (False, "no answer within 3 s")]


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_of_a_backend_whose_port_is_not_known_nothing_is_said(protocol: str) -> None:
    bench = Bench(protocol)
    bench.ports.change([], [PORT.row_id])
    bench.pass_time(60)
    assert (bench.sent, bench.told()) == ([], [])
    bench.ports.change([PORT], [])
    bench.pass_time(RETRY_SECONDS)
    assert len(bench.sent) == 1
