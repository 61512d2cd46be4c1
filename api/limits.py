"""How much one request may ask of the server."""

from dataclasses import dataclass

from api.json_text import MAXIMUM_VALUES
from northbound.batch import MAXIMUM_OPERATIONS


@dataclass(frozen=True)
class Limits:
    """Bounds of every request; the settings ``server.api.*`` of the same names."""

    body_limit: int = 16 * 1024 * 1024
    """Bytes of a body."""
    value_limit: int = MAXIMUM_VALUES
    """Values in a body, those that aliases stand for included."""

    operation_limit: int = MAXIMUM_OPERATIONS
    """Operations in a batch."""


DEFAULT_LIMITS = Limits()
