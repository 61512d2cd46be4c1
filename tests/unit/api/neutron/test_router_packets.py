"""Which packets get through routers of the Neutron API, by walks."""

from typing import Any

from southbound.rows import Chassis, Encap
from tests.unit.api.neutron.conftest import Neutron
from tests.unit.api.neutron.test_routers import act, attach, detach, lan


async def test_what_routers_forward(neutron: Neutron) -> None:
    neutron.server.realised.facts.connected(Chassis("hv1", "", (Encap("geneve", "192.0.2.1"),)))
    left, right = await lan(neutron, "10.1.0.0/24"), await lan(neutron, "10.2.0.0/24")
    left6 = await lan(neutron, "fd01::/64", network_id=left["network_id"])
    right6 = await lan(neutron, "fd02::/64", network_id=right["network_id"])
    router = await neutron.make("routers", name="edge")

    async def make_port(subnet: dict[str, Any], **values: Any) -> dict[str, Any]:
        port = await neutron.make("ports", network_id=subnet["network_id"], **values)
        await neutron.server.translate()
        neutron.server.realised.facts.claim("hv1", port["id"])
        return port

    async def arrives(
        sender: dict[str, Any], gateway: str, to: str, receiver: dict[str, Any], version: int = 4
    ) -> bool:
        """Tell whether a ping by way of the router port `gateway` comes to `receiver`."""
        await neutron.server.translate()
        [own] = [
            each["ip_address"]
            for each in sender["fixed_ips"]
            if (":" in each["ip_address"]) == (version == 6)
        ]
        match = (
            f'inport == "{sender["id"]}" && eth.src == {sender["mac_address"]} && '
            f"eth.dst == {gateway} && ip{version}.src == {own} && ip{version}.dst == {to} && "
            f"ip.ttl == 64 && icmp{version}.type == {8 if version == 4 else 128}"
        )
        answer = await neutron.v1.post("/v1/trace", json={"match": match})
        assert answer.is_success, answer.text
        deliveries = answer.json()["verdict"]["deliveries"]
        return [each["port"] for each in deliveries] == [receiver["id"]]

    async def mac_of(interface: dict[str, Any]) -> str:
        mac: str = (await neutron.get(f"ports/{interface['port_id']}"))["mac_address"]
        return mac

    one = await make_port(left)
    other = await make_port(right)
    beyond = await make_port(right, port_security_enabled=False)
    target, target6 = (each["ip_address"] for each in other["fixed_ips"])
    gateway = await mac_of(await attach(neutron, router, subnet_id=left["id"]))
    assert not await arrives(one, gateway, target, other)
    back = await mac_of(await attach(neutron, router, subnet_id=right["id"]))
    assert await arrives(one, gateway, target, other)
    assert await arrives(other, back, one["fixed_ips"][0]["ip_address"], one)

    gateway6 = await mac_of(await attach(neutron, router, subnet_id=left6["id"]))
    await attach(neutron, router, subnet_id=right6["id"])
    assert await arrives(one, gateway6, target6, other, 6)

    hop = beyond["fixed_ips"][0]["ip_address"]
    routes = {"routes": [{"destination": "10.8.0.0/16", "nexthop": hop}]}
    assert not await arrives(one, gateway, "10.8.7.6", beyond)
    await act(neutron, router, "add_extraroutes", router=routes)
    assert await arrives(one, gateway, "10.8.7.6", beyond)
    await act(neutron, router, "remove_extraroutes", router=routes)
    assert not await arrives(one, gateway, "10.8.7.6", beyond)

    path, body = f"routers/{router['id']}", {"router": {"admin_state_up": False}}
    await neutron.call("PUT", path, body)
    assert not await arrives(one, gateway, target, other)
    await neutron.call("PUT", path, {"router": {"admin_state_up": True}})
    assert await arrives(one, gateway, target, other)
    await detach(neutron, router, subnet_id=right["id"])
    assert not await arrives(one, gateway, target, other)
