"""What becomes of the packets of DHCP clients in the pipeline."""

from typing import Any

import pytest

from tests.unit.translator.walks import delivered, network, reached

NETWORK = """
dhcp_options:
  v4: {cidr: 10.0.0.0/24, dhcpv4: {routers: [10.0.0.1], server_mac: "02:00:00:00:00:fe"}}
  apart: {cidr: 10.0.0.0/24, dhcpv4: {server_id: 10.0.0.3, server_mac: "02:00:00:00:00:fd"}}
  v6: {cidr: "fd00::/64", dhcpv6: {server_mac: "02:00:00:00:00:fe"}}
  stateless: {cidr: "fd00::/64", dhcpv6: {stateless: true}}
logical_switches:
  lan:
    dhcpv4_options: v4
    dhcpv6_options: v6
    acls:
      - {direction: from-lport, priority: 1, match: ip, action: drop}
      - {direction: to-lport, priority: 1, match: ip, action: drop}
      - {direction: from-lport, priority: 2, match: inport == @open, action: allow}
      - {direction: to-lport, priority: 2, match: outport == @open, action: allow}
    ports:
      a:
        addresses: ["0a:00:00:00:00:01 10.0.0.11 fd00::11"]
        port_security: ["0a:00:00:00:00:01 10.0.0.11 fd00::11"]
      apart: {addresses: ["0a:00:00:00:00:02 10.0.0.12 192.0.2.1"], dhcpv4_options: apart}
      silent: {addresses: ["0a:00:00:00:00:03 10.0.0.13"], dhcp: false}
      elsewhere: {addresses: ["0a:00:00:00:00:04 192.0.2.9"]}
      slaac: {addresses: ["0a:00:00:00:00:05"], dhcpv6_options: stateless}
      loose: {addresses: [unknown]}
port_groups: {open: {ports: [silent, loose]}}
"""


def request4(
    port: str, mac: int, *, src: str = "0.0.0.0", dst: str = "255.255.255.255", more: str = ""
) -> str:
    return (
        f'inport == "{port}" && eth.src == 0a:00:00:00:00:{mac:02x} '
        f"&& eth.dst == ff:ff:ff:ff:ff:ff && ip4.src == {src} && ip4.dst == {dst} "
        f"&& udp.src == 68 && udp.dst == 67{more}"
    )


def request6(port: str, mac: int) -> str:
    return (
        f'inport == "{port}" && eth.src == 0a:00:00:00:00:{mac:02x} '
        f"&& eth.dst == 33:33:00:01:00:02 && ip6.src == fe80::800:ff:fe00:{mac:x} "
        "&& ip6.dst == ff02::1:2 && udp.src == 546 && udp.dst == 547"
    )


def answer_to(packet: str) -> dict[str, Any]:
    found = delivered(network(NETWORK), packet)
    return {name: found[name] for name in ("to", "eth.dst", "eth.src", "udp.src", "udp.dst")}


@pytest.mark.parametrize(
    ("packet", "port", "server"),
    [
        (request4("a", 1), "a", 0x0200000000FE),
        (request4("a", 1, src="10.0.0.11", dst="10.0.0.1"), "a", 0x0200000000FE),
        (request4("apart", 2), "apart", 0x0200000000FD),
    ],
)
def test_clients_of_dhcpv4_are_answered_whatever_acls_say(
    packet: str, port: str, server: int
) -> None:
    mac = 0x0A0000000001 if port == "a" else 0x0A0000000002
    expected = {"to": port, "eth.dst": mac, "eth.src": server, "udp.src": 67, "udp.dst": 68}
    assert answer_to(packet) == expected


def test_the_answer_is_for_the_address_of_the_port() -> None:
    found = delivered(network(NETWORK), request4("a", 1))
    assert (found["ip4.src"], found["ip4.dst"]) == (0x0A000001, 0x0A00000B)


@pytest.mark.parametrize("port", ["a", "slaac"])
def test_clients_of_dhcpv6_are_answered(port: str) -> None:
    found = delivered(network(NETWORK), request6(port, 1 if port == "a" else 5))
    assert (found["to"], found["udp.src"], found["udp.dst"]) == (port, 547, 546)


@pytest.mark.parametrize(
    "packet",
    [
        request4("a", 2),
        request4("elsewhere", 4),
        request4("apart", 2, src="10.0.0.12", dst="10.0.0.1"),
        request6("apart", 2),
    ],
    ids=["another's MAC", "an address elsewhere", "to another server", "no address of IPv6"],
)
def test_who_gets_no_answer(packet: str) -> None:
    assert reached(network(NETWORK), packet) == []


def test_ports_without_dhcp_are_as_if_there_was_none() -> None:
    """Their ACLs let them, and whoever takes unknown addresses may be a server."""
    assert reached(network(NETWORK), request4("silent", 3)) == ["loose"]


def test_the_server_answers_arp_where_its_address_is_no_routers() -> None:
    def arp(port: str, mac: int, address: str) -> str:
        return (
            f'inport == "{port}" && eth.src == 0a:00:00:00:00:{mac:02x} && eth.dst == '
            f"ff:ff:ff:ff:ff:ff && arp.op == 1 && arp.tpa == {address}"
        )

    found = delivered(network(NETWORK), arp("apart", 2, "10.0.0.3"))
    assert (found["to"], found["arp.sha"]) == ("apart", 0x0200000000FD)
    assert "apart" not in reached(network(NETWORK), arp("apart", 2, "10.0.0.1"))
