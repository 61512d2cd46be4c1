"""Broadcasts to more ports of one chassis than Open vSwitch has resubmits for at once.

The ports have port security, and stateful ACLs decide about what goes to them.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from logical_flow.packet import packet_from_match
from southbound.questions import TracePort, headers_of
from tests.realised import Realised
from tests.system.agent.packet_lab import PacketLab
from tests.system.agent.private_switch import PrivateSwitch
from tests.system.frames import BROADCAST, UDP, arp_request, ethernet, ipv4, udp
from tests.system.frames import IPV4 as ETHERTYPE_IPV4

PORTS = 2000
ROUTERS = 5
STATEFUL = [
    {"direction": "to-lport", "priority": 1000, "action": "drop", "match": "udp.dst == 137"},
    {"direction": "to-lport", "priority": 1001, "action": "allow-related", "match": "ip"},
    {"direction": "from-lport", "priority": 1001, "action": "allow-related", "match": "ip"},
]


def mac(kind: int, number: int) -> str:
    return f"02:00:00:{kind:02x}:{number >> 8:02x}:{number & 255:02x}"


def address(number: int) -> str:
    return f"10.128.{number >> 8}.{number & 255}"


def switch_of(ports: int, *, acls: list[dict[str, Any]]) -> dict[str, Any]:
    """A network of one logical switch, with port security."""
    found: dict[str, Any] = {}
    for number in range(ports):
        addresses = [f"{mac(1, number)} {address(number)}"]
        found[f"p{number}"] = {"addresses": addresses, "port_security": addresses}
    return {"document": "wide", "logical_switches": {"s": {"ports": found, "acls": acls}}}


def with_routers(document: dict[str, Any], routers: int) -> dict[str, Any]:
    """The network, with so many routers on its switch."""
    document["logical_routers"] = {
        f"r{number}": {
            "ports": {
                f"r{number}-s": {
                    "mac": mac(2, number),
                    "networks": [f"{address(16384 + number)}/9"],
                }
            }
        }
        for number in range(routers)
    }
    document["logical_switches"]["s"]["ports"] |= {
        f"s-r{number}": {"type": "router", "router_port": f"r{number}-s"}
        for number in range(routers)
    }
    return document


@asynccontextmanager
async def lab(switch: PrivateSwitch, document: dict[str, Any]) -> AsyncIterator[PacketLab]:
    """All ports but the last one on one chassis."""
    *ports, last = (
        name
        for name, port in document["logical_switches"]["s"]["ports"].items()
        if port.get("type") != "router"
    )
    realised = Realised.of(document, {"hv1": ports, "hv2": [last]})
    found = PacketLab(switch, realised, captures=False)
    await found.start()
    try:
        yield found
    finally:
        await found.stop()


ARP = arp_request(mac(1, 0), address(0), "10.128.200.200")
IPV4 = ethernet(
    BROADCAST,
    mac(1, 0),
    ETHERTYPE_IPV4,
    ipv4(address(0), "255.255.255.255", UDP, udp(address(0), "255.255.255.255", 68, 4000)),
)


PACKET = packet_from_match(
    f"eth.src == {mac(1, 0)} && eth.dst == {BROADCAST} && arp.op == 1 && arp.sha == {mac(1, 0)}"
    f" && arp.spa == {address(0)} && arp.tpa == 10.128.200.200"
)


async def test_broadcasts_reach_two_thousand_ports_and_each_router_once(
    switch: PrivateSwitch,
) -> None:
    document = with_routers(switch_of(PORTS + 1, acls=STATEFUL), ROUTERS)
    others = PORTS - 1 + ROUTERS
    async with lab(switch, document) as hypervisor:
        traced = await hypervisor.traced(TracePort("p0", headers_of(PACKET)))
        assert {output.port for output in traced.outputs if output.port} == {
            f"p{number}" for number in range(1, PORTS)
        }
        assert {output.chassis for output in traced.outputs if not output.port} == {"hv2"}
        assert (traced.unknown, traced.failure) == ("", "")
        for number, frame in enumerate((ARP, IPV4), 1):
            await hypervisor.inject("p0", frame)
            copies = await hypervisor.left(number * others)
            assert (sum(copies), max(copies)) == (number * others, number)
        assert hypervisor.counter("drop_action_too_many_resubmit") == 0
        assert hypervisor.counter("datapath_drop_recirc_error") == 0
