"""What one change costs: counted in derivations and reads, not in time.

The counts are the same in a network of 100 ports and in one of 1,000.
"""

from collections import Counter
from typing import Any

import pytest

from benchmarks import topology
from incremental import Engine
from southbound.groups import GroupIds
from translator.features.dhcp.relations import ports_of_switch
from translator.graph import FLOWS, PORTS, translation
from translator.intent import key_of, row_of
from translator.realise import realise

Rows = list[tuple[str, dict[str, Any]]]

READS = 10
"""The most things that a run may look at, besides its own row."""


@pytest.fixture(scope="module", params=[100, 1000])
def engine(request: pytest.FixtureRequest) -> Engine:
    engine = Engine(translation())
    engine.apply(row_of(table, image) for table, image in topology.network(request.param))
    return engine


def cost(engine: Engine, puts: Rows = (), deletes: Rows = ()) -> tuple[Counter[str], int]:  # type: ignore[assignment]
    """Derivations run and southbound rows written for one batch; both ways, to undo it."""
    batch = [row_of(table, image) for table, image in puts]
    batch += [(*key_of(table, image), None) for table, image in deletes]
    delta = engine.apply(batch)
    rows = realise(delta, GroupIds(), 1)
    assert not engine.failures
    return delta.runs, len(rows.puts) + len(rows.deletes)


def test_a_network_costs_what_it_has() -> None:
    """Of each port no more is derived than it has, and nothing is indexed that nobody asks for."""
    engine, ports = Engine(translation()), 100
    delta = engine.load([row_of(table, image) for table, image in topology.network(ports)])
    of_each_port = {name for name, runs in delta.runs.items() if runs >= ports}
    assert of_each_port == {
        "resolvers",
        "membership_switch",
        "switch_port_binding",
        "port_group_members",
        "switch_port_flows",
        "neighbour_flows",
    }
    on_demand = [node.source for node in engine.graph if node.on_demand]
    assert on_demand
    assert not any(map(engine.rows, on_demand))


def test_a_port(engine: Engine) -> None:
    port = list(topology.port_in_group(0, 60))
    runs, rows = cost(engine, puts=port)
    assert runs == {
        "resolvers": 1,
        "membership_switch": 1,
        "switch_port_binding": 1,
        "port_group_members": 1,
        "switch_port_flows": 1,
        "neighbour_flows": 1,
    }
    assert rows == 5, "a binding, two set members, its flows, and those of its router"
    runs, rows = cost(engine, deletes=port)
    assert runs.total() == 0, "what goes is not derived"
    assert rows == 5


def test_an_acl(engine: Engine) -> None:
    changed = [("acl", topology.default_acl(0, 2, match="outport == @pg0 && udp"))]
    runs, rows = cost(engine, puts=changed)
    assert runs == {"placements_by_switch": 1, "acl_role": 1, "acl_flows": 1}
    assert rows == 1
    cost(engine, puts=[("acl", topology.default_acl(0, 2))])


def test_a_route(engine: Engine) -> None:
    route = [("static_route", topology.static_route(0, 0))]
    runs, rows = cost(engine, puts=route)
    assert runs == {
        "next_hop_beyond": 1,
        "static_route_flows": 1,
        "is_spread": 1,
        "spreading_flows": 1,
    }
    assert rows == 1
    cost(engine, deletes=route)


def test_a_member_of_many(engine: Engine) -> None:
    """A next hop more costs a flow and the flow that spreads, however many there are."""
    members = [
        ("static_route", {**topology.static_route(0, n), "ip_prefix": "192.0.0.0/24"})
        for n in range(32)
    ]
    for n, (_, image) in enumerate(members):
        image["nexthop"] = f"10.0.0.{200 + n}"
    cost(engine, puts=members[:-1])
    runs, rows = cost(engine, puts=members[-1:])
    assert (runs["static_route_flows"], runs["spreading_flows"], rows) == (1, 1, 2)
    cost(engine, deletes=members)


def test_a_switch(engine: Engine) -> None:
    switch = [("logical_switch", topology.logical_switch(999))]
    runs, rows = cost(engine, puts=switch)
    assert runs == {
        "switch_datapath": 1,
        "switch_flows": 1,
        "dns_flows": 1,
    }
    assert rows == 2
    cost(engine, deletes=switch)


def test_dhcp_options_cost_by_the_ports_that_have_them(engine: Engine) -> None:
    """Those of a switch cost by its ports, a port more by itself, other switches nothing."""
    options = {
        "id": "d",
        "project": "default",
        "cidr": "10.0.0.0/8",
        "dhcpv4": {"server_id": "10.0.0.1"},
        "dhcpv6": None,
    }
    served = {**topology.logical_switch(0), "dhcpv4_options_id": "d"}
    runs, _ = cost(engine, puts=[("dhcp_options", options), ("logical_switch", served)])
    assert runs["inherited_options"] == runs["dhcp_flows"] == topology.PORTS_PER_SWITCH
    runs, _ = cost(engine, puts=[("logical_switch_port", topology.port(0, 60))])
    assert (runs["inherited_options"], runs["dhcp_flows"]) == (1, 1)
    runs, _ = cost(engine, puts=[("logical_switch_port", topology.port(1, 60))])
    assert "inherited_options" not in runs
    added = [("logical_switch_port", topology.port(n, 60)) for n in range(2)]
    cost(engine, puts=[("logical_switch", topology.logical_switch(0))], deletes=added)
    assert not engine.rows(ports_of_switch)


def test_a_port_for_unknown_destinations(engine: Engine) -> None:
    unknown = topology.port(0, 0, addresses=["unknown"], port_security=[])
    runs, _ = cost(engine, puts=[("logical_switch_port", unknown)])
    assert runs.total() <= 10
    cost(engine, puts=[("logical_switch_port", topology.port(0, 0))])


def test_a_router_port_costs_by_the_ports_of_its_switch(engine: Engine) -> None:
    rows = [
        ("logical_switch_port", topology.uplink(0)),
        ("logical_router_port", topology.router_port(0)),
    ]
    cost(engine, deletes=rows)
    runs, _ = cost(engine, puts=rows)
    assert runs["neighbour_flows"] == topology.PORTS_PER_SWITCH
    assert runs.total() <= 2 * topology.PORTS_PER_SWITCH + 20


def test_no_derivation_looks_at_many_things(engine: Engine) -> None:
    most = {node.name: engine.most_reads(node.source) for node in engine.graph}
    assert {name: count for name, count in most.items() if count > READS} == {}
    assert all(engine.rows(source) for source in PORTS[:2])
    assert engine.rows(FLOWS[0])
