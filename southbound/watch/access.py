"""What a chassis may watch: what its ports need, and nothing besides.

========================  ====================================================
scope                     who may watch it
========================  ====================================================
``global``                every chassis: templates, and where tunnels end
``datapath:<id>``         chassis whose bound ports reach it
``set:<sigil and name>``  chassis that reach a datapath whose flows name it
``port:<name or id>``     chassis that claim a port by this and may have it
``chassis:<name>``        that chassis
========================  ====================================================

Ports are bound by claims, so an agent states its claims before it is told that something
isn't for it; see :class:`~southbound.watch.session.Session`.
"""

from typing import Protocol

from southbound.rows import GLOBAL_SCOPE
from southbound.state import RealisedState


class Access(Protocol):
    """Decides about subscriptions."""

    def allows(self, chassis: str, scope: str) -> bool:
        """Whether the chassis may watch the scope, as things are now."""
        ...


class ReachAccess:
    """Goes by what the bound ports of a chassis reach."""

    def __init__(self, state: RealisedState) -> None:
        self._state = state

    def allows(self, chassis: str, scope: str) -> bool:
        kind, _, name = scope.partition(":")
        match kind:
            case "datapath":
                return self._state.reach.reaches(chassis, name)
            case "set":
                return self._state.reach.uses(chassis, name)
            case "port":
                return self._state.facts.may_have(chassis, name)
            case "chassis":
                return chassis == name
            case _:
                return scope == GLOBAL_SCOPE
