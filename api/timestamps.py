"""Moments as documents of the API have them (RFC 3339)."""

from datetime import UTC, datetime


def timestamp(seconds: float) -> str:
    """Return seconds since the epoch as a timestamp in UTC, to the second.

    >>> timestamp(1.9)
    '1970-01-01T00:00:01+00:00'
    """
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()
