"""The agent's OpenFlow connection to its bridge: requests, bundles, and what the switch says.

A `Connection` lives as long as its socket. It does not reconnect: when it ends, everything that
waits on it gets `ConnectionLostError`, `wait_closed` returns the reason, and the runtime makes
another one.

Refusals are asynchronous in OpenFlow: an error names the transaction it belongs to and may come
any time before the reply to the next barrier. So messages go out in batches, each followed by a
barrier, and whatever was refused in between is the batch's.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

import structlog

from chassis_agent.openflow import bundle, messages, multipart, wire
from chassis_agent.openflow.errors import (
    BundleRefusedError,
    ConnectionLostError,
    DecodingError,
    NegotiationError,
    OpenFlowError,
    RequestRefusedError,
)
from chassis_agent.openflow.messages import TlvMapping
from chassis_agent.openflow.multipart import (
    FlowUpdate,
    FlowUse,
    GroupUse,
    InstalledFlow,
    InstalledGroup,
    InstalledMeter,
    MeterUse,
    Port,
)
from chassis_agent.openflow.packet_in import PacketIn, decode_packet_in
from chassis_agent.openflow.wire import HEADER, Message, MessageType, NiciraType

log = structlog.get_logger(__name__)

BUNDLE_LIMIT: Final = 100_000
"""Messages in one bundle; a longer list of changes becomes several."""

PACKET_OUT_BACKLOG: Final = 1 << 20
"""Bytes that may wait for the switch before packets that the agent sends are dropped."""

_CHUNK: Final = 2_000
_LAST_XID: Final = 0xFFFFFFFF

_T = TypeVar("_T")
PacketInHandler = Callable[[PacketIn], None]
FlowUpdateHandler = Callable[[FlowUpdate], None]


class _Request:
    """A request that waits for its reply, or for all parts of it."""

    __slots__ = ("parts", "reply")

    def __init__(self) -> None:
        self.reply: asyncio.Future[list[Message]] = asyncio.get_running_loop().create_future()
        self.parts: list[Message] = []

    def fail(self, reason: Exception) -> None:
        if not self.reply.done():
            self.reply.set_exception(reason)


class _Batch:
    """Messages that have no reply; what the switch refused of them, by place in the batch."""

    __slots__ = ("first_xid", "refusals", "size")

    def __init__(self, first_xid: int, size: int) -> None:
        self.first_xid = first_xid
        self.size = size
        self.refusals: list[tuple[int, RequestRefusedError]] = []


class Connection:
    """One connection to one bridge; made by `connect`."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        on_packet_in: PacketInHandler,
        patience: float,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._on_packet_in = on_packet_in
        self._on_flow_update: FlowUpdateHandler | None = None
        self._patience = patience
        self._next_xid = 1
        self._next_bundle = 1
        self._requests: dict[int, _Request] = {}
        self._batches: list[_Batch] = []
        self._committing = asyncio.Lock()
        self._closed: asyncio.Future[OpenFlowError] = asyncio.get_running_loop().create_future()
        self._last_heard = 0.0
        self._tasks: list[asyncio.Task[None]] = []
        self.dropped_packet_outs = 0
        self.refused_messages = 0
        """Messages that nothing waits for, packet-outs for one, and that the switch refused."""
        self.failed_packet_ins = 0
        """Packet-ins that could not be read, or not be handled."""

    @classmethod
    async def connect(
        cls,
        path: Path,
        *,
        on_packet_in: PacketInHandler,
        patience: float = 15.0,
    ) -> Connection:
        """Connect to the management socket of a bridge.

        ``on_packet_in`` is called from the event loop, and must not block.
        A switch that is silent for ``patience`` seconds although asked for an echo is lost.
        Raises ConnectionLostError or NegotiationError.
        """
        try:
            reader, writer = await asyncio.open_unix_connection(str(path), limit=1 << 20)
        except OSError as error:
            raise ConnectionLostError(f"cannot connect to {path}: {error}") from error
        connection = cls(reader, writer, on_packet_in=on_packet_in, patience=patience)
        try:
            async with asyncio.timeout(patience):
                await connection._negotiate()
        except (OSError, EOFError, DecodingError) as error:
            writer.close()
            raise ConnectionLostError(f"{path} did not greet: {error}") from error
        except BaseException:
            writer.close()
            raise
        connection._tasks = [
            asyncio.create_task(connection._read_messages(), name="openflow reader"),
            asyncio.create_task(connection._keep_alive(), name="openflow keepalive"),
        ]
        try:
            await connection.confirm(
                [messages.set_config(), messages.set_packet_in_format(), messages.set_async()]
            )
        except BaseException:
            await connection.close()
            raise
        return connection

    async def wait_closed(self) -> OpenFlowError:
        """Wait for the connection's end, and say why it ended."""
        return await asyncio.shield(self._closed)

    @property
    def is_closed(self) -> bool:
        """Whether the connection has ended."""
        return self._closed.done()

    async def close(self) -> None:
        """End the connection."""
        self._end(ConnectionLostError("the agent closed the connection"))
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    # ---- changes

    async def barrier(self) -> None:
        """Wait until the switch has done everything sent so far."""
        await self._request(messages.barrier_request())

    async def echo(self) -> None:
        """Wait until the switch has answered that it is there."""
        await self._request(messages.echo_request())

    async def confirm(self, batch: Sequence[bytes]) -> None:
        """Send messages that have no reply, and wait until the switch has done them.

        Raises the first refusal; the other messages have been done nevertheless.
        """
        for _index, refusal in await self.attempt(batch):
            raise refusal

    async def attempt(self, batch: Sequence[bytes]) -> list[tuple[int, RequestRefusedError]]:
        """Send messages that have no reply, and wait until the switch has done them.

        Returns the refusals, each with the place of its message in the batch.
        """
        first_xid = self._take_xids(len(batch))
        watched = self._open_batch(first_xid, len(batch))
        try:
            numbered = (wire.with_xid(item, xid) for xid, item in enumerate(batch, first_xid))
            await self._write(b"".join(numbered))
            await self.barrier()
        finally:
            self._batches.remove(watched)
        return watched.refusals

    async def commit(self, changes: Iterable[bytes], *, limit: int = BUNDLE_LIMIT) -> None:
        """Make changes (flow-mods and group-mods) in order, in bundles of at most ``limit``.

        Returns once they are in effect. A bundle is done as a whole or, if the switch refuses
        any of it, not at all: then BundleRefusedError is raised and later bundles are not tried.
        """
        async with self._committing:
            remaining = iter(changes)
            done = 0
            while part := list(islice(remaining, limit)):
                await self._commit_bundle(part, done)
                done += len(part)

    def packet_out(self, message: bytes) -> bool:
        """Send a packet-out without waiting; False if it was dropped for want of room."""
        transport = self._writer.transport
        if self.is_closed or transport.get_write_buffer_size() > PACKET_OUT_BACKLOG:
            self.dropped_packet_outs += 1
            return False
        self._writer.write(wire.with_xid(message, self._take_xids(1)))
        return True

    # ---- questions

    async def monitor_flows(self, on_update: FlowUpdateHandler) -> None:
        """Have ``on_update`` called, from now on, for flows that other programs change.

        It is called from the event loop, and must not block. Raises RequestRefusedError where
        the switch can't tell.
        """
        self._on_flow_update = on_update
        await self._request(multipart.flow_monitor_request())

    async def flows(
        self, *, table: int = messages.ALL_TABLES, cookie: int = 0, cookie_mask: int = 0
    ) -> list[InstalledFlow]:
        """The flows of the bridge: all, those of a table, or those with bits of a cookie."""
        request = multipart.flows_request(cookie, cookie_mask, table=table)
        return await self._ask(request, multipart.decode_flows)

    async def flow_uses(self, table: int) -> list[FlowUse]:
        """How often each flow of a table was matched."""
        return await self._ask(multipart.flows_request(table=table), multipart.decode_flow_uses)

    async def groups(self) -> list[InstalledGroup]:
        """All groups of the bridge."""
        return await self._ask(multipart.groups_request(), multipart.decode_groups)

    async def group_uses(self) -> list[GroupUse]:
        """How much each group was given."""
        return await self._ask(multipart.group_uses_request(), multipart.decode_group_uses)

    async def meters(self) -> list[InstalledMeter]:
        """All meters of the bridge."""
        return await self._ask(multipart.meters_request(), multipart.decode_meters)

    async def meter_uses(self) -> list[MeterUse]:
        """How much each meter was given, and dropped."""
        return await self._ask(multipart.meter_uses_request(), multipart.decode_meter_uses)

    async def ports(self) -> list[Port]:
        """All ports of the bridge."""
        return await self._ask(multipart.ports_request(), multipart.decode_ports)

    async def tlv_table(self) -> list[TlvMapping]:
        """The Geneve options that are fields."""
        (reply,) = await self._request(messages.tlv_table_request())
        body = wire.nicira_body(reply, NiciraType.TLV_TABLE_REPLY)
        if body is None:
            raise DecodingError("the switch answered something else than its tunnel options")
        return multipart.decode_tlv_table(body)

    # ---- how it is done

    async def _negotiate(self) -> None:
        self._writer.write(wire.hello())
        version, kind, length, _xid = HEADER.unpack(await self._reader.readexactly(HEADER.size))
        body = await self._reader.readexactly(max(length - HEADER.size, 0))
        if kind != MessageType.HELLO or not wire.offers_version(version, body):
            raise NegotiationError("the bridge does not offer OpenFlow 1.5")

    async def _commit_bundle(self, changes: Sequence[bytes], offset: int) -> None:
        bundle_id, self._next_bundle = self._next_bundle, self._next_bundle % _LAST_XID + 1
        await self._request(bundle.control(bundle_id, bundle.BundleStep.OPEN))
        first_xid = self._take_xids(len(changes))
        batch = self._open_batch(first_xid, len(changes))
        try:
            try:
                for start in range(0, len(changes), _CHUNK):
                    part = changes[start : start + _CHUNK]
                    await self._write(bundle.additions(part, bundle_id, first_xid + start))
                await self.barrier()
                self._raise_bundle_refusal(batch, offset)
            except BaseException:
                if not self.is_closed:
                    self._send(bundle.control(bundle_id, bundle.BundleStep.DISCARD))
                raise
            try:
                await self._request(bundle.control(bundle_id, bundle.BundleStep.COMMIT))
            except RequestRefusedError as refusal:
                self._raise_bundle_refusal(batch, offset)
                raise BundleRefusedError(refusal, None) from refusal
        finally:
            self._batches.remove(batch)

    @staticmethod
    def _raise_bundle_refusal(batch: _Batch, offset: int) -> None:
        for index, refusal in batch.refusals:
            raise BundleRefusedError(refusal, offset + index)

    def _open_batch(self, first_xid: int, size: int) -> _Batch:
        batch = _Batch(first_xid, size)
        self._batches.append(batch)
        return batch

    async def _ask(self, request: bytes, decode: Callable[[bytes], Iterator[_T]]) -> list[_T]:
        found: list[_T] = []
        for part in await self._request(request):
            _kind, _more, body = multipart.split_reply(part.body)
            found.extend(decode(body))
            await asyncio.sleep(0)
        return found

    async def _request(self, message: bytes) -> list[Message]:
        """Send a request and wait for all parts of its reply."""
        xid = self._take_xids(1)
        request = _Request()
        self._requests[xid] = request
        try:
            await self._write(wire.with_xid(message, xid))
            return await request.reply
        finally:
            self._requests.pop(xid, None)

    async def _write(self, data: bytes) -> None:
        if self.is_closed:
            raise ConnectionLostError(str(self._closed.result()))
        self._writer.write(data)
        try:
            await self._writer.drain()
        except ConnectionError as error:
            raise ConnectionLostError(f"the switch went away: {error}") from error
        await asyncio.sleep(0)

    def _send(self, message: bytes) -> None:
        self._writer.write(wire.with_xid(message, self._take_xids(1)))

    def _take_xids(self, count: int) -> int:
        if self._next_xid + count > _LAST_XID:
            self._next_xid = 1
        first = self._next_xid
        self._next_xid += count
        return first

    # ---- what the switch says

    async def _read_messages(self) -> None:
        try:
            while True:
                header = await self._reader.readexactly(HEADER.size)
                self._last_heard = asyncio.get_running_loop().time()
                _version, kind, length, xid = HEADER.unpack(header)
                if length < HEADER.size:
                    raise DecodingError(f"a message has an impossible length {length}")
                body = await self._reader.readexactly(length - HEADER.size)
                self._receive(Message(kind, xid, body))
        except (OSError, EOFError) as error:
            self._end(ConnectionLostError(f"the switch closed the connection: {error}"))
        except OpenFlowError as error:
            self._end(error)

    def _receive(self, message: Message) -> None:
        if message.kind == MessageType.ECHO_REQUEST:
            self._writer.write(wire.frame(MessageType.ECHO_REPLY, message.body, message.xid))
        elif message.kind == MessageType.ERROR:
            self._receive_refusal(message.xid, wire.refusal(message.body))
        elif (body := wire.nicira_body(message, NiciraType.PACKET_IN2)) is not None:
            self._receive_packet_in(body)
        elif (request := self._requests.get(message.xid)) is not None:
            self._receive_reply(request, message)
        elif message.kind == MessageType.MULTIPART_REPLY:
            self._receive_flow_updates(message.body)

    @staticmethod
    def _receive_reply(request: _Request, message: Message) -> None:
        request.parts.append(message)
        more = (
            message.kind == MessageType.MULTIPART_REPLY and multipart.split_reply(message.body)[1]
        )
        if not more and not request.reply.done():
            request.reply.set_result(request.parts)

    def _receive_refusal(self, xid: int, refusal: RequestRefusedError) -> None:
        if (request := self._requests.get(xid)) is not None:
            request.fail(refusal)
            return
        for batch in self._batches:
            if 0 <= xid - batch.first_xid < batch.size:
                batch.refusals.append((xid - batch.first_xid, refusal))
                return
        self.refused_messages += 1
        log.warning("openflow.refused", error=refusal.name, request=refusal.request[:64].hex())

    def _receive_packet_in(self, body: bytes) -> None:
        try:
            self._on_packet_in(decode_packet_in(body))
        except Exception:
            self.failed_packet_ins += 1
            log.exception("openflow.packet_in_failed")

    def _receive_flow_updates(self, body: bytes) -> None:
        kind, _more, updates = multipart.split_reply(body)
        if kind != multipart.MultipartType.FLOW_MONITOR or self._on_flow_update is None:
            return
        for update in multipart.decode_flow_updates(updates):
            self._on_flow_update(update)

    async def _keep_alive(self) -> None:
        interval = self._patience / 3
        while True:
            await asyncio.sleep(interval)
            if asyncio.get_running_loop().time() - self._last_heard < interval:
                continue
            try:
                async with asyncio.timeout(self._patience):
                    await self.echo()
            except TimeoutError:
                self._end(ConnectionLostError(f"the switch was silent for {self._patience} s"))
                return
            except OpenFlowError as error:
                self._end(error)
                return

    def _end(self, reason: OpenFlowError) -> None:
        """Tell everyone, once, that the connection is over."""
        if self._closed.done():
            return
        self._closed.set_result(reason)
        self._writer.close()
        for request in self._requests.values():
            request.fail(ConnectionLostError(str(reason)))
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
