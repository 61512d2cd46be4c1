"""What ACLs have decided, read from a switch that is played."""

import asyncio
from pathlib import Path

from chassis_agent.health import Health
from chassis_agent.inspection.hits import HitCounters, HitReports
from chassis_agent.openflow.multipart import GroupUse
from southbound.questions import GroupHits


class PlayedSwitch:
    is_connected = True

    def __init__(self) -> None:
        self.uses: list[GroupUse] = []

    async def group_uses(self) -> list[GroupUse]:
        return self.uses


class World:
    def __init__(self) -> None:
        self.now = 100.0
        self.switch = PlayedSwitch()
        self.counters = {300: 7, 301: 8}
        self.connected = True
        self.told: list[tuple[GroupHits, ...]] = []
        self.health = Health()
        hits = HitCounters(
            self.switch, lambda: self.counters, lambda: Path("/nowhere"), lambda: self.now
        )
        self.reports = HitReports(
            hits,
            self.switch,
            self.health,
            is_connected=lambda: self.connected,
            tell=self.told.append,
        )

    def look(self, *uses: GroupUse) -> list[tuple[GroupHits, ...]]:
        self.switch.uses = list(uses)
        before = len(self.told)
        asyncio.run(self.reports.look())
        return self.told[before:]


def test_only_what_went_up_is_told() -> None:
    world = World()
    assert world.look(GroupUse(300, 0, 0), GroupUse(301, 5, 300), GroupUse(9, 1, 1)) == [
        (GroupHits(8, 5, 300, 0.0),)
    ]
    world.now += 10
    assert world.look(GroupUse(300, 0, 0), GroupUse(301, 5, 300)) == []
    assert world.look(GroupUse(300, 1, 60), GroupUse(301, 5, 300)) == [(GroupHits(7, 1, 60, 0.0),)]


def test_what_could_not_be_told_is_told_later() -> None:
    world = World()
    world.connected = False
    assert world.look(GroupUse(300, 2, 120)) == []
    world.connected = True
    assert world.look(GroupUse(300, 2, 120)) == [(GroupHits(7, 2, 120, 0.0),)]


def test_counters_that_begin_anew_are_told_too() -> None:
    world = World()
    world.look(GroupUse(300, 9, 540))
    assert world.look(GroupUse(300, 2, 120)) == [(GroupHits(7, 2, 120, 0.0),)]
