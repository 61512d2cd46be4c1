"""Why a virtual address answers nobody, and which of its backends is down since when."""

from collections.abc import Mapping
from typing import Any

import pytest

from southbound.wire import BackendState
from tests.unit.diagnosis.explain.asking import allow, refused, unknown
from tests.unit.diagnosis.explain.conftest import Plugged
from tests.unit.diagnosis.explain.test_outside import texts

MATCH = (
    "eth.src == 0a:00:00:00:01:01 && eth.dst == 0a:00:00:01:00:01 && ip4.src == 10.1.0.11 "
    "&& ip4.dst == 10.96.0.1 && ip.ttl == 64 && tcp.src == 5000 && tcp.dst == 80"
)
ASKED = {"inport": "a1", "match": MATCH}
BACKEND = "10.1.0.12:8080"

ON_SWITCH = {"switches": ["a"]}


async def balance(net: Plugged, at: Mapping[str, Any] = ON_SWITCH, **fields: Any) -> str:
    await net.call("POST", "/load-balancers", {"name": "shop", **at})
    place = {"address": "10.1.0.12", "logical_port": "a2", "source_ip": "10.1.0.1"}
    await net.call("POST", "/load-balancers/shop/backends", place)
    vip = {"address": "10.96.0.1", "port": 80, **fields}
    made: dict[str, Any] = await net.call("POST", "/load-balancers/shop/vips", vip)
    return str(made["id"])


async def test_without_backends(net: Plugged) -> None:
    await balance(net)
    found = await refused(net, **ASKED)
    assert found["obstacles"][0]["kind"] == "no-backend"
    assert "it has no backend" in found["text"]
    assert "give load balancer VIP 10.96.0.1:80 of load balancer shop a backend" in str(found)


async def test_without_backends_one_that_answers_elsewhere_is_proposed(net: Plugged) -> None:
    await balance(net)
    other = await beside(net)
    assert "answers for" not in str(await refused(net, **ASKED)), "it hasn't answered yet"
    states = net.server.realised.facts.backends
    states.state("hv1", [BackendState(f"&{other}", BACKEND, True)])
    found = await refused(net, **ASKED)
    (operation,) = found["proposal"]["transaction"]["operations"]
    assert (operation["kind"], operation["values"]) == (
        "load_balancer_vip",
        {"backends": [BACKEND]},
    )
    assert f"the backend {BACKEND}, which answers for load balancer VIP" in str(found)
    await allow(net, found, **ASKED)


async def test_what_answers_and_is_not_let_through_takes_more(net: Plugged) -> None:
    await balance(net)
    other = await beside(net)
    net.server.realised.facts.backends.state("hv1", [BackendState(f"&{other}", BACKEND, True)])
    await net.acl("ls:a", "to-lport", 7, 'outport == "a2" && tcp', name="closed")
    found = await refused(net, **ASKED)
    kinds = [each["kind"] for each in found["proposal"]["transaction"]["operations"]]
    assert kinds == ["load_balancer_vip", "acl"]
    await allow(net, found, **ASKED)


async def beside(net: Plugged) -> str:
    """Give the load balancer another virtual address, whose backend is checked."""
    vip = {"address": "10.96.0.2", "port": 80, "backends": [BACKEND], "health_check": {}}
    made: dict[str, Any] = await net.call("POST", "/load-balancers/shop/vips", vip)
    return str(made["id"])


SEVERAL = [BACKEND, "10.2.0.11:8080"]
BY_ADDRESS = {"source": "a1", "destination": "10.96.0.1", "service": "tcp/80"}


@pytest.mark.parametrize("asked", [ASKED, BY_ADDRESS])
async def test_each_of_several_backends_is_tried(net: Plugged, asked: dict[str, Any]) -> None:
    await balance(net, backends=SEVERAL)
    found = await net.ask(**asked)
    assert found["answer"] == "yes", found["text"]
    assert texts(found, "backend") == [
        "the connection gets backend 10.1.0.12:8080; with 10.2.0.11:8080 it fares alike"
    ]
    assert [each["text"] for each in found["checks"]].count("the reply is delivered to a1") == 1


@pytest.mark.parametrize("asked", [ASKED, BY_ADDRESS])
@pytest.mark.parametrize("closed", ["a2", "b1"])
async def test_it_hangs_on_the_backend_if_not_all_are_reached(
    net: Plugged, closed: str, asked: dict[str, Any]
) -> None:
    await balance(net, backends=SEVERAL)
    switch = f"ls:{closed[0]}"
    await net.acl(switch, "to-lport", 7, f'outport == "{closed}" && tcp', name="closed")
    found = await unknown(net, **asked)
    assert "it hangs on which backend the connection gets: with " in found["text"]
    assert found["obstacles"][0]["cause"]["name"] == "closed"
    assert texts(found, "guest") == [], "the gateway makes no difference"
    await allow(net, found, **asked)


async def test_none_of_several_backends_is_reached(net: Plugged) -> None:
    await balance(net, backends=SEVERAL)
    await net.acl("ls:a", "from-lport", 7, 'inport == "a1" && tcp', name="closed")
    found = await refused(net, **ASKED)
    assert found["obstacles"][0]["cause"]["name"] == "closed"


async def test_one_of_several_backends_that_is_away(net: Plugged) -> None:
    await balance(net, backends=SEVERAL)
    net.server.realised.facts.release("hv2", "b1")
    found = await unknown(net, **ASKED)
    assert "with 10.2.0.11:8080 no: port b1 is not bound to any chassis" in found["text"]
    assert "with 10.1.0.12:8080 yes" in found["text"]


async def test_with_one_that_does_not_answer(net: Plugged) -> None:
    vip = await balance(net, backends=[BACKEND], health_check={})
    found = await refused(net, **ASKED)
    assert "none of its backends answers" in found["text"]
    assert f"bring backend {BACKEND} (it has not answered yet) of load balancer VIP" in str(found)
    proposal = found["proposal"]
    assert proposal["sufficient"]
    assert (proposal["transaction"], proposal["commands"]) == (None, []), "its owner has to do it"
    assert [each["text"] for each in proposal["assumptions"]] == [
        f"{BACKEND} answers those that check it, once it is back"
    ]
    facts = net.server.realised.facts.backends
    facts.state("hv1", [BackendState(f"&{vip}", BACKEND, False, "nothing listens there")])
    assert f"{BACKEND} (nothing listens there on hv1, since " in str(await refused(net, **ASKED))
    facts.state("hv1", [BackendState(f"&{vip}", BACKEND, True)])
    found = await net.ask(**ASKED)
    assert found["answer"] == "yes", found["text"]


async def test_what_is_in_the_way_behind_a_backend_that_is_down(net: Plugged) -> None:
    """Bringing it back is not enough: nothing would get there."""
    await balance(net, backends=[BACKEND], health_check={})
    await net.acl("ls:a", "to-lport", 7, 'outport == "a2" && tcp', name="closed")
    found = await refused(net, **ASKED)
    texts = found["proposal"]["text"]
    assert texts[0].startswith(f"bring backend {BACKEND} ")
    assert texts[1].startswith("add an ACL to logical switch a")
    assert found["proposal"]["sufficient"]


async def test_a_backend_whose_workload_is_there_comes_first(net: Plugged) -> None:
    """The other one would have to be plugged in as well."""
    fields = {"backends": ["10.1.0.77:8080", BACKEND], "health_check": {}}
    await balance(net, **fields)
    port = {"name": "away", "addresses": ["0a:00:00:00:01:77 10.1.0.77"]}
    await net.call("POST", "/logical-switches/a/ports", port)
    away = {"address": "10.1.0.77", "logical_port": "away", "source_ip": "10.1.0.1"}
    await net.call("POST", "/load-balancers/shop/backends", away)
    found = await refused(net, **ASKED)
    (text,) = found["proposal"]["text"]
    assert text.startswith(f"bring backend {BACKEND} (")
    assert "or else 10.1.0.77:8080 (" in text
    net.server.realised.facts.release("hv1", "a2")
    net.plug("away", "hv2")
    (text,) = (await refused(net, **ASKED))["proposal"]["text"]
    assert text.startswith("bring backend 10.1.0.77:8080 (")


async def test_a_backend_that_is_nowhere_has_to_be_plugged_in(net: Plugged) -> None:
    await balance(net, backends=[BACKEND], health_check={})
    net.server.realised.facts.release("hv1", "a2")
    found = await refused(net, **ASKED)
    assert found["proposal"]["sufficient"]
    assert found["proposal"]["commands"] == [
        "ovs-vsctl set Interface INTERFACE external_ids:iface-id=a2"
    ]


@pytest.mark.parametrize("reject", [False, True])
@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "it has no backend"),
        ({"backends": [BACKEND], "health_check": {}}, "none of its backends answers"),
    ],
)
async def test_on_a_gateway_router(
    net: Plugged, fields: dict[str, Any], reason: str, reject: bool
) -> None:
    await net.call("PATCH", "/logical-routers/r1", {"chassis": "hv1"})
    await balance(net, {"routers": ["r1"], "reject": reject}, **fields)
    found = await refused(net, **ASKED)
    assert found["obstacles"][0]["kind"] == "no-backend"
    assert f"{'refused' if reject else 'dropped'} by" in found["text"]
    assert reason in found["text"]


async def test_of_a_template_by_the_variables_of_the_chassis(net: Plugged) -> None:
    template = {"template": True, "address_family": "ipv4"}
    await net.call("POST", "/load-balancers", {"name": "shop", **ON_SWITCH, **template})
    vip = {"address": "^NODE", "port": 80, "backends": ["^WEB"]}
    await net.call("POST", "/load-balancers/shop/vips", vip)
    values = {"NODE": "10.96.0.1", "WEB": "nothing"}
    body = {"chassis": "hv1", "variables": values}
    made: dict[str, Any] = await net.call("POST", "/chassis-template-vars", body)
    found = await refused(net, **ASKED)
    assert "it has no backend" in found["text"]
    assert "bring one of the backends" in str(found)
    assert "^WEB (on hv1, ^WEB: is no list of backends" in str(found)
    path = f"/chassis-template-vars/{made['id']}"
    await net.call("PATCH", path, {"variables": {"WEB": BACKEND}})
    assert "no backend" not in (await net.ask(**ASKED))["text"]
    # What is another chassis' address is nobody's here.
    await net.call("PATCH", path, {"variables": {"NODE": None}})
    await net.call("POST", "/chassis-template-vars", {**body, "chassis": "hv2"})
    assert "no backend" not in (await net.ask(**ASKED))["text"]
