"""TCP ports on loopback for the servers of labs."""

import contextlib
import socket
from collections.abc import Iterator


@contextlib.contextmanager
def claimed(port: int) -> Iterator[bool]:
    """Whether a TCP port on loopback is free, and no other lab's that is about to start.

    Of labs that start at once only one gets a port that all of them would like: a name in
    the abstract namespace of sockets, which is as wide as that of ports, is taken by one
    until its server listens.
    """
    with socket.socket(socket.AF_UNIX) as claim:
        try:
            claim.bind(f"\0treadle-testbed-{port}")
            with socket.create_server(("127.0.0.1", port)):
                pass
        except OSError:
            yield False
        else:
            yield True


def free_ports(count: int) -> list[int]:
    """Return loopback TCP ports that are free now, each of them once."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports
