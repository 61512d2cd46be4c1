"""What the switch sends is read with care: any bytes decode or raise DecodingError."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis_agent.openflow import multipart, oxm
from chassis_agent.openflow.errors import DecodingError
from chassis_agent.openflow.multipart import InstalledMeter, MeterUse, Port
from chassis_agent.openflow.oxm import FIELDS, Term
from chassis_agent.openflow.packet_in import PacketIn, decode_packet_in

DECODERS: list[Callable[[bytes], object]] = [
    lambda body: list(multipart.decode_flows(body)),
    lambda body: list(multipart.decode_flow_uses(body)),
    lambda body: list(multipart.decode_groups(body)),
    lambda body: list(multipart.decode_meters(body)),
    lambda body: list(multipart.decode_meter_uses(body)),
    lambda body: list(multipart.decode_ports(body)),
    multipart.decode_tlv_table,
    multipart.split_reply,
    decode_packet_in,
]

PUNTED = bytes.fromhex(
    """
    00000019 00000000 00010000 00000002 08004500 0000aabb cc000000 00000000
    00030005 00000000 00040010 00000000 00000000 00000077 00050005 01000000
    00060038 80000004 fffffffd 80004c08 00000000 00000005 80010f10 00000007
    00000000 ffffffff 00000000 80000408 00000000 00000009
    00080028 00000000 80000014 c06c894b e64a2f2f 4b354394 bd07ecc5 00000000
    80080008 ffffffff 0007000c 00000001 02030405 00000000
    """
)
FLOW = bytes.fromhex(
    """
    00480000 05000007 00000000 00000000 00000000 00000009
    0001000c 80000004 00000004 00000000 00000008 80020000
    00040018 00000000 00000010 00000005 00000000 00000000
    """
)
PORT = struct.pack("!IH2x6s2x16sII", 3, 40, b"\2\0\0\0\0\1", b"eth0", 1, 1)
METER_USE = struct.pack("!IH6xIQQIIQQ", 259, 56, 1, 1000, 64000, 9, 5, 300, 19200)
METER = struct.pack("!HHIHHII4x", 24, 0b1110, 5, 1, 16, 100, 50)


def mutations(whole: bytes) -> Iterator[bytes]:
    """Cut short everywhere, and with each byte at its extremes."""
    for place in range(len(whole)):
        yield whole[:place]
        for value in (0, 1, 0x7F, 0xFF):
            yield whole[:place] + bytes((value,)) + whole[place + 1 :]


def survives(decode: Callable[[bytes], object], body: bytes) -> None:
    try:
        decode(body)
    except DecodingError:
        return


@pytest.mark.parametrize("decode", DECODERS)
@given(body=st.binary(max_size=200))
def test_any_bytes(decode: Callable[[bytes], object], body: bytes) -> None:
    survives(decode, body)


@pytest.mark.parametrize("whole", [PUNTED, FLOW + FLOW, PORT, METER])
def test_damaged_messages(whole: bytes) -> None:
    for damaged in mutations(whole):
        for decode in DECODERS:
            survives(decode, damaged)


def test_a_packet_in() -> None:
    packet = decode_packet_in(PUNTED)
    assert packet.packet.hex() == "000000000001000000000002080045000000aabbcc"
    assert packet.userdata.hex() == "0000000102030405"
    assert packet.cookie == 0x77
    assert packet.datapath_key == 9
    assert (packet.register(14), packet.register(15), packet.register(3)) == (7, 0, 0)
    assert packet.restored_metadata() == oxm.match(
        [
            Term(FIELDS["in_port"], 0xFFFFFFFD),
            Term(FIELDS["xreg7"], 7 << 32),
            Term(FIELDS["metadata"], 9),
        ]
    )


def test_no_packet_out_carries_tunnel_metadata() -> None:
    """Open vSwitch crashes where one brings an option of a tunnel back."""
    from_a_tunnel = {
        name: 1 for name in FIELDS if name.startswith("tun_") or name in ("metadata", "xreg7")
    }
    assert "tun_metadata0" in from_a_tunnel
    restored = PacketIn(b"", b"", from_a_tunnel, 0).restored_metadata()
    terms = [("in_port", 0xFFFFFFFD), ("metadata", 1), ("xreg7", 1)]
    assert restored == oxm.match([Term(FIELDS[name], value) for name, value in terms])


def test_fields_that_are_not_known_are_passed_over() -> None:
    unknown = struct.pack("!HBBI", 0x8000, 99 << 1, 4, 1)
    body = struct.pack("!HH", 6, 4 + len(unknown) + 8) + unknown + FIELDS["reg0"].tlv(5)
    body += bytes(-len(body) % 8)
    assert decode_packet_in(body).fields == {"reg0": 5}


def test_a_flow() -> None:
    (flow,) = multipart.decode_flows(FLOW)
    assert (flow.table, flow.priority, flow.cookie) == (5, 7, 9)
    assert flow.match == oxm.match([Term(FIELDS["in_port"], 4)])
    assert flow.instructions == FLOW[-24:]


def test_ports_and_meters() -> None:
    port = Port(3, b"\2\0\0\0\0\1", "eth0", admin_down=True, link_down=True)
    assert list(multipart.decode_ports(PORT)) == [port]
    assert list(multipart.decode_meters(METER)) == [InstalledMeter(5, True, 100, 50)]
    assert list(multipart.decode_meter_uses(METER_USE)) == [MeterUse(259, 1000, 300)]
