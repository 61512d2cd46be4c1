"""Which connections a listener takes: bounded in number, in all and from one peer.

A connection is *settled* while its peer has shown that it may be served: an agent that is
registered, a request that has arrived whole. The others only wait, and anybody can make
any number of them. So where there are as many connections as there may be, a new one
takes the place of the one that has waited longest, and is refused only where all are
settled. A client that is quick to ask is served however many others hold connections open.

Asyncio takes connections from a listening socket by its ``accept``, and closes each by
its ``close``: :class:`ListeningSocket` and :class:`Connection` do the counting there,
below every protocol and TLS.
"""

import errno
import ipaddress
import os
import socket
import struct
import time
from asyncio import BaseTransport
from collections import Counter
from contextlib import suppress
from typing import Any

import structlog

log = structlog.get_logger(__name__)

DEFAULT_LIMIT = 1024
DEFAULT_PEER_LIMIT = 256
BACKLOG = 2048

_ENDING_AT_ONCE = 64
"""How many connections may be on their way out; until they are, new ones wait."""
_REFUSED_AT_ONCE = 64
_SECONDS_BETWEEN_LINES = 1.0
_OUT_OF_RESOURCES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_RESET = struct.pack("ii", 1, 0)


class Admission:
    """The connections of one listener, which `name` says in the log.

    `limit` bounds how many there are, `peer_limit` those from one IPv4 address, or from one
    IPv6 network of 64 bits, all of which one host can have.
    """

    def __init__(
        self, name: str, *, limit: int = DEFAULT_LIMIT, peer_limit: int = DEFAULT_PEER_LIMIT
    ) -> None:
        self.name = name
        self.limit = limit
        self.peer_limit = min(peer_limit, limit)
        self.refused = 0
        """Connections that were not taken."""
        self.displaced = 0
        """Connections that had to make room for a new one."""
        self._waiting: dict[int, Connection] = {}
        """By descriptor; those that have waited longest come first."""
        self._settled: dict[int, Connection] = {}
        self._ending: dict[int, Connection] = {}
        self._of_peer: Counter[str] = Counter()
        """Those that wait or are settled; those on their way out don't count."""
        self._next_line = 0.0
        self._unsaid = 0

    @property
    def open(self) -> int:
        """How many connections there are."""
        return len(self._waiting) + len(self._settled)

    def listen(self, host: str, port: int) -> "ListeningSocket":
        """A socket that listens there; raises OSError."""
        _SPARE.have()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        plain = socket.create_server((host, port), family=family, backlog=BACKLOG)
        # Accepted connections inherit it. asyncio doesn't set it on theirs, and without it
        # the body of an answer waits 40 ms for the client to confirm the header.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return ListeningSocket(self, plain)

    def settle(self, transport: BaseTransport, settled: bool = True) -> None:
        """Tell that the connection below `transport` is settled now, or only waits again."""
        source, target = self._waiting, self._settled
        if not settled:
            source, target = target, source
        descriptor = transport.get_extra_info("socket").fileno()
        connection = source.pop(descriptor, None)
        if connection is not None:
            target[descriptor] = connection

    def take(self, connection: "Connection") -> bool:
        """Whether `connection` may stay; another one may have to go for it."""
        peer = connection.peer
        if self._of_peer[peer] >= self.peer_limit:
            made_room = self._displace(peer)
        else:
            made_room = self.open < self.limit or self._displace(None)
        if not made_room:
            self.refused += 1
            self._tell("connection refused", peer, "there are too many")
            return False
        self._waiting[connection.fileno()] = connection
        self._of_peer[peer] += 1
        return True

    def closed(self, descriptor: int) -> None:
        """A connection has ended; its descriptor will be another one's."""
        connection = self._waiting.pop(descriptor, None) or self._settled.pop(descriptor, None)
        if connection is None:
            self._ending.pop(descriptor, None)
        else:
            self._forget(connection)

    def is_full_of_ending(self) -> bool:
        """Whether so many are on their way out that no more should be taken before they are."""
        return len(self._ending) >= _ENDING_AT_ONCE

    def drop_one(self, listener: socket.socket, error: OSError) -> None:
        """There is no descriptor for a connection that waits to be taken: end it with a spare."""
        self.refused += 1
        self._tell("connection refused", "unknown", error.strerror or str(error))
        _SPARE.give_up()
        # It may be gone by now, or another thread may have taken the descriptor.
        with suppress(OSError):
            socket.socket.accept(listener)[0].close()
        with suppress(OSError):
            _SPARE.have()

    def _displace(self, peer: str | None) -> bool:
        """End the connection that has waited longest, of `peer` if that is given."""
        of_peer = (c for c in self._waiting.values() if peer is None or c.peer == peer)
        connection = next(of_peer, None)
        if connection is None:
            return False
        descriptor = connection.fileno()
        del self._waiting[descriptor]
        self._ending[descriptor] = connection
        self._forget(connection)
        self.displaced += 1
        self._tell("connection displaced", connection.peer, "too many only wait")
        with suppress(OSError):  # where the peer was faster
            connection.shutdown(socket.SHUT_RDWR)
        return True

    def _forget(self, connection: "Connection") -> None:
        self._of_peer[connection.peer] -= 1
        if not self._of_peer[connection.peer]:
            del self._of_peer[connection.peer]

    def _tell(self, event: str, peer: str, reason: str) -> None:
        """One line a second at most: a flood of connections must not become one of the log."""
        now = time.monotonic()
        if now < self._next_line:
            self._unsaid += 1
            return
        log.warning(event, listener=self.name, peer=peer, reason=reason, others=self._unsaid)
        self._next_line = now + _SECONDS_BETWEEN_LINES
        self._unsaid = 0


class ListeningSocket(socket.socket):
    """A listening socket whose ``accept`` returns only what its :class:`Admission` takes."""

    def __init__(self, admission: Admission, plain: socket.socket) -> None:
        super().__init__(plain.family, plain.type, plain.proto, fileno=plain.detach())
        self._admission = admission

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection; BlockingIOError where there is none for now."""
        for _ in range(_REFUSED_AT_ONCE):
            if self._admission.is_full_of_ending():
                break
            try:
                plain, address = super().accept()
            except OSError as error:
                if error.errno not in _OUT_OF_RESOURCES:
                    raise
                self._admission.drop_one(self, error)
                break
            connection = Connection(self._admission, plain, _peer(address[0]))
            if self._admission.take(connection):
                return connection, address
            connection.reset()
        raise BlockingIOError


class Connection(socket.socket):
    """A connection that tells its :class:`Admission` when it ends."""

    def __init__(self, admission: Admission, plain: socket.socket, peer: str) -> None:
        super().__init__(plain.family, plain.type, plain.proto, fileno=plain.detach())
        self.peer = peer
        self._admission = admission

    def close(self) -> None:
        descriptor = self.fileno()
        super().close()
        if descriptor != -1:
            self._admission.closed(descriptor)

    def reset(self) -> None:
        """End it without a farewell, for which the system would keep it for a while."""
        self.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        socket.socket.close(self)


class _Spare:
    """A descriptor that is given up where there are no others."""

    def __init__(self) -> None:
        self._descriptor: int | None = None

    def have(self) -> None:
        """Have one; raises OSError."""
        if self._descriptor is None:
            self._descriptor = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)

    def give_up(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


_SPARE = _Spare()


def _peer(host: str) -> str:
    """What one host can call itself by: an IPv4 address, or a network of 64 bits.

    >>> _peer("192.0.2.7"), _peer("2001:db8::1"), _peer("fe80::1%2")
    ('192.0.2.7', '2001:db8::/64', 'fe80::/64')
    """
    address = ipaddress.ip_address(host.partition("%")[0])
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, 64), strict=False))
