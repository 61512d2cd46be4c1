"""Which ports' connections are looked at, and how often."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chassis_agent.bridge.switch import Switch
from chassis_agent.derivations.acls import PortAcls, SwitchAcls, port_acls
from chassis_agent.derivations.templates import template_shelf
from chassis_agent.errors import ControlError
from chassis_agent.health import Health
from chassis_agent.revocation import schedule as module
from chassis_agent.revocation.revoker import Revoked
from chassis_agent.revocation.schedule import Revocations

NO_ACLS = PortAcls(SwitchAcls((), ()), ())


class Daemon:
    """Stands for the switch's daemon: counts the looks at each port's connections."""

    def __init__(self) -> None:
        self.looks: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.busy = asyncio.Event()
        self.busy.set()

    async def revoke(self, zone: int, port: str, _judge: object) -> Revoked:
        assert zone == ZONES[port]
        self.looks[port] += 1
        await self.busy.wait()
        if self.failures[port]:
            self.failures[port] -= 1
            raise ControlError("the daemon is away")
        return Revoked(examined=3, blocked=1, resisted=0)


ZONES = {"a": 1, "b": 2}


class World:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.daemon = Daemon()
        self.health = Health()
        monkeypatch.setattr(module, "_RETRY_SECONDS", 0)
        monkeypatch.setattr(module, "Revoker", lambda _connection, _control: self.daemon)
        rows: dict[Any, dict[Any, Any]] = {
            port_acls: dict.fromkeys(("a", "b", "zoneless"), NO_ACLS),
            template_shelf: {},
        }
        self.revocations = Revocations(
            cast(Switch, SimpleNamespace(connection=None)),
            lambda: Path("nowhere"),
            self.health,
            rows=rows.__getitem__,
            zones=lambda: ZONES,
        )

    async def request(self, *ports: str) -> dict[str, int]:
        """How often each port's connections have been looked at, a while after this request."""
        self.revocations.request(ports)
        for _ in range(50):
            await asyncio.sleep(0)
        return dict(self.daemon.looks)


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    world = World(monkeypatch)
    running = asyncio.create_task(world.revocations.run())
    yield world
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_the_connections_of_each_named_port_are_looked_at(world: World) -> None:
    assert await world.request("a", "b") == {"a": 1, "b": 1}
    counters = world.health.counters
    assert (counters["connections_examined"], counters["connections_revoked"]) == (6, 2)


async def test_a_port_that_is_gone_or_has_no_zone_is_passed_over(world: World) -> None:
    assert await world.request("gone", "zoneless", "a") == {"a": 1}


async def test_what_fails_is_tried_again_for_that_port_alone(world: World) -> None:
    world.daemon.failures["a"] = 2
    assert await world.request("a", "b") == {"a": 3, "b": 1}
    assert world.health.counters["degraded_revocation"] == 1
    assert "revocation" not in world.health.reasons


async def test_acls_that_change_during_a_look_are_looked_at_again(world: World) -> None:
    world.daemon.busy.clear()
    assert await world.request("a") == {"a": 1}
    assert await world.request("a", "a") == {"a": 1}
    world.daemon.busy.set()
    assert await world.request() == {"a": 2}
