"""What BFD tells of other chassis: when they count as dead, and when this one does."""

from chassis_agent.gateways.sessions import HOLD_SECONDS, PEER, SETTLING_SECONDS, TunnelSessions
from chassis_agent.ovsdb.bfd import BfdState, BfdStatus
from chassis_agent.ovsdb.view import Bridge, Interface


class Host:
    """A bridge with sessions, and a clock."""

    def __init__(self) -> None:
        self.now = 100.0
        self.sessions = TunnelSessions(lambda: self.now)

    def look(self, *, connected: bool = True, **up: bool | None) -> dict[str, str]:
        """The states of sessions that are up, down, or told nothing of; and of this host."""
        interfaces = {
            chassis: Interface(
                f"tb-{chassis}",
                ofport=7,
                external_ids={PEER: chassis},
                bfd=None if is_up is None else _status(is_up=is_up),
            )
            for chassis, is_up in up.items()
        }
        found = self.sessions.look(Bridge("br-int", interfaces=interfaces))
        states = {chassis: str(session.state) for chassis, session in found.items()}
        if self.sessions.is_isolated(is_connected=connected):
            states["isolated"] = "yes"
        return states


def _status(*, is_up: bool) -> BfdStatus:
    return BfdStatus(BfdState.UP if is_up else BfdState.DOWN, is_up)


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
    assert host.look(a=False, b=False) == {"a": "unsettled", "b": "unsettled"}
    host.now += HOLD_SECONDS
    for _ in range(3):
        assert host.look(a=False, b=False) == {"a": "down", "b": "down", "isolated": "yes"}
    assert host.look(a=True, b=False) == {"a": "up", "b": "unsettled"}, "all begin anew"
    host.now += SETTLING_SECONDS
    assert host.look(a=True, b=False) == {"a": "up", "b": "down"}


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
