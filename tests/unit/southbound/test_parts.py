"""Encoded parts: shared between readers that are due the same, and only between those."""

import pytest

from southbound import wire
from southbound.feed import Feed
from southbound.rows import SetMember
from southbound.watch.parts import PartCache

SET = "set:$web"


@pytest.fixture
def feed() -> Feed:
    feed = Feed()
    for name in "abc":
        feed.change([SetMember("$web", name)])
    return feed


def members(data: bytes | None) -> set[str]:
    assert data is not None
    message = wire.decode_from_server(b"".join(wire.frame(1, 0, 1, 1, [data])))
    assert isinstance(message, wire.Update)
    return {row.member for row in message.parts[0].puts if isinstance(row, SetMember)}


def test_readers_at_different_places_get_different_parts(feed: Feed) -> None:
    parts = PartCache(feed)
    assert members(parts.difference(SET, 1)) == {"b", "c"}
    assert members(parts.difference(SET, 2)) == {"c"}
    assert members(parts.difference(SET, 3)) == set()
    assert members(parts.full(SET)) == {"a", "b", "c"}
    assert parts.encoded == 4


def test_readers_between_which_nothing_changed_share_a_part(feed: Feed) -> None:
    feed.change([SetMember("$other", "x")])
    feed.change([SetMember("$web", "d")])
    parts = PartCache(feed)
    assert parts.difference(SET, 3) is parts.difference(SET, 4)
    assert parts.encoded == 1


def test_a_snapshot_is_encoded_again_after_a_change_only(feed: Feed) -> None:
    parts = PartCache(feed)
    first = parts.full(SET)
    feed.change([SetMember("$other", "x")])
    assert parts.full(SET) is first
    feed.change([], [("set_member", "$web/a")])
    assert members(parts.full(SET)) == {"b", "c"}


def test_the_least_recently_used_goes_when_there_is_too_much(feed: Feed) -> None:
    parts = PartCache(feed, max_bytes=len(PartCache(feed).full(SET)) + 1)
    parts.full(SET)
    parts.difference(SET, 1)
    parts.full(SET)
    assert parts.encoded == 3


def test_a_snapshot_does_not_come_back_when_the_tombstone_after_it_is_dropped() -> None:
    feed = Feed(tombstones=0)
    parts = PartCache(feed)
    a, b = SetMember("$web", "a"), SetMember("$web", "b")
    feed.change([a, b])
    assert members(parts.full(SET)) == {"a", "b"}
    feed.change([], [b.row_id])
    assert members(parts.full(SET)) == {"a"}
