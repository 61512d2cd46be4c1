"""Which flow a packet meets, found by its template's arguments."""

import pytest

from logical_flow.evaluate import NO_SETS, Packet
from logical_flow.flow_table import Entry, FlowTable, Layout
from logical_flow.roles import Role
from logical_flow.template import Pipeline, Priority, Stage, Template


class FromPort(Stage, name="flow_table_from_port", role=Role.FORWARDING):
    """Flows with pinned arguments, with others, and without any."""

    port = Template(50, "inport == {port:lport} && eth.src == {mac:mac}", "next;")
    network = Template(Priority(60, "plen"), "ip4.dst == {network:cidr4}", "next;")
    anything = Template(10, "1", "drop;")


Pipeline("flow_table_test", kind="ls", direction="ingress", stages=[FromPort])

MAC = bytes.fromhex("0a0000000001")
FLOWS = [
    FromPort.anything(),
    *(FromPort.port(port=f"p{number}", mac=MAC) for number in range(9)),
    FromPort.network(plen=8, network=bytes([10, 0, 0, 0, 255, 0, 0, 0])),
    FromPort.network(plen=24, network=bytes([10, 0, 0, 0, 255, 255, 255, 0])),
]
IP4 = {"eth.type": 0x800}


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        ({"inport": "p7", "eth.src": int.from_bytes(MAC)}, FLOWS[8]),
        ({"inport": "p7", "eth.src": 2}, FLOWS[0]),
        ({"inport": "other", "eth.src": int.from_bytes(MAC)}, FLOWS[0]),
        ({**IP4, "ip4.dst": 0x0A000007}, FLOWS[-1]),
        ({**IP4, "ip4.dst": 0x0A010007, "inport": "p7"}, FLOWS[-2]),
    ],
)
def test_the_flow_of_highest_priority_that_fits(packet: Packet, expected: object) -> None:
    choice = FlowTable(map(Entry, FLOWS)).choose(FromPort.name, packet, NO_SETS)
    assert choice.certain
    assert choice.entry is not None
    assert choice.entry.flow == expected


def test_what_is_not_known_may_be_any_flow() -> None:
    packet: Packet = {"inport": "p7", "eth.src": None}
    choice = FlowTable(map(Entry, FLOWS)).choose(FromPort.name, packet, NO_SETS)
    assert not choice.certain
    assert choice.entry is not None
    assert choice.entry.flow == FLOWS[8]


def test_the_first_of_equals_wins() -> None:
    entries = [Entry(FLOWS[1], "first"), Entry(FLOWS[1], "second")]
    packet: Packet = {"inport": "p0", "eth.src": int.from_bytes(MAC)}
    choice = FlowTable(entries).choose(FromPort.name, packet, NO_SETS)
    assert choice.entry is entries[0]


def test_a_stage_is_one_though_some_of_its_templates_do_not_tell_its_role() -> None:
    old = Template.from_text(FromPort.port.as_text())
    assert old.role is Role.OTHER
    for templates in ([old, FromPort.anything], [FromPort.anything, old]):
        (place,) = Layout(templates).from_table("flow_table_test", 0)
        assert place.role is Role.FORWARDING
