"""What is assumed of nested ports, and of workloads that move."""

from typing import Any

from tests.unit.diagnosis.explain.asking import first, refused
from tests.unit.diagnosis.explain.conftest import Plugged
from tests.unit.diagnosis.explain.test_outside import texts

TAGGED = "n1 is a nested port: its frames have the VLAN tag 5 at port a1, in both ways"


async def nest(net: Plugged) -> None:
    body = {"name": "n1", "parent": "a1", "tag": 5}
    address = "0a:00:00:00:01:05 10.2.0.15"
    await net.call("POST", "/logical-switches/b/ports", {**body, "addresses": [address]})
    net.server.realised.facts.set_up("hv1", "n1", True)


async def test_the_tag_of_a_nested_port_is_told_with_the_answer(net: Plugged) -> None:
    await nest(net)
    for source, destination in (("n1", "b1"), ("b1", "n1")):
        found = await net.ask(source=source, destination=destination)
        assert found["answer"] == "yes", found["text"]
        assert texts(found, "workload") == [TAGGED]
    assert texts(await net.ask(source="a1", destination="b1"), "workload") == []


async def test_a_nested_port_is_plugged_in_with_its_parent(net: Plugged) -> None:
    await nest(net)
    net.server.realised.facts.release("hv1", "a1")
    found = await refused(net, source="b1", destination="n1")
    assert first(found) == ("unbound", "n1")
    assert "port n1 is not bound to any chassis, as its parent a1 isn't" in found["text"]
    assert found["proposal"]["commands"] == [
        "ovs-vsctl set Interface INTERFACE external_ids:iface-id=a1"
    ]


async def move(net: Plugged, **fields: Any) -> list[str]:
    """What is assumed of b1 while it moves from hv2 to hv1."""
    await net.change("/logical-switch-ports/b1", requested_chassis=["hv2", "hv1"], **fields)
    net.plug("b1", "hv1")
    found = await net.ask(source="a1", destination="b1")
    assert found["answer"] == "yes", found["text"]
    return texts(found, "workload")


async def test_where_a_workload_that_moves_is_blocked_is_told(net: Plugged) -> None:
    (text,) = await move(net, activation_strategy=["rarp"])
    assert text == (
        "the workload of b1 runs on hv2: on hv1 it is blocked until it tells that it has come "
        "there, by rarp"
    )
    net.server.realised.facts.state_activated("hv1", ["b1"])
    assert texts(await net.ask(source="a1", destination="b1"), "workload") == []


async def test_one_that_is_active_everywhere_is_blocked_nowhere(net: Plugged) -> None:
    assert await move(net) == []
