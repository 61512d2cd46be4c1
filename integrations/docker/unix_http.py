"""HTTP with a daemon of this host: Docker, or a running driver."""

import socket
from pathlib import Path

from integrations.deadline import Deadline
from integrations.http_exchange import Address, Connection


class UnixConnection(Connection):
    """A connection to a socket of this host."""

    def __init__(self, path: Path) -> None:
        super().__init__(Address(False, "localhost", 80, ""), None)
        self._path = path

    def _connect(self, deadline: Deadline) -> socket.socket:
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            opened.settimeout(deadline.left())
            opened.connect(str(self._path))
        except BaseException:
            opened.close()
            raise
        return opened
