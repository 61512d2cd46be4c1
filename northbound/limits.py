"""How much one transaction may ask of the one writer, which all others wait for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class WriteLimits:
    """Bounds of every transaction."""

    members: int = 50_000
    """Of one port group or address set."""
    seconds: float = 60.0
    """For a transaction, and for others to wait until they are the writer."""


DEFAULT_WRITE_LIMITS = WriteLimits()
