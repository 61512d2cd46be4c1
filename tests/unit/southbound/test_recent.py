"""What the latest revisions changed."""

from southbound.recent import KEPT, RecentChanges


def test_revisions_that_were_written_as_one_changed_the_same() -> None:
    recent = RecentChanges()
    recent.note(0, 1, ["a"])
    recent.note(1, 4, ["b", "c"])
    assert recent.scopes(1) == {"a"}
    assert recent.scopes(2) == recent.scopes(4) == {"b", "c"}


def test_what_is_too_old_or_to_come_is_not_known() -> None:
    recent = RecentChanges()
    for revision in range(KEPT + 1):
        recent.note(revision, revision + 1, [str(revision)])
    assert recent.scopes(0) is recent.scopes(1) is recent.scopes(KEPT + 2) is None
    assert recent.scopes(2) == {"1"}
