"""The interface of handlers of punted packets, and what of the agent they may use.

A handler takes the packets of its opcodes, one at a time and without awaiting anything. It
raises :class:`~chassis_agent.punt.errors.PuntError` for bytes that it can't read. All of them
stand in :mod:`chassis_agent.punt.registry`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from chassis_agent.backends.frames import Answer
from chassis_agent.local.port_names import PortKeys, PortNames
from chassis_agent.openflow.packet_in import PacketIn
from chassis_agent.punt.opcodes import LogArguments, Opcode


class Punt(NamedTuple):
    """A punted packet. `body` is what follows the opcode in its flow's userdata: the arguments,
    as long as the opcode says, then the actions that run on the packet which is made of it.
    """

    opcode: Opcode
    body: bytes
    packet: PacketIn


class Handler(Protocol):
    """Handles the packets of its opcodes."""

    @property
    def opcodes(self) -> Collection[Opcode]: ...

    def handle(self, punt: Punt) -> None: ...


class Learner(Protocol):
    """Where the agent's runtime takes what packets teach; keys are tunnel keys, bytes packed."""

    def neighbour_learned(
        self, datapath_key: int, port_key: int, ip: bytes, mac: bytes
    ) -> None: ...

    def fdb_learned(self, datapath_key: int, port_key: int, mac: bytes) -> None: ...


class PacketLog(Protocol):
    """Where lines about packets go that ACLs want logged."""

    def packet_logged(self, arguments: LogArguments, packet: PacketIn) -> None: ...


@dataclass(frozen=True)
class PuntHost:
    """The parts of the agent that handlers may use.

    ``send`` takes a packet-out message (`Connection.packet_out`). ``rows`` gives the rows of a
    type by their keys, as the server sent them and packets taught, and ``ports`` the logical
    port that a pair of tunnel keys means. ``resume_table`` is the table in which a packet goes
    on whose next hop became known. ``probe_answered`` takes answers to the probes of tunnels,
    ``port_spoke`` the port from which a packet tells that its workload runs here,
    ``address_claimed`` the port that speaks for a virtual address, ``bfd_received`` packets of BFD
    sessions, ``backend_answered`` what a backend answered behind a port.
    """

    send: Callable[[bytes], object]
    rows: Callable[[type[Any]], Mapping[Any, Any]]
    ports: PortNames
    learner: Learner
    packet_log: PacketLog
    probe_answered: Callable[[PacketIn], None]
    port_spoke: Callable[[PortKeys], None]
    address_claimed: Callable[[PortKeys, bytes], None]
    bfd_received: Callable[[PacketIn], None]
    backend_answered: Callable[[PortKeys, Answer], None]
    resume_table: int
    clock: Callable[[], float]
