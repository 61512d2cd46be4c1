"""Handles packets whose next hop's Ethernet address isn't known: asks for it, and lets them wait.

The runtime tells `NextHopHandler` of neighbours' addresses as they become known.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

from chassis_agent.local.port_names import PortKeys
from chassis_agent.openflow import actions as act
from chassis_agent.openflow import messages
from chassis_agent.openflow.oxm import FIELDS
from chassis_agent.openflow.packet_in import PacketIn
from chassis_agent.punt.answering import ASKING, message_of
from chassis_agent.punt.handler import Punt, PuntHost
from chassis_agent.punt.opcodes import Opcode
from chassis_agent.punt.pending import NextHop, PendingPackets, Waiting
from chassis_agent.punt.ports import outport_of
from southbound.rows import MacBinding


class NextHopHandler:
    """Asks for next hops, and sends packets on to those that answered."""

    opcodes: Collection[Opcode] = ASKING

    def __init__(self, host: PuntHost) -> None:
        self._host = host
        self.pending = PendingPackets()

    def handle(self, punt: Punt) -> None:
        """Send a packet on if its next hop is known by now, else let it wait, and ask.

        A packet that was punted before the neighbour's flows were in the switch may come
        here after the neighbour was learned.
        """
        question = message_of(punt)
        if question is None:
            return
        packet = punt.packet
        next_hop = self._of_gateway_port(_next_hop(punt.opcode, packet))
        waiting = Waiting(packet.packet, packet.restored_metadata())
        mac = self._known_mac(next_hop)
        if mac is not None:
            self._go_on(waiting, mac)
            return
        now = self._host.clock()
        if self.pending.add(next_hop, waiting, sender=packet.sender, question=question, now=now):
            self._host.send(question)

    def neighbour_known(self, datapath_key: int, port_key: int, ip: bytes, mac: bytes) -> int:
        """Send on the packets that waited for this address; returns how many."""
        ready = self.pending.take(NextHop(datapath_key, port_key, ip))
        for waiting in ready:
            self._go_on(waiting, mac)
        return len(ready)

    def ask_again(self) -> None:
        """Repeat the questions for neighbours that have not answered in time.

        To be called several times in `pending.INTERVAL`.
        """
        for question in self.pending.due(self._host.clock()):
            self._host.send(question)

    def _known_mac(self, next_hop: NextHop) -> bytes | None:
        """Return the MAC address of a neighbour, if it was learned here or elsewhere."""
        port = self._host.ports.port(PortKeys(next_hop.datapath_key, next_hop.port_key))
        if port is None:
            return None
        address = str(ipaddress.ip_address(next_hop.ip))
        key = MacBinding(port.datapath, port.name, address, "").key
        row: MacBinding | None = self._host.rows(MacBinding).get(key)
        return None if row is None else bytes.fromhex(row.mac.replace(":", ""))

    def _of_gateway_port(self, next_hop: NextHop) -> NextHop:
        """Return the next hop as that of the port at which the neighbour will answer.

        What leaves through a gateway port is sent to what stands for it.
        """
        port = self._host.ports.port(PortKeys(next_hop.datapath_key, next_hop.port_key))
        if port is None or not port.distributed_port:
            return next_hop
        keys = self._host.ports.keys(port.distributed_port)
        return next_hop if keys is None else NextHop(*keys, next_hop.ip)

    def _go_on(self, waiting: Waiting, mac: bytes) -> None:
        """Send a packet to the neighbour that it waited for."""
        go_on = act.set_field(FIELDS["eth_dst"], int.from_bytes(mac, "big"))
        go_on += act.resubmit(self._host.resume_table)
        self._host.send(messages.packet_out(waiting.packet, go_on, waiting.metadata))


def _next_hop(opcode: Opcode, packet: PacketIn) -> NextHop:
    if opcode is Opcode.ARP:
        ip = packet.register(0).to_bytes(4, "big")
    else:
        ip = packet.register128(0).to_bytes(16, "big")
    return NextHop(*outport_of(packet), ip)
