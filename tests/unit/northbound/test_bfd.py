"""BFD sessions, and the routes and policies that go by them."""

import pytest

from northbound.errors import InvalidError, LimitError, ReferencedError
from northbound.services import bfd_sessions
from tests.unit.northbound.network import Network

NEIGHBOUR = "192.0.2.9"
RANKS = [{"chassis": "gw1", "priority": 1}]


@pytest.fixture
def edge(network: Network) -> Network:
    """A router with a gateway port and another port."""
    network.create("router", name="edge")
    port = {"logical_router": "edge", "networks": ["192.0.2.1/24", "2001:db8::1/64"]}
    network.create("router_port", name="out", gateway_chassis=RANKS, **port)
    network.create("router_port", name="in", logical_router="edge", networks=["10.0.0.1/24"])
    return network


def session(network: Network, port: str = "out", **fields: object) -> str:
    return network.create("bfd", logical_router_port=port, **{"dst_ip": NEIGHBOUR, **fields})


def route(network: Network, **fields: object) -> str:
    values = {"logical_router": "edge", "ip_prefix": "0.0.0.0/0", "nexthop": NEIGHBOUR, "bfd": True}
    return network.create("route", **{**values, **fields})


def test_a_session_has_the_times_of_ovn_unless_told_others(edge: Network) -> None:
    view = edge.get("bfd", session(edge))
    assert (view["min_tx"], view["min_rx"], view["detect_mult"]) == (1000, 1000, 5)
    assert (view["logical_router_port"], view["enabled"]) == ("out", True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dst_ip", "192.0.2.1"),
        ("dst_ip", "192.0.2.255"),
        ("dst_ip", "224.0.0.1"),
        ("dst_ip", "gateway"),
        ("min_tx", 99),
        ("min_rx", 0),
        ("min_rx", 60_001),
        ("detect_mult", 0),
        ("detect_mult", 256),
        ("logical_router_port", "nowhere"),
    ],
)
def test_what_no_session_can_be_is_refused(edge: Network, field: str, value: object) -> None:
    values = {"logical_router_port": "out", "dst_ip": NEIGHBOUR, field: value}
    with pytest.raises(InvalidError) as caught:
        edge.create("bfd", **values)
    assert caught.value.problems[0].path[0] == field


def test_the_neighbour_stays(edge: Network) -> None:
    ref = session(edge)
    assert "cannot be changed" in edge.refuses(
        InvalidError, lambda: edge.update("bfd", ref, dst_ip="192.0.2.8")
    )


def test_a_port_has_so_many_sessions(edge: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bfd_sessions, "MOST_SESSIONS", 2)
    session(edge)
    session(edge, dst_ip="2001:db8::9")
    with pytest.raises(LimitError):
        session(edge, dst_ip="192.0.2.8")


def test_a_route_goes_by_a_session_that_there_is(edge: Network) -> None:
    assert "no port of the router has a BFD session" in edge.refuses(
        InvalidError, lambda: route(edge)
    )
    ref = session(edge)
    route(edge)
    assert "static route" in edge.refuses(ReferencedError, lambda: edge.delete("bfd", ref))
    edge.delete("router", "edge", cascade=True)


def test_a_session_goes_with_its_port(edge: Network) -> None:
    ref = session(edge)
    edge.delete("router_port", "out")
    with pytest.raises(Exception, match="bfd"):
        edge.get("bfd", ref)


def test_a_route_goes_by_no_session_that_is_run_nowhere(edge: Network) -> None:
    session(edge, "in", dst_ip="10.0.0.9")
    assert "no gateway port" in edge.refuses(InvalidError, lambda: route(edge, nexthop="10.0.0.9"))
    edge.update("router_port", "in", gateway_chassis=RANKS)
    route(edge, nexthop="10.0.0.9")


def test_what_discards_goes_by_nothing(edge: Network) -> None:
    assert "discarded" in edge.refuses(InvalidError, lambda: route(edge, nexthop="discard"))


def test_a_policy_goes_by_sessions_with_its_next_hops(edge: Network) -> None:
    values = {"logical_router": "edge", "priority": 1, "match": "ip4", "bfd": True}
    assert "no meaning" in edge.refuses(
        InvalidError, lambda: edge.create("policy", action="drop", **values)
    )
    rerouting = {**values, "action": "reroute", "nexthops": [NEIGHBOUR, "192.0.2.8"]}
    assert "no port of the router" in edge.refuses(
        InvalidError, lambda: edge.create("policy", **rerouting)
    )
    ref = session(edge)
    edge.create("policy", **rerouting)
    assert "router policy" in edge.refuses(ReferencedError, lambda: edge.delete("bfd", ref))


@pytest.mark.parametrize("nexthops", [[NEIGHBOUR, "10.0.0.9"], ["10.0.0.9", NEIGHBOUR]])
def test_a_policy_goes_by_the_sessions_that_are_run(edge: Network, nexthops: list[str]) -> None:
    session(edge)
    session(edge, "in", dst_ip="10.0.0.9")
    values = {"logical_router": "edge", "priority": 1, "match": "ip4", "action": "reroute"}
    edge.create("policy", **values, nexthops=nexthops, bfd=True)


def test_a_port_stays_a_gateway_while_routes_go_by_its_sessions(edge: Network) -> None:
    session(edge)
    made = route(edge)
    with pytest.raises(InvalidError) as caught:
        edge.update("router_port", "out", gateway_chassis=[])
    assert caught.value.problems[0].path == ("gateway_chassis",)
    edge.delete("route", made)
    edge.update("router_port", "out", gateway_chassis=[])


def test_a_router_stays_on_its_chassis_while_routes_go_by_its_sessions(edge: Network) -> None:
    edge.update("router_port", "out", gateway_chassis=[])
    edge.update("router", "edge", chassis="gw1")
    session(edge)
    route(edge)
    with pytest.raises(InvalidError) as caught:
        edge.update("router", "edge", chassis=None)
    assert caught.value.problems[0].path == ("chassis",)
