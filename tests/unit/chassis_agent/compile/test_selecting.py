"""Groups that choose one of several numbers: what they hold, and what they are known by."""

from collections.abc import Sequence
from typing import NamedTuple

from chassis_agent.compile import StageBook, compile_template
from chassis_agent.compile.encoders.hashing import encoded_hash_fields
from chassis_agent.openflow.messages import Bucket
from logical_flow.action import encode_members
from logical_flow.action.selection import Member
from southbound import rows
from tests.unit.chassis_agent.compile.surroundings import surroundings

CHOICE = rows.Template(
    *(7, "lr_in", "lr_in_choice", 0, "drop", "100", "ip4.dst == {to:ip4}"),
    "reg0[0..15] = select({ways:weights}, hash_fields={by:bytes});",
    "",
)
NEXT = rows.Template(8, "lr_in", "lr_in_next", 1, "drop", "1", "1", "next;", "")


class Asked(NamedTuple):
    """What is asked for a group; the number is 1 for the first description, 2 for the second."""

    description: bytes
    numbers: tuple[int, ...]
    fields: bytes


def groups(*flows: tuple[bytes, Sequence[int], bytes]) -> list[Asked]:
    """The groups that flows with these arguments ask for."""
    asked: list[Asked] = []

    def select_group(description: bytes, buckets: Sequence[Bucket], fields: bytes) -> int:
        asked.append(Asked(description, tuple(bucket.bucket_id for bucket in buckets), fields))
        return len(asked)

    context = surroundings(StageBook.of([CHOICE, NEXT]), kind="lr")
    context.select_group = select_group
    compiled = compile_template(CHOICE)
    for to, ways, by in flows:
        compiled.pack((to, encode_members([Member(way) for way in ways]), by), context, 1)
    return asked


def test_a_group_is_known_by_its_flow_and_neither_by_members_nor_by_fields() -> None:
    first, members, fields, other = groups(
        (b"\x0a\0\0\1", [3, 7], b"ip_src"),
        (b"\x0a\0\0\1", [3, 7, 9], b"ip_src"),
        (b"\x0a\0\0\1", [3, 7], b"ip_dst,tp_src"),
        (b"\x0a\0\0\2", [3, 7], b"ip_src"),
    )
    assert first.description == members.description == fields.description != other.description
    assert (first.numbers, members.numbers) == ((3, 7), (3, 7, 9))
    assert first.fields == encoded_hash_fields(["ip_src"])
    assert fields.fields == encoded_hash_fields(["tp_src", "ip_dst"])
