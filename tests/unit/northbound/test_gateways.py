"""Gateway ports, gateway routers, and the groups that ports share."""

from typing import Any

import pytest

from northbound.apply import apply
from northbound.errors import InvalidError, ReferencedError
from northbound.models import LogicalRouterPort
from northbound.services import (
    HA_CHASSIS_GROUPS,
    LOGICAL_ROUTER_PORTS,
    LOGICAL_ROUTERS,
    LOGICAL_SWITCH_PORTS,
    LOGICAL_SWITCHES,
)
from tests.unit.northbound.network import Network

RANKS = [{"chassis": "gw1", "priority": 10}, {"chassis": "gw2", "priority": 20}]


def port(network: Network, name: str = "p", router: str = "r", **fields: Any) -> None:
    values = {"name": name, "logical_router": router, "networks": ["10.0.0.1/24"], **fields}
    with network.database.write(author="test") as tx:
        LOGICAL_ROUTER_PORTS.create(tx, values)


def change(network: Network, service: Any, name: str, **patch: Any) -> None:
    with network.database.write(author="test") as tx:
        service.update(tx, name, patch)


def keys(network: Network, name: str) -> tuple[int, int | None]:
    with network.database.read() as reader:
        row = LOGICAL_ROUTER_PORTS.get(reader, name)
        return row.tunnel_key, row.redirect_key


def routers(network: Network, name: str = "r", **fields: Any) -> None:
    with network.database.write(author="test") as tx:
        LOGICAL_ROUTERS.create(tx, {"name": name, **fields})


def refused(error: pytest.ExceptionInfo[InvalidError]) -> str:
    return str(error.value.problems[0].path[0])


def test_what_stands_for_a_gateway_port_has_a_key_of_its_own(network: Network) -> None:
    routers(network)
    port(network, gateway_chassis=RANKS)
    port(network, "q", networks=["10.0.1.1/24"])
    tunnel, redirect = keys(network, "p")
    assert redirect is not None
    assert len({tunnel, redirect, keys(network, "q")[0]}) == 3
    change(network, LOGICAL_ROUTER_PORTS, "p", gateway_chassis=[])
    assert keys(network, "p") == (tunnel, None)


def test_chassis_are_in_the_order_of_their_ranks(network: Network) -> None:
    routers(network)
    port(network, gateway_chassis=RANKS)
    with network.database.read() as reader:
        row: LogicalRouterPort = LOGICAL_ROUTER_PORTS.get(reader, "p")
        assert [each["chassis"] for each in row.gateway_chassis] == ["gw2", "gw1"]


def test_a_router_is_a_gateway_or_its_ports_are(network: Network) -> None:
    routers(network, "on-one", chassis="gw1")
    with pytest.raises(InvalidError) as error:
        port(network, router="on-one", gateway_chassis=RANKS)
    assert refused(error) == "gateway_chassis"
    routers(network)
    port(network, gateway_chassis=RANKS)
    with pytest.raises(InvalidError) as error:
        change(network, LOGICAL_ROUTERS, "r", chassis="gw1")
    assert refused(error) == "chassis"


def test_a_gateway_port_and_a_gateway_router_change_places_at_once(network: Network) -> None:
    """Whichever way a document goes, it is reached in one transaction."""
    port: dict[str, Any] = {"networks": ["10.0.0.1/24"]}
    by_port = {"r": {"ports": {"p": {**port, "gateway_chassis": RANKS}}}}
    by_router = {"r": {"chassis": "gw1", "ports": {"p": port}}}
    for routers_ in (by_port, by_router, by_port):
        with network.database.write(author="test") as tx:
            apply(tx, {"document": "d", "logical_routers": routers_})
        assert (keys(network, "p")[1] is None) == (routers_ is by_router)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"gateway_chassis": [RANKS[0], RANKS[0]]}, "gateway_chassis"),
        ({"gateway_chassis": [{"chassis": "gw1", "priority": 32768}]}, "gateway_chassis"),
        ({"gateway_chassis": [{"chassis": "", "priority": 1}]}, "gateway_chassis"),
        ({"gateway_chassis": RANKS, "ha_chassis_group": "border"}, "ha_chassis_group"),
        ({"ha_chassis_group": "nowhere"}, "ha_chassis_group"),
        ({"gateway_chassis": RANKS, "name": "p" * 253}, "name"),
    ],
)
def test_what_is_no_gateway_port_is_refused(
    network: Network, fields: dict[str, Any], field: str
) -> None:
    routers(network)
    with pytest.raises(InvalidError) as error:
        port(network, **fields)
    assert refused(error) == field


def test_a_group_that_ports_name_stays(network: Network) -> None:
    routers(network)
    with network.database.write(author="test") as tx:
        HA_CHASSIS_GROUPS.create(tx, {"name": "border", "chassis": RANKS})
    port(network, ha_chassis_group="border")
    with pytest.raises(ReferencedError), network.database.write(author="test") as tx:
        HA_CHASSIS_GROUPS.delete(tx, "border")


def switch_port(network: Network, name: str) -> None:
    with network.database.write(author="test") as tx:
        LOGICAL_SWITCH_PORTS.create(tx, {"name": name, "logical_switch": "s"})


def test_no_port_has_the_name_of_what_stands_for_a_gateway_port(network: Network) -> None:
    routers(network)
    with network.database.write(author="test") as tx:
        LOGICAL_SWITCHES.create(tx, {"name": "s"})
    port(network, gateway_chassis=RANKS)
    with pytest.raises(InvalidError, match="stands for the gateway port 'p'") as error:
        port(network, "cr-p", networks=["10.0.1.1/24"])
    assert refused(error) == "name"
    with pytest.raises(InvalidError, match="stands for the gateway port 'p'") as error:
        switch_port(network, "cr-p")
    assert refused(error) == "name"


def test_no_gateway_port_takes_the_name_of_another_port(network: Network) -> None:
    routers(network)
    with network.database.write(author="test") as tx:
        LOGICAL_SWITCHES.create(tx, {"name": "s"})
    switch_port(network, "cr-p")
    port(network, "cr-q", networks=["10.0.1.1/24"])
    for name in ("p", "q"):
        with pytest.raises(InvalidError, match=f"the name of the port 'cr-{name}'") as error:
            port(network, name, gateway_chassis=RANKS)
        assert refused(error) == "name"
    port(network, "p")
    with pytest.raises(InvalidError, match="the name of the port 'cr-p'"):
        change(network, LOGICAL_ROUTER_PORTS, "p", gateway_chassis=RANKS)


RESIDES = {"reside_on_redirect_chassis": True}


def resident(network: Network) -> None:
    """Two ports of a router: `p` leads outside, and `q` is where that is."""
    routers(network)
    port(network, gateway_chassis=RANKS)
    port(network, "q", networks=["10.0.1.1/24"], **RESIDES)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({**RESIDES}, "reside_on_redirect_chassis"),
        ({**RESIDES, "gateway_chassis": RANKS}, "reside_on_redirect_chassis"),
        ({**RESIDES, "peer": "p"}, "reside_on_redirect_chassis"),
        ({"redirect_type": "bridged"}, "redirect_type"),
        ({"redirect_type": "tunnel", "gateway_chassis": RANKS}, "redirect_type"),
        (
            {"redirect_type": "bridged", "gateway_chassis": RANKS, "peer": "p"},
            "redirect_type",
        ),
    ],
)
def test_what_means_nothing_of_a_port_is_refused(
    network: Network, fields: dict[str, Any], field: str
) -> None:
    routers(network)
    port(network)
    with pytest.raises(InvalidError) as error:
        port(network, "q", networks=["10.0.1.1/24"], **fields)
    assert refused(error) == field


def test_on_a_gateway_router_no_port_resides_elsewhere(network: Network) -> None:
    routers(network, "on-one", chassis="gw1")
    with pytest.raises(InvalidError) as error:
        port(network, router="on-one", **RESIDES)
    assert refused(error) == "reside_on_redirect_chassis"


def test_there_is_one_gateway_port_where_others_reside(network: Network) -> None:
    resident(network)
    for patch in ({"gateway_chassis": []}, {"gateway_chassis": [], "enabled": False}):
        with pytest.raises(InvalidError, match="and it has none") as error:
            change(network, LOGICAL_ROUTER_PORTS, "p", **patch)
        assert refused(error) == "gateway_chassis"
    with pytest.raises(InvalidError, match="p and r2 are such") as error:
        port(network, "r2", networks=["10.0.2.1/24"], gateway_chassis=RANKS)
    assert refused(error) == "gateway_chassis"
    with pytest.raises(ReferencedError), network.database.write(author="test") as tx:
        LOGICAL_ROUTER_PORTS.delete(tx, "p")
    change(network, LOGICAL_ROUTER_PORTS, "q", reside_on_redirect_chassis=False)
    with network.database.write(author="test") as tx:
        LOGICAL_ROUTER_PORTS.delete(tx, "p")


def test_a_router_goes_with_ports_that_reside(network: Network) -> None:
    resident(network)
    with network.database.write(author="test") as tx:
        LOGICAL_ROUTERS.delete(tx, "r", cascade=True)


def test_a_document_moves_the_gateway_that_others_reside_with(network: Network) -> None:
    """Whichever port is the gateway port, it is so at the end of one transaction."""
    gateway = {"networks": ["10.0.0.1/24"], "gateway_chassis": RANKS, "redirect_type": "bridged"}
    beside = {"networks": ["10.0.1.1/24"], **RESIDES}
    for ports in ({"a": gateway, "b": beside}, {"a": beside, "b": gateway}, {}):
        with network.database.write(author="test") as tx:
            apply(tx, {"document": "d", "logical_routers": {"r": {"ports": ports}}})
