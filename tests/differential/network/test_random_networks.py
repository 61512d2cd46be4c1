"""In random networks packets fare as in OVN, but for the intended differences.

Without options a few seeded topologies are tried, the same each time. The long run is
``./run test --differential-topologies 2000 tests/differential``.
"""

import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.differential.network.cases import Case, write_case
from tests.differential.network.judge import Judge, Verdict
from tests.differential.network.packets import random_probes
from tests.differential.network.probe import Probe
from tests.differential.network.shrinking import shrink
from tests.differential.network.tally import Tally
from tests.differential.network.topologies import Document, random_topology

BLOCK = 5
"""Topologies a test."""

PACKETS = 20
"""Packets a topology."""

MOST_UNANSWERED = 0.1
"""The share of packets for which ``ovn-trace`` may fail to tell, in one test."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "first_seed" in metafunc.fixturenames:
        topologies = metafunc.config.getoption("--differential-topologies")
        start = metafunc.config.getoption("--differential-seed")
        metafunc.parametrize("first_seed", range(start, start + topologies, BLOCK))


def test_packets_fare_as_in_ovn(
    judge: Judge,
    first_seed: int,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    tally = Tally()
    began = time.monotonic()
    for seed in range(first_seed, first_seed + BLOCK):
        rng = Random(seed)
        document = random_topology(rng)
        verdicts = judge.judge(document, list(random_probes(rng, document, PACKETS)))
        tally.add(verdicts)
        for verdict in verdicts:
            if verdict.is_failure:
                file = tmp_path / f"seed-{seed}.yaml"
                pytest.fail(f"seed {seed}: {_report(judge, document, verdict, file)}")
    tally.seconds = time.monotonic() - began
    record_property("differential", tally.as_document())
    assert tally.unanswered.total() <= tally.packets * MOST_UNANSWERED


def _report(judge: Judge, document: Document, verdict: Verdict, file: Path) -> str:
    """The failure made small, and where it is kept as a case."""

    def fails(document: Document, probe: Probe) -> bool:
        return judge.takes(document) and judge.judge(document, [probe])[0].is_failure

    smaller, probe = shrink(document, verdict.probe, fails)
    write_case(file, Case(smaller, [probe]))
    (shrunk,) = judge.judge(smaller, [probe])
    return (
        f"{shrunk}\n{file.read_text()}\nIn {file}, to be kept in tests/differential/network/cases."
    )
