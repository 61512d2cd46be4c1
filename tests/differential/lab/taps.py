"""Frames in and out of all ports of a lab, and how to know that none is under way any more.

Nothing waits for a time in which nothing comes: a *barrier* follows the frames. It is
sent on a switch of its own, ``sync``, with a port on either hypervisor, and takes every
way that other frames take: to the other hypervisor through the tunnel, and to each
hypervisor's controller, which answers neighbour solicitations, and back. All of these
ways keep packets in order. A packet that waits for its turn on several of them one
after another is overtaken by one barrier, so that several are sent, and more while
frames still come.
"""

import selectors
import socket
import struct
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from cli.testbed.errors import NotReadyError
from cli.testbed.namespace import Namespace
from cli.testbed.wait import until
from tests.differential.lab.ways import Way
from tests.system import frames

HYPERVISORS = ("hv1", "hv2")

_ALL_PROTOCOLS = 0x0003
_OUTGOING = 4  # PACKET_OUTGOING of packet(7)
_LONGEST_FRAME = 2048
_BARRIERS = 3
_SECONDS, _SECONDS_TO_SETTLE = 30.0, 0.1
_BARRIER_SHARE, _BARRIERS_AT_ONCE = 1 / 80, 120
"""Seconds between two barriers in the long run, and how many may come without a pause.

A switch hands its agent 100 packets a second of one port, and 200 at once: a barrier that is
one too many would be lost.
"""

_DOT1Q = 0x8100
_AUXDATA = struct.Struct("=IIIHHHH")
_SOL_PACKET, _PACKET_AUXDATA, _VLAN_VALID = 263, 8, 1 << 4  # of packet(7)
_TAG_AT = 12


class Arrival(NamedTuple):
    """A frame that came out of a logical port."""

    port: str
    frame: bytes


class Station(NamedTuple):
    """One of the two ports between which barriers go."""

    port: str
    mac: str
    ip6: str

    @property
    def addresses(self) -> str:
        return f"{self.mac} {self.ip6}"


STATIONS = {
    name: Station(f"sync-{n}", f"0a:00:00:00:ff:{n:02x}", f"fd00:ff::{n}")
    for n, name in enumerate(HYPERVISORS, 1)
}
SYNC_NETWORK = {
    "sync": {"ports": {s.port: {"addresses": [s.addresses]} for s in STATIONS.values()}}
}
"""The switch that barriers need, as a part of a declarative document."""


def home(port: str) -> str:
    """The hypervisor that a port is on: of neighbouring numbers, one here and one there."""
    return HYPERVISORS[(sum(int(digit) for digit in port if digit.isdigit()) + 1) % 2]


class Taps:
    """The ports of one lab, by the namespaces that their interfaces are in.

    Of an interface that leads to several, frames are those of the port that has their tag.
    """

    def __init__(self, namespaces: dict[str, Namespace]) -> None:
        self._namespaces = namespaces
        self._selector = selectors.DefaultSelector()
        self._sockets: dict[str, socket.socket] = {}
        self._ways: dict[str, Way] = {}
        self._ports: dict[Way, str] = {}
        self._number = 0
        self._paid_until = time.monotonic()

    def close(self) -> None:
        for each in self._sockets.values():
            each.close()
        self._selector.close()

    def open(self, ports: Iterable[str]) -> None:
        """Begin to listen at ports whose interfaces, of the same names, are there."""
        for port in ports:
            self.open_in(self._namespaces[home(port)], port, port)

    def open_in(self, namespace: Namespace, interface: str, port: str) -> None:
        """Begin to listen at an interface of that namespace, under the name of `port`."""
        opened = namespace.socket(socket.AF_PACKET, socket.SOCK_RAW)
        opened.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)
        opened.bind((interface, _ALL_PROTOCOLS))
        opened.setblocking(False)
        self._sockets[port] = opened
        self._selector.register(opened, selectors.EVENT_READ, port)

    def lead(self, ways: dict[str, Way]) -> None:
        """From now on these ports are reached by these ways, all others by interfaces of theirs."""
        self._ways = ways
        self._ports = {way: port for port, way in ways.items()}

    def send(self, port: str, frame: bytes) -> None:
        way = self._ways.get(port, Way(port))
        tag = struct.pack("!HH", _DOT1Q, way.tag) if way.tag else b""
        self._sockets[way.interface].send(frame[:_TAG_AT] + tag + frame[_TAG_AT:])

    def settle(self) -> None:
        """Wait until barriers come through: a tunnel drops frames until it knows its other end."""
        until(self._comes_through, "barriers come through")
        self.outcome()

    def _comes_through(self) -> bool:
        try:
            list(self._barrier(_SECONDS_TO_SETTLE))
        except NotReadyError:
            return False
        return True

    def outcome(self) -> list[Arrival]:
        """What came out since the last call, once all that was sent has come to its end."""
        arrived: list[Arrival] = []
        quiet = 0
        while quiet < _BARRIERS:
            found = list(self._barrier())
            arrived += found
            quiet = 0 if found else quiet + 1
        return arrived

    def _barrier(self, seconds: float = _SECONDS) -> Iterator[Arrival]:
        """Send one, and what came before it was back."""
        self._keep_to_the_share()
        self._number += 1
        missing: Counter[tuple[str, str]] = Counter()
        for here, there in (HYPERVISORS, HYPERVISORS[::-1]):
            source, target = STATIONS[here], STATIONS[there]
            self.send(source.port, _through_tunnel(source, target, self._number))
            self.send(source.port, _to_controller(source, target))
            missing.update([(target.port, "tunnel"), (source.port, "controller")])
        deadline = time.monotonic() + seconds
        while missing.total() > 0:
            for arrival in self._wait(deadline, missing):
                way = self._way(arrival)
                if way is None:
                    yield arrival
                else:
                    missing[arrival.port, way] -= 1

    def _keep_to_the_share(self) -> None:
        now = time.monotonic()
        self._paid_until = max(self._paid_until, now) + _BARRIER_SHARE
        ahead = self._paid_until - now - _BARRIERS_AT_ONCE * _BARRIER_SHARE
        if ahead > 0:
            time.sleep(ahead)

    def _way(self, arrival: Arrival) -> str | None:
        """By which way a barrier's frame came; None for other frames."""
        if not arrival.port.startswith("sync-"):
            return None
        frame = frames.parse(arrival.frame)
        if frame.icmp_type == frames.NA:
            return "controller"
        return "tunnel" if frame.dport == self._number else "from before"

    def _wait(self, deadline: float, missing: Counter[tuple[str, str]]) -> Iterator[Arrival]:
        ready = self._selector.select(deadline - time.monotonic())
        if not ready:
            ways = ", ".join(f"{way} to {port}" for (port, way), n in missing.items() if n > 0)
            raise NotReadyError(f"a barrier is lost: {ways}")
        for key, _ in ready:
            for interface, frame in _received(key):
                yield self._arrival(interface, frame)

    def _arrival(self, interface: str, frame: bytes) -> Arrival:
        protocol, tci = struct.unpack_from("!HH", frame, _TAG_AT)
        tag = tci if protocol == _DOT1Q else 0
        port = self._ports.get(Way(interface, tag))
        if port is None:
            return Arrival(interface, frame)
        return Arrival(port, frame[:_TAG_AT] + frame[_TAG_AT + 4 :] if tag else frame)


def _received(key: selectors.SelectorKey) -> Iterator[tuple[str, bytes]]:
    """Frames, by their interfaces."""
    listener: Any = key.fileobj
    while True:
        try:
            frame, extra, _, address = listener.recvmsg(_LONGEST_FRAME, 64)
        except BlockingIOError:
            return
        if address[2] != _OUTGOING:
            yield key.data, _tagged(frame, extra)


def _tagged(frame: bytes, extra: list[tuple[int, int, bytes]]) -> bytes:
    """The kernel takes VLAN tags out of frames; here one gets back to its place."""
    for level, kind, data in extra:
        if (level, kind) == (_SOL_PACKET, _PACKET_AUXDATA):
            status, _, _, _, _, tci, protocol = _AUXDATA.unpack(data)
            if status & _VLAN_VALID:
                tag = struct.pack("!HH", protocol or _DOT1Q, tci)
                return frame[:_TAG_AT] + tag + frame[_TAG_AT:]
    return frame


def _through_tunnel(source: Station, target: Station, number: int) -> bytes:
    datagram = frames.udp(source.ip6, target.ip6, 1, number)
    packet = frames.ipv6(source.ip6, target.ip6, frames.UDP, datagram)
    return frames.ethernet(target.mac, source.mac, frames.IPV6, packet)


def _to_controller(source: Station, target: Station) -> bytes:
    return frames.neighbour_solicitation(source.mac, source.ip6, target.ip6)
