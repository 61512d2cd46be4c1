"""Where packets begin that the agent makes by itself, and which ports punted packets are of."""

import pytest

from chassis_agent import tables
from chassis_agent.local.port_names import PortKeys
from chassis_agent.openflow.packet_in import PacketIn, known_fields
from chassis_agent.punt.own_packets import mac_of, made_here
from chassis_agent.punt.ports import inport_of, outport_of
from southbound.rows import PortBinding

CONTROLLER = 0xFFFFFFFD
FLAGS = 10


def packet_of(match: bytes) -> PacketIn:
    """Return a packet with the fields of an OpenFlow match (OpenFlow 1.5, section 7.2.3)."""
    length = int.from_bytes(match[2:4], "big")
    return PacketIn(b"", b"", dict(known_fields(match[4:length])), 0)


@pytest.mark.parametrize("ports", [{}, {"inport": 3}, {"outport": 4}, {"inport": 3, "outport": 4}])
def test_a_packet_begins_in_its_datapath_as_one_of_the_network(ports: dict[str, int]) -> None:
    packet = packet_of(made_here(7, **ports))
    assert packet.fields["in_port"] == CONTROLLER
    assert packet.register(FLAGS) == tables.MADE_BY_NETWORK
    assert inport_of(packet) == PortKeys(7, ports.get("inport", 0))
    assert outport_of(packet) == PortKeys(7, ports.get("outport", 0))


def test_a_punted_packet_is_of_the_ports_in_its_registers() -> None:
    packet = PacketIn(b"", b"", {"metadata": 7, "xreg7": 3 << 32 | 4}, 0)
    assert (inport_of(packet), outport_of(packet)) == (PortKeys(7, 3), PortKeys(7, 4))
    assert inport_of(PacketIn(b"", b"", {}, 0)) == PortKeys(0, 0)


def test_the_mac_address_of_a_port_is_the_first_of_its_addresses() -> None:
    addresses = ("0a:00:00:00:00:01 192.0.2.1 fd00::1", "0a:00:00:00:00:02")
    assert mac_of(PortBinding("p", "r", "out", 3, "patch", addresses=addresses)).hex() == (
        "0a0000000001"
    )
