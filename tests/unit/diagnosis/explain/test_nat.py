"""Why an external address answers nobody."""

from typing import Any

import pytest

from tests.unit.diagnosis.explain.asking import allow, refused
from tests.unit.diagnosis.explain.conftest import Plugged

ASKED = {"source": "b1", "destination": "10.2.0.99", "service": "tcp/80"}


async def translate(net: Plugged, **fields: Any) -> None:
    nat = {"type": "dnat", "external_ip": "10.2.0.99", "logical_ip": "10.1.0.11", **fields}
    await net.call("POST", "/logical-routers/r1/nats", nat)


@pytest.mark.parametrize("kind", ["dnat", "dnat_and_snat"])
async def test_a_router_without_a_gateway_translates_nothing(net: Plugged, kind: str) -> None:
    await translate(net, type=kind)
    found = await refused(net, **ASKED)
    (obstacle,) = found["obstacles"]
    assert (obstacle["kind"], obstacle["cause"]["kind"]) == ("nat", "nat")
    assert "translates nothing: logical router r1 has no gateway" in found["text"]
    (operation,) = found["proposal"]["transaction"]["operations"]
    assert (operation["kind"], operation["ref"]) == ("logical_router_port", "r1-b")
    assert operation["values"] == {"gateway_chassis": [{"chassis": "hv1", "priority": 1}]}
    await allow(net, found, **ASKED)


async def test_an_address_of_no_nat_is_nobodys(net: Plugged) -> None:
    await translate(net, external_ip="10.2.0.98")
    found = await refused(net, **ASKED)
    assert found["obstacles"][0]["kind"] == "unknown-destination"
