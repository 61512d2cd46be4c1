"""What the switch does with packets is what the walk over the logical flows says.

Random packets of a network's own addresses, and of others, enter at its ports. The
switch must deliver to the same ports, and with the same content, as the walk.
"""

import random
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from logical_flow.walk import walk
from logical_flow.walk_events import Walk
from tests.realised import Realised
from tests.system import frames
from tests.system.agent.frame_fields import fields_of
from tests.system.agent.packet_lab import CHASSIS, PacketLab
from tests.system.agent.private_switch import PrivateSwitch
from tests.translated import Translated

GOLDEN = Path(__file__).parents[2] / "golden"
SCENARIOS = ("switch", "port-security", "router", "acls", "stateless")
PACKETS = 150
FRAGMENTED = {"acls": 0.0}
"""How many IP packets are a fragment, the first or the last of two; a fifth if nothing is said.

Where connections are tracked, the tracker keeps a fragment until it has the others, too.
"""

STATELESS = """
document: stateless
logical_switches:
  web:
    ports:
      web-1: {addresses: ["0a:00:00:00:01:01 10.0.1.11 fd00:1::11"]}
      web-2: {addresses: ["0a:00:00:00:01:02 10.0.1.12 fd00:1::12"]}
      web-3: {addresses: ["0a:00:00:00:01:03 10.0.1.13 fd00:1::13", unknown]}
    acls:
      - {direction: from-lport, priority: 9, match: udp.dst == 53, action: allow}
      - {direction: from-lport, priority: 8, match: 'inport == "web-1" && udp', action: drop}
      - {direction: to-lport, priority: 9, match: tcp.dst != 80, action: drop}
      - {direction: to-lport, priority: 8, match: ip4.src == 10.0.1.12, action: allow}
      - {direction: to-lport, priority: 7, match: icmp4.type == 8, action: reject}
"""
BROADCAST = "ff:ff:ff:ff:ff:ff"


class Station(NamedTuple):
    """Who packets are from and to."""

    mac: str
    ip4: str
    ip6: str


STRANGERS = [
    Station("0a:00:00:00:09:09", "192.0.2.9", "2001:db8::9"),
    Station("0a:00:00:00:09:08", "198.51.100.7", "fe80::9"),
    Station(BROADCAST, "255.255.255.255", "ff02::1"),
    Station("33:33:00:00:00:01", "0.0.0.0", "::"),
]


def stations(translated: Translated) -> dict[str, Station]:
    """The first address of each port."""
    found = {}
    for port in translated.ports:
        mac, *addresses = port.addresses[0].split() if port.addresses else ["router"]
        if mac.count(":") != 5:
            continue
        plain = [address.split("/")[0] for address in addresses]
        ip4 = next((address for address in plain if ":" not in address), "10.0.1.99")
        ip6 = next((address for address in plain if ":" in address), "fd00:1::99")
        found[port.name] = Station(mac, ip4, ip6)
    return found


def random_frame(
    chance: random.Random, known: dict[str, Station], port: str, fragmented: float
) -> bytes:
    """Usually what an honest owner of `port` would send to somebody, sometimes not."""
    everybody = [*known.values(), *STRANGERS]
    honest = chance.random() < 0.7
    source = known[port] if honest and port in known else chance.choice(everybody)
    target = chance.choice(everybody)
    next_hop = target.mac if chance.random() < 0.6 else chance.choice(everybody).mac
    match chance.randrange(6):
        case 0:
            body = frames.arp(chance.choice([1, 2]), source.mac, source.ip4, BROADCAST, target.ip4)
            return frames.ethernet(chance.choice([next_hop, BROADCAST]), source.mac, 0x806, body)
        case 1:
            return frames.neighbour_solicitation(source.mac, source.ip6, target.ip6)
        case 2:
            body = ip6_packet(chance, source.ip6, target.ip6, fragmented)
            return frames.ethernet(next_hop, source.mac, 0x86DD, body)
        case _:
            body = ip4_packet(chance, source.ip4, target.ip4, fragmented)
            if chance.random() < 0.1:
                return frames.vlan(next_hop, source.mac, 7, 0x800, body)
            return frames.ethernet(next_hop, source.mac, 0x800, body)


def ip4_packet(chance: random.Random, source: str, destination: str, fragmented: float) -> bytes:
    protocol, payload = chance.choice(
        [
            (17, frames.udp(source, destination, 1000, chance.choice([53, 80]))),
            (6, frames.tcp(source, destination, 1000, chance.choice([22, 80]))),
            (1, frames.icmp_echo()),
        ]
    )
    if fragmented and chance.random() < fragmented:
        payload += bytes(16)
        first = chance.choice([8, 16, 24])
        return chance.choice(frames.fragments4(source, destination, protocol, payload, first=first))
    return frames.ipv4(source, destination, protocol, payload, ttl=chance.choice([1, 2, 64]))


def ip6_packet(chance: random.Random, source: str, destination: str, fragmented: float) -> bytes:
    protocol, payload = chance.choice(
        [
            (17, frames.udp(source, destination, 1000, 53)),
            (58, frames.icmp6(source, destination, 128, bytes(8))),
        ]
    )
    if fragmented and chance.random() < fragmented:
        payload += bytes(16)
        return chance.choice(frames.fragments6(source, destination, protocol, payload, first=16))
    return frames.ipv6(source, destination, protocol, payload, hops=chance.choice([1, 64]))


def differences(result: Walk, sent: list[tuple[str, bytes]]) -> str:
    """Empty when `sent` is what the walk delivers; unknown fields may be anything."""
    expected = [(delivery.port, delivery.packet) for delivery in result.deliveries]
    for where, out in sent:
        fields = fields_of(out)
        for wanted in expected:
            if wanted[0] == where and all(
                wanted[1].get(name, 0) in (value, None) for name, value in fields.items()
            ):
                expected.remove(wanted)
                break
        else:
            lines = "\n".join(result.lines())
            return f"{where} got {fields}, which the walk doesn't deliver:\n{lines}"
    missing = [where for where, _ in expected]
    return f"not delivered: {missing}\n" + "\n".join(result.lines()) if missing else ""


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_switch_and_walk_agree(scenario: str, switch: PrivateSwitch) -> None:
    golden = GOLDEN / scenario / "network.yaml"
    document = yaml.safe_load(golden.read_text() if golden.exists() else STATELESS)
    fragmented = FRAGMENTED.get(scenario, 0.2)
    translated = Translated.of(document)
    ports = sorted(row.name for row in translated.ports if row.type == "vif")
    network = translated.network()
    known = stations(translated)
    chance = random.Random(scenario)
    lab = PacketLab(switch, Realised(translated, {CHASSIS: ports}))
    await lab.start()
    try:
        delivered = 0
        for _ in range(PACKETS):
            port = chance.choice(ports)
            frame = random_frame(chance, known, port, fragmented)
            result = walk(network, {**fields_of(frame), "inport": port})
            sent = await lab.send(port, frame, len(result.deliveries))
            delivered += len(sent)
            complaint = differences(result, sent)
            if complaint:
                pytest.fail(f"{port} sent {fields_of(frame)}\n{complaint}", pytrace=False)
        assert delivered >= 5, "the packets say nothing if none arrives"
    finally:
        await lab.stop()
