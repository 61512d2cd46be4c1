"""Which sets the arguments of flows name, as reach finds them in payloads."""

import msgspec
import pytest

from southbound.reach import sets_named

ID = "0c9cb5f0-5f0c-4c0c-9a55-8d2f3a4c7f10"


@pytest.mark.parametrize(
    ("argument", "names"),
    [
        ("$web", {"$web"}),
        ("@pg_1.a", {"@pg_1.a"}),
        (f"@{ID}", {f"@{ID}"}),
        (f"${ID}_ip4", {f"${ID}_ip4"}),
        ("$8th-floor/web", {"$8th-floor/web"}),
        ("ip4.src == $db || inport == @web", {"$db", "@web"}),
        ('inport == "@web" && ip4.dst == $.a', {"$.a"}),
        (["$a", ["@b", 5]], {"$a", "@b"}),
        ("10 $", set()),
        (b"$web", set()),
    ],
)
def test_sets_are_found_in_text_alone(argument: object, names: set[str]) -> None:
    payload = msgspec.msgpack.encode([[0x24404061, argument, 36], [7, b"@pg"]])
    assert sets_named(payload) == names


def test_a_payload_that_cannot_be_read_names_no_sets() -> None:
    assert sets_named(b"\xc1$web") == frozenset()
