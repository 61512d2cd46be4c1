"""Conntrack zones: one for each local port, also to a provider network, and some for each router.

A zone number is memory of the past: connections live in it. So the allocation
is kept in ``external_ids`` of the bridge (``ct-zone-<name>``, as OVN has it),
where a restarted agent finds it. A number that became free is reused as late
as possible, and a port that gets a number that was in use before has the zone
emptied first: see `Assignment.flush`.
"""

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from chassis_agent.errors import ZonesExhaustedError

KEY_PREFIX: Final = "ct-zone-"
FIRST_ZONE: Final = 1
LAST_ZONE: Final = 65535


class Assignment(NamedTuple):
    """What changed: names that got a zone, names that lost theirs, zones to empty before use."""

    added: Mapping[str, int]
    removed: Collection[str]
    flush: Collection[int]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)

    @property
    def external_ids(self) -> dict[str, str | None]:
        """The change as it is persisted at the bridge."""
        changes: dict[str, str | None] = {KEY_PREFIX + name: None for name in self.removed}
        changes.update((KEY_PREFIX + name, str(zone)) for name, zone in self.added.items())
        return changes


def persisted_zones(external_ids: Mapping[str, str]) -> dict[str, int]:
    """The zones that a bridge's ``external_ids`` hold; what is malformed there is left out.

    >>> persisted_zones({"ct-zone-web-1": "7", "ct-zone-x": "many", "ct-zone-y": "7"})
    {'web-1': 7}
    """
    zones: dict[str, int] = {}
    taken = set()
    for key in sorted(external_ids):
        text = external_ids[key]
        if not key.startswith(KEY_PREFIX) or not text.isdecimal():
            continue
        zone = int(text)
        if FIRST_ZONE <= zone <= LAST_ZONE and zone not in taken:
            taken.add(zone)
            zones[key.removeprefix(KEY_PREFIX)] = zone
    return zones


def unpersisted(zones: Mapping[str, int], external_ids: Mapping[str, str]) -> dict[str, str]:
    """The keys that a bridge's ``external_ids`` lack, or have otherwise, for these zones.

    >>> unpersisted({"web-1": 7, "web-2": 8}, {"ct-zone-web-1": "7"})
    {'ct-zone-web-2': '8'}
    """
    wanted = {KEY_PREFIX + name: str(zone) for name, zone in zones.items()}
    return {key: text for key, text in wanted.items() if external_ids.get(key) != text}


class ZoneAllocator:
    """Gives numbers to names; starts from what was persisted."""

    def __init__(
        self, persisted: Mapping[str, int], *, first: int = FIRST_ZONE, last: int = LAST_ZONE
    ) -> None:
        self._first = first
        self._last = last
        self._zones = dict(persisted)
        self._taken = set(self._zones.values())
        self._next = max(self._taken, default=first - 1) + 1

    @property
    def zones(self) -> Mapping[str, int]:
        return self._zones

    def assign(self, wanted: Collection[str]) -> Assignment:
        """Exactly `wanted` have zones afterwards.

        A fresh number is emptied, too: whether it was used before this agent's
        life is not known. Raises :class:`ZonesExhaustedError`, changing nothing.
        """
        missing = sorted(name for name in wanted if name not in self._zones)
        removed = sorted(self._zones.keys() - set(wanted))
        if len(self._zones) - len(removed) + len(missing) > self._last - self._first + 1:
            raise ZonesExhaustedError(f"{len(wanted)} conntrack zones are wanted")
        for name in removed:
            self._taken.discard(self._zones.pop(name))
        added = {name: self._take(name) for name in missing}
        return Assignment(added, removed, sorted(added.values()))

    def _take(self, name: str) -> int:
        zone = self._next if self._next <= self._last else self._first
        while zone in self._taken:
            zone = zone + 1 if zone < self._last else self._first
        self._next = zone + 1
        self._taken.add(zone)
        self._zones[name] = zone
        return zone
