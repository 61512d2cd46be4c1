"""Handles what the agent only takes note of: learned addresses, lines to log, answered probes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from chassis_agent.local.port_names import PortKeys
from chassis_agent.openflow.packet_in import PacketIn
from chassis_agent.punt import codec
from chassis_agent.punt.errors import MalformedUserdataError
from chassis_agent.punt.handler import Learner, PacketLog, Punt
from chassis_agent.punt.opcodes import Opcode, decode_log_arguments
from chassis_agent.punt.ports import inport_of

_MULTICAST_BIT: Final = 1


class LearningHandler:
    """Learns who sent a packet; a group or the zero address, whom no host is, teaches nothing."""

    opcodes: Collection[Opcode] = (Opcode.PUT_ARP, Opcode.PUT_ND, Opcode.PUT_FDB)

    def __init__(self, learner: Learner) -> None:
        self._learner = learner

    def handle(self, punt: Punt) -> None:
        packet = punt.packet
        mac = codec.read_ethernet(packet.packet).src
        if mac[0] & _MULTICAST_BIT or not any(mac):
            return
        datapath, port = inport_of(packet)
        if punt.opcode is Opcode.PUT_FDB:
            self._learner.fdb_learned(datapath, port, mac)
            return
        if punt.opcode is Opcode.PUT_ARP:
            ip = packet.register(0).to_bytes(4, "big")
        else:
            ip = packet.register128(0).to_bytes(16, "big")
        if any(ip):
            self._learner.neighbour_learned(datapath, port, ip, mac)


class LogHandler:
    """Writes a line about a packet."""

    opcodes: Collection[Opcode] = (Opcode.LOG,)

    def __init__(self, packet_log: PacketLog) -> None:
        self._packet_log = packet_log

    def handle(self, punt: Punt) -> None:
        self._packet_log.packet_logged(decode_log_arguments(punt.body), punt.packet)


class VirtualHandler:
    """Takes note of the port that speaks for a virtual address."""

    opcodes: Collection[Opcode] = (Opcode.VIRTUAL_BIND,)

    def __init__(self, claimed: Callable[[PortKeys, bytes], None]) -> None:
        self._claimed = claimed

    def handle(self, punt: Punt) -> None:
        packet = punt.packet
        if punt.body == b"\x04":
            ip = packet.register(0).to_bytes(4, "big")
        elif punt.body == b"\x06":
            ip = packet.register128(0).to_bytes(16, "big")
        else:
            raise MalformedUserdataError("no family of addresses")
        self._claimed(inport_of(packet), ip)


class ActivationHandler:
    """Takes note that the workload of a port runs here."""

    opcodes: Collection[Opcode] = (Opcode.ACTIVATION,)

    def __init__(self, spoke: Callable[[PortKeys], None]) -> None:
        self._spoke = spoke

    def handle(self, punt: Punt) -> None:
        self._spoke(inport_of(punt.packet))


class ProbeHandler:
    """Takes note that a probe of a tunnel was answered."""

    opcodes: Collection[Opcode] = (Opcode.PROBE,)

    def __init__(self, answered: Callable[[PacketIn], None]) -> None:
        self._answered = answered

    def handle(self, punt: Punt) -> None:
        self._answered(punt.packet)
