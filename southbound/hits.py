"""What ACLs have decided, on all chassis together, as agents have said it.

A chassis says how much the ACL of a flow group has decided since its switch has it. Should its
counters start anew (Open vSwitch was restarted, or lost the ACL for a while), what they were
before is kept, so that sums never go down. Counters of flow groups that are gone go, too.

All of it is in memory: after a restart of the server agents say everything again.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from southbound.questions import GroupHits
from southbound.rows import FlowGroup

ACL: Final = "acl"
_FIRST_CLEANING: Final = 1024
_LONGEST_AGE: Final = 10.0 * 365 * 86400
_MOST: Final = (1 << 64) - 1


class Hits(NamedTuple):
    """Packets and bytes decided, and when the last was, in seconds since the epoch, if known."""

    packets: int = 0
    bytes: int = 0
    last_hit: float | None = None

    def plus(self, other: "Hits") -> "Hits":
        """Return both together."""
        times = [each for each in (self.last_hit, other.last_hit) if each is not None]
        return Hits(
            self.packets + other.packets, self.bytes + other.bytes, max(times, default=None)
        )


class _Counted(NamedTuple):
    """What one chassis counts now, and what it had counted before it began anew."""

    now: Hits
    before: Hits = Hits()

    @property
    def total(self) -> Hits:
        return self.now.plus(self.before)


class HitBook:
    """All counters, by flow group and chassis."""

    def __init__(
        self,
        group: Callable[[int], FlowGroup | None],
        reaches: Callable[[str, str], bool],
        clock: Callable[[], float],
    ) -> None:
        """`group` finds a flow group; `reaches` says whether a chassis may know a datapath."""
        self._group = group
        self._reaches = reaches
        self._clock = clock
        self._counted: dict[int, dict[str, _Counted]] = {}
        self._clean_at = _FIRST_CLEANING

    def report(self, chassis: str, hits: Iterable[GroupHits]) -> None:
        """Take what an agent says; what isn't of an ACL that the chassis may know is ignored."""
        now = self._clock()
        for each in hits:
            group = self._group(each.group)
            if group is None or group.cause_kind != ACL:
                continue
            if not self._reaches(chassis, group.datapath):
                continue
            if not (0 <= each.packets <= _MOST and 0 <= each.bytes <= _MOST):
                continue
            last = now - min(each.age, _LONGEST_AGE) if each.age >= 0 else None
            self._note(each.group, chassis, Hits(each.packets, each.bytes, last))
        if len(self._counted) > self._clean_at:
            self._clean()

    def of(self, group: int) -> Iterator[tuple[str, Hits]]:
        """Yield what each chassis has counted for a flow group."""
        for chassis, counted in self._counted.get(group, {}).items():
            yield chassis, counted.total

    def groups(self) -> Iterator[FlowGroup]:
        """Yield the flow groups that there are counters of."""
        for number in list(self._counted):
            group = self._group(number)
            if group is not None:
                yield group

    def _note(self, group: int, chassis: str, hits: Hits) -> None:
        by_chassis = self._counted.setdefault(group, {})
        known = by_chassis.get(chassis, _Counted(Hits()))
        before = known.before
        if hits.packets < known.now.packets:
            before = known.total
        elif hits.packets == known.now.packets and known.now.last_hit is not None:
            # The agent may have begun anew, and have seen nothing since.
            hits = hits._replace(last_hit=known.now.last_hit)
        by_chassis[chassis] = _Counted(hits, before)

    def _clean(self) -> None:
        for number in [each for each in self._counted if self._group(each) is None]:
            del self._counted[number]
        self._clean_at = max(_FIRST_CLEANING, 2 * len(self._counted))
