"""The wire: what is framed from parts is the message that it says it is."""

import pytest

from southbound import wire
from southbound.errors import ProtocolError
from southbound.rows import Chassis, Encap, FlowGroup, SetMember

PART = wire.Part(
    "datapath:d", False, (FlowGroup(7, "d", "acl", "a", 3, b"\x91"),), (("flow_group", "9"),)
)


@pytest.mark.parametrize("count", [0, 1, 15, 16, 70_000])
@pytest.mark.parametrize("serial", [1, 1 << 40])
def test_a_frame_of_encoded_parts_is_the_update(count: int, serial: int) -> None:
    frame = b"".join(wire.frame(serial, 2, 300, 5, [wire.encode(PART)] * count))
    update = wire.Update(serial, 2, 300, 5, (PART,) * count)
    assert frame == wire.encode(update)
    assert wire.decode_from_server(frame) == update


def test_messages_of_agents_survive() -> None:
    register = wire.Register(
        1,
        Chassis("hv1", "host", (Encap("geneve", "192.0.2.1"),)),
        "i",
        wire.Resume("e", 5, ("global",)),
    )
    for message in (register, wire.Subscribe(("a", "b")), wire.PortUp("p", True)):
        assert wire.decode_from_agent(wire.encode(message)) == message


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x91\xa5hello", b"\x92\xa3ack\xa1x", b"\x90"])
def test_nonsense_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        wire.decode_from_agent(data)


def test_a_row_of_any_table_says_which() -> None:
    part = wire.Part("set:$a", True, (SetMember("$a", "x"), Chassis("hv1")))
    message = wire.encode(wire.Update(1, 0, 1, 1, (part,)))
    assert wire.decode_from_server(message) == wire.Update(1, 0, 1, 1, (part,))
