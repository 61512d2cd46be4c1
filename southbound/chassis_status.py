"""What the server knows of an agent by its session: plain data, for those who ask."""

from collections.abc import Mapping
from typing import NamedTuple

from southbound.tunnels import TunnelReport


class ChassisStatus(NamedTuple):
    """What the server knows of an agent by its session."""

    connected: bool
    applied_revision: int
    counters: dict[str, int]
    tunnels: TunnelReport | None = None
    """None if the agent says nothing of its tunnels."""
    unapplied: frozenset[str] = frozenset()
    """The scopes of rows that the agent watches and has not acknowledged as they are now."""
    conditions: Mapping[str, str] = {}
    """Why the agent is degraded, by the names of conditions."""
    heard_at: float | None = None
    """When it was last heard of, in seconds since the epoch."""
    is_known: bool = True
    """False for one that was not connected since the server started or its lease ran out."""
    skipped: Mapping[str, int] = {}
    """What the agent said that this server doesn't know, and how often."""
    lacks: tuple[str, ...] = ()
    """What this server may send that the agent doesn't know."""
