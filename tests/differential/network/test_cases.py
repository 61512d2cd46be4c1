"""Cases that are kept: those of former bugs agree, the others show an intended difference."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.differential.network.cases import case_files, read_case
from tests.differential.network.intended import INTENDED
from tests.differential.network.judge import Judge, verdict_on
from tests.differential.network.outcome import Outcome


@pytest.mark.parametrize("file", case_files(), ids=lambda file: file.stem)
def test_case(judge: Judge, file: Path) -> None:
    case = read_case(file)
    for verdict in judge.judge(case.document, case.probes):
        assert verdict.theirs is not None, verdict.unanswered
        allowed = (case.differences, ()) if case.sometimes else (case.differences,)
        assert verdict.intended in allowed, str(verdict)


@pytest.mark.parametrize("file", case_files(), ids=lambda file: file.stem)
def test_no_difference_excuses_another_outcome(judge: Judge, file: Path) -> None:
    """A header, a copy more or a copy less than what is intended, and it is a failure."""
    case = read_case(file)
    treadle = judge.treadle(case.document)
    for verdict in judge.judge(case.document, case.probes):
        assert verdict.theirs is not None
        wrong = list(_others(verdict.theirs, verdict.ours))
        assert wrong
        for outcome in wrong:
            found = verdict_on(case.document, treadle, verdict.probe, outcome)
            assert found.is_failure, f"{found} is excused by {found.intended}"


def _others(theirs: Outcome, ours: Outcome) -> Iterator[Outcome]:
    """Outcomes next to that of OVN, but for ours."""
    for text in (*theirs, *ours):
        port, _, headers = text.partition(": ")
        others = (
            theirs + Outcome([text]),
            theirs - Outcome([text]),
            theirs - Outcome([text]) + Outcome([f"{port}-x: {headers}"]),
            theirs - Outcome([text]) + Outcome([text.replace("eth.src=0a", "eth.src=0b")]),
        )
        yield from (each for each in others if each not in (ours, theirs))
    yield theirs + Outcome(["nowhere: eth.type=0x0"])


def test_every_intended_difference_is_shown_to_be_needed() -> None:
    shown = {name for file in case_files() for name in read_case(file).differences}
    assert {difference.name for difference in INTENDED} <= shown
