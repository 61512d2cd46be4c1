"""What is refused of routing policies, and what holds on to what."""

import pytest

from northbound.errors import ConflictError, InvalidError, ReferencedError
from northbound.services import router_policies
from tests.unit.northbound.network import Network


@pytest.fixture
def router(network: Network) -> Network:
    network.create("router", name="edge")
    network.create(
        "router_port", name="in", logical_router="edge", networks=["10.0.0.1/24", "fd00::1/64"]
    )
    network.create("address_set", name="office", addresses=["192.0.2.0/24"])
    network.create("router", name="other")
    network.create("router_port", name="far", logical_router="other", networks=["10.7.0.1/24"])
    return network


GOOD = {"logical_router": "edge", "priority": 1, "match": "ip4", "action": "allow"}
REROUTE = {"action": "reroute", "nexthops": ["10.0.0.9"]}


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"priority": 32768}, "/priority"),
        ({"action": "reject"}, "/action"),
        ({"match": "ip4 &&"}, "/match"),
        ({"match": "reg0 == 1"}, "/match"),
        ({"match": "ct.est"}, "/match"),
        ({"match": "flags.loopback == 1"}, "/match"),
        ({"match": "ip4.src == $nowhere"}, "/match"),
        ({"match": "ip4 && !icmp4"}, "/match"),
        ({"nexthops": ["10.0.0.9"]}, "/nexthops"),
        ({"action": "reroute"}, "/nexthops"),
        ({"action": "reroute", "nexthops": ["10.0.0.9", "fd00::9"]}, "/nexthops/1"),
        ({"action": "reroute", "nexthops": ["10.0.0.9", "10.9.0.9"]}, "/nexthops/1"),
        ({"action": "reroute", "nexthops": ["10.0.0.1"]}, "/nexthops/0"),
        ({**REROUTE, "output_port": "far"}, "/output_port"),
        ({"output_port": "in"}, "/output_port"),
        ({"action": "drop", "pkt_mark": 1}, "/pkt_mark"),
        ({"pkt_mark": 1 << 32}, "/pkt_mark"),
        ({"selection_fields": ["ip_src"]}, "/selection_fields"),
        ({**REROUTE, "selection_fields": ["ip_dst", "vlan"]}, "/selection_fields/1"),
        ({**REROUTE, "selection_fields": ["eth_src"]}, "/selection_fields/0"),
        ({"action": "jump"}, "/jump_chain"),
        ({"jump_chain": "lab"}, "/jump_chain"),
        ({"action": "jump", "jump_chain": "main"}, "/jump_chain"),
    ],
)
def test_policy_that_cannot_be(router: Network, values: dict[str, object], pointer: str) -> None:
    assert list(router.faults("policy", **{**GOOD, **values})) == [pointer]


def test_a_chain_has_one_policy_of_a_priority_and_match(router: Network) -> None:
    router.create("policy", **GOOD)
    router.refused(ConflictError, "policy", **GOOD | {"action": "drop"})
    router.create("policy", **GOOD | {"chain": "lab"})
    router.create("policy", **GOOD | {"match": "ip6"})


def test_jumps_lead_in_no_circle_and_not_too_far(router: Network) -> None:
    jump = {**GOOD, "action": "jump"}
    router.create("policy", **jump | {"jump_chain": "a"})
    router.create("policy", **jump | {"chain": "a", "jump_chain": "b"})
    faults = router.faults("policy", **jump | {"chain": "b", "jump_chain": "a"})
    assert "in a circle" in faults["/jump_chain"]
    faults = router.faults("policy", **jump | {"chain": "b", "jump_chain": "b"})
    assert "in a circle" in faults["/jump_chain"]
    for n in range(router_policies.LONGEST_WAY - 2):
        here = "b" if n == 0 else f"c{n}"
        router.create("policy", **jump | {"chain": here, "jump_chain": f"c{n + 1}"})
    last = {"chain": f"c{router_policies.LONGEST_WAY - 2}", "jump_chain": "end"}
    assert "more than" in router.faults("policy", **jump | last)["/jump_chain"]


def test_chains_that_flows_cannot_tell_apart(
    router: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router_policies, "policy_chain_number", lambda _: 7)
    router.create("policy", **GOOD | {"chain": "lab"})
    assert "'lab'" in router.faults("policy", **GOOD | {"chain": "desk"})["/chain"]


def test_what_a_policy_needs_stays(router: Network) -> None:
    policy = router.create(
        "policy", **GOOD | REROUTE | {"match": "ip4.src == $office", "output_port": "in"}
    )
    for kind, name in (("address_set", "office"), ("router_port", "in")):
        router.refuses(ReferencedError, lambda kind=kind, name=name: router.delete(kind, name))
    router.update("router_port", "in", name="inside")
    assert router.get("policy", policy)["output_port"] == "inside"
    router.refuses(InvalidError, lambda: router.update("policy", policy, nexthops=[]))
    router.update("policy", policy, match="ip4")
    router.delete("address_set", "office")
    router.delete("policy", policy)
    router.delete("router_port", "inside")
