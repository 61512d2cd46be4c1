"""Which logical flow an OpenFlow flow comes from."""

from pathlib import Path

import pytest
import yaml

from chassis_agent.desired.flow import FlowKey, is_clause
from chassis_agent.inspection.behind import Behind
from chassis_agent.inspection.detrace import origin
from logical_flow.template import LogicalFlow
from southbound.cookies import PHYSICAL_COOKIE, FlowReference
from southbound.rows import FlowGroup
from tests.golden.test_openflow import SCENARIOS
from tests.realised import Realised


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.name)
def test_every_flow_comes_from_logical_flows_of_its_table_and_priority(scenario: Path) -> None:
    network, hosts = (
        yaml.safe_load((scenario / name).read_text()) for name in ("network.yaml", "hosts.yaml")
    )
    state = Realised.of(network, hosts).state("hv1")
    behind = Behind(state)
    for flow in state:
        if flow.cookie & PHYSICAL_COOKIE:
            continue
        reference = FlowReference(flow.cookie, flow.table, flow.priority)

        def is_behind(group: FlowGroup, logical: LogicalFlow, key: FlowKey = flow.key) -> bool:
            return behind.is_behind(group, logical, key)

        found = origin(reference, state.rows, is_behind)
        candidates = origin(reference, state.rows)
        assert found is not None
        assert candidates is not None
        assert found.flows
        assert set(found.flows) <= set(candidates.flows)
        if len(found.flows) > 1:
            assert is_clause(flow.instructions), "only clauses are shared"
