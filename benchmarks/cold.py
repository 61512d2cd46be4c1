"""Cold translation, as a starting server does it: SQL to flows, stored southbound.

python -m benchmarks.cold 1000 10000 50000

Each size runs in a process of its own, which starts on a database that has the network
and no southbound rows. Memory is the most that this process has had by then. Apart from
that, all derivations alone are run once more, as a full recomputation would.
"""

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measure import measured, median_of
from benchmarks.network import url_of, write_network
from incremental import Engine
from northbound.database import open_database
from southbound.rows import FlowGroup
from southbound.state import RealisedState
from southbound.store import Store
from translator.graph import translation
from translator.intent import read_all, row_of
from translator.runner import Translator

REPEATS = 3


def measure(ports: int) -> dict[str, Any]:
    """The median of several runs, each on a copy of the network."""
    runs = []
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as directory:
            database = Path(directory) / "treadle.db"
            write_network(database, ports)
            command = [sys.executable, "-m", "benchmarks.cold", "--translate", str(database)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            runs.append(json.loads(done.stdout))
    return {"ports": ports, **median_of(runs)}


async def translate(path: Path) -> dict[str, float]:
    database = open_database(url_of(path))
    state = RealisedState(Store(database.engine))
    await state.load()
    translator = Translator(database, state)
    with measured() as usage:
        await translator.start()
    result = {
        "wall_s": round(usage.wall, 3),
        "cpu_s": round(usage.cpu, 3),
        "max_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "derivations": translator.progress.derivations_run,
        "rows": translator.progress.rows_written,
        "payload_bytes": sum(len(row.payload) for row in state.rows(FlowGroup).values()),
    }
    rows = [
        row_of(change.table, change.after)
        for change in read_all(database).changes
        if change.after is not None
    ]
    with measured() as again:
        Engine(translation()).load(rows)
    result["recompute_cpu_s"] = round(again.cpu, 3)
    await state.close()
    database.close()
    return result


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--translate"]:
        print(json.dumps(asyncio.run(translate(Path(arguments[1])))))
        return
    print(json.dumps([measure(int(size)) for size in arguments or ["1000", "10000"]], indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
