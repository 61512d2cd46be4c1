"""What a DHCPv6 client is answered."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis_agent.dhcp.message6 import (
    MOST_ASSOCIATIONS,
    MOST_OPTIONS,
    Code,
    MessageType,
    Request6,
    Status,
    read_request,
)
from chassis_agent.punt import codec
from chassis_agent.punt.dhcp import handle6
from chassis_agent.punt.errors import MalformedPacketError, PuntError
from chassis_agent.punt.opcodes import DhcpArguments
from logical_flow.dhcp_options import DhcpOption, OwnCode
from tests.unit.chassis_agent.dhcp.messages import (
    CLIENT6,
    DUID,
    MAC,
    encoded6,
    frame6,
    message6,
)

ADDRESS = bytes.fromhex("fd000000000000000000000000000005")
OTHER = bytes.fromhex("fd000000000000000000000000000006")
DNS = bytes.fromhex("fd000000000000000000000000000002")
LIFETIMES = struct.pack("!IIII", 300, 600, 150, 240)
OPTIONS = (
    DhcpOption(2, DUID),
    DhcpOption(23, DNS),
    DhcpOption(24, b"\3lan\0"),
    DhcpOption(OwnCode.LIFETIMES, LIFETIMES),
)
STATELESS = (*OPTIONS[:3], DhcpOption(OwnCode.STATELESS, b""))
CLIENT = (1, b"client")
SERVER = (2, DUID)


def ia(*addresses: bytes, iaid: bytes = b"\0\0\0\1", code: int = 3) -> tuple[int, bytes]:
    inner = encoded6((5, address + bytes(8)) for address in addresses)
    return code, iaid + (b"" if code == 4 else bytes(8)) + inner


def ask(payload: bytes, options: tuple[DhcpOption, ...] = OPTIONS) -> Request6 | None:
    """The answer, read as a request of the same kind would be."""
    made = handle6(DhcpArguments(ADDRESS, options, b""), frame6(payload)).reply
    if made is None:
        return None
    frame = codec.read_ethernet(made)
    ip = codec.read_ip(frame)
    assert (frame.dst, ip.dst) == (MAC, CLIENT6)
    udp = codec.read_udp(ip)
    assert (udp.src, udp.dst, udp.payload[1:4]) == (547, 546, b"xid")
    return read_request(udp.payload)


def answered(payload: bytes, options: tuple[DhcpOption, ...] = OPTIONS) -> Request6:
    answer = ask(payload, options)
    assert answer is not None
    assert answer.value(Code.SERVER_ID) == DUID
    return answer


def status_of(answer: Request6) -> int | None:
    value = answer.value(Code.STATUS)
    return None if value is None else int.from_bytes(value[:2])


def inner_status(option: bytes) -> int:
    """The status inside of an identity association without addresses."""
    assert option[12:14] == Code.STATUS.to_bytes(2)
    return int.from_bytes(option[16:18])


def test_a_solicitation_is_advertised_the_address() -> None:
    answer = answered(message6(1, [CLIENT, ia(), (6, bytes((0, 24, 0, 23)))]))
    assert answer.message_type == MessageType.ADVERTISE
    assert answer.value(Code.CLIENT_ID) == b"client"
    granted = answer.value(Code.IA_NA)
    assert granted is not None
    assert struct.unpack_from("!III", granted) == (1, 150, 240)
    assert granted[16:] == ADDRESS + struct.pack("!II", 300, 600)
    assert [code for code, _ in answer.options] == [1, 2, 3, 24, 23]


def test_rapid_commit() -> None:
    answer = answered(message6(1, [CLIENT, ia(), (14, b"")]))
    assert answer.message_type == MessageType.REPLY
    assert answer.value(Code.RAPID_COMMIT) == b""
    assert answer.associations[0].addresses == (ADDRESS,)


@pytest.mark.parametrize("kind", [MessageType.REQUEST, MessageType.RENEW])
def test_what_is_for_one_server(kind: MessageType) -> None:
    answer = answered(message6(kind, [CLIENT, SERVER, ia(ADDRESS)]))
    assert answer.message_type == MessageType.REPLY
    assert answer.associations[0].addresses == (ADDRESS,)
    assert ask(message6(kind, [CLIENT, (2, b"another"), ia(ADDRESS)])) is None
    assert ask(message6(kind, [CLIENT, ia(ADDRESS)])) is None


def test_wrong_addresses_come_to_their_end() -> None:
    for options in ([CLIENT, SERVER, ia(OTHER)], [CLIENT, ia(OTHER)]):
        kind = MessageType.RENEW if SERVER in options else MessageType.REBIND
        answer = answered(message6(kind, options))
        (of,) = answer.associations
        assert of.addresses == (ADDRESS, OTHER)
        granted = answer.value(Code.IA_NA)
        assert granted is not None
        assert granted.endswith(OTHER + bytes(8))


def test_the_address_goes_to_the_association_that_has_it() -> None:
    first, second = ia(iaid=b"\0\0\0\1"), ia(ADDRESS, iaid=b"\0\0\0\2")
    temporary, prefix = ia(code=4), ia(code=25)
    answer = answered(message6(5, [CLIENT, SERVER, first, second, temporary, prefix]))
    assert [of.addresses for of in answer.associations] == [(), (ADDRESS,), (), ()]
    values = [value for code, value in answer.options if code in (3, 25)]
    assert inner_status(values[0]) == Status.NO_ADDRESSES
    assert inner_status(values[2]) == Status.NO_PREFIXES


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([ia(ADDRESS)], Status.SUCCESS),
        ([ia(OTHER)], Status.NOT_ON_LINK),
        ([ia(ADDRESS, OTHER)], Status.NOT_ON_LINK),
        ([ia()], None),
        ([], None),
    ],
)
def test_confirming(options: list[tuple[int, bytes]], expected: Status | None) -> None:
    answer = ask(message6(4, [CLIENT, *options]))
    assert (answer and status_of(answer)) == expected


@pytest.mark.parametrize("kind", [MessageType.RELEASE, MessageType.DECLINE])
def test_giving_up(kind: MessageType) -> None:
    options = [CLIENT, SERVER, ia(ADDRESS), ia(OTHER, iaid=b"\0\0\0\2")]
    answer = answered(message6(kind, options))
    assert (answer.message_type, status_of(answer)) == (MessageType.REPLY, Status.SUCCESS)
    (rest,) = [value for code, value in answer.options if code == 3]
    assert (rest[:4], inner_status(rest)) == (b"\0\0\0\2", Status.NO_BINDING)


def test_information() -> None:
    answer = answered(message6(11, [(6, bytes((0, 23)))]))
    assert [code for code, _ in answer.options] == [2, 23, 24]
    assert ask(message6(11, [(2, b"another")])) is None
    assert ask(message6(11, [ia()])) is None


def test_without_state() -> None:
    answer = answered(message6(1, [CLIENT, ia(), (14, b"")]), STATELESS)
    assert (answer.message_type, status_of(answer)) == (2, Status.NO_ADDRESSES)
    assert answer.associations[0].addresses == ()
    assert answer.value(Code(6)) is None
    told = answered(message6(11, [CLIENT]), STATELESS)
    assert dict(told.options)[23] == DNS


def test_names_and_boot_files() -> None:
    options = (
        *OPTIONS,
        DhcpOption(39, b"\4vm-1\3lan\0"),
        DhcpOption(59, b"http://boot/all"),
        DhcpOption(OwnCode.BOOT_FILE_FOR_ARCHITECTURE, b"\0\7http://boot/efi"),
    )
    asked = message6(1, [CLIENT, ia(), (39, b"\1"), (61, b"\0\7")])
    answer = dict(answered(asked, options).options)
    assert (answer[39], answer[59]) == (b"\1\4vm-1\3lan\0", b"http://boot/efi")
    answer = dict(answered(message6(1, [CLIENT, ia(), (6, b"\0\x27")]), options).options)
    assert (answer[39], answer[59]) == (b"\3\4vm-1\3lan\0", b"http://boot/all")
    assert 39 not in dict(answered(message6(1, [CLIENT, ia()]), options).options)


@pytest.mark.parametrize(
    "payload",
    [
        message6(1, [ia()]),
        message6(1, [CLIENT, SERVER, ia()]),
        message6(6, [CLIENT, SERVER, ia(ADDRESS)]),
        message6(2, [CLIENT, SERVER]),
        message6(12, [CLIENT]),
    ],
    ids=["nobody", "solicits one server", "rebinds with one", "advertises", "relayed"],
)
def test_what_gets_no_answer(payload: bytes) -> None:
    assert ask(payload) is None


@pytest.mark.parametrize(
    "options",
    [
        [(1, b"")] * (MOST_OPTIONS + 1),
        [ia()] * (MOST_ASSOCIATIONS + 1),
        [ia(*[OTHER] * (MOST_OPTIONS + 1))],
        [(3, b"short")],
    ],
    ids=["options", "associations", "addresses", "cut short"],
)
def test_bounds(options: list[tuple[int, bytes]]) -> None:
    with pytest.raises(MalformedPacketError):
        read_request(message6(1, options))


def _reads(data: bytes) -> None:
    try:
        handle6(DhcpArguments(ADDRESS, OPTIONS, b""), data)
    except PuntError:
        return


@given(st.integers(0, 13), st.binary(max_size=700))
def test_any_payload(kind: int, payload: bytes) -> None:
    _reads(frame6(bytes((kind,)) + payload))


_OPTION = st.tuples(
    st.sampled_from([1, 2, 3, 4, 5, 6, 13, 14, 25, 39, 61]) | st.integers(0, 0xFFFF),
    st.binary(max_size=60) | st.just(DUID) | st.just(ia(ADDRESS)[1]),
)


@given(st.integers(1, 12), st.lists(_OPTION, max_size=12))
def test_any_options(kind: int, options: list[tuple[int, bytes]]) -> None:
    _reads(frame6(message6(kind, options)))


@given(st.binary(max_size=1000))
def test_any_frame(data: bytes) -> None:
    _reads(data)
