"""Cases are drawn by seed, and shrunk to what a failure needs."""

from random import Random

from tests.differential.network.packets import random_probes
from tests.differential.network.probe import Probe
from tests.differential.network.shrinking import shrink
from tests.differential.network.topologies import Document, random_topology


def test_topologies_and_packets_follow_from_the_seed() -> None:
    first, second = (
        (document := random_topology(rng), list(random_probes(rng, document, 5)))
        for rng in (Random(7), Random(7))
    )
    assert first == second


def test_shrinking_leaves_what_the_failure_needs() -> None:
    rng = Random(3)
    document = random_topology(rng)
    acls = [{"direction": "to-lport", "priority": 1, "match": "tcp", "action": "drop"}]
    document["logical_switches"]["ls1"]["acls"] = acls
    probe = Probe('inport == "ls1-p1"', "inv")

    def fails(document: Document, _probe: Probe) -> bool:
        switch = document["logical_switches"].get("ls1", {"ports": {}})
        return bool(switch.get("acls"))

    smallest, plainest = shrink(document, probe, fails)
    assert plainest.state == "new"
    assert smallest["logical_routers"] == smallest["port_groups"] == {}
    (switch,) = smallest["logical_switches"].values()
    assert list(switch["ports"]) == ["ls1-p1"]
    assert len(switch["ports"]["ls1-p1"]["addresses"]) == 1
    assert switch["acls"] == [{**acls[0], "match": "1"}]


def test_a_nested_port_keeps_its_tag_as_long_as_its_parent() -> None:
    document = random_topology(Random(3))
    ports = document["logical_switches"]["ls1"]["ports"]
    ports["ls1-p1"] |= {"parent": "ls1-p2", "tag": 101}
    seen: list[Document] = []

    def fails(document: Document, _probe: Probe) -> bool:
        seen.append(document["logical_switches"]["ls1"]["ports"]["ls1-p1"])
        return True

    shrink(document, Probe('inport == "ls1-p1"', "new"), fails)
    assert all(("parent" in port) == ("tag" in port) for port in seen)
    assert "parent" not in seen[-1]
