"""The messages that the agent sends, as bytes: pure functions, one a message.

Transaction ids are 0; the connection fills them in.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from chassis_agent.openflow.errors import EncodingError
from chassis_agent.openflow.wire import (
    GROUP_ANY,
    MAX_MESSAGE,
    NO_BUFFER,
    PORT_ANY,
    VERSION,
    MessageType,
    NiciraType,
    frame,
    nicira,
)

ALL_TABLES: Final = 0xFF
ALL_GROUPS: Final = 0xFFFFFFFC
ALL_METERS: Final = 0xFFFFFFFF
EMPTY_MATCH: Final = bytes.fromhex("0001000400000000")
"""The match that matches everything."""

MAX_GROUP_BYTES: Final = MAX_MESSAGE - 64
"""Bytes of the buckets and properties of a group; the rest is for heads, that of a bundle too."""

_FLOW_MOD: Final = struct.Struct("!BBHIQQBBHHHIIIHH")
_PACKET_IN_REASONS: Final = 0b111111


class FlowCommand(IntEnum):
    """What a flow-mod does; the strict ones mean exactly one flow."""

    ADD = 0
    MODIFY_STRICT = 2
    DELETE = 3
    DELETE_STRICT = 4


class GroupCommand(IntEnum):
    """What a group-mod does."""

    ADD = 0
    MODIFY = 1
    DELETE = 2
    ADD_OR_MODIFY = 0x8000
    """Open vSwitch's own: whether the group is there makes no difference."""


class GroupType(IntEnum):
    """How a group treats its buckets."""

    ALL = 0
    SELECT = 1
    INDIRECT = 2
    FAST_FAILOVER = 3


class MeterCommand(IntEnum):
    """What a meter-mod does."""

    ADD = 0
    MODIFY = 1
    DELETE = 2


def flow_mod(
    command: FlowCommand,
    *,
    table: int,
    priority: int,
    match: bytes,
    instructions: bytes = b"",
    cookie: int = 0,
    cookie_mask: int = 0,
) -> bytes:
    """Add, change or delete flows; ``match`` and ``instructions`` go in as they are."""
    length = _FLOW_MOD.size + len(match) + len(instructions)
    if length > MAX_MESSAGE:
        raise EncodingError(f"a flow of {length} bytes does not fit a message")
    return (
        _FLOW_MOD.pack(
            VERSION,
            MessageType.FLOW_MOD,
            length,
            0,
            cookie,
            cookie_mask,
            table,
            command,
            0,
            0,
            priority,
            NO_BUFFER,
            PORT_ANY,
            GROUP_ANY,
            0,
            0,
        )
        + match
        + instructions
    )


def add_flow(table: int, priority: int, match: bytes, instructions: bytes, cookie: int) -> bytes:
    """Add a flow, in place of one with the same table, priority and match."""
    return flow_mod(
        FlowCommand.ADD,
        table=table,
        priority=priority,
        match=match,
        instructions=instructions,
        cookie=cookie,
    )


def delete_flow(table: int, priority: int, match: bytes) -> bytes:
    """Delete exactly one flow."""
    return flow_mod(FlowCommand.DELETE_STRICT, table=table, priority=priority, match=match)


def delete_all_flows() -> bytes:
    """Delete every flow of the bridge."""
    return flow_mod(FlowCommand.DELETE, table=ALL_TABLES, priority=0, match=EMPTY_MATCH)


class Bucket(NamedTuple):
    """One way that a group can send a packet; the weight is for ``SELECT`` groups."""

    bucket_id: int
    actions: bytes
    weight: int | None = None
    watch_port: int | None = None


class SwitchGroup(NamedTuple):
    """A group as it is given to the switch.

    ``selection_method`` is Open vSwitch's, such as ``dp_hash``, of which
    ``selection_parameter`` is the basis. The method ``hash`` hashes the fields that are in
    ``selection_fields``, each as a header and a mask, in the switch's order of fields.
    """

    group_id: int
    kind: GroupType = GroupType.ALL
    buckets: Sequence[Bucket] = ()
    selection_method: str | None = None
    selection_parameter: int = 0
    selection_fields: bytes = b""

    @property
    def encoded_buckets(self) -> bytes:
        """The buckets as the switch takes them and describes them."""
        return b"".join(map(_bucket, self.buckets))

    @property
    def encoded_properties(self) -> bytes:
        """What is said of the group beside its buckets."""
        if self.selection_method is None:
            return b""
        name = self.selection_method.encode()
        length = 40 + len(self.selection_fields)
        head = struct.pack(
            "!HHII4x16sQ", 0xFFFF, length, 0x0000154D, 1, name, self.selection_parameter
        )
        return head + self.selection_fields + bytes(-length % 8)


def group_mod(command: GroupCommand, group: SwitchGroup) -> bytes:
    """Add, change or delete a group."""
    return encoded_group_mod(
        command, group.group_id, group.kind, group.encoded_buckets, group.encoded_properties
    )


def encoded_group_mod(
    command: GroupCommand, group_id: int, kind: int, buckets: bytes, properties: bytes
) -> bytes:
    """Add, change or delete a group whose buckets and properties are encoded already.

    Raises EncodingError for a group that does not fit a message.
    """
    if len(buckets) + len(properties) > MAX_GROUP_BYTES:
        raise EncodingError(f"the buckets of group {group_id} do not fit a message")
    head = struct.pack("!HBxIH2xI", command, kind, group_id, len(buckets), 0xFFFFFFFF)
    return frame(MessageType.GROUP_MOD, head + buckets + properties)


def delete_group(group_id: int) -> bytes:
    """Delete a group, and all flows that still refer to it."""
    return encoded_group_mod(GroupCommand.DELETE, group_id, GroupType.ALL, b"", b"")


def _bucket(bucket: Bucket) -> bytes:
    properties = b""
    if bucket.weight is not None:
        properties += struct.pack("!HHH2x", 0, 8, bucket.weight)
    if bucket.watch_port is not None:
        properties += struct.pack("!HHI", 1, 8, bucket.watch_port)
    length = 8 + len(bucket.actions) + len(properties)
    head = struct.pack("!HHI", length, len(bucket.actions), bucket.bucket_id)
    return head + bucket.actions + properties


def meter_mod(
    command: MeterCommand, meter_id: int, *, rate: int = 0, burst: int = 0, packets: bool = True
) -> bytes:
    """Add, change or delete a meter that drops above ``rate`` packets (or kbit) a second."""
    by_packets, by_kilobits, has_burst, statistics = 2, 1, 4, 8
    if command is MeterCommand.DELETE:
        return frame(MessageType.METER_MOD, struct.pack("!HHI", command, 0, meter_id))
    flags = (by_packets if packets else by_kilobits) | has_burst * bool(burst) | statistics
    band = struct.pack("!HHII4x", 1, 16, rate, burst)
    return frame(MessageType.METER_MOD, struct.pack("!HHI", command, flags, meter_id) + band)


def packet_out(data: bytes, actions: bytes, metadata: bytes) -> bytes:
    """Run ``actions`` on a packet.

    ``metadata`` is a match: the registers, metadata and input port with which it starts.
    """
    head = struct.pack("!IH2x", NO_BUFFER, len(actions))
    return frame(MessageType.PACKET_OUT, head + metadata + actions + data)


def set_config() -> bytes:
    """Ask for whole packets; a management connection gets none until it has said so."""
    return frame(MessageType.SET_CONFIG, struct.pack("!HH", 0, 0xFFFF))


def set_async() -> bytes:
    """Ask for packet-ins, and for nothing else unasked."""
    wanted = {1: _PACKET_IN_REASONS, 3: 0, 5: 0, 7: 0, 9: 0, 11: 0}
    properties = (struct.pack("!HHI", kind, 8, mask) for kind, mask in wanted.items())
    return frame(MessageType.SET_ASYNC, b"".join(properties))


def set_packet_in_format() -> bytes:
    """Ask for packet-ins that carry registers, metadata and userdata."""
    packet_in2 = 2
    return nicira(NiciraType.SET_PACKET_IN_FORMAT, struct.pack("!I", packet_in2))


class TlvMapping(NamedTuple):
    """A Geneve option, and the field ``tun_metadata<field>`` that holds it."""

    option_class: int
    option_type: int
    length: int
    field: int


def tlv_table_add(mapping: TlvMapping) -> bytes:
    """Make a Geneve option a field."""
    return nicira(
        NiciraType.TLV_TABLE_MOD, struct.pack("!H6x", 0) + struct.pack("!HBBH2x", *mapping)
    )


def tlv_table_clear() -> bytes:
    """Forget all Geneve options; refused while flows use one."""
    return nicira(NiciraType.TLV_TABLE_MOD, struct.pack("!H6x", 2))


def tlv_table_request() -> bytes:
    """Ask which Geneve options are fields."""
    return nicira(NiciraType.TLV_TABLE_REQUEST)


def ct_flush_zone(zone: int) -> bytes:
    """Forget all connections of a conntrack zone."""
    return nicira(NiciraType.CT_FLUSH_ZONE, struct.pack("!6xH", zone))


class CtTuple(NamedTuple):
    """One direction of a connection; for ICMP, ports are type and code, and there is an id."""

    source: IPv4Address | IPv6Address
    destination: IPv4Address | IPv6Address
    protocol: int
    source_port: int = 0
    destination_port: int = 0
    icmp_id: int = 0

    @property
    def lacks_ports(self) -> bool:
        """Whether it is of SCTP as Open vSwitch's own datapath tracks it: by addresses alone.

        All associations between two hosts are one connection then.
        """
        return self.protocol == _SCTP and not (self.source_port or self.destination_port)


_SCTP: Final = 132
ICMP_PROTOCOLS: Final = frozenset({1, 58})


def ct_flush(zone: int, original: CtTuple) -> bytes:
    """Forget the one connection of a zone whose original direction is ``original``."""
    if original.protocol in ICMP_PROTOCOLS:
        detail = (
            _property16(4, original.icmp_id)
            + struct.pack("!HHB3x", 5, 5, original.source_port)
            + struct.pack("!HHB3x", 6, 5, original.destination_port)
        )
    else:
        detail = _property16(2, original.source_port) + _property16(3, original.destination_port)
    ends = b"".join(
        struct.pack("!HH16s4x", number, 20, _mapped(address))
        for number, address in enumerate((original.source, original.destination))
    )
    original_tuple = struct.pack("!HH4x", 0, 8 + len(ends) + len(detail)) + ends + detail
    head = struct.pack("!B7x", original.protocol)
    return nicira(NiciraType.CT_FLUSH, head + original_tuple + _property16(2, zone))


def _property16(kind: int, value: int) -> bytes:
    return struct.pack("!HHH2x", kind, 8, value)


def _mapped(address: IPv4Address | IPv6Address) -> bytes:
    return address.packed if address.version == 6 else bytes(10) + b"\xff\xff" + address.packed


def barrier_request() -> bytes:
    """Ask for a reply once all before it is done."""
    return frame(MessageType.BARRIER_REQUEST)


def echo_request() -> bytes:
    """Ask whether the switch is alive."""
    return frame(MessageType.ECHO_REQUEST)


def features_request() -> bytes:
    """Ask who the switch is."""
    return frame(MessageType.FEATURES_REQUEST)
