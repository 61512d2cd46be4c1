"""Ports of types that this agent is too old for, kept row by row, and told as a condition."""

from collections import Counter
from collections.abc import Iterable

from chassis_agent.health import Health
from southbound.port_types import UNKNOWN
from southbound.rows import PortBinding, Row, RowId

_CONDITION = "port_types"
_SHOWN = 64
"""Characters of a type's name, and types, that the condition shows at most."""


class UnknownPortTypes:
    """Degrades the agent while a server's rows have ports that it can't place."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._types: dict[str, str] = {}

    def change(self, puts: Iterable[Row], deletes: Iterable[RowId]) -> None:
        """Take a batch of rows."""
        changed = False
        for table, key in deletes:
            if table == PortBinding.table:
                changed |= self._types.pop(key, None) is not None
        for row in puts:
            if not isinstance(row, PortBinding):
                continue
            if row.kind is UNKNOWN:
                changed |= self._types.get(row.id) != row.type
                self._types[row.id] = row.type
            else:
                changed |= self._types.pop(row.id, None) is not None
        if changed:
            self._tell()

    def _tell(self) -> None:
        if not self._types:
            self._health.clear(_CONDITION)
            return
        ports = Counter(self._types.values()).most_common(_SHOWN)
        listed = ", ".join(f"{number} of type {name[:_SHOWN]!r}" for name, number in ports)
        reason = f"no packet gets to ports that need a newer agent: {listed}"
        self._health.degrade(_CONDITION, reason)
