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
        "--update-golden",
        action="store_true",
        help="write golden files anew instead of comparing with them",
    )


def pytest_configure() -> None:
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Fixtures are torn down after SIGTERM as after Ctrl-C: labs and daemons must go."""
    raise KeyboardInterrupt
