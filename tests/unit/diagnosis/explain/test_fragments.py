"""What large datagrams meet that small ones don't: their fragments show no ports."""

import pytest

from tests.unit.diagnosis.explain.asking import allow, first, refused
from tests.unit.diagnosis.explain.conftest import Plugged

DATAGRAMS = {"source": "a1", "destination": "b1", "service": "udp/5000", "fragmented": True}
WHOLE = {**DATAGRAMS, "fragmented": False}
TO = "outport == @receivers"


async def test_nothing_is_in_the_way_where_no_acl_asks_for_ports(net: Plugged) -> None:
    found = await net.ask(**DATAGRAMS)
    assert found["reachable"], found["text"]
    traced = [check["trace"]["match"] for check in found["checks"] if check["trace"]]
    assert sum("ip.frag" in match for match in traced) == 4, "of request and reply, first and later"


@pytest.mark.parametrize("stateful", [True, False])
async def test_an_acl_that_allows_a_port_lets_no_fragment_through(
    net: Plugged, stateful: bool
) -> None:
    """The one that drops what is left is named, and a way that fragments can go is proposed."""
    action = "allow-related" if stateful else "allow-stateless"
    await net.acl(
        "pg:receivers", "to-lport", 9, f"{TO} && udp.dst == 5000", name="udp", action=action
    )
    await net.acl("pg:receivers", "to-lport", 1, f"{TO} && ip", name="no-more")
    assert (await net.ask(**WHOLE))["reachable"]
    found = await refused(net, **DATAGRAMS)
    assert first(found) == ("acl", "no-more")
    assert "allows fragments of udp from 10.1.0.11 to 10.2.0.11" in found["text"]
    assert "fragments show no ports" in found["text"]
    (operation,) = found["proposal"]["transaction"]["operations"]
    assert operation["values"]["match"] == (
        'outport == "b1" && ip4.src == 10.1.0.11 && ip4.dst == 10.2.0.11 && ip.proto == 17'
    )
    await allow(net, found, **DATAGRAMS)


async def test_an_acl_that_drops_another_port_is_named(net: Plugged) -> None:
    await net.acl("pg:receivers", "to-lport", 9, "udp.dst == 53", name="no-dns")
    assert (await net.ask(**WHOLE))["reachable"]
    found = await refused(net, **DATAGRAMS)
    assert first(found) == ("acl", "no-dns")
    await allow(net, found, **DATAGRAMS)


async def test_replies_in_fragments_are_asked_about_too(net: Plugged) -> None:
    await net.acl(
        "pg:senders", "to-lport", 9, "outport == @senders && udp.src == 53", name="no-answers"
    )
    found = await refused(net, **DATAGRAMS)
    assert first(found) == ("acl", "no-answers")
    assert found["text"].startswith("no: the reply is dropped by ACL no-answers")


async def test_a_packet_says_itself_that_it_is_a_fragment(net: Plugged) -> None:
    answer = await net.server.client.post(
        "/v1/reachability", json={"match": 'inport == "a1" && ip4', "fragmented": True}
    )
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "#/fragmented"


async def test_a_virtual_address_with_a_port_may_take_no_fragments(net: Plugged) -> None:
    """It hangs on the datapath of the hypervisor; one without a port takes them all."""
    await net.call(
        "POST", "/load-balancers", {"name": "shop", "protocol": "udp", "switches": ["a"]}
    )
    vip = {"address": "10.96.0.1", "port": 53, "backends": ["10.2.0.11:53"]}
    made = await net.call("POST", "/load-balancers/shop/vips", vip)
    asked = {"source": "a1", "destination": "10.96.0.1", "service": "udp/53"}
    assert (await net.ask(**asked))["reachable"]
    found = await net.ask(**asked, fragmented=True)
    assert found["reachable"] is None
    (obstacle, *_) = found["obstacles"]
    assert (obstacle["certain"], obstacle["cause"]["id"]) == (False, made["id"])
    assert "load balancer VIP 10.96.0.1:53 of load balancer shop" in obstacle["text"]
    assert "shows no ports in them" in found["text"]
    await net.call("DELETE", f"/load-balancer-vips/{made['id']}")
    every = {"address": "10.96.0.1", "backends": ["10.2.0.11"]}
    await net.call("POST", "/load-balancers/shop/vips", every)
    found = await net.ask(**asked, fragmented=True)
    assert found["reachable"], found["text"]
