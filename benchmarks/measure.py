"""Wall time, CPU time and memory of a step, of this process or of others."""

import os
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


class Usage:
    """What a step took; filled in when its block ends. Seconds, and MiB at the end."""

    wall: float = 0.0
    cpu: float = 0.0
    rss_mib: float = 0.0

    def as_json(self) -> dict[str, float]:
        return {
            "wall_s": round(self.wall, 4),
            "cpu_s": round(self.cpu, 3),
            "rss_mib": round(self.rss_mib, 1),
        }


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system time of these processes so far (proc(5), fields 14 and 15)."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS


def rss_mib(pids: Sequence[int]) -> float:
    """Resident memory of these processes now."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextmanager
def measured(pids: Sequence[int] | None = None) -> Iterator[Usage]:
    """Measure the block; the processes are this one unless `pids` says otherwise."""
    processes = [os.getpid()] if pids is None else list(pids)
    usage = Usage()
    cpu, start = cpu_seconds(processes), time.perf_counter()
    yield usage
    usage.wall = time.perf_counter() - start
    usage.cpu = cpu_seconds(processes) - cpu
    usage.rss_mib = rss_mib(processes)


def median_of(records: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The median of each number in records that have the same keys."""
    return {
        name: round(statistics.median(record[name] for record in records), 3) for name in records[0]
    }
