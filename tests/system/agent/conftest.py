"""Fixtures for tests of the agent with a private Open vSwitch."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.agent.private_switch import PrivateSwitch


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[PrivateSwitch]:
    """A running switch of the chassis ``hv1``, without bridges."""
    private = PrivateSwitch(tmp_path / "ovs")
    try:
        private.start({"system-id": "hv1", "hostname": "one", "treadle-encap-ip": "127.0.0.1"})
        yield private
    finally:
        private.stop()
