"""A database for each test, set up once and copied."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from northbound.database import Database, open_database
from tests.databases import new_database
from tests.unit.northbound.network import Network


@pytest.fixture
def database_file(tmp_path: Path) -> Path:
    path = tmp_path / "treadle.db"
    new_database(path)
    return path


@pytest.fixture
def database(database_file: Path) -> Iterator[Database]:
    database = open_database(str(database_file))
    yield database
    database.close()


@pytest.fixture
def network(database: Database) -> Network:
    return Network(database)
