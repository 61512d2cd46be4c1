"""What BFD over the tunnels tells of other chassis, read from the interfaces that it runs on.

A session that has never been up is *unsettled* for a while: it has only just begun, or its
other end has. A chassis is not taken for dead before. When all of several sessions were down, it
was this end that had gone, and they all begin anew: the first one that is up again says nothing
of the others yet.
"""

from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple

from chassis_agent.ovsdb.view import Bridge, Interface

PEER: Final = "treadle-chassis"
"""The key of an interface's ``external_ids`` that names the chassis at the other end."""

SETTLING_SECONDS: Final = 3.0
HOLD_SECONDS: Final = 0.15
"""For how long a session that was up is unsettled after it went down: where it was this end that
had stopped, the other sessions go down within that time, too."""

SessionState = Literal["up", "down", "unsettled"]


class TunnelSession(NamedTuple):
    """The tunnel port towards a chassis on which BFD runs (0 while it has none), by chassis."""

    ofport: int
    state: SessionState


class GatewayHost(NamedTuple):
    """Whether this chassis has lost all others, so that it is the one that is cut off."""

    is_isolated: bool


class TunnelSessions:
    """Follows the sessions of a bridge. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._due: dict[str, float] = {}
        """When a session that isn't up will be down, by chassis."""
        self._settled: set[str] = set()
        self._has_lost_all = False
        self.sessions: Mapping[str, TunnelSession] = {}
        """By chassis, as of the last look."""

    def look(self, bridge: Bridge) -> Mapping[str, TunnelSession]:
        """Return the sessions by chassis."""
        interfaces = {
            interface.external_ids[PEER]: interface
            for interface in bridge.interfaces.values()
            if PEER in interface.external_ids
        }
        for chassis in self._due.keys() - interfaces.keys():
            del self._due[chassis]
        self._settled &= interfaces.keys()
        if self._has_lost_all and any(map(_is_usable, interfaces.values())):
            self._settled.clear()
            self._due.clear()
        self.sessions = {
            chassis: TunnelSession(_ofport(interface), self._state(chassis, interface))
            for chassis, interface in interfaces.items()
        }
        states = {session.state for session in self.sessions.values()}
        self._has_lost_all = len(interfaces) > 1 and states == {"down"}
        return self.sessions

    @property
    def next_change(self) -> float | None:
        """In how many seconds a session will no longer be unsettled, if there are such."""
        due = [
            self._due[chassis]
            for chassis, session in self.sessions.items()
            if session.state == "unsettled"
        ]
        return max(0.0, min(due) - self._clock()) if due else None

    def is_isolated(self, *, is_connected: bool) -> bool:
        """Return whether this chassis is cut off, and not all of the others.

        It is if no session is up any more, of several: that all others die at once is less likely.
        With one other chassis there is no telling by that, so the connection to the server
        decides (`is_connected`): who still has it has a network.
        """
        are_down = all(session.state == "down" for session in self.sessions.values())
        return self._has_lost_all or (bool(self.sessions) and are_down and not is_connected)

    def _state(self, chassis: str, interface: Interface) -> SessionState:
        if _is_usable(interface):
            self._settled.add(chassis)
            self._due.pop(chassis, None)
            return "up"
        now = self._clock()
        patience = HOLD_SECONDS if chassis in self._settled else SETTLING_SECONDS
        return "unsettled" if now < self._due.setdefault(chassis, now + patience) else "down"


def _is_usable(interface: Interface) -> bool:
    return interface.bfd is not None and bool(interface.bfd.is_usable)


def _ofport(interface: Interface) -> int:
    return interface.ofport or 0 if interface.is_plugged else 0
