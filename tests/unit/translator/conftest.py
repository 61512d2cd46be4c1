from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from northbound.database import Database, open_database, upgrade
from southbound.state import RealisedState
from southbound.store import Store
from translator.runner import Translator


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'treadle.db'}"
    upgrade(url)
    database = open_database(url)
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
