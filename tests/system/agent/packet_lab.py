"""Real packets through the flows of a network, on a hypervisor that exists in memory.

All ports of a hypervisor are dummy interfaces of one switch. What it sends out of
them is read from the captures that it writes. Packets that it punts are handled by
the agent's own dispatcher, which here learns nothing.
"""

import asyncio
import struct
import subprocess
from collections import defaultdict
from pathlib import Path

from chassis_agent.openflow.connection import Connection
from chassis_agent.openflow.messages import TlvMapping, add_flow, tlv_table_add
from chassis_agent.openflow.packet_in import PacketIn
from chassis_agent.punt.dispatcher import Dispatcher
from chassis_agent.punt.meters import meter_mods
from chassis_agent.punt.opcodes import LogArguments
from chassis_agent.punt.pending import PendingPackets
from chassis_agent.tables import OUTPUT
from tests.realised import TUNNEL_OFPORT, Realised
from tests.system.agent.private_switch import PrivateSwitch

CHASSIS = "hv1"

_GLOBAL_HEADER = 24
_RECORD = struct.Struct("<8xI4x")
_QUIET = 0.03
_PATIENCE = 2.0


class _Forgetful:
    """Learns nothing, writes nothing."""

    def neighbour_learned(self, datapath_key: int, port_key: int, ip: bytes, mac: bytes) -> None:
        del datapath_key, port_key, ip, mac

    def fdb_learned(self, datapath_key: int, port_key: int, mac: bytes) -> None:
        del datapath_key, port_key, mac

    def known_neighbour(self, datapath_key: int, port_key: int, ip: bytes) -> bytes | None:
        del datapath_key, port_key, ip
        return None

    def packet_logged(self, arguments: LogArguments, packet: PacketIn) -> None:
        del arguments, packet


class PacketLab:
    """A switch with the flows that `realised` has on one hypervisor."""

    def __init__(self, switch: PrivateSwitch, realised: Realised, chassis: str = CHASSIS) -> None:
        self._switch = switch
        self._realised = realised
        self._chassis = chassis
        self._read: dict[str, int] = defaultdict(lambda: _GLOBAL_HEADER)
        self._connection: Connection | None = None
        self._dispatcher: Dispatcher | None = None

    async def start(self) -> None:
        self._switch.vsctl(
            *("add-br", "br-int", "--", "set", "bridge", "br-int"),
            *("fail_mode=secure", "protocols=OpenFlow15", "datapath_type=dummy"),
        )
        self._switch.vsctl(
            *("add-port", "br-int", "geneve", "--", "set", "Interface", "geneve", "type=geneve"),
            *(f"ofport_request={TUNNEL_OFPORT}", "options:remote_ip=flow", "options:key=flow"),
        )
        for port in self._realised.hosts[self._chassis]:
            self._switch.vsctl(
                *("add-port", "br-int", port, "--", "set", "Interface", port, "type=dummy"),
                f"ofport_request={self._realised.ofport(port)}",
                f"options:tx_pcap={self._capture(port)}",
            )
        bridge = self._switch.directory / "br-int.mgmt"
        connection = await Connection.connect(bridge, on_packet_in=self._punted)
        self._connection = connection
        nobody = _Forgetful()
        self._dispatcher = Dispatcher(connection.packet_out, nobody, nobody, resume_table=OUTPUT)
        await connection.confirm([tlv_table_add(TlvMapping(0x0102, 0x80, 4, 0)), *meter_mods({})])
        await connection.commit([add_flow(*flow) for flow in self._realised.state(self._chassis)])

    async def stop(self) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def send(self, port: str, frame: bytes, expected: int) -> list[tuple[str, bytes]]:
        """What leaves, and where, when `frame` enters at `port`.

        Waits for `expected` frames, and a moment longer for others.
        """
        self._control("dpctl/flush-conntrack")
        if self._dispatcher is not None:
            # What another frame asked for is asked for again: each is the first one.
            self._dispatcher.pending = PendingPackets()
        self._control("netdev-dummy/receive", port, frame.hex())
        sent: list[tuple[str, bytes]] = []
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _PATIENCE
        while len(sent) < expected and loop.time() < deadline:
            await asyncio.sleep(0.005)
            sent += self._captured()
        await asyncio.sleep(_QUIET)
        return sorted([*sent, *self._captured()])

    def trace(self, flow: str) -> str:
        """What `ofproto/trace` says about a packet, all connections being new."""
        return self._control("ofproto/trace", "br-int", flow)

    def _punted(self, packet: PacketIn) -> None:
        if self._dispatcher is not None:
            self._dispatcher.receive(packet)

    def _capture(self, port: str) -> Path:
        return self._switch.directory / f"{port}.pcap"

    def _captured(self) -> list[tuple[str, bytes]]:
        """The frames that were captured since the last call."""
        found = []
        for port in self._realised.hosts[self._chassis]:
            data = self._capture(port).read_bytes()
            while len(data) >= self._read[port] + _RECORD.size:
                (length,) = _RECORD.unpack_from(data, self._read[port])
                start = self._read[port] + _RECORD.size
                if len(data) < start + length:
                    break
                found.append((port, data[start : start + length]))
                self._read[port] = start + length
        return found

    def _control(self, *arguments: str) -> str:
        return subprocess.run(
            ["ovs-appctl", "-t", str(self._switch.control), *arguments],
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
        ).stdout
