"""DNS queries: read with care, answered with what is known, or passed on as they came."""

from __future__ import annotations

import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis_agent.punt import dns
from chassis_agent.punt.errors import MalformedPacketError
from chassis_agent.punt.name_lookup import KnownNames, answer_to
from logical_flow.names import AAAA, ANY, PTR, A, Answer, NameTable
from southbound.rows import DnsName
from tests.unit.chassis_agent.punt.frames import udp_frame

WWW = DnsName("1", "s", "www.shop.example", 60, ("10.0.0.7", "fd00::7"))
OURS = DnsName("2", "s", "corp.example", 60, owned=True, covers=True)
TABLE = NameTable([WWW, OURS])


def query(name: str, kind: int = A, *, extra: bytes = b"", flags: int = 0x0100) -> bytes:
    labels = b"".join(bytes((len(part),)) + part.encode() for part in name.split("."))
    head = struct.pack("!6H", 0x1234, flags, 1, 0, 0, bool(extra))
    return head + labels + b"\0" + struct.pack("!HH", kind, 1) + extra


def opt(size: int, *, version: int = 0, flags: int = 0) -> bytes:
    return struct.pack("!BHHBBHH", 0, 41, size, 0, version, flags, 0)


def test_a_query_is_answered_by_the_book() -> None:
    asked = dns.read_query(query("wWw.shop.EXAMPLE"))
    assert (asked.name, asked.kind, asked.largest) == ("www.shop.example", A, 512)
    data = dns.write_answer(asked, Answer(("10.0.0.7",), (), 60))
    assert struct.unpack_from("!6H", data) == (0x1234, 0x8580, 1, 1, 0, 0)
    assert b"wWw" in data, "the question is as it was asked: clients compare"
    assert data.endswith(struct.pack("!HHHIH4s", 0xC00C, A, 1, 60, 4, bytes((10, 0, 0, 7))))


@pytest.mark.parametrize(
    ("answer", "rcode", "count"),
    [
        (Answer(exists=False), 3, 0),
        (Answer(), 0, 0),
        (Answer(("fd00::7", "10.0.0.7"), ("a.example",), 1), 0, 3),
    ],
)
def test_how_a_name_is_tells_the_code(answer: Answer, rcode: int, count: int) -> None:
    data = dns.write_answer(dns.read_query(query("a.example", ANY)), answer)
    _, flags, _, answers, _, _ = struct.unpack_from("!6H", data)
    assert (flags & 0xF, answers) == (rcode, count)


def test_edns_is_answered_and_says_how_much_the_client_takes() -> None:
    many = Answer(tuple(f"fd00::{n:x}" for n in range(1, 33)), (), 60)
    for extra, largest in ((b"", 512), (opt(512), 512), (opt(65535, flags=0x8000), 1232)):
        data = dns.write_answer(dns.read_query(query("a.example", AAAA, extra=extra)), many)
        _, flags, _, count, _, additional = struct.unpack_from("!6H", data)
        assert len(data) <= largest
        assert bool(flags & 0x0200) is (count < 32)
        assert additional == bool(extra)
        if extra:
            assert data[-11:-4] == struct.pack("!BHHBB", 0, 41, 1232, 0, 0)
            assert data[-4:-2] == extra[7:9]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        query("a.example")[:-3],
        query("a.example", flags=0x8100),
        query("a.example", flags=0x2800),
        query("a.example")[:4] + b"\0\2" + query("a.example")[6:],
        query("a.example", extra=opt(512, version=1)),
        query("a.example", extra=b"\1" + opt(512)),
        query("a.example")[:12] + b"\xc0\x0c\0\1\0\1",
        query("a.example")[:12] + b"\x03a.b\0\0\1\0\1",
        query("a.example")[:12] + b"\x01\xe4\0\0\1\0\1",
        query("a.example")[:12] + b"\0\0\1\0\1",
        query(".".join(["a" * 63] * 4)),
        query("a.example")[:-1] + b"\3",
    ],
)
def test_what_is_no_plain_query_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedPacketError):
        dns.read_query(data)


@given(st.binary(max_size=600))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        asked = dns.read_query(data)
    except MalformedPacketError:
        return
    answer = TABLE.look_up(asked.name, asked.kind)
    if answer is not None:
        assert len(dns.write_answer(asked, answer)) <= asked.largest


@given(st.binary(max_size=300))
def test_any_frame_is_answered_or_passed_on(data: bytes) -> None:
    assert answer_to(data, TABLE) is None or b"corp" in data.lower() or b"shop" in data.lower()


@pytest.mark.parametrize("version", [4, 6])
def test_the_answer_is_in_the_query_s_frame(version: int) -> None:
    frame = udp_frame(version, payload=query("www.shop.example"))
    made = answer_to(frame, TABLE)
    assert made is not None
    assert made[:14] == frame[:14]
    assert ip_address("10.0.0.7").packed in made
    assert answer_to(udp_frame(version, payload=query("www.other.example")), TABLE) is None


def test_names_come_and_go_with_their_rows() -> None:
    names = KnownNames()
    names.change([WWW, OURS, DnsName("3", "t", "a.example", 1, ("10.0.0.1",))], [])
    table = names.of("s")
    assert table is not None
    assert table.look_up("www.shop.example", A) == Answer(("10.0.0.7",), (), 60)
    names.change([DnsName("1", "s", "new.shop.example", 60, ("10.0.0.8",))], [])
    assert table.look_up("www.shop.example", A) is None
    assert table.look_up("new.shop.example", A) == Answer(("10.0.0.8",), (), 60)
    names.change([], [("dns_name", "s/1"), ("dns_name", "s/2"), ("dns_name", "s/2")])
    assert names.of("s") is None
    assert names.of("t") is not None


def test_records_of_one_name_add_up() -> None:
    more = DnsName("9", "s", "www.shop.example", 5, ("10.0.0.9", "10.0.0.7"))
    table = NameTable([WWW, more])
    assert table.look_up("www.shop.example", A) == Answer(("10.0.0.7", "10.0.0.9"), (), 5)
    assert table.look_up("www.shop.example", PTR) is None
