"""Real packets through the flows of a network, on a hypervisor that exists in memory.

All ports of a hypervisor are dummy interfaces of one switch. What it sends out of
them is read from the captures that it writes. Packets that it punts are handled by
the agent's own dispatcher, which here learns nothing.
"""

import asyncio
import struct
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from chassis_agent.bridge.groundwork import missing_groundwork
from chassis_agent.bridge.switch import Switch
from chassis_agent.desired.flows import Changes
from chassis_agent.desired.steps import bundle_steps
from chassis_agent.health import Health
from chassis_agent.inspection.hits import HitCounters
from chassis_agent.inspection.inspector import Inspector
from chassis_agent.local.port_names import PortNames
from chassis_agent.openflow.connection import Connection
from chassis_agent.openflow.messages import MeterCommand, meter_mod
from chassis_agent.openflow.packet_in import PacketIn
from chassis_agent.punt.dispatcher import Dispatcher
from chassis_agent.punt.handler import PuntHost
from chassis_agent.punt.next_hops import NextHopHandler
from chassis_agent.punt.opcodes import LogArguments
from chassis_agent.punt.pending import PendingPackets
from chassis_agent.punt.registry import punt_handlers
from chassis_agent.tables import LOGICAL_TO_PHYSICAL, OUTPUT
from southbound.questions import Traced, TracePort
from tests.realised import TUNNEL_OFPORT, Realised
from tests.system.agent.private_switch import PrivateSwitch

CHASSIS = "hv1"

_GLOBAL_HEADER = 24
_RECORD = struct.Struct("<8xI4x")
_PLUGGED_AT_ONCE = 200
_QUIET = 0.03
_PATIENCE = 30.0
_COUNTING_PATIENCE = 30.0


async def install(connection: Connection, changes: Changes) -> None:
    """Give a switch that holds nothing what is wanted."""
    meters = [
        meter_mod(
            *(MeterCommand.ADD, meter.number),
            rate=meter.rate,
            burst=meter.burst,
            packets=meter.packets,
        )
        for _, meter in changes.meters.put
    ]
    await connection.confirm(meters)
    await connection.commit([step.message for step in bundle_steps(changes)])


class _Forgetful:
    """Learns nothing, writes nothing."""

    def neighbour_learned(self, datapath_key: int, port_key: int, ip: bytes, mac: bytes) -> None:
        del datapath_key, port_key, ip, mac

    def fdb_learned(self, datapath_key: int, port_key: int, mac: bytes) -> None:
        del datapath_key, port_key, mac

    def packet_logged(self, arguments: LogArguments, packet: PacketIn) -> None:
        del arguments, packet


class PacketLab:
    """A switch with the flows that `realised` has on one hypervisor."""

    def __init__(
        self,
        switch: PrivateSwitch,
        realised: Realised,
        chassis: str = CHASSIS,
        *,
        captures: bool = True,
    ) -> None:
        """`captures` says whether what leaves is captured: it takes a file for each port."""
        self._switch = switch
        self._captures = captures
        self._realised = realised
        self._chassis = chassis
        self._read: dict[str, int] = defaultdict(lambda: _GLOBAL_HEADER)
        self._connection: Connection | None = None
        self._dispatcher: Dispatcher | None = None
        self._next_hops: NextHopHandler | None = None

    async def start(self) -> None:
        self._switch.vsctl(
            *("add-br", "br-int", "--", "set", "bridge", "br-int"),
            *("fail_mode=secure", "protocols=OpenFlow15", "datapath_type=dummy"),
        )
        self._switch.vsctl(
            *("add-port", "br-int", "geneve", "--", "set", "Interface", "geneve", "type=geneve"),
            *(f"ofport_request={TUNNEL_OFPORT}", "options:remote_ip=flow", "options:key=flow"),
        )
        ports = self._realised.hosts[self._chassis]
        for start in range(0, len(ports), _PLUGGED_AT_ONCE):
            together = ports[start : start + _PLUGGED_AT_ONCE]
            self._switch.vsctl(*(word for port in together for word in self._plugging(port)))
        bridge = self._switch.directory / "br-int.mgmt"
        connection = await Connection.connect(bridge, on_packet_in=self._punted)
        self._connection = connection
        nobody = _Forgetful()
        handlers = punt_handlers(
            PuntHost(
                send=connection.packet_out,
                rows=lambda _table: {},
                ports=PortNames(),
                learner=nobody,
                packet_log=nobody,
                probe_answered=lambda _packet: None,
                port_spoke=lambda _keys: None,
                address_claimed=lambda _keys, _ip: None,
                bfd_received=lambda _packet: None,
                backend_answered=lambda _port, _answer: None,
                resume_table=OUTPUT,
                clock=time.monotonic,
            )
        )
        self._next_hops = handlers.next_hops
        self._dispatcher = Dispatcher(handlers)
        await connection.confirm([each.message for each in await missing_groundwork(connection)])
        await install(connection, self._realised.state(self._chassis).difference([]))

    async def stop(self) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def send(
        self, port: str, frame: bytes, expected: int, *, forget: bool = True
    ) -> list[tuple[str, bytes]]:
        """What leaves, and where, when `frame` enters at `port`.

        Waits for `expected` frames, and a moment longer for others. Unless it is told to, the
        switch does not `forget` the connections that it knows.
        """
        if forget:
            self._control("dpctl/flush-conntrack")
        if self._next_hops is not None:
            # What another frame asked for is asked for again: each is the first one.
            self._next_hops.pending = PendingPackets()
        self._control("netdev-dummy/receive", port, frame.hex())
        sent: list[tuple[str, bytes]] = []
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _PATIENCE
        while len(sent) < expected and loop.time() < deadline:
            await asyncio.sleep(0.005)
            sent += self._captured()
        await asyncio.sleep(_QUIET)
        return sorted([*sent, *self._captured()])

    async def inject(self, port: str, frame: bytes) -> None:
        """Let `frame` enter at `port`."""
        self._control("netdev-dummy/receive", port, frame.hex())

    async def left(self, count: int) -> list[int]:
        """The packets that each flow sent out of a port or across to another datapath.

        Waits until they are `count` together: the switch counts a moment later.
        """
        assert self._connection is not None
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _COUNTING_PATIENCE
        while True:
            uses = await self._connection.flow_uses(LOGICAL_TO_PHYSICAL)
            packets = [use.packets for use in uses]
            if sum(packets) >= count or loop.time() > deadline:
                return packets
            await asyncio.sleep(0.05)

    async def traced(self, question: TracePort) -> Traced:
        """What the agent answers when it is asked what its switch would do."""
        switch = Switch(
            self._switch.directory / "br-int.mgmt",
            Health(),
            on_change=lambda: None,
            on_packet_in=lambda _: None,
        )
        inspector = Inspector(
            "br-int",
            self._realised.state(self._chassis),
            switch,
            lambda: self._switch.control,
            revision=lambda: 1,
            in_sync=lambda: True,
            hits=HitCounters(switch, dict, lambda: self._switch.control),
        )
        answer = await inspector.answer(question)
        assert isinstance(answer, Traced)
        return answer

    def counter(self, name: str) -> int:
        """An event that ``ovs-vswitchd`` counts."""
        return int(self._control("coverage/read-counter", name))

    def trace(self, flow: str) -> str:
        """What `ofproto/trace` says about a packet, all connections being new."""
        return self._control("ofproto/trace", "br-int", flow)

    def _punted(self, packet: PacketIn) -> None:
        if self._dispatcher is not None:
            self._dispatcher.receive(packet)

    def _plugging(self, port: str) -> Iterator[str]:
        """What ``ovs-vsctl`` is told to plug an interface."""
        yield from ("--", "add-port", "br-int", port, "--", "set", "Interface", port)
        yield from ("type=dummy", f"ofport_request={self._realised.ofport(port)}")
        if self._captures:
            yield f"options:tx_pcap={self._capture(port)}"

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
