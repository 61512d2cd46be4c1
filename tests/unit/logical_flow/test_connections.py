"""What the reference connection table says of translated connections."""

import pytest

from logical_flow.action import PacketKind
from logical_flow.action.generated import generate
from logical_flow.connections import (
    AssumedConnections,
    ConnectionTable,
    State,
    Translation,
    translation_record,
)
from logical_flow.endpoints import Range
from logical_flow.packet import MutablePacket, format_packet, packet_from_match

VIP, BACKEND, CLIENT, OUTSIDE = 0x0A000064, 0x0A000005, 0x0A000001, 0xC0000201
TO_BACKEND = Translation("destination", Range(BACKEND, BACKEND), Range(8080, 8080))
FROM_OUTSIDE = Translation("source", Range(OUTSIDE, OUTSIDE))
NEW, KNOWN = State.TRK | State.NEW, State.TRK | State.EST


def udp(source: int, destination: int, sport: int = 1000, dport: int = 80) -> MutablePacket:
    ports = f"udp.src == {sport} && udp.dst == {dport}"
    return packet_from_match(f"ip4.src == {source} && ip4.dst == {destination} && {ports}")


def ping(source: int, destination: int) -> MutablePacket:
    return packet_from_match(f"ip4.src == {source} && ip4.dst == {destination} && icmp4.type == 8")


def ends(packet: MutablePacket) -> tuple[object, ...]:
    return tuple(packet.get(f"{name}") for name in ("ip4.src", "udp.src", "ip4.dst", "udp.dst"))


def through(
    table: ConnectionTable,
    packet: MutablePacket,
    translation: Translation | None = None,
    zone: str = "z",
) -> tuple[State | None, MutablePacket]:
    """Return what the tracker says, and the packet as it goes on."""
    translated = table.translate(zone, packet, translation)
    record = translation_record(zone, translated)
    return translated.tracked.state, {**packet, **translated.fields, **record}


def test_requests_are_translated_and_replies_back() -> None:
    table = ConnectionTable()
    state, request = through(table, udp(CLIENT, VIP), TO_BACKEND)
    assert (state, ends(request)) == (NEW | State.DNAT, (CLIENT, 1000, BACKEND, 8080))
    state, reply = through(table, udp(BACKEND, CLIENT, 8080, 1000))
    assert (state, ends(reply)) == (KNOWN | State.RPL | State.SNAT, (VIP, 80, CLIENT, 1000))
    state, request = through(table, udp(CLIENT, VIP))
    assert (state, ends(request)) == (KNOWN | State.DNAT, (CLIENT, 1000, BACKEND, 8080))


def test_the_source_keeps_its_port_while_that_is_free() -> None:
    table = ConnectionTable()
    state, packet = through(table, udp(CLIENT, VIP), FROM_OUTSIDE)
    assert (state, ends(packet)) == (NEW | State.SNAT, (OUTSIDE, 1000, VIP, 80))
    state, packet = through(table, udp(CLIENT + 1, VIP), FROM_OUTSIDE)
    assert (state, ends(packet)) == (NEW | State.SNAT, (OUTSIDE, None, VIP, 80))
    state, packet = through(table, udp(VIP, OUTSIDE, 80, 1000))
    assert (state, ends(packet)[2:]) == (KNOWN | State.RPL | State.DNAT, (CLIENT, 1000))
    state, packet = through(table, udp(VIP, OUTSIDE, 80, 2000))
    assert (state, ends(packet)) == (None, (None, None, None, None)), "perhaps a reply"
    assert through(table, udp(VIP, OUTSIDE, 81, 2000))[0] == NEW


def test_the_established_translation_counts_and_not_the_flow_s() -> None:
    table = ConnectionTable()
    through(table, udp(CLIENT, VIP), TO_BACKEND)
    elsewhere = Translation("destination", Range(BACKEND + 1, BACKEND + 1))
    assert ends(through(table, udp(CLIENT, VIP), elsewhere)[1])[2] == BACKEND


def test_what_the_switch_chooses_is_not_known() -> None:
    table = ConnectionTable()
    pool = Translation("source", Range(OUTSIDE, OUTSIDE + 3), Range(5000, 5999))
    state, packet = through(table, udp(CLIENT, VIP), pool)
    assert (state, ends(packet)) == (NEW | State.SNAT, (None, None, VIP, 80))
    assert table.look_up("z", udp(VIP, OUTSIDE + 2, 80, 5500)).state is None
    assert table.look_up("z", udp(VIP, OUTSIDE + 4, 80, 5500)).state == NEW
    assert table.look_up("z", udp(VIP, OUTSIDE + 2, 80, 6000)).state == NEW


def test_without_ports_a_taken_address_leaves_the_packet_as_it_is() -> None:
    table = ConnectionTable()
    assert through(table, ping(CLIENT, VIP), FROM_OUTSIDE)[0] == NEW | State.SNAT
    state, packet = through(table, ping(CLIENT + 1, VIP), FROM_OUTSIDE)
    assert (state, packet["ip4.src"]) == (NEW, CLIENT + 1)


def test_a_packet_is_translated_once_in_a_zone() -> None:
    table = ConnectionTable()
    _, packet = through(table, udp(CLIENT, VIP), TO_BACKEND)
    assert table.look_up("z", packet).state == NEW | State.DNAT
    assert table.translate("z", packet, None).fields == {}
    table.commit("z", packet, 5, 0)
    assert table.look_up("z", udp(CLIENT, VIP))[:3] == (NEW, 5, 0)
    assert table.look_up("other", packet).state == NEW


def test_errors_are_translated_with_what_they_quote() -> None:
    table = ConnectionTable()
    _, request = through(table, udp(CLIENT, VIP), TO_BACKEND)
    error = generate(PacketKind.ICMP4, request)
    assert error is not None
    error |= {"ip4.src": 0x0A0000FE, "ip4.dst": CLIENT}
    state, told = through(table, error)
    assert state == State.TRK | State.REL | State.RPL | State.SNAT
    assert (told["ip4.src"], told["ip4.dst"]) == (VIP, CLIENT)
    assert (told["quoted.destination"], told["quoted.destination_port"]) == (VIP, 80)

    answer = through(table, udp(BACKEND, CLIENT, 8080, 1000))[1]
    error = generate(PacketKind.ICMP4, answer)
    assert error is not None
    error |= {"ip4.src": CLIENT, "ip4.dst": VIP}
    state, told = through(table, error)
    assert state == State.TRK | State.REL | State.DNAT
    assert (told["ip4.src"], told["ip4.dst"]) == (CLIENT, BACKEND)
    assert (told["quoted.source"], told["quoted.source_port"]) == (BACKEND, 8080)


def test_an_error_that_quotes_nothing_known_leaves_addresses_unknown() -> None:
    table = ConnectionTable()
    through(table, udp(CLIENT, VIP), TO_BACKEND)
    error = packet_from_match(f"ip4.src == 10.0.9.9 && ip4.dst == {CLIENT} && icmp4.type == 3")
    state, told = through(table, error)
    assert state is not None
    assert state & State.REL
    assert (told["ip4.src"], told["ip4.dst"]) == (None, None)


def test_errors_quote_the_packet_that_they_are_about() -> None:
    table = ConnectionTable()
    table.commit("z", udp(CLIENT, VIP), 2, 0)
    error = generate(PacketKind.REJECT, udp(CLIENT, VIP))
    assert error is not None
    assert table.look_up("z", error)[:3] == (State.TRK | State.REL | State.RPL, 2, 0)
    stranger = generate(PacketKind.REJECT, udp(CLIENT, VIP, dport=81))
    assert stranger is not None
    assert table.look_up("z", stranger).state == State.TRK | State.INV
    assert "quoted" not in format_packet(error), "no field shows it"


def test_an_assumed_connection_is_translated_as_the_flow_says() -> None:
    table = AssumedConnections(reply=False)
    state, packet = through(table, udp(CLIENT, VIP), TO_BACKEND)
    assert (state, ends(packet)) == (KNOWN | State.DNAT, (CLIENT, 1000, BACKEND, 8080))


@pytest.mark.parametrize("reply", [False, True])
def test_how_an_assumed_connection_is_translated_back_is_not_known(reply: bool) -> None:
    table = AssumedConnections(reply=reply)
    state, packet = through(table, udp(CLIENT, VIP))
    assert state == KNOWN | (State.RPL if reply else State(0))
    assert ends(packet) == (None, None, None, None)
