"""A stage that a newer release inserts into a pipeline changes what is of that stage alone."""

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from logical_flow.template import Stage, Template, TemplateText
from northbound.database import Database
from southbound.rows import FlowGroup, Row, RowId
from southbound.state import RealisedState
from tests.unit.translator.test_runner import declare
from translator.pipeline import LS_IN, PIPELINES
from translator.runner import Translator

INSERTED_AT = 3


class LsInWeighing(Stage, name="ls_in_weighing"):
    """What a newer release has between two stages of today."""

    heavy = Template(50, "ip4", "next;")


def with_inserted_stage() -> list[Any]:
    """The pipelines with one stage more, as the translator reads them."""
    stages = [*LS_IN.stages[:INSERTED_AT], LsInWeighing, *LS_IN.stages[INSERTED_AT:]]
    places = {stage.name: place for place, stage in enumerate(stages)}
    heavy = TemplateText(
        7, "ls_in", LsInWeighing.name, INSERTED_AT, "next", "50", "ip4", "next;", ""
    )
    moved = [
        template.as_text()._replace(table_number=places[template.stage])
        for template in LS_IN.templates
    ]
    templates = [SimpleNamespace(as_text=lambda text=text: text) for text in (*moved, heavy)]
    newer = SimpleNamespace(name="ls_in", stages=stages, templates=templates)
    return [newer, *(pipeline for pipeline in PIPELINES if pipeline is not LS_IN)]


def changes(before: dict[RowId, Row], after: dict[RowId, Row]) -> Counter[str]:
    """How many rows of each table are not as before."""
    return Counter(
        row_id[0]
        for row_id in before.keys() | after.keys()
        if before.get(row_id) != after.get(row_id)
    )


async def test_no_flow_group_changes_when_a_stage_is_inserted(
    translator: Translator,
    state: RealisedState,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await asyncio.to_thread(declare, database)
    await translator.catch_up()
    groups = dict(state.rows(FlowGroup))
    before: dict[RowId, Row] = {row.row_id: row for row in state.in_scope("global")}
    assert groups

    monkeypatch.setattr("translator.realise.PIPELINES", with_inserted_stage())
    restarted = Translator(database, state)
    await restarted.start()

    assert state.rows(FlowGroup) == groups
    after: dict[RowId, Row] = {row.row_id: row for row in state.in_scope("global")}
    behind = LS_IN.stages[INSERTED_AT:]
    assert changes(before, after) == {
        "stage": 1 + len(behind),
        "template": 1 + sum(len(stage.templates) for stage in behind),
    }, "they carry their places"


def test_an_id_says_nothing_of_a_place() -> None:
    ids = {template.id for template in LS_IN.templates}
    assert len(ids) == len(LS_IN.templates)
    text = LS_IN.templates[-1].as_text()
    assert Template.from_text(text._replace(table_number=0)).id == text.id


def test_stages_that_keep_packets_out_let_none_in_where_a_flow_is_missing() -> None:
    """Elsewhere what a flow of theirs is for goes on, unless packets without a flow don't."""
    failing = {stage.name: stage.failure for pipeline in PIPELINES for stage in pipeline.stages}
    assert {name for name, failure in failing.items() if failure == "next"} == {
        "ls_in_lookup_fdb",
        "ls_in_put_fdb",
        "ls_in_dhcp_options",
        "ls_in_lb",
        "ls_in_hairpin",
        "ls_in_hairpin_snat",
        "ls_in_hairpin_out",
        "ls_in_virtual_parent",
        "ls_in_arp_rsp",
        "ls_in_backend_answer",
        "ls_in_dns_lookup",
        "lr_in_lookup_neighbor",
        "lr_in_learn_neighbor",
        "lr_in_ecmp_lookup",
        "lr_in_ecmp_stateful",
        "lr_in_nd_ra",
        "lr_in_bfd",
        "lr_out_bfd",
        "lr_in_chk_pkt_len",
        "lr_in_larger_pkts",
        "lr_in_too_big",
        "lr_in_ip_input",
        "lr_in_again",
    }
