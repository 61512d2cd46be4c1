"""Incremental equals full: any edits of a small network, in any batches.

The edits know no referential integrity: a port may come before its switch and stay
after it, an ACL's port group may be gone. Whatever order a batch has, the translation
must be that of the rows that are there in the end. Addresses are written in several
ways, and a row may be deleted and created again in one batch.
"""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incremental import Engine
from southbound.groups import GroupIds, ProposedGroupIds
from southbound.rows import FlowGroup, Row, RowId
from tests.property.translator.universe import BATCHES, Edit
from translator.graph import translation
from translator.intent import key_of, row_of
from translator.realise import all_rows, diff_rows, realise, stage_rows, template_rows

PIPELINE_ROWS = {row.row_id for row in (*stage_rows(), *template_rows())}


def changes(batch: list[Edit]) -> list[tuple[Any, Any, Any]]:
    return [
        (*key_of(edit.table, edit.image), None) if edit.deletes else row_of(edit.table, edit.image)
        for edit in batch
    ]


def intent(engine: Engine, groups: GroupIds) -> list[Row]:
    return [row for row in all_rows(engine, groups, 0) if row.row_id not in PIPELINE_ROWS]


@pytest.mark.timeout(900)
@settings(max_examples=2000, deadline=None)
@given(BATCHES)
def test_incremental_equals_full(batches: list[list[Edit]]) -> None:
    engine, groups = Engine(translation()), GroupIds()
    stored: dict[RowId, Row] = {}
    for number, batch in enumerate(batches):
        written = realise(engine.apply(changes(batch)), groups, number)
        assert written.deletes <= stored.keys(), "only what is there is deleted"
        stored = {key: row for key, row in stored.items() if key not in written.deletes}
        stored.update(written.puts)
        assert not list(diff_rows(stored.values(), intent(engine, groups)))
    assert engine.differences() == []


@settings(max_examples=300, deadline=None)
@given(BATCHES)
def test_what_would_be_is_what_comes_and_nothing_is_left_of_it(batches: list[list[Edit]]) -> None:
    """Each batch is asked about before it is made; new groups have numbers of their own."""
    engine, groups = Engine(translation()), GroupIds()
    for batch in batches:
        before = (intent(engine, groups), dict(engine.failures), groups.next_id)
        expected = realise(engine.what_if(changes(batch)), ProposedGroupIds(groups), 0)
        assert not list(diff_rows(before[0], intent(engine, groups)))
        assert before[1:] == (engine.failures, groups.next_id)
        written = realise(engine.apply(changes(batch)), groups, 0)
        assert contents(expected.puts) == contents(written.puts)
        assert expected.deletes == written.deletes
    assert engine.differences() == []


def contents(puts: dict[RowId, Row]) -> list[str]:
    """The rows without the numbers of flow groups."""
    return sorted(
        repr(msgspec.structs.replace(row, id=0) if isinstance(row, FlowGroup) else row)
        for row in puts.values()
    )


@settings(max_examples=200, deadline=None)
@given(BATCHES, st.randoms(use_true_random=False))
def test_the_order_of_edits_does_not_matter(batches: list[list[Edit]], random: Any) -> None:
    """The same rows, put in another order and cut into other batches."""
    engine, groups = Engine(translation()), GroupIds()
    for batch in batches:
        engine.apply(changes(batch))
    rows = [
        (node.source, key, row)
        for node in engine.graph
        if node.kind == "table"
        for key, row in engine.rows(node.source).items()
    ]
    random.shuffle(rows)
    other = Engine(translation())
    for row in rows:
        other.apply([row])
    assert not list(diff_rows(intent(other, groups), intent(engine, groups)))


@settings(max_examples=200, deadline=None)
@given(BATCHES, st.randoms(use_true_random=False))
def test_taking_everything_down_leaves_nothing(batches: list[list[Edit]], random: Any) -> None:
    engine = Engine(translation())
    for batch in batches:
        engine.apply(changes(batch))
    rows = [
        (node.source, key)
        for node in engine.graph
        if node.kind == "table"
        for key in engine.rows(node.source)
    ]
    random.shuffle(rows)
    for source, key in rows:
        engine.apply([(source, key, None)])
    assert not engine.failures
    for node in engine.graph:
        assert not engine.rows(node.source), node.name
