"""In which zones connections to lost backends are looked for."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chassis_agent.bridge import unixctl
from chassis_agent.bridge.switch import Switch
from chassis_agent.derivations.live_backends import (
    LiveBackends,
    fronts_at,
    live_backends,
    uses_of_backends,
)
from chassis_agent.health import Health
from chassis_agent.inputs import dnat_zone
from chassis_agent.revocation.ended import EndedBackends, GoneFront
from southbound.rows import VirtualAddress

LIVE = {
    name: LiveBackends(VirtualAddress(name, address, 80, "tcp"), ("10.0.0.1:8080",))
    for name, address in (
        *(("&web", "10.96.0.1"), ("&shop", "10.96.0.2"), ("&far", "10.96.0.3")),
        ("&beside", "10.96.0.1"),
    )
}
USES = [
    *(("&web", "green"), ("&shop", "green"), ("&web", "router"), ("&far", "blue")),
    *(("&unknown", "blue"), ("&beside", "green")),
]
PORTS = {"g2": "green", "g1": "green", "new": "green", "b1": "blue", "o1": "other"}
ZONES = {"g1": 1, "g2": 2, "b1": 3, "o1": 4, dnat_zone("router"): 5, dnat_zone("blue"): 6}


class AskedRows(dict[Any, Any]):
    """Rows that tell of which sets anything was asked."""

    def __init__(self) -> None:
        super().__init__(LIVE)
        self.asked: set[str] = set()

    def get(self, key: Any, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)


class World:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dumped: list[str] = []
        self.looks_at_ports = 0
        self.live = AskedRows()
        self.listed = ""
        self.on_list: Callable[[], None] = lambda: None
        self.forgotten: list[bytes] = []
        monkeypatch.setattr(unixctl, "call", self._call)
        self.ended = EndedBackends(
            cast(Switch, SimpleNamespace(connection=self)),
            lambda: Path("nowhere"),
            Health(),
            rows={live_backends: self.live}.__getitem__,
            members=self._members,
            zones=lambda: ZONES,
            ports=self._ports,
        )

    def _members(self, group: Any, key: Any) -> list[str]:
        if group is uses_of_backends:
            return [datapath for name, datapath in USES if name == key]
        assert group is fronts_at
        known = ((name, datapath, dict.get(self.live, name)) for name, datapath in USES)
        return [
            name
            for name, datapath, live in known
            if live is not None and (datapath, live.row.address) == key
        ]

    async def _call(self, _path: Path, _command: str, zone: str) -> str:
        self.dumped.append(zone)
        self.on_list()
        return self.listed

    async def confirm(self, batch: Sequence[bytes]) -> None:
        self.forgotten += batch

    def _ports(self) -> dict[str, str]:
        self.looks_at_ports += 1
        return PORTS


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


async def test_the_zones_of_ports_and_routers_that_use_the_set_are_looked_at(world: World) -> None:
    await world.ended._end({"&web"})
    assert world.dumped == ["zone=1", "zone=2", "zone=5"]
    await world.ended._end({"&far", "&unknown"})
    assert world.dumped[3:] == ["zone=3", "zone=6"]


async def test_only_what_is_at_the_same_address_costs_anything(world: World) -> None:
    await world.ended._end({"&web"})
    assert world.live.asked == set(), "there are no connections"
    world.looks_at_ports = 0
    world.listed = "tcp,orig=(src=10.0.0.9,dst=10.0.0.8,sport=5000,dport=80),zone=1\n"
    await world.ended._end({"&web"})
    assert world.live.asked == {"&web", "&beside"}
    assert world.looks_at_ports == 1


async def test_connections_to_backends_that_come_while_they_are_listed_go_on(
    world: World,
) -> None:
    world.listed = (
        "tcp,orig=(src=10.0.0.9,dst=10.96.0.3,sport=5000,dport=80),"
        "reply=(src=10.0.0.2,dst=10.0.0.9,sport=8080,dport=5000),zone=3\n"
    )
    backends = ("10.0.0.1:8080", "10.0.0.2:8080")
    world.on_list = lambda: world.live.update({"&far": LIVE["&far"]._replace(members=backends)})
    await world.ended._end({"&far"})
    assert (world.dumped, world.forgotten) == (["zone=3", "zone=6"], [])
    world.on_list = lambda: world.live.update(LIVE)
    await world.ended._end({"&far"})
    assert len(world.forgotten) == 2, "in both zones"


async def test_connections_to_addresses_that_are_gone_end_where_they_were(world: World) -> None:
    world.listed = (
        "tcp,orig=(src=10.0.0.9,dst=10.96.0.7,sport=5000,dport=80),"
        "reply=(src=10.0.0.1,dst=10.0.0.9,sport=8080,dport=5000),zone=3\n"
    )
    gone = VirtualAddress("&gone", "10.96.0.7", 80, "tcp")
    await world.ended._end({GoneFront("blue", gone)})
    assert world.dumped == ["zone=3", "zone=6"]
    assert len(world.forgotten) == 2, "in both zones"
    # Another one is in its place, and has the backend.
    again = VirtualAddress("&gone", "10.96.0.3", 80, "tcp")
    world.listed = world.listed.replace("10.96.0.7", "10.96.0.3")
    await world.ended._end({GoneFront("blue", again)})
    assert len(world.forgotten) == 2


async def test_addresses_that_leave_their_connections_are_remembered(world: World) -> None:
    """No other address ends them, as one would that stands for all ports."""
    world.listed = (
        "tcp,orig=(src=10.0.0.9,dst=10.96.0.3,sport=5000,dport=81),"
        "reply=(src=10.0.0.2,dst=10.0.0.9,sport=8080,dport=5000),zone=3\n"
    )
    world.live["&far"] = LiveBackends(VirtualAddress("&far", "10.96.0.3"), ("10.0.0.1",))
    kept = VirtualAddress("&gone", "10.96.0.3", 81, "tcp", ends_connections=False)
    world.ended.request([], {("&gone", "blue"): kept})
    await world.ended._end({"&far"})
    assert world.forgotten == []


async def test_the_newest_of_a_place_says_what_becomes_of_connections(world: World) -> None:
    """One that left them was there before, as may be one that ends them."""
    world.listed = (
        "tcp,orig=(src=10.0.0.9,dst=10.96.0.7,sport=5000,dport=80),"
        "reply=(src=10.0.0.1,dst=10.0.0.9,sport=8080,dport=5000),zone=3\n"
    )
    kept = VirtualAddress("&first", "10.96.0.7", 80, "tcp", ends_connections=False)
    ending = VirtualAddress("&second", "10.96.0.7", 80, "tcp")
    world.ended.request([], {("&first", "blue"): kept})
    world.ended.request([], {("&second", "blue"): ending})
    await world.ended._end({GoneFront("blue", ending)})
    assert len(world.forgotten) == 2, "in both zones"
    world.ended.request([], {("&first", "blue"): kept})
    await world.ended._end({GoneFront("blue", ending)})
    assert len(world.forgotten) == 2, "what is looked at a second time holds no longer"
