"""States and timers of a session, one end alone and two over a link that loses packets."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis_agent.bfd.machine import SLOW, Machine, Parameters
from chassis_agent.bfd.packet import BadControlPacketError, ControlPacket, Diagnostic, State

FAST = Parameters(300_000, 200_000, 3)
THEIRS = 77


def _slowest(_low: float, high: float) -> float:
    return high


def _machine(parameters: Parameters = FAST) -> Machine:
    return Machine(parameters, 5, 0.0, _slowest)


def _told(state: State, **fields: object) -> ControlPacket:
    known = 0 if state in (State.DOWN, State.ADMIN_DOWN) else 5
    packet = ControlPacket(state, 3, THEIRS, known, 100_000, 100_000)
    return packet._replace(**fields)  # type: ignore[arg-type]


def _up(parameters: Parameters = FAST) -> Machine:
    """A machine that is up, and whose new intervals the neighbour has confirmed, at 0 s."""
    machine = _machine(parameters)
    machine.receive(_told(State.INIT), 0.0)
    machine.receive(_told(State.UP, final=True), 0.0)
    assert machine.state is State.UP
    return machine


def test_it_begins_down_and_slowly() -> None:
    machine = _machine()
    (packet,) = machine.tick(0.0)
    assert packet == ControlPacket(State.DOWN, 3, 5, 0, SLOW, 200_000)
    assert machine.tick(0.9) == []
    assert machine.next_event == 1.0
    assert len(machine.tick(1.0)) == 1


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ([State.DOWN], State.INIT),
        ([State.INIT], State.UP),
        ([State.UP], State.DOWN),
        ([State.ADMIN_DOWN], State.DOWN),
        ([State.DOWN, State.DOWN], State.INIT),
        ([State.DOWN, State.INIT], State.UP),
        ([State.DOWN, State.UP], State.UP),
        ([State.DOWN, State.ADMIN_DOWN], State.DOWN),
        ([State.INIT, State.INIT], State.UP),
        ([State.INIT, State.UP], State.UP),
        ([State.INIT, State.DOWN], State.DOWN),
        ([State.INIT, State.ADMIN_DOWN], State.DOWN),
    ],
)
def test_states_follow_those_of_the_neighbour(told: list[State], state: State) -> None:
    machine = _machine()
    for each in told:
        machine.receive(_told(each), 0.0)
    assert machine.state is state


def test_a_neighbour_that_says_that_it_is_down_is_the_reason() -> None:
    machine = _up()
    (packet,) = machine.receive(_told(State.DOWN), 0.1)
    assert (packet.state, packet.diagnostic) == (State.DOWN, Diagnostic.NEIGHBOUR_SAID_SO)


def test_a_change_of_state_is_told_at_once() -> None:
    machine = _machine()
    machine.tick(0.0)
    (packet,) = machine.receive(_told(State.DOWN), 0.1)
    assert (packet.state, packet.your_discriminator) == (State.INIT, THEIRS)


def test_silence_of_the_detection_time_is_the_end() -> None:
    machine = _up()
    assert machine.detection_time == pytest.approx(0.6)
    machine.receive(_told(State.UP), 1.0)
    machine.tick(1.59)
    assert machine.state is State.UP
    (packet,) = machine.tick(1.61)
    assert packet.state is State.DOWN
    assert packet.diagnostic is Diagnostic.DETECTION_TIME_EXPIRED
    assert packet.your_discriminator == 0
    assert packet.desired_min_tx == SLOW


def test_the_slower_of_both_decides_how_often_packets_are_sent() -> None:
    machine = _up()
    assert machine.send_interval == pytest.approx(0.3)
    machine.receive(_told(State.UP, required_min_rx=700_000), 0.0)
    assert machine.send_interval == pytest.approx(0.7)


def test_packets_are_irregular() -> None:
    def bounds(low: float, high: float) -> float:
        asked.append((low, high))
        return low

    asked: list[tuple[float, float]] = []
    Machine(FAST, 5, 0.0, bounds).tick(0.0)
    Machine(FAST._replace(detect_mult=1), 5, 0.0, bounds).tick(0.0)
    assert asked == [(0.75, 1.0), (0.75, 0.9)]


def test_a_poll_is_answered_at_once_and_delays_nothing() -> None:
    machine = _up()
    machine.tick(0.0)
    due = machine.next_event
    (packet,) = machine.receive(_told(State.UP, poll=True), 0.1)
    assert packet.final
    assert not packet.poll
    assert machine.next_event == due


def test_the_neighbour_is_polled_until_it_confirms_new_intervals() -> None:
    machine = _machine()
    (packet,) = machine.receive(_told(State.INIT), 0.0)
    assert packet.poll
    assert packet.desired_min_tx == 300_000
    (packet,) = machine.tick(0.3)
    assert packet.poll
    machine.receive(_told(State.UP, final=True), 0.4)
    (packet,) = machine.tick(0.6)
    assert not packet.poll


def test_longer_intervals_hold_once_the_neighbour_has_confirmed_them() -> None:
    machine = _up()
    machine.change(FAST._replace(min_tx=900_000), 0.0)
    assert machine.send_interval == pytest.approx(0.3)
    machine.receive(_told(State.UP, final=True), 0.1)
    assert machine.send_interval == pytest.approx(0.9)


def test_a_shorter_detection_time_holds_once_the_neighbour_has_confirmed_it() -> None:
    machine = _up(FAST._replace(min_rx=800_000))
    assert machine.detection_time == pytest.approx(2.4)
    machine.change(FAST, 0.0)
    assert machine.detection_time == pytest.approx(2.4)
    machine.receive(_told(State.UP, final=True), 0.1)
    assert machine.detection_time == pytest.approx(0.6)


def test_what_changes_during_a_poll_is_polled_for_again() -> None:
    machine = _up()
    machine.change(FAST._replace(min_tx=900_000), 0.0)
    machine.change(FAST._replace(min_tx=800_000), 0.0)
    machine.receive(_told(State.UP, final=True), 0.1)
    assert machine.send_interval == pytest.approx(0.3)
    machine.receive(_told(State.UP, final=True), 0.2)
    assert machine.send_interval == pytest.approx(0.8)


def test_a_neighbour_that_wants_no_packets_gets_none_but_answers() -> None:
    machine = _up()
    machine.receive(_told(State.UP, required_min_rx=0), 0.0)
    assert machine.tick(0.4) == []
    (packet,) = machine.receive(_told(State.UP, required_min_rx=0, poll=True), 0.4)
    assert packet.final


def test_it_falls_silent_for_a_neighbour_in_demand_mode() -> None:
    machine = _up()
    machine.receive(_told(State.UP, demand=True), 0.0)
    assert machine.tick(0.4) == []
    machine.tick(0.7)
    assert machine.state is State.DOWN


def test_switched_off_it_says_so_for_a_while() -> None:
    machine = _up()
    (packet,) = machine.change(FAST._replace(enabled=False), 0.0)
    assert packet.state is State.ADMIN_DOWN
    assert packet.diagnostic is Diagnostic.ADMINISTRATIVELY_DOWN
    assert machine.receive(_told(State.INIT), 0.1) == []
    assert machine.state is State.ADMIN_DOWN
    now = 0.0
    while machine.next_event < math.inf:
        now = machine.next_event
        machine.tick(now)
    assert 2.0 < now < 5.0
    (packet,) = machine.change(FAST, 9.0)
    assert packet.state is State.DOWN


def test_one_that_begins_switched_off_says_nothing() -> None:
    machine = _machine(FAST._replace(enabled=False))
    assert machine.tick(0.0) == []
    assert machine.next_event == math.inf


def test_what_is_of_another_session_changes_nothing() -> None:
    machine = _up()
    with pytest.raises(BadControlPacketError, match="session"):
        machine.receive(_told(State.DOWN, your_discriminator=6), 0.1)
    assert machine.state is State.UP


_parameters = st.builds(
    Parameters,
    st.integers(100_000, 1_000_000),
    st.integers(100_000, 1_000_000),
    st.integers(1, 6),
    st.just(True),
)


@settings(deadline=None, max_examples=30)
@given(_parameters, _parameters, st.integers(0, 2**32), st.floats(0, 0.5))
def test_two_meet_over_a_link_that_loses_packets(
    ours: Parameters, theirs: Parameters, seed: int, loss: float
) -> None:
    """They get up, stay so while nothing is lost, and both go down when the link is cut."""
    chance = random.Random(seed)
    ends = [
        Machine(ours, 1, 0.0, chance.uniform),
        Machine(theirs, 2, chance.uniform(0, 1), chance.uniform),
    ]
    now = 0.0

    def run(until: float, lost: float) -> None:
        nonlocal now
        sent = 0
        while (soonest := min(end.next_event for end in ends)) < until:
            now = max(now, soonest)
            for end, other in (ends, ends[::-1]):
                packets = [(other, packet) for packet in end.tick(now)]
                while packets:
                    to, packet = packets.pop()
                    sent += 1
                    if chance.random() >= lost:
                        back = ends[0] if to is ends[1] else ends[1]
                        packets += [(back, answer) for answer in to.receive(packet, now)]
            assert sent < 100_000
        now = until

    run(20.0, loss)
    run(40.0, 0.0)
    assert [end.state for end in ends] == [State.UP, State.UP]
    run(60.0, 0.0)
    assert [end.state for end in ends] == [State.UP, State.UP]
    run(80.0, 1.0)
    assert [end.state for end in ends] == [State.DOWN, State.DOWN]


_packets = st.builds(
    ControlPacket,
    st.sampled_from(State),
    st.integers(1, 255),
    st.integers(1, 2**32 - 1),
    st.sampled_from([0, 5, 6]),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    diagnostic=st.integers(0, 31),
    poll=st.booleans(),
    final=st.booleans(),
    demand=st.booleans(),
    required_min_echo_rx=st.integers(0, 2**32 - 1),
)
_steps = st.one_of(_packets, st.floats(0, 10), _parameters, st.just(FAST._replace(enabled=False)))


@given(st.lists(_steps, max_size=40))
def test_whatever_arrives_a_machine_goes_on(steps: list[object]) -> None:
    """No packet makes it fail, send more than one packet, or wake up all the time."""
    machine, now = _machine(), 0.0
    for step in steps:
        sent: list[ControlPacket] = []
        if isinstance(step, ControlPacket):
            try:
                sent = machine.receive(step, now)
            except BadControlPacketError:
                assert step.your_discriminator == 6
        elif isinstance(step, Parameters):
            sent = machine.change(step, now)
        elif isinstance(step, float):
            now += step
            sent = machine.tick(now)
            assert machine.next_event > now
        assert len(sent) <= 1
        assert all(packet.my_discriminator == 5 for packet in sent)
