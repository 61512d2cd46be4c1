"""Ports over PostgreSQL: filters that the database applies, on JSON columns among others."""

from collections.abc import AsyncIterator

import httpx
import pytest

from api.neutron.app import create_neutron_app
from northbound.database import open_database, upgrade
from tests.unit.api.conftest import serve
from tests.unit.api.neutron.conftest import Neutron, _authenticate
from tests.unit.api.neutron.test_ports import make_network
from tests.unit.northbound.postgresql import private_server

pytestmark = pytest.mark.processes


@pytest.fixture
async def neutron() -> AsyncIterator[Neutron]:
    with private_server() as url:
        upgrade(url)
        database = open_database(url)
        try:
            async with serve(database) as server:
                transport = httpx.ASGITransport(create_neutron_app(server.backend, _authenticate))
                base = "http://localhost"
                async with httpx.AsyncClient(transport=transport, base_url=base) as client:
                    yield Neutron(server, client)
        finally:
            database.close()


async def test_ports_are_found(neutron: Neutron) -> None:
    network, subnet = await make_network(neutron, "10.0.0.0/24")
    values = {"binding:host_id": "hv-ü", "tags": ["a:b", "ü"], "device_owner": "compute:x"}
    port = await neutron.make("ports", network_id=network, device_id="vm", **values)
    other = await neutron.make("ports", network_id=network)
    address = port["fixed_ips"][0]["ip_address"]
    for query, ids in (
        ("binding:host_id=hv-ü", [port["id"]]),
        ("binding:host_id=hv", []),
        ("tags=a:b,ü", [port["id"]]),
        ("not-tags=ü", [other["id"]]),
        (f"fixed_ips=subnet_id={subnet}&fixed_ips=ip_address={address}", [port["id"]]),
        (f"mac_address={other['mac_address']}", [other["id"]]),
        ("device_id=vm", [port["id"]]),
        ("device_owner=compute:x&device_owner=network:router_interface", [port["id"]]),
        (f"security_groups={port['security_groups'][0]}&device_id=", [other["id"]]),
    ):
        assert [each["id"] for each in await neutron.get(f"ports?{query}")] == ids, query
    deleted = await neutron.call("DELETE", f"ports/{port['id']}")
    assert deleted.status_code == 204
