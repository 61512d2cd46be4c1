"""Lines about packets that ACLs want logged. Tenants write the packets: nothing is trusted."""

import ipaddress
import struct
from typing import Any

import structlog

from chassis_agent import tables
from chassis_agent.local.port_names import PortKeys, PortNames
from chassis_agent.openflow.packet_in import PacketIn
from chassis_agent.punt import codec
from chassis_agent.punt.errors import PuntError
from chassis_agent.punt.opcodes import LogArguments
from chassis_agent.punt.ports import inport_of, outport_of
from logical_flow.action import SEVERITIES, VERDICTS

log = structlog.get_logger("treadle.acl")

_WITH_PORTS = (codec.PROTOCOL_TCP, codec.PROTOCOL_UDP, codec.PROTOCOL_SCTP)


class AclLog:
    """Writes one event a packet: which ACL, what it decided, and what the packet was."""

    def __init__(self, ports: PortNames) -> None:
        self._ports = ports

    def packet_logged(self, arguments: LogArguments, packet: PacketIn) -> None:
        log.info(
            "acl",
            acl=arguments.name.decode(errors="replace"),
            severity=_named(SEVERITIES, arguments.severity),
            verdict=_named(VERDICTS, arguments.verdict),
            direction="from-lport" if packet.table < tables.OUTPUT else "to-lport",
            inport=self._name(inport_of(packet)),
            outport=self._name(outport_of(packet)),
            **describe(packet.packet),
        )

    def _name(self, keys: PortKeys) -> str | None:
        port = self._ports.port(keys)
        return None if port is None else port.name


def describe(frame: bytes) -> dict[str, Any]:
    """What can be read of a frame, as far as it goes."""
    facts: dict[str, Any] = {}
    try:
        ethernet = codec.read_ethernet(frame)
        facts["eth_src"] = ethernet.src.hex(":")
        facts["eth_dst"] = ethernet.dst.hex(":")
        ip = codec.read_ip(ethernet)
        facts["ip_src"] = str(ipaddress.ip_address(ip.src))
        facts["ip_dst"] = str(ipaddress.ip_address(ip.dst))
        facts["ip_proto"] = ip.protocol
        if ip.protocol in _WITH_PORTS and not ip.is_later_fragment and len(ip.payload) >= 4:
            facts["src_port"], facts["dst_port"] = struct.unpack_from("!HH", ip.payload)
    except PuntError as error:
        facts["unread"] = str(error)
    return facts


def _named(names: tuple[str, ...], index: int | None) -> str | None:
    return names[index] if index is not None and index < len(names) else None
