"""The fields that tell what the requests of a connection were sent to."""

from logical_flow.connections import ConnectionTable, Translation
from logical_flow.endpoints import Range
from logical_flow.packet import packet_from_match

REQUEST = packet_from_match(
    "ip4.src == 10.0.0.1 && ip4.dst == 10.0.0.9 && tcp.src == 5000 && tcp.dst == 80"
)


def test_a_translated_connection_keeps_what_was_asked_for() -> None:
    table = ConnectionTable()
    to = Translation("destination", Range(7, 7), Range(8080, 8080))
    first = table.translate("zone", REQUEST, to)
    again = table.translate("zone", REQUEST, None)
    for translated in (first, again):
        original = translated.tracked.original
        assert original is not None
        assert (original.destination, original.destination_port) == (0x0A000009, 80)


def test_what_is_not_known_tells_nothing() -> None:
    reply = packet_from_match("ip4.dst == 10.0.0.1 && tcp.src == 80 && tcp.dst == 5000")
    table = ConnectionTable()
    table.translate("zone", REQUEST, Translation("destination", Range(1, 9)))
    original = table.translate("zone", reply, None).tracked.original
    assert original is None or original.destination != 0x0A000009
