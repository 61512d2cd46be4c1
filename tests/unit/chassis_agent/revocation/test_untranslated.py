"""Which connections end when a NAT is gone, and in which zones they are looked for."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from chassis_agent.bridge import unixctl
from chassis_agent.bridge.switch import Switch
from chassis_agent.desired.flow_state import FlowState
from chassis_agent.health import Health
from chassis_agent.inputs import dnat_zone, snat_zone
from chassis_agent.revocation.conntrack import parse_connections
from chassis_agent.revocation.translations import LostTranslations
from chassis_agent.revocation.untranslated import EndedTranslations
from southbound.rows import Datapath, Translation

SNAT = Translation("s", "r", "192.0.2.1", "10.0.0.0/24", inwards=False, outwards=True)
DNAT = Translation("d", "r", "192.0.2.80", "10.0.0.11/32", inwards=True, outwards=False)
FLOATING = Translation("f", "r", "192.0.2.2", "10.0.0.12/32", inwards=True, outwards=True)
FLOATING6 = Translation("6", "r", "2001:db8::2", "fd00::12/128", inwards=True, outwards=True)
LINES = {
    "out as the router": "udp,orig=(src=10.0.0.7,dst=198.51.100.1,sport=5,dport=53),"
    "reply=(src=198.51.100.1,dst=192.0.2.1,sport=53,dport=5)",
    "in by the dnat": "tcp,orig=(src=198.51.100.1,dst=192.0.2.80,sport=5,dport=80),"
    "reply=(src=10.0.0.11,dst=198.51.100.1,sport=80,dport=5)",
    "in by the floating IP": "tcp,orig=(src=198.51.100.1,dst=192.0.2.2,sport=5,dport=80),"
    "reply=(src=10.0.0.12,dst=198.51.100.1,sport=80,dport=5)",
    "out by the floating IP": "icmp,orig=(src=10.0.0.12,dst=198.51.100.1,id=9,type=8,code=0),"
    "reply=(src=198.51.100.1,dst=192.0.2.2,id=9,type=0,code=0)",
    "in by the IPv6 one": "udp,orig=(src=2001:db8::9,dst=2001:db8::2,sport=5,dport=80),"
    "reply=(src=fd00::12,dst=2001:db8::9,sport=80,dport=5)",
    "not translated": "tcp,orig=(src=10.0.0.7,dst=198.51.100.1,sport=6,dport=80),"
    "reply=(src=198.51.100.1,dst=10.0.0.7,sport=80,dport=6)",
    "of another address": "tcp,orig=(src=198.51.100.1,dst=192.0.2.81,sport=5,dport=80),"
    "reply=(src=10.0.0.11,dst=198.51.100.1,sport=80,dport=5)",
}


def lost(rows: Sequence[Translation], current: Sequence[Translation] = ()) -> Iterator[str]:
    judge = LostTranslations(rows, current)
    for name, line in LINES.items():
        (connection,) = parse_connections(f"{line},zone=7")
        if judge.has_lost(connection):
            yield name


@pytest.mark.parametrize(
    ("row", "ended"),
    [
        (SNAT, ["out as the router"]),
        (DNAT, ["in by the dnat"]),
        (FLOATING, ["in by the floating IP", "out by the floating IP"]),
        (FLOATING6, ["in by the IPv6 one"]),
    ],
)
def test_what_a_nat_has_translated_is_lost_with_it(row: Translation, ended: list[str]) -> None:
    assert list(lost([row])) == ended
    every = [SNAT, DNAT, FLOATING, FLOATING6]
    assert list(lost([row], [each for each in every if each is not row])) == ended


def test_what_another_nat_translates_the_same_goes_on() -> None:
    wider = Translation("w", "r", "192.0.2.1", "10.0.0.0/8", inwards=False, outwards=True)
    assert list(lost([SNAT], [wider])) == []
    published = Translation("p", "r", "192.0.2.2", "10.0.0.12/32", inwards=True, outwards=False)
    assert list(lost([FLOATING], [published])) == ["out by the floating IP"]


class Counted(dict[str, Translation]):
    """Rows of a table; `looked_at` gets the keys of those that are."""

    def __init__(self, rows: Mapping[str, Translation], looked_at: list[str]) -> None:
        super().__init__(rows)
        self._looked_at = looked_at

    def __getitem__(self, key: str) -> Translation:
        self._looked_at.append(key)
        return super().__getitem__(key)

    def values(self) -> Any:
        self._looked_at += self
        return super().values()


class World:
    """An agent with some connections in each zone, and the messages that it sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, current: Sequence[Translation]) -> None:
        self.dumped: list[str] = []
        self.looked_at: list[str] = []
        self.forgotten: list[bytes] = []
        self.state = FlowState(lambda _: 1)
        changes = [(Datapath, "r", Datapath("r", "lr", "r", 1))]
        self.state.apply([*changes, *((Translation, row.id, row) for row in current)])
        monkeypatch.setattr(unixctl, "call", self._call)
        self.health = Health()
        self.ended = EndedTranslations(
            cast(Switch, SimpleNamespace(connection=self)),
            lambda: Path("nowhere"),
            self.health,
            rows=self._rows,
            members=self.state.members,
            zones=lambda: {dnat_zone("r"): 5, snat_zone("r"): 6, dnat_zone("other"): 7, "vm": 8},
        )

    def _rows(self, table: type[Any]) -> Mapping[str, Any]:
        rows = self.state.rows(table)
        return Counted(rows, self.looked_at) if table is Translation else rows

    async def _call(self, _path: Path, _command: str, zone: str) -> str:
        self.dumped.append(zone)
        names = {"zone=5": "in by the floating IP", "zone=6": "out as the router"}
        return f"{LINES[names[zone]]},{zone}\n"

    async def confirm(self, batch: Sequence[bytes]) -> None:
        self.forgotten += batch


async def test_the_zones_of_the_router_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, [SNAT])
    elsewhere = Translation("e", "gone", "192.0.2.9", "10.0.0.9/32", inwards=True, outwards=True)
    await world.ended._end({FLOATING, elsewhere})
    assert world.dumped == ["zone=5", "zone=6"]
    assert len(world.forgotten) == 1
    assert world.health.counters["connections_translated_no_more"] == 1


async def test_translations_of_other_routers_are_not_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    others = [msgspec.structs.replace(SNAT, id=f"o{n}", datapath=f"r{n}") for n in range(100)]
    world = World(monkeypatch, [SNAT, DNAT, *others])
    await world.ended._end({FLOATING})
    assert sorted(set(world.looked_at)) == ["d", "s"]
