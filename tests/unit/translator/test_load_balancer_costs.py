"""What a change of load balancers costs, however many there are."""

import pytest

from incremental import Engine
from tests.realised import Realised
from tests.translated import Translated
from tests.unit.translator.test_costs import Rows, cost
from tests.unit.translator.test_nat_costs import network as router_network
from translator.graph import FLOWS, translation
from translator.intent import row_of

BACKENDS = [f"10.0.0.{n}:8080" for n in range(1, 11)]


def vip(number: int, backends: list[str], network: str = "10.96") -> tuple[str, dict[str, object]]:
    return "load_balancer_vip", {
        "id": f"vip-{number}",
        "load_balancer_id": f"lb-{number}",
        "address": f"{network}.{number // 250}.{number % 250 + 2}",
        "port": 80,
        "backends": backends,
    }


def network(balancers: int, switches: int) -> Rows:
    """Switches that all have all load balancers, each of one virtual address."""
    rows: Rows = [
        (
            "logical_switch",
            {"id": f"s{n}", "name": f"s{n}", "tunnel_key": n + 1, "vlan_passthru": 0},
        )
        for n in range(switches)
    ]
    for number in range(balancers):
        balancer = {"id": f"lb-{number}", "protocol": "tcp", "reject": False}
        rows += [("load_balancer", balancer), vip(number, BACKENDS)]
        rows += [
            (
                "load_balancer_switch",
                {"load_balancer_id": balancer["id"], "logical_switch_id": f"s{n}"},
            )
            for n in range(switches)
        ]
    return rows


@pytest.mark.parametrize(("balancers", "switches"), [(10, 1), (200, 5)])
def test_a_backend_is_one_member_of_a_set(balancers: int, switches: int) -> None:
    engine = Engine(translation())
    engine.apply(row_of(table, image) for table, image in network(balancers, switches))
    runs, rows = cost(engine, puts=[vip(3, [*BACKENDS, "10.0.0.99:8080"])])
    # What doesn't ask for backends comes out the same, and costs nothing further.
    assert runs == {"front": 1, "backend_members": 1, "virtual_address": 1, "checked": 1}
    assert rows == 1, "a member of the set, and no flow"
    runs, rows = cost(engine, puts=[vip(3, BACKENDS)])
    assert rows == 1


def test_a_virtual_address_is_a_flow_group_for_each_switch() -> None:
    engine = Engine(translation())
    engine.apply(row_of(table, image) for table, image in network(20, 3))
    runs, rows = cost(engine, puts=[vip(3, [])])
    assert runs["switch_vip_flows"] == 3
    assert rows == 3 + len(BACKENDS)


@pytest.mark.parametrize("members", [5, 200])
def test_one_that_joins_a_group_costs_itself_on_each_switch(members: int) -> None:
    rows = [row for row in network(members, 3) if row[0] != "load_balancer_switch"]
    rows += [
        (
            "load_balancer_group_member",
            {"load_balancer_group_id": "g", "load_balancer_id": f"lb-{number}"},
        )
        for number in range(members - 1)
    ]
    rows += [
        (
            "load_balancer_group_switch",
            {"load_balancer_group_id": "g", "logical_switch_id": f"s{number}"},
        )
        for number in range(3)
    ]
    engine = Engine(translation())
    engine.apply(row_of(table, image) for table, image in rows)
    joins = {"load_balancer_group_id": "g", "load_balancer_id": f"lb-{members - 1}"}
    runs, changed = cost(engine, puts=[("load_balancer_group_member", joins)])
    assert runs["switch_vip_flows"] == runs["vips_on_switch"] == 3
    assert runs["switches_by_group"] == runs["routers_by_group"] == 1
    assert changed == 3


OVN_FLOWS = 2
"""What Debian's OVN 23.03 has for a virtual address of one port on a gateway router, and at a
gateway port, if it has its backends together with others: what ``ovn-sbctl lflow-list`` has more
with a thousand of them, divided by these. With backends of its own it is one more at a gateway
port, and so it is where the address is in the network of the port."""


OVN_OPENFLOW_FLOWS = {
    ("hv1", "10.96"): 2,
    ("hv1", "172.16"): 5,
    (None, "10.96"): 2,
    (None, "172.16"): 5,
}
"""What it has for one on a hypervisor, on a gateway router there or at a gateway port, in no
network of the router or in that of the port: what ``ovs-ofctl dump-flows`` lists more with a
hundred more of them, divided by these. At a gateway port it is one more for each backend that no
other has."""


@pytest.mark.parametrize("is_shared", [True, False], ids=["shared", "own"])
@pytest.mark.parametrize(("chassis", "base"), OVN_OPENFLOW_FLOWS)
def test_a_virtual_address_of_a_router_on_its_hypervisor(
    chassis: str | None, base: str, is_shared: bool
) -> None:
    """It has no more flows than in OVN there, too, where members of sets are flows of their own."""

    def flows(balancers: int) -> int:
        engine = router_network(1, chassis)
        rows: Rows = []
        for number in range(balancers):
            backends = [f"10.0.{0 if is_shared else number}.{n}:80" for n in range(1, 11)]
            place = {"load_balancer_id": f"lb-{number}", "logical_router_id": "r"}
            balancer = {"id": f"lb-{number}", "protocol": "tcp", "reject": False}
            rows.append(("load_balancer", balancer))
            rows += [vip(number, backends, base), ("load_balancer_router", place)]
        engine.apply(row_of(table, image) for table, image in rows)
        return len(Realised(Translated(engine), {"hv1": []}).state("hv1"))

    few, more = 5, 20
    of_one = (flows(few + more) - flows(few)) / more
    of_backends = 10 if chassis is None and not is_shared else 0
    assert 2 <= of_one - of_backends <= OVN_OPENFLOW_FLOWS[chassis, base]


@pytest.mark.parametrize("chassis", [None, "hv1"])
@pytest.mark.parametrize(
    ("balancers", "network", "more"), [(10, "10.96", 0), (1000, "10.96", 0), (10, "172.16", 1)]
)
def test_a_virtual_address_of_a_router(
    balancers: int, network: str, more: int, chassis: str | None
) -> None:
    """It has no more flows than in OVN, and a backend is a member of sets."""
    engine = router_network(1, chassis)

    def flows() -> int:
        found = (flows for source in FLOWS for flows in engine.rows(source).values())
        return sum(len(each.flows) for each in found if each is not None)

    before = flows()
    rows: Rows = []
    for number in range(balancers):
        balancer = f"lb-{number}"
        place = {"load_balancer_id": balancer, "logical_router_id": "r"}
        rows.append(("load_balancer", {"id": balancer, "protocol": "tcp", "reject": False}))
        rows += [vip(number, BACKENDS, network), ("load_balancer_router", place)]
    engine.apply(row_of(table, image) for table, image in rows)
    own = 14  # what the router has once
    assert flows() - before <= (OVN_FLOWS + more) * balancers + own
    runs, changed = cost(engine, puts=[vip(3, [*BACKENDS, "10.0.0.99:8080"], network)])
    assert "router_vip_flows" not in runs
    assert max(runs.values()) == 1
    assert changed == (2 if chassis is None else 1), "members of sets, and no flow"
    place = {"load_balancer_id": "lb-new", "logical_router_id": "r"}
    another = ("load_balancer", {"id": "lb-new", "protocol": "tcp", "reject": False})
    address = vip(5000, BACKENDS, network)
    address[1]["load_balancer_id"] = "lb-new"
    runs, _ = cost(engine, puts=[another, address, ("load_balancer_router", place)])
    assert runs["router_vip_flows"] == 1
    assert max(runs.values()) <= 2, "nothing of the others"


@pytest.mark.parametrize("chassis", [2, 50])
def test_a_variable_is_a_row_for_its_chassis(chassis: int) -> None:
    """However many virtual addresses are written with it, and however many chassis there are."""

    def variables(number: int, **values: str) -> tuple[str, dict[str, object]]:
        own = {"id": f"v{number}", "chassis": f"hv{number}"}
        named = {"NODE": f"192.0.2.{number}", "WEB": "10.0.0.1:80", **values}
        return "chassis_template_var", {**own, "variables": named}

    engine = Engine(translation())
    rows = network(20, 3)
    for table, image in rows:
        if table == "load_balancer":
            image.update(address_family="ipv4", template=True, neighbor_responder="none")
        elif table == "load_balancer_vip":
            image.update(address="^NODE", backends=["^WEB"])
    rows += [variables(number) for number in range(chassis)]
    engine.apply(row_of(table, image) for table, image in rows)
    runs, changed = cost(engine, puts=[variables(1, WEB="10.0.0.2:80")])
    assert runs == {"chassis_variable": 1}
    assert changed == 1, "the row of the variable, and no flow"
