"""What is wrong with the agent right now, and what it has counted.

A condition has a name and stands until it is cleared, so that a problem that
went away leaves the status, while its count stays.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import structlog

_ALWAYS_SHOWN = ("bundles_sent", "flow_mods_sent", "failed_steps")

log = structlog.get_logger(__name__)


class Health:
    """Conditions that degrade the agent, by name, and counters."""

    def __init__(self) -> None:
        self._conditions: dict[str, str] = {}
        self._on_change: Callable[[], None] = lambda: None
        self.counters: Counter[str] = Counter(dict.fromkeys(_ALWAYS_SHOWN, 0))

    @property
    def reasons(self) -> Mapping[str, str]:
        return self._conditions

    def listen(self, on_change: Callable[[], None]) -> None:
        """`on_change` is called when a condition came, went or has another reason."""
        self._on_change = on_change

    def degrade(self, condition: str, reason: str, **details: Any) -> None:
        """States a condition. Logged when it is new or its reason changed."""
        if self._conditions.get(condition) == reason:
            return
        self._conditions[condition] = reason
        self.counters[f"degraded_{condition}"] += 1
        log.warning("degraded", condition=condition, reason=reason, **details)
        self._on_change()

    def remind(self) -> None:
        """Log what stands, so that the end of a long log says it, too."""
        if self._conditions:
            log.warning("still degraded", **self._conditions)

    def clear(self, condition: str) -> None:
        if self._conditions.pop(condition, None) is not None:
            log.info("recovered", condition=condition)
            self._on_change()
