"""The frame of every OpenFlow message, the numbers in it, and what the switch's errors mean."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final, NamedTuple

from chassis_agent.openflow.errors import DecodingError, RequestRefusedError

VERSION: Final = 6
"""OpenFlow 1.5's number on the wire."""

HEADER: Final = struct.Struct("!BBHI")
"""Version, type, length, transaction id."""

NICIRA: Final = 0x00002320
"""The experimenter whose messages Open vSwitch adds to OpenFlow."""

PORT_ANY: Final = 0xFFFFFFFF
GROUP_ANY: Final = 0xFFFFFFFF
NO_BUFFER: Final = 0xFFFFFFFF

MAX_MESSAGE: Final = 0xFFFF


class MessageType(IntEnum):
    """OpenFlow's message types that the agent sends or understands."""

    HELLO = 0
    ERROR = 1
    ECHO_REQUEST = 2
    ECHO_REPLY = 3
    EXPERIMENTER = 4
    FEATURES_REQUEST = 5
    FEATURES_REPLY = 6
    SET_CONFIG = 9
    FLOW_REMOVED = 11
    PACKET_OUT = 13
    FLOW_MOD = 14
    GROUP_MOD = 15
    MULTIPART_REQUEST = 18
    MULTIPART_REPLY = 19
    BARRIER_REQUEST = 20
    BARRIER_REPLY = 21
    SET_ASYNC = 28
    METER_MOD = 29
    BUNDLE_CONTROL = 33
    BUNDLE_ADD = 34


class NiciraType(IntEnum):
    """Subtypes of Nicira's experimenter messages."""

    SET_PACKET_IN_FORMAT = 16
    TLV_TABLE_MOD = 24
    TLV_TABLE_REQUEST = 25
    TLV_TABLE_REPLY = 26
    PACKET_IN2 = 30
    CT_FLUSH_ZONE = 29
    CT_FLUSH = 32


class Message(NamedTuple):
    """A message as it came in; ``body`` is all after the header."""

    kind: int
    xid: int
    body: bytes


def frame(kind: MessageType, body: bytes = b"", xid: int = 0) -> bytes:
    """A whole message; the connection replaces a transaction id of 0."""
    return HEADER.pack(VERSION, kind, HEADER.size + len(body), xid) + body


def with_xid(message: bytes, xid: int) -> bytes:
    """``message`` with another transaction id."""
    return message[:4] + xid.to_bytes(4, "big") + message[8:]


def nicira(subtype: NiciraType, body: bytes = b"") -> bytes:
    """An experimenter message of Nicira's."""
    return frame(MessageType.EXPERIMENTER, struct.pack("!II", NICIRA, subtype) + body)


def nicira_body(message: Message, subtype: NiciraType) -> bytes | None:
    """The body of a message of Nicira's, or None if it is another message."""
    if message.kind != MessageType.EXPERIMENTER or len(message.body) < 8:
        return None
    if struct.unpack_from("!II", message.body) != (NICIRA, subtype):
        return None
    return message.body[8:]


def hello() -> bytes:
    """The greeting: version 1.5, and nothing else."""
    return frame(MessageType.HELLO, struct.pack("!HHI", 1, 8, 1 << VERSION))


def offers_version(version: int, body: bytes) -> bool:
    """Whether a hello offers OpenFlow 1.5: in its bitmap, or for want of one in its header."""
    offset = 0
    while offset + 4 <= len(body):
        kind, length = struct.unpack_from("!HH", body, offset)
        if length < 4 or offset + length > len(body):
            raise DecodingError("a hello element has an impossible length")
        if kind == 1 and length >= 8:
            (bitmap,) = struct.unpack_from("!I", body, offset + 4)
            return bool(bitmap & 1 << VERSION)
        offset += (length + 7) // 8 * 8
    return version >= VERSION


_ERROR_NAMES: Final = {
    (0, 0): "OFPHFC_INCOMPATIBLE",
    (0, 1): "OFPHFC_EPERM",
    (1, 0): "OFPBRC_BAD_VERSION",
    (1, 1): "OFPBRC_BAD_TYPE",
    (1, 2): "OFPBRC_BAD_MULTIPART",
    (1, 3): "OFPBRC_BAD_EXPERIMENTER",
    (1, 4): "OFPBRC_BAD_EXP_TYPE",
    (1, 5): "OFPBRC_EPERM",
    (1, 6): "OFPBRC_BAD_LEN",
    (1, 9): "OFPBRC_BAD_TABLE_ID",
    (1, 11): "OFPBRC_BAD_PORT",
    (1, 12): "OFPBRC_BAD_PACKET",
    (2, 0): "OFPBAC_BAD_TYPE",
    (2, 1): "OFPBAC_BAD_LEN",
    (2, 2): "OFPBAC_BAD_EXPERIMENTER",
    (2, 3): "OFPBAC_BAD_EXP_TYPE",
    (2, 4): "OFPBAC_BAD_OUT_PORT",
    (2, 5): "OFPBAC_BAD_ARGUMENT",
    (2, 6): "OFPBAC_EPERM",
    (2, 7): "OFPBAC_TOO_MANY",
    (2, 9): "OFPBAC_BAD_OUT_GROUP",
    (2, 10): "OFPBAC_MATCH_INCONSISTENT",
    (2, 11): "OFPBAC_UNSUPPORTED_ORDER",
    (2, 13): "OFPBAC_BAD_SET_TYPE",
    (2, 14): "OFPBAC_BAD_SET_LEN",
    (2, 15): "OFPBAC_BAD_SET_ARGUMENT",
    (2, 16): "OFPBAC_BAD_SET_MASK",
    (2, 17): "OFPBAC_BAD_METER",
    (3, 0): "OFPBIC_UNKNOWN_INST",
    (3, 2): "OFPBIC_BAD_TABLE_ID",
    (3, 7): "OFPBIC_BAD_LEN",
    (4, 0): "OFPBMC_BAD_TYPE",
    (4, 1): "OFPBMC_BAD_LEN",
    (4, 2): "OFPBMC_BAD_TAG",
    (4, 6): "OFPBMC_BAD_FIELD",
    (4, 7): "OFPBMC_BAD_VALUE",
    (4, 8): "OFPBMC_BAD_MASK",
    (4, 9): "OFPBMC_BAD_PREREQ",
    (4, 10): "OFPBMC_DUP_FIELD",
    (5, 0): "OFPFMFC_UNKNOWN",
    (5, 1): "OFPFMFC_TABLE_FULL",
    (5, 2): "OFPFMFC_BAD_TABLE_ID",
    (5, 3): "OFPFMFC_OVERLAP",
    (5, 6): "OFPFMFC_BAD_COMMAND",
    (6, 0): "OFPGMFC_GROUP_EXISTS",
    (6, 1): "OFPGMFC_INVALID_GROUP",
    (6, 3): "OFPGMFC_OUT_OF_GROUPS",
    (6, 8): "OFPGMFC_UNKNOWN_GROUP",
    (12, 1): "OFPMMFC_METER_EXISTS",
    (12, 2): "OFPMMFC_INVALID_METER",
    (12, 3): "OFPMMFC_UNKNOWN_METER",
    (12, 6): "OFPMMFC_BAD_RATE",
    (12, 7): "OFPMMFC_BAD_BURST",
    (12, 11): "OFPMMFC_OUT_OF_METERS",
    (17, 1): "OFPBFC_EPERM",
    (17, 2): "OFPBFC_BAD_ID",
    (17, 3): "OFPBFC_BUNDLE_EXIST",
    (17, 4): "OFPBFC_BUNDLE_CLOSED",
    (17, 7): "OFPBFC_MSG_BAD_LEN",
    (17, 8): "OFPBFC_MSG_BAD_XID",
    (17, 9): "OFPBFC_MSG_UNSUP",
    (17, 12): "OFPBFC_MSG_FAILED",
    (17, 13): "OFPBFC_TIMEOUT",
}
_EXPERIMENTER_ERROR: Final = 0xFFFF


def refusal(body: bytes) -> RequestRefusedError:
    """The exception that an error message's body stands for."""
    if len(body) < 4:
        raise DecodingError("an error message is cut short")
    kind, code = struct.unpack_from("!HH", body)
    if kind == _EXPERIMENTER_ERROR:
        return RequestRefusedError(kind, code, f"experimenter's error {code}", body[8:])
    name = _ERROR_NAMES.get((kind, code), f"error {kind}/{code}")
    return RequestRefusedError(kind, code, name, body[4:])
