"""DNS messages as bytes and as values: a query is read, an answer is written.

Reading takes what workloads sent. A query has one question and at most the OPT record of EDNS
(RFC 6891); everything else raises MalformedPacketError, and is for the server that was asked to
make sense of.
"""

from __future__ import annotations

import struct
from ipaddress import ip_address
from typing import Final, NamedTuple

from chassis_agent.punt.errors import MalformedPacketError
from logical_flow.names import AAAA, PTR, A, Answer

LARGEST_ANSWER: Final = 1232
"""What fits into every packet (DNS Flag Day 2020); a client may take less."""

_HEAD: Final = struct.Struct("!6H")
_LARGEST_WITHOUT_EDNS: Final = 512
_LONGEST_NAME: Final = 255
_OPT: Final = 41
_INTERNET: Final = 1

_RESPONSE, _AUTHORITATIVE, _TRUNCATED = 0x8000, 0x0400, 0x0200
_OPCODE, _RECURSION_DESIRED, _RECURSION_AVAILABLE = 0x7800, 0x0100, 0x0080
_CHECKING_DISABLED: Final = 0x0010
_NO_SUCH_NAME: Final = 3
_POINTER_TO_QUESTION: Final = 0xC000 | _HEAD.size


class Query(NamedTuple):
    """A question. `name` is in lower case; `asked` has it as it was asked, with type and class.

    `largest` is what the client takes, in bytes; `edns` says whether it speaks EDNS, with which
    `edns_flags`.
    """

    identifier: int
    flags: int
    name: str
    kind: int
    asked: bytes
    largest: int = _LARGEST_WITHOUT_EDNS
    edns: bool = False
    edns_flags: int = 0


def read_query(data: bytes) -> Query:
    """Read the query in a UDP datagram."""
    _require(len(data) >= _HEAD.size, "a DNS message is cut short")
    identifier, flags, questions, answers, authorities, additional = _HEAD.unpack_from(data)
    _require(not flags & (_RESPONSE | _OPCODE | _TRUNCATED), "no plain DNS query")
    counts = (questions, answers, authorities)
    _require(counts == (1, 0, 0) and additional <= 1, "a DNS query has one question")
    name, end = _read_name(data, _HEAD.size)
    _require(len(data) >= end + 4, "a DNS question is cut short")
    kind, of_class = struct.unpack_from("!HH", data, end)
    _require(of_class == _INTERNET, "a DNS question of another class")
    query = Query(identifier, flags, name, kind, data[_HEAD.size : end + 4])
    return _with_edns(query, data, end + 4) if additional else query


def _with_edns(query: Query, data: bytes, start: int) -> Query:
    """RFC 6891 section 6.1: only version 0 is known."""
    _require(len(data) >= start + 11 and data[start] == 0, "an additional record is no OPT record")
    kind, size, rcode, version, flags, length = struct.unpack_from("!HHBBHH", data, start + 1)
    _require(kind == _OPT, "an additional record is no OPT record")
    _require((rcode, version) == (0, 0), "another version of EDNS")
    _require(len(data) >= start + 11 + length, "an OPT record is cut short")
    largest = min(max(size, _LARGEST_WITHOUT_EDNS), LARGEST_ANSWER)
    return query._replace(largest=largest, edns=True, edns_flags=flags & 0x8000)


def _read_name(data: bytes, start: int) -> tuple[str, int]:
    """A name without compression, and where it ends. Bytes beyond ASCII are no name of ours."""
    labels: list[bytes] = []
    offset, length = start, 1
    while True:
        _require(offset < len(data), "a DNS name is cut short")
        size = data[offset]
        offset += 1
        if size == 0:
            break
        _require(size < 64, "a DNS question with a compressed name")
        length += size + 1
        _require(length <= _LONGEST_NAME and offset + size <= len(data), "a DNS name is too long")
        labels.append(data[offset : offset + size])
        offset += size
    _require(bool(labels) and all(b"." not in label for label in labels), "a name with a dot")
    try:
        return b".".join(labels).decode("ascii").lower(), offset
    except UnicodeDecodeError:
        raise MalformedPacketError("a DNS name is not ASCII") from None


def write_answer(query: Query, answer: Answer) -> bytes:
    """Write what a query is answered: as much of it as the client takes."""
    flags = _RESPONSE | _AUTHORITATIVE | _RECURSION_AVAILABLE
    flags |= query.flags & (_RECURSION_DESIRED | _CHECKING_DISABLED)
    flags |= 0 if answer.exists else _NO_SUCH_NAME
    extra = b""
    if query.edns:
        extra = struct.pack("!BHHBBHH", 0, _OPT, LARGEST_ANSWER, 0, 0, query.edns_flags, 0)
    room = query.largest - _HEAD.size - len(query.asked) - len(extra)
    records = [_record(each, answer.ttl) for each in (*answer.addresses, *answer.pointers)]
    fitting: list[bytes] = []
    for record in records:
        if room < len(record):
            flags |= _TRUNCATED
            break
        room -= len(record)
        fitting.append(record)
    head = _HEAD.pack(query.identifier, flags, 1, len(fitting), 0, int(query.edns))
    return head + query.asked + b"".join(fitting) + extra


def _record(text: str, ttl: int) -> bytes:
    """A resource record of the name that was asked for."""
    try:
        data = ip_address(text).packed
        kind = A if len(data) == 4 else AAAA
    except ValueError:
        data, kind = _labels(text), PTR
    head = struct.pack("!HHHIH", _POINTER_TO_QUESTION, kind, _INTERNET, ttl, len(data))
    return head + data


def _labels(name: str) -> bytes:
    labels = (label.encode("ascii") for label in name.split("."))
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def _require(condition: bool, complaint: str) -> None:
    if not condition:
        raise MalformedPacketError(complaint)
