"""A switch with four ports on two hypervisors, with pipelines of its own that are short."""

from collections.abc import Iterator

from chassis_agent.inputs import Change, LocalPort, ThisChassis, Zone
from logical_flow.payload import encode_flows
from logical_flow.template import LogicalFlow, Pipeline, Stage, Template
from southbound import rows


class Admission(Stage, name="ls_in_admission", default="drop"):
    """Who may send at all."""

    known = Template(50, "inport == {port:lport} && eth.src == {mac:mac}", "next;")


class Acl(Stage, name="ls_in_acl"):
    """What is refused."""

    refuse = Template(100, "ip4 && ip4.src == {who:set}", "drop;")
    refuse_from = Template(90, "inport == {who:set} && ip4 && ip4.dst == {to:set}", "drop;")
    free = Template(80, "{match:expr}", "drop;")
    balance = Template(70, "ip4 && ip4.dst == {vip:ip4}", "ct_lb({backends:backends});")


class Lookup(Stage, name="ls_in_lookup", default="drop"):
    """Where packets go."""

    multicast = Template(70, "eth.mcast", 'outport = "_MC_flood"; output;')
    unicast = Template(50, "eth.dst == {mac:mac}", "outport = {port:lport}; output;")


class Queueing(Stage, name="ls_out_queueing"):
    """How much of it may leave."""

    limit = Template(
        50, "outport == {port:lport}", "set_queue({port:lport}, {rate:int}, {burst:int}); next;"
    )
    tagged = Template(
        60,
        "outport == {port:lport} && reg0 == {tag:int}",
        "set_queue({port:lport}, {rate:int}); next;",
    )


class Delivery(Stage, name="ls_out_delivery", default="drop"):
    """What reaches a port."""

    deliver = Template(50, "outport == {port:lport}", "output;")


LS_IN = Pipeline("ls_in", kind="ls", direction="ingress", stages=[Admission, Acl, Lookup])
LS_OUT = Pipeline("ls_out", kind="ls", direction="egress", stages=[Queueing, Delivery])

MACS = {f"p{n}": bytes([10, 0, 0, 0, 0, n]) for n in range(1, 5)}


def templates() -> Iterator[rows.Template]:
    for pipeline in (LS_IN, LS_OUT):
        for template in pipeline.templates:
            yield rows.Template(*template.as_text())


def group(number: int, datapath: str, *flows: LogicalFlow) -> rows.FlowGroup:
    return rows.FlowGroup(number, datapath, "port", "x", 1, encode_flows(flows))


def port(name: str, key: int, chassis: str = "", datapath: str = "ls") -> rows.PortBinding:
    return rows.PortBinding(
        id=f"id-{name}",
        datapath=datapath,
        name=name,
        tunnel_key=key,
        type="vif",
        multicast=("_MC_flood",),
        chassis=chassis,
    )


def port_group(number: int, name: str) -> rows.FlowGroup:
    mac = MACS[name]
    return group(
        number,
        "ls",
        Admission.known(port=name, mac=mac),
        Lookup.unicast(mac=mac, port=name),
        Delivery.deliver(port=name),
    )


def chassis(name: str, ip: str) -> rows.Chassis:
    return rows.Chassis(name, encaps=(rows.Encap("geneve", ip),))


NETWORK: list[rows.Row] = [
    *templates(),
    rows.Datapath("ls", "ls", "ls", 1),
    group(1, "ls", Lookup.multicast()),
    *(port(f"p{n}", n, "hv1" if n < 3 else "hv2") for n in range(1, 5)),
    *(port_group(10 + n, f"p{n}") for n in range(1, 5)),
    chassis("hv1", "192.0.2.1"),
    chassis("hv2", "192.0.2.2"),
]

HOST: list[Change] = [
    (ThisChassis, "", ThisChassis("hv1", 9)),
    (LocalPort, "p1", LocalPort(101)),
    (LocalPort, "p2", LocalPort(102)),
    (Zone, "p1", Zone(1)),
    (Zone, "p2", Zone(2)),
]
