"""When a switch is seen not to run."""

import asyncio
import math

from chassis_agent.gateways.pulse import INTERVAL, LONGEST_PAUSE, SwitchPulse
from chassis_agent.openflow.errors import ConnectionLostError


class Switch:
    """Answers after `seconds` by its clock, or not at all where these are None."""

    def __init__(self) -> None:
        self.now = 100.0
        self.seconds: float | None = 0.01
        self.is_of_use = True
        self.asked = 0
        self.pulse = SwitchPulse(self.echo, lambda: self.is_of_use, lambda: self.now)

    async def echo(self) -> None:
        self.asked += 1
        if self.seconds is None:
            raise ConnectionLostError("there is no connection to the switch")
        self.now += self.seconds

    def ask(self) -> float:
        """Ask once, an interval after the last time; return the last stall."""
        self.now += INTERVAL
        asyncio.run(self.pulse.ask())
        return self.pulse.last_stall()


def test_a_switch_that_answers_did_not_stall() -> None:
    switch = Switch()
    assert [switch.ask() for _ in range(3)] == [-math.inf] * 3


def test_a_late_answer_is_a_stall_until_then() -> None:
    switch = Switch()
    switch.ask()
    switch.seconds = LONGEST_PAUSE
    assert switch.ask() == switch.now
    stalled, switch.seconds = switch.now, 0.01
    assert switch.ask() == stalled


def test_it_stalls_as_long_as_no_answer_comes() -> None:
    switch = Switch()
    switch.ask()
    switch.now += LONGEST_PAUSE + 1.0
    assert switch.pulse.last_stall() == switch.now


def test_a_switch_without_a_connection_stalls() -> None:
    switch = Switch()
    switch.seconds = None
    assert switch.ask() == switch.now


def test_nothing_is_asked_and_told_where_it_is_of_no_use() -> None:
    switch = Switch()
    switch.ask()
    switch.is_of_use = False
    switch.ask()
    switch.now += 60.0
    assert switch.pulse.last_stall() == -math.inf
    assert switch.asked == 1
