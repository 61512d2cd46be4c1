"""Every action can be told to a switch, and read back from the switch's bytes."""

import pytest

from chassis_agent.compile.encoders import ENCODERS, encode_actions
from chassis_agent.compile.splice import Splice
from chassis_agent.show.actions import format_actions
from logical_flow.action import ACTIONS, Action
from tests.unit.chassis_agent.compile.test_compile import NAMES, around
from tests.unit.logical_flow.action_samples import samples


def test_every_action_has_an_encoder() -> None:
    assert set(ENCODERS) == set(ACTIONS)


@pytest.mark.parametrize("action", samples(), ids=str)
def test_what_is_encoded_can_be_shown(action: Action) -> None:
    encoded = Splice(encode_actions([action], "ls_in", "ls_in_routing", {})).fill((), around())
    assert "action(" not in format_actions(encoded, NAMES, 5)
