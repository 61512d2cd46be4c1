"""Matches come out as ``ovs-ofctl`` writes them, and survive being taken apart again."""

from __future__ import annotations

import struct
from ipaddress import IPv6Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis_agent.openflow import oxm
from chassis_agent.openflow.errors import DecodingError, EncodingError
from chassis_agent.openflow.oxm import FIELDS, Term
from tests.unit.chassis_agent.openflow.ofctl import encode

LINK_LOCAL = int(IPv6Address("fe80::1"))


def term(name: str, value: int, mask: int | None = None) -> Term:
    return Term(FIELDS[name], value, mask)


MATCHES: dict[str, list[Term]] = {
    "in_port=4": [term("in_port", 4)],
    "metadata=9,reg14=3,reg15=5": [term("reg15", 5), term("metadata", 9), term("reg14", 3)],
    "reg0=1,reg1=1/1,reg13=5": [term("reg0", 1), term("reg1", 1, 1), term("reg13", 5)],
    "xreg3=4": [term("xreg3", 4)],
    "xxreg0=0x11": [term("xxreg0", 0x11)],
    "xxreg1=0x500000000/0xff00000000": [term("xxreg1", 0x5 << 32, 0xFF << 32)],
    "dl_src=00:00:00:00:00:01,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00": [
        term("eth_dst", 1 << 40, 1 << 40),
        term("eth_src", 1),
    ],
    "dl_vlan=5,dl_vlan_pcp=3": [term("vlan_vid", oxm.VLAN_PRESENT | 5), term("vlan_pcp", 3)],
    "vlan_tci=0x1000/0x1000": [term("vlan_vid", oxm.VLAN_PRESENT, oxm.VLAN_PRESENT)],
    "vlan_tci=0": [term("vlan_vid", 0)],
    "tcp,nw_src=1.2.3.0/24,nw_dst=1.2.3.4,nw_ttl=3,nw_tos=4,nw_ecn=1,ip_frag=first,"
    "tcp_src=3,tcp_dst=4/0xfffc,tcp_flags=+syn-ack": [
        term("eth_type", 0x800),
        term("ip_proto", 6),
        term("ip_src", 0x01020304, 0xFFFFFF00),
        term("ip_dst", 0x01020304),
        term("ip_frag", 1),
        term("nw_ttl", 3),
        term("ip_dscp", 1),
        term("ip_ecn", 1),
        term("tcp_src", 3),
        term("tcp_dst", 7, 0xFFFC),
        term("tcp_flags", 0x02, 0x12),
    ],
    "ipv6,ipv6_label=3,nw_tos=4,nw_ttl=4,ip_frag=later,ipv6_src=fe80::1,ipv6_dst=fe80::/64": [
        term("eth_type", 0x86DD),
        term("ipv6_src", LINK_LOCAL),
        term("ipv6_dst", LINK_LOCAL, ((1 << 64) - 1) << 64),
        term("ipv6_label", 3),
        term("nw_ttl", 4),
        term("ip_dscp", 1),
        term("ip_frag", 3),
    ],
    "udp6,udp_src=1/1,udp_dst=2,ip_frag=not_later": [
        term("eth_type", 0x86DD),
        term("ip_proto", 17),
        term("udp_src", 1, 1),
        term("udp_dst", 2),
        term("ip_frag", 0, 2),
    ],
    "sctp,sctp_src=3,sctp_dst=4": [
        term("eth_type", 0x800),
        term("ip_proto", 132),
        term("sctp_src", 3),
        term("sctp_dst", 4),
    ],
    "icmp,icmp_type=8,icmp_code=0": [
        term("eth_type", 0x800),
        term("ip_proto", 1),
        term("icmp_type", 8),
        term("icmp_code", 0),
    ],
    "icmp6,icmp_type=135,icmp_code=0,nd_target=fe80::1,nd_sll=00:00:00:00:00:01": [
        term("eth_type", 0x86DD),
        term("ip_proto", 58),
        term("icmpv6_type", 135),
        term("icmpv6_code", 0),
        term("nd_target", LINK_LOCAL),
        term("nd_sll", 1),
    ],
    "icmp6,icmp_type=136,nd_reserved=3,nd_options_type=2,nd_tll=00:00:00:00:00:01": [
        term("eth_type", 0x86DD),
        term("ip_proto", 58),
        term("icmpv6_type", 136),
        term("nd_reserved", 3),
        term("nd_options_type", 2),
        term("nd_tll", 1),
    ],
    "arp,arp_op=1,arp_spa=1.2.3.4,arp_tpa=1.2.3.5,"
    "arp_sha=00:00:00:00:00:01,arp_tha=00:00:00:00:00:02": [
        term("eth_type", 0x806),
        term("arp_op", 1),
        term("arp_spa", 0x01020304),
        term("arp_tpa", 0x01020305),
        term("arp_sha", 1),
        term("arp_tha", 2),
    ],
    "ip,ct_state=+trk+new,ct_zone=3,ct_mark=1/1,ct_label=1/1,"
    "ct_nw_proto=6,ct_nw_src=1.1.1.1,ct_tp_src=1,ct_tp_dst=2": [
        term("eth_type", 0x800),
        term("ct_state", 0x21, 0x21),
        term("ct_zone", 3),
        term("ct_mark", 1, 1),
        term("ct_label", 1, 1),
        term("ct_nw_proto", 6),
        term("ct_nw_src", 0x01010101),
        term("ct_tp_src", 1),
        term("ct_tp_dst", 2),
    ],
    "ipv6,ct_state=+trk+new,ct_nw_proto=6,ct_ipv6_src=fe80::1,ct_ipv6_dst=::2": [
        term("eth_type", 0x86DD),
        term("ct_state", 0x21, 0x21),
        term("ct_nw_proto", 6),
        term("ct_ipv6_src", LINK_LOCAL),
        term("ct_ipv6_dst", 2),
    ],
    "conj_id=3,pkt_mark=4/4,recirc_id=2,dp_hash=1/1,actset_output=3": [
        term("conj_id", 3),
        term("pkt_mark", 4, 4),
        term("recirc_id", 2),
        term("dp_hash", 1, 1),
        term("actset_output", 3),
    ],
    "tun_id=0x77,tun_src=1.1.1.1,tun_dst=2.2.2.2,tun_flags=oam": [
        term("tun_id", 0x77),
        term("tun_src", 0x01010101),
        term("tun_dst", 0x02020202),
        term("tun_flags", 1, 1),
    ],
    "tun_ipv6_src=fe80::1,tun_ipv6_dst=::2": [
        term("tun_ipv6_src", LINK_LOCAL),
        term("tun_ipv6_dst", 2),
    ],
    "mpls,mpls_label=3,mpls_tc=1,mpls_bos=1,mpls_ttl=4": [
        term("eth_type", 0x8847),
        term("mpls_label", 3),
        term("mpls_tc", 1),
        term("mpls_bos", 1),
        term("mpls_ttl", 4),
    ],
    "reg3=0/0": [term("reg3", 5, 0)],
}


def test_matches_are_what_ovs_ofctl_encodes(tmp_path: Path) -> None:
    texts = list(MATCHES)
    encoded = encode([f"{text},actions=drop" for text in texts], tmp_path)
    ours = {text: oxm.match(MATCHES[text]).hex() for text in texts}
    assert ours == {text: flow.match.hex() for text, flow in zip(texts, encoded, strict=True)}


@pytest.mark.parametrize("text", MATCHES)
def test_canonical_form_is_a_fixed_point(text: str) -> None:
    match = oxm.match(MATCHES[text])
    assert oxm.canonical(match) == match


def test_a_match_written_another_way_becomes_canonical() -> None:
    reg1, reg0 = FIELDS["reg1"], FIELDS["reg0"]
    tlvs = reg1.header(masked=True) + struct.pack("!II", 7, 0xFFFFFFFF) + reg0.tlv(5)
    assert oxm.canonical(oxm.match_of_tlvs(tlvs)) == oxm.match([Term(reg0, 5), Term(reg1, 7)])


def test_contradicting_terms_are_refused() -> None:
    with pytest.raises(EncodingError, match="contradict"):
        oxm.match([term("reg0", 5), term("xreg0", 6 << 32)])


def test_values_that_do_not_fit_are_refused() -> None:
    with pytest.raises(EncodingError, match="does not fit"):
        oxm.match([term("ip_proto", 256)])


def test_slots_point_at_the_bytes_of_their_field() -> None:
    layout = oxm.layout(
        [
            term("metadata", 0),
            term("reg14", 0),
            term("xxreg1", 0),
            Term(FIELDS["ip_src"], 0, 0, variable_mask=True),
        ]
    )
    data = bytearray(layout.data)
    values = {
        "metadata": 0x1122334455667788,
        "reg14": 0xA1A2A3A4,
        "xxreg1": int.from_bytes(range(16), "big"),
        "ip_src": 0x0A000100,
    }
    for name, value in values.items():
        raw = value.to_bytes(FIELDS[name].size, "big")
        for slot in layout.slots[name]:
            part = raw[slot.source : slot.source + slot.length]
            data[slot.value : slot.value + slot.length] = part
    (address,) = layout.slots["ip_src"]
    assert address.mask is not None
    data[address.mask : address.mask + 4] = bytes.fromhex("ffffff00")
    assert bytes(data) == oxm.match(
        [
            term("metadata", values["metadata"]),
            term("reg14", values["reg14"]),
            term("xxreg1", values["xxreg1"]),
            term("ip_src", values["ip_src"], 0xFFFFFF00),
        ]
    )


@given(st.binary(max_size=64))
def test_decoding_survives_any_bytes(data: bytes) -> None:
    try:
        terms = oxm.terms_of(data)
    except DecodingError:
        return
    assert len(terms) <= len(data)


@given(st.binary(max_size=64))
def test_decoding_survives_any_tlvs(tlvs: bytes) -> None:
    try:
        oxm.canonical(oxm.match_of_tlvs(tlvs))
    except (DecodingError, EncodingError):
        return
