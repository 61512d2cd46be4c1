"""ACLs of one priority: the model says what every switch does, or that it is not defined.

A switch follows any of the flows of the highest priority that a packet fits. So where the
walk names one, all of them do the same; where they don't, the walk has to say so.
"""

from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from chassis_agent.compile import CompiledTemplate, StageBook
from chassis_agent.openflow.oxm import terms_of
from incremental import RecordedFacts
from logical_flow.evaluate import NO_SETS, Packet
from logical_flow.flow_table import Entry, FlowTable
from logical_flow.fragments import as_switch_sees
from logical_flow.template import LogicalFlow, Template
from tests.unit.chassis_agent.compile.surroundings import surroundings
from translator.features.acl.flows import acl_flows
from translator.features.acl.stages import LS_OUT_ACL_EVAL
from translator.inputs import Acl
from translator.pipeline import PIPELINES

STAGE = LS_OUT_ACL_EVAL[0].name
MATCHES = [
    "ip4",
    "ip",
    "tcp",
    "tcp.dst == 22",
    "tcp.dst != 22",
    "udp.dst == {22, 80}",
    "ip4.src == 10.0.0.1",
    "ip4.src == 10.0.0.0/8 && tcp",
    "ip4.src == 10.0.0.1 || tcp.dst == 80",
]
ACTIONS = ["allow", "allow-related", "allow-stateless", "drop", "reject", "pass"]
PACKETS: list[Packet] = [
    {"eth.type": family, source: address, "ip.proto": proto, f"{name}.dst": port, "ip.frag": frag}
    for family, source in ((0x800, "ip4.src"), (0x86DD, "ip6.src"))
    for address in (0x0A000001, 0x0B000001)
    for proto, name in ((6, "tcp"), (17, "udp"))
    for port in (22, 80)
    for frag in (0, 1, 3)
] + [{"eth.type": 0x806}]
FIELDS = {
    "eth_type": "eth.type",
    "ip_proto": "ip.proto",
    "ip_src": "ip4.src",
    "tcp_dst": "tcp.dst",
    "udp_dst": "udp.dst",
    "ip_frag": "ip.frag",
}
CONTEXT = surroundings(
    StageBook.of([template for pipeline in PIPELINES for template in pipeline.templates])
)

acls = st.builds(
    lambda priority, match, action, label: (priority, match, action, label),
    st.integers(0, 2),
    st.sampled_from(MATCHES),
    st.sampled_from(ACTIONS),
    st.sampled_from([0, 0, 7]),
)


def flows_of(number: int, acl: tuple[int, str, str, int]) -> tuple[LogicalFlow, ...]:
    priority, match, action, label = acl
    name = str(number)
    row = Acl(
        *(name, "s", "", "to-lport", 0, priority, match, action, name, False, ""),
        label if action == "allow-related" else 0,
    )
    made = acl_flows(RecordedFacts({Acl: {name: row}}), ("s", name))
    assert made is not None
    return made.flows


@cache
def compiled(template: Template) -> CompiledTemplate:
    return CompiledTemplate(template)


def followed(flows: list[LogicalFlow], packet: Packet) -> tuple[int, set[bytes]] | None:
    """Priority and instructions of the switch's flows that may be followed."""
    fitting = [
        (flow.priority, flow.instructions)
        for template, args in flows
        for flow in compiled(template).pack(args, CONTEXT, 1)
        if _fits(flow.match, packet)
    ]
    if not fitting:
        return None
    highest = max(priority for priority, _ in fitting)
    return highest, {instructions for priority, instructions in fitting if priority == highest}


def _fits(match: bytes, packet: Packet) -> bool:
    for field, value, mask, _ in terms_of(match):
        if field.name == "metadata":
            continue
        known = packet.get(FIELDS[field.name], 0)
        assert isinstance(known, int)
        if known & (field.full_mask if mask is None else mask) != value:
            return False
    return True


@given(st.lists(acls, min_size=1, max_size=5).flatmap(st.permutations))
def test_the_model_says_what_switches_do(listed: list[tuple[int, str, str, int]]) -> None:
    flows = [flow for n, acl in enumerate(listed) for flow in flows_of(n, acl)]
    table = FlowTable(map(Entry, flows))
    for whole in PACKETS:
        packet = as_switch_sees(whole)
        choice = table.choose(STAGE, packet, NO_SETS)
        really = followed(flows, packet)
        if really is None:
            assert choice.entry is None
            continue
        priority, instructions = really
        assert choice.entry is not None
        assert choice.certain
        assert choice.entry.priority == priority
        assert bool(choice.rivals) == (len(instructions) > 1)
        template, args = choice.entry.flow
        assert compiled(template).pack(args, CONTEXT, 1)[0].instructions in instructions


@given(st.lists(acls, min_size=2, max_size=5))
def test_the_order_in_which_acls_came_about_does_not_matter(
    listed: list[tuple[int, str, str, int]],
) -> None:
    flows = [flow for n, acl in enumerate(listed) for flow in flows_of(n, acl)]
    for whole in PACKETS:
        packet = as_switch_sees(whole)
        courses = []
        for order in (flows, flows[::-1]):
            choice = FlowTable(map(Entry, order)).choose(STAGE, packet, NO_SETS)
            followable = () if choice.entry is None else (choice.entry, *choice.rivals)
            courses.append({entry.course for entry in followable})
        assert courses[0] == courses[1]
