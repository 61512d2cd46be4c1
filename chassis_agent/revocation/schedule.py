"""Which ports' connections are due to be looked at again, and when: after their ACLs changed.

The reconciler names ports once the flows of their new ACLs are in the switch.
Ports wait for each other only in crowds; a port whose ACLs change again while its
connections are looked at is looked at again. What fails is tried again.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import structlog

from chassis_agent.bridge.switch import Switch
from chassis_agent.derivations.acls import PortAcls, logical_flows, port_acls
from chassis_agent.derivations.templates import shelf_of
from chassis_agent.errors import ControlError
from chassis_agent.health import Health
from chassis_agent.openflow.errors import OpenFlowError
from chassis_agent.revocation.revoker import Revoker
from chassis_agent.revocation.verdict import AclJudge

log = structlog.get_logger(__name__)

_AT_ONCE: Final = 16
_RETRY_SECONDS: Final = 1.0


class Revocations:
    """The ports that are due."""

    def __init__(
        self,
        switch: Switch,
        control: Callable[[], Path],
        health: Health,
        *,
        rows: Callable[[Any], Mapping[Any, Any]],
        zones: Callable[[], Mapping[str, int]],
    ) -> None:
        """`control` finds the switch's control socket, `rows` gives a table or derivation."""
        self._switch = switch
        self._control = control
        self._health = health
        self._rows = rows
        self._zones = zones
        self._due: dict[str, None] = {}
        self._looked_at = 0
        self._news = asyncio.Event()

    @property
    def outstanding(self) -> int:
        """How many ports are due, or are being looked at."""
        return len(self._due) + self._looked_at

    def request(self, ports: Iterable[str]) -> None:
        """Look at the connections of `ports`: the flows of their ACLs are in the switch."""
        self._due.update(dict.fromkeys(ports))
        if self._due:
            self._news.set()

    async def run(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._due:
                ports = list(self._due)[:_AT_ONCE]
                for port in ports:
                    del self._due[port]
                self._looked_at = len(ports)
                try:
                    await self._look_at(ports)
                finally:
                    self._looked_at = 0

    async def _look_at(self, ports: list[str]) -> None:
        results = await asyncio.gather(*map(self._revoke, ports), return_exceptions=True)
        failed = []
        for port, result in zip(ports, results, strict=True):
            if isinstance(result, ControlError | OpenFlowError):
                failed.append(port)
                self._health.degrade("revocation", f"{port}: {result}")
            elif isinstance(result, BaseException):
                raise result
        if failed:
            await asyncio.sleep(_RETRY_SECONDS)
            self.request(failed)
        else:
            self._health.clear("revocation")

    async def _revoke(self, port: str) -> None:
        decides: PortAcls | None = self._rows(port_acls).get(port)
        zone = self._zones().get(port)
        if decides is None or zone is None:
            return
        revoker = Revoker(self._switch.connection, self._control())
        revoked = await revoker.revoke(zone, port, self._judge(port, decides))
        self._health.counters["connections_examined"] += revoked.examined
        self._health.counters["connections_revoked"] += revoked.blocked
        self._health.counters["connections_resisted"] += revoked.resisted

    def _judge(self, port: str, decides: PortAcls) -> AclJudge:
        sets: dict[str, tuple[str, ...]] = dict(decides.acls.address_sets)
        sets.update((name, (port,)) for name in decides.port_groups)
        shelf = shelf_of(self._rows)
        templates = (compiled.template for compiled in shelf.values())
        return AclJudge(logical_flows(decides.acls, shelf), sets, templates)
