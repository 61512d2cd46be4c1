"""A TCP proxy on the loopback that can be told to fail in the ways networks do."""

import asyncio


class FaultyLink:
    """Forwards connections to `target_port`. `cut_after` and the rest act on the server's side.

    `cut_after(n)`: the next connection is reset once n bytes from the server passed.
    `stall()` / `flow()`: nothing passes from the server / again.
    `half_close()`: the client sees the server's end of file, while its own side stays open.
    `cut()`: all connections are reset now.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._budget: int | None = None
        self._clients: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.passed = 0

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.cut()

    def aim(self, target_port: int) -> None:
        self._target_port = target_port

    def cut_after(self, count: int) -> None:
        self._budget = count

    def cut(self) -> None:
        for writer in list(self._clients):
            writer.transport.abort()

    def stall(self) -> None:
        self._flowing.clear()

    def flow(self) -> None:
        self._flowing.set()

    def half_close(self) -> None:
        for writer in list(self._clients):
            writer.write_eof()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.transport.abort()
            return
        budget, self._budget = self._budget, None
        self._clients.add(writer)
        try:
            await asyncio.gather(
                self._from_server(far_reader, writer, budget), self._pump(reader, far_writer)
            )
        except OSError:
            pass
        finally:
            self._clients.discard(writer)
            writer.transport.abort()
            far_writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        raise ConnectionAbortedError

    async def _from_server(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, budget: int | None
    ) -> None:
        while data := await reader.read(65536):
            await self._flowing.wait()
            if budget is not None:
                data = data[:budget]
                budget -= len(data)
            writer.write(data)
            self.passed += len(data)
            await writer.drain()
            if budget == 0:
                await asyncio.sleep(0.01)
                writer.transport.abort()
                return
        raise ConnectionAbortedError
