"""Which learned addresses the server is told of again."""

from collections.abc import Iterable
from typing import Any, cast

import pytest

from chassis_agent import tables
from chassis_agent.derivations.ports import learned_fdb_flows, learned_mac_flows
from chassis_agent.desired.flow import Flow
from chassis_agent.health import Health
from chassis_agent.learning.refresh import LOOKS_UNHEARD, LearnedRefresh
from chassis_agent.openflow.multipart import FlowUse
from southbound.rows import Datapath, FdbEntry, MacBinding
from southbound.watch.client import WatchClient

NEIGHBOUR = MacBinding("lr", "r", "192.0.2.9", "0a:00:00:00:00:01")
ENTRY = FdbEntry("ls", "0a:00:00:00:00:02", "p")
USED, HEARD = (tables.ARP_GET, b"to it"), (tables.ARP_LOOKUP, b"from it")
SENT_TO, SEEN = (tables.FDB_GET, b"to it"), (tables.FDB_LOOKUP, b"from it")


def flows(*places: tuple[int, bytes]) -> tuple[Flow, ...]:
    return tuple(Flow(table, 100, match, b"", 1) for table, match in places)


class World:
    """A switch whose flows count what a test says, and a server."""

    def __init__(self) -> None:
        self.connected = self.is_connected = True
        self.asked: list[int] = []
        self.now = 0.0
        self.learned_refresh = 100.0
        self.packets: dict[tuple[int, bytes], int] = {}
        self.told: list[tuple[str, ...]] = []
        self.rows: dict[Any, dict[str, Any]] = {
            Datapath: {},
            MacBinding: {NEIGHBOUR.key: NEIGHBOUR},
            FdbEntry: {ENTRY.key: ENTRY},
            learned_mac_flows: {NEIGHBOUR.key: flows(USED, HEARD)},
            learned_fdb_flows: {ENTRY.key: flows(SENT_TO, SEEN)},
        }
        self.probed: list[str] = []
        self.refresh = LearnedRefresh(
            self,
            cast(WatchClient, self),
            Health(),
            rows=self.rows.__getitem__,
            probe=self.probe,
            clock=lambda: self.now,
        )

    async def flow_uses(self, table: int) -> list[FlowUse]:
        self.asked.append(table)
        return [FlowUse(*place, n) for place, n in self.packets.items() if place[0] == table]

    async def probe(self, neighbours: Iterable[MacBinding]) -> None:
        self.probed += [row.ip for row in neighbours]

    def learned_mac(self, *facts: str) -> None:
        self.told.append(facts)

    def learned_fdb(self, *facts: str) -> None:
        self.told.append(facts)

    async def look(self, after: float = 100.0, **packets: int) -> list[tuple[str, ...]]:
        """What the server is told `after` seconds, the flows having counted so many packets."""
        self.packets = {globals()[name.upper()]: count for name, count in packets.items()}
        self.told = []
        self.now += after
        await self.refresh.look()
        return self.told


TOLD_NEIGHBOUR = ("r", "192.0.2.9", "0a:00:00:00:00:01")
TOLD_ENTRY = ("p", "0a:00:00:00:00:02")


async def test_what_is_in_use_is_told_and_what_is_idle_is_not() -> None:
    world = World()
    assert await world.look(used=0, heard=0, seen=0) == []
    assert await world.look(used=3, heard=0, seen=0) == [TOLD_NEIGHBOUR]
    assert await world.look(used=3, heard=0, seen=0) == []
    assert await world.look(used=3, heard=1, seen=1) == [TOLD_NEIGHBOUR, TOLD_ENTRY]
    assert await world.look(used=3, heard=1, seen=1) == []


async def test_a_flow_that_was_added_anew_counts_from_nothing() -> None:
    world = World()
    await world.look(used=9)
    assert await world.look(used=0) == []
    assert await world.look(used=9) == [TOLD_NEIGHBOUR]
    assert await world.look(used=2) == [TOLD_NEIGHBOUR]


async def test_packets_to_an_address_of_a_switch_do_not_keep_it() -> None:
    """It may have gone elsewhere: only what it sends says where it is."""
    assert await World().look(sent_to=5) == []


async def test_a_neighbour_that_is_never_heard_from_is_asked_for_anew_in_the_end() -> None:
    world = World()
    for number in range(1, LOOKS_UNHEARD + 1):
        assert await world.look(used=number) == [TOLD_NEIGHBOUR]
    assert await world.look(used=100) == []
    assert await world.look(used=101, heard=1) == [TOLD_NEIGHBOUR]
    assert await world.look(used=102, heard=1) == [TOLD_NEIGHBOUR]


async def test_a_neighbour_in_use_that_is_silent_is_asked_whether_it_is_there() -> None:
    """Also once it isn't told of any more: others may hear its answer."""
    world = World()
    await world.look(used=0, heard=0)
    assert world.probed == [], "it is idle"
    await world.look(used=1, heard=1)
    assert world.probed == [], "it speaks by itself"
    for number in range(LOOKS_UNHEARD + 2):
        await world.look(used=2 + number, heard=1)
    assert world.probed == [NEIGHBOUR.ip] * (LOOKS_UNHEARD + 2)


async def test_a_router_may_have_an_age_of_its_own() -> None:
    """Its neighbours are looked at more often, and others are not."""
    world = World()
    world.rows[Datapath]["lr"] = Datapath("lr", "lr", "r", 1, neighbour_age=30)
    assert await world.look(used=1, seen=1) == [TOLD_NEIGHBOUR, TOLD_ENTRY]
    assert await world.look(5, used=2, seen=2) == [], "neither is due"
    assert await world.look(5, used=2, seen=2) == [TOLD_NEIGHBOUR]
    assert await world.look(10, used=3, seen=2) == [TOLD_NEIGHBOUR]
    assert await world.look(80, used=3, seen=2) == [TOLD_ENTRY], "counted since it was told last"


async def test_neighbours_that_are_kept_for_ever_are_not_looked_at() -> None:
    world = World()
    world.rows[Datapath]["lr"] = Datapath("lr", "lr", "r", 1, neighbour_age=0)
    assert await world.look(used=1, heard=1) == []
    assert world.probed == []


async def test_nothing_is_asked_while_nothing_was_learned() -> None:
    world = World()
    for table in world.rows.values():
        table.clear()
    await world.look()
    assert world.asked == []


@pytest.mark.parametrize("gone", ["connected", "is_connected"])
async def test_what_was_used_while_somebody_was_away_is_told_later(gone: str) -> None:
    world = World()
    setattr(world, gone, False)
    assert await world.look(heard=4) == []
    setattr(world, gone, True)
    assert await world.look(heard=4) == [TOLD_NEIGHBOUR]
