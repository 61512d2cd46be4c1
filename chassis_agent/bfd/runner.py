"""Runs the BFD sessions of the router ports that this chassis is in charge of.

Each session is a machine (:mod:`chassis_agent.bfd.machine`). What it sends enters the router by
the port, with the TTL 255; what arrives was punted. Whether its neighbour is alive becomes a fact
of this host, by which flows go at once, and the server is told. A session that has only just begun
says nothing for a while: what the server has of it, from this chassis or the one before, holds.
"""

from __future__ import annotations

import asyncio
import ipaddress
import math
import random
import secrets
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final, NamedTuple

import structlog

from chassis_agent import tables
from chassis_agent.bfd.machine import Machine, Parameters
from chassis_agent.bfd.packet import (
    BadControlPacketError,
    ControlPacket,
    State,
    read_control,
    write_control,
)
from chassis_agent.due import DueQueue
from chassis_agent.health import Health
from chassis_agent.inputs import Change, NeighbourAlive
from chassis_agent.local.port_names import PortNames
from chassis_agent.openflow import actions as act
from chassis_agent.openflow import messages
from chassis_agent.openflow.packet_in import PacketIn
from chassis_agent.punt import codec
from chassis_agent.punt.own_packets import mac_of, made_here
from chassis_agent.punt.ports import inport_of
from southbound import wire
from southbound.rows import BfdSession, Row, RowId

log = structlog.get_logger(__name__)

PORT: Final = 3784
TTL: Final = 255
"""Of packets that came over no router (RFC 5881 section 5)."""
MOST_SESSIONS: Final = 1024
"""So many are run at once; of more, the others are not."""
SETTLING_SECONDS: Final = 3.0
"""For how long a session that begins, and isn't up, says nothing."""

_FIRST_SOURCE_PORT: Final = 49152
_SOURCE_PORTS: Final = 16384
_NETWORK_CONTROL: Final = 0xC0
_LONGEST_WAIT: Final = 60.0
_LATE: Final = 0.05
"""Seconds. Woken up later than that, the agent was busy: packets that wait are taken first."""
_NAMES: Final = {
    State.ADMIN_DOWN: "admin-down",
    State.DOWN: "down",
    State.INIT: "init",
    State.UP: "up",
}


class _Session:
    """A session that is run."""

    def __init__(self, row: BfdSession, machine: Machine, now: float) -> None:
        self.row = row
        self.machine = machine
        self.settles = now + SETTLING_SECONDS if row.enabled else now
        self.since = now
        self.discarded: Counter[str] = Counter()
        self.told: _Told | None = None

    @property
    def next_event(self) -> float:
        settles = self.settles if self.told is None else math.inf
        return min(self.machine.next_event, settles)


class _Told(NamedTuple):
    """What others know of a session: state and the diagnostics of both ends."""

    state: State
    diagnostic: int
    remote_diagnostic: int


class BfdRunner:
    """Follows the rows of sessions, and runs those of ports that are here.

    `send` takes a packet-out, `residents` gives the names of the ports that this chassis is in
    charge of, `learn` takes a fact of this host, and `tell` has the statement sent.
    """

    def __init__(
        self,
        send: Callable[[bytes], object],
        ports: PortNames,
        residents: Callable[[], Collection[str]],
        learn: Callable[[Change], None],
        tell: Callable[[], None],
        health: Health,
        *,
        clock: Callable[[], float] = time.monotonic,
        between: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._send = send
        self._ports = ports
        self._residents = residents
        self._learn = learn
        self._tell = tell
        self._health = health
        self._clock = clock
        self._between = between
        self._rows: dict[str, BfdSession] = {}
        self._keys_at: dict[str, set[str]] = {}
        """The sessions of each port that they are run at."""
        self._in_charge: frozenset[str] = frozenset()
        """The ports that were here at the last review."""
        self._here: set[str] = set()
        """The sessions of ports that are here, of which some may be too many to run."""
        self._discriminators: set[int] = set()
        self._sessions: dict[str, _Session] = {}
        self._by_ends: dict[tuple[str, bytes], str] = {}
        self._queue: DueQueue[str] = DueQueue()
        self._wake = asyncio.Event()
        self.strays: Counter[str] = Counter()
        """Packets that were of no session here, by what was wrong with them."""

    # --- what is run

    def take_rows(self, puts: Iterable[Row], deletes: Iterable[RowId]) -> None:
        """Rows came; others than sessions are passed over."""
        touched: set[str] = set()
        for table, key in deletes:
            if table == BfdSession.table and key in self._rows:
                self._file(key, None)
                self._say_goodbye(key)
                touched.add(key)
        for row in puts:
            if isinstance(row, BfdSession):
                self._file(row.id, row)
                touched.add(row.id)
        if touched:
            self._look_at(touched)

    def review(self) -> None:
        """Look at the ports that this chassis got charge of, or lost."""
        in_charge = frozenset(self._residents())
        changed = in_charge ^ self._in_charge
        self._in_charge = in_charge
        self._look_at({key for port in changed for key in self._keys_at.get(port, ())})

    def _file(self, key: str, row: BfdSession | None) -> None:
        before = self._rows.pop(key, None)
        if before is not None:
            keys = self._keys_at[before.resident]
            keys.discard(key)
            if not keys:
                del self._keys_at[before.resident]
        if row is not None:
            self._rows[key] = row
            self._keys_at.setdefault(row.resident, set()).add(key)

    def _look_at(self, touched: set[str]) -> None:
        """Run those of the sessions whose ports are here now, and no others of them.

        All are looked at only where they are more than are run.
        """
        had_too_many = len(self._here) > MOST_SESSIONS
        for key in touched:
            row = self._rows.get(key)
            if row is not None and row.resident in self._in_charge:
                self._here.add(key)
            else:
                self._here.discard(key)
        wanted: Collection[str] = self._here
        if len(self._here) > MOST_SESSIONS:
            wanted = set(sorted(self._here)[:MOST_SESSIONS])
            reason = f"{MOST_SESSIONS} are run, the most of a chassis"
            self._health.degrade("bfd", f"of {len(self._here)} BFD sessions {reason}")
        else:
            self._health.clear("bfd")
        if had_too_many or wanted is not self._here:
            touched = touched | self._here
        ended = [key for key in sorted(touched) if key in self._sessions and key not in wanted]
        for key in ended:
            self._end(key)
        for key in sorted(touched):
            if key in wanted:
                self._begin(self._rows[key])
        if ended:
            self._tell()
        self._wake.set()

    def _begin(self, row: BfdSession) -> None:
        now = self._clock()
        session = self._sessions.get(row.id)
        if session is not None and _ends(session.row) == _ends(row):
            if session.row != row:
                session.row = row
                self._transmit(session, session.machine.change(_parameters(row), now))
                self._note(session, now)
            return
        if session is not None:
            self._end(row.id)
        machine = Machine(_parameters(row), self._discriminator(), now, self._between)
        session = self._sessions[row.id] = _Session(row, machine, now)
        self._by_ends[_ends(row)] = row.id
        self._plan(session)

    def _end(self, key: str) -> None:
        session = self._sessions.pop(key)
        self._discriminators.discard(session.machine.discriminator)
        self._queue.drop(key)
        ends = _ends(session.row)
        if self._by_ends.get(ends) == key:
            del self._by_ends[ends]
        if session.told is not None:
            self._learn((NeighbourAlive, key, None))

    def _say_goodbye(self, key: str) -> None:
        """Tell the neighbour of a session that is no more, if that still gets through."""
        session = self._sessions.get(key)
        if session is not None:
            parameters = _parameters(session.row)._replace(enabled=False)
            self._transmit(session, session.machine.change(parameters, self._clock()))

    def _discriminator(self) -> int:
        """Return one that no session has, and that can't be guessed from afar."""
        while True:
            number = secrets.randbits(32)
            if number and number not in self._discriminators:
                self._discriminators.add(number)
                return number

    # --- time

    async def run(self) -> None:
        """Run the sessions until cancelled."""
        while True:
            self.send_due()
            pause = self._queue.seconds_until_next(self._clock(), _LONGEST_WAIT)
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                if self._clock() - self._queue.earliest > _LATE:
                    await asyncio.sleep(_LATE)
                continue
            self._wake.clear()

    def send_due(self) -> None:
        """Do what is due of all sessions."""
        now = self._clock()
        while (key := self._queue.take(now)) is not None:
            session = self._sessions[key]
            self._transmit(session, session.machine.tick(now))
            self._note(session, now)

    def _plan(self, session: _Session) -> None:
        self._queue.plan(session.row.id, session.next_event)

    # --- packets

    def receive(self, packet: PacketIn) -> None:
        """Take a punted packet. Raises MalformedPacketError for one that can't be read."""
        ip = codec.read_ip(codec.read_ethernet(packet.packet))
        datagram = codec.read_udp(ip)
        port = self._ports.port(inport_of(packet))
        key = None if port is None else self._by_ends.get((port.name, ip.src))
        session = None if key is None else self._sessions.get(key)
        if session is None:
            self.strays["no-session"] += 1
            return
        try:
            if ip.ttl != TTL:
                raise BadControlPacketError("ttl")
            if datagram.dst != PORT or ip.dst != ipaddress.ip_address(session.row.source).packed:
                raise BadControlPacketError("destination")
            now = self._clock()
            answers = session.machine.receive(read_control(datagram.payload), now)
        except BadControlPacketError as error:
            session.discarded[str(error)] += 1
            return
        self._transmit(session, answers)
        self._note(session, now)
        self._wake.set()

    def _transmit(self, session: _Session, packets: Iterable[ControlPacket]) -> None:
        row = session.row
        port, keys = self._ports.called(row.port), self._ports.keys(row.port)
        if port is None or keys is None:
            return
        mac = mac_of(port)
        source, neighbour = (
            ipaddress.ip_address(each).packed for each in (row.source, row.neighbour)
        )
        source_port = _FIRST_SOURCE_PORT + session.machine.discriminator % _SOURCE_PORTS
        for packet in packets:
            datagram = codec.write_udp(source_port, PORT, write_control(packet), source, neighbour)
            ip = codec.Ip(
                source,
                neighbour,
                codec.PROTOCOL_UDP,
                datagram,
                ttl=TTL,
                traffic_class=_NETWORK_CONTROL,
            )
            ethertype = codec.ETHERTYPE_IPV4 if ip.version == 4 else codec.ETHERTYPE_IPV6
            frame = codec.Ethernet(mac, mac, ethertype, codec.write_ip(ip))
            start = made_here(keys.datapath, inport=keys.port)
            enter = act.resubmit(tables.stage_table("lr_in", 0))
            self._send(messages.packet_out(codec.write_ethernet(frame), enter, start))

    # --- what others are told

    def _note(self, session: _Session, now: float) -> None:
        """Have others told, where they know something else; and plan what is next."""
        machine = session.machine
        told = _Told(machine.state, machine.diagnostic, machine.remote_diagnostic)
        before = session.told
        if told != before and (
            before is not None or told.state is State.UP or now >= session.settles
        ):
            if before is None or before.state is not told.state:
                session.since = now
                log.info(
                    "bfd session",
                    port=session.row.port,
                    neighbour=session.row.neighbour,
                    state=_NAMES[told.state],
                    diagnostic=int(told.diagnostic),
                )
            session.told = told
            if before is None or (before.state is State.UP) != (told.state is State.UP):
                alive = NeighbourAlive(told.state is State.UP)
                self._learn((NeighbourAlive, session.row.id, alive))
            self._tell()
        self._plan(session)

    def statement(self) -> wire.BfdStates:
        """What the server is told."""
        now = self._clock()
        return wire.BfdStates(
            tuple(
                wire.BfdState(
                    key,
                    _NAMES[session.told.state],
                    session.told.diagnostic,
                    session.told.remote_diagnostic,
                    now - session.since,
                )
                for key, session in sorted(self._sessions.items())
                if session.told is not None
            )
        )

    def report(self) -> dict[str, Any]:
        """What ``treadle agent status`` shows."""
        return {
            "sessions": [
                {
                    "port": session.row.port,
                    "neighbour": session.row.neighbour,
                    "state": _NAMES[session.machine.state],
                    "neighbour_state": _NAMES[session.machine.remote_state],
                    "diagnostic": int(session.machine.diagnostic),
                    "send_interval": session.machine.send_interval,
                    "detection_time": session.machine.detection_time,
                    "discarded": dict(sorted(session.discarded.items())),
                }
                for _, session in sorted(self._sessions.items())
            ],
            "strays": dict(self.strays),
        }


def _ends(row: BfdSession) -> tuple[str, bytes]:
    return row.port, ipaddress.ip_address(row.neighbour).packed


def _parameters(row: BfdSession) -> Parameters:
    return Parameters(row.min_tx * 1000, row.min_rx * 1000, row.detect_mult, row.enabled)
