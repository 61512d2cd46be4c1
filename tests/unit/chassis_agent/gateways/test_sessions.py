"""What BFD tells of other chassis: when they count as dead, and when this one does."""

import math

import pytest

from chassis_agent.gateways.sessions import (
    HOLD_SECONDS,
    PEER,
    SETTLING_SECONDS,
    TOGETHER_SECONDS,
    TunnelSessions,
)
from chassis_agent.ovsdb.bfd import BfdState, BfdStatus
from chassis_agent.ovsdb.view import Bridge, Interface


class Host:
    """A bridge with sessions, and a clock."""

    def __init__(self) -> None:
        self.now = 100.0
        self.stall = -math.inf
        self.flaps = 0
        self.sessions = TunnelSessions(lambda: self.now, lambda: self.stall)

    def look(self, *, connected: bool = True, **up: bool | None) -> dict[str, str]:
        """The states of sessions that are up, down, or told nothing of; and of this host."""
        interfaces = {
            chassis: Interface(
                f"tb-{chassis}",
                ofport=7,
                external_ids={PEER: chassis},
                bfd=None if is_up is None else _status(is_up=is_up, flaps=self.flaps),
            )
            for chassis, is_up in up.items()
        }
        found = self.sessions.look(Bridge("br-int", interfaces=interfaces))
        states = {chassis: str(session.state) for chassis, session in found.items()}
        if self.sessions.is_isolated(is_connected=connected):
            states["isolated"] = "yes"
        return states


def _status(*, is_up: bool, flaps: int) -> BfdStatus:
    return BfdStatus(BfdState.UP if is_up else BfdState.DOWN, is_up, flaps=flaps)


def test_a_session_that_has_only_begun_is_no_dead_chassis() -> None:
    host = Host()
    assert host.look(a=False, b=None) == {"a": "unsettled", "b": "unsettled"}
    assert host.sessions.next_change == SETTLING_SECONDS
    host.now += SETTLING_SECONDS
    assert host.look(a=False, b=True) == {"a": "down", "b": "up"}
    assert host.sessions.next_change is None


def test_a_session_that_was_up_is_down_soon() -> None:
    host = Host()
    host.look(a=True, b=True)
    assert host.look(a=False, b=True) == {"a": "unsettled", "b": "up"}
    host.now += HOLD_SECONDS
    assert host.look(a=False, b=True) == {"a": "down", "b": "up"}


def test_a_chassis_that_has_lost_all_is_cut_off_itself() -> None:
    host = Host()
    host.look(a=True, b=True)
    assert host.look(a=False, b=True) == {"a": "unsettled", "b": "up"}
    host.now += HOLD_SECONDS / 2
    lost = {"a": "unsettled", "b": "unsettled", "isolated": "yes"}
    assert host.look(a=False, b=False) == lost
    host.now += HOLD_SECONDS
    for _ in range(3):
        assert host.look(a=False, b=False) == {"a": "down", "b": "down", "isolated": "yes"}
    assert host.sessions.next_change is None


def test_one_that_was_cut_off_is_so_until_all_are_back() -> None:
    """The first one that is back doesn't mean that the others are dead."""
    host = _cut_off()
    assert host.look(a=True, b=False) == {"a": "up", "b": "unsettled", "isolated": "yes"}
    host.now += SETTLING_SECONDS / 2
    assert host.look(a=True, b=False) == {"a": "up", "b": "unsettled", "isolated": "yes"}
    assert host.look(a=True, b=True) == {"a": "up", "b": "up"}
    assert host.sessions.times_cut_off == 1


def test_one_that_was_cut_off_waits_for_the_others_for_a_while() -> None:
    host = _cut_off()
    host.look(a=True, b=False)
    assert host.sessions.next_change == SETTLING_SECONDS
    host.now += SETTLING_SECONDS
    assert host.look(a=True, b=False) == {"a": "up", "b": "down"}


def _cut_off() -> Host:
    host = Host()
    host.look(a=True, b=True)
    host.look(a=False, b=False)
    host.now += 10.0
    assert host.look(a=False, b=False) == {"a": "down", "b": "down", "isolated": "yes"}
    return host


def test_all_that_die_one_after_another_leave_the_last_one_in_charge() -> None:
    host = Host()
    host.look(a=True, b=True)
    host.look(a=False, b=True)
    host.now += HOLD_SECONDS + TOGETHER_SECONDS
    assert host.look(a=False, b=True) == {"a": "down", "b": "up"}
    host.look(a=False, b=False)
    host.now += HOLD_SECONDS
    assert host.look(a=False, b=False) == {"a": "down", "b": "down"}
    assert host.look(a=False, b=False, connected=False)["isolated"] == "yes"


@pytest.mark.parametrize("others", [{}, {"b": True}, {"b": False}])
def test_sessions_that_go_down_after_a_stall_say_nothing_of_their_peers(
    others: dict[str, bool],
) -> None:
    """A switch that had not run finds them down, one after another."""
    host = Host()
    host.look(a=True, **dict.fromkeys(others, True))
    host.now += 60.0
    host.stall = host.now
    host.now += 0.1
    for _ in range(3):
        states = host.look(a=False, **others)
        assert (states["a"], states["isolated"]) == ("unsettled", "yes")
        host.now += HOLD_SECONDS
    assert "isolated" not in host.look(a=True, **dict.fromkeys(others, True))


def test_a_flap_that_was_not_seen_counts_after_a_stall() -> None:
    """Others have taken over meanwhile: what is in charge again tells so anew."""
    host = Host()
    host.look(a=True, b=True)
    host.stall = host.now
    host.flaps = 2
    assert host.look(a=True, b=True) == {"a": "up", "b": "up"}
    assert host.sessions.times_cut_off == 1


def test_returns_of_a_session_are_counted() -> None:
    """Also of one that was away between two looks; that it begins is none."""
    host = Host()

    def returns(*, is_up: bool, flaps: int) -> int:
        host.flaps = flaps
        host.look(a=is_up, b=True)
        return host.sessions.sessions["a"].returns

    assert returns(is_up=False, flaps=0) == 0
    assert returns(is_up=True, flaps=1) == 0
    assert returns(is_up=False, flaps=2) == 0
    assert returns(is_up=True, flaps=3) == 1
    assert returns(is_up=True, flaps=3) == 1
    assert returns(is_up=True, flaps=5) == 2
    host.look(b=True)
    assert returns(is_up=True, flaps=1) == 0, "of another session"


def test_a_peer_that_stays_away_after_a_stall_is_dead() -> None:
    host = Host()
    host.look(a=True, b=True)
    host.stall = host.now
    host.look(a=False, b=True)
    host.now += SETTLING_SECONDS
    assert host.look(a=False, b=True) == {"a": "down", "b": "up"}


def test_a_stall_without_a_loss_is_no_matter() -> None:
    host = Host()
    host.look(a=True, b=True)
    host.look(a=False, b=True)
    host.now += 10.0
    assert host.look(a=False, b=True) == {"a": "down", "b": "up"}
    host.stall = host.now
    assert host.look(a=False, b=True) == {"a": "down", "b": "up"}
    assert host.sessions.times_cut_off == 0


def test_of_two_chassis_the_one_that_the_server_hears_is_not_cut_off() -> None:
    host = Host()
    host.look(a=True)
    host.look(a=False)
    host.now += HOLD_SECONDS
    assert host.look(a=False) == {"a": "down"}
    assert host.look(a=False, connected=False) == {"a": "down", "isolated": "yes"}


def test_a_session_that_is_gone_is_forgotten() -> None:
    host = Host()
    host.look(a=True, b=True)
    host.look(b=True)
    assert host.look(a=False, b=True) == {"a": "unsettled", "b": "up"}
