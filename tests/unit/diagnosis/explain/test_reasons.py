"""No way for a packet to end is without a reason: each stage and template is asked about."""

from collections.abc import Iterator

import pytest

from diagnosis.explain.checks import ObstacleKind
from diagnosis.explain.reasons import FACTS
from logical_flow.action import (
    Balance,
    CtNat,
    CtNext,
    DhcpReply,
    Generate,
    Next,
    Output,
    PacketKind,
    Select,
)
from logical_flow.action.naming import DnsLookup
from logical_flow.because import EndKind, Fact
from logical_flow.roles import Role
from logical_flow.template import Stage, Template
from translator.pipeline import PIPELINES

GOES_ON = Next | Output | CtNext | CtNat | Balance | Select | DhcpReply | DnsLookup
NO_REFUSALS = {
    PacketKind.WHOLE_ERROR,
    PacketKind.REQUOTE_SOURCE,
    PacketKind.REQUOTE_DESTINATION,
    PacketKind.ARP,
    PacketKind.ND_NS,
    PacketKind.ND_NA,
    PacketKind.ND_NA_ROUTER,
    PacketKind.ND_RA,
}
"""What asks for addresses, or tells them, or goes on as the packet that it was."""


def ends_the_packet(template: Template) -> bool:
    """Whether a packet goes no further, and nothing but a refusal is sent instead."""
    made = {action.kind for action in template.actions if isinstance(action, Generate)}
    goes_on = any(isinstance(action, GOES_ON) for action in template.actions)
    return bool(made - NO_REFUSALS) or not (goes_on or made)


def every_template() -> Iterator[tuple[type[Stage], str, Template]]:
    for pipeline in PIPELINES:
        for stage in pipeline.stages:
            for template in stage.templates:
                yield stage, template.name, template


ENDS = [each for each in every_template() if ends_the_packet(each[2])]


def test_all_templates_are_looked_at() -> None:
    declared = {template.id for pipeline in PIPELINES for template in pipeline.templates}
    assert {template.id for _, _, template in every_template()} == declared


@pytest.mark.parametrize(
    ("stage", "template"), [pytest.param(s, t, id=f"{s.name}.{name}") for s, name, t in ENDS]
)
def test_where_a_flow_ends_the_packet(stage: type[Stage], template: Template) -> None:
    assert stage.role is Role.ACL_VERDICT or template.because is not None


@pytest.mark.parametrize(
    "stage",
    [stage for pipeline in PIPELINES for stage in pipeline.stages if stage.default == "drop"],
    ids=lambda stage: stage.name,
)
def test_where_no_flow_fits(stage: type[Stage]) -> None:
    assert stage.because is not None


def test_reasons_are_for_what_ends_packets_only() -> None:
    ends = {template.id for _, _, template in ENDS}
    for _, name, template in every_template():
        assert template.because is None or template.id in ends, name
    for pipeline in PIPELINES:
        for stage in pipeline.stages:
            assert stage.because is None or stage.default == "drop"


def test_what_reasons_declare_can_be_told() -> None:
    assert set(FACTS) == set(Fact)
    assert {kind.value for kind in EndKind} <= {kind.value for kind in ObstacleKind}
