"""What BFD over the tunnels tells of other chassis, read from the interfaces that it runs on.

A session that has never been up is *unsettled* for a while: it has only just begun, or its
other end has. A chassis is not taken for dead before.

Where it was this end that had gone, its sessions come back one after another, and the first one
that is up says nothing of the others yet. So a chassis that was *cut off* stays that until all
are up, or have had the time to be. It was cut off if several sessions went down together and none
is up, or if some went down after its switch had not run for a while: because of that.
"""

import math
from collections.abc import Callable, Collection, Mapping
from typing import Final, Literal, NamedTuple

from chassis_agent.ovsdb.view import Bridge, Interface

PEER: Final = "treadle-chassis"
"""The key of an interface's ``external_ids`` that names the chassis at the other end."""

SETTLING_SECONDS: Final = 3.0
HOLD_SECONDS: Final = 0.2
"""For how long a session that was up is unsettled after it went down: where it was this end that
had stopped, the other sessions go down within that time, too."""

TOGETHER_SECONDS: Final = 2.0
"""Sessions that go down within that time do for one reason."""

AFTER_STALL_SECONDS: Final = 1.5
"""For how long a session that goes down does because the switch had not run."""

SessionState = Literal["up", "down", "unsettled"]


class TunnelSession(NamedTuple):
    """The tunnel port towards a chassis on which BFD runs (0 while it has none), by chassis."""

    ofport: int
    state: SessionState
    returns: int = 0
    """How often it has been up again: the chassis may have been in charge of ports meanwhile."""


class GatewayHost(NamedTuple):
    """Whether this chassis is cut off, so that charge is for others."""

    is_isolated: bool


class TunnelSessions:
    """Follows the sessions of a bridge.

    `clock` gives seconds, and `last_stall` when the switch was last seen not to run, by that clock.
    """

    def __init__(
        self, clock: Callable[[], float], last_stall: Callable[[], float] = lambda: -math.inf
    ) -> None:
        self._clock = clock
        self._last_stall = last_stall
        self._due: dict[str, float] = {}
        """When a session that isn't up will be down, by chassis."""
        self._settled: dict[str, int | None] = {}
        """The sessions that were up and don't count as down, with how often they had flapped."""
        self._heard: dict[str, tuple[int | None, int]] = {}
        """How often sessions that have been up had flapped then, and how often they returned."""
        self._back_by: float | None = None
        """When this chassis is back in any case, where it is cut off; infinite while all are."""
        self.sessions: Mapping[str, TunnelSession] = {}
        """By chassis, as of the last look."""
        self.times_cut_off = 0

    @property
    def is_cut_off(self) -> bool:
        """Whether this chassis has lost the others, or not found all of them again."""
        return self._back_by is not None

    def look(self, bridge: Bridge) -> Mapping[str, TunnelSession]:
        """Return the sessions by chassis."""
        interfaces = {
            interface.external_ids[PEER]: interface
            for interface in bridge.interfaces.values()
            if PEER in interface.external_ids
        }
        for chassis in self._due.keys() - interfaces.keys():
            del self._due[chassis]
        for chassis in self._settled.keys() - interfaces.keys():
            del self._settled[chassis]
        for chassis in self._heard.keys() - interfaces.keys():
            del self._heard[chassis]
        self._look_whether_cut_off(interfaces)
        self.sessions = {
            chassis: TunnelSession(
                _ofport(interface),
                self._state(chassis, interface),
                self._returns(chassis, interface),
            )
            for chassis, interface in interfaces.items()
        }
        return self.sessions

    @property
    def next_change(self) -> float | None:
        """In how many seconds something is no longer as it was at the last look, if it is known."""
        due = [
            self._due[chassis]
            for chassis, session in self.sessions.items()
            if session.state == "unsettled"
        ]
        if self._back_by is not None and math.isfinite(self._back_by):
            due.append(self._back_by)
        return max(0.0, min(due) - self._clock()) if due else None

    def is_isolated(self, *, is_connected: bool) -> bool:
        """Return whether this chassis is cut off, and not all of the others.

        It is if several sessions went down together, and none is up: that all others die at once is
        less likely. With one other chassis there is no telling by that, so the connection to the
        server decides (`is_connected`): who still has it has a network.
        """
        are_down = all(session.state == "down" for session in self.sessions.values())
        return self.is_cut_off or (bool(self.sessions) and are_down and not is_connected)

    def _look_whether_cut_off(self, interfaces: Mapping[str, Interface]) -> None:
        now = self._clock()
        usable = {chassis for chassis, interface in interfaces.items() if _is_usable(interface)}
        stall = self._last_stall()
        back_by = self._back_by
        if back_by is None:
            if now - stall < AFTER_STALL_SECONDS and self._has_lost_some(interfaces):
                back_by = stall + SETTLING_SECONDS
            elif not usable and self._has_lost_several(interfaces):
                back_by = math.inf
            else:
                return
            self.times_cut_off += 1
        elif usable:
            back_by = min(back_by, now + SETTLING_SECONDS)
        if usable == interfaces.keys() or now >= back_by:
            back_by = None if usable or len(interfaces) <= 1 else math.inf
        self._back_by = back_by

    def _has_lost_several(self, interfaces: Collection[str]) -> bool:
        """Whether of sessions that are all down, several went down together."""
        now = self._clock()
        if not self._settled and any(now < self._due.get(name, math.inf) for name in interfaces):
            return False
        return sum(now < self._due.get(name, now) + TOGETHER_SECONDS for name in interfaces) > 1

    def _has_lost_some(self, interfaces: Mapping[str, Interface]) -> bool:
        """Whether a session that was up at the last look is not, or was not meanwhile."""
        return any(
            not _is_usable(interfaces[chassis]) or _flaps(interfaces[chassis]) != flaps
            for chassis, flaps in self._settled.items()
        )

    def _state(self, chassis: str, interface: Interface) -> SessionState:
        if _is_usable(interface):
            self._settled[chassis] = _flaps(interface)
            self._due.pop(chassis, None)
            return "up"
        now = self._clock()
        patience = HOLD_SECONDS if chassis in self._settled else SETTLING_SECONDS
        due = self._due.setdefault(chassis, now + patience)
        if self._back_by is not None and math.isfinite(self._back_by):
            due = self._due[chassis] = max(due, self._back_by)
        if now < due:
            return "unsettled"
        self._settled.pop(chassis, None)
        return "down"

    def _returns(self, chassis: str, interface: Interface) -> int:
        """How often a session has been up again; of one that is away, how often it had been."""
        flaps, returns = self._heard.get(chassis, (_flaps(interface), 0))
        if _is_usable(interface):
            returns += _flaps(interface) != flaps
            self._heard[chassis] = (_flaps(interface), returns)
        return returns


def _is_usable(interface: Interface) -> bool:
    return interface.bfd is not None and bool(interface.bfd.is_usable)


def _flaps(interface: Interface) -> int | None:
    return None if interface.bfd is None else interface.bfd.flaps


def _ofport(interface: Interface) -> int:
    return interface.ofport or 0 if interface.is_plugged else 0
