"""Translation as the server does it: from SQL, and stored southbound again.

    python -m benchmarks.cold 1000 10000 50000

Fills a SQLite database with the generated network, starts a translator on it, and
then makes changes of one object through the services, each timed from the start of
its transaction until the southbound rows are stored. Prints a JSON object a size.
"""

import asyncio
import json
import resource
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from benchmarks import topology
from northbound.database import Database, open_database, upgrade
from northbound.models import TRACKED
from northbound.models.base import image_columns
from northbound.services import ACLS, LOGICAL_SWITCH_PORTS, STATIC_ROUTES
from northbound.transaction import Transaction
from southbound.state import RealisedState
from southbound.store import Store
from translator.runner import Translator

TURNS = 7


def fill(database: Database, ports: int) -> None:
    """The network straight into the tables, as one revision's worth of rows."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for table, image in topology.network(ports):
        rows[table].append(image)
    with database.maintain() as session:
        for model in TRACKED:
            if rows[model.__tablename__]:
                versioned = "version" in model.__table__.columns
                extra = {"version": 0} if versioned else {}
                images = [row | extra for row in rows[model.__tablename__]]
                assert images[0].keys() - extra.keys() == set(image_columns(model))
                session.execute(insert(model.__table__), images)


async def measure(ports: int, directory: Path) -> dict[str, Any]:
    url = f"sqlite:///{directory / 'treadle.db'}"
    upgrade(url)
    database = open_database(url)
    fill(database, ports)
    state = RealisedState(Store(database.engine))
    await state.load()
    wall, cpu = time.perf_counter(), time.process_time()
    translator = Translator(database, state)
    await translator.start()
    result: dict[str, Any] = {
        "ports": ports,
        "cold_wall_s": round(time.perf_counter() - wall, 2),
        "cold_cpu_s": round(time.process_time() - cpu, 2),
        "rows": translator.progress.rows_written,
        "maxrss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    running = asyncio.create_task(translator.run())
    for name, change in CHANGES.items():
        times = [await _turn(database, translator, change, turn) for turn in range(TURNS)]
        runs = translator.progress.last_runs.total()
        result[name] = {"ms": round(statistics.median(times) * 1000, 2), "runs": runs}
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await state.close()
    database.close()
    return result


async def _turn(database: Database, translator: Translator, change: Any, turn: int) -> float:
    began = time.perf_counter()
    revision = await asyncio.to_thread(_commit, database, change, turn)
    assert await translator.wait_translated(revision, timeout=30)
    return time.perf_counter() - began


def _commit(database: Database, change: Any, turn: int) -> int:
    with database.write(author="benchmark") as tx:
        change(tx, turn)
    assert tx.committed is not None
    return tx.committed


def _add_port(tx: Transaction, turn: int) -> None:
    values = {
        "name": f"new-{turn}",
        "logical_switch": "ls0",
        "addresses": [f"0a:09:00:00:00:{turn:02x} 10.0.0.{200 + turn}"],
    }
    LOGICAL_SWITCH_PORTS.create(tx, values)


def _remove_port(tx: Transaction, turn: int) -> None:
    LOGICAL_SWITCH_PORTS.delete(tx, f"new-{turn}")


def _change_acl(tx: Transaction, turn: int) -> None:
    match = f"outport == @pg0 && tcp.dst == {1000 + turn}"
    ACLS.update(tx, topology.object_id("pg0-acl2"), {"match": match})


def _add_route(tx: Transaction, turn: int) -> None:
    values = {
        "logical_router": "lr0",
        "ip_prefix": f"192.0.{turn}.0/24",
        "nexthop": "10.0.0.250",
    }
    STATIC_ROUTES.create(tx, values)


CHANGES = {
    "add_port": _add_port,
    "remove_port": _remove_port,
    "change_acl": _change_acl,
    "add_route": _add_route,
}


if __name__ == "__main__":
    for size in map(int, sys.argv[1:] or ["1000", "10000"]):
        with tempfile.TemporaryDirectory() as place:
            print(json.dumps(asyncio.run(measure(size, Path(place)))), flush=True)
