"""TCP ports on loopback for the servers of labs."""

import contextlib
import random
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_FIRST: Final = 10_000
_LAST: Final = 65_535
_GIVEN_TO_CONNECTIONS: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")

_claims: Final[list[socket.socket]] = []
"""Of ports that were given out, as long as this process lives."""


def _name(port: int) -> str:
    return f"\0treadle-testbed-{port}"


@contextlib.contextmanager
def claimed(port: int) -> Iterator[bool]:
    """Whether a TCP port on loopback is free, and no other lab's that is about to start.

    Of labs that start at once only one gets a port that all of them would like: a name in
    the abstract namespace of sockets, which is as wide as that of ports, is taken by one
    until its server listens.
    """
    with socket.socket(socket.AF_UNIX) as claim:
        try:
            claim.bind(_name(port))
            with socket.create_server(("127.0.0.1", port)):
                pass
        except OSError:
            yield False
        else:
            yield True


def free_ports(count: int) -> list[int]:
    """Return loopback TCP ports that are free now, each of them once in the life of this process.

    Until it ends, others that ask here are given none of them, whether or not a server listens:
    one that is about to start, or that starts again, finds its port free. Nor does the kernel
    give them to connections, unless it has all ports for that. Raises OSError if there are none.
    """
    found: list[int] = []
    for port in _candidates():
        if len(found) == count:
            return found
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(_name(port))
            with socket.create_server(("127.0.0.1", port)):
                pass
        except OSError:
            claim.close()
        else:
            _claims.append(claim)
            found.append(port)
    raise OSError("no TCP port on loopback is free")


def _candidates() -> list[int]:
    """Ports in an order of chance: those that the kernel gives to no connection come first."""
    first, last = map(int, _GIVEN_TO_CONNECTIONS.read_text().split())
    given = range(first, last + 1)
    others = [port for port in range(_FIRST, _LAST + 1) if port not in given]
    random.shuffle(others)
    return others + random.sample(given, len(given))
