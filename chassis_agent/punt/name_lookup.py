"""Handles DNS queries: answers those for names that are known here, and passes the others on."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from chassis_agent.local.port_names import PortNames
from chassis_agent.openflow import messages
from chassis_agent.punt import codec, dns
from chassis_agent.punt.answering import MADE_HERE
from chassis_agent.punt.codec import PROTOCOL_UDP, Ethernet, Ip, Udp
from chassis_agent.punt.errors import MalformedPacketError
from chassis_agent.punt.handler import Punt, PuntHost
from chassis_agent.punt.opcodes import Opcode, decode_dns_arguments
from logical_flow.names import NameTable
from southbound.rows import DnsName, Row, RowId


class KnownNames:
    """The names of all switches, kept row by row."""

    def __init__(self) -> None:
        self._rows: dict[str, DnsName] = {}
        self._tables: dict[str, NameTable] = {}

    def change(self, puts: Iterable[Row], deletes: Iterable[RowId]) -> None:
        """Take a batch of rows; others than names are passed over."""
        for table, key in deletes:
            if table == DnsName.table:
                self._forget(key)
        for row in puts:
            if isinstance(row, DnsName):
                self._forget(row.key)
                self._rows[row.key] = row
                self._tables.setdefault(row.datapath, NameTable()).put(row)

    def of(self, datapath: str) -> NameTable | None:
        return self._tables.get(datapath)

    def _forget(self, key: str) -> None:
        row = self._rows.pop(key, None)
        if row is None:
            return
        table = self._tables[row.datapath]
        table.remove(row)
        if not table:
            del self._tables[row.datapath]


class NameLookupHandler:
    """Answers DNS queries, or has them go on as they are.

    `answered` and `passed_on` count.
    """

    opcodes: Collection[Opcode] = (Opcode.DNS,)

    def __init__(self, host: PuntHost) -> None:
        self._send = host.send
        self._ports: PortNames = host.ports
        self.names = KnownNames()
        self.answered = 0
        self.passed_on = 0

    def handle(self, punt: Punt) -> None:
        packet = punt.packet
        answering, passing_on = decode_dns_arguments(punt.body)
        names = self.names.of(self._ports.datapath(packet.datapath_key))
        made = None if names is None else answer_to(packet.packet, names)
        metadata = packet.restored_metadata()
        if made is None:
            self.passed_on += 1
            self._send(messages.packet_out(packet.packet, MADE_HERE + passing_on, metadata))
        else:
            self.answered += 1
            self._send(messages.packet_out(made, MADE_HERE + answering, metadata))


def answer_to(data: bytes, names: NameTable) -> bytes | None:
    """Return the frame of a query with the answer in it; None if it is to go on as it is.

    Addresses stay as they are. What can't be read as a query may be something else to the
    server that it is for.
    """
    try:
        frame = codec.read_ethernet(data)
        packet = codec.read_ip(frame)
        datagram = codec.read_udp(packet)
        query = dns.read_query(datagram.payload)
    except MalformedPacketError:
        return None
    answer = names.look_up(query.name, query.kind)
    if answer is None:
        return None
    return _answered(frame, packet, datagram, dns.write_answer(query, answer))


def _answered(frame: Ethernet, packet: Ip, asked: Udp, payload: bytes) -> bytes:
    datagram = codec.write_udp(asked.src, asked.dst, payload, packet.src, packet.dst)
    made = Ip(packet.src, packet.dst, PROTOCOL_UDP, datagram)
    return codec.write_ethernet(frame._replace(payload=codec.write_ip(made)))
