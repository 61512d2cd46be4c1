"""Ports that are ready are marked on their interfaces, then told to be up."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from chassis_agent.errors import DatabaseError
from chassis_agent.health import Health
from chassis_agent.local import announcer as module
from chassis_agent.local.announcer import Announcer
from chassis_agent.ovsdb import Interface, SwitchDatabase

INTERFACES = {
    name: Interface(name, ofport=n, external_ids={"iface-id": port})
    for n, (name, port) in enumerate({"tap1": "p1", "tap2": "p2"}.items(), 1)
}


class Host:
    """A database and a server that note what they are told, in order."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.refusals = 0
        self.health = Health()
        self.announcer = Announcer(cast(SwitchDatabase, self), self.health, self._set_up)

    async def transact(self, _edit: Any) -> None:
        if self.refusals:
            self.refusals -= 1
            raise DatabaseError("not now")
        self.events.append("marked")

    def _set_up(self, port: str, up: bool) -> None:
        self.events.append((port, up))

    async def update(self, ready: dict[str, str]) -> list[Any]:
        """What happens once these ports are ready."""
        self.events = []
        self.announcer.update(INTERFACES, ready)
        for _ in range(20):
            await asyncio.sleep(0)
        return self.events


@pytest.fixture
async def host(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Host]:
    monkeypatch.setattr(module, "_RETRY_SECONDS", 0)
    host = Host()
    running = asyncio.create_task(host.announcer.run())
    yield host
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_the_mark_comes_before_up(host: Host) -> None:
    assert await host.update({"p1": "tap1"}) == ["marked", ("p1", True)]
    assert host.announcer.up == {"p1"}


async def test_a_port_is_told_to_be_up_once(host: Host) -> None:
    await host.update({"p1": "tap1"})
    assert ("p1", True) not in await host.update({"p1": "tap1", "p2": "tap2"})
    assert host.announcer.up == {"p1", "p2"}


async def test_a_port_that_is_no_longer_ready_is_down_at_once(host: Host) -> None:
    await host.update({"p1": "tap1", "p2": "tap2"})
    assert (await host.update({"p2": "tap2"}))[0] == ("p1", False)
    assert host.announcer.up == {"p2"}


async def test_nothing_is_up_before_the_database_took_the_mark(host: Host) -> None:
    host.refusals = 3
    assert await host.update({"p1": "tap1"}) == ["marked", ("p1", True)]
    assert host.health.counters["degraded_announcing"] == 1
    assert "announcing" not in host.health.reasons


async def test_while_the_database_refuses_the_port_is_not_up(host: Host) -> None:
    host.refusals = 10**6
    assert await host.update({"p1": "tap1"}) == []
    assert host.announcer.up == frozenset()
    assert host.health.reasons["announcing"] == "not now"
