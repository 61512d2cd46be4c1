"""What the server knows of an agent by its session: plain data, for those who ask."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from southbound.tunnels import TunnelReport


def utc_time(seconds: float) -> str:
    """Return seconds since the epoch as words for people.

    >>> utc_time(1764158400.7)
    '2025-11-26 12:00:00 UTC'
    """
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


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
    """Why the agent is degraded, by the names of conditions, or was turned away."""
    heard_at: float | None = None
    """When it was last heard of, in seconds since the epoch."""
    is_known: bool = True
    """False for one that was not connected since the server started or its lease ran out."""
    skipped: Mapping[str, int] = {}
    """What the agent said that this server doesn't know, and how often."""
    lacks: tuple[str, ...] = ()
    """What this server may send that the agent doesn't know."""
