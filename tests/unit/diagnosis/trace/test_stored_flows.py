"""Flows made ready when packets get to them, and layers over them, choose as all flows would."""

import random

import pytest

from diagnosis.trace.network import FlowTables
from diagnosis.trace.stored_flows import LayeredFlows, StoredEntry, StoredFlows
from logical_flow.errors import TemplateError
from logical_flow.evaluate import NO_SETS, Packet
from logical_flow.flow_table import FlowTable
from logical_flow.payload import decode_flows, encode_flows
from logical_flow.template import LogicalFlow, Pipeline, Priority, Stage, Template
from southbound.rows import FlowGroup


class First(Stage, name="stored_flows_first"):
    """Flows of several templates, some pinned by an argument."""

    port = Template(50, "inport == {port:lport}", "next;")
    pair = Template(60, "inport == {port:lport} && outport == {other:lport}", "drop;")
    network = Template(Priority(60, "plen"), "ip4.dst == {network:cidr4}", "next;")


class Second(Stage, name="stored_flows_second"):
    """A stage that only some groups have flows in."""

    anything = Template(10, "1", "drop;")


PIPELINE = Pipeline("stored_flows_test", kind="ls", direction="ingress", stages=[First, Second])
TEMPLATES = {template.id: template for template in PIPELINE.templates}
STAGES = (First.name, Second.name)
PORTS = ("a", "b", "c")


def some_flows(draw: random.Random) -> list[LogicalFlow]:
    byte = draw.randrange(3)
    pool = [
        First.port(port=draw.choice(PORTS)),
        First.pair(port=draw.choice(PORTS), other=draw.choice(PORTS)),
        First.network(plen=24, network=bytes([10, 0, byte, 0, 255, 255, 255, 0])),
        First.network(plen=8, network=bytes([10, 0, 0, 0, 255, 0, 0, 0])),
        Second.anything(),
    ]
    return draw.sample(pool, draw.randrange(1, 3))


def group(number: int, flows: list[LogicalFlow]) -> FlowGroup:
    return FlowGroup(number, "s", "acl", "a", 1, encode_flows(flows))


def some_groups(draw: random.Random, numbers: range) -> list[FlowGroup]:
    return [group(number, some_flows(draw)) for number in numbers]


def some_packet(draw: random.Random) -> Packet:
    return {
        "inport": draw.choice((*PORTS, "d", None)),
        "outport": draw.choice(PORTS),
        "eth.type": 0x800,
        "ip4.dst": 0x0A000000 | draw.randrange(4) << 8,
    }


def as_table(groups: list[FlowGroup]) -> FlowTable:
    """All flows of the groups, made at once."""
    return FlowTable(
        StoredEntry(flow, group=each)
        for each in groups
        for flow in decode_flows(each.payload, TEMPLATES)
    )


@pytest.mark.parametrize("seed", range(60))
def test_layers_choose_as_all_flows_would(seed: int) -> None:
    draw = random.Random(seed)
    below = some_groups(draw, range(6))
    hidden = draw.sample(below, draw.randrange(len(below) + 1))
    above = [group(each.id, some_flows(draw)) for each in hidden[::2]]
    above += some_groups(draw, range(-2, 0))
    there = [each for each in below if each not in hidden] + above
    expected = as_table(there)
    for flows in (
        StoredFlows(there, TEMPLATES),
        LayeredFlows(StoredFlows(below, TEMPLATES), hidden, above, TEMPLATES),
    ):
        for stage in STAGES:
            assert flows.has_flows(stage) == expected.has_flows(stage)
            for _ in range(20):
                packet = some_packet(draw)
                assert flows.choose(stage, packet, NO_SETS) == expected.choose(
                    stage, packet, NO_SETS
                )


def test_only_what_packets_get_to_is_made_ready() -> None:
    groups = [group(number, [First.port(port=f"p{number}")]) for number in range(100)]
    flows = StoredFlows([*groups, group(100, [Second.anything()])], TEMPLATES)
    assert not flows._sorted
    choice = flows.choose(First.name, {"inport": "p7"}, NO_SETS)
    assert choice.entry is not None
    assert choice.entry.flow == First.port(port="p7")
    assert list(flows._sorted) == [First.port.id]
    assert len(flows._made) == 1


def test_a_changed_group_is_a_layer_until_there_are_many() -> None:
    tables = FlowTables()
    groups = [group(number, [First.port(port=f"p{number}")]) for number in range(1000)]
    kept = tables.flows("s", groups, TEMPLATES)
    assert tables.flows("s", list(groups), TEMPLATES) is kept
    changed = [group(0, [First.port(port="new")]), *groups[2:], group(1000, [Second.anything()])]
    layered = tables.flows("s", changed, TEMPLATES)
    assert isinstance(layered, LayeredFlows)
    found = {
        port: layered.choose(First.name, {"inport": port}, NO_SETS).entry is not None
        for port in ("p0", "p1", "p2", "new")
    }
    assert found == {"p0": False, "p1": False, "p2": True, "new": True}
    assert layered.has_flows(Second.name)
    assert tables.flows("s", groups, TEMPLATES) is kept, "a proposal leaves what is kept alone"
    assert isinstance(tables.flows("s", groups[500:], TEMPLATES), StoredFlows)


def test_flows_of_unknown_templates_are_refused() -> None:
    with pytest.raises(TemplateError):
        StoredFlows([group(1, [First.port(port="a")])], {})
