"""Decides what becomes of a punted packet, and counts what happened.

The runtime gives every packet-in to `Dispatcher.receive`, tells it of neighbours' addresses as
they become known, and is told in turn what was learned. Nothing here awaits anything.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from chassis_agent import tables
from chassis_agent.openflow import actions as act
from chassis_agent.openflow import messages
from chassis_agent.openflow.oxm import FIELDS
from chassis_agent.openflow.packet_in import PacketIn
from chassis_agent.punt import codec
from chassis_agent.punt.errors import PuntError
from chassis_agent.punt.opcodes import (
    LogArguments,
    Opcode,
    Userdata,
    decode_log_arguments,
    decode_userdata,
)
from chassis_agent.punt.pending import NextHop, PendingPackets, Waiting
from chassis_agent.punt.replies import REPLIES, reply_to

log = structlog.get_logger(__name__)

_INPORT: Final = 14
_OUTPORT: Final = 15
_MULTICAST_BIT: Final = 1

# What answers a packet from a tunnel begins here, so it may enter one itself.
_MADE_HERE: Final = act.set_field(FIELDS[tables.FLAGS], 0, tables.FROM_TUNNEL)


class Learner(Protocol):
    """Where the agent's runtime takes what packets teach; keys are tunnel keys, bytes packed."""

    def neighbour_learned(
        self, datapath_key: int, port_key: int, ip: bytes, mac: bytes
    ) -> None: ...

    def fdb_learned(self, datapath_key: int, port_key: int, mac: bytes) -> None: ...

    def known_neighbour(self, datapath_key: int, port_key: int, ip: bytes) -> bytes | None:
        """The MAC address of a neighbour that was learned, if it was."""
        ...


class PacketLog(Protocol):
    """Where lines about packets go that ACLs want logged."""

    def packet_logged(self, arguments: LogArguments, packet: PacketIn) -> None: ...


class Dispatcher:
    """Handles punted packets.

    ``send`` takes a packet-out message (`Connection.packet_out`), ``resume_table`` is the table in
    which a packet goes on whose next hop became known. ``probe_answered`` takes answers to the
    probes of tunnels.
    """

    def __init__(
        self,
        send: Callable[[bytes], object],
        learner: Learner,
        packet_log: PacketLog,
        *,
        resume_table: int,
        probe_answered: Callable[[PacketIn], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._learner = learner
        self._packet_log = packet_log
        self._resume_table = resume_table
        self._probe_answered = probe_answered
        self._clock = clock
        self.pending = PendingPackets()
        self.received: Counter[Opcode | None] = Counter()
        self.malformed: Counter[Opcode | None] = Counter()
        self.failed: Counter[Opcode | None] = Counter()

    def receive(self, packet: PacketIn) -> None:
        """Handle one packet; whatever is wrong with it is counted, and goes no further."""
        opcode: Opcode | None = None
        try:
            userdata = decode_userdata(packet.userdata)
            opcode = userdata.opcode
            self.received[opcode] += 1
            self._handle(userdata, packet)
        except PuntError as error:
            self.malformed[opcode] += 1
            log.debug("punt.malformed", opcode=opcode and opcode.name, error=str(error))
        except Exception:
            self.failed[opcode] += 1
            log.exception("punt.failed", opcode=opcode and opcode.name)

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
        for question in self.pending.due(self._clock()):
            self._send(question)

    def _go_on(self, waiting: Waiting, mac: bytes) -> None:
        """Send a packet to the neighbour that it waited for."""
        go_on = act.set_field(FIELDS["eth_dst"], int.from_bytes(mac, "big"))
        go_on += act.resubmit(self._resume_table)
        self._send(messages.packet_out(waiting.packet, go_on, waiting.metadata))

    def _handle(self, userdata: Userdata, packet: PacketIn) -> None:
        match userdata.opcode:
            case opcode if opcode in REPLIES:
                self._reply(userdata, packet)
            case Opcode.PUT_ARP:
                self._learn_neighbour(packet, packet.register(0).to_bytes(4, "big"))
            case Opcode.PUT_ND:
                self._learn_neighbour(packet, packet.register128(0).to_bytes(16, "big"))
            case Opcode.PUT_FDB:
                self._learn_fdb(packet)
            case Opcode.LOG:
                self._packet_log.packet_logged(decode_log_arguments(userdata.body), packet)
            case Opcode.PROBE:
                self._probe_answered(packet)

    def _reply(self, userdata: Userdata, packet: PacketIn) -> None:
        made = reply_to(userdata.opcode, packet.packet)
        if made is None:
            return
        metadata = packet.restored_metadata()
        message = messages.packet_out(made, _MADE_HERE + userdata.body, metadata)
        if userdata.opcode in (Opcode.ARP, Opcode.ND_NS):
            waiting = Waiting(packet.packet, metadata)
            self._resolve(_next_hop(userdata.opcode, packet), waiting, packet, message)
        else:
            self._send(message)

    def _resolve(
        self, next_hop: NextHop, waiting: Waiting, packet: PacketIn, question: bytes
    ) -> None:
        """Send a packet on if its next hop is known by now, else let it wait, and ask.

        A packet that was punted before the neighbour's flows were in the switch may come
        here after the neighbour was learned.
        """
        mac = self._learner.known_neighbour(*next_hop)
        if mac is not None:
            self._go_on(waiting, mac)
            return
        now = self._clock()
        if self.pending.add(next_hop, waiting, sender=packet.sender, question=question, now=now):
            self._send(question)

    def _learn_neighbour(self, packet: PacketIn, ip: bytes) -> None:
        mac = codec.read_ethernet(packet.packet).src
        if mac[0] & _MULTICAST_BIT or not any(mac) or not any(ip):
            return
        self._learner.neighbour_learned(packet.datapath_key, packet.register(_INPORT), ip, mac)

    def _learn_fdb(self, packet: PacketIn) -> None:
        mac = codec.read_ethernet(packet.packet).src
        if mac[0] & _MULTICAST_BIT or not any(mac):
            return
        self._learner.fdb_learned(packet.datapath_key, packet.register(_INPORT), mac)


def _next_hop(opcode: Opcode, packet: PacketIn) -> NextHop:
    if opcode is Opcode.ARP:
        ip = packet.register(0).to_bytes(4, "big")
    else:
        ip = packet.register128(0).to_bytes(16, "big")
    return NextHop(packet.datapath_key, packet.register(_OUTPORT), ip)
