"""Tells clients its name, and from which address they come: ``who_server.py NAME PORT``.

It serves TCP and UDP over both families, with the standard library alone.
"""

import json
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress


def _listen(family: int, kind: int, port: int) -> socket.socket:
    listening = socket.socket(family, kind)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listening.bind(("", port))
    return listening


def _serve_tcp(name: str, family: int, port: int) -> None:
    listening = _listen(family, socket.SOCK_STREAM, port)
    listening.listen(64)
    while True:
        connection, peer = listening.accept()
        threading.Thread(target=_talk, args=(name, connection, peer[0]), daemon=True).start()


def _talk(name: str, connection: socket.socket, peer: str) -> None:
    with connection, suppress(OSError):  # clients may reset it, or lose their way
        while connection.recv(100):
            connection.sendall(json.dumps([name, peer]).encode())


def _serve_udp(name: str, family: int, port: int) -> None:
    listening = _listen(family, socket.SOCK_DGRAM, port)
    while True:
        _, peer = listening.recvfrom(100)
        listening.sendto(json.dumps([name, peer[0]]).encode(), peer)


def _main(name: str, port: int) -> None:
    servers: tuple[Callable[[str, int, int], None], ...] = (_serve_tcp, _serve_udp)
    threads = [
        threading.Thread(target=serving, args=(name, family, port))
        for serving in servers
        for family in (socket.AF_INET, socket.AF_INET6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]))
