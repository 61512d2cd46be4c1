"""Packets as ``ofproto/trace`` takes them; that it does take them is tested with a switch."""

import pytest

from chassis_agent.inspection.packet_text import (
    blocked_text,
    lookup_options,
    packet_text,
    tunnel_text,
)
from logical_flow.packet import packet_from_match
from southbound.questions import header_values, headers_of


def text_of(match: str, **more: int) -> str:
    packet = packet_from_match(match) | more
    return packet_text(header_values(headers_of(packet)))


@pytest.mark.parametrize(
    ("match", "text"),
    [
        (
            "eth.src == 0a:00:00:00:00:01 && tcp.dst == 80 && ip4",
            "eth_type=0x800,ip_proto=6,eth_src=0a:00:00:00:00:01,nw_ttl=64,tcp_dst=80",
        ),
        ("arp.op == 1 && arp.tpa == 10.0.0.1", "eth_type=0x806,arp_op=1,arp_tpa=10.0.0.1"),
        (
            "nd_ns && nd.target == fd00::1",
            "eth_type=0x86dd,ip_proto=58,nw_ttl=255,icmpv6_type=135,icmpv6_code=0,nd_target=fd00::1",
        ),
        (
            "udp && ip6.dst == ff02::1",
            "eth_type=0x86dd,ip_proto=17,ipv6_dst=ff02::1,nw_ttl=64",
        ),
        ("vlan.vid == 7", "vlan_tci=0x1007"),
        ("ip4 && ip.frag == 3", "eth_type=0x800,nw_ttl=64,nw_frag=later"),
    ],
)
def test_fields_in_an_order_that_open_vswitch_takes(match: str, text: str) -> None:
    assert text_of(match) == text


def test_what_such_a_packet_does_not_have_is_left_out() -> None:
    """A packet that became another on its way may still have fields of what it was."""
    assert text_of("eth.type == 0x806", **{"tcp.dst": 80}) == "eth_type=0x806"


def test_out_of_a_tunnel_over_ip6() -> None:
    assert tunnel_text(1, "fd00::1", "fd00::2", 2, 3, 0x8000).startswith(
        "in_port=1,tun_ipv6_src=fd00::1,tun_ipv6_dst=fd00::2,"
    )


def test_every_lookup_is_answered_alike() -> None:
    assert set(lookup_options("reply")) == {"--ct-next", "trk,est,rpl"}


def test_the_mark_of_blocked_connections() -> None:
    assert blocked_text() == "ct_mark=0x1"
