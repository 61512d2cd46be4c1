"""Ports that no chassis serves are told, with what to do there."""

import pytest

from tests.unit.diagnosis.explain.asking import A_TO_B, first, refused, unknown
from tests.unit.diagnosis.explain.conftest import Plugged


@pytest.mark.parametrize("port", ["a1", "b1"])
async def test_unbound(net: Plugged, port: str) -> None:
    facts = net.server.realised.facts
    chassis = {"a1": "hv1", "b1": "hv2"}[port]
    facts.release(chassis, port)
    found = await refused(net, **A_TO_B)
    assert found["text"] == f"no: port {port} is not bound to any chassis"
    assert first(found) == ("unbound", port)
    proposal = found["proposal"]
    assert (proposal["transaction"], proposal["sufficient"]) == (None, True)
    assert proposal["commands"] == [
        f"ovs-vsctl set Interface INTERFACE external_ids:iface-id={port}"
    ]
    net.plug(port, chassis)
    assert (await net.ask(**A_TO_B))["reachable"]


async def test_a_port_that_waits_for_a_chassis(net: Plugged) -> None:
    await net.change("/logical-switch-ports/b1", requested_chassis=["hv9"])
    found = await refused(net, **A_TO_B)
    assert "only hv9 bind it, and there is no chassis or host named hv9" in found["text"]


@pytest.mark.parametrize(("chassis", "port"), [("hv1", "a1"), ("hv2", "b1")])
async def test_dead_chassis(net: Plugged, chassis: str, port: str) -> None:
    facts = net.server.realised.facts
    facts.lapsed(chassis)
    found = await unknown(net, **A_TO_B)
    assert not found["obstacles"][0]["certain"]
    assert (
        f"port {port} is bound to chassis {chassis}, whose agent is not heard of" in (found["text"])
    )
    assert found["obstacles"][0]["kind"] == "dead-chassis"
    assert "systemctl start treadle-agent" in found["proposal"]["commands"]


async def test_not_up(net: Plugged) -> None:
    net.server.realised.facts.set_up("hv2", "b1", False)
    found = await refused(net, **A_TO_B)
    assert first(found)[0] == "not-up"


async def test_all_that_is_wrong_with_both_ends_is_told(net: Plugged) -> None:
    net.server.realised.facts.release("hv1", "a1")
    net.server.realised.facts.release("hv2", "b1")
    await net.acl("pg:receivers", "to-lport", 3, "outport == @receivers && ip", name="no")
    found = await refused(net, **A_TO_B)
    assert [each["kind"] for each in found["obstacles"]] == ["unbound", "acl", "unbound"]
    assert found["obstacles"][1]["text"].startswith("the request is dropped by ACL no ")
    assert found["proposal"]["sufficient"]
    assert len(found["proposal"]["commands"]) == 2
