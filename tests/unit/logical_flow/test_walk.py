"""The packet walk over two switches and a router between them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from diagnosis.trace.endings import ending
from logical_flow.connections import ConnectionTable, ScriptedConnections, State, Tracked
from logical_flow.errors import WalkError
from logical_flow.evaluate import Sets, read
from logical_flow.fields import field_slice
from logical_flow.flow_table import Entry, FlowTable, Layout
from logical_flow.packet import packet_from_match
from logical_flow.template import LogicalFlow, Pipeline, Stage, Template
from logical_flow.walk import MAX_DEPTH, walk, walk_from
from logical_flow.walk_network import Network


class Security(Stage, name="ls_in_security", default="drop"):
    """Ports that may send."""

    allowed = Template(50, "inport == {port:lport}", "next;")


class Acl(Stage, name="ls_in_acl"):
    """Tracks what is IP."""

    track = Template(100, "ip", "ct_next;")


class Verdict(Stage, name="ls_in_verdict"):
    """What follows from the connection's state."""

    blocked = Template(100, "ct.est && ct_mark.blocked", "drop;")
    commit = Template(50, "ct.new", "ct_commit { ct_mark.egress = 1; }; next;")
    loop = Template(
        200, "{match:expr}", "reject { outport = inport; flags.loopback = 1; output; };"
    )


class Spare(Stage, name="ls_in_spare"):
    """Without flows in these tests."""

    never = Template(1, "0", "next;")


class Lookup(Stage, name="ls_in_lookup", default="drop"):
    """Where to."""

    flood = Template(70, "eth.mcast", 'outport = "_MC_flood"; output;')
    known = Template(50, "eth.dst == {mac:mac}", "outport = {port:lport}; output;")
    answer = Template(
        90,
        "arp.op == 1 && arp.tpa == {ip:ip4}",
        "eth.dst = eth.src; eth.src = {mac:mac}; arp.op = 2; arp.tha = arp.sha; "
        "arp.sha = {mac:mac}; arp.tpa <-> arp.spa; outport = inport; "
        "flags.loopback = 1; output;",
    )
    learned = Template(10, "1", "outport = get_fdb(eth.dst); put_fdb(inport, eth.src); output;")
    jump = Template(99, "eth.dst == 00:00:00:00:00:77", "reg0[3] = lookup_fdb(inport, eth.src);")


class Deliver(Stage, name="ls_out_deliver", default="drop"):
    """Out of the port."""

    all = Template(0, "1", "output;")


class Route(Stage, name="lr_in_route", default="drop"):
    """Longest prefix first."""

    route = Template(
        100,
        "ip4.dst == {net:cidr4}",
        "ip.ttl--; reg0 = ip4.dst; outport = {port:lport}; next(lr_in_resolve);",
    )


class Skipped(Stage, name="lr_in_skipped"):
    """Jumped over."""

    mark = Template(1, "1", "reg9 = 1; next;")


class Resolve(Stage, name="lr_in_resolve"):
    """From address to MAC address."""

    resolve = Template(1, "ip4", "get_arp(outport, reg0); eth.src = {mac:mac}; next;")


class Ask(Stage, name="lr_in_ask", default="drop"):
    """Send it, or ask first."""

    ask = Template(
        100,
        "eth.dst == 00:00:00:00:00:00 && ip4",
        "arp { eth.dst = ff:ff:ff:ff:ff:ff; arp.tpa = reg0; output; };",
    )
    send = Template(50, "1", "output;")


class RouterDeliver(Stage, name="lr_out_deliver", default="drop"):
    """Out of the port."""

    all = Template(0, "1", "output;")


PIPELINES = [
    Pipeline(
        "ls_in",
        kind="ls",
        direction="ingress",
        stages=[Security, Acl, Verdict, Spare, Lookup],
    ),
    Pipeline("ls_out", kind="ls", direction="egress", stages=[Deliver]),
    Pipeline("lr_in", kind="lr", direction="ingress", stages=[Route, Skipped, Resolve, Ask]),
    Pipeline("lr_out", kind="lr", direction="egress", stages=[RouterDeliver]),
]
LAYOUT = Layout(template for pipeline in PIPELINES for template in pipeline.templates)


@dataclass
class Datapath:
    id: str
    kind: str
    name: str


@dataclass
class Port:
    name: str
    datapath: str
    joins_datapaths: bool = False
    peer: str = ""
    distributed_port: str = ""
    multicast: tuple[str, ...] = ("_MC_flood",)
    virtual_parents: tuple[str, ...] = ()
    virtual_parent: str = ""


def mac(last: int) -> bytes:
    return bytes([0, 0, 0, 0, 0, last])


NETS = {"r1": bytes([10, 0, 1, 0, 255, 255, 255, 0]), "r2": bytes([10, 0, 2, 0, 255, 255, 255, 0])}


def switch_flows(*hosts: tuple[str, int], router: tuple[str, int]) -> list[LogicalFlow]:
    flows = [Lookup.flood(), Deliver.all()]
    for port, last in (*hosts, router):
        flows += [Security.allowed(port=port), Lookup.known(mac=mac(last), port=port)]
    return flows


FLOWS = {
    "s1": switch_flows(("a", 1), ("b", 2), router=("s1-r", 0x11)),
    "s2": switch_flows(("c", 3), router=("s2-r", 0x12)),
    "r": [
        *(Route.route(net=net, port=port) for port, net in NETS.items()),
        Skipped.mark(),
        Resolve.resolve(mac=mac(0x12)),
        Ask.ask(),
        Ask.send(),
        RouterDeliver.all(),
    ],
}
PORTS = [
    Port("a", "s1"),
    Port("b", "s1"),
    Port("s1-r", "s1", True, "r1"),
    Port("r1", "r", True, "s1-r", ()),
    Port("r2", "r", True, "s2-r", ()),
    Port("s2-r", "s2", True, "r2"),
    Port("c", "s2"),
]
NEIGHBOURS = {("r2", "10.0.2.3"): "00:00:00:00:00:03"}


def network(
    *more: LogicalFlow, datapath: str = "s1", ports: Sequence[Port] = (), **options: object
) -> Network:
    flows = {**FLOWS, datapath: [*FLOWS[datapath], *more]}
    return Network(
        datapaths=[
            Datapath("s1", "ls", "left"),
            Datapath("s2", "ls", "right"),
            Datapath("r", "lr", "middle"),
        ],
        ports=[*PORTS, *ports],
        layout=LAYOUT,
        flows={
            name: FlowTable([Entry(flow, f"cause of {name}") for flow in found])
            for name, found in flows.items()
        },
        **{"neighbours": NEIGHBOURS, **options},  # type: ignore[arg-type]
    )


def delivered(net: Network, match: str) -> list[str]:
    return [delivery.port for delivery in walk(net, packet_from_match(match)).deliveries]


def reasons(net: Network, match: str) -> list[str]:
    return [drop.reason for drop in walk(net, packet_from_match(match)).drops]


FROM_A = 'inport == "a" && eth.src == 00:00:00:00:00:01'
A_TO_B = f"{FROM_A} && eth.dst == 00:00:00:00:00:02"
A_TO_C = f"{FROM_A} && eth.dst == 00:00:00:00:00:11 && ip4.src == 10.0.1.1 && ip4.dst == 10.0.2.3"


def test_a_known_address_leads_to_its_port_only() -> None:
    assert delivered(network(), A_TO_B) == ["b"]


def test_a_virtual_port_is_where_the_port_is_that_spoke_for_it() -> None:
    to_virtual = Lookup.known(mac=mac(9), port="v")
    virtual = Port("v", "s1", multicast=(), virtual_parents=("a", "b"))
    packet = f"{FROM_A} && eth.dst == 00:00:00:00:00:09"
    spoken = replace(virtual, virtual_parent="b")
    assert delivered(network(to_virtual, ports=[spoken]), packet) == ["b"]
    net = network(to_virtual, ports=[virtual])
    assert delivered(net, packet) == []
    assert reasons(net, packet) == ["no port has spoken for virtual port v"]
    spoken = replace(virtual, virtual_parent="a")
    assert reasons(network(to_virtual, ports=[spoken]), packet) == [
        "the packet would go back to where it came from"
    ]


def test_every_visit_names_its_flow_and_cause() -> None:
    found = walk(network(), packet_from_match(A_TO_B)).lines()
    assert found == [
        (
            'left table=0(ls_in_security), priority=50, match=(inport == "a"), action=(next;)'
            "  # cause of s1"
        ),
        (
            "left table=4(ls_in_lookup), priority=50, match=(eth.dst == 00:00:00:00:00:02), "
            'action=(outport = "b"; output;)  # cause of s1'
        ),
        '    outport: "" -> "b"',
        "  output to b",
        "  left table=0(ls_out_deliver), priority=0, match=(1), action=(output;)  # cause of s1",
        "  delivered to b",
    ]


def test_where_it_hangs_on_an_unknown_field_the_end_is_not_certain() -> None:
    packet = packet_from_match('inport == "a" && eth.dst == 00:00:00:00:00:02')
    (drop,) = walk(network(), {**packet, "eth.dst": None}).drops
    assert not drop.certain
    end = ending(walk(network(), {**packet, "eth.dst": None}), "a")
    assert (end.outcome, end.uncertain) == ("unknown", [drop])
    assert all(each.certain for each in walk(network(), {**packet, "eth.dst": 9}).drops)


def test_the_default_of_a_stage_decides_where_no_flow_fits() -> None:
    found = walk(network(), packet_from_match('inport == "a" && eth.dst == 00:00:00:00:00:99'))
    (drop,) = found.drops
    assert (drop.reason, drop.entry) == ("no flow fits", None)
    assert drop.place is not None
    assert drop.place.name == "ls_in_lookup"


def test_a_stage_without_flows_is_not_visited() -> None:
    stages = [v.place.name for v in walk(network(), packet_from_match(A_TO_B)).visits]
    assert stages == ["ls_in_security", "ls_in_lookup", "ls_out_deliver"]


def test_a_group_reaches_every_member_but_the_sender() -> None:
    broadcast = f"{FROM_A} && eth.dst == ff:ff:ff:ff:ff:ff"
    assert delivered(network(), broadcast) == ["b"]
    crossed = [str(event) for event in walk(network(), packet_from_match(broadcast)).events]
    assert "patch from s1-r to r1" in crossed


def test_a_packet_is_routed_to_the_other_switch() -> None:
    found = walk(network(), packet_from_match(A_TO_C))
    (delivery,) = found.deliveries
    assert delivery.port == "c"
    assert delivery.packet["ip.ttl"] == 63
    assert delivery.packet["eth.dst"] == 3
    assert delivery.packet["inport"] == "s2-r"


def test_jumping_passes_over_stages() -> None:
    stages = [v.place.name for v in walk(network(), packet_from_match(A_TO_C)).visits]
    assert "lr_in_resolve" in stages
    assert "lr_in_skipped" not in stages


def test_registers_do_not_survive_the_pipeline() -> None:
    (delivery,) = walk(network(), packet_from_match(A_TO_C)).deliveries
    assert "xxreg0" not in delivery.packet


def test_an_unknown_neighbour_is_asked_for() -> None:
    found = walk(network(neighbours={}), packet_from_match(A_TO_C))
    (made,) = found.made
    assert made.kind == "arp"
    (delivery,) = found.deliveries
    assert delivery.port == "c"
    assert delivery.packet["arp.tpa"] == 0x0A000203
    assert delivery.packet["arp.spa"] == 0x0A000101


def test_the_time_to_live_ends_a_packet() -> None:
    assert reasons(network(), f"{A_TO_C} && ip.ttl == 1") == ["the time to live is over"]


def test_an_answer_goes_back_where_the_question_came_from() -> None:
    net = network(Lookup.answer(ip=bytes([10, 0, 1, 254]), mac=mac(0x11)))
    question = (
        f"{FROM_A} && eth.dst == ff:ff:ff:ff:ff:ff && arp.op == 1 && arp.tpa == 10.0.1.254 "
        "&& arp.spa == 10.0.1.1 && arp.sha == 00:00:00:00:00:01"
    )
    (delivery,) = walk(net, packet_from_match(question)).deliveries
    assert delivery.port == "a"
    assert delivery.packet["arp.op"] == 2
    assert delivery.packet["arp.sha"] == 0x11
    assert (delivery.packet["arp.spa"], delivery.packet["arp.tpa"]) == (0x0A0001FE, 0x0A000101)


def test_a_packet_does_not_return_unasked() -> None:
    to_itself = f"{FROM_A} && eth.dst == 00:00:00:00:00:01"
    assert reasons(network(), to_itself) == ["the packet would go back to where it came from"]


def test_a_learned_port_is_found_and_learning_is_noted() -> None:
    net = network(Lookup.learned(), learned={("s1", "00:00:00:00:00:99"): "b"})
    found = walk(net, packet_from_match(f"{FROM_A} && eth.dst == 00:00:00:00:00:99"))
    assert [delivery.port for delivery in found.deliveries] == ["b"]
    assert [str(note) for note in found.noted] == ["put_fdb(a, 00:00:00:00:00:01)"]


def test_an_unlearned_address_goes_nowhere() -> None:
    net = network(Lookup.learned())
    assert reasons(net, f"{FROM_A} && eth.dst == 00:00:00:00:00:99") == [
        'there is no port or group ""'
    ]


def test_actions_that_lead_nowhere_drop() -> None:
    net = network(Lookup.jump(), learned={("s1", "00:00:00:00:00:01"): "a"})
    found = walk(net, packet_from_match(f"{FROM_A} && eth.dst == 00:00:00:00:00:77"))
    assert [drop.reason for drop in found.drops] == ["the flow says so"]
    (change,) = found.visits[-1].changes
    assert (change.name, change.after) == ("reg0", 8)


TCP_A_TO_B = (
    f"{A_TO_B} && ip4.src == 10.0.1.1 && ip4.dst == 10.0.1.2 && tcp.src == 9 && tcp.dst == 80"
)
TCP_B_TO_A = (
    'inport == "b" && eth.src == 00:00:00:00:00:02 && eth.dst == 00:00:00:00:00:01 '
    "&& ip4.src == 10.0.1.2 && ip4.dst == 10.0.1.1 && tcp.src == 80 && tcp.dst == 9"
)


def test_a_connection_is_committed_in_the_zone_of_its_port() -> None:
    found = walk(network(Acl.track(), Verdict.commit()), packet_from_match(TCP_A_TO_B))
    assert [str(note) for note in found.noted] == ["ct_commit(a, ct_mark=0x2)"]
    assert [delivery.port for delivery in found.deliveries] == ["b"]


def test_a_connection_is_committed_although_its_marks_are_not_known() -> None:
    connections = ScriptedConnections([Tracked(State.TRK | State.NEW, None, None)])
    net = network(Acl.track(), Verdict.commit(), connections=connections)
    found = walk(net, packet_from_match(TCP_A_TO_B))
    assert [str(note) for note in found.noted] == ["ct_commit(a, ct_mark=?)"]
    assert [delivery.port for delivery in found.deliveries] == ["b"]


def test_what_was_looked_up_is_forgotten_with_the_commit() -> None:
    """Open vSwitch goes on untracked behind an action that commits and doesn't look up."""
    found = walk(network(Acl.track(), Verdict.commit()), packet_from_match(TCP_A_TO_B))
    (visit,) = (each for each in found.visits if each.entry and "ct_commit" in str(each.entry.flow))
    assert read(visit.packet, field_slice("ct_state")) == State.TRK | State.NEW
    after = found.visits[found.visits.index(visit) + 1]
    assert read(after.packet, field_slice("ct_state")) == 0
    assert read(after.packet, field_slice("ct_mark")) == 0


def test_walks_see_each_others_connections() -> None:
    connections = ConnectionTable()
    net = network(Acl.track(), Verdict.commit(), Verdict.blocked(), connections=connections)
    walk(net, packet_from_match(TCP_A_TO_B))
    reply = packet_from_match(TCP_B_TO_A)
    assert connections.look_up("a", reply).state == State.TRK | State.EST | State.RPL
    assert walk(net, packet_from_match(TCP_A_TO_B)).noted == []


def test_a_prepared_state_decides() -> None:
    blocked = ScriptedConnections([Tracked(State.TRK | State.EST, mark=1)])
    net = network(Acl.track(), Verdict.blocked(), connections=blocked)
    assert reasons(net, TCP_A_TO_B) == ["the flow says so"]


def test_a_refusal_turns_everything_around() -> None:
    net = network(Verdict.loop(match="tcp.dst == 80"))
    (delivery,) = walk(net, packet_from_match(TCP_A_TO_B)).deliveries
    assert delivery.port == "a"
    packet = delivery.packet
    assert (packet["ip4.src"], packet["ip4.dst"]) == (0x0A000102, 0x0A000101)
    assert (packet["tcp.src"], packet["tcp.dst"], packet["tcp.flags"]) == (80, 9, 0x14)
    assert (packet["eth.src"], packet["eth.dst"]) == (2, 1)


def test_a_refusal_is_not_refused() -> None:
    net = network(Verdict.loop(match="tcp.dst == 80"))
    assert reasons(net, f"{TCP_A_TO_B} && tcp.flags == 4") == [
        "reject doesn't answer such a packet"
    ]


def test_what_is_not_known_is_denied() -> None:
    packet = packet_from_match(TCP_A_TO_B) | {"tcp.dst": None}
    net = network(Verdict.loop(match="tcp.dst == 80"))
    (drop,) = walk(net, packet).drops
    assert "not known" in drop.reason


def test_what_is_not_known_does_not_matter_where_nobody_asks() -> None:
    packet = packet_from_match(TCP_A_TO_B) | {"tcp.dst": None}
    assert [delivery.port for delivery in walk(network(), packet).deliveries] == ["b"]


def test_sets_are_asked_for_their_members() -> None:
    refusal = Verdict.loop(match="ip4.dst == $servers && inport == @clients")
    inside = network(refusal, sets=Sets({"$servers": ["10.0.1.0/24"], "@clients": ["a"]}))
    outside = network(refusal, sets=Sets({"$servers": ["10.0.1.0/24"], "@clients": ["b"]}))
    assert delivered(inside, TCP_A_TO_B) == ["a"]
    assert delivered(outside, TCP_A_TO_B) == ["b"]


def test_a_walk_may_start_in_the_middle() -> None:
    packet = packet_from_match(A_TO_B)
    found = walk_from(network(), packet, "s1", "ls_in", stage="ls_in_lookup")
    assert [v.place.name for v in found.visits] == ["ls_in_lookup", "ls_out_deliver"]
    with pytest.raises(WalkError, match="has no stage"):
        walk_from(network(), packet, "s1", "ls_in", stage="lr_in_route")


def test_there_is_no_entering_at_an_unknown_port() -> None:
    with pytest.raises(WalkError, match="no port 'z'"):
        walk(network(), packet_from_match('inport == "z"'))


def test_circles_end() -> None:
    class Circle(Stage, name="lr_in_circle", default="drop"):
        """Sends everything back."""

        back = Template(1, "1", "outport = inport; flags.loopback = 1; output;")

    class Out(Stage, name="lr_out_circle", default="drop"):
        """Out of the port."""

        all = Template(1, "1", "output;")

    there = Pipeline("lr_in", kind="lr", direction="ingress", stages=[Circle])
    out = Pipeline("lr_out", kind="lr", direction="egress", stages=[Out])
    table = FlowTable([Entry(Circle.back()), Entry(Out.all())])
    net = Network(
        datapaths=[Datapath("x", "lr", "x"), Datapath("y", "lr", "y")],
        ports=[Port("px", "x", True, "py", ()), Port("py", "y", True, "px", ())],
        layout=Layout([*there.templates, *out.templates]),
        flows={"x": table, "y": table},
    )
    found = walk(net, {"inport": "px"})
    assert found.drops[-1].reason == "the packet goes around in circles"
    assert found.drops[-1].depth == MAX_DEPTH
