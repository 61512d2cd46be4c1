"""What it costs that hundreds of routers share a switch, as tenants' routers do a transit network.

Counts of flows, on an agent and in the switch, and of what one question makes all routers do. All
of it may grow with the routers, and nothing with their pairs.
"""

from collections import Counter
from typing import Any

import pytest

from logical_flow.walk_network import Network
from tests.realised import Realised
from tests.translated import Translated
from tests.unit.translator.walks import send

FEW, MANY = 200, 400
GUEST, DECLARED = "0a:00:00:00:00:07", "0a:00:00:00:00:08"
LEAN = {"dynamic_neigh_routers": True, "always_learn_from_arp_request": False}
"""What OpenStack and ovn-kubernetes say of each router."""
MOST_OF_A_ROUTER = 110
"""OpenFlow flows of one more router, with its port and what leads to it: of 69 logical flows, where
OVN has 92."""


def shared(routers: int, options: dict[str, Any]) -> Translated:
    """Routers on one switch, where a workload has a declared address, and one any."""
    leads = {f"s-r{n}": {"router_port": f"r{n}-s"} for n in range(routers)}
    vms = {"vm": {"addresses": [f"{DECLARED} 10.0.0.8"]}, "any": {"addresses": ["unknown"]}}
    return Translated.of(
        {
            "document": "shared",
            "logical_switches": {"s": {"ports": {**leads, **vms}}},
            "logical_routers": {
                f"r{n}": {
                    **options,
                    "ports": {f"r{n}-s": {"networks": [f"10.0.{1 + n // 200}.{1 + n % 200}/16"]}},
                }
                for n in range(routers)
            },
        }
    )


@pytest.fixture(scope="module")
def few() -> Translated:
    return shared(FEW, LEAN)


@pytest.fixture(scope="module")
def many() -> Translated:
    return shared(MANY, LEAN)


def tables(translated: Translated) -> Counter[int]:
    """How many flows a hypervisor with both workloads has in each table."""
    realised = Realised(translated, {"hv1": ["any", "vm"]})
    return Counter(flow.table for flow in realised.state("hv1"))


def test_a_router_more_costs_the_same_among_many(few: Translated, many: Translated) -> None:
    of_few, of_many = tables(few), tables(many)
    more = MANY - FEW
    grown = {table: (of_many[table] - of_few[table]) / more for table in of_many}
    # What a router costs among few is what it costs among many: twice the routers, twice the flows.
    for table, each in grown.items():
        assert of_few[table] - each * FEW <= 40, f"table {table} grows with pairs"
    assert sum(grown.values()) <= MOST_OF_A_ROUTER


def asked(net: Network, sender: str, mac: str, own: str) -> Counter[str]:
    """What is punted, and how many flows are visited, for one question for a host nobody is."""
    found = send(
        net,
        f'inport == "{sender}" && eth.src == {mac} && eth.dst == ff:ff:ff:ff:ff:ff && arp.op == 1 '
        f"&& arp.spa == {own} && arp.sha == {mac} && arp.tpa == 10.0.200.200",
    )
    learned = sum(note.what == "put_arp" for note in found.noted)
    return Counter(learned=learned, visits=len(found.visits))


@pytest.mark.parametrize(
    ("sender", "mac", "own"), [("any", GUEST, "10.0.0.7"), ("vm", DECLARED, "10.0.0.8")]
)
def test_a_question_teaches_no_router(
    few: Translated, many: Translated, sender: str, mac: str, own: str
) -> None:
    """Each router would tell the agent of it otherwise."""
    of_few, of_many = (asked(each.network(), sender, mac, own) for each in (few, many))
    assert of_few["learned"] == of_many["learned"] == 0
    assert of_many["visits"] <= 2 * of_few["visits"]
