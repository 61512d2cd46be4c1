"""Realised state: what is written, what is left alone, and what survives a failing database."""

import msgspec
import pytest
from sqlalchemy import Engine, event, text

from southbound.errors import StoreError
from southbound.facts import Facts
from southbound.groups import GroupIds
from southbound.learned import Learned
from southbound.rows import (
    Chassis,
    Datapath,
    FdbEntry,
    FlowGroup,
    MacBinding,
    PortBinding,
    Row,
    SetMember,
)
from southbound.state import RealisedState
from southbound.store import PortFact, Store
from tests.unit.southbound.agents import until

WEB = Datapath("d1", "ls", "web", 1)
PORT = PortBinding("p1", "d1", "web-1", 1, "vif")
ROUTER_PORT = PortBinding("r1", "d1", "r-web", 9, "patch", neighbours=("10.0.0.0/24",))


@pytest.fixture
def written(engine: Engine) -> list[str]:
    """The names of the tables in each INSERT, UPDATE and DELETE that the database gets."""
    statements: list[str] = []

    def note(_c: object, _cu: object, statement: str, *_more: object) -> None:
        words = statement.split()
        if words[0] in ("INSERT", "UPDATE", "DELETE"):
            statements.append(words[1 if words[0] == "UPDATE" else 2])

    event.listen(engine, "before_cursor_execute", note)
    return statements


async def test_only_what_changed_is_written(state: RealisedState, written: list[str]) -> None:
    group = FlowGroup(state.groups.id_of("o"), "d1", "acl", "a", 1, b"\x90")
    await state.write(1, [WEB, PORT, group])
    written.clear()
    later = FlowGroup(group.id, "d1", "acl", "a", 2, b"\x90")
    await state.write(2, [WEB, PORT, later], [("set_member", "$absent/x")])
    assert written == ["southbound_progress"]
    assert state.rows(FlowGroup)[group.key].revision == 1
    assert state.revision == 2


async def test_replacing_all_rows_writes_the_difference(
    state: RealisedState, written: list[str]
) -> None:
    await state.write(1, [WEB, PORT, SetMember("$a", "x")])
    state.facts.connected(Chassis("hv1"))
    written.clear()
    await state.replace(2, [WEB, PORT, SetMember("$a", "y")])
    assert [name for name in written if name != "southbound_progress"] == [
        "southbound_set_member"
    ] * 2
    assert set(state.rows(SetMember)) == {"$a/y"}
    assert set(state.rows(Chassis)) == {"hv1"}, "facts are not the translator's to delete"


async def test_the_row_of_a_port_of_which_nothing_is_known_is_the_one_written(
    state: RealisedState,
) -> None:
    """There is no second one of each port that is nowhere."""
    await state.write(1, [PORT, ROUTER_PORT])
    rows = state.rows(PortBinding)
    assert rows["p1"] is PORT
    assert rows["r1"] == msgspec.structs.replace(ROUTER_PORT, up=True)


async def test_a_refused_write_changes_nothing(state: RealisedState, engine: Engine) -> None:
    await state.write(1, [WEB])
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE southbound_port_binding RENAME TO away"))
    with pytest.raises(StoreError):
        await state.write(2, [SetMember("$a", "x"), PORT], [WEB.row_id])
    assert state.revision == 1
    assert list(state.rows(Datapath).values()) == [WEB]
    assert not state.rows(SetMember)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO southbound_port_binding"))
    await state.write(2, [SetMember("$a", "x"), PORT], [WEB.row_id])
    assert state.revision == 2
    assert not state.rows(Datapath)


async def test_facts_are_stored_once_the_database_takes_them(
    store: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("southbound.state._RETRY_SECONDS", 0.01)
    attempts = []
    monkeypatch.setattr(
        store, "write_facts", lambda *facts: attempts.append(1) or Store.write_facts(store, *facts)
    )
    state = RealisedState(store)
    await state.load()
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE southbound_chassis RENAME TO away"))
    state.facts.connected(Chassis("hv1"))
    await until(lambda: len(attempts) >= 2)
    assert "hv1" in state.rows(Chassis)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO southbound_chassis"))
    await until(lambda: bool(store.read().rows))
    await state.close()
    assert store.read().rows == [Chassis("hv1")]


async def test_closing_stores_the_last_facts(store: Store) -> None:
    state = RealisedState(store)
    await state.load()
    state.facts.connected(Chassis("hv1"))
    await state.close()
    assert store.read().rows == [Chassis("hv1")]


async def test_an_origin_keeps_its_id_until_its_group_is_deleted(state: RealisedState) -> None:
    number = state.groups.id_of("o")
    group = FlowGroup(number, "d1", "acl", "a", 1, b"\x90")
    await state.write(1, [group])
    assert state.groups.id_of("o") == number
    assert state.groups.origin_of(number) == "o"
    await state.write(2, [], [group.row_id])
    assert state.groups.id_of("o") > number


async def test_flow_groups_by_datapath_and_cause(state: RealisedState) -> None:
    groups = [
        FlowGroup(state.groups.id_of(f"{datapath}/{cause}"), datapath, "acl", cause, 1, b"\x90")
        for datapath in ("d1", "d2")
        for cause in ("a", "b")
    ]
    await state.write(1, [WEB, *groups])
    assert list(state.flow_groups()) == groups
    assert list(state.flow_groups(datapath="d1")) == groups[:2]
    assert list(state.flow_groups(cause=("acl", "b"))) == [groups[1], groups[3]]
    assert list(state.flow_groups(datapath="d2", cause=("acl", "b"))) == [groups[3]]
    assert list(state.flow_groups(datapath="d2", cause=("port", "b"))) == []


async def test_patch_ports_are_up_and_bound_nowhere(state: RealisedState) -> None:
    await state.write(1, [PortBinding("p", "d1", "r-web", 1, "patch", peer="web-r")])
    state.facts.claim("hv1", "r-web")
    row = state.rows(PortBinding)["p"]
    assert (row.up, row.chassis) == (True, "")


# --- learned addresses, with a clock of our own


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def aging(store: Store, clock: Clock) -> RealisedState:
    state = RealisedState(store, clock=clock, learned_age=300, learned_per_port=3)
    await state.write(1, [PORT, PortBinding("p2", "d1", "web-2", 2, "vif"), ROUTER_PORT])
    for port in ("web-1", "web-2"):
        state.facts.claim("hv1", port)
    return state


def learn(facts: Facts, number: int, port: str = "web-1") -> None:
    facts.learned.learn_fdb("hv1", port, f"0a:00:00:00:00:{number:02x}")


async def test_addresses_not_seen_for_the_age_go(aging: RealisedState, clock: Clock) -> None:
    learn(aging.facts, 1)
    clock.now += 200
    learn(aging.facts, 2)
    clock.now += 150
    aging.facts.learned.expire()
    assert set(aging.rows(FdbEntry)) == {"d1/0a:00:00:00:00:02"}


@pytest.mark.parametrize(("age", "kept"), [(-1, 300), (60, 60), (0, 10**9)])
async def test_neighbours_are_kept_as_long_as_their_router_says(
    aging: RealisedState, clock: Clock, age: int, kept: int
) -> None:
    await aging.write(2, [Datapath("d1", "lr", "router", 1, age)])
    neighbour = MacBinding("d1", ROUTER_PORT.name, "10.0.0.9", "0a:00:00:00:00:09", "hv1")
    learn(aging.facts, 1)
    clock.now += 299
    learn(aging.facts, 1)
    aging.facts.learned._learn(neighbour)
    clock.now += kept - 1
    aging.facts.learned.expire()
    assert list(aging.rows(MacBinding)) == [neighbour.key]
    clock.now += 2
    aging.facts.learned.expire()
    assert len(aging.rows(MacBinding)) == int(age == 0)
    assert len(aging.rows(FdbEntry)) == int(kept == 60), "stations are no neighbours"


async def test_seeing_an_address_again_keeps_it_and_tells_nobody(
    aging: RealisedState, clock: Clock
) -> None:
    learn(aging.facts, 1)
    position = aging.feed.position
    clock.now += 200
    learn(aging.facts, 1)
    clock.now += 200
    aging.facts.learned.expire()
    assert set(aging.rows(FdbEntry)) == {"d1/0a:00:00:00:00:01"}
    assert aging.feed.position == position


async def test_an_address_that_moves_is_the_last_ports(aging: RealisedState) -> None:
    learn(aging.facts, 1, "web-1")
    learn(aging.facts, 1, "web-2")
    (entry,) = aging.rows(FdbEntry).values()
    assert entry.port == "web-2"
    await aging.write(2, [], [PORT.row_id])
    assert len(aging.rows(FdbEntry)) == 1


async def test_a_port_has_room_for_so_many_addresses(aging: RealisedState) -> None:
    learn(aging.facts, 9, "web-2")
    for number in (1, 2, 3, 1, 4):
        learn(aging.facts, number)
    assert {key[-2:] for key in aging.rows(FdbEntry)} == {"01", "03", "04", "09"}


@pytest.mark.parametrize(
    "changed",
    [
        [
            PortBinding("p1", "d1", "renamed", 1, "vif"),
            PortBinding("r1", "d1", "r-renamed", 9, "patch"),
        ],
        [
            PortBinding("p1", "d2", "web-1", 1, "vif"),
            PortBinding("r1", "d2", "r-web", 9, "patch"),
        ],
    ],
)
async def test_what_was_learned_on_a_port_goes_when_it_is_another(
    aging: RealisedState, changed: list[Row]
) -> None:
    learn(aging.facts, 1)
    aging.facts.learned.learn_mac("hv1", "r-web", "10.0.0.1", "0a:00:00:00:00:01")
    assert aging.rows(FdbEntry)
    assert aging.rows(MacBinding)
    await aging.write(2, changed)
    assert not aging.rows(FdbEntry)
    assert not aging.rows(MacBinding)


async def test_what_is_learned_belongs_to_a_port_whatever_it_is_called(
    aging: RealisedState,
) -> None:
    """A chassis has no second share of a port by calling it by its id, and leaves nothing."""
    learn(aging.facts, 1, PORT.id)
    aging.facts.learned.learn_mac("hv1", ROUTER_PORT.id, "10.0.0.1", "0a:00:00:00:00:01")
    assert [row.port for row in aging.rows(FdbEntry).values()] == [PORT.name]
    assert [row.port for row in aging.rows(MacBinding).values()] == [ROUTER_PORT.name]
    await aging.write(2, [], [PORT.row_id, ROUTER_PORT.row_id])
    assert not aging.rows(FdbEntry)
    assert not aging.rows(MacBinding)


async def test_neighbours_go_with_the_network_that_they_are_in(aging: RealisedState) -> None:
    networks = ("10.0.0.0/24", "10.0.1.0/24")
    await aging.write(2, [msgspec.structs.replace(ROUTER_PORT, neighbours=networks)])
    for ip in ("10.0.0.1", "10.0.1.1"):
        aging.facts.learned.learn_mac("hv1", "r-web", ip, "0a:00:00:00:00:01")
    assert len(aging.rows(MacBinding)) == 2
    await aging.write(3, [ROUTER_PORT])
    assert [row.ip for row in aging.rows(MacBinding).values()] == ["10.0.0.1"]
    addresses = ("0a:00:00:00:00:fe 10.0.0.1",)
    await aging.write(4, [msgspec.structs.replace(ROUTER_PORT, addresses=addresses)])
    assert not aging.rows(MacBinding)


async def test_facts_of_ports_that_are_gone_are_dropped_when_loading(store: Store) -> None:
    store.write(1, [PORT], [], GroupIds())
    kept = FdbEntry("d1", "0a:00:00:00:00:01", "web-1", "hv1", 1.0)
    orphan = MacBinding("d1", "gone", "10.0.0.1", "0a:00:00:00:00:02", "hv1", 1.0)
    moved = FdbEntry("d2", "0a:00:00:00:00:03", "web-1", "hv1", 1.0)
    facts = {"p1": PortFact("hv1", True), "gone": PortFact("hv1", True)}
    store.write_facts([kept, orphan, moved], [], facts)
    state = RealisedState(store)
    await state.load()
    assert list(state.rows(FdbEntry).values()) == [kept]
    assert not state.rows(MacBinding)
    await state.close()
    contents = store.read()
    assert contents.port_facts == {"p1": PortFact("hv1", True)}
    assert len(contents.rows) == 2


def test_age_zero_is_forever() -> None:
    learned = Learned(age=0, per_port=10)
    learned.seen(("fdb", "k"), "p", 0)
    assert not learned.expired(10**9)
