"""How big frames tunnels carry, by which probes are answered."""

from ipaddress import ip_address
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis_agent.underlay.sizes import (
    ANSWER_SECONDS,
    INTERVAL,
    PROBES_OF_ROUND,
    RETRY_SECONDS,
    SMALLEST,
    PathSizes,
    SizedProbe,
)

HV2, HV3 = ip_address("192.0.2.2"), ip_address("192.0.2.3")


class Underlay:
    """Paths with a clock, and tunnels that carry frames up to a size, or nothing (-1)."""

    def __init__(self) -> None:
        numbers = count(1)
        self.sizes = PathSizes(
            lambda: next(numbers).to_bytes(16), lambda low, high: (low + high) / 2
        )
        self.now = 1000.0
        self.carries: dict[str, int] = {}
        self.sends = 1 << 16
        """Bigger probes than that can't be sent."""
        self.sent: list[SizedProbe] = []

    def run(self, seconds: float) -> list[SizedProbe]:
        """Let time go by; return what was sent."""
        before = len(self.sent)
        end = self.now + seconds
        while self.now < end:
            self.now += 0.1
            for probe in list(self.sizes.due(self.now)):
                if probe.size > self.sends:
                    self.sizes.cannot_probe(probe.chassis, self.now)
                    continue
                self.sent.append(probe)
                if probe.size <= self.carries[probe.chassis]:
                    assert self.sizes.answered(probe.nonce, self.now)
        return self.sent[before:]


@pytest.fixture
def underlay() -> Underlay:
    return Underlay()


def test_a_tunnel_that_carries_all_costs_two_probes_a_look(underlay: Underlay) -> None:
    underlay.carries = {"hv2": 1514}
    underlay.sizes.use({"hv2": HV2}, 1514, underlay.now)
    assert [probe.size for probe in underlay.run(2)] == [0, 1514]
    assert not underlay.sizes.narrow
    assert [probe.size for probe in underlay.run(INTERVAL)] == [0, 1514]


def test_a_narrow_tunnel_is_known_to_the_byte(underlay: Underlay) -> None:
    underlay.carries = {"hv2": 1456, "hv3": 1514}
    underlay.sizes.use({"hv2": HV2, "hv3": HV3}, 1514, underlay.now)
    underlay.run(8)
    assert underlay.sizes.narrow == {"hv2": 1456}


def test_two_losses_are_no_news_and_no_round_has_more_probes_than_allowed(
    underlay: Underlay,
) -> None:
    underlay.carries = {"hv2": 1400}
    underlay.sizes.use({"hv2": HV2}, 1514, underlay.now)
    underlay.run(2 * ANSWER_SECONDS)
    underlay.carries = {"hv2": 1514}
    underlay.run(5)
    assert not underlay.sizes.narrow
    underlay.carries = {"hv2": 700}
    underlay.run(INTERVAL * 2)
    assert underlay.sizes.narrow == {"hv2": 700}
    underlay.carries = {"hv2": 650}
    rounds = [len(underlay.run(0.1)) for _ in range(400)]
    assert underlay.sizes.narrow == {"hv2": 650}
    assert max(rounds) == PROBES_OF_ROUND + 1


def test_a_dead_tunnel_says_nothing_of_sizes(underlay: Underlay) -> None:
    underlay.carries = {"hv2": -1}
    underlay.sizes.use({"hv2": HV2}, 1514, underlay.now)
    underlay.run(60)
    assert not underlay.sizes.narrow
    underlay.carries = {"hv2": 1456}
    underlay.run(10)
    assert underlay.sizes.narrow == {"hv2": 1456}
    underlay.carries = {"hv2": -1}
    underlay.run(60)
    assert underlay.sizes.narrow == {"hv2": 1456}


def test_an_underlay_that_carries_more_is_noticed(underlay: Underlay) -> None:
    underlay.carries = {"hv2": 1400}
    underlay.sizes.use({"hv2": HV2}, 9014, underlay.now)
    underlay.run(10)
    assert underlay.sizes.narrow == {"hv2": 1400}
    underlay.carries = {"hv2": 1442}
    underlay.run(INTERVAL + 8)
    assert underlay.sizes.narrow == {"hv2": 1442}
    underlay.carries = {"hv2": 9100}
    underlay.run(INTERVAL + 8)
    assert not underlay.sizes.narrow


def test_an_underlay_that_carries_less_is_noticed(underlay: Underlay) -> None:
    underlay.carries = {"hv2": 1514}
    underlay.sizes.use({"hv2": HV2}, 1514, underlay.now)
    underlay.run(30)
    underlay.carries = {"hv2": 1300}
    underlay.run(INTERVAL + 10)
    assert underlay.sizes.narrow == {"hv2": 1300}


def test_what_carries_less_than_every_host_takes_counts_as_that(underlay: Underlay) -> None:
    underlay.carries = {"hv2": 100}
    underlay.sizes.use({"hv2": HV2}, 1514, underlay.now)
    underlay.run(60)
    assert underlay.sizes.narrow == {"hv2": SMALLEST}


def test_a_late_answer_proves_its_size(underlay: Underlay) -> None:
    underlay.carries = {"hv2": 1300}
    underlay.sizes.use({"hv2": HV2}, 1514, underlay.now)
    underlay.run(10)
    sent = underlay.run(INTERVAL)
    late = [probe for probe in sent if probe.size == 1514][-1]
    assert underlay.sizes.narrow == {"hv2": 1300}
    assert underlay.sizes.answered(late.nonce, underlay.now)
    assert not underlay.sizes.narrow
    assert not underlay.sizes.answered(late.nonce, underlay.now)
    assert not underlay.sizes.answered(b"never sent", underlay.now)


def test_workloads_that_send_less_or_more_change_what_is_wanted(underlay: Underlay) -> None:
    underlay.carries = {"hv2": 1456}
    underlay.sizes.use({"hv2": HV2}, 1456, underlay.now)
    underlay.run(20)
    assert not underlay.sizes.narrow
    underlay.sizes.use({"hv2": HV2}, 9014, underlay.now)
    underlay.run(10)
    assert underlay.sizes.narrow == {"hv2": 1456}
    underlay.sizes.use({"hv2": HV2}, 1456, underlay.now)
    assert not underlay.sizes.narrow


def test_another_address_is_another_tunnel(underlay: Underlay) -> None:
    underlay.carries = {"hv2": 1300}
    underlay.sizes.use({"hv2": HV2}, 1514, underlay.now)
    underlay.run(10)
    underlay.sizes.use({"hv2": HV3}, 1514, underlay.now)
    assert not underlay.sizes.narrow
    underlay.sizes.use({}, 1514, underlay.now)
    assert not list(underlay.sizes.due(underlay.now + 100))
    assert underlay.sizes.next_due == float("inf")


def test_probes_that_could_not_be_sent_say_nothing_of_sizes(underlay: Underlay) -> None:
    underlay.carries = {"hv2": 1514}
    underlay.sends = 700
    underlay.sizes.use({"hv2": HV2}, 1514, underlay.now)
    assert {probe.size for probe in underlay.run(60)} == {0}
    assert not underlay.sizes.narrow
    underlay.carries = {"hv2": 1300}
    underlay.sends = 1514
    underlay.run(10)
    assert underlay.sizes.narrow == {"hv2": 1300}
    underlay.carries = {"hv2": 1200}
    underlay.sends = 1250
    underlay.run(60)
    assert underlay.sizes.narrow == {"hv2": 1300}


def test_a_round_ends_with_the_first_probe_that_could_not_be_sent() -> None:
    numbers = count(1)
    sizes = PathSizes(lambda: next(numbers).to_bytes(16), lambda low, _high: low)
    sizes.use({"hv2": HV2, "hv3": HV3}, 1514, 0.0)
    handed_out = []
    for probe in sizes.due(0.0):
        handed_out.append((probe.chassis, probe.size))
        if probe.chassis == "hv2":
            sizes.cannot_probe("hv2", 0.0)
    assert handed_out == [("hv2", 0), ("hv3", 0), ("hv3", 1514)]
    assert not list(sizes.due(RETRY_SECONDS - 1.1))
    again = [probe for probe in sizes.due(RETRY_SECONDS) if probe.chassis == "hv2"]
    assert [probe.size for probe in again] == [0, 1514]


@given(
    wanted=st.integers(600, 65_000),
    carries=st.lists(st.integers(SMALLEST, 65_000), min_size=1, max_size=3),
)
def test_whatever_a_tunnel_carries_is_found(wanted: int, carries: list[int]) -> None:
    underlay = Underlay()
    underlay.sizes.use({"hv2": HV2}, wanted, underlay.now)
    for size in carries:
        underlay.carries = {"hv2": size}
        underlay.run(2 * INTERVAL + 20)
        assert underlay.sizes.narrow == ({"hv2": size} if size < wanted else {})
