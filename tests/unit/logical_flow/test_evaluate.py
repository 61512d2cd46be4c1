"""Whether packets fit, above all where prerequisites are implied or something isn't known."""

import pytest

from logical_flow.connections import ConnectionTable, State
from logical_flow.errors import WalkError
from logical_flow.evaluate import Sets, matches
from logical_flow.match_parser import parse_match
from logical_flow.packet import changes, format_packet, packet_from_match

SETS = Sets({"$web": ["10.0.0.0/24", "fd00::1", "0a:00:00:00:00:01"], "@pg": ["a", "b"]})
TCP = 'inport == "a" && ip4.src == 10.0.0.7 && tcp.src == 1024 && tcp.dst == 80'
UDP6 = 'inport == "c" && ip6.src == fd00::1 && udp.dst == 53 && eth.src == 0a:00:00:00:00:01'


@pytest.mark.parametrize(
    ("source", "fits_tcp", "fits_udp6"),
    [
        ("ip4", True, False),
        ("ip", True, True),
        ("tcp", True, False),
        ("tcp.dst == 80", True, False),
        ("tcp.dst != 80", False, False),
        ("!(tcp.dst == 80)", False, False),
        ("!(tcp.dst == 81)", True, False),
        ("tcp.dst == 0", False, False),
        ("udp.dst < 54", False, True),
        ("1000 < tcp.src < 1025", True, False),
        ("!ip.is_frag", True, True),
        ("ip.first_frag", False, False),
        ("!vlan.present", True, True),
        ("vlan.vid == 0", False, False),
        ("!eth.bcast", True, True),
        ("ip4.src == $web", True, False),
        ("ip4.src != $web", False, False),
        ("ip6.src == $web", False, True),
        ("eth.src == $web", False, True),
        ("ip4.src == {$web, 1.2.3.4}", True, False),
        ("inport == @pg", True, False),
        ('inport == {@pg, "c"}', True, True),
        ("ip4.src == $unheard_of", False, False),
        ("ct.new", False, False),
        ("!ct.trk", True, True),
        ("icmp4.type == 0", False, False),
        ("nd", False, False),
    ],
)
def test_a_packet_fits_or_not(source: str, fits_tcp: bool, fits_udp6: bool) -> None:
    expression = parse_match(source)
    assert matches(expression, packet_from_match(TCP), SETS) is fits_tcp
    assert matches(expression, packet_from_match(UDP6), SETS) is fits_udp6


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("tcp.src == 5", None),
        ("tcp.src == 5 && ip6", False),
        ("tcp.src == 5 || ip4", True),
        ("!(tcp.src == 5)", None),
        ("tcp.src[0] || tcp.dst == 80", True),
        ("tcp.src[0] && tcp.dst == 80", None),
        ("udp.src == 5", False),
        ("tcp.src != {1, 2}", None),
        ("tcp.dst == 80", True),
    ],
)
def test_what_is_not_known_leaves_open_only_what_depends_on_it(
    source: str, expected: bool | None
) -> None:
    packet = packet_from_match(TCP) | {"tcp.src": None}
    assert matches(parse_match(source), packet) is expected


def test_a_packet_is_made_from_what_it_should_fit() -> None:
    packet = packet_from_match(TCP)
    assert format_packet(packet) == (
        'inport="a", eth.type=0x800, ip.proto=6, ip.ttl=64, ip4.src=10.0.0.7, '
        "tcp.src=1024, tcp.dst=80"
    )
    with pytest.raises(WalkError, match="no packet fits"):
        packet_from_match("ip4 && ip6")
    with pytest.raises(WalkError, match="can't be made from a set"):
        packet_from_match("ip4.src == $web")


def test_changes_name_single_registers() -> None:
    before = {"xxreg0": 1 << 96 | 7, "eth.dst": 1}
    after = {"xxreg0": 2 << 96 | 7, "eth.dst": 2, "outport": "a"}
    assert [str(change) for change in changes(before, after)] == [
        "reg0: 0x1 -> 0x2",
        'outport: "" -> "a"',
        "eth.dst: 00:00:00:00:00:01 -> 00:00:00:00:00:02",
    ]


REPLY = "ip4.src == 10.0.0.2 && ip4.dst == 10.0.0.1 && tcp.src == 80 && tcp.dst == 9"
REQUEST = "ip4.src == 10.0.0.1 && ip4.dst == 10.0.0.2 && tcp.src == 9 && tcp.dst == 80"
ERROR = "ip4.src == 10.0.9.9 && ip4.dst == 10.0.0.1 && icmp4.type == 3 && icmp4.code == 1"


def test_a_connection_is_new_until_it_is_answered() -> None:
    table = ConnectionTable()
    request, reply = packet_from_match(REQUEST), packet_from_match(REPLY)
    assert table.look_up("z", request).state == State.TRK | State.NEW
    table.commit("z", request, 1, 5)
    assert table.look_up("z", request)[:3] == (State.TRK | State.NEW, 1, 5)
    assert table.look_up("z", reply).state == State.TRK | State.EST | State.RPL
    assert table.look_up("z", request).state == State.TRK | State.EST
    assert table.look_up("elsewhere", reply).state == State.TRK | State.NEW


def test_marks_change_from_either_direction() -> None:
    table = ConnectionTable()
    table.commit("z", packet_from_match(REQUEST), 0, 0)
    table.commit("z", packet_from_match(REPLY), 3, 0)
    assert table.look_up("z", packet_from_match(REQUEST)).mark == 3


def test_an_error_is_related_to_a_known_host_only() -> None:
    table = ConnectionTable()
    assert table.look_up("z", packet_from_match(ERROR)).state == State.TRK | State.INV
    table.commit("z", packet_from_match(REQUEST), 2, 0)
    assert table.look_up("z", packet_from_match(ERROR))[:3] == (State.TRK | State.REL, 2, 0)
