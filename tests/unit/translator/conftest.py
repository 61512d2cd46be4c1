from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from northbound.database import Database, open_database
from southbound.state import RealisedState
from southbound.store import Store
from tests.databases import new_database
from translator.runner import Translator


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(new_database(tmp_path / "treadle.db"))
    yield database
    database.close()


@pytest.fixture
async def state(database: Database) -> AsyncIterator[RealisedState]:
    state = RealisedState(Store(database.engine))
    await state.load()
    yield state
    await state.close()


@pytest.fixture
async def translator(database: Database, state: RealisedState) -> Translator:
    translator = Translator(database, state)
    await translator.start()
    return translator
