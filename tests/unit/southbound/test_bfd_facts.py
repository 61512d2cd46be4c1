"""The states of BFD sessions: who may say them, and which of them holds."""

import pytest

from southbound.rows import BfdSession, BfdStatus, Chassis, Datapath, PortBinding
from southbound.state import RealisedState
from southbound.wire import BfdState

DATAPATH = Datapath("r", "lr", "edge", 9)
REDIRECT = PortBinding("c", "r", "cr-out", 2, "chassisredirect", requested_chassis=("gw1", "gw2"))
SESSION = BfdSession("s", "r", "out", "cr-out", "192.0.2.1", "192.0.2.9", 300, 300, 3)


@pytest.fixture
async def net(state: RealisedState) -> RealisedState:
    """A session of a gateway port that two chassis may have; the first one has it."""
    for name in ("gw1", "gw2", "hv1"):
        state.facts.connected(Chassis(name))
    await state.write(1, [DATAPATH, REDIRECT, SESSION])
    state.facts.claim("gw1", "cr-out")
    return state


def say(net: RealisedState, chassis: str, state: str, age: float = 0.0, of: str = "s") -> None:
    net.facts.bfd.state(chassis, [BfdState(of, state, 0, 0, age)])


def status(net: RealisedState) -> tuple[str, str] | None:
    row = net.rows(BfdStatus).get("s")
    return None if row is None else (row.chassis, row.state)


async def test_the_chassis_that_may_have_the_port_says_how_it_is(net: RealisedState) -> None:
    assert status(net) is None
    say(net, "gw1", "up")
    assert status(net) == ("gw1", "up")
    say(net, "hv1", "down")
    assert status(net) == ("gw1", "up")


async def test_what_is_nonsense_is_passed_over(net: RealisedState) -> None:
    say(net, "gw1", "great")
    say(net, "gw1", "up", of="another")
    assert status(net) is None


async def test_who_has_the_port_is_right(net: RealisedState) -> None:
    say(net, "gw1", "up")
    say(net, "gw2", "down")
    assert status(net) == ("gw1", "up")
    net.facts.claim("gw2", "cr-out")
    assert status(net) == ("gw2", "down")
    net.facts.release("gw2", "cr-out")
    net.facts.bfd.state("gw2", [])
    assert status(net) == ("gw1", "up")


async def test_what_was_said_last_stays_when_its_chassis_falls_silent(net: RealisedState) -> None:
    say(net, "gw1", "down")
    net.facts.bfd.state("gw1", [])
    assert status(net) == ("gw1", "down")
    net.facts.remove_chassis("gw1")
    assert status(net) == ("gw1", "down")
    say(net, "gw2", "up")
    assert status(net) == ("gw2", "up")


async def test_since_when_it_is_so_does_not_move_when_it_is_said_again(net: RealisedState) -> None:
    say(net, "gw1", "up", age=100.0)
    since = net.rows(BfdStatus)["s"].since
    say(net, "gw1", "up", age=0.0)
    assert net.rows(BfdStatus)["s"].since == since


async def test_it_is_remembered_as_long_as_the_session_is_there(net: RealisedState) -> None:
    say(net, "gw1", "up")
    await net.close()
    again = RealisedState(net._store)
    await again.load()
    assert status(again) == ("gw1", "up")
    await again.write(2, deletes=[SESSION.row_id])
    assert status(again) is None
    await again.close()
