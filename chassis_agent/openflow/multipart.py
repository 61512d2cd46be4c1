"""What the agent asks the switch about itself: flows, groups, meters, ports, Geneve options.

A request is a message; its reply comes in parts, which the connection joins. Lengths in replies
are checked against what is there: a contradiction raises DecodingError.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Final, NamedTuple

from chassis_agent.openflow.errors import DecodingError
from chassis_agent.openflow.messages import (
    ALL_GROUPS,
    ALL_METERS,
    ALL_TABLES,
    EMPTY_MATCH,
    TlvMapping,
)
from chassis_agent.openflow.wire import GROUP_ANY, PORT_ANY, MessageType, frame


class MultipartType(IntEnum):
    """The statistics and descriptions that the agent asks for."""

    FLOW_DESC = 1
    GROUP_STATS = 6
    GROUP_DESC = 7
    METER_STATS = 9
    METER_DESC = 10
    PORT_DESC = 13
    FLOW_MONITOR = 16


MORE_PARTS: Final = 1
"""The flag of a reply that is not the last one."""

_MULTIPART: Final = struct.Struct("!HH4x")
_FLOW_DESC: Final = struct.Struct("!H2xBxH8xQ")
_FLOW_STATS_LENGTH: Final = struct.Struct("!2xH")
_MATCH: Final = struct.Struct("!HH")
_PACKET_COUNT: Final = (0x8002, 4)


class InstalledFlow(NamedTuple):
    """A flow that the switch has; the fields that make it up are those of the agent's own flows."""

    table: int
    priority: int
    match: bytes
    instructions: bytes
    cookie: int


class FlowUse(NamedTuple):
    """How many packets have matched a flow since it was added."""

    table: int
    match: bytes
    packets: int


class FlowUpdate(NamedTuple):
    """Another program changed a flow of this table; None for changes that went untold."""

    table: int | None


class InstalledGroup(NamedTuple):
    """A group that the switch has; ``buckets`` and ``properties`` as in the group-mod."""

    group_id: int
    kind: int
    buckets: bytes
    properties: bytes


class GroupUse(NamedTuple):
    """How many packets and bytes a group was given since it was added."""

    group_id: int
    packets: int
    bytes: int


class InstalledMeter(NamedTuple):
    """A meter that the switch has; only its first band, as the agent makes no more."""

    meter_id: int
    packets: bool
    rate: int
    burst: int


class MeterUse(NamedTuple):
    """How many packets a meter was given since it was added, and how many of them it dropped."""

    meter_id: int
    packets: int
    dropped: int


class Port(NamedTuple):
    """An OpenFlow port."""

    number: int
    mac: bytes
    name: str
    admin_down: bool
    link_down: bool


def flows_request(cookie: int = 0, cookie_mask: int = 0, *, table: int = ALL_TABLES) -> bytes:
    """Ask for all flows, or those with a cookie or in a table."""
    body = struct.pack("!B3xII4xQQ", table, PORT_ANY, GROUP_ANY, cookie, cookie_mask)
    return _request(MultipartType.FLOW_DESC, body + EMPTY_MATCH)


def flow_monitor_request() -> bytes:
    """Ask to be told, from now on, of every flow that another program adds, changes or deletes.

    Of the agent's own changes the switch says no more than that there were some.
    """
    monitor, changes, every_table, start = 1, 0b1110, 0xFF, 0
    body = struct.pack("!IIIHBB", monitor, PORT_ANY, GROUP_ANY, changes, every_table, start)
    return _request(MultipartType.FLOW_MONITOR, body + EMPTY_MATCH)


def groups_request() -> bytes:
    """Ask for all groups."""
    return _request(MultipartType.GROUP_DESC, struct.pack("!I4x", ALL_GROUPS))


def group_uses_request() -> bytes:
    """Ask for the counters of all groups."""
    return _request(MultipartType.GROUP_STATS, struct.pack("!I4x", ALL_GROUPS))


def meters_request() -> bytes:
    """Ask for all meters."""
    return _request(MultipartType.METER_DESC, struct.pack("!I4x", ALL_METERS))


def meter_uses_request() -> bytes:
    """Ask for the counters of all meters."""
    return _request(MultipartType.METER_STATS, struct.pack("!I4x", ALL_METERS))


def ports_request() -> bytes:
    """Ask for all ports."""
    return _request(MultipartType.PORT_DESC, struct.pack("!I4x", PORT_ANY))


def split_reply(body: bytes) -> tuple[int, bool, bytes]:
    """A part of a reply: its type, whether more parts follow, and its contents."""
    if len(body) < _MULTIPART.size:
        raise DecodingError("a multipart reply is cut short")
    kind, flags = _MULTIPART.unpack_from(body)
    return kind, bool(flags & MORE_PARTS), body[_MULTIPART.size :]


def decode_flows(body: bytes) -> Iterator[InstalledFlow]:
    """The flows in one part of a reply."""
    for description in _flow_descriptions(body):
        yield description.flow


def decode_flow_uses(body: bytes) -> Iterator[FlowUse]:
    """The packet counts of the flows in one part of a reply."""
    for flow, statistics in _flow_descriptions(body):
        yield FlowUse(flow.table, flow.match, _packet_count(statistics))


def decode_flow_updates(body: bytes) -> Iterator[FlowUpdate]:
    """The changes in one part of a flow monitor's report.

    The switch pauses a monitor that is too slow, and says so; what changes then, it says at
    once when it resumes, but not what changed more than once.
    """
    changes, paused = (1, 2, 3), 5
    for entry in _entries(body, 8):
        (event,) = struct.unpack_from("!2xH", entry)
        if event in changes:
            yield FlowUpdate(entry[4])
        elif event == paused:
            yield FlowUpdate(None)


class _FlowDescription(NamedTuple):
    flow: InstalledFlow
    statistics: bytes


def _flow_descriptions(body: bytes) -> Iterator[_FlowDescription]:
    offset, size = 0, len(body)
    while offset < size:
        if size - offset < _FLOW_DESC.size + 4:
            raise DecodingError("a flow description is cut short")
        length, table, priority, cookie = _FLOW_DESC.unpack_from(body, offset)
        end = offset + length
        match_start = offset + _FLOW_DESC.size
        match_length = _MATCH.unpack_from(body, match_start)[1]
        stats_start = match_start + (match_length + 7) // 8 * 8
        if match_length < 4 or end > size or stats_start + 4 > end:
            raise DecodingError("a flow description has an impossible length")
        stats_length = _FLOW_STATS_LENGTH.unpack_from(body, stats_start)[0]
        instructions_start = stats_start + (stats_length + 7) // 8 * 8
        if instructions_start > end:
            raise DecodingError("a flow's statistics have an impossible length")
        match, instructions = body[match_start:stats_start], body[instructions_start:end]
        yield _FlowDescription(
            InstalledFlow(table, priority, match, instructions, cookie),
            body[stats_start + 4 : stats_start + stats_length],
        )
        offset = end


def _packet_count(statistics: bytes) -> int:
    """The packet count among the statistics of a flow, 0 if it isn't there."""
    offset = 0
    while offset + 4 <= len(statistics):
        kind, field, length = struct.unpack_from("!HBB", statistics, offset)
        value = statistics[offset + 4 : offset + 4 + length]
        if len(value) != length:
            raise DecodingError("a flow's statistics are cut short")
        if (kind, field >> 1) == _PACKET_COUNT:
            return int.from_bytes(value)
        offset += 4 + length
    return 0


def decode_groups(body: bytes) -> Iterator[InstalledGroup]:
    """The groups in one part of a reply."""
    for entry in _entries(body, 16):
        kind, group_id, bucket_length = struct.unpack_from("!2xBxIH", entry)
        if 16 + bucket_length > len(entry):
            raise DecodingError("a group's buckets have an impossible length")
        buckets = entry[16 : 16 + bucket_length]
        yield InstalledGroup(group_id, kind, buckets, entry[16 + bucket_length :])


def decode_group_uses(body: bytes) -> Iterator[GroupUse]:
    """The counters of the groups in one part of a reply (OpenFlow 1.5, section 7.3.5.9)."""
    for entry in _entries(body, 40):
        group_id, packets, octets = struct.unpack_from("!4xI8xQQ", entry)
        yield GroupUse(group_id, packets, octets)


def decode_meters(body: bytes) -> Iterator[InstalledMeter]:
    """The meters in one part of a reply."""
    by_packets = 2
    for entry in _entries(body, 8):
        flags, meter_id = struct.unpack_from("!2xHI", entry)
        rate, burst = struct.unpack_from("!4xII", entry, 8) if len(entry) >= 20 else (0, 0)
        yield InstalledMeter(meter_id, bool(flags & by_packets), rate, burst)


def decode_meter_uses(body: bytes) -> Iterator[MeterUse]:
    """The counters of the meters in one part of a reply (OpenFlow 1.5, section 7.3.5.12).

    A meter of the agent has one band, and that one drops.
    """
    for entry in _entries(body, 40, length_at=4):
        meter_id, packets = struct.unpack_from("!I12xQ", entry)
        dropped = struct.unpack_from("!Q", entry, 40)[0] if len(entry) >= 56 else 0
        yield MeterUse(meter_id, packets, dropped)


def decode_ports(body: bytes) -> Iterator[Port]:
    """The ports in one part of a reply."""
    offset = 0
    while offset < len(body):
        port, length = _port(body, offset)
        yield port
        offset += length


def decode_tlv_table(body: bytes) -> list[TlvMapping]:
    """The Geneve options in a reply to ``tlv_table_request``."""
    if len(body) < 16 or (len(body) - 16) % 8:
        raise DecodingError("a table of tunnel options has an impossible length")
    return [TlvMapping(*mapping) for mapping in struct.iter_unpack("!HBBH2x", body[16:])]


def _request(kind: MultipartType, body: bytes) -> bytes:
    return frame(MessageType.MULTIPART_REQUEST, _MULTIPART.pack(kind, 0) + body)


def _entries(body: bytes, smallest: int, *, length_at: int = 0) -> Iterator[bytes]:
    """The entries of a reply, which have their length in 16 bits of their first `smallest`."""
    offset = 0
    while offset < len(body):
        if len(body) - offset < smallest:
            raise DecodingError("an entry of a reply is cut short")
        (length,) = struct.unpack_from("!H", body, offset + length_at)
        if length < smallest or length > len(body) - offset:
            raise DecodingError(f"an entry of a reply has an impossible length {length}")
        yield body[offset : offset + length]
        offset += length


def _port(body: bytes, offset: int) -> tuple[Port, int]:
    admin_down, link_down = 1, 1
    if len(body) - offset < 40:
        raise DecodingError("a port description is cut short")
    number, length, mac, name, config, state = struct.unpack_from("!IH2x6s2x16sII", body, offset)
    if length < 40 or length > len(body) - offset:
        raise DecodingError(f"a port description has an impossible length {length}")
    text = name.rstrip(b"\0").decode(errors="replace")
    return Port(number, mac, text, bool(config & admin_down), bool(state & link_down)), length
