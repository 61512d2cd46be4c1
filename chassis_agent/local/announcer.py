"""Says that ports are ready: first on their interfaces, then to the server.

A port is *ready* when the switch has confirmed all of its flows. Its interface
is marked, and only then the server hears that the port is up: what acts on
`up` finds the mark. Both are repeated until they succeed.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from chassis_agent.errors import DatabaseError
from chassis_agent.health import Health
from chassis_agent.local.marks import mark_changes
from chassis_agent.ovsdb import Interface, SwitchDatabase
from chassis_agent.ovsdb.edits import set_interface_external_ids

log = structlog.get_logger(__name__)

_RETRY_SECONDS: Final = 1.0


class Announcer:
    """Keeps marks and `up` in step with which ports are ready."""

    def __init__(
        self, database: SwitchDatabase, health: Health, set_up: Callable[[str, bool], None]
    ) -> None:
        self._database = database
        self._health = health
        self._set_up = set_up
        self._interfaces: Mapping[str, Interface] = {}
        self._ready: Mapping[str, str] = {}
        self._told: set[str] = set()
        self._news = asyncio.Event()

    @property
    def up(self) -> frozenset[str]:
        """The ports that the server was told to be up."""
        return frozenset(self._told)

    def update(self, interfaces: Mapping[str, Interface], ready: Mapping[str, str]) -> None:
        """`ready` maps ports to the names of their interfaces."""
        self._interfaces = interfaces
        self._ready = ready
        self._news.set()

    async def run(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._announce(dict(self._ready))
            except DatabaseError as error:
                self._health.degrade("announcing", str(error))
                await asyncio.sleep(_RETRY_SECONDS)
                self._news.set()
            else:
                self._health.clear("announcing")

    async def _announce(self, ready: Mapping[str, str]) -> None:
        for port in sorted(self._told - ready.keys()):
            self._told.discard(port)
            self._set_up(port, False)
        changes = mark_changes(self._interfaces, frozenset(ready.values()), int(time.time() * 1000))
        if changes:
            await self._database.transact(set_interface_external_ids(changes))
        for port in sorted(ready.keys() - self._told):
            self._told.add(port)
            self._set_up(port, True)
            log.info("port up", port=port, interface=ready[port])
