"""The feed: differences are what changed, and say so when they can't tell any more."""

from southbound.feed import Feed
from southbound.rows import Datapath, PortBinding, SetMember, datapath_scope, port_scope

SET = "set:$web"


def member(name: str) -> SetMember:
    return SetMember("$web", name)


def test_a_change_is_seen_from_before_it_and_not_from_after_it() -> None:
    feed = Feed()
    assert feed.change([member("a")]) == {SET}
    assert feed.change([member("b")]) == {SET}
    since_start, since_first = feed.since(SET, 0), feed.since(SET, 1)
    assert since_start is not None
    assert since_start.puts == (member("a"), member("b"))
    assert since_first is not None
    assert since_first.puts == (member("b"),)
    assert feed.since(SET, 2) == (0, 0, (), ())


def test_putting_what_is_there_moves_nothing() -> None:
    feed = Feed()
    feed.change([member("a")])
    assert not feed.change([member("a")], [("set_member", "$web/absent")])
    assert feed.position == 1


def test_a_row_is_told_once_as_it_is_now() -> None:
    feed = Feed()
    for key in (1, 2, 3):
        feed.change([Datapath("d", "ls", "web", key)])
    difference = feed.since(datapath_scope("d"), 0)
    assert difference is not None
    assert difference.puts == (Datapath("d", "ls", "web", 3),)


def test_deleted_rows_are_told_as_deleted() -> None:
    feed = Feed()
    feed.change([member("a")])
    feed.change([], [member("a").row_id])
    difference = feed.since(SET, 1)
    assert difference is not None
    assert difference.deletes == (("set_member", "$web/a"),)
    assert feed.snapshot(SET) == []


def test_a_row_deleted_and_put_in_one_change_is_put() -> None:
    feed = Feed()
    feed.change([member("a")])
    feed.change([member("a")], [member("a").row_id])
    difference = feed.since(SET, 1)
    assert difference is not None
    assert (difference.puts, difference.deletes) == ((member("a"),), ())


def test_a_row_that_moves_leaves_its_old_scope() -> None:
    feed = Feed()
    old = PortBinding("p", "d1", "web-1", 1, "vif")
    new = PortBinding("p", "d2", "web-1", 1, "vif")
    feed.change([old])
    assert feed.change([new]) == {"datapath:d1", "datapath:d2", "port:web-1", "port:p"}
    left = feed.since(datapath_scope("d1"), 1)
    assert left is not None
    assert left.deletes == (new.row_id,)
    assert feed.snapshot(datapath_scope("d2")) == feed.snapshot(port_scope("web-1")) == [new]


def test_tombstones_are_bounded_and_older_readers_are_told_to_start_over() -> None:
    feed = Feed(tombstones=2)
    feed.change([member(name) for name in "abc"])
    for name in "abc":
        feed.change([], [member(name).row_id])
    assert feed.since(SET, 1) is None
    difference = feed.since(SET, feed.horizon)
    assert difference is not None
    assert {key for _, key in difference.deletes} == {"$web/b", "$web/c"}


def test_dropping_a_tombstone_does_not_drop_what_came_back() -> None:
    feed = Feed(tombstones=0)
    feed.change([member("a")])
    feed.change([member("b")], [member("a").row_id])
    feed.change([member("a")])
    assert set(feed.snapshot(SET)) == {member("a"), member("b")}


def test_a_scope_of_which_nothing_is_left_is_forgotten() -> None:
    feed = Feed(tombstones=0)
    feed.change([member("a")])
    feed.change([], [member("a").row_id])
    assert feed.last_change(SET) == 0
    assert feed.snapshot(SET) == []
