"""Live checks by agents that the test plays: what is told of each way to differ, or not to say."""

from typing import Any

import pytest

from southbound.errors import NoAnswerInTimeError, NotConnectedError, TooOldError
from southbound.questions import (
    Compare,
    Comparison,
    Difference,
    Output,
    Question,
    Result,
    Step,
    Traced,
    TracePort,
    TraceTunnel,
)
from southbound.rows import Chassis, FlowGroup
from tests.unit.api.conftest import Server
from tests.unit.api.demo import apply_demo, trace

PACKET = "tcp web-1 -> db-1:5432"
PLACES = {"web-1": "hv1", "db-1": "hv2"}
WANTED = "table=ls_in_l2_lkup priority=50 datapath=data actions=resubmit(output)"


class Played:
    """Switches that do what they should; a test changes their answers."""

    def __init__(self) -> None:
        self.comparison: dict[str, Comparison] = {}
        self.traced = {
            "hv1": Traced((), (Output(chassis="hv2"),), False),
            "hv2": Traced((), (Output(port="db-1"),), False),
        }
        self.asked: list[tuple[str, Question]] = []
        self.silent: dict[str, Exception] = {}

    def __call__(self, chassis: str, question: Question) -> Result:
        self.asked.append((chassis, question))
        if chassis in self.silent:
            raise self.silent[chassis]
        if isinstance(question, Compare):
            return self.comparison.get(chassis, Comparison(1, True, ()))
        return self.traced[chassis]


@pytest.fixture
async def demo(server: Server) -> Server:
    await apply_demo(server)
    facts = server.realised.facts
    for port, chassis in PLACES.items():
        facts.connected(Chassis(chassis, chassis))
        facts.claim(chassis, port)
        facts.set_up(chassis, port, True)
    return server


@pytest.fixture
def agents(demo: Server) -> Played:
    demo.agents.answer = played = Played()
    return played


async def live(server: Server, packet: str = PACKET, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await trace(server, packet, live=True, **more))["live"]
    return found


def of_chassis(found: dict[str, Any], name: str) -> dict[str, Any]:
    chassis: dict[str, Any] = next(each for each in found["chassis"] if each["chassis"] == name)
    return chassis


def group_of(server: Server, kind: str) -> FlowGroup:
    groups = server.realised.rows(FlowGroup).values()
    return next(group for group in groups if group.cause_kind == kind)


async def test_nobody_is_asked_who_need_not_be(demo: Server, agents: Played) -> None:
    assert (await trace(demo, PACKET))["live"] is None
    assert agents.asked == []


async def test_switches_that_do_as_they_should(demo: Server, agents: Played) -> None:
    found = await live(demo)
    assert found["agrees"] is True
    assert found["text"] == (
        "hv1 and hv2: the switches have the flows that are wanted, and do what the walk does"
    )
    kinds = [(chassis, type(question)) for chassis, question in agents.asked]
    assert sorted(kinds, key=str) == [
        ("hv1", Compare),
        ("hv1", TracePort),
        ("hv2", Compare),
        ("hv2", TraceTunnel),
    ]
    (leg,) = of_chassis(found, "hv1")["legs"]
    assert leg["text"] == "a packet from port web-1 goes to chassis hv2, as the walk says"


async def test_a_missing_flow_is_told_with_its_object_and_author(
    demo: Server, agents: Played
) -> None:
    group = group_of(demo, "acl")
    difference = Difference(
        "missing",
        "ls_out_acl_eval_0",
        "data",
        WANTED,
        "",
        group.id,
        ("table=4(ls_out_acl_eval_0), …",),
        group.cause_kind,
        group.cause_id,
    )
    agents.comparison["hv2"] = Comparison(1, True, (difference,), 3)
    found = await live(demo)
    hv2 = of_chassis(found, "hv2")
    assert (found["agrees"], hv2["agrees"], of_chassis(found, "hv1")["agrees"]) == (
        False,
        False,
        True,
    )
    (told,) = hv2["differences"]
    text = "in ls_out_acl_eval_0 of data the switch lacks table=4(ls_out_acl_eval_0), …, of ACL"
    assert told["text"].startswith(text)
    assert told["text"].endswith("last changed by local in revision 1")
    assert told["cause"]["kind"] == "acl"
    assert told["cookie"] == hex(group.id)
    assert hv2["more_differences"] == 3
    assert "hv2: in ls_out_acl_eval_0" in found["text"]


@pytest.mark.parametrize(
    ("difference", "text"),
    [
        (
            Difference("extra", "output", "", "", "table=output actions=drop", 7),
            "in output the switch has a flow that nobody wants: table=output actions=drop",
        ),
        (
            Difference("altered", "output", "web", "one", "two", 1 << 63, place="the way to x"),
            "in output of web the switch has altered one, of the way to x: it has two",
        ),
    ],
)
async def test_differences_in_words(
    demo: Server, agents: Played, difference: Difference, text: str
) -> None:
    agents.comparison["hv1"] = Comparison(1, True, (difference,))
    (told,) = of_chassis(await live(demo), "hv1")["differences"]
    assert told["text"] == text


async def test_a_packet_that_ends_early_is_told_with_the_flow_it_met(
    demo: Server, agents: Played
) -> None:
    foreign = Step("ls_out_acl_eval_0", 9, "udp", 0)
    agents.traced["hv2"] = Traced((Step("output", 50, "reg15=0x1", 1 << 63), foreign), (), False)
    found = await live(demo)
    (leg,) = of_chassis(found, "hv2")["legs"]
    assert leg["agrees"] is False
    assert leg["text"] == (
        "a packet through the tunnel from hv1 goes nowhere, where the walk says that it goes to "
        "port db-1; in ls_out_acl_eval_0 it meets a flow that no logical flow stands for: "
        "priority=9 udp cookie=0x0"
    )
    assert leg["steps"][1] == {
        "table": "ls_out_acl_eval_0",
        "priority": 9,
        "match": "udp",
        "cookie": "0x0",
    }


async def test_a_flow_of_another_object_is_told_with_that(demo: Server, agents: Played) -> None:
    step = Step("lr_in_ip_routing", 9, "ip", group_of(demo, "acl").id)
    agents.traced["hv1"] = Traced((step,), (), False)
    (leg,) = of_chassis(await live(demo), "hv1")["legs"]
    assert "it meets a flow of ACL" in leg["text"]


async def test_where_no_flow_fits_is_told(demo: Server, agents: Played) -> None:
    agents.traced["hv1"] = Traced((Step("ls_in_l2_lkup", -1, "", 0),), (), False)
    (leg,) = of_chassis(await live(demo), "hv1")["legs"]
    assert leg["text"].endswith("; no flow of ls_in_l2_lkup fits it")
    assert leg["steps"][0]["priority"] is None


async def test_an_interface_that_is_no_port_is_no_port(demo: Server, agents: Played) -> None:
    agents.traced["hv1"] = Traced((), (Output(chassis="hv2"), Output(interface="9")), False)
    (leg,) = of_chassis(await live(demo), "hv1")["legs"]
    assert (leg["agrees"], leg["found"]["ports"]) == (False, ["interface 9"])


async def test_what_the_agent_has_to_do_first_is_not_known(demo: Server, agents: Played) -> None:
    """A router's next hop that the switch has not learned yet: that is not its fault."""
    agents.traced["hv1"] = Traced((), (), True)
    found = await live(demo)
    (leg,) = of_chassis(found, "hv1")["legs"]
    assert (leg["agrees"], found["agrees"]) == (None, None)
    assert leg["text"].startswith("a packet from port web-1 goes to the agent first")


@pytest.mark.parametrize(
    "reason",
    [
        NotConnectedError("its agent is not connected"),
        TooOldError("its protocol is 1"),
        NoAnswerInTimeError("its agent has not answered within 15 s"),
    ],
)
async def test_who_does_not_answer_keeps_nobody_from_being_asked(
    demo: Server, agents: Played, reason: Exception
) -> None:
    agents.silent["hv2"] = reason
    found = await live(demo)
    assert found["agrees"] is None
    assert of_chassis(found, "hv1")["agrees"] is True
    assert of_chassis(found, "hv2")["problem"] == str(reason)
    assert found["text"] == f"hv2: it can't be asked: {reason}"


async def test_a_switch_on_its_way_is_not_blamed(demo: Server, agents: Played) -> None:
    difference = Difference("extra", "output", "", "", "old", 7)
    agents.comparison["hv1"] = Comparison(1, False, (difference,))
    found = await live(demo)
    assert found["agrees"] is None
    assert "hv1: it is not in sync with revision 1 yet" in found["text"]


async def test_both_kinds_of_connection_are_asked_about(demo: Server, agents: Played) -> None:
    await live(demo, connection="both")
    kinds = {q.connection for _, q in agents.asked if isinstance(q, TracePort)}
    assert kinds == {"new", "established"}


async def test_blocked_connections_are_asked_about_as_such(demo: Server, agents: Played) -> None:
    await live(demo, connection="both", blocked=True)
    asked = {
        (q.connection, q.blocked) for _, q in agents.asked if isinstance(q, TracePort | TraceTunnel)
    }
    assert asked == {("new", False), ("established", True)}
    assert {type(q) for _, q in agents.asked} == {Compare, TracePort, TraceTunnel}


async def test_no_switch_can_be_asked_about_a_proposal(demo: Server) -> None:
    request = {"packet": PACKET, "live": True, "with": {"operations": []}}
    response = await demo.client.post("/v1/trace", json=request)
    assert response.status_code == 422
    (fault,) = response.json()["errors"]
    assert fault["pointer"] == "#/live"
    assert "the change in with is not made" in fault["reason"]


async def test_an_explanation_asks_about_all_its_packets(demo: Server, agents: Played) -> None:
    question = {"source": "web-1", "destination": "db-1", "service": "tcp/5432", "live": True}
    response = await demo.client.post("/v1/reachability", json=question)
    assert response.status_code == 200, response.text
    sources = [q.inport for _, q in agents.asked if isinstance(q, TracePort)]
    assert set(sources) == {"web-1", "db-1"}, "requests and replies"
    assert {chassis for chassis, q in agents.asked if isinstance(q, Compare)} == {"hv1", "hv2"}
    assert len([q for _, q in agents.asked if isinstance(q, Compare)]) == 2


async def test_copies_that_were_not_followed_leave_it_open(demo: Server, agents: Played) -> None:
    agents.traced["hv1"] = Traced((), (), False, unknown="2 parts were not followed")
    found = of_chassis(await live(demo), "hv1")
    assert found["agrees"] is None
    assert "is not known as a whole: 2 parts were not followed; it goes nowhere" in found["text"]


async def test_what_is_dropped_at_a_limit_is_told(demo: Server, agents: Played) -> None:
    agents.traced["hv1"] = Traced((), (), False, failure="Too many resubmits")
    found = of_chassis(await live(demo), "hv1")
    assert found["agrees"] is False
    assert "Open vSwitch drops copies at a limit (Too many resubmits)" in found["text"]
