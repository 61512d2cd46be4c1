"""What each end understands: bounded, and never less than in an earlier release."""

import json
from pathlib import Path
from typing import Any

import pytest

from southbound import present, wire
from southbound.closed import CLOSED_AGENT, CLOSED_SERVER
from southbound.errors import ProtocolError
from southbound.rows import ROW_TYPES, Chassis
from southbound.vocabulary import MAX_NAME, MAX_NAMES, Vocabulary
from southbound.watch.server import WatchServer
from tests.unit.southbound.agents import MakeAgent, until
from tests.unit.southbound.raw_agent import raw_agent

RECORDS = sorted((Path(__file__).parent / "records").glob("release-*.json"))


@pytest.fixture(params=RECORDS, ids=lambda path: path.stem)
def record(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the ends of an earlier release understood; never changed afterwards."""
    path: Path = request.param
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_rows_of_an_earlier_release_are_the_beginning_of_todays(record: dict[str, Any]) -> None:
    for table, fields in record["tables"].items():
        assert list(ROW_TYPES[table].__struct_fields__[: len(fields)]) == fields
        assert len(ROW_TYPES[table].__struct_defaults__) >= (
            len(ROW_TYPES[table].__struct_fields__) - len(fields)
        ), "new fields have defaults"


def test_what_was_understood_is_understood(record: dict[str, Any]) -> None:
    assert set(record["messages_to_agent"]) <= set(present.AGENT.messages)
    assert set(record["messages_to_server"]) <= set(present.SERVER.messages)
    assert set(record["questions"]) <= set(present.AGENT.questions)
    assert set(record["words"]) <= set(present.AGENT.words)
    assert wire.OLDEST_AGENT <= record["protocol"] <= wire.PROTOCOL


def test_the_closed_release_is_as_it_was_recorded() -> None:
    record = json.loads((RECORDS[0].parent / "release-0.1.0.json").read_text())
    tables = {table: tuple(fields) for table, fields in record["tables"].items()}
    assert (
        Vocabulary(
            tables,
            tuple(record["messages_to_agent"]),
            tuple(record["questions"]),
            tuple(record["words"]),
        )
        == CLOSED_AGENT
    )
    assert (
        Vocabulary(tables, tuple(record["messages_to_server"]), (), tuple(record["words"]))
        == CLOSED_SERVER
    )


def test_a_vocabulary_is_bounded() -> None:
    assert not present.AGENT.fault()
    assert not present.SERVER.fault()
    for bad in (
        Vocabulary(words=("w",) * (MAX_NAMES + 1)),
        Vocabulary({"t" * (MAX_NAME + 1): ()}),
        Vocabulary({"t": ("f\n",)}),
    ):
        assert bad.fault()


async def test_an_agent_with_a_boundless_vocabulary_is_refused(server: WatchServer) -> None:
    huge = Vocabulary(words=tuple(str(number) for number in range(MAX_NAMES + 1)))
    async with raw_agent(server.port, "hv1", vocabulary=huge) as agent:
        refused = await agent.until_ended()
    assert refused is not None
    assert refused.code == wire.REFUSED_MALFORMED
    assert "vocabulary" in refused.reason


async def test_a_newer_agent_says_things_that_are_skipped(server: WatchServer) -> None:
    async with raw_agent(server.port, "hv1") as agent:
        for _ in range(3):
            await agent.socket.send(b"\x92\xa9bfd-state\x93\x01\x02\x03")
        await agent.say(wire.Counters({"still": 1}))
        await until(lambda: server.status("hv1").counters == {"still": 1})
        assert server.status("hv1").skipped == {"messages bfd-state": 3}
        assert not agent.ended


async def test_an_older_server_is_not_sent_what_it_cannot_read(
    server: WatchServer, make_agent: MakeAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = tuple(kind for kind in present.SERVER.messages if kind != "counters")
    monkeypatch.setattr(present, "SERVER", Vocabulary(messages=known))
    agent = make_agent("hv1", "global")
    await agent.synced()
    agent.client.count({"rows": 1})
    agent.client.claim_only(["p"])
    await until(lambda: bool(server._state.facts.claimed_by("hv1")))
    assert agent.client.unsent == {"messages counters": 1}
    assert not server.status("hv1").counters


async def test_both_ends_say_what_they_understand(
    server: WatchServer, make_agent: MakeAgent
) -> None:
    async with raw_agent(server.port, "hv1", vocabulary=present.AGENT) as agent:
        await until(lambda: bool(agent.heard))
        assert isinstance(agent.heard[0], wire.Hello)
        assert agent.heard[0].vocabulary == present.SERVER
        assert server.status("hv1").lacks == ()
    with pytest.raises(ProtocolError):
        wire.decode_from_agent(b"\x90")
    less = Vocabulary({"chassis": ()}, messages=present.AGENT.messages)
    async with raw_agent(server.port, "hv2", vocabulary=less) as agent:
        await until(lambda: bool(agent.heard))
        assert "table flow_group" in server.status("hv2").lacks
        assert "word ct_next" in server.status("hv2").lacks


async def test_an_unknown_kind_first_is_no_registration(server: WatchServer) -> None:
    async with raw_agent(server.port, "hv1", chassis=Chassis("hv1"), says_hello=False) as agent:
        await agent.socket.send(b"\x92\xa5howdy\x01")
        refused = await agent.until_ended()
    assert refused is not None
    assert refused.code == wire.REFUSED_MALFORMED
