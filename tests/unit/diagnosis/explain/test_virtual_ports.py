"""Addresses of virtual ports: whose they are, and that none of the parents has spoken."""

from typing import Any

import pytest

from southbound.virtual import Spoken
from tests.unit.diagnosis.explain.asking import first, refused, unknown
from tests.unit.diagnosis.explain.conftest import Plugged
from tests.unit.diagnosis.explain.test_outside import texts

MACS = {"a1": "0a:00:00:00:01:01", "a2": "0a:00:00:00:01:02"}
VIRTUAL = {4: "10.1.0.50", 6: "fd01::50"}
SHARED = "02:00:5e:00:01:33"


@pytest.fixture(params=[4, 6])
def address(request: pytest.FixtureRequest) -> str:
    return VIRTUAL[request.param]


async def share(net: Plugged, address: str, **fields: Any) -> None:
    body = {"name": "v1", "type": "virtual", "virtual_ip": address, "virtual_parents": ["a1", "a2"]}
    await net.call("POST", "/logical-switches/a/ports", {**body, **fields})


async def hold(net: Plugged, *allowed: str) -> None:
    """Let port security keep both to their own addresses, and let one have more."""
    own = {"a1": "10.1.0.11 fd01::11", "a2": "10.1.0.12 fd01::12"}
    for name, mac in MACS.items():
        more = allowed[1:] if name == allowed[0] else ()
        security = [" ".join((mac, own[name], *more))]
        await net.change(f"/logical-switch-ports/{name}", port_security=security)


def speak(net: Plugged, parent: str) -> None:
    net.server.realised.facts.state_virtual("hv1", [("v1", Spoken(parent, 5.0))])


@pytest.mark.parametrize("by_name", [False, True])
async def test_the_one_that_spoke_has_it(net: Plugged, address: str, by_name: bool) -> None:
    await share(net, address)
    speak(net, "a2")
    found = await net.ask(source="b1", destination="v1" if by_name else address)
    assert found["answer"] == "yes", found["text"]
    assert found["destination"] == "a2"
    assert texts(found, "owner") == [
        f"{address} is behind a2, which spoke last for virtual port v1"
    ]


async def test_where_none_has_spoken_it_is_not_known(net: Plugged, address: str) -> None:
    await share(net, address)
    found = await unknown(net, source="b1", destination="v1")
    for parent in MACS:
        assert f"{parent}, a parent of virtual port v1, for which none has spoken" in found["text"]
    assert found["proposal"] is None, "nothing is in the way"


async def test_parents_that_port_security_keeps_from_it(net: Plugged, address: str) -> None:
    await share(net, address)
    await hold(net, "")
    found = await refused(net, source="b1", destination="v1")
    assert first(found) == ("port-security", "a1")
    assert f"it may not send as {address} with MAC {MACS['a1']}" in found["text"]
    await hold(net, "a2", address)
    found = await unknown(net, source="b1", destination="v1")
    assert f"it hangs on who has {address}, a2, whose port security allows it" in found["text"]
    speak(net, "a2")
    assert (await net.ask(source="b1", destination="v1"))["answer"] == "yes"


async def test_the_parent_that_has_it_may_be_away(net: Plugged, address: str) -> None:
    await share(net, address)
    speak(net, "a2")
    net.server.realised.facts.release("hv1", "a2")
    found = await refused(net, source="b1", destination="v1")
    assert first(found) == ("unbound", "a2")


async def test_a_mac_address_of_the_virtual_port_is_the_answer(net: Plugged) -> None:
    """As with VRRP; port security has to allow it, too."""
    await share(net, VIRTUAL[4], addresses=[SHARED])
    await hold(net, "a2", VIRTUAL[4])
    speak(net, "a2")
    found = await refused(net, source="b1", destination="v1")
    assert first(found) == ("port-security", "a2")
    security = [f"{MACS['a2']} 10.1.0.12", f"{SHARED} {VIRTUAL[4]}"]
    await net.change("/logical-switch-ports/a2", port_security=security)
    found = await net.ask(source="b1", destination="v1")
    assert found["answer"] == "yes", found["text"]
    assert found["destination"] == "a2"


async def test_an_address_that_is_no_virtual_ports_has_no_parents(net: Plugged) -> None:
    await share(net, VIRTUAL[4])
    found = await refused(net, source="b1", destination="10.1.0.51")
    assert first(found)[0] == "unknown-destination"
    assert "virtual port" not in found["text"]
