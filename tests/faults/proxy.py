"""A TCP proxy on loopback that can be told to cut, to stall and to refuse.

It stands between an agent and its server, where a real network would fail, and between what
runs in a hypervisor's namespace and a server outside of it.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine
from typing import Any

from cli.testbed.namespace import Namespace

HOST = "127.0.0.1"
_CHUNK = 65536


class Proxy:
    """Passes bytes between whoever connects to :attr:`port` and a port of this host.

    It listens on loopback, on that of `namespace` if one is given, and on `port` unless that is 0.
    Runs in a thread of its own until :meth:`close`; its methods may be called from any other.
    """

    def __init__(
        self, target_port: int, *, namespace: Namespace | None = None, port: int = 0
    ) -> None:
        self._target_port = target_port
        listener = _socket(namespace)
        listener.bind((HOST, port))
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._refusing = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy")
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._serve, sock=listener))
        self._loop.call_soon_threadsafe(self._flowing.set)
        self.port: int = self._server.sockets[0].getsockname()[1]

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def cut(self) -> None:
        """Reset every connection, and every new one until :meth:`restore`."""
        self._run(self._cut())

    def stall(self) -> None:
        """Keep the connections, and hold every byte back until :meth:`restore`."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def restore(self) -> None:
        """Pass everything again."""
        self._run(self._restore())

    def close(self) -> None:
        """End all connections and the thread."""
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _cut(self) -> None:
        self._refusing = True
        for writer in self._writers:
            writer.transport.abort()

    async def _restore(self) -> None:
        self._refusing = False
        self._flowing.set()

    async def _end(self) -> None:
        await self._cut()
        self._flowing.set()
        self._server.close()
        # With their connections gone the pumps end by themselves.
        current = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not current]
        if tasks:
            await asyncio.wait(tasks, timeout=5)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        try:
            behind = await asyncio.open_connection(HOST, self._target_port)
        except OSError:
            writer.transport.abort()
            return
        ends = (writer, behind[1])
        self._writers.update(ends)
        try:
            await asyncio.gather(self._pump(reader, behind[1]), self._pump(behind[0], writer))
        finally:
            self._writers.difference_update(ends)
            for end in ends:
                end.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):  # an end that is gone ends its connection
            while chunk := await reader.read(_CHUNK):
                await self._flowing.wait()
                writer.write(chunk)
                await writer.drain()
        writer.transport.abort()


def _socket(namespace: Namespace | None) -> socket.socket:
    if namespace is None:
        return socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    return namespace.socket(socket.AF_INET, socket.SOCK_STREAM)
