"""Flows that go by BFD sessions, as they are while these are up or down."""

from diagnosis.trace.living_flows import LivingFlows
from diagnosis.trace.stored_flows import StoredFlows
from logical_flow.action.selection import Member, decode_watched, encode_watched
from logical_flow.evaluate import Sets
from logical_flow.flow_table import Placed
from logical_flow.payload import encode_flows
from logical_flow.roles import Role
from logical_flow.template import Alive, Pipeline, Stage, Template
from southbound.rows import FlowGroup

ONE, TWO = (f"00000000-0000-0000-0000-00000000000{n}" for n in (1, 2))


class LrInWay(Stage, name="lr_in_way", role=Role.ROUTING):
    """Ways of packets."""

    single = Template(2, "ip4", "next;", Alive("members"))
    several = Template(1, "ip4", "reg8[16..31] = select({members:watched});", Alive("members"))


WAYS = Pipeline("lr_in", kind="lr", direction="ingress", stages=[LrInWay])
TEMPLATES = {template.id: template for template in WAYS.templates}


def flows(*alive: str) -> LivingFlows:
    one = LrInWay.single(members=encode_watched([Member(1, session=ONE)]))
    several = LrInWay.several(
        members=encode_watched([Member(1, session=ONE), Member(2, session=TWO)])
    )
    group = FlowGroup(1, "r", "static_route", "x", 1, encode_flows([one, several]))
    return LivingFlows(StoredFlows([group], TEMPLATES), alive)


def candidates(found: LivingFlows) -> list[Placed]:
    return sorted(found.candidates("lr_in_way", {}), key=lambda placed: placed.entry.priority)


def test_a_flow_is_there_while_a_member_is_alive() -> None:
    assert candidates(flows()) == []
    assert [placed.entry.priority for placed in candidates(flows(TWO))] == [1]
    assert [placed.entry.priority for placed in candidates(flows(ONE, TWO))] == [1, 2]


def test_members_that_are_dead_take_no_packets() -> None:
    (several,) = candidates(flows(TWO))
    members = decode_watched(several.entry.flow.named_args["members"])
    assert [member.number for member in members] == [2]


def test_what_would_have_taken_a_packet_is_found() -> None:
    packet = {"eth.type": 0x800}
    dead = flows().dead("lr_in_way", packet, Sets({}))
    assert dead is not None
    assert dead.priority == 2
    assert flows(ONE, TWO).dead("lr_in_way", packet, Sets({})) is None
    assert flows().dead("lr_in_way", {"eth.type": 0x86DD}, Sets({})) is None
