"""What is known of tunnels, by which probes were answered."""

from collections.abc import Iterable
from ipaddress import ip_address
from itertools import count

import pytest

from chassis_agent.physical.probes import fingerprint
from chassis_agent.underlay.peers import LOSSES, PROBES_PER_SECOND, Fault, Peers, Probe

HV2, HV3 = ip_address("192.0.2.2"), ip_address("192.0.2.3")


class Underlay:
    """Peers with a clock, and chassis that answer or don't."""

    def __init__(self) -> None:
        numbers = count(1)
        self.peers = Peers(lambda: next(numbers).to_bytes(16), lambda low, high: (low + high) / 2)
        self.now = 1000.0
        self.answers: dict[str, str] = {}
        self.sent: list[Probe] = []

    def use(self, **ways: str) -> None:
        others = {fingerprint(name): name for name in (*ways, "hv9")}
        self.peers.use(
            {name: ip_address(way) if way else None for name, way in ways.items()}, others, self.now
        )

    def run(self, seconds: float) -> None:
        """Who is in `answers` answers at once, in the name that stands there."""
        end = self.now + seconds
        while self.now < end:
            self.now += 0.1
            for probe in list(self.peers.due(self.now)):
                self.sent.append(probe)
                if probe.chassis in self.answers:
                    self.answer(probe, self.answers[probe.chassis])

    def answer(self, probe: Probe, name: str) -> bool:
        return self.peers.answered(probe.nonce, fingerprint(name), self.now)


@pytest.fixture
def underlay() -> Underlay:
    return Underlay()


def test_nothing_is_known_before_an_answer_or_three_losses(underlay: Underlay) -> None:
    underlay.use(hv2="192.0.2.2", hv3="192.0.2.3")
    assert underlay.peers.pending == {"hv2", "hv3"}
    underlay.answers = {"hv2": "hv2"}
    underlay.run(1.5)
    assert underlay.peers.pending == {"hv3"}
    assert underlay.peers.reachable == 1
    assert not underlay.peers.faults


def test_a_silent_one_is_unreachable_since_its_first_lost_probe(underlay: Underlay) -> None:
    underlay.use(hv2="192.0.2.2")
    underlay.run(0.3)
    (first,) = underlay.sent
    sent_at = underlay.now
    underlay.run(5)
    fault = underlay.peers.faults["hv2"]
    assert fault[:1] + fault[2:] == ("no-answer", "192.0.2.2", "")
    assert abs(fault.since - sent_at) < 0.3
    underlay.run(20)
    assert underlay.peers.faults["hv2"] == fault
    assert first.address == HV2


def test_one_that_answers_again_is_reachable_and_loses_its_fault(underlay: Underlay) -> None:
    underlay.use(hv2="192.0.2.2")
    underlay.run(6)
    assert underlay.peers.faults
    underlay.answers = {"hv2": "hv2"}
    underlay.run(7)
    assert not underlay.peers.faults
    assert not underlay.peers.pending


def test_a_lost_packet_or_two_are_no_news(underlay: Underlay) -> None:
    underlay.answers = {"hv2": "hv2"}
    underlay.use(hv2="192.0.2.2")
    underlay.run(1)
    sent = len(underlay.sent)
    underlay.answers = {}
    while len(underlay.sent) < sent + LOSSES:
        underlay.run(0.1)
    underlay.answers = {"hv2": "hv2"}
    underlay.run(3)
    assert underlay.peers.reachable == 1


def test_a_late_answer_counts(underlay: Underlay) -> None:
    underlay.use(hv2="192.0.2.2")
    underlay.run(2.5)
    first, *_ = underlay.sent
    assert underlay.answer(first, "hv2")
    assert underlay.peers.reachable == 1
    assert not underlay.answer(underlay.sent[1], "hv2"), "nobody waits for it any more"


def test_an_address_that_is_another_hosts_now(underlay: Underlay) -> None:
    underlay.answers = {"hv2": "hv9"}
    underlay.use(hv2="192.0.2.2")
    underlay.run(6)
    fault = underlay.peers.faults["hv2"]
    assert (fault.reason, fault.other) == ("other-chassis", "hv9")
    underlay.answers = {"hv2": "who is that"}
    underlay.run(20)
    assert underlay.peers.faults["hv2"] == fault._replace(other="")


def test_answers_that_none_asked_for_are_nothing(underlay: Underlay) -> None:
    underlay.use(hv2="192.0.2.2")
    underlay.run(1)
    assert not underlay.peers.answered(b"x" * 16, fingerprint("hv2"), underlay.now)
    assert underlay.peers.pending == {"hv2"}


def test_without_a_common_family_nothing_is_probed(underlay: Underlay) -> None:
    underlay.use(hv2="")
    assert underlay.peers.faults == {"hv2": Fault("no-common-family", 1000.0)}
    underlay.run(5)
    assert not underlay.sent
    underlay.use(hv2="2001:db8::2")
    assert underlay.peers.pending == {"hv2"}


def test_another_address_is_probed_anew_and_one_out_of_use_no_more(underlay: Underlay) -> None:
    underlay.answers = {"hv2": "hv2"}
    underlay.use(hv2="192.0.2.2")
    underlay.run(1)
    underlay.use(hv2="192.0.2.3")
    assert underlay.peers.pending == {"hv2"}
    underlay.run(0.5)
    assert underlay.sent[-1].address == HV3
    underlay.use()
    before = len(underlay.sent)
    underlay.run(10)
    assert len(underlay.sent) == before
    assert not underlay.peers.pending


def test_what_was_known_is_not_known_while_no_probe_can_be_sent(underlay: Underlay) -> None:
    underlay.answers = {"hv2": "hv2"}
    underlay.use(hv2="192.0.2.2", hv3="192.0.2.3", hv4="")
    underlay.run(6)
    assert underlay.peers.faults.keys() == {"hv3", "hv4"}
    underlay.peers.cannot_probe(underlay.now)
    assert underlay.peers.pending == {"hv2", "hv3"}
    assert underlay.peers.faults.keys() == {"hv4"}


def names(probes: Iterable[Probe]) -> list[str]:
    return [probe.chassis for probe in probes]


def test_of_another_switch_nothing_is_known_but_what_was_wrong(underlay: Underlay) -> None:
    """Until an answer, which is asked for at once."""
    underlay.use(hv2="192.0.2.2", hv3="192.0.2.3", hv4="")
    underlay.answers = {"hv2": "hv2"}
    underlay.run(5)
    faults = underlay.peers.faults
    assert (underlay.peers.reachable, set(faults)) == (1, {"hv3", "hv4"})
    underlay.peers.ask_anew(underlay.now)
    assert (underlay.peers.reachable, underlay.peers.pending) == (0, {"hv2"})
    assert underlay.peers.faults == faults
    underlay.sent.clear()
    underlay.run(0.3)
    assert {probe.chassis for probe in underlay.sent} == {"hv2", "hv3"}
    assert (underlay.peers.reachable, underlay.peers.faults) == (1, faults)


def test_probes_are_bounded_and_those_that_wait_longest_go_first(underlay: Underlay) -> None:
    underlay.use(**{f"hv{n}": f"192.0.2.{n}" for n in range(1, 251)})
    underlay.now += 1
    rounds = [names(underlay.peers.due(underlay.now)) for _ in range(25)]
    assert all(len(each) <= PROBES_PER_SECOND / 10 for each in rounds)
    assert len({name for each in rounds for name in each}) == 250
