"""How long the faults go on, and with which seed."""

import re

import pytest

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
_SLACK = 900
"""Seconds for making the lab and taking it down, and for the last look."""


def seconds(text: str) -> float:
    """The length of a duration such as ``90``, ``45s``, ``30m`` or ``2h``."""
    found = re.fullmatch(r"(\d+)([smh]?)", text)
    if found is None:
        raise ValueError(f"{text!r} is no duration: 45s, 30m, 2h")
    return int(found[1]) * _UNITS[found[2]]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give the tests of faults the time that they were asked to take."""
    for item in items:
        if "faults" in item.fixturenames if isinstance(item, pytest.Function) else False:
            limit = seconds(config.getoption("--faults")) + _SLACK
            item.add_marker(pytest.mark.timeout(limit))


@pytest.fixture
def faults(request: pytest.FixtureRequest) -> float:
    """How many seconds the faults are to go on."""
    return seconds(request.config.getoption("--faults"))


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """What the order of the faults follows from."""
    return int(request.config.getoption("--faults-seed"))
