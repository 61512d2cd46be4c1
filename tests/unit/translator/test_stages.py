"""What the stages of the pipelines declare of themselves."""

from itertools import chain

import pytest

from logical_flow.roles import KEEPING_OUT, OF_ACLS, Role, role_of_name
from logical_flow.template import Stage
from translator.pipeline import PIPELINES

STAGES = tuple(chain.from_iterable(pipeline.stages for pipeline in PIPELINES))


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_every_stage_declares_its_role_and_its_templates_know_it(stage: type[Stage]) -> None:
    assert stage.role is not Role.OTHER
    assert {template.role for template in stage.templates} == {stage.role}


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_agents_recognise_closed_stages_of_servers_that_tell_no_roles(stage: type[Stage]) -> None:
    """Those of admission drop what no flow takes, which says as much."""
    known = stage.role in OF_ACLS or stage.role is Role.PORT_SECURITY
    expected = stage.role if known else Role.OTHER
    assert known or stage.role not in KEEPING_OUT or stage.default == "drop"
    assert role_of_name(stage.name) is expected
