"""Both labs, and topologies that go through them one after the other."""

import os
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from random import Random

from logical_flow.packet import packet_from_match
from northbound.database import Database, open_database
from tests.databases import new_database
from tests.differential.lab.connecting import (
    Beginning,
    connect,
    tells_sender,
    without_announcements,
)
from tests.differential.lab.conversation import Step, converse, send_to_both
from tests.differential.lab.plan import as_in_labs, introductions, phases
from tests.differential.lab.questions import Questions
from tests.differential.lab.sides import Side, ovn_side, treadle_side
from tests.differential.lab.verdict import Asked, Verdict, judge
from tests.differential.network.packets import random_beginnings, random_probes
from tests.differential.network.probe import Probe
from tests.differential.network.topologies import Document, random_topology
from tests.differential.network.treadle import Treadle

PROBES = 20
CONNECTIONS = 15
"""A topology."""
SILENT_ROUNDS = 1
"""After so many more of them nothing is under way."""


class Contest:
    """The labs, and what was counted: topologies, frames sent, frames that came out, and how."""

    def __init__(self, ours: Side, theirs: Side, database: Database) -> None:
        self.ours = ours
        self.theirs = theirs
        self._database = database
        self.counts: Counter[str] = Counter()
        self._loaded: Document = {}

    def run(self, seed: int) -> Iterator[Verdict]:
        """The verdicts on the probes of a random topology."""
        chance = Random(seed)
        document = random_topology(chance, services=False)
        return self.send(document, list(random_probes(chance, document, PROBES)))

    def send(self, document: Document, probes: Sequence[Probe]) -> Iterator[Verdict]:
        """The verdicts on `probes` in the network of `document`."""
        walker = cache(lambda: Treadle(self._database, document))
        asked = Asked(Questions(), Questions())
        for phase in phases(document, probes):
            self.load(document)
            for probe in phase:
                for step in converse(probe, document, self.ours, self.theirs):
                    verdict = judge(probe, step, document, walker, asked)
                    self._count(verdict)
                    yield verdict
        self.counts["topologies"] += 1
        self.counts["probes"] += len(probes)

    def connect(self, seed: int) -> Iterator[Verdict]:
        """The verdicts on connections through a random topology with services."""
        chance = Random(seed)
        document = as_in_labs(random_topology(chance))
        walker = cache(lambda: Treadle(self._database, document))
        self.load(document)
        for port, frame in introductions(document):
            send_to_both(port, frame, self.ours, self.theirs)
        asked = Asked(Questions(), Questions())
        for probe in random_beginnings(chance, document, CONNECTIONS):
            for side in (self.ours, self.theirs):
                side.forget_connections()
            yield from self._steps(probe, document, walker, asked)
        self.counts["topologies"] += 1

    def _steps(
        self, probe: Probe, document: Document, walker: Callable[[], Treadle], asked: Asked
    ) -> Iterator[Verdict]:
        """The verdicts on a connection, up to the first step at which the labs differ.

        What they know of the connection is no longer the same behind that.
        """
        port = str(packet_from_match(probe.packet)["inport"])
        beginning = Beginning(port, probe.packet)
        first: Step | None = None
        for step in connect(beginning, self.ours, self.theirs, silent_rounds=SILENT_ROUNDS):
            first = first or step
            verdict = judge(probe, without_announcements(step), document, walker, asked)
            if verdict.difference and tells_sender(step, first):
                verdict = verdict._replace(intended=True, difference="")
            self._count(verdict)
            yield verdict
            if verdict.intended or verdict.difference:
                break
        self.counts["connections"] += 1

    def load(self, document: Document) -> None:
        """Make both networks what `document` says, without what was in them before."""
        self._loaded = document
        for side in (self.ours, self.theirs):
            side.load(document)

    def have(self, document: Document) -> None:
        """Make both networks what `document` says, if they aren't."""
        if self._loaded is not document:
            self.load(document)

    def _count(self, verdict: Verdict) -> None:
        self.counts["frames sent"] += 1
        self.counts["frames received"] += len(verdict.step.ours)
        self.counts["differ on purpose"] += verdict.intended
        self.counts["differ"] += bool(verdict.difference)


@contextmanager
def contest(directory: Path) -> Iterator[Contest]:
    """Both labs, gone at the end."""
    name = f"d{os.getpid():x}{secrets.token_hex(2)}"
    database = open_database(new_database(directory / "judge.db"))
    try:
        with (
            treadle_side(f"{name}t", directory / "treadle") as ours,
            ovn_side(f"{name}o", directory / "ovn") as theirs,
        ):
            yield Contest(ours, theirs, database)
    finally:
        database.close()
