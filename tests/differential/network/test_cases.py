"""Cases that are kept: those of former bugs agree, the others show an intended difference."""

from pathlib import Path

import pytest

from tests.differential.network.cases import case_files, read_case
from tests.differential.network.intended import INTENDED
from tests.differential.network.judge import Judge


@pytest.mark.parametrize("file", case_files(), ids=lambda file: file.stem)
def test_case(judge: Judge, file: Path) -> None:
    case = read_case(file)
    expected = () if case.differs is None else (case.differs,)
    for verdict in judge.judge(case.document, case.probes):
        assert verdict.theirs is not None, "ovn-trace crashed"
        assert verdict.intended == expected, str(verdict)


def test_every_intended_difference_is_shown_to_be_needed() -> None:
    shown = {read_case(file).differs for file in case_files()}
    assert {difference.name for difference in INTENDED} <= shown
