"""What port security and allowed address pairs let a port send, by walks of packets."""

from typing import Any

from southbound.rows import Chassis, Encap
from tests.unit.api.neutron.conftest import Neutron
from tests.unit.api.neutron.test_ports import make_network

SERVICE_MAC = "0a:00:00:00:00:77"
PAIRS = [
    {"ip_address": "192.0.2.0/24"},
    {"ip_address": "10.0.0.77", "mac_address": SERVICE_MAC},
]


async def test_what_ports_may_send(neutron: Neutron) -> None:
    network, _ = await make_network(neutron, "10.0.0.0/24")
    neutron.server.realised.facts.connected(Chassis("hv1", "", (Encap("geneve", "192.0.2.1"),)))
    group = await neutron.make("security-groups", name="open")
    anything = {"security_group_id": group["id"], "direction": "ingress"}
    await neutron.make("security-group-rules", **anything)

    async def make_port(**values: Any) -> Any:
        port = await neutron.make("ports", network_id=network, **values)
        await neutron.server.translate()
        neutron.server.realised.facts.claim("hv1", port["id"])
        return port

    def address(port: Any) -> str:
        ip: str = port["fixed_ips"][0]["ip_address"]
        return ip

    async def arrives(sender: Any, mac: str, ip: str, receiver: Any) -> bool:
        match = (
            f'inport == "{sender["id"]}" && eth.src == {mac} && ip4.src == {ip} && '
            f"eth.dst == {receiver['mac_address']} && ip4.dst == {address(receiver)} && "
            "icmp4.type == 8"
        )
        answer = await neutron.v1.post("/v1/trace", json={"match": match})
        assert answer.is_success, answer.text
        return bool(answer.json()["verdict"]["outcome"] == "delivered")

    member = {"security_groups": [group["id"]]}
    plain = await make_port(**member)
    paired = await make_port(allowed_address_pairs=PAIRS, **member)
    unsecured = await make_port(port_security_enabled=False)
    for sender, mac, ip, receiver, expected in (
        (plain, plain["mac_address"], address(plain), paired, True),
        (plain, plain["mac_address"], "192.0.2.9", paired, False),
        (plain, SERVICE_MAC, address(plain), paired, False),
        (paired, paired["mac_address"], address(paired), plain, True),
        (paired, paired["mac_address"], "192.0.2.9", plain, True),
        (paired, paired["mac_address"], "198.51.100.9", plain, False),
        (paired, SERVICE_MAC, "10.0.0.77", plain, True),
        (paired, SERVICE_MAC, "192.0.2.9", plain, False),
        (unsecured, SERVICE_MAC, "198.51.100.9", plain, True),
        (plain, plain["mac_address"], address(plain), unsecured, True),
    ):
        assert await arrives(sender, mac, ip, receiver) is expected, (mac, ip)
    change = {"port": {"allowed_address_pairs": [{"ip_address": "0.0.0.0/0"}]}}
    await neutron.call("PUT", f"ports/{paired['id']}", change)
    await neutron.server.translate()
    assert await arrives(paired, paired["mac_address"], "198.51.100.9", plain)
    assert not await arrives(paired, SERVICE_MAC, "10.0.0.77", plain)
