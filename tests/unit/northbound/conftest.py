"""A database for each test, set up once and copied."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from northbound.database import Database, open_database, upgrade
from tests.unit.northbound.network import Network


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema and nothing else."""
    path = tmp_path_factory.mktemp("northbound") / "empty.db"
    upgrade(str(path))
    return path


@pytest.fixture
def database_file(empty_database: Path, tmp_path: Path) -> Path:
    path = tmp_path / "treadle.db"
    shutil.copy(empty_database, path)
    return path


@pytest.fixture
def database(database_file: Path) -> Iterator[Database]:
    database = open_database(str(database_file))
    yield database
    database.close()


@pytest.fixture
def network(database: Database) -> Network:
    return Network(database)
