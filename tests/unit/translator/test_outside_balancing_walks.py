"""What a switch that leads outside does with packets for its virtual addresses."""

import pytest

from logical_flow.connections import ConnectionTable
from logical_flow.packet import packet_from_match
from logical_flow.walk_network import Network
from tests.unit.translator.walks import network, send

HOST, VM, GW = "0a:00:00:00:00:99", "0a:00:00:00:00:11", "0a:00:00:00:00:fe"
VIP = "192.0.2.80"


def provider(*, acl: str = "", balancer: str = "switches: [out]", gateway: bool = True) -> Network:
    """A provider switch, and behind its router a backend."""
    charge = ", gateway_chassis: [{chassis: hv1, priority: 1}]" if gateway else ""
    return network(f"""
    logical_switches:
      out:
        acls: [{acl}]
        ports:
          phys: {{type: localnet, network_name: physnet1}}
          out-r: {{type: router, router_port: r-out}}
      in:
        ports:
          vm: {{addresses: ["{VM} 10.0.0.11"]}}
          in-r: {{type: router, router_port: r-in}}
    logical_routers:
      r:
        ports:
          r-in: {{mac: "0a:00:00:00:00:fd", networks: [10.0.0.254/24]}}
          r-out: {{mac: "{GW}", networks: [192.0.2.1/24]{charge}}}
    load_balancers:
      wide:
        {balancer}
        vips:
          - {{address: {VIP}, port: 80, backends: ["10.0.0.11:8080"]}}
    """)


def arrived(net: Network, what: str, src: str = "192.0.2.9", dst: str = VIP) -> dict[str, object]:
    """Return what is delivered of a packet of the host outside, with the port as ``to``."""
    ends = f"ip4.src == {src} && ip4.dst == {dst} && ip.ttl == 64"
    packet = f'inport == "phys" && eth.src == {HOST} && eth.dst == {GW} && {ends} && {what}'
    return {each.port: each.packet["ip4.dst"] for each in send(net, packet).deliveries}


SYN = "tcp.src == 5000 && tcp.dst == 80"


def test_connections_from_outside_are_balanced() -> None:
    assert arrived(provider(), SYN) == {"vm": 0x0A00000B}


def test_others_are_not_tracked() -> None:
    net = provider()
    walk = send(
        net,
        f'inport == "phys" && eth.src == {HOST} && eth.dst == {GW} && ip4.src == 192.0.2.9 '
        "&& ip4.dst == 10.0.0.11 && ip.ttl == 64 && tcp.src == 5000 && tcp.dst == 22",
    )
    assert [each.port for each in walk.deliveries] == ["vm"]
    assert {state for each in walk.deliveries if (state := each.packet.get("ct_state"))} == set()


def test_replies_leave_from_the_virtual_address() -> None:
    net = provider()
    net.connections = ConnectionTable()
    arrived(net, SYN)
    reply = packet_from_match(
        f'inport == "out-r" && eth.src == {GW} && eth.dst == {HOST} && ip4.src == 10.0.0.11 '
        "&& ip4.dst == 192.0.2.9 && ip.ttl == 63 && tcp.src == 8080 && tcp.dst == 5000"
    )
    (told,) = send(net, reply).deliveries
    assert (told.port, told.packet["ip4.src"], told.packet["tcp.src"]) == ("phys", 0xC0000250, 80)
    other = {**reply, "tcp.src": 22}
    (told,) = send(net, other).deliveries
    assert (told.packet["ip4.src"], told.packet["tcp.src"]) == (0x0A00000B, 22)


@pytest.mark.parametrize(
    ("denied", "late"), [(VIP, False), ("10.0.0.11", True)], ids=["before", "after"]
)
def test_acls_of_the_port_apply(denied: str, late: bool) -> None:
    match = f'inport == "phys" && ip4.dst == {denied}'
    acl = f"{{direction: from-lport, priority: 1, match: '{match}', action: drop"
    assert arrived(provider(acl=f"{acl}, apply_after_lb: {late}}}"), SYN) == {}
    assert arrived(provider(acl=f"{acl}, apply_after_lb: {not late}}}"), SYN) == {"vm": 0x0A00000B}


@pytest.mark.parametrize(
    ("balancer", "gateway", "answers"),
    [
        ("switches: [out]", True, True),
        ("switches: [out]", False, False),
        ("{switches: [out], neighbor_responder: none}", True, False),
    ],
)
def test_a_router_port_in_charge_answers_for_them(
    balancer: str, gateway: bool, answers: bool
) -> None:
    net = provider(balancer=balancer.strip("{}").replace(", ", "\n        "), gateway=gateway)
    walk = send(
        net,
        f'inport == "phys" && eth.src == {HOST} && eth.dst == ff:ff:ff:ff:ff:ff && arp.op == 1 '
        f"&& arp.sha == {HOST} && arp.spa == 192.0.2.9 && arp.tpa == {VIP}",
    )
    told = [each.packet["arp.sha"] for each in walk.deliveries if each.packet["arp.op"] == 2]
    assert told == ([0x0A00000000FE] if answers else [])
