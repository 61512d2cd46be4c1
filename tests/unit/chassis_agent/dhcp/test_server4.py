"""What a DHCPv4 client is answered, and how the answer is laid out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis_agent.dhcp.message4 import Code, MessageType, read_request
from chassis_agent.punt import codec
from chassis_agent.punt.dhcp import handle4
from chassis_agent.punt.errors import PuntError
from chassis_agent.punt.opcodes import DhcpArguments
from logical_flow.dhcp_options import DhcpOption, OwnCode
from tests.unit.chassis_agent.dhcp.messages import (
    ADDRESS,
    EVERYBODY,
    MAC,
    OTHER,
    SERVER,
    encoded,
    frame4,
    message4,
)

OPTIONS = (
    DhcpOption(54, SERVER),
    DhcpOption(51, bytes((0, 0, 14, 16))),
    DhcpOption(1, bytes((255, 255, 255, 0))),
    DhcpOption(3, SERVER),
    DhcpOption(58, bytes(4)),
    DhcpOption(15, b"example"),
)


class Answer:
    """A server's answer, taken apart."""

    def __init__(self, data: bytes) -> None:
        self.frame = codec.read_ethernet(data)
        self.ip = codec.read_ip(self.frame)
        udp = codec.read_udp(self.ip)
        assert (udp.src, udp.dst) == (67, 68)
        self.message = udp.payload
        assert self.message[:4] == bytes((2, 1, 6, 0))
        assert self.message[4:8] == b"\x12\x34\x56\x78"
        self.ciaddr, self.yiaddr, self.siaddr = (self.message[at : at + 4] for at in (12, 16, 20))
        self.sname = self.message[44:108]
        self.file = self.message[108:236]
        # Read as a request of the same options would be.
        self.request = read_request(bytes((1,)) + self.message[1:])
        self.options = self.request.options

    @property
    def kind(self) -> int:
        return self.options[Code.MESSAGE_TYPE][0]

    @property
    def order(self) -> list[int]:
        """The codes in the main area of options."""
        area, codes = self.message[240:], []
        while area and area[0] != Code.END:
            codes.append(area[0])
            area = area[2 + area[1] :]
        return codes


def ask(
    payload: bytes,
    *,
    src: bytes = bytes(4),
    dst: bytes = EVERYBODY,
    options: tuple[DhcpOption, ...] = OPTIONS,
) -> Answer | None:
    made = handle4(DhcpArguments(ADDRESS, options, b""), frame4(payload, src=src, dst=dst)).reply
    return None if made is None else Answer(made)


def answered(*args: object, **kwargs: object) -> Answer:
    answer = ask(*args, **kwargs)  # type: ignore[arg-type]
    assert answer is not None
    return answer


def test_a_discovery_is_offered_the_address() -> None:
    answer = answered(message4(MessageType.DISCOVER))
    assert (answer.kind, answer.yiaddr, answer.ciaddr) == (MessageType.OFFER, ADDRESS, bytes(4))
    assert (answer.frame.dst, answer.ip.dst) == (MAC, ADDRESS)
    assert {code: answer.options[code] for code, _ in OPTIONS} == dict(OPTIONS)
    assert len(answer.message) >= 300


def test_rapid_commit_skips_the_offer() -> None:
    answer = answered(message4(MessageType.DISCOVER, [(80, b"")]))
    assert (answer.kind, answer.yiaddr, answer.options[80]) == (MessageType.ACK, ADDRESS, b"")


@pytest.mark.parametrize(
    ("options", "ciaddr", "kind"),
    [
        ([(54, SERVER), (50, ADDRESS)], bytes(4), MessageType.ACK),
        ([(54, SERVER), (50, OTHER)], bytes(4), MessageType.NAK),
        ([(54, OTHER), (50, ADDRESS)], bytes(4), None),
        ([(50, ADDRESS)], bytes(4), MessageType.ACK),
        ([(50, OTHER)], bytes(4), MessageType.NAK),
        ([], ADDRESS, MessageType.ACK),
        ([], OTHER, MessageType.NAK),
        ([], bytes(4), None),
    ],
    ids=[
        "takes it",
        "takes another",
        "takes another server's",
        "verifies",
        "verifies another",
        "renews",
        "renews another",
        "asks for nothing",
    ],
)
def test_requests(options: list[tuple[int, bytes]], ciaddr: bytes, kind: int | None) -> None:
    answer = ask(message4(MessageType.REQUEST, options, ciaddr=ciaddr))
    assert (answer and answer.kind) == kind
    if answer is not None and kind == MessageType.ACK:
        assert (answer.yiaddr, answer.ciaddr) == (ADDRESS, ciaddr)
        assert answer.ip.dst == ADDRESS
    if answer is not None and kind == MessageType.NAK:
        assert (answer.yiaddr, answer.ip.dst) == (bytes(4), EVERYBODY)
        assert answer.options.keys() == {53, 54, 56}


def test_an_inform_gets_options_and_no_lease() -> None:
    answer = answered(message4(MessageType.INFORM, ciaddr=OTHER), src=OTHER, dst=SERVER)
    assert (answer.kind, answer.yiaddr, answer.ip.dst) == (MessageType.ACK, bytes(4), OTHER)
    assert not answer.options.keys() & {51, 58, 59}
    assert answer.options[15] == b"example"


@pytest.mark.parametrize(
    "payload",
    [
        message4(None),
        message4(MessageType.RELEASE, [(54, SERVER)], ciaddr=ADDRESS),
        message4(MessageType.DECLINE, [(50, ADDRESS), (54, SERVER)]),
        message4(MessageType.OFFER),
        message4(13),
        message4(MessageType.DISCOVER, giaddr=OTHER),
        message4(MessageType.DISCOVER, chaddr=bytes(6)),
    ],
    ids=["BOOTP", "release", "decline", "offer", "lease query", "relayed", "another's"],
)
def test_what_gets_no_answer(payload: bytes) -> None:
    assert ask(payload) is None


def test_the_broadcast_flag() -> None:
    answer = answered(message4(MessageType.DISCOVER, flags=0x8000))
    assert (answer.ip.dst, answer.frame.dst) == (EVERYBODY, b"\xff" * 6)
    assert answer.message[10:12] == b"\x80\0"


def test_options_come_as_they_were_asked_for() -> None:
    answer = answered(message4(MessageType.DISCOVER, [(61, b"\1me"), (55, bytes((15, 3, 99, 1)))]))
    assert answer.order == [53, 54, 51, 1, 61, 15, 3, 58]
    assert answer.options[61] == b"\1me"


LONG = b"".join(bytes((4,)) + b"name" for _ in range(70)) + b"\0"


def test_a_long_option_is_split() -> None:
    size = [(57, (1400).to_bytes(2))]
    answer = answered(message4(1, size), options=(*OPTIONS, DhcpOption(119, LONG)))
    assert answer.order.count(119) == 2
    assert answer.options[119] == LONG


def test_what_does_not_fit_goes_into_the_header_or_is_left_out() -> None:
    """Without a word of the client a datagram has 576 bytes, of which 308 are for options."""
    options = (*OPTIONS, *(DhcpOption(code, b"x" * 100) for code in range(200, 205)))
    answer = answered(message4(MessageType.DISCOVER), options=options)
    assert answer.options.keys() >= {53, 54, 51, 1, 3, 52, 200, 201, 202}
    assert answer.options[52] == b"\1"
    assert 204 not in answer.options
    whole = answered(message4(1, [(57, (1500).to_bytes(2))]), options=options)
    assert whole.options.keys() >= {200, 201, 202, 203, 204}
    assert 52 not in whole.options


def test_options_of_the_client_may_be_in_the_header() -> None:
    payload = message4(
        None, [(52, b"\3")], file=encoded([(53, b"\1")]), sname=encoded([(61, b"abc")])
    )
    answer = answered(payload)
    assert (answer.kind, answer.options[61]) == (MessageType.OFFER, b"abc")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], b"default"),
        ([(93, b"\0\7")], b"efi"),
        ([(93, b"\0\x0b")], b"default"),
        ([(175, b"")], b"http://boot/"),
        ([(77, b"iPXE"), (93, b"\0\7")], b"http://boot/"),
    ],
)
def test_boot_files(options: list[tuple[int, bytes]], expected: bytes) -> None:
    said = (
        *OPTIONS,
        DhcpOption(67, b"default"),
        DhcpOption(66, b"boot"),
        DhcpOption(OwnCode.BOOT_FILE_FOR_ARCHITECTURE, b"\0\7efi"),
        DhcpOption(OwnCode.BOOT_FILE_FOR_IPXE, b"http://boot/"),
        DhcpOption(OwnCode.NEXT_SERVER, OTHER),
    )
    answer = answered(message4(MessageType.DISCOVER, options), options=said)
    assert (answer.options[67], answer.file.rstrip(b"\0")) == (expected, expected)
    assert (answer.siaddr, answer.sname.rstrip(b"\0")) == (OTHER, b"boot")


def _is_read(data: bytes) -> bool:
    try:
        handle4(DhcpArguments(ADDRESS, OPTIONS, b""), data)
    except PuntError:
        return False
    return True


@given(st.binary(max_size=700))
def test_any_payload(payload: bytes) -> None:
    _is_read(frame4(payload))


@given(st.binary(max_size=400), st.integers(0, 3), st.binary(max_size=64), st.binary(max_size=128))
def test_any_options(area: bytes, overload: int, sname: bytes, file: bytes) -> None:
    payload = message4(1, [(52, bytes((overload,)))], sname=sname, file=file)
    _is_read(frame4(payload[:-1] + area))


@given(st.binary(max_size=1000))
def test_any_frame(data: bytes) -> None:
    _is_read(data)
