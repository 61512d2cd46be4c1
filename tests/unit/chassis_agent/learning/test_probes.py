"""Questions to neighbours that are known: to whom, from where, and how many."""

from ipaddress import ip_address
from typing import Any

import pytest

from chassis_agent import tables
from chassis_agent.health import Health
from chassis_agent.learning import probes
from chassis_agent.learning.probes import MOST_AT_ONCE, MOST_OF_A_LOOK, NeighbourProbes, question
from chassis_agent.local.port_names import PortNames
from chassis_agent.openflow import actions as act
from chassis_agent.openflow import messages
from chassis_agent.punt import codec
from chassis_agent.punt.own_packets import made_here
from southbound.rows import Datapath, MacBinding, PortBinding

OWN, MAC = bytes.fromhex("0a00000000fe"), "0a:00:00:00:00:77"
PORT = PortBinding(
    "p",
    "r",
    "r-web",
    7,
    "patch",
    addresses=("0a:00:00:00:00:fe 192.0.2.1 10.1.0.1 fd00::1 fe80::800:ff:fe00:fe",),
    neighbours=("192.0.2.0/24", "10.1.0.0/16", "fd00::/64", "fe80::/64"),
)


class World:
    """An agent that sends nothing, and takes no time."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, port: PortBinding = PORT, *others: PortBinding
    ) -> None:
        ports = PortNames()
        ports.change([Datapath("r", "lr", "edge", 3), port, *others], ())
        self.sent: list[bytes] = []
        self.pauses = 0
        self.health = Health()
        self.probes = NeighbourProbes(self.sent.append, ports, self.health)

        async def pause(_seconds: float) -> None:
            self.pauses += 1

        monkeypatch.setattr(probes.asyncio, "sleep", pause)

    async def ask(self, *ips: str, port: str = "r-web", datapath: str = "r") -> int:
        await self.probes.ask([MacBinding(datapath, port, ip, MAC) for ip in ips])
        return len(self.sent)


def frame(ip: str, source: str) -> codec.Ethernet:
    own, target = ip_address(source).packed, ip_address(ip).packed
    return codec.read_ethernet(question(OWN, own, bytes.fromhex(MAC.replace(":", "")), target))


def test_arp_asks_one_host() -> None:
    asked = frame("10.1.0.9", "10.1.0.1")
    assert (asked.dst.hex(":"), asked.src) == (MAC, OWN)
    arp = codec.read_arp(asked.payload)
    assert (arp.operation, arp.sha, arp.spa, arp.tpa) == (
        1,
        OWN,
        bytes((10, 1, 0, 1)),
        bytes((10, 1, 0, 9)),
    )


def test_a_solicitation_asks_one_host_as_a_member_of_the_group() -> None:
    """So that it tells its MAC address in the answer."""
    asked = frame("fd00::9", "fd00::1")
    assert (asked.dst.hex(":"), asked.src) == (MAC, OWN)
    packet = codec.read_ip(asked)
    assert (str(ip_address(packet.dst)), packet.ttl) == ("ff02::1:ff00:9", 255)
    icmp = codec.read_icmp(packet)
    assert icmp.kind == codec.ND_SOLICITATION


async def test_a_port_without_an_address_of_the_family_asks_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only6: Any = PortBinding(
        "p", "r", "r-web", 7, "patch", addresses=("0a:00:00:00:00:fe fe80::1",)
    )
    world = World(monkeypatch, only6)
    assert await world.ask("192.0.2.9") == 0
    assert await world.ask("fd00::9") == 1


async def test_at_a_gateway_port_the_chassis_in_charge_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The question leaves by what stands for the port, which leads there."""
    redirect = PortBinding("cr", "r", "cr-r-web", 8, "chassisredirect", distributed_port="r-web")
    world = World(monkeypatch, PORT, redirect)
    await world.ask("192.0.2.9")
    asked = frame("192.0.2.9", "192.0.2.1")
    start = made_here(3, outport=8)
    message = messages.packet_out(codec.write_ethernet(asked), act.resubmit(tables.OUTPUT), start)
    assert [without_xid(sent) for sent in world.sent] == [without_xid(message)]


def without_xid(message: bytes) -> bytes:
    return message[:4] + message[8:]


@pytest.mark.parametrize("elsewhere", [{"port": "gone"}, {"datapath": "other"}])
async def test_ports_that_are_gone_ask_nobody(
    monkeypatch: pytest.MonkeyPatch, elsewhere: dict[str, str]
) -> None:
    assert await World(monkeypatch).ask("192.0.2.9", **elsewhere) == 0


async def test_so_many_are_asked_at_most_and_not_all_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(monkeypatch)
    ips = [str(ip_address("10.1.0.2") + n) for n in range(MOST_OF_A_LOOK + 9)]
    assert await world.ask(*ips) == MOST_OF_A_LOOK
    assert world.pauses == (MOST_OF_A_LOOK - 1) // MOST_AT_ONCE
    assert world.health.counters["neighbours_probed"] == MOST_OF_A_LOOK
