"""What an end of another release sends: as much of it as is understood, the rest counted."""

from typing import Any

import msgspec
import pytest

from southbound import wire
from southbound.errors import ProtocolError
from southbound.questions import Compare
from southbound.rows import Datapath, SetMember
from southbound.tolerant import (
    MAX_KINDS,
    Skipped,
    UnknownQuestion,
    read_from_agent,
    read_from_server,
)

encode = msgspec.msgpack.encode


def update(*rows: Any, deletes: Any = ()) -> bytes:
    part = ["datapath:d", False, [msgspec.to_builtins(row) for row in rows], deletes]
    return encode(["update", 4, 1, 9, 7, [part]])


def test_rows_of_unknown_tables_are_left_out() -> None:
    skipped = Skipped()
    data = update(
        SetMember("$a", "x"),
        ["load_balancer", "lb", {"vips": [[1], None]}],
        ["load_balancer", "other"],
        Datapath("d", "ls", "web", 1),
        deletes=[["mirror", "m"]],
    )
    assert read_from_server(data, skipped) == wire.Update(
        4,
        1,
        9,
        7,
        (
            wire.Part(
                "datapath:d",
                False,
                (SetMember("$a", "x"), Datapath("d", "ls", "web", 1)),
                (("mirror", "m"),),
            ),
        ),
    )
    assert skipped.counts == {"rows of table load_balancer": 2}


def test_a_row_of_a_known_table_that_cannot_be_read_is_left_out_alone() -> None:
    skipped = Skipped()
    data = update(["datapath", "d", "l3vpn", "web", 1], SetMember("$a", "x"))
    message = read_from_server(data, skipped)
    assert isinstance(message, wire.Update)
    assert message.parts[0].puts == (SetMember("$a", "x"),)
    assert skipped.counts == {"unreadable rows of table datapath": 1}


def test_unknown_fields_at_the_end_are_ignored_and_missing_ones_have_defaults() -> None:
    skipped = Skipped()
    row = ["datapath", "d", "ls", "web", 1, 60, "new", {"and": "more"}]
    message = read_from_server(update(row), skipped)
    assert isinstance(message, wire.Update)
    assert message.parts[0].puts == (Datapath("d", "ls", "web", 1, 60),)
    binding = ["port_binding", "p", "d", "web-1", 1, "vif"]
    message = read_from_server(update(binding), skipped)
    assert isinstance(message, wire.Update)
    assert message.parts[0].puts[0].neighbours == ()  # type: ignore[union-attr]
    longer = encode([*msgspec.to_builtins(wire.Acknowledge(3)), "new"])
    assert read_from_agent(longer, skipped) == wire.Acknowledge(3)
    shorter = encode(["register", 3, msgspec.to_builtins(wire.Chassis("hv1"))[:2], "i"])
    assert read_from_agent(shorter, skipped) == wire.Register(3, wire.Chassis("hv1"), "i")
    assert not skipped.counts


def test_messages_of_unknown_kinds_are_none() -> None:
    skipped = Skipped()
    assert read_from_server(encode(["mirror", 1, {"a": []}]), skipped) is None
    assert read_from_agent(encode(["bfd-state", [1, 2]]), skipped) is None
    assert skipped.counts == {"messages mirror": 1, "messages bfd-state": 1}


def test_a_question_of_an_unknown_kind_is_known_by_its_number() -> None:
    data = encode(["ask", 12, ["weigh", "the switch"]])
    assert read_from_server(data, Skipped()) == UnknownQuestion(12, "weigh")
    known = wire.Ask(3, Compare(("d",)))
    assert read_from_server(wire.encode(known), Skipped()) == known


def test_an_answer_of_an_unknown_kind_says_so() -> None:
    answer = read_from_agent(encode(["answer", 12, ["weight", 7], ""]), Skipped())
    assert answer == wire.Answer(12, None, "this server doesn't know answers of the kind 'weight'")


NONSENSE = [b"", b"\xc1", b"\x90", b"\x91" * 100_000, encode([1, 2]), encode({"update": 1})]


@pytest.mark.parametrize(
    "data",
    [
        *NONSENSE,
        encode(["update", 4]),
        encode(["update", 4, 1, 9, 7, [["s", False, [[1]], []]]]),
        encode(["ask", "x", []]),
        encode(["ask", 1, 2]),
    ],
)
def test_what_is_no_message_for_an_agent_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_from_server(data, Skipped())


@pytest.mark.parametrize("data", [*NONSENSE, encode(["answer", 1]), encode(["answer", 1, 2])])
def test_what_is_no_message_for_a_server_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_from_agent(data, Skipped())


def test_a_known_message_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ProtocolError):
        read_from_agent(encode(["ack", "x"]), Skipped())


def test_what_is_counted_is_bounded() -> None:
    skipped = Skipped()
    for number in range(10 * MAX_KINDS):
        read_from_agent(encode([f"{number}\n" + "x" * 1000]), skipped)
    assert len(skipped.counts) == MAX_KINDS + 1
    assert sum(skipped.counts.values()) == 10 * MAX_KINDS
    assert all(len(name) < 100 and name.isprintable() for name in skipped.counts)
