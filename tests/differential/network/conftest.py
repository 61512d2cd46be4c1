"""One judge for all tests of the session."""

from collections.abc import Iterator

import pytest

from tests.differential.network.judge import Judge, judging


@pytest.fixture(scope="session")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    with judging(tmp_path_factory.mktemp("judge")) as judge:
        yield judge
