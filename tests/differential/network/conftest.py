"""One judge for all tests of the session, and what they came to at its end."""

from collections.abc import Iterator

import pytest

from tests.differential.network.judge import Judge, judging
from tests.differential.network.tally import total


@pytest.fixture(scope="session")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    with judging(tmp_path_factory.mktemp("judge")) as judge:
        yield judge


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    found = [
        value
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == "differential"
    ]
    if found:
        terminalreporter.section("compared with OVN")
        for line in total(found).lines():
            terminalreporter.line(line)
