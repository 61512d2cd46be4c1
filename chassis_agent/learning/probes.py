"""Asks neighbours that are in use and were not heard from whether they are there still.

A neighbour that is still there answers, which counts as being heard from, wherever the answer comes
in. One that doesn't is forgotten in the end, and the next packet for it asks everyone.

A question goes to the MAC address that is known, and to no other host (RFC 1122 section 2.3.2.1,
RFC 4861 section 7.3.3). A neighbour solicitation has the group of its target as IP destination all
the same: hosts leave their MAC address out of answers to what is for one address alone, and routers
could not tell then that it is still the same.

By a gateway port the chassis in charge asks, whichever one it is that uses the neighbour: the
networks outside take the router to be where its frames come from.
"""

import asyncio
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from chassis_agent import tables
from chassis_agent.health import Health
from chassis_agent.local.port_names import PortNames
from chassis_agent.openflow import actions as act
from chassis_agent.openflow import messages
from chassis_agent.punt import codec
from chassis_agent.punt.own_packets import mac_of, made_here
from logical_flow.addresses import solicited_node
from southbound.rows import MacBinding, PortBinding

MOST_AT_ONCE: Final = 16
"""Between two pauses: at most 64 questions a second."""
PAUSE: Final = 0.25
MOST_OF_A_LOOK: Final = 1024
"""Of more neighbours those that were silent for longest are asked."""

_REQUEST: Final = 1


class NeighbourProbes:
    """Asks neighbours, each by the router port that knows it."""

    def __init__(self, send: Callable[[bytes], object], ports: PortNames, health: Health) -> None:
        self._send = send
        self._ports = ports
        self._health = health

    async def ask(self, neighbours: Iterable[MacBinding]) -> None:
        """Ask so many of the neighbours as a look may cost, in their order."""
        asked = 0
        for row in neighbours:
            if asked == MOST_OF_A_LOOK:
                return
            message = self._question(row)
            if message is None:
                continue
            if asked and asked % MOST_AT_ONCE == 0:
                await asyncio.sleep(PAUSE)
            self._send(message)
            asked += 1
            self._health.counters["neighbours_probed"] += 1

    def _question(self, row: MacBinding) -> bytes | None:
        """Return the packet-out that asks, None where the port has no address to ask from."""
        port, keys = self._ports.called(row.port), self._ports.way_out(row.port)
        if port is None or keys is None or port.datapath != row.datapath or not port.addresses:
            return None
        target, mac = ip_address(row.ip), bytes.fromhex(row.mac.replace(":", ""))
        source = _source(port, target)
        if source is None:
            return None
        start = made_here(keys.datapath, outport=keys.port)
        frame = question(mac_of(port), source.packed, mac, target.packed)
        return messages.packet_out(frame, act.resubmit(tables.OUTPUT), start)


def question(own_mac: bytes, own_ip: bytes, mac: bytes, target: bytes) -> bytes:
    """Return the frame that asks the host with `mac` whether it has `target` still."""
    if len(target) == 4:
        arp = codec.Arp(_REQUEST, own_mac, own_ip, bytes(6), target)
        ethernet = codec.Ethernet(mac, own_mac, codec.ETHERTYPE_ARP, codec.write_arp(arp))
        return codec.write_ethernet(ethernet)
    group = solicited_node(target)
    asked = codec.write_icmp(codec.solicitation(target, own_mac), own_ip, group)
    packet = codec.Ip(own_ip, group, codec.PROTOCOL_ICMP6, asked)
    frame = codec.Ethernet(mac, own_mac, codec.ETHERTYPE_IPV6, codec.write_ip(packet))
    return codec.write_ethernet(frame)


def _source(
    port: PortBinding, target: IPv4Address | IPv6Address
) -> IPv4Address | IPv6Address | None:
    """Return the address of a router port from which it asks: in the target's network, if any is.

    >>> port = PortBinding("p", "r", "r-web", 1, "patch", neighbours=("10.1.0.0/16",),
    ...     addresses=("0a:00:00:00:00:01 192.0.2.1 10.1.0.1 fe80::1",))
    >>> str(_source(port, ip_address("10.1.0.9"))), str(_source(port, ip_address("198.51.100.7")))
    ('10.1.0.1', '192.0.2.1')
    """
    _, *texts = port.addresses[0].split()
    own = [each for each in map(ip_address, texts) if each.version == target.version]
    networks = [net for net in map(ip_network, port.neighbours) if target in net]
    within = (each for each in own if any(each in net for net in networks))
    return next(within, own[0] if own else None)
