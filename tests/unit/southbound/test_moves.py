"""Ports that are on several chassis while they move."""

import pytest

from southbound.rows import Chassis, PortBinding
from southbound.state import RealisedState

PORT = PortBinding("p", "d", "p", 1, "vif", requested_chassis=("hv1", "hv2"), activation=("rarp",))
INNER = PortBinding("c", "e", "c", 1, "nested", parent="p", parent_name="p", tag=7)


@pytest.fixture
async def both(state: RealisedState) -> RealisedState:
    """The port is on both of the chassis that were requested, and up on the first."""
    for name in ("hv1", "hv2", "hv3"):
        state.facts.connected(Chassis(name))
    await state.write(1, [PORT])
    for name in ("hv2", "hv1", "hv3"):
        state.facts.claim(name, "p")
    state.facts.set_up("hv1", "p", True)
    return state


def port(state: RealisedState, key: str = "p") -> PortBinding:
    return state.rows(PortBinding)[key]


async def test_the_first_that_was_requested_is_the_chassis(both: RealisedState) -> None:
    row = port(both)
    assert (row.chassis, row.additional_chassis, row.up) == ("hv1", ("hv2",), True)
    assert both.reach.reaches("hv2", "d")
    assert not both.reach.reaches("hv3", "d")
    assert both.facts.problems(row) == ("there is an interface for it on hv3, too",)


async def test_active_where_it_has_spoken(both: RealisedState) -> None:
    both.facts.state_activated("hv2", ["p"])
    assert port(both).activated == ("hv2",)
    both.facts.state_activated("hv3", ["p", "nothing"])
    assert port(both).activated == ("hv2",)


async def test_what_was_up_at_the_new_place_is_up_when_that_is_its_own(
    both: RealisedState,
) -> None:
    both.facts.set_up("hv2", "p", True)
    both.facts.state_activated("hv2", ["p"])
    moved = PortBinding("p", "d", "p", 1, "vif", requested_chassis=("hv2",), activation=("rarp",))
    await both.write(2, [moved])
    row = port(both)
    assert (row.chassis, row.additional_chassis, row.activated, row.up) == ("hv2", (), (), True)
    assert not both.reach.reaches("hv1", "d")
    await both.write(3, [PORT])
    row = port(both)
    assert (row.chassis, row.additional_chassis, row.activated) == ("hv1", ("hv2",), ())
    assert not row.up


async def test_a_chassis_that_dies_is_sent_nothing(both: RealisedState) -> None:
    both.facts.lapsed("hv2")
    assert port(both).additional_chassis == ()
    both.facts.connected(Chassis("hv2"))
    assert port(both).additional_chassis == ()
    both.facts.claim_only("hv2", ["p"])
    assert port(both).additional_chassis == ("hv2",)
    both.facts.lapsed("hv1")
    assert port(both).chassis == "hv2"
    assert port(both).additional_chassis == ()


async def test_unplugged_at_the_old_place(both: RealisedState) -> None:
    both.facts.set_up("hv2", "p", True)
    both.facts.release("hv1", "p")
    assert (port(both).chassis, port(both).additional_chassis, port(both).up) == ("hv2", (), True)


async def test_what_is_nested_in_it_goes_with_it(both: RealisedState) -> None:
    await both.write(2, [INNER])
    both.facts.set_up("hv1", "c", True)
    both.facts.state_activated("hv2", ["p"])
    row = port(both, "c")
    assert (row.chassis, row.additional_chassis, row.activated) == ("hv1", ("hv2",), ("hv2",))
    assert row.up
    both.facts.release("hv1", "p")
    row = port(both, "c")
    assert (row.chassis, row.additional_chassis, row.up) == ("hv2", (), False)


async def test_it_is_remembered(both: RealisedState) -> None:
    both.facts.state_activated("hv2", ["p"])
    before = port(both)
    await both.close()
    again = RealisedState(both._store)
    await again.load()
    assert port(again) == before
    await again.close()
