"""Packets through both labs come out at the same ports, byte for byte the same.

Here is a sample; the long run is ``python -m tests.differential.lab``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.testbed.lab import Lab
from cli.testbed.wait import until
from tests.differential.lab import dhcp, gateway_router, outside
from tests.differential.lab.connecting import Beginning, connect, difference
from tests.differential.lab.contest import Contest, contest
from tests.differential.network.cases import case_files, read_case
from tests.differential.network.outside import has_gateways, leads_outside

pytestmark = pytest.mark.system

SEEDS = range(30)
CONNECTION_SEEDS = (0, 17)
"""With a gateway router, and with a gateway port: with NAT both, and load balancers the second."""
CASES = [
    file
    for file in case_files()
    for document in [read_case(file).document]
    if not (has_gateways(document) or leads_outside(document) or document.get("dhcp_options"))
]
"""OVN has gateways that their own chassis alone reaches from a switch in the overlay. Probes don't
come from outside, and are no DHCP clients: all that they have of one is the ports."""
_WRONG_FLOW = "table=0,priority=65535,ip"


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Contest]:
    with contest(tmp_path_factory.mktemp("labs")) as both:
        yield both


@pytest.mark.parametrize("seed", SEEDS)
def test_both_deliver_the_same(labs: Contest, seed: int) -> None:
    different = [verdict for verdict in labs.run(seed) if verdict.difference]
    if different:
        pytest.fail("\n\n".join(map(str, different)), pytrace=False)


@pytest.mark.parametrize("seed", CONNECTION_SEEDS)
def test_connections_fare_the_same(labs: Contest, seed: int) -> None:
    """Through random networks with services, a few of those of the long run."""
    before = labs.counts["frames received"]
    different = [verdict for verdict in labs.connect(seed) if verdict.difference]
    if different:
        pytest.fail("\n\n".join(map(str, different)), pytrace=False)
    assert labs.counts["frames received"] - before >= 5


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_kept_cases_are_judged_alike(labs: Contest, file: Path) -> None:
    """Among them what is said of ``ovn-trace`` alone: real switches know nothing of that."""
    case = read_case(file)
    different = [each for each in labs.send(case.document, case.probes) if each.difference]
    if different:
        pytest.fail("\n\n".join(map(str, different)), pytrace=False)


@pytest.mark.parametrize("name", outside.CONNECTIONS)
def test_connections_are_translated_alike(labs: Contest, name: str) -> None:
    labs.have(outside.DOCUMENT)
    _compare(labs, outside.CONNECTIONS[name], outside.INTENDED_STEPS.get(name, set()))


@pytest.mark.parametrize("name", gateway_router.CONNECTIONS)
def test_gateway_routers_translate_alike(labs: Contest, name: str) -> None:
    document, beginning = gateway_router.CONNECTIONS[name]
    labs.have(document)
    _compare(labs, beginning, gateway_router.INTENDED_STEPS.get(name, set()))


def _compare(labs: Contest, beginning: Beginning, allowed: set[int]) -> None:
    """Check that the labs differ at the steps that are `allowed`, and at no other one."""
    steps = list(connect(beginning, labs.ours, labs.theirs, allowed))
    assert len(steps) > 1, f"nothing arrived: {steps}"
    different = {n: told for n, step in enumerate(steps) if (told := difference(step))}
    assert different.keys() == allowed, "\n\n".join(different.values())


@pytest.mark.parametrize("name", dhcp.QUESTIONS)
def test_dhcp_clients_are_answered_alike(labs: Contest, name: str) -> None:
    labs.have(dhcp.DOCUMENT)
    step = dhcp.ask(dhcp.QUESTIONS[name], labs.ours, labs.theirs)
    assert step.theirs
    assert dhcp.differences(step) == dhcp.INTENDED.get(name, set())


def test_packets_come_out(labs: Contest) -> None:
    """Two labs that deliver nothing would agree, too."""
    before = labs.counts["frames received"]
    for _ in labs.run(SEEDS[0]):
        pass
    assert labs.counts["frames received"] - before >= 5


def test_a_wrong_flow_is_noticed(labs: Contest) -> None:
    """A switch that drops IPv4 on one hypervisor of one lab is found out."""
    lab = labs.ours.lab
    switch = lab.hypervisor("hv1").switch
    with _without_repairs(lab, "hv1"):
        switch.ofctl("add-flow", switch.management("br-int"), f"{_WRONG_FLOW},actions=drop")
        verdicts = [verdict for seed in SEEDS[:5] for verdict in labs.run(seed)]
    different = [verdict for verdict in verdicts if verdict.difference]
    assert different
    assert all("ip4.src" in str(verdict) for verdict in different)


@contextmanager
def _without_repairs(lab: Lab, name: str) -> Iterator[None]:
    """An agent that leaves what is changed by hand; the one after it mends what is left."""
    _restart_agent(lab, name, {"TREADLE_AGENT__REPAIR": "false"})
    try:
        yield
    finally:
        _restart_agent(lab, name)


def _restart_agent(lab: Lab, name: str, environment: dict[str, str] | None = None) -> None:
    lab.stop_process(f"{name}/agent")
    lab.start_agent(name, environment=environment)
    until(lambda: lab.hypervisor(name).agent("status")["in_sync"], f"{name} is in sync", 30)
