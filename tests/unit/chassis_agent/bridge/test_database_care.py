"""What owners want of the database: written together, refused one by one, kept between sessions."""

from collections.abc import Callable, Iterable
from typing import Any, cast
from uuid import uuid4

import pytest

from chassis_agent.bridge import database_care as module
from chassis_agent.bridge.database_care import DatabaseCare
from chassis_agent.errors import DatabaseError
from chassis_agent.health import Health
from chassis_agent.ovsdb import Bridge, SwitchDatabase, SwitchView
from chassis_agent.ovsdb.rows import WantedRow, wanted_row
from chassis_agent.ovsdb.view import IDENTITY, InstalledRow, RowKey
from chassis_agent.settings import Host

HOST = Host(
    system_id="hv1",
    hostname="one",
    server="ws://127.0.0.1",
    bridge="br-int",
    encap_ips=(),
    datapath_type="",
)


def queue(name: str, rate: str = "1") -> WantedRow:
    return wanted_row("Queue", name, maps={"other_config": {"max-rate": rate}}, owner="br-int")


class World:
    """A database that takes all transactions but those with a queue of the rate ``refused``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "write_rows", self._transaction)
        self.written: list[tuple[set[str], list[RowKey]]] = []
        self.looks = 0
        self.while_writing: Callable[[], None] = lambda: None
        self.view = SwitchView(bridges={"br-int": Bridge("br-int")})
        self.health = Health()
        self.care = DatabaseCare(
            cast(SwitchDatabase, self),
            self.health,
            view=lambda: self.view,
            next_view=self._next_view,
            look_again=self._look,
        )

    async def transact(self, edit: Any) -> None:
        wanted, stale = edit
        if any(row == queue(row.name, "refused") for row in wanted):
            raise DatabaseError("constraint violation")
        self.written.append(({row.name for row in wanted}, stale))
        self.while_writing()

    async def mend(self) -> None:
        await self.care.mend(self.view, HOST)

    def has(self, *names: str) -> None:
        """The database has these queues of the agent's from now on."""
        rows = {}
        for name in names:
            maps = {
                "external_ids": {IDENTITY: name, "treadle-owner": "br-int"},
                "other_config": {"max-rate": "1"},
            }
            rows["Queue", name] = InstalledRow(uuid4(), {}, maps)
        self.view = self.view._replace(rows=rows)

    def _transaction(self, wanted: Iterable[WantedRow], stale: Iterable[RowKey] = ()) -> Any:
        return list(wanted), list(stale)

    async def _next_view(self) -> SwitchView:
        return self.view

    def _look(self) -> None:
        self.looks += 1


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


async def test_what_owners_want_is_written_in_one_transaction(world: World) -> None:
    world.care.want("a", [queue("a1")])
    world.care.want("b", [queue("b1")])
    assert world.care.is_behind
    assert world.looks == 2
    await world.mend()
    assert world.written == [({"a1", "b1"}, [])]
    assert not world.care.is_behind
    assert world.health.counters["bridge_repairs"] == 0


async def test_a_refused_row_keeps_no_other_owners_rows_away(world: World) -> None:
    world.care.want("a", [queue("a1")])
    world.care.want("b", [queue("b1", "refused")])
    await world.mend()
    assert world.written == [({"a1"}, [])]
    assert world.care.report()["refused"] == ["Queue b1: constraint violation"]
    assert "constraint violation" in world.health.reasons["bridge"]
    assert not world.care.is_behind, "what was refused isn't waited for"
    world.care.want("b", [queue("b1")])
    assert world.care.is_behind
    await world.mend()
    assert world.care.report()["refused"] == []


async def test_owners_that_want_different_things_clash(world: World) -> None:
    world.care.want("a", [queue("a1", "5")])
    world.care.want("b", [queue("a1", "1")])
    await world.mend()
    assert world.care.report()["clashes"] == 1
    assert world.health.reasons["database_clashes"].startswith("Queue a1 is wanted differently")
    world.care.want("b", [])
    await world.mend()
    assert "database_clashes" not in world.health.reasons


async def test_rows_stay_over_the_end_of_a_session_until_the_next_one_settles(
    world: World,
) -> None:
    world.care.want("a", [queue("a1")])
    world.care.want("b", [queue("b1")])
    world.care.allow_removal()
    world.has("a1", "b1")
    await world.mend()
    world.care.end_session()
    await world.mend()
    assert world.written == [], "the next session may want them all"
    world.care.want("a", [queue("a1")])
    world.care.allow_removal()
    await world.mend()
    assert world.written == [({"a1"}, [("Queue", "b1")])]


async def test_what_is_wanted_while_a_transaction_runs_is_still_to_be_written(
    world: World,
) -> None:
    world.care.want("a", [queue("a1")])
    world.while_writing = lambda: world.care.want("b", [queue("b1")])
    await world.mend()
    assert world.care.is_behind
    await world.mend()
    assert world.written[-1] == ({"a1", "b1"}, [])
    assert not world.care.is_behind
