"""What the Neutron API keeps beside objects goes with them, and it stays known who did that."""

from typing import Any

from sqlalchemy import text

from northbound.database import Database
from tests.unit.api.neutron.conftest import Neutron

BESIDE = ("neutron_network", "neutron_subnet", "neutron_port")


async def make_network(neutron: Neutron) -> dict[str, str]:
    """Return the ids of a network, a subnet and a port, by table."""
    network = await neutron.make("networks", name="blue")
    values = {"network_id": network["id"], "ip_version": 4, "cidr": "10.0.0.0/24"}
    subnet = await neutron.make("subnets", **values)
    port = await neutron.make("ports", network_id=network["id"])
    ids = (each["id"] for each in (network, subnet, port))
    return dict(zip(BESIDE, ids, strict=True))


async def changes(neutron: Neutron, kind: str) -> list[dict[str, Any]]:
    """Return what the newest revision that touched a kind did to its objects."""
    page = (await neutron.v1.get("/v1/revisions", params={"kind": kind})).json()
    revision = (await neutron.v1.get(f"/v1/revisions/{page['items'][0]['id']}")).json()
    return [each for each in revision["changes"] if each["table"] == kind]


async def test_a_network_with_all_that_it_has(neutron: Neutron, database: Database) -> None:
    ids = await make_network(neutron)
    path = f"/v1/logical-switches/{ids['neutron_network']}"
    assert (await neutron.v1.delete(path, params={"cascade": True})).status_code == 204
    for kind, object_id in ids.items():
        [change] = await changes(neutron, kind)
        assert (change["object_id"], change["after"]) == (object_id, None)
        assert (change["before"]["id"], change["before"]["description"]) == (object_id, "")
    for path in ("networks", "subnets", "ports"):
        assert await neutron.get(path) == []
    with database.engine.connect() as connection:
        pools = connection.scalars(text("SELECT pool FROM allocation_cursor")).all()
    assert not [pool for pool in pools if pool.startswith(("subnet/", "ip4/"))]


async def test_a_network_by_its_own_api(neutron: Neutron) -> None:
    ids = await make_network(neutron)
    await neutron.call("DELETE", f"ports/{ids['neutron_port']}")
    await neutron.call("DELETE", f"networks/{ids['neutron_network']}")
    for kind, object_id in ids.items():
        [change] = await changes(neutron, kind)
        assert (change["object_id"], change["after"]) == (object_id, None)


async def test_a_security_group_and_its_rules(neutron: Neutron) -> None:
    group = await neutron.make("security-groups", name="web")
    rules = {each["id"] for each in group["security_group_rules"]}
    answer = await neutron.v1.delete(f"/v1/port-groups/{group['id']}")
    assert answer.status_code == 204
    [change] = await changes(neutron, "neutron_security_group")
    assert (change["object_id"], change["after"]) == (group["id"], None)
    gone = await changes(neutron, "neutron_security_group_rule")
    assert {each["object_id"] for each in gone if each["after"] is None} == rules
