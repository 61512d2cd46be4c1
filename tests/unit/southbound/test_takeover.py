"""Two chassis with an interface of one port: who has it, and that it is told."""

import pytest
from structlog.testing import capture_logs

from southbound.learned import Learned
from southbound.rows import Chassis, PortBinding
from southbound.state import RealisedState
from southbound.store import Store

PORT = PortBinding("p1", "d1", "web-1", 1, "vif")


@pytest.fixture(params=[True, False], ids=["takeover", "no-takeover"])
async def contested(store: Store, request: pytest.FixtureRequest) -> RealisedState:
    """web-1 is up on hv1, and was plugged in on hv2, too."""
    state = RealisedState(store, takeover=request.param)
    await state.write(1, [PORT])
    for name in ("hv1", "hv2"):
        state.facts.connected(Chassis(name))
    state.facts.claim("hv1", "web-1")
    state.facts.set_up("hv1", "web-1", True)
    assert not state.facts.problems(at(state))
    with capture_logs() as logs:
        state.facts.claim("hv2", "web-1")
    taken = [line for line in logs if line["event"] == "port taken over"]
    assert len(taken) == state.facts.takeovers == int(request.param)
    return state


def at(state: RealisedState) -> PortBinding:
    return state.rows(PortBinding)["p1"]


def holder_and_other(state: RealisedState) -> tuple[str, str]:
    return ("hv2", "hv1") if state.facts.takeovers else ("hv1", "hv2")


async def test_the_setting_decides_and_the_contest_is_told(contested: RealisedState) -> None:
    holder, other = holder_and_other(contested)
    assert at(contested).chassis == holder
    text = f"there is an interface for it on {other}, too"
    assert list(contested.facts.problem_ports()) == [("web-1", text)]
    assert contested.facts.problems(at(contested)) == (text,)


async def test_the_contest_ends_when_one_lets_go(contested: RealisedState) -> None:
    holder, other = holder_and_other(contested)
    counted = contested.facts.takeovers
    contested.facts.set_up(holder, "web-1", True)
    contested.facts.release(holder, "web-1")
    assert at(contested).chassis == other
    assert contested.facts.takeovers == counted, "it was given, not taken"
    assert not list(contested.facts.problem_ports())


async def test_a_dead_chassis_loses_the_port_whatever_is_set(contested: RealisedState) -> None:
    contested.facts.lapsed("hv1")
    assert at(contested).chassis == "hv2"
    assert not list(contested.facts.problem_ports())


async def test_a_request_decides_whatever_is_set(contested: RealisedState) -> None:
    counted = contested.facts.takeovers
    for revision, wanted in enumerate(("hv1", "hv2", "hv1"), start=2):
        row = PortBinding("p1", "d1", "web-1", 1, "vif", requested_chassis=(wanted,))
        await contested.write(revision, [row])
        assert at(contested).chassis == wanted
    assert contested.facts.takeovers == counted, "what was asked for is no takeover"


async def test_why_a_port_is_not_given_names_nothing_of_others(contested: RealisedState) -> None:
    facts = contested.facts
    takes_over = bool(facts.takeovers)
    assert facts.reason_against("hv1", "web-1") == ""
    assert ("takeover is off" in facts.reason_against("hv2", "web-1")) is not takes_over
    assert "hv1" not in facts.reason_against("hv2", "web-1")
    assert facts.reason_against("hv2", "no-such-port") == ""


async def test_claims_of_what_a_chassis_never_had_go_with_its_lease(store: Store) -> None:
    state = RealisedState(store)
    await state.write(1, [PORT])
    state.facts.connected(Chassis("hv1"))
    state.facts.claim_only("hv1", ["web-1", *(f"guess-{n}" for n in range(1000))])
    state.facts.lapsed("hv1")
    assert set(state.facts.claimed_by("hv1")) == {"web-1"}
    assert at(state).chassis == "hv1"


def test_a_chassis_that_fills_a_port_loses_its_own_addresses() -> None:
    learned = Learned(age=0, per_port=3, per_chassis=4)
    assert not learned.seen(("fdb", "a"), "p", 0, "hv1")
    for number in range(2):
        assert not learned.seen(("fdb", f"b{number}"), "p", 1, "hv2")
    assert set(learned.seen(("fdb", "b2"), "p", 1, "hv2")) == {("fdb", "b0")}
    learned.forget(("fdb", "b0"))
    assert set(learned.seen(("fdb", "c"), "p", 2, "hv3")) == {("fdb", "b1")}
    learned.forget(("fdb", "b1"))
    assert set(learned.of_port("p")) == {("fdb", "a"), ("fdb", "b2"), ("fdb", "c")}
    for number in range(3):
        assert not learned.seen(("fdb", f"d{number}"), f"q{number}", 3, "hv2")
    assert set(learned.seen(("fdb", "e"), "r", 3, "hv2")) == {("fdb", "b2")}


async def test_an_interface_may_name_a_port_by_its_id(store: Store) -> None:
    state = RealisedState(store)
    for name in ("hv1", "hv2"):
        state.facts.connected(Chassis(name))
    state.facts.claim("hv1", "p1")
    await state.write(1, [PORT])
    assert at(state).chassis == "hv1"
    assert state.facts.may_have("hv1", "p1")
    state.facts.set_up("hv1", "web-1", True)
    assert at(state).up
    assert not state.facts.problems(at(state))
    state.facts.claim("hv2", "web-1")
    assert at(state).chassis == "hv2"
    assert state.facts.problems(at(state)) == ("there is an interface for it on hv1, too",)
    state.facts.release("hv2", "web-1")
    assert at(state).chassis == "hv1"
    state.facts.release("hv1", "p1")
    assert at(state).chassis == ""


async def test_an_id_wins_over_the_name_of_another_port(store: Store) -> None:
    state = RealisedState(store)
    state.facts.connected(Chassis("hv1"))
    await state.write(1, [PortBinding("p2", "d1", "p1", 2, "vif"), PORT])
    state.facts.claim("hv1", "p1")
    assert at(state).chassis == "hv1"


async def test_a_contest_is_told_whatever_interfaces_call_the_port(store: Store) -> None:
    state = RealisedState(store, takeover=True)
    await state.write(1, [PORT])
    for name in ("hv1", "hv2"):
        state.facts.connected(Chassis(name))
    state.facts.claim("hv1", "web-1")
    state.facts.claim("hv2", PORT.id)
    assert at(state).chassis == "hv2"
    text = "there is an interface for it on hv1, too"
    assert list(state.facts.problem_ports()) == [("web-1", text)]
    state.facts.claim("hv1", PORT.id)
    told = [("web-1", "there is an interface for it on hv2, too")]
    assert list(state.facts.problem_ports()) == told, "once, by its name"
    state.facts.release("hv2", PORT.id)
    assert not list(state.facts.problem_ports())
