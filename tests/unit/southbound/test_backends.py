"""Which backends answer: who may say so, and what becomes of it."""

import pytest

from southbound.groups import GroupIds
from southbound.rows import BackendCheck, BackendStatus, Chassis, PortBinding
from southbound.state import RealisedState
from southbound.store import PortFact, Store
from southbound.wire import BackendState

WEB = PortBinding("1", "d", "web-1", 1, "vif")
MEMBER = "10.0.0.1:80"
CHECK = BackendCheck(
    *("&v", MEMBER, "tcp", "d", "web-1", "0a:00:00:00:00:01", "10.0.0.9"),
    *(5, 3, 2, 3),
)


@pytest.fixture
async def net(state: RealisedState) -> RealisedState:
    """A backend on the first of two chassis."""
    for name in ("hv1", "hv2"):
        state.facts.connected(Chassis(name))
    await state.write(1, [WEB, CHECK])
    state.facts.claim("hv1", "web-1")
    return state


def say(net: RealisedState, chassis: str, *states: BackendState) -> None:
    net.facts.backends.state(chassis, states)


def status(net: RealisedState) -> tuple[bool, str, str] | None:
    row = net.rows(BackendStatus).get(f"&v/{MEMBER}")
    return None if row is None else (row.up, row.reason, row.chassis)


UP = BackendState("&v", MEMBER, True)
DOWN = BackendState("&v", MEMBER, False, "refused")


async def test_the_chassis_of_the_port_says_it_and_no_other(net: RealisedState) -> None:
    say(net, "hv2", UP)
    say(net, "hv1", BackendState("&v", "10.0.0.2:80", True), BackendState("&w", MEMBER, True))
    assert status(net) is None
    say(net, "hv1", UP)
    assert status(net) == (True, "", "hv1")
    say(net, "hv2", DOWN)
    assert status(net) == (True, "", "hv1")
    say(net, "hv1", DOWN)
    assert status(net) == (False, "refused", "hv1")


async def test_a_reason_is_bounded_and_since_is_when_it_changed(net: RealisedState) -> None:
    say(net, "hv1", BackendState("&v", MEMBER, False, "x" * 9999))
    first = net.rows(BackendStatus)[f"&v/{MEMBER}"]
    assert len(first.reason) == 200
    say(net, "hv1", DOWN)
    assert net.rows(BackendStatus)[f"&v/{MEMBER}"].since == first.since


async def test_it_is_down_without_its_hypervisor_until_that_is_back(net: RealisedState) -> None:
    say(net, "hv1", UP)
    net.facts.lapsed("hv1")
    assert status(net) == (False, "its hypervisor is away", "hv1")
    net.facts.connected(Chassis("hv1"))
    say(net, "hv1", UP)
    assert status(net) == (True, "", "hv1")
    net.facts.remove_chassis("hv1")
    assert status(net) == (False, "its port is on no hypervisor", "")


async def test_it_goes_with_its_port_and_stays_while_that_moves(net: RealisedState) -> None:
    say(net, "hv1", UP)
    net.facts.claim("hv2", "web-1")
    say(net, "hv1")
    assert status(net) == (True, "", "hv1")
    say(net, "hv2", UP)
    assert status(net) == (True, "", "hv2")
    net.facts.release("hv2", "web-1")
    net.facts.release("hv1", "web-1")
    say(net, "hv2")
    assert status(net) == (False, "its port is on no hypervisor", "")


async def test_it_is_down_once_its_chassis_claims_the_port_no_longer(net: RealisedState) -> None:
    """An agent that began anew says nothing of a backend that it never saw."""
    say(net, "hv1", UP)
    say(net, "hv1")
    assert status(net) == (True, "", "hv1")
    net.facts.claim_only("hv1", [])
    assert status(net) == (False, "its port is on no hypervisor", "")


async def test_nothing_is_known_once_it_is_checked_no_longer(net: RealisedState) -> None:
    say(net, "hv1", UP)
    await net.write(2, deletes=[CHECK.row_id])
    assert status(net) is None
    net.facts.lapsed("hv1")
    assert status(net) is None


async def test_what_was_stored_of_others_than_are_checked_is_dropped(store: Store) -> None:
    store.write(1, [WEB, CHECK], [], GroupIds())
    other = BackendStatus("&gone", MEMBER, True, "", "hv1", 1.0)
    kept = BackendStatus("&v", MEMBER, True, "", "hv1", 1.0)
    store.write_facts([Chassis("hv1"), kept, other], [], {"1": PortFact("hv1", True)})
    state = RealisedState(store)
    await state.load()
    assert list(state.rows(BackendStatus).values()) == [kept]
    state.facts.lapsed("hv1")
    assert status(state) == (False, "its hypervisor is away", "hv1")
    await state.close()
    stored = [row for row in store.read().rows if isinstance(row, BackendStatus)]
    assert [row.set for row in stored] == ["&v"]
