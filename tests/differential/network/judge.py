"""Compares what the two systems make of the same packet in the same network."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from subprocess import CalledProcessError
from typing import NamedTuple

from benchmarks.ovn import Ovn
from logical_flow.walk import MAX_DEPTH
from northbound.database import Database, open_database
from northbound.errors import NorthboundError
from tests.databases import new_database
from tests.differential.network import ovn
from tests.differential.network.intended import INTENDED
from tests.differential.network.outcome import Outcome
from tests.differential.network.outside import heard_outside
from tests.differential.network.probe import Probe
from tests.differential.network.routes import ways_to_choose
from tests.differential.network.summary import NoVerdictError
from tests.differential.network.topologies import Document
from tests.differential.network.treadle import Treadle
from tests.differential.network.undoing import Difference, undoing
from tests.translated import NotTranslatedError

_TRACES_AT_ONCE = 2


class Verdict(NamedTuple):
    """What becomes of a packet here and there.

    `theirs` is None where OVN's trace gave no answer, and `unanswered` says why. `intended`
    names the intended differences that account for `ours` not being `theirs`; None when
    nothing does.
    """

    probe: Probe
    ours: Outcome
    theirs: Outcome | None
    intended: tuple[str, ...] | None = ()
    unanswered: str = ""

    @property
    def is_failure(self) -> bool:
        return self.intended is None

    def __str__(self) -> str:
        theirs = Outcome() if self.theirs is None else self.theirs
        lines = [f"{self.probe.packet}", f"  connection: {self.probe.state}"]
        lines += [f"  only Treadle: {n} x {text}" for text, n in (self.ours - theirs).items()]
        lines += [f"  only OVN:     {n} x {text}" for text, n in (theirs - self.ours).items()]
        return "\n".join(lines)


class Judge:
    """An OVN and a Treadle that networks are put into, one after the other."""

    def __init__(self, ovn_: Ovn, database: Database) -> None:
        self._ovn = ovn_
        self._database = database
        self._traces = ThreadPoolExecutor(_TRACES_AT_ONCE)

    def close(self) -> None:
        self._traces.shutdown()

    @property
    def northbound(self) -> str:
        """Where OVN's northbound database is."""
        return self._ovn.northbound

    @property
    def southbound(self) -> str:
        """Where the database is that ovn-northd makes of it."""
        return self._ovn.southbound

    def takes(self, document: Document) -> bool:
        """Whether both take the document: one that was cut down may be refused."""
        try:
            ovn.load(self._ovn, document)
            Treadle(self._database, document)
        except (CalledProcessError, NorthboundError, NotTranslatedError):
            return False
        return True

    def judge(self, document: Document, probes: Sequence[Probe]) -> list[Verdict]:
        """Raises where one of the two doesn't take the document."""
        self.load(document)
        return self.compare(document, probes)

    def load(self, document: Document) -> None:
        """Make OVN's network what `document` says."""
        ovn.load(self._ovn, document)

    def compare(self, document: Document, probes: Sequence[Probe]) -> list[Verdict]:
        """What becomes of packets in OVN's network as it is, and in Treadle's of `document`."""
        ovn.resolve_static_mac_bindings(self._ovn)
        trace = partial(_their_outcome, self._ovn, ways_to_choose(document))
        answers = self._traces.map(trace, probes)
        treadle = self.treadle(document)
        return [verdict_on(document, treadle, *each) for each in zip(probes, answers, strict=True)]

    def treadle(self, document: Document) -> Treadle:
        return Treadle(self._database, document)


def _their_outcome(theirs: Ovn, ways: int, probe: Probe) -> Outcome | NoVerdictError:
    try:
        return ovn.their_outcome(theirs, probe, ways)
    except NoVerdictError as error:
        return error


def verdict_on(
    document: Document, treadle: Treadle, probe: Probe, theirs: Outcome | NoVerdictError
) -> Verdict:
    """Compares what becomes of the packet in `treadle` with what becomes of it in OVN."""
    heard = partial(heard_outside, document, probe)
    ours = heard(treadle.outcome(probe))
    if isinstance(theirs, NoVerdictError):
        return Verdict(probe, ours, None, unanswered=str(theirs))
    expected = heard(theirs)
    if ours == expected:
        return Verdict(probe, ours, expected)

    def accounts(differences: Sequence[Difference]) -> bool:
        max_depth = max((each.max_depth for each in differences), default=MAX_DEPTH)
        undo = undoing(differences, document)
        return heard(treadle.outcome_without(undo, probe, max_depth)) == expected

    return Verdict(probe, ours, expected, _accounting(accounts))


def _accounting(accounts: Callable[[Sequence[Difference]], bool]) -> tuple[str, ...] | None:
    """The intended differences but for which the outcome would be the same, if there are any."""
    if not accounts(INTENDED):
        return None
    found = list(INTENDED)
    for difference in INTENDED:
        fewer = [each for each in found if each is not difference]
        if accounts(fewer):
            found = fewer
    return tuple(difference.name for difference in found)


@contextmanager
def judging(directory: Path) -> Iterator[Judge]:
    """A judge whose databases and processes are there as long as the context lasts."""
    database = open_database(new_database(directory / "treadle.db"))
    theirs = Ovn(directory)
    try:
        theirs.start_databases()
        theirs.start_northd()
        judge = Judge(theirs, database)
        try:
            yield judge
        finally:
            judge.close()
    finally:
        theirs.stop()
        database.close()
