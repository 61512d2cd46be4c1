"""Labs for system tests, and what every one of them must hold at its end.

After each test the state of every agent is compared with a full recompute and
with what its switch really holds, the server's with a full translation, and the
logs of all daemons are searched for errors.
"""

import os
import re
import secrets
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli.testbed.lab import Lab
from cli.testbed.wait import until
from tests.system.evidence import evidence
from tests.system.network import Network

_TROUBLE = re.compile(
    r"Traceback \(most recent call last\)"
    r"|\|(?:ERR|EMER)\|"
    r'|"level": ?"(?:error|critical)"'
    r"|\[(?:error|critical) *\]"
)


class Scene:
    """A lab with its network; `expected_trouble` are log lines that a test provokes."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.net = Network(lab.server, self._forget_cached)
        self.expected_trouble: list[str] = []
        self.has_begun = False
        """Whether everything was settled before the first test."""
        self._log_offsets: dict[Path, int] = {}

    def _forget_cached(self) -> None:
        """Have no switch forward by cached decisions from before its last change."""
        for name, hypervisor in self.lab.hypervisors.items():
            if self.lab.process(f"{name}/ovs-vswitchd").alive():
                hypervisor.switch.appctl("revalidator/purge")

    def settle(self) -> None:
        """Wait until every switch holds what the server has, and tunnels carry packets."""
        for hypervisor in self.lab.hypervisors.values():
            until(
                lambda hypervisor=hypervisor: _is_settled(hypervisor.agent("status")),  # type: ignore[misc]
                f"{hypervisor.name} in sync, and reached by the others",
                60,
            )

    def check(self) -> None:
        """What must hold whenever nothing is going on."""
        self.settle()
        problems = [*self._disagreements(), *self._trouble_in_logs()]
        assert not problems, "\n".join(problems)

    def _disagreements(self) -> list[str]:
        """What agents and the server have otherwise than a full recompute has it."""
        problems: list[str] = []
        for name, hypervisor in self.lab.hypervisors.items():
            found: list[str] = []

            def agrees(hypervisor=hypervisor, found=found) -> bool:  # type: ignore[no-untyped-def]
                answer = hypervisor.agent("recompute")
                found[:] = answer["differences"]
                return not found

            try:
                until(agrees, f"agent of {name} agrees with its switch", 30)
            except Exception as error:
                problems += [f"{name}: {line}" for line in found or [str(error)]]
        answer = self.net.client.get("/v1/status/differences")
        answer.raise_for_status()
        problems += [f"translator: {line}" for line in answer.json()["differences"]]
        return problems

    def _trouble_in_logs(self) -> list[str]:
        lines = []
        for log in (
            *self.lab.directory.glob("*.log"),
            *self.lab.directory.glob("*/*.log"),
            *self.lab.directory.glob("*/ovs/*.log"),
        ):
            with log.open(errors="replace") as text:
                text.seek(self._log_offsets.get(log, 0))
                new = text.read()
                self._log_offsets[log] = text.tell()
            for line in new.splitlines():
                expected = any(re.search(pattern, line) for pattern in self.expected_trouble)
                if _TROUBLE.search(line) and not expected:
                    lines.append(f"{log.relative_to(self.lab.directory)}: {line}")
        return lines


def _is_settled(status: dict[str, Any]) -> bool:
    """Whether a hypervisor has what is wanted, and reaches those that it has tunnels to.

    After a restart of Open vSwitch, tunnels carry packets later than local ports do.
    """
    if not status["in_sync"]:
        return False
    tunnels, sessions = status["tunnels"], status["gateways"]["sessions"]
    is_reached = not tunnels["pending"] and not tunnels["unreachable"]
    return is_reached and set(sessions.values()) <= {"up"}


def make_lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """An empty lab whose names no other run has."""
    name = f"t{os.getpid():x}{secrets.token_hex(2)}"
    return Lab.create(name, tmp_path_factory.mktemp("lab") / name)


@contextmanager
def two_hypervisors(
    tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str] | None = None
) -> Iterator[Scene]:
    """A lab of two hypervisors with a server, whose environment has `settings`."""
    with make_lab(tmp_path_factory) as lab:
        lab.start_server(environment=settings)
        for name in ("hv1", "hv2"):
            lab.add_hypervisor(name)
        scene = Scene(lab)
        yield scene
        scene.net.client.close()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A lab for the tests of one module."""
    with two_hypervisors(tmp_path_factory) as scene:
        yield scene


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what switches say of themselves to the report of a test that has failed."""
    report = yield
    scene = getattr(item, "funcargs", {}).get("scene")
    if call.when == "call" and report.failed and isinstance(scene, Scene):
        report.sections += evidence(scene.lab)
    return report


@pytest.fixture(autouse=True)
def _consistent_afterwards(request: pytest.FixtureRequest) -> Iterator[None]:
    if "scene" not in request.fixturenames:
        yield
        return
    scene: Scene = request.getfixturevalue("scene")
    if not scene.has_begun:
        scene.settle()
        scene.has_begun = True
    yield
    scene.check()
