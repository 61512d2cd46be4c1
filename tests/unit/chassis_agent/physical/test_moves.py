"""Ports that move: which packets tell that the workload has come, by strategy."""

from collections.abc import Mapping
from ipaddress import IPv4Address
from itertools import combinations

import pytest

from chassis_agent.physical import Side, Zones, blocked_flows, tells_of_arrival
from chassis_agent.tables import PHYSICAL_TO_LOGICAL
from southbound.rows import PortBinding

OWN, SECOND, ANOTHER = (int(IPv4Address(f"10.0.1.{n}")) for n in (1, 2, 3))
ADDRESSES = ("0a:00:00:00:01:01 10.0.1.1 fd01::1", "0a:00:00:00:01:01 10.0.1.2")


def arp(op: int, spa: int, tpa: int) -> dict[str, int]:
    return {"eth_type": 0x0806, "arp_op": op, "arp_spa": spa, "arp_tpa": tpa}


def icmp6(kind: int) -> dict[str, int]:
    return {"eth_type": 0x86DD, "ip_proto": 58, "icmpv6_type": kind}


PACKETS: dict[str, list[dict[str, int]]] = {
    "rarp": [{"eth_type": 0x8035}],
    "garp": [arp(1, OWN, OWN), arp(1, SECOND, SECOND), arp(2, OWN, OWN), arp(2, OWN, ANOTHER)],
    "na": [icmp6(136)],
    "": [
        arp(1, OWN, ANOTHER),
        arp(1, OWN, SECOND),
        arp(1, 0, OWN),
        arp(1, ANOTHER, ANOTHER),
        icmp6(135),
        icmp6(133),
        {"eth_type": 0x86DD, "ip_proto": 17},
        {"eth_type": 0x0800, "ip_proto": 17},
    ],
}
"""Packets by the strategy that takes them for a sign of the workload; those of none at last."""

SUBSETS = [each for size in range(4) for each in combinations(("rarp", "garp", "na"), size)]


def port(*activation: str) -> PortBinding:
    return PortBinding("p", "d", "p", 1, "vif", addresses=ADDRESSES, activation=activation)


def tells(row: PortBinding, packet: Mapping[str, int]) -> bool:
    return any(
        all(packet.get(term.field.name) == term.value and term.mask is None for term in terms)
        for terms in tells_of_arrival(row)
    )


@pytest.mark.parametrize("strategies", SUBSETS, ids=lambda each: "+".join(each) or "none")
def test_what_tells_is_what_the_strategies_name(strategies: tuple[str, ...]) -> None:
    told = {name: [tells(port(*strategies), each) for each in PACKETS[name]] for name in PACKETS}
    assert told == {name: [name in strategies] * len(PACKETS[name]) for name in PACKETS}


def test_a_port_without_ipv4_addresses_tells_by_arp_replies_alone() -> None:
    row = PortBinding("p", "d", "p", 1, "vif", addresses=("unknown",), activation=("garp",))
    told = [tells(row, each) for each in PACKETS["garp"]]
    assert told == [False, False, True, True]


@pytest.mark.parametrize("strategies", SUBSETS[1:], ids="+".join)
def test_nothing_else_comes_in_by_the_interface(strategies: tuple[str, ...]) -> None:
    """Above the flow that drops what comes there is one for each kind of packet that tells."""
    speaking = tells_of_arrival(port(*strategies))
    side = Side(5, 1, Zones(port=7), first_ingress=8, first_egress=88)
    flows = blocked_flows(side, 11, speaking, cookie=1)
    incoming = [flow for flow in flows if flow.table == PHYSICAL_TO_LOGICAL]
    (dropping,) = (flow for flow in incoming if not flow.instructions)
    telling = [flow for flow in incoming if flow.instructions]
    assert len(telling) == len(speaking)
    assert all(flow.priority > dropping.priority for flow in telling)
