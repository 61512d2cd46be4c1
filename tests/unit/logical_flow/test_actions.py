"""Every action has all its parts: text that parses again, a name, an effect in the walk."""

from typing import NamedTuple

import pytest

from logical_flow.action import ACTIONS, format_actions
from logical_flow.action_parser import parse_actions
from logical_flow.flow_table import Entry, FlowTable, Layout
from logical_flow.packet import packet_from_match
from logical_flow.template import Template, TemplateText
from logical_flow.vocabulary import ACTION_NAMES, action_names
from logical_flow.walk import walk_from
from logical_flow.walk_network import Network
from tests.unit.logical_flow.action_samples import TEXTS, concrete_actions, samples


class Datapath(NamedTuple):
    id: str
    kind: str
    name: str


DATAPATH = Datapath("web", "ls", "web")


def placed(actions: str) -> Template:
    """Return a template that any packet may meet, whatever the action asks of it."""
    text = TemplateText(1, "ls_in", "ls_in_first", 0, "drop", "1", "1", actions, "")
    return Template.from_text(text)


def test_every_class_of_actions_is_listed_and_has_a_sample() -> None:
    assert concrete_actions() == {kind.__qualname__ for kind in ACTIONS}
    assert set(ACTIONS) == {type(sample) for sample in samples()}


def test_every_name_belongs_to_a_sample() -> None:
    assert action_names(tuple(samples())) == ACTION_NAMES


@pytest.mark.parametrize("text", TEXTS)
def test_text_parses_to_the_action_that_has_it(text: str) -> None:
    assert format_actions(parse_actions(text)) == text


@pytest.mark.parametrize("text", TEXTS)
def test_every_action_takes_part_in_walks(text: str) -> None:
    flow = placed(text)()
    network = Network(
        datapaths=[DATAPATH],
        ports=[],
        layout=Layout([flow.template]),
        flows={DATAPATH.id: FlowTable([Entry(flow)])},
    )
    (action, *_) = flow.actions
    suitable = packet_from_match(" && ".join(action.prerequisites) or "ip4")
    walked = walk_from(network, {**suitable, "inport": "a"}, DATAPATH.id, "ls_in")
    assert walked.visits[0].entry is not None
    assert walked.drops or walked.deliveries or walked.noted


def test_names_of_nested_actions_count() -> None:
    assert action_names(parse_actions("ct_commit { ct_mark = reg0; };")) == {"ct_commit", "="}
