"""Packets that the switch hands to the agent (``NXT_PACKET_IN2``), and what came with them.

The contents are a tenant's. Every length is checked against the bytes that are there, fields
that are not known are passed over, and nothing here keeps more than the message itself.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from chassis_agent import tables
from chassis_agent.openflow import oxm
from chassis_agent.openflow.actions import CONTROLLER
from chassis_agent.openflow.errors import DecodingError

_FLAGS: Final = int(tables.FLAGS.removeprefix("reg"))
_PACKET, _TABLE, _COOKIE, _METADATA, _USERDATA = 0, 3, 4, 6, 7

_PLACE: Final = ("in_port", "metadata", "pkt_mark", *(f"xreg{n}" for n in range(8)))
_RESTORED: Final = tuple(
    (field.name, field.header(masked=False), field.size)
    for field in sorted((oxm.FIELDS[name] for name in _PLACE), key=lambda field: field.rank)
)
"""The fields of a punted packet that a packet-out's match brings back: where it is in the
logical network, and nothing else. Name, header and size, in the order of a canonical match.

Tunnel metadata is not among them. What of it matters was moved into registers where the packet
came out of its tunnel, and Open vSwitch crashes where a packet-out brings `tun_metadata0`, whose
place in the option table it knows only of packets that it received itself.
"""


class PacketIn(NamedTuple):
    """A punted packet: its bytes, why it was punted, and its fields outside the packet.

    `table` is where the flow is that punted it.
    """

    packet: bytes
    userdata: bytes
    fields: Mapping[str, int]
    cookie: int
    table: int = 0

    def register(self, number: int) -> int:
        """The value of ``reg<number>``; 0 where the switch did not mention it."""
        pair = self.fields.get(f"xreg{number // 2}", 0)
        return pair & 0xFFFFFFFF if number % 2 else pair >> 32

    def register128(self, number: int) -> int:
        """The value of ``xxreg<number>``."""
        high, low = (self.fields.get(f"xreg{number * 2 + half}", 0) for half in (0, 1))
        return high << 64 | low

    @property
    def datapath_key(self) -> int:
        """The tunnel key of the logical datapath that the packet is in."""
        return self.fields.get("metadata", 0)

    @property
    def sender(self) -> int:
        """Who sent the packet: see `tables.SENDER`."""
        return (self.register(_FLAGS) & tables.SENDER) >> tables.SENDER_SHIFT

    def restored_metadata(self) -> bytes:
        """The match with which a packet-out starts where this packet was, as one of the agent's.

        The input port of this packet is none that exists any more, and a packet from such
        a port is lost in connection tracking: the switch can't take it up again.
        """
        values = {**self.fields, "in_port": CONTROLLER}
        tlvs = [
            header + values[name].to_bytes(size)
            for name, header, size in _RESTORED
            if name in values
        ]
        return oxm.match_of_tlvs(b"".join(tlvs))


def decode_packet_in(body: bytes) -> PacketIn:
    """A packet-in from the body of its message."""
    packet, userdata, cookie, table = b"", b"", 0, 0
    fields: dict[str, int] = {}
    for kind, value in properties(body):
        if kind == _PACKET:
            packet = value
        elif kind == _USERDATA:
            userdata = value
        elif kind == _COOKIE and len(value) == 12:
            (cookie,) = struct.unpack_from("!Q", value, 4)
        elif kind == _TABLE and value:
            table = value[0]
        elif kind == _METADATA:
            fields.update(known_fields(value))
    return PacketIn(packet, userdata, fields, cookie, table)


def properties(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The properties of a message: type and contents, each padded to eight bytes."""
    offset = 0
    while offset < len(body):
        if len(body) - offset < 4:
            raise DecodingError("a property is cut short")
        kind, length = struct.unpack_from("!HH", body, offset)
        if length < 4 or length > len(body) - offset:
            raise DecodingError(f"a property has an impossible length {length}")
        yield kind, body[offset + 4 : offset + length]
        offset += (length + 7) // 8 * 8


def known_fields(tlvs: bytes) -> Iterator[tuple[str, int]]:
    """Name and value of the fields among ``tlvs`` that the agent knows, values under their mask."""
    offset = 0
    while offset < len(tlvs):
        if len(tlvs) - offset < 4:
            raise DecodingError("a field is cut short")
        oxm_class, number, length = struct.unpack_from("!HBB", tlvs, offset)
        offset += 4
        if length > len(tlvs) - offset:
            raise DecodingError(f"a field has an impossible length {length}")
        field = oxm.field_of(oxm_class, number >> 1)
        if field is not None and length == field.size * (1 + (number & 1)):
            value = int.from_bytes(tlvs[offset : offset + field.size], "big")
            yield field.name, value & field.full_mask
        offset += length
