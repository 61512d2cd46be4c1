"""Other tasks have their turns while the connections of a full zone are looked at."""

import asyncio
from collections.abc import Awaitable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chassis_agent import turns
from chassis_agent.bridge import unixctl
from chassis_agent.bridge.switch import Switch
from chassis_agent.derivations.live_backends import LiveBackends, fronts_at, live_backends
from chassis_agent.health import Health
from chassis_agent.inputs import dnat_zone
from chassis_agent.openflow.connection import Connection
from chassis_agent.revocation.ended import EndedBackends
from chassis_agent.revocation.revoker import Revoker
from chassis_agent.revocation.verdict import AclJudge
from southbound.rows import VirtualAddress

CONNECTIONS = 5000
PATH = Path("nowhere")


def dump(first: int = 0) -> str:
    return "".join(
        f"tcp,orig=(src=10.1.{n >> 8}.{n & 255},dst=10.96.0.1,sport=5000,dport=80),"
        f"reply=(src=10.0.0.9,dst=10.1.{n >> 8}.{n & 255},sport=8080,dport=5000),zone=7,mark=2\n"
        for n in range(first, CONNECTIONS)
    )


class FullZone:
    """Stands for a switch with one zone. What is done to a connection takes it out of dumps."""

    def __init__(self) -> None:
        self.largest_batch = 0
        self.messages = 0

    async def call(self, _path: Path, *_command: str) -> str:
        return dump(self.messages)

    async def confirm(self, batch: Sequence[bytes]) -> None:
        self.messages += len(batch)
        self.largest_batch = max(self.largest_batch, len(batch))

    async def other_turns(self, work: Awaitable[object]) -> int:
        """Return how many turns another task has until work is done."""
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        await work
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return turns


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> FullZone:
    zone = FullZone()
    monkeypatch.setattr(turns, "SHORTEST_TURN", 0)
    monkeypatch.setattr(unixctl, "call", zone.call)
    return zone


async def test_while_connections_to_lost_backends_end(zone: FullZone) -> None:
    web = LiveBackends(VirtualAddress("&web", "10.96.0.1", 80, "tcp"), ("10.0.0.1:8080",))
    rows: dict[Any, dict[Any, Any]] = {live_backends: {"&web": web}}
    ended = EndedBackends(
        cast(Switch, SimpleNamespace(connection=zone)),
        lambda: PATH,
        Health(),
        rows=rows.__getitem__,
        members=lambda group, _key: ["&web"] if group is fronts_at else ["d"],
        zones=lambda: {dnat_zone("d"): 7},
        ports=dict,
    )
    assert await zone.other_turns(ended._end({"&web"})) > 100
    assert (zone.messages, zone.largest_batch) == (CONNECTIONS, 100)


async def test_while_connections_are_revoked(zone: FullZone) -> None:
    class Denying:
        def denies(self, _port: str, _connection: object) -> bool:
            return True

    revoker = Revoker(cast(Connection, zone), PATH, settling=0)
    assert await zone.other_turns(revoker._connections(7)) > 100
    revoked = await revoker.revoke(7, "web", cast(AclJudge, Denying()))
    assert (revoked.examined, revoked.blocked, revoked.resisted) == (CONNECTIONS, CONNECTIONS, 0)
    assert zone.largest_batch == 100
