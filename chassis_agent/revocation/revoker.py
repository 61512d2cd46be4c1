"""Asks the ACLs about a zone's connections, and blocks those that they deny."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from chassis_agent.bridge import unixctl
from chassis_agent.openflow.connection import Connection
from chassis_agent.revocation import remark
from chassis_agent.revocation.conntrack import BLOCKED, TrackedConnection, connection_steps
from chassis_agent.revocation.settling import SETTLING, settle
from chassis_agent.revocation.verdict import AclJudge
from chassis_agent.turns import in_turns

log = structlog.get_logger(__name__)

_ATTEMPTS: Final = 3
_AT_ONCE: Final = 50
_BATCH: Final = 100
"""Connections that are changed between two turns of other tasks."""


class Revoked(NamedTuple):
    """What became of a zone's connections: how many there were, are blocked, resisted."""

    examined: int
    blocked: int
    resisted: int


class Revoker:
    """Revokes connections of one bridge.

    ``control`` is the control socket of ``ovs-vswitchd``; ``datapath`` names the datapath, such as
    ``netdev@ovs-netdev``, where there may be more than one.
    """

    def __init__(
        self,
        connection: Connection,
        control: Path,
        *,
        datapath: str | None = None,
        settling: float = SETTLING,
    ) -> None:
        self._connection = connection
        self._control = control
        self._datapath = () if datapath is None else (datapath,)
        self._settling = settling

    async def revoke(self, zone: int, port: str, judge: AclJudge) -> Revoked:
        """Block what ``judge`` denies among the connections of ``port``.

        To be called when the flows of the new ACLs are in effect. Looks twice: what cached flows
        let in meanwhile is found the second time. Raises ControlError or OpenFlowError.
        """
        first = await self._revoke_once(zone, port, judge)
        await settle(self._control, self._settling)
        second = await self._revoke_once(zone, port, judge)
        return Revoked(
            max(first.examined, second.examined),
            first.blocked + second.blocked,
            first.resisted + second.resisted,
        )

    async def _revoke_once(self, zone: int, port: str, judge: AclJudge) -> Revoked:
        connections = await self._connections(zone)
        denied = await self._denied(port, judge, connections)
        if not denied:
            return Revoked(len(connections), 0, 0)
        remaining = denied
        for attempt in range(_ATTEMPTS):
            await self._block(zone, remaining, anew=attempt > 0)
            remaining = await self._still_unblocked(zone, remaining)
            if not remaining:
                break
        if remaining:
            log.warning("revocation.resisted", zone=zone, port=port, connections=len(remaining))
            await self._send(remaining, lambda gone: remark.forget(zone, gone))
        blocked = len(denied) - len(remaining)
        log.info("revocation.done", zone=zone, port=port, blocked=blocked)
        return Revoked(len(connections), blocked, len(remaining))

    async def _connections(
        self, zone: int, is_wanted: Callable[[TrackedConnection], bool] = lambda _: True
    ) -> list[TrackedConnection]:
        text = await unixctl.call(
            self._control, "dpctl/dump-conntrack", *self._datapath, f"zone={zone}"
        )
        return await in_turns(connection_steps(text, is_wanted))

    @staticmethod
    async def _denied(
        port: str, judge: AclJudge, connections: Sequence[TrackedConnection]
    ) -> list[TrackedConnection]:
        """Return the denied ones of those not blocked, and let other tasks have their turn."""
        unblocked = (each for each in connections if not each.mark & BLOCKED)
        denied = []
        while some := list(islice(unblocked, _AT_ONCE)):
            denied += [each for each in some if judge.denies(port, each)]
            await asyncio.sleep(0)
        return denied

    async def _block(
        self, zone: int, connections: Sequence[TrackedConnection], *, anew: bool
    ) -> None:
        if anew:
            await self._send(connections, lambda each: remark.block_anew(zone, each))
        else:
            await self._send(connections, lambda each: [remark.block_in_place(zone, each)])

    async def _still_unblocked(
        self, zone: int, denied: Sequence[TrackedConnection]
    ) -> list[TrackedConnection]:
        """Return those of ``denied`` that are there, in either direction, and not blocked."""
        originals = {each.original for each in denied}
        return await self._connections(
            zone, lambda each: not each.mark & BLOCKED and each.original in originals
        )

    async def _send(
        self,
        connections: Sequence[TrackedConnection],
        messages_of: Callable[[TrackedConnection], Iterable[bytes]],
    ) -> None:
        for start in range(0, len(connections), _BATCH):
            some = connections[start : start + _BATCH]
            await self._connection.confirm([each for one in some for each in messages_of(one)])
