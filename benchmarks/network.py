"""A database that holds a generated network, made without going through the services."""

from collections import defaultdict
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from benchmarks import topology
from northbound.database import Database, open_database, upgrade
from northbound.models import TRACKED


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def write_network(
    path: Path, ports: int, switches_per_router: int = topology.SWITCHES_PER_ROUTER
) -> None:
    """A new database file with a network of `ports` ports."""
    upgrade(url_of(path))
    database = open_database(url_of(path))
    try:
        _fill(database, ports, switches_per_router)
    finally:
        database.close()


def _fill(database: Database, ports: int, switches_per_router: int) -> None:
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for table, image in topology.network(ports, switches_per_router):
        rows[table].append(image)
    with database.maintain() as session:
        for model in TRACKED:
            versioned = "version" in model.__table__.columns
            images = [
                {**image, "version": 0} if versioned else image
                for image in rows[model.__tablename__]
            ]
            if images:
                session.execute(insert(model), images)
