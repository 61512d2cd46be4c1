"""Changes that were committed a moment ago are at hand, without gaps, and bounded."""

from northbound.database import Database
from northbound.loading import changes_since
from northbound.recent import RecentCommits
from northbound.services import LOGICAL_SWITCH_PORTS, LOGICAL_SWITCHES
from northbound.transaction import RowChange


def change(number: int) -> RowChange:
    return RowChange("logical_switch", str(number), None, {"id": str(number)})


def test_what_came_after_a_revision_comes_in_order() -> None:
    recent = RecentCommits()
    for number in (4, 5, 6):
        recent.add(number, [change(number)])
    assert [each.revision for each in recent.after(3)] == [4, 5, 6]
    assert [each.revision for each in recent.after(3, until=5)] == [4, 5]
    assert [each.revision for each in recent.after(5)] == [6]
    assert recent.after(3) == [], "what was passed is gone"


def test_a_gap_ends_what_is_known() -> None:
    recent = RecentCommits()
    for number in (4, 6, 5):
        recent.add(number, [change(number)])
    assert [each.revision for each in recent.after(3)] == [4]
    assert recent.after(4) == []
    assert [each.revision for each in recent.after(5)] == [6]


def test_what_is_kept_is_bounded() -> None:
    recent = RecentCommits(most_changes=10)
    recent.add(1, [change(n) for n in range(6)])
    recent.add(2, [change(n) for n in range(6)])
    assert recent.after(0) == []
    assert [each.revision for each in recent.after(1)] == [2]
    recent.add(3, [change(n) for n in range(11)])
    assert recent.after(2) == []


def test_the_same_is_at_hand_as_in_the_log(database: Database) -> None:
    with database.write(author="test") as tx:
        LOGICAL_SWITCHES.create(tx, {"name": "web", "subnet4": "10.0.0.0/24"})
        LOGICAL_SWITCH_PORTS.create(
            tx, {"name": "p", "logical_switch": "web", "addresses": ["dynamic"]}
        )
    with database.write(author="test") as tx:
        LOGICAL_SWITCH_PORTS.update(tx, "p", {"labels": {"a": "b"}})
    with database.write(author="test") as tx:
        LOGICAL_SWITCH_PORTS.delete(tx, "p")
    with database.connect() as connection:
        logged = list(changes_since(connection, 0))
    assert database.recent.after(0) == logged
    assert len(logged) == 3
