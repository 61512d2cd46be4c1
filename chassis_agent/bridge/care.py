"""The integration bridge as the agent wants it: made at first, mended where others change it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from chassis_agent.bridge.repair_pace import RepairPace
from chassis_agent.bridge.tunnels import PORT_NAME, port_options
from chassis_agent.errors import DatabaseError
from chassis_agent.health import Health
from chassis_agent.ovsdb import Bridge, SwitchDatabase, SwitchView
from chassis_agent.ovsdb.edits import ensure_bridge, ensure_tunnel_port
from chassis_agent.ovsdb.faults import bridge_faults
from chassis_agent.settings import Host

_RETRY_SECONDS: Final = 1.0
_CONDITION: Final = "bridge"


class BridgeCare:
    """Makes and mends the bridge by transactions on the switch's database."""

    def __init__(
        self,
        database: SwitchDatabase,
        health: Health,
        *,
        view: Callable[[], SwitchView | None],
        next_view: Callable[[], Awaitable[SwitchView]],
        look_again: Callable[[], None],
    ) -> None:
        """`view` is the newest picture, `next_view` waits for one; `look_again` gives it anew."""
        self._database = database
        self._health = health
        self._view = view
        self._next_view = next_view
        self._look_again = look_again
        self._pace = RepairPace()

    async def make(self, host: Host) -> Bridge:
        """The bridge, once the database has taken it; tries until it does."""
        while True:
            try:
                bridge = await self._ensure(host)
            except DatabaseError as error:
                self._health.degrade(_CONDITION, str(error))
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                self._health.clear(_CONDITION)
                return bridge

    async def mend(self, view: SwitchView, host: Host) -> Bridge | None:
        """The bridge, put right if another program changed it; None while it is missing."""
        bridge = view.bridges.get(host.bridge)
        faults = bridge_faults(bridge, host.datapath_type, PORT_NAME, port_options())
        if not faults:
            if self._pace.has_become_quiet:
                self._health.clear(_CONDITION)
            return bridge
        loop = asyncio.get_running_loop()
        if wait := self._pace.wait:
            loop.call_later(wait, self._look_again)
            return bridge
        self._pace.repaired()
        loop.call_later(self._pace.quiet_after, self._look_again)
        self._health.counters["bridge_repairs"] += 1
        self._health.degrade(_CONDITION, f"mended: {', '.join(faults)}{self._pace.text}")
        try:
            return await self._ensure(host)
        except DatabaseError as error:
            self._health.degrade(_CONDITION, f"{', '.join(faults)}: {error}")
            return bridge

    async def _ensure(self, host: Host) -> Bridge:
        await self._database.transact(ensure_bridge(host.bridge, host.datapath_type))
        await self._database.transact(ensure_tunnel_port(host.bridge, PORT_NAME, port_options()))
        view = self._view()
        while view is None or host.bridge not in view.bridges:
            view = await self._next_view()
        return view.bridges[host.bridge]
