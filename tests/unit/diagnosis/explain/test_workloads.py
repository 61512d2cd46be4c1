"""What is assumed of nested ports, and of workloads that move."""

from typing import Any

import pytest

from tests.unit.diagnosis.explain.asking import allow, first, refused
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


OF_NESTED = (
    "eth.src == 0a:00:00:00:01:05 && eth.dst == 0a:00:00:00:02:01 && ip4.src == 10.2.0.15 && "
    "ip4.dst == 10.2.0.11 && ip.ttl == 64 && udp.src == 4000 && udp.dst == 9"
)
OF_PARENT = (
    "eth.src == 0a:00:00:00:01:01 && eth.dst == 0a:00:00:01:00:01 && ip4.src == 10.1.0.11 && "
    "ip4.dst == 10.2.0.11 && ip.ttl == 64 && udp.src == 4000 && udp.dst == 9"
)
PARENT = 'inport == "a1"'


async def test_a_frame_with_the_tag_of_a_nested_port_enters_there(net: Plugged) -> None:
    await nest(net)
    match = f"{PARENT} && vlan.vid == 5 && {OF_NESTED}"
    found = await net.ask(match=match, destination="b1")
    assert (found["answer"], found["source"]) == ("yes", "n1"), found["text"]
    traced = await net.call("POST", "/trace", {"match": match})
    assert (traced["inport"], traced["verdict"]["outcome"]) == ("n1", "delivered")
    assert "vlan" not in traced["packet"]


@pytest.mark.parametrize("is_secured", [False, True])
async def test_a_frame_with_a_tag_that_nobody_has(net: Plugged, is_secured: bool) -> None:
    """The tag is proposed of the nested port that it comes from, and that is enough."""
    await nest(net)
    if is_secured:
        for port in ("n1", "a1"):
            await net.change(f"/logical-switch-ports/{port}", port_security=["0a:00:00:00:01:05"])
    question = {"match": f"{PARENT} && vlan.vid == 7 && {OF_NESTED}", "destination": "b1"}
    found = await refused(net, **question)
    assert first(found) == ("admission", "a")
    assert found["proposal"]["text"] == [
        "send it with the VLAN tag 5, by which a1 tells frames of n1"
    ]
    assert "vlan.tci == 0x1005" in found["proposal"]["packet"]
    await allow(net, found, **question)


async def test_frames_of_a_parent_have_no_tag(net: Plugged) -> None:
    await nest(net)
    question = {"match": f"vlan.vid == 7 && {OF_PARENT}", "inport": "a1", "destination": "b1"}
    found = await refused(net, **question)
    assert found["proposal"]["text"] == ["send it without a VLAN tag"]
    await allow(net, found, **question)


@pytest.mark.parametrize("tag", ["", "vlan.vid == 6 && "])
async def test_a_frame_with_the_tag_of_another(net: Plugged, tag: str) -> None:
    """Or none, which is the parent's: its port security lets nobody else send there."""
    await nest(net)
    body = {"name": "n2", "parent": "a1", "tag": 6, "addresses": ["0a:00:00:00:01:06 10.1.0.16"]}
    await net.call("POST", "/logical-switches/a/ports", body)
    net.server.realised.facts.set_up("hv1", "n2", True)
    await net.change("/logical-switch-ports/n2", port_security=["0a:00:00:00:01:06 10.1.0.16"])
    await net.change("/logical-switch-ports/a1", port_security=["0a:00:00:00:01:01 10.1.0.11"])
    question = {"match": f"{PARENT} && {tag}{OF_NESTED}", "destination": "b1"}
    found = await refused(net, **question)
    assert first(found) == ("port-security", "n2" if tag else "a1")
    assert found["proposal"]["text"] == [
        "send it with the VLAN tag 5, by which a1 tells frames of n1"
    ]
    await allow(net, found, **question)


async def test_what_is_proposed_for_a_nested_port_keeps_its_tag(net: Plugged) -> None:
    await nest(net)
    wrong = OF_NESTED.replace("eth.dst == 0a:00:00:00:02:01", "eth.dst == 0a:00:00:00:00:99")
    question = {"match": f"{PARENT} && vlan.vid == 5 && {wrong}", "destination": "b1"}
    found = await refused(net, **question)
    assert found["proposal"]["packet"].startswith('inport == "a1" && ')
    assert "vlan.tci == 0x1005" in found["proposal"]["packet"]
    await allow(net, found, **question)


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


LOCAL = {
    "name": "meta",
    "type": "localport",
    "addresses": ["0a:00:00:00:01:fe 10.1.0.254"],
}
LOCAL_IS_THERE = (
    "meta is a local port, there by itself on each chassis: the chassis of whom it speaks to has "
    "an interface for it"
)


@pytest.mark.parametrize(
    ("source", "destination"), [("a1", "meta"), ("b1", "meta"), ("meta", "a1"), ("meta", "b1")]
)
async def test_a_local_port_is_on_each_chassis(net: Plugged, source: str, destination: str) -> None:
    await net.call("POST", "/logical-switches/a/ports", LOCAL)
    found = await net.ask(source=source, destination=destination)
    assert found["answer"] == "yes", found["text"]
    assert texts(found, "workload") == [LOCAL_IS_THERE]
    traced = await net.call("POST", "/trace", {"packet": f"icmp {source} -> {destination}"})
    assert (traced["verdict"]["absences"], traced["verdict"]["hindrances"]) == ([], [])


async def test_what_is_said_of_other_ports_holds_for_local_ones(net: Plugged) -> None:
    await net.call("POST", "/logical-switches/a/ports", {**LOCAL, "enabled": False})
    found = await refused(net, source="a1", destination="meta")
    assert first(found) == ("disabled", "meta")
    await allow(net, found, source="a1", destination="meta")


async def test_what_a_local_port_sends_to_a_provider_network(net: Plugged) -> None:
    await net.call("POST", "/logical-switches/a/ports", LOCAL)
    way = {"name": "a-net", "type": "localnet", "network_name": "physnet1"}
    await net.call("POST", "/logical-switches/a/ports", {**way, "addresses": ["unknown"]})
    net.server.realised.facts.learned.learn_mac("hv1", "r1-a", "10.1.0.77", "02:00:00:00:00:77")
    found = await refused(net, source="meta", destination="10.1.0.77")
    assert found["text"] == (
        "no: the request is lost at port a-net: what local port meta sends stays on its chassis, "
        "and goes to no provider network"
    )
    assert found["proposal"] is None
