"""What all tests share: their options, what they tell at the end, and an end that cleans up.

Each worker of pytest-xdist takes whole modules: what a module sets up, a lab for one, is set
up once.
"""

import os
import signal
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType

import pytest

from tests.differential.network.tally import total

_SECONDS_TO_END = 60
"""How long a worker may take down what its tests have set up."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--compat",
        action="store_true",
        help="run what is marked compat, too: clients of others that take long",
    )
    parser.addoption(
        "--differential-topologies",
        type=int,
        default=60,
        help="how many random topologies to compare with OVN",
    )
    parser.addoption(
        "--differential-seed",
        type=int,
        default=1,
        help="the seed of the first of these topologies",
    )
    parser.addoption(
        "--faults",
        default="45s",
        help="how long random faults befall a lab, such as 90s, 30m or 2h",
    )
    parser.addoption(
        "--faults-seed",
        type=int,
        default=1,
        help="what the order of these faults follows from",
    )
    parser.addoption(
        "--frames",
        type=int,
        default=2000,
        help="how many hostile frames each sender sends",
    )
    parser.addoption(
        "--frames-seed",
        type=int,
        default=1,
        help="the seed of these frames",
    )
    parser.addoption(
        "--punts",
        type=int,
        default=150,
        help="how many hostile packets each handler of punted packets gets",
    )
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write golden files anew instead of comparing with them",
    )


def pytest_configure(config: pytest.Config) -> None:
    controls_workers = config.getoption("dist", "no") != "no"
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, partial(_interrupt, controls_workers))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run tests with daemons once more where they fail, and leave out what takes too long.

    A machine that does other work starves a daemon now and then, and of thousands of these
    tests one may fail with nothing wrong. Each that ran twice is listed with its first failure:
    the test has a fault, or has found one. What takes too long runs with ``--compat`` alone.
    """
    if config.pluginmanager.hasplugin("rerunfailures"):
        for item in items:
            if item.get_closest_marker("system"):
                item.add_marker(pytest.mark.flaky(reruns=1))
    if config.getoption("compat"):
        return
    left_out = [item for item in items if item.get_closest_marker("compat")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def _interrupt(controls_workers: bool, _number: int, _frame: FrameType | None) -> None:
    """Have fixtures torn down after SIGTERM as after Ctrl-C: labs and daemons must go.

    Workers are interrupted at once, and once only: pytest-xdist would ask them to end, and
    kill those that still take down a lab after seconds.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    if controls_workers:
        workers = _children(os.getpid())
        for pid in workers:
            os.kill(pid, signal.SIGINT)
        end = time.monotonic() + _SECONDS_TO_END
        while any(map(_children, workers)) and time.monotonic() < end:
            time.sleep(0.1)
    raise KeyboardInterrupt


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # it has ended by itself
            found += map(int, task.read_text().split())
    return found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what failed at first, and what the comparison with OVN came to."""
    at_first = terminalreporter.getreports("rerun")
    if at_first:
        terminalreporter.section("failed at first")
        for report in at_first:
            terminalreporter.write_sep("_", report.nodeid)
            terminalreporter.line(report.longreprtext)
    documents = [
        value
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == "differential"
    ]
    if documents:
        terminalreporter.section("compared with OVN")
        for line in total(documents).lines():
            terminalreporter.line(line)
