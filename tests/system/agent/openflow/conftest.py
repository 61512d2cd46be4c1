"""A bridge, and a connection to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chassis_agent.openflow.connection import Connection
from chassis_agent.openflow.packet_in import PacketIn
from tests.system.agent.private_switch import PrivateSwitch


class Bridge:
    """The integration bridge of a private switch, and the packets that it punted."""

    def __init__(self, switch: PrivateSwitch) -> None:
        self.switch = switch
        self.socket: Path = switch.directory / "br-int.mgmt"
        self.punted: list[PacketIn] = []

    @asynccontextmanager
    async def connected(
        self, on_packet_in: Callable[[PacketIn], None] | None = None
    ) -> AsyncIterator[Connection]:
        connection = await Connection.connect(
            self.socket, on_packet_in=on_packet_in or self.punted.append
        )
        try:
            yield connection
        finally:
            await connection.close()


@pytest.fixture
def bridge(switch: PrivateSwitch) -> Bridge:
    """A netdev-like bridge with two ports, 1 and 2."""
    switch.vsctl(
        *("add-br", "br-int", "--", "set", "bridge", "br-int", "fail_mode=secure"),
        "protocols=OpenFlow13,OpenFlow15",
    )
    switch.plug("p1", "one", 1)
    switch.plug("p2", "two", 2)
    return Bridge(switch)
