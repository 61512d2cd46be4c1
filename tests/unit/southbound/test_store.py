"""The store: rows survive a round trip, a write is all or nothing, a big one takes few statements.

Each test runs on SQLite and, where it is installed, on PostgreSQL.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, text

from southbound import models
from southbound.errors import StoreError, TakenOverError, UnknownGroupError
from southbound.groups import GroupIds
from southbound.rows import (
    ROW_TYPES,
    Announcement,
    BackendCheck,
    BackendStatus,
    BfdSession,
    BfdStatus,
    Chassis,
    ChassisVariable,
    Datapath,
    DnsName,
    Encap,
    FdbEntry,
    FlowGroup,
    MacBinding,
    PortBinding,
    RouterAdvertisement,
    Row,
    SetMember,
    Stage,
    Template,
    Translation,
    VirtualAddress,
)
from southbound.store import PortFact, Store
from tests.unit.northbound.postgresql import private_server

pytestmark = pytest.mark.processes


TEMPLATE = Template(0xFFFFFFFF, "ls_in", "s", 3, "next", "50", "eth.dst == {m:mac}", "next;", "")
ROWS: list[Row] = [
    Stage("s", "ls_in", 3, "next", "drop", "acl"),
    TEMPLATE,
    Chassis("hv1", "host-1", (Encap("geneve", "192.0.2.1"),), {"rack": "7"}),
    Datapath("d1", "ls", "web", 1),
    PortBinding(
        "p1",
        "d1",
        "web-1",
        1,
        "vif",
        addresses=("0a:00:00:00:00:01 10.0.0.1",),
        multicast=("_MC_flood",),
        requested_chassis=("hv1", "hv2"),
        options={"mtu": "1400"},
    ),
    FlowGroup(1, "d1", "logical_switch", "d1", 4, b"\x90\x00\xff"),
    SetMember("$web", "2001:db8::/64"),
    MacBinding("d2", "r-web", "10.0.0.9", "0a:00:00:00:00:09", "hv1", 1.5),
    FdbEntry("d1", "0a:00:00:00:00:07", "web-1", "hv1", 2.5),
    DnsName("c1", "d1", "web.example", 60, ("10.0.0.1",), "", True, False),
    BfdSession("b1", "d2", "r-out", "cr-r-out", "192.0.2.1", "192.0.2.9", 300, 400, 3),
    BfdStatus("b1", "d2", "hv1", "down", 1, 3, 4.5),
    VirtualAddress("&v1", "10.96.0.1", 80, "tcp"),
    VirtualAddress("&v2", "^NODE", 0, "tcp", False, "^PORT", 6),
    ChassisVariable("hv1", "NODE", "192.0.2.1"),
    Translation("n-1", "ls-1", "192.0.2.2", "10.0.0.2/32", inwards=True, outwards=True),
    BackendCheck(
        *("&v1", "10.0.0.1:80", "tcp", "d1", "web-1", "0a:00:00:00:00:01", "10.0.0.9"),
        *(5, 3, 2, 3),
    ),
    BackendStatus("&v1", "10.0.0.1:80", False, "refused", "hv1", 3.5),
    RouterAdvertisement("p1", "d2", "r-web", b"\x40\x00\xff", 200, 600),
    Announcement("p1", "d1", "cr-r-web", "0a:00:00:00:00:07", ("10.0.0.1", "fd00::1")),
]


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    with private_server() as url:
        yield url.replace("postgresql:", "postgresql+psycopg:", 1)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'treadle.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql")
    engine = create_engine(url)
    models.metadata.create_all(engine)
    yield engine
    models.metadata.drop_all(engine)
    engine.dispose()


def groups_of(*origins: str) -> GroupIds:
    groups = GroupIds()
    for origin in origins:
        groups.id_of(origin)
    return groups


def test_every_table_is_in_the_round_trip() -> None:
    assert {row.table for row in ROWS} == set(ROW_TYPES)


def test_rows_and_progress_survive(store: Store) -> None:
    store.write(7, ROWS, [], groups_of("l2_lookup/p1"))
    contents = store.read()
    assert contents.revision == 7
    assert sorted(contents.rows, key=lambda row: row.table) == sorted(
        ROWS, key=lambda row: row.table
    )
    assert contents.groups.id_of("l2_lookup/p1") == 1
    assert contents.groups.id_of("something/new") == 2


def test_written_rows_replace_and_deleted_rows_go(store: Store) -> None:
    groups = groups_of("a")
    store.write(1, ROWS, [], groups)
    changed = FlowGroup(1, "d1", "logical_switch", "d1", 2, b"\x91\x00")
    store.write(2, [changed], [row for row in ROWS if not isinstance(row, FlowGroup)], groups)
    assert store.read().rows == [changed]


def test_a_freed_group_id_is_not_used_again(store: Store) -> None:
    groups = groups_of("a", "b")
    store.write(1, [FlowGroup(2, "d1", "k", "i", 1, b"")], [], groups)
    groups.forget(2)
    store.write(2, [], [FlowGroup(2, "d1", "k", "i", 1, b"")], groups)
    assert store.read().groups.id_of("b") == 3


def test_a_group_without_origin_is_refused(store: Store) -> None:
    with pytest.raises(UnknownGroupError):
        store.write(1, [FlowGroup(5, "d1", "k", "i", 1, b"")], [], GroupIds())
    assert store.read().revision == 0


def test_facts_outlive_what_the_translator_writes(store: Store) -> None:
    binding = ROWS[3]
    store.write(1, [binding], [], GroupIds())
    store.write_facts([], [], {"p1": PortFact("hv1", True), "p2": PortFact("hv2", False)})
    store.write(2, [binding], [], GroupIds())
    store.write_facts([], [], {"p2": None})
    assert store.read().port_facts == {"p1": PortFact("hv1", True)}


def test_a_failed_write_leaves_nothing_behind(store: Store, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE southbound_set_member"))
        connection.execute(text("CREATE TABLE southbound_set_member (unexpected TEXT)"))
    with pytest.raises(StoreError, match="southbound"):
        store.write(1, [Datapath("d1", "ls", "web", 1), SetMember("$a", "m")], [], GroupIds())
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM southbound_datapath")).scalar() == 0
        assert connection.execute(text("SELECT revision FROM southbound_progress")).scalar() == 0


def test_twelve_thousand_groups_are_stored_in_a_few_statements(store: Store) -> None:
    groups = GroupIds()
    rows = [
        FlowGroup(
            groups.id_of(f"port_flows/{n}"),
            f"d{n % 200}",
            "logical_switch_port",
            f"id-{n}",
            1,
            bytes(650),
        )
        for n in range(12_000)
    ]
    records: list[int] = []

    def note(_connection: Any, _cursor: Any, _statement: str, parameters: Any, *_: Any) -> None:
        records.append(len(parameters) if isinstance(parameters, list) else 1)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        store.write(1, rows, [], groups)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert 0 < len(records) < 100
    assert max(records) <= 1000, "there are never the records of all rows at once"
    assert len(store.read().rows) == 12_000


def test_a_store_that_was_taken_over_writes_nothing_more(store: Store, engine: Engine) -> None:
    store.write(1, [TEMPLATE], [], GroupIds())
    other = Store(engine)
    other.take_over()
    with pytest.raises(TakenOverError):
        store.write(2, [], [TEMPLATE], GroupIds())
    with pytest.raises(TakenOverError):
        store.write_facts([ROWS[1]], [], {})
    contents = other.read()
    assert (contents.revision, contents.rows) == (1, [TEMPLATE])
    other.write(3, [], [TEMPLATE], GroupIds())
    assert (other.read().revision, other.read().rows) == (3, [])
