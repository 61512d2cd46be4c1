"""The translator on a real database: it follows, restarts without writing, and recovers."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import update

from incremental import Delta, Engine
from northbound.apply import apply
from northbound.database import Database
from northbound.models import LogicalSwitchPort
from northbound.services import ACLS, LOGICAL_SWITCH_PORTS
from southbound.errors import StoreError
from southbound.rows import Datapath, FlowGroup, PortBinding, SetMember, Template
from southbound.state import RealisedState
from southbound.store import Store
from translator import runner
from translator.pipeline import PIPELINES
from translator.realise import realise
from translator.runner import Translator

NETWORK: dict[str, Any] = {
    "document": "shop",
    "logical_switches": {
        "web": {
            "ports": {
                "web-1": {"addresses": ["0a:00:00:00:01:01 10.0.1.11"]},
                "web-2": {"addresses": ["0a:00:00:00:01:02 10.0.1.12"]},
                "web-to-r": {"type": "router", "router_port": "r-to-web"},
            }
        }
    },
    "logical_routers": {
        "r": {"ports": {"r-to-web": {"mac": "0a:00:00:00:01:fe", "networks": ["10.0.1.1/24"]}}}
    },
    "port_groups": {
        "webs": {
            "ports": ["web-1", "web-2"],
            "acls": [
                {
                    "direction": "to-lport",
                    "priority": 10,
                    "match": "outport == @webs && icmp4",
                    "action": "allow-related",
                }
            ],
        }
    },
}


def declare(database: Database) -> int:
    with database.write(author="test") as tx:
        apply(tx, NETWORK)
    assert tx.committed is not None
    return tx.committed


@asynccontextmanager
async def running(translator: Translator) -> AsyncIterator[None]:
    task = asyncio.create_task(translator.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_an_empty_network_has_templates(translator: Translator, state: RealisedState) -> None:
    assert len(state.rows(Template)) == sum(len(p.templates) for p in PIPELINES)
    assert not state.rows(FlowGroup)
    assert await translator.differences() == []


async def test_a_commit_is_followed(
    translator: Translator, state: RealisedState, database: Database
) -> None:
    async with running(translator):
        revision = await asyncio.to_thread(declare, database)
        assert await translator.wait_translated(revision, timeout=30)
    assert {row.name for row in state.rows(Datapath).values()} == {"web", "r"}
    bindings = {row.name: row for row in state.rows(PortBinding).values()}
    assert bindings["web-to-r"].peer == "r-to-web"
    assert bindings["r-to-web"].peer == "web-to-r"
    assert bindings["r-to-web"].peer_datapath == bindings["web-1"].datapath
    assert {(row.set, row.member) for row in state.rows(SetMember).values()} == {
        ("@webs", "web-1"),
        ("@webs", "web-2"),
        ("$webs_ip4", "10.0.1.11"),
        ("$webs_ip4", "10.0.1.12"),
    }
    causes = {row.cause_kind for row in state.rows(FlowGroup).values()}
    assert causes >= {"logical_switch", "logical_switch_port", "acl", "logical_router_port"}
    assert await translator.differences() == []


async def test_one_change_writes_what_it_changes(
    translator: Translator, state: RealisedState, database: Database
) -> None:
    declare(database)
    await translator.catch_up()
    before = dict(state.rows(FlowGroup))
    with database.write(author="test") as tx:
        LOGICAL_SWITCH_PORTS.update(tx, "web-1", {"enabled": False})
    await translator.catch_up()
    changed = [row for key, row in state.rows(FlowGroup).items() if before.get(key) != row]
    (group,) = changed
    assert group.revision == tx.committed
    assert translator.progress.last_runs.total() < 9
    assert await translator.differences() == []


async def test_a_change_of_labels_changes_no_rows(
    translator: Translator, state: RealisedState, database: Database
) -> None:
    declare(database)
    await translator.catch_up()
    position = state.feed.position
    with database.write(author="test") as tx:
        LOGICAL_SWITCH_PORTS.update(tx, "web-1", {"labels": {"tier": "front"}})
    await translator.catch_up()
    assert tx.committed == state.revision
    assert translator.progress.last_runs.total() == 0
    assert state.feed.position == position


async def test_a_restart_writes_nothing(
    translator: Translator, state: RealisedState, database: Database
) -> None:
    declare(database)
    await translator.catch_up()
    groups = dict(state.rows(FlowGroup))
    again = RealisedState(Store(database.engine))
    await again.load()
    position = again.feed.position
    second = Translator(database, again)
    await second.start()
    assert again.feed.position == position
    assert dict(again.rows(FlowGroup)) == groups
    assert await second.differences() == []
    await again.close()


async def test_a_restart_writes_what_was_missed(
    translator: Translator, state: RealisedState, database: Database
) -> None:
    declare(database)
    await translator.catch_up()
    with database.write(author="test") as tx:
        LOGICAL_SWITCH_PORTS.delete(tx, "web-2")
    second = Translator(database, state)
    await second.start()
    assert "web-2" not in {row.name for row in state.rows(PortBinding).values()}
    assert await second.differences() == []


async def test_a_group_that_comes_back_has_a_new_cookie(
    translator: Translator, state: RealisedState, database: Database
) -> None:
    declare(database)
    await translator.catch_up()
    with database.read() as reader:
        (acl,) = ACLS.page(reader).items
        values = ACLS.describe(reader, [acl])[0]
    first = {row.id for row in state.flow_groups(cause=("acl", acl.id))}
    with database.write(author="test") as tx:
        ACLS.delete(tx, acl.id)
    await translator.catch_up()
    assert not list(state.flow_groups(cause=("acl", acl.id)))
    with database.write(author="test") as tx:
        new = ACLS.create(tx, values)
    await translator.catch_up()
    second = {row.id for row in state.flow_groups(cause=("acl", new.id))}
    assert len(first) == len(second) == 1
    assert not first & second


async def test_a_refused_write_is_made_up_for(
    translator: Translator,
    state: RealisedState,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    declare(database)
    write = state.write

    async def refuse(*_args: Any, **_kwargs: Any) -> None:
        raise StoreError("disk full")

    monkeypatch.setattr(state, "write", refuse)
    with pytest.raises(StoreError):
        await translator.catch_up()
    with database.write(author="test") as tx:
        LOGICAL_SWITCH_PORTS.delete(tx, "web-2")
    with pytest.raises(StoreError):
        await translator.catch_up()
    monkeypatch.setattr(state, "write", write)
    await translator.catch_up()
    assert state.revision == tx.committed
    assert await translator.differences() == []


async def test_trouble_is_told_and_ends(
    database: Database, state: RealisedState, monkeypatch: pytest.MonkeyPatch
) -> None:
    translator = Translator(database, state, retry_seconds=0.01)
    await translator.start()
    write = state.write
    refusals = 2

    async def refuse_twice(*args: Any, **kwargs: Any) -> None:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise StoreError("disk full")
        assert translator.progress.trouble == "disk full"
        await write(*args, **kwargs)

    monkeypatch.setattr(state, "write", refuse_twice)
    async with running(translator):
        revision = await asyncio.to_thread(declare, database)
        assert await translator.wait_translated(revision, timeout=30)
        await asyncio.sleep(0)
    assert refusals == 0
    assert translator.progress.trouble == ""


async def test_a_row_that_cannot_be_read_is_told_and_left_out(
    database: Database, state: RealisedState
) -> None:
    declare(database)
    _spoil(database, "0a:00:00:00:01 10.0.1.12")
    translator = Translator(database, state)
    await translator.start()
    (failure,) = translator.failures
    assert failure.node == "logical_switch_port"
    assert "not a MAC address" in failure.error
    assert "web-2" not in {row.name for row in state.rows(PortBinding).values()}
    assert "web-1" in {row.name for row in state.rows(PortBinding).values()}
    _spoil(database, "0a:00:00:00:01:02 10.0.1.12")
    with database.write(author="test") as tx:
        LOGICAL_SWITCH_PORTS.update(tx, "web-2", {"requested_chassis": ["hv1"]})
    await translator.catch_up()
    assert translator.failures == []
    assert "web-2" in {row.name for row in state.rows(PortBinding).values()}


def _spoil(database: Database, address: str) -> None:
    """Writes an address behind the back of the services."""
    with database.maintain() as session:
        statement = update(LogicalSwitchPort).where(LogicalSwitchPort.name == "web-2")
        session.execute(statement.values(addresses=[address]))


async def test_nothing_large_holds_the_event_loop(
    translator: Translator, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a batch has, and what came of one with few rows, count both."""
    await asyncio.to_thread(declare, database)
    monkeypatch.setattr(runner, "BIG_BATCH", 3)
    in_loop: list[bool] = []

    def spied(*arguments: Any) -> Any:
        in_loop.append(threading.current_thread() is threading.main_thread())
        return realise(*arguments)

    monkeypatch.setattr(runner, "realise", spied)
    await translator.catch_up()
    with database.write(author="test") as tx:
        LOGICAL_SWITCH_PORTS.update(tx, "web-1", {"labels": {"a": "b"}})
    await translator.catch_up()
    assert in_loop == [False, True]
    assert await translator.differences() == []


async def test_a_cancelled_batch_is_not_lost(
    translator: Translator,
    state: RealisedState,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await asyncio.to_thread(declare, database)
    monkeypatch.setattr(runner, "BIG_BATCH", 3)
    working, may_go_on = threading.Event(), threading.Event()

    def slow(*arguments: Any) -> Any:
        working.set()
        assert may_go_on.wait(30)
        return realise(*arguments)

    monkeypatch.setattr(runner, "realise", slow)
    catching_up = asyncio.create_task(translator.catch_up())
    assert await asyncio.to_thread(working.wait, 10)
    catching_up.cancel()
    await asyncio.sleep(0)
    assert not catching_up.done(), "the engine must not be given anything else meanwhile"
    may_go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await catching_up
    await translator.catch_up()
    assert state.rows(PortBinding)
    assert await translator.differences() == []


async def test_a_question_that_is_given_up_keeps_the_engine_until_it_is_done(
    translator: Translator, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch in the middle of it would be refused, and end translation."""
    revision = await asyncio.to_thread(declare, database)
    working, may_go_on = threading.Event(), threading.Event()

    def slow(_engine: Engine, _changes: object) -> Delta:
        working.set()
        assert may_go_on.wait(30)
        return Delta()

    monkeypatch.setattr(Engine, "what_if", slow)
    asking = asyncio.create_task(translator.what_if(revision, []))
    assert await asyncio.to_thread(working.wait, 10)
    asking.cancel()
    catching_up = asyncio.create_task(translator.catch_up())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not asking.done()
    assert not catching_up.done()
    may_go_on.set()
    await catching_up
    await asyncio.wait([asking])
    assert await translator.differences() == []
