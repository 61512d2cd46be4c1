"""What all tests share: the option for golden files, and an end that cleans up."""

import signal
from types import FrameType

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
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
        "--update-golden",
        action="store_true",
        help="write golden files anew instead of comparing with them",
    )


def pytest_configure() -> None:
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Fixtures are torn down after SIGTERM as after Ctrl-C: labs and daemons must go."""
    raise KeyboardInterrupt
