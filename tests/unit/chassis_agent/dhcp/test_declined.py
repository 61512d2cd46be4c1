"""The log says which addresses clients have found in use, once a minute of each port."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from chassis_agent import tables
from chassis_agent.dhcp import message4, message6
from chassis_agent.local.port_names import PortNames
from chassis_agent.openflow.packet_in import PacketIn
from chassis_agent.punt.dhcp import DeclinedAddresses, DhcpHandler
from chassis_agent.punt.handler import Punt
from chassis_agent.punt.opcodes import Opcode, dhcp_arguments
from logical_flow.dhcp_options import DhcpOption, OwnCode, encode_options
from southbound.rows import Datapath, PortBinding
from tests.unit.chassis_agent.dhcp.messages import (
    ADDRESS,
    DUID,
    OTHER,
    SERVER,
    encoded6,
    frame4,
    frame6,
)
from tests.unit.chassis_agent.dhcp.messages import (
    message4 as client4,
)
from tests.unit.chassis_agent.dhcp.messages import (
    message6 as client6,
)

ADDRESS6, OTHER6 = (bytes.fromhex(f"fd00{n:028x}") for n in (5, 6))
OPTIONS4 = (DhcpOption(54, SERVER),)
OPTIONS6 = (DhcpOption(2, DUID), DhcpOption(OwnCode.LIFETIMES, bytes(16)))
DECLINE4 = [(50, ADDRESS), (54, SERVER)]


def ia(address: bytes) -> tuple[int, bytes]:
    return 3, bytes(12) + encoded6([(5, address + bytes(8))])


DECLINE6 = [(1, b"client"), (2, DUID), ia(ADDRESS6)]


class Clients:
    """Clients behind port `a`, and behind port `b`, by their tunnel keys."""

    A, B, NO_PORT = 1, 2, 3

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.now = 0.0
        ports = PortNames()
        bindings = [PortBinding(f"id-{n}", "ls", n, key, "vif") for n, key in (("a", 1), ("b", 2))]
        ports.change([Datapath("ls", "ls", "ls", 7), *bindings], [])
        declined = DeclinedAddresses(ports, lambda: self.now)
        self._handler = DhcpHandler(self.sent.append, declined)

    def say(self, frame: bytes, inport: int = A, *, opcode: Opcode = Opcode.DHCPV4) -> list[Any]:
        """What the log says of a client's frame."""
        is_4 = opcode is Opcode.DHCPV4
        address, options = (ADDRESS, OPTIONS4) if is_4 else (ADDRESS6, OPTIONS6)
        fields = {"metadata": 7, "xreg7": inport << 32}
        packet = PacketIn(frame, b"", fields, 0, tables.INGRESS)
        body = dhcp_arguments(address, encode_options(options))
        with capture_logs() as lines:
            self._handler.handle(Punt(opcode, body, packet))
        return lines

    def decline4(self, inport: int = A) -> list[Any]:
        return self.say(frame4(client4(message4.MessageType.DECLINE, DECLINE4)), inport)


def told(port: str, address: str) -> list[dict[str, str]]:
    line = {"event": "a DHCP client found its address in use", "log_level": "warning"}
    return [{**line, "port": port, "address": address}]


def test_dhcpv4() -> None:
    clients = Clients()
    assert clients.decline4() == told("a", "10.0.0.5")
    assert clients.sent == []


def test_dhcpv6() -> None:
    clients = Clients()
    frame = frame6(client6(message6.MessageType.DECLINE, DECLINE6))
    assert clients.say(frame, opcode=Opcode.DHCPV6) == told("a", "fd00::5")
    assert len(clients.sent) == 1


def test_once_a_minute_of_each_port() -> None:
    clients = Clients()
    clients.decline4()
    clients.now = 59.9
    assert clients.decline4() == []
    assert clients.decline4(Clients.B) == told("b", "10.0.0.5")
    clients.now = 60.0
    assert clients.decline4() == told("a", "10.0.0.5")
    assert clients.decline4(Clients.B) == []


@pytest.mark.parametrize(
    "frame",
    [
        frame4(client4(message4.MessageType.DECLINE, [(50, OTHER), (54, SERVER)])),
        frame4(client4(message4.MessageType.DECLINE, [(50, ADDRESS), (54, OTHER)])),
        frame4(client4(message4.MessageType.RELEASE, [(54, SERVER)], ciaddr=ADDRESS)),
        frame4(client4(message4.MessageType.DISCOVER)),
    ],
    ids=["another address", "another server", "released", "discovering"],
)
def test_what_tells_of_nothing(frame: bytes) -> None:
    assert Clients().say(frame) == []


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (message6.MessageType.DECLINE, [(1, b"client"), (2, DUID), ia(OTHER6)]),
        (message6.MessageType.DECLINE, [(1, b"client"), (2, b"another"), ia(ADDRESS6)]),
        (message6.MessageType.RELEASE, DECLINE6),
    ],
    ids=["another address", "another server", "released"],
)
def test_what_tells_of_nothing_in_dhcpv6(
    kind: message6.MessageType, options: list[tuple[int, bytes]]
) -> None:
    assert Clients().say(frame6(client6(kind, options)), opcode=Opcode.DHCPV6) == []


def test_a_port_that_is_gone() -> None:
    assert Clients().decline4(Clients.NO_PORT) == []
