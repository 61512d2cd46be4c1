"""The bridge as the agent programs it: one OpenFlow connection after another.

A connection that was lost is made again. What the switch holds then is not known,
so :attr:`Switch.is_known` is false until its flows were read back and
compared: :meth:`Switch.flows` and :meth:`Switch.commit` do that. What never
changes (:mod:`chassis_agent.bridge.groundwork`) is set up first.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Final

import structlog

from chassis_agent.bridge.groundwork import missing_groundwork
from chassis_agent.desired.flow import Flow, FlowKey
from chassis_agent.desired.flows import Changes
from chassis_agent.health import Health
from chassis_agent.openflow import messages
from chassis_agent.openflow.connection import Connection
from chassis_agent.openflow.errors import (
    BundleRefusedError,
    ConnectionLostError,
    OpenFlowError,
    RequestRefusedError,
)
from chassis_agent.openflow.multipart import FlowUpdate, FlowUse
from chassis_agent.openflow.packet_in import PacketIn

log = structlog.get_logger(__name__)

_FIRST_DELAY: Final = 0.05
_LONGEST_DELAY: Final = 2.0
_REFUSALS_AT_ONCE: Final = 50


class Switch:
    """The integration bridge's OpenFlow side."""

    def __init__(
        self,
        path: Path,
        health: Health,
        *,
        on_change: Callable[[], None],
        on_packet_in: Callable[[PacketIn], None],
    ) -> None:
        """`on_change` is called when the connection came or went, or others changed flows."""
        self._path = path
        self._health = health
        self._on_change = on_change
        self._on_packet_in = on_packet_in
        self._connection: Connection | None = None
        self.is_known = False
        """Whether the switch holds what was last committed and nothing else."""
        self.refused: dict[FlowKey, str] = {}
        """Flows that the switch would not take, with the reason."""
        self.is_monitored = False
        """Whether the switch tells what other programs do to its flows."""
        self._changed_tables: set[int | None] = set()

    @property
    def changed_tables(self) -> Collection[int | None]:
        """The tables in which another program changed flows; None stands for all of them."""
        return self._changed_tables

    def take_changed_tables(self) -> Collection[int | None]:
        """The changed tables, which are forgotten: the caller looks at them."""
        changed, self._changed_tables = self._changed_tables, set()
        return changed

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            raise ConnectionLostError("there is no connection to the switch")
        return self._connection

    async def run(self) -> None:
        """Connects, again and again, until cancelled."""
        delay = _FIRST_DELAY
        while True:
            try:
                connection = await Connection.connect(self._path, on_packet_in=self._on_packet_in)
            except OpenFlowError as error:
                self._health.degrade("switch", str(error))
                await asyncio.sleep(delay)
                delay = min(2 * delay, _LONGEST_DELAY)
                continue
            try:
                await self._prepare(connection)
                self._came(connection)
                delay = _FIRST_DELAY
                raise await connection.wait_closed()
            except OpenFlowError as error:
                self._health.degrade("switch", str(error))
            finally:
                self._went()
                await connection.close()
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_DELAY)

    async def flows(self) -> list[Flow]:
        """What the switch holds."""
        return [Flow(*flow) for flow in await self.connection.flows()]

    async def flows_of_table(self, table: int) -> list[Flow]:
        """What one table of the switch holds."""
        return [Flow(*flow) for flow in await self.connection.flows(table=table)]

    async def flows_of_cookies(self, cookie: int, mask: int) -> list[Flow]:
        """The flows of which the cookie has these bits."""
        found = await self.connection.flows(cookie=cookie, cookie_mask=mask)
        return [Flow(*flow) for flow in found]

    async def restore_groundwork(self) -> list[str]:
        """Makes anew what flows refer to, where it is missing; says what that was."""
        missing = await missing_groundwork(self.connection)
        if missing:
            await self.connection.confirm([each.message for each in missing])
        return [each.name for each in missing]

    async def flow_uses(self, table: int) -> list[FlowUse]:
        """How often each flow of a table was matched."""
        return await self.connection.flow_uses(table)

    async def commit(self, changes: Changes) -> None:
        """Makes all changes, or as many as the switch takes: see :attr:`refused`.

        Raises :class:`OpenFlowError` when it isn't known what the switch holds now.
        """
        self.is_known = False
        flows = [(flow, True) for flow in changes.removed]
        flows += [(flow, False) for flow in changes.added]
        for flow, _ in flows:
            self.refused.pop(flow.key, None)
        for _ in range(_REFUSALS_AT_ONCE):
            try:
                await self.connection.commit([_message(*change) for change in flows])
            except BundleRefusedError as refusal:
                if refusal.index is None:
                    raise
                flow, is_removal = flows.pop(refusal.index)
                if is_removal:
                    raise
                self._refuse(flow, refusal)
            else:
                break
        else:
            raise OpenFlowError(f"the switch refuses more than {_REFUSALS_AT_ONCE} flows")
        self.is_known = True
        if flows:
            self._health.counters["bundles_sent"] += 1
            self._health.counters["flow_mods_sent"] += len(flows)
        if self.refused:
            self._health.degrade("refused_flows", f"the switch refuses {len(self.refused)} flows")
        else:
            self._health.clear("refused_flows")

    async def flush_zones(self, zones: Iterable[int]) -> None:
        """Forgets all connections of these conntrack zones."""
        await self.connection.confirm([messages.ct_flush_zone(zone) for zone in zones])

    @property
    def packet_losses(self) -> dict[str, int]:
        """Packets that this connection didn't bring to the agent, or to the switch, by reason."""
        if self._connection is None:
            return {}
        return {
            "dropped_packet_outs": self._connection.dropped_packet_outs,
            "refused_messages": self._connection.refused_messages,
            "failed_packet_ins": self._connection.failed_packet_ins,
        }

    def send(self, message: bytes) -> bool:
        """Sends a packet-out; false if there is no connection, or no room, for it."""
        return self._connection is not None and self._connection.packet_out(message)

    def _refuse(self, flow: Flow, refusal: BundleRefusedError) -> None:
        self.refused[flow.key] = str(refusal)
        self._health.counters["flows_refused"] += 1
        log.error(
            "flow refused",
            reason=str(refusal),
            table=flow.table,
            priority=flow.priority,
            cookie=hex(flow.cookie),
            match=flow.match.hex(),
            instructions=flow.instructions.hex(),
        )

    async def _prepare(self, connection: Connection) -> None:
        """Sets up what flows refer to, and hears of others' changes from then on."""
        if missing := await missing_groundwork(connection):
            await connection.confirm([each.message for each in missing])
        self._changed_tables.clear()
        try:
            await connection.monitor_flows(self._flow_changed)
        except RequestRefusedError as refusal:
            self.is_monitored = False
            log.warning("the switch doesn't tell of changed flows", reason=str(refusal))
        else:
            self.is_monitored = True

    def _flow_changed(self, update: FlowUpdate) -> None:
        if update.table not in self._changed_tables:
            self._changed_tables.add(update.table)
            self._on_change()

    def _came(self, connection: Connection) -> None:
        self._connection = connection
        self._health.counters["switch_connections"] += 1
        self._health.clear("switch")
        self._on_change()

    def _went(self) -> None:
        self._connection = None
        self.is_known = False
        self.is_monitored = False
        self._on_change()


def _message(flow: Flow, is_removal: bool) -> bytes:
    if is_removal:
        return messages.delete_flow(flow.table, flow.priority, flow.match)
    return messages.add_flow(flow.table, flow.priority, flow.match, flow.instructions, flow.cookie)
