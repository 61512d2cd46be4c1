"""What requests cost in SQL, counted: statements, which don't grow with what there is."""

import re
from typing import Any

import pytest
from sqlalchemy import text

from northbound.database import Database
from tests.unit.api.neutron.conftest import Neutron
from tests.unit.api.test_write_costs import counted


def cost(statements: list[str]) -> int:
    """Count statements, but for those that note the time: within a second there are none."""
    return len([each for each in statements if not re.match(_NOTED, " ".join(each.split()))])


_NOTED = r"UPDATE neutron_\w+ SET .*\bupdated_at=\?"


@pytest.fixture
async def network(neutron: Neutron) -> Any:
    """A network with a subnet, and its first port, with which the default group comes."""
    network = await neutron.make("networks", name="blue")
    values = {"network_id": network["id"], "ip_version": 4, "cidr": "10.0.0.0/16"}
    await neutron.make("subnets", **values)
    await neutron.make("ports", network_id=network["id"])
    return network


async def fill(neutron: Neutron, network: Any, count: int) -> None:
    body = {"ports": [{"network_id": network["id"]}] * count}
    answer = await neutron.call("POST", "ports", body)
    assert answer.status_code == 201, answer.text


async def test_a_port_costs_the_same_in_small_and_large_networks(
    neutron: Neutron, network: Any, database: Database
) -> None:
    costs = []
    for _ in range(2):
        with counted(database) as created:
            port = await neutron.make("ports", network_id=network["id"])
        with counted(database) as changed:
            change = {"port": {"binding:host_id": "hv1", "device_id": "vm"}}
            await neutron.call("PUT", f"ports/{port['id']}", change)
        with counted(database) as shown:
            await neutron.get(f"ports/{port['id']}")
        with counted(database) as deleted:
            await neutron.call("DELETE", f"ports/{port['id']}")
        costs.append([cost(each) for each in (created, changed, shown, deleted)])
        await fill(neutron, network, 300)
    assert costs[0] == costs[1]
    assert costs[0] == [30, 13, 4, 15]


async def test_lists_read_everything_at_once(
    neutron: Neutron, network: Any, database: Database
) -> None:
    costs = []
    for _ in range(2):
        with counted(database) as listed:
            await neutron.get("ports")
        costs.append(len(listed))
        await fill(neutron, network, 100)
    assert costs[0] == costs[1] == 4
    with counted(database) as created:
        await fill(neutron, network, 100)
    views = [each for each in created if "FROM neutron_subnet" in each]
    assert len(views) == 2


async def test_subnets_made_together_read_the_others_once(
    neutron: Neutron, database: Database
) -> None:
    network = await neutron.make("networks", name="many")
    blocks = [f"10.0.{i}.0/24" for i in range(50)]
    values = {"network_id": network["id"], "ip_version": 4}
    body = {"subnets": [{**values, "cidr": block} for block in blocks]}
    with counted(database) as statements:
        assert (await neutron.call("POST", "subnets", body)).status_code == 201
    assert len([each for each in statements if "FROM neutron_subnet" in each]) == 2


async def test_what_is_made_together_reads_pool_and_network_once(
    neutron: Neutron, database: Database
) -> None:
    pool = await neutron.make("subnetpools", name="pool", prefixes=["10.0.0.0/8"])
    network = await neutron.make("networks", name="many")
    values = {"network_id": network["id"], "ip_version": 4, "subnetpool_id": pool["id"]}
    subnets = {"subnets": [{**values, "prefixlen": 24}] * 20}
    ports = {"ports": [{"network_id": network["id"]}] * 20}
    for path, body, read in (
        ("subnets", subnets, "SELECT neutron_subnet.cidr"),
        ("ports", ports, "LEFT OUTER JOIN neutron_network"),
    ):
        with counted(database) as statements:
            assert (await neutron.call("POST", path, body)).status_code == 201
        assert len([each for each in statements if read in each]) == 1, path


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("fixed_ips=ip_address=10.0.0.2", "ix_address_claim_address"),
        ("mac_address=0a:00:00:00:00:01", "ix_address_claim_address"),
        ("device_owner=compute:kuryr", "ix_neutron_port_device_owner"),
        ("device_id=vm-1", "ix_neutron_port_device_id"),
    ],
)
async def test_ports_are_found_by_indexes(
    neutron: Neutron, network: Any, database: Database, query: str, index: str
) -> None:
    with counted(database) as statements:
        await neutron.get(f"ports?{query}")
    statement = next(each for each in statements if "FROM logical_switch_port" in each)
    for number in range(statement.count("?")):
        statement = statement.replace("?", f":p{number}", 1)
    values = {f"p{number}": "x" for number in range(statement.count(":p"))}
    with database.engine.connect() as connection:
        plan = connection.execute(text(f"EXPLAIN QUERY PLAN {statement}"), values).all()
    details = [row[-1] for row in plan]
    assert any(index in each for each in details), details
    assert not any(each.startswith("SCAN logical_switch_port") for each in details), details


async def test_security_groups_cost_the_same_with_many_rules_and_members(
    neutron: Neutron, network: Any, database: Database
) -> None:
    group = await neutron.make("security-groups", name="web")
    path, rules = f"security-groups/{group['id']}", "security-group-rules"
    place = {"security_group_id": group["id"], "direction": "ingress", "protocol": "tcp"}
    costs = []
    for port in (80, 8080):
        with counted(database) as made:
            values = {**place, "port_range_min": port, "port_range_max": port}
            rule = await neutron.make(rules, **values)
        with counted(database) as shown:
            await neutron.get(path)
            await neutron.get("security-groups")
            await neutron.get(rules)
        with counted(database) as renamed:
            await neutron.call("PUT", path, {"security_group": {"name": f"web-{port}"}})
        with counted(database) as deleted:
            await neutron.call("DELETE", f"{rules}/{rule['id']}")
        # Within one second a group's `updated_at` stays.
        timeless = [
            [each for each in some if not each.startswith("UPDATE neutron_security_group ")]
            for some in (made, shown, renamed, deleted)
        ]
        costs.append([len(each) for each in timeless])
        many = [{**place, "port_range_min": n, "port_range_max": n} for n in range(1, 60)]
        await neutron.call("POST", rules, {f"{rules.replace('-', '_')}": many})
        body = {"network_id": network["id"], "security_groups": [group["id"]]}
        await neutron.call("POST", "ports", {"ports": [body] * 60})
        for n in range(20):
            await neutron.make("security-groups", name=f"other-{n}")
    assert costs[0] == costs[1]
    assert costs[0] == [10, 6, 8, 12]


async def test_an_interface_costs_the_same_for_small_and_large_routers(
    neutron: Neutron, database: Database
) -> None:
    router = await neutron.make("routers")
    path = f"routers/{router['id']}"

    async def make_subnet(number: int) -> dict[str, str]:
        network = await neutron.make("networks")
        values = {"network_id": network["id"], "ip_version": 4, "cidr": f"10.{number}.0.0/24"}
        return {"subnet_id": (await neutron.make("subnets", **values))["id"]}

    costs = []
    for first in (0, 20):
        subnet = await make_subnet(first)
        body = {"router": {"routes": [{"destination": "10.99.0.0/16", "nexthop": "10.1.0.9"}]}}
        await neutron.call("PUT", f"{path}/add_router_interface", await make_subnet(first + 1))
        with counted(database) as added:
            answer = await neutron.call("PUT", f"{path}/add_router_interface", subnet)
            assert answer.status_code == 200, answer.text
        with counted(database) as routed:
            answer = await neutron.call("PUT", path, body)
            assert answer.status_code == 200, answer.text
        with counted(database) as removed:
            answer = await neutron.call("PUT", f"{path}/remove_router_interface", subnet)
            assert answer.status_code == 200, answer.text
        with counted(database) as listed:
            await neutron.get("routers")
        await neutron.call("PUT", path, {"router": {"routes": []}})
        costs.append([cost(each) for each in (added, routed, removed, listed)])
        for number in range(first + 2, first + 12):
            await neutron.make("routers")
            body = await make_subnet(number)
            await neutron.call("PUT", f"{path}/add_router_interface", body)
    assert costs[0] == costs[1], costs
    assert costs[0][3] == 2
