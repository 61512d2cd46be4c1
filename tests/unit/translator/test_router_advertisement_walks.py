"""Who hears of a router, and what it says of itself."""

import struct
from collections.abc import Mapping
from ipaddress import IPv6Address
from typing import Any

import pytest
import yaml

from southbound.rows import RouterAdvertisement
from tests.translated import Translated
from tests.unit.translator.walks import network, send
from translator.features.router_advertisements.flows import router_advertisement

NETWORK = """
logical_switches:
  one:
    ports:
      vm1: {addresses: ["0a:00:00:00:00:01 fd00:1::1"]}
      vm2: {addresses: ["0a:00:00:00:00:02 fd00:1::2"]}
      s-one: {router_port: r-one}
  two:
    ports: {vm3: {addresses: ["0a:00:00:00:00:03 fd00:2::3"]}, s-two: {router_port: r-two}}
logical_routers:
  r:
    ports:
      r-one:
        networks: ["fd00:1::fe/64", "fd00:7::fe/80", 10.0.1.1/24]
        mac: "0a:00:00:00:00:fe"
        ipv6_ra: RA
      r-two: {networks: ["fd00:2::fe/64"], mac: "0a:00:00:00:00:ff"}
"""
SLAAC = "{address_mode: slaac}"
SOLICITATION = (
    'inport == "{port}" && eth.src == 0a:00:00:00:00:0{n} && eth.dst == 33:33:00:00:00:02 '
    "&& nd_rs && ip6.src == {src} && ip6.dst == ff02::2"
)


def row(told: str) -> RouterAdvertisement | None:
    document = {"document": "t", **yaml.safe_load(NETWORK.replace("RA", told))}
    engine = Translated.of(document).engine
    (found,) = engine.rows(router_advertisement).values() or (None,)
    return found


def answers(document: str, packet: str) -> list[Mapping[str, Any]]:
    """The advertisements that come of a packet, with the port as ``to``; others go around."""
    found = send(network(document), packet).deliveries
    return [{**each.packet, "to": each.port} for each in found if each.packet["icmp6.type"] == 134]


def test_who_asks_is_answered_by_the_router() -> None:
    (answer,) = answers(
        NETWORK.replace("RA", SLAAC), SOLICITATION.format(port="vm1", n=1, src="fe80::1")
    )
    assert answer["to"] == "vm1"
    assert (answer["eth.src"], answer["eth.dst"]) == (0x0A00000000FE, 0x0A0000000001)
    assert IPv6Address(answer["ip6.src"]) == IPv6Address("fe80::800:ff:fe00:fe")
    assert IPv6Address(answer["ip6.dst"]) == IPv6Address("fe80::1")
    assert (answer["icmp6.type"], answer["icmp6.code"], answer["ip.ttl"]) == (134, 0, 255)


def test_who_has_no_address_yet_is_answered_at_all_nodes() -> None:
    (answer,) = answers(
        NETWORK.replace("RA", SLAAC), SOLICITATION.format(port="vm1", n=1, src="::")
    )
    assert (answer["to"], answer["eth.dst"]) == ("vm1", 0x0A0000000001)
    assert IPv6Address(answer["ip6.dst"]) == IPv6Address("ff02::1")


@pytest.mark.parametrize(
    "document",
    [
        NETWORK.replace("        ipv6_ra: RA\n", ""),
        NETWORK.replace("RA", SLAAC + "\n        enabled: false"),
        NETWORK.replace("RA", SLAAC).replace("  r:\n", "  r:\n    enabled: false\n"),
    ],
    ids=["nothing to tell", "disabled port", "disabled router"],
)
def test_a_router_that_has_nothing_to_tell_is_silent(document: str) -> None:
    assert answers(document, SOLICITATION.format(port="vm1", n=1, src="fe80::1")) == []


def test_a_port_without_advertisements_is_silent_beside_one_with_them() -> None:
    document = NETWORK.replace("RA", SLAAC)
    assert answers(document, SOLICITATION.format(port="vm3", n=3, src="fe80::3")) == []


def test_the_message_has_what_was_said() -> None:
    told = row(
        "{address_mode: dhcpv6_stateless, router_preference: high, mtu: 1400, lifetime: 9, "
        'rdnss: ["fd00::53"], dnssl: [example.org], '
        'routes: [{prefix: "fd00:9::/48", preference: low, lifetime: 60}]}'
    )
    assert told is not None
    assert (told.min_interval, told.max_interval) == (0, 0)
    assert told.body[:12] == struct.pack("!BBHII", 64, 0x48, 9, 0, 0)
    options = told.body[12:]
    assert options[:8] == bytes.fromhex("0101 0a00000000fe")
    assert options[8:16] == struct.pack("!BBHI", 5, 1, 0, 1400)
    prefix = struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    assert options[16:48] == prefix + IPv6Address("fd00:1::").packed
    prefix = struct.pack("!BBBBIII", 3, 4, 80, 0x80, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    assert options[48:80] == prefix + IPv6Address("fd00:7::").packed
    route = struct.pack("!BBBBI", 24, 2, 48, 0x18, 60)
    assert options[80:96] == route + IPv6Address("fd00:9::").packed[:8]
    servers = struct.pack("!BBHI", 25, 3, 0, 0xFFFFFFFF) + IPv6Address("fd00::53").packed
    assert options[96:120] == servers
    search = struct.pack("!BBHI", 31, 3, 0, 0xFFFFFFFF) + b"\7example\3org\0" + bytes(3)
    assert options[120:] == search


@pytest.mark.parametrize(
    ("told", "flags", "lifetime", "intervals"),
    [
        ("{address_mode: slaac}", 0, 65535, (0, 0)),
        ("{address_mode: slaac, send_periodic: true}", 0, 1800, (200, 600)),
        ("{address_mode: slaac, send_periodic: true, max_interval: 4}", 0, 12, (3, 4)),
        (
            (
                "{address_mode: dhcpv6_stateful, router_preference: low, send_periodic: true, "
                "max_interval: 30, min_interval: 5}"
            ),
            0x98,
            90,
            (5, 30),
        ),
    ],
)
def test_defaults_are_those_of_rfc_4861(
    told: str, flags: int, lifetime: int, intervals: tuple[int, int]
) -> None:
    found = row(told)
    assert found is not None
    assert struct.unpack_from("!BH", found.body, 1) == (flags, lifetime)
    assert (found.min_interval, found.max_interval) == intervals
