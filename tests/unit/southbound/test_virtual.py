"""Virtual ports: where they are, by who spoke for their addresses."""

import pytest

from southbound.rows import Chassis, PortBinding
from southbound.state import RealisedState
from southbound.virtual import Spoken

ONE = PortBinding("1", "d", "one", 1, "vif")
TWO = PortBinding("2", "d", "two", 2, "vif")
VIP = PortBinding(
    "v", "d", "vip", 3, "virtual", virtual_ip="10.0.0.9", virtual_parents=("one", "two")
)


@pytest.fixture
async def net(state: RealisedState) -> RealisedState:
    """Two parents, on a chassis each."""
    for name in ("hv1", "hv2"):
        state.facts.connected(Chassis(name))
    await state.write(1, [VIP, ONE, TWO])
    for chassis, port in (("hv1", "one"), ("hv2", "two")):
        state.facts.claim(chassis, port)
        state.facts.set_up(chassis, port, True)
    return state


def vip(net: RealisedState) -> tuple[str, str, bool]:
    row = net.rows(PortBinding)["v"]
    return row.virtual_parent, row.chassis, row.up


def speak(net: RealisedState, chassis: str, parent: str, at: float, port: str = "vip") -> None:
    net.facts.state_virtual(chassis, [(port, Spoken(parent, at))])


async def test_the_last_that_spoke_has_it(net: RealisedState) -> None:
    assert vip(net) == ("", "", False)
    speak(net, "hv1", "one", 10)
    assert vip(net) == ("one", "hv1", True)
    speak(net, "hv2", "two", 20)
    assert vip(net) == ("two", "hv2", True)
    speak(net, "hv1", "one", 10)
    assert vip(net) == ("two", "hv2", True)


async def test_only_a_parent_speaks_and_only_from_its_chassis(net: RealisedState) -> None:
    speak(net, "hv2", "one", 10)
    speak(net, "hv1", "stranger", 10)
    speak(net, "hv1", "one", 10, port="one")
    speak(net, "hv1", "one", 10, port="nothing")
    assert vip(net) == ("", "", False)


async def test_it_goes_where_its_parent_goes(net: RealisedState) -> None:
    speak(net, "hv1", "one", 10)
    net.facts.set_up("hv1", "one", False)
    assert vip(net) == ("one", "hv1", False)
    net.facts.claim("hv2", "one")
    assert vip(net) == ("one", "hv2", False)
    net.facts.release("hv1", "one")
    net.facts.release("hv2", "one")
    assert vip(net) == ("one", "", False)


async def test_a_parent_no_longer(net: RealisedState) -> None:
    speak(net, "hv1", "one", 10)
    await net.write(2, [PortBinding("v", "d", "vip", 3, "virtual", virtual_parents=("two",))])
    assert vip(net) == ("", "", False)


async def test_it_is_remembered(net: RealisedState) -> None:
    speak(net, "hv1", "one", 10)
    await net.close()
    again = RealisedState(net._store)
    await again.load()
    assert vip(again) == ("one", "hv1", True)
    speak(again, "hv2", "two", 5)
    assert vip(again) == ("two", "hv2", True)
    await again.close()
