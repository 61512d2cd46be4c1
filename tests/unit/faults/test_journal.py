"""The journal of the fault harness tells losses and half-done requests from what may be."""

from tests.faults.journal import Journal, Value


def verify(journal: Journal, **found: Value) -> list[str]:
    return journal.verify(found.get)


def test_an_acknowledged_write_that_is_lost_is_told() -> None:
    journal = Journal()
    journal.acknowledge(journal.begin({"a": "1"}))
    assert verify(journal, a="1") == []
    assert verify(journal) == ["a has None, acknowledged was '1'"]


def test_an_acknowledged_removal_that_did_not_happen_is_told() -> None:
    journal = Journal()
    journal.acknowledge(journal.begin({"a": "1"}))
    journal.acknowledge(journal.begin({"a": None}))
    assert verify(journal, a="1") == ["a has '1', acknowledged was None"]


def test_a_refused_write_has_written_nothing() -> None:
    journal = Journal()
    journal.acknowledge(journal.begin({"a": "1"}))
    journal.refuse(journal.begin({"a": "2"}))
    assert verify(journal, a="2") == ["a has '2', acknowledged was '1'"]


def test_an_unanswered_write_may_have_happened_or_not() -> None:
    for outcome in ("1", "2"):
        journal = Journal()
        journal.acknowledge(journal.begin({"a": "1"}))
        journal.begin({"a": "2"})
        journal.leave_open()
        assert journal.known("a") == []
        assert verify(journal, a=outcome) == []
        # Once seen it is known, and must stay.
        assert journal.known("a") == ["a"]
        other = {"1": "2", "2": "1"}[outcome]
        assert len(verify(journal, a=other)) == 1


def test_an_unanswered_write_of_several_objects_happened_wholly_or_not_at_all() -> None:
    for has, problems in (({}, 0), ({"a": "1", "b": "1"}, 0), ({"a": "1"}, 1)):
        journal = Journal()
        journal.begin({"a": "1", "b": "1"})
        journal.leave_open()
        assert len(journal.verify(has.get)) == problems
