"""What is kept of the reasons for which agents say that they are degraded."""

from hypothesis import given
from hypothesis import strategies as st

from southbound import wire
from southbound.conditions import (
    MAX_CONDITIONS,
    MAX_NAME,
    MAX_TEXT,
    conditions_of,
    doubts_about_flows,
)
from southbound.watch.server import WatchServer
from tests.unit.southbound.agents import MakeAgent, until


@given(st.dictionaries(st.text(max_size=100), st.text(max_size=1000), max_size=50))
def test_whatever_is_said_is_bounded_and_printable(reasons: dict[str, str]) -> None:
    kept = conditions_of(reasons)
    assert len(kept) <= MAX_CONDITIONS
    assert kept.keys() <= reasons.keys()
    for name, text in kept.items():
        assert len(name) <= MAX_NAME
        assert len(text) <= MAX_TEXT
        assert (name + text).isprintable()


def test_what_is_short_stays_as_it_is() -> None:
    assert conditions_of({"switch": "no connection"}) == {"switch": "no connection"}


def test_only_some_conditions_are_about_flows() -> None:
    reasons = {"switch": "the socket is gone", "tunnels": "no answer", "flows": "1 failed"}
    assert doubts_about_flows(reasons) == ["1 failed", "the socket is gone"]


async def test_the_server_knows_what_the_agent_says_now(
    server: WatchServer, make_agent: MakeAgent
) -> None:
    agent = make_agent("hv1", "global")
    reasons = {"switch": "no connection"}

    def conditions() -> wire.Conditions:
        return wire.Conditions(dict(reasons))

    agent.client.tell(conditions)
    await until(lambda: server.status("hv1").conditions == {"switch": "no connection"})
    reasons.clear()
    agent.client.tell(conditions)
    await until(lambda: server.status("hv1").connected and not server.status("hv1").conditions)
