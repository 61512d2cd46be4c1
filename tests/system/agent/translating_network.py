"""A network whose test-made pipelines translate addresses, on switches and on a router.

::

    client 10.0.1.11 ─┐                           ┌─ server  10.0.2.21
                      s1 ── gw-1 [ gw ] gw-2 ── s2
    other  10.0.1.12 ─┘                           └─ backend 10.0.2.22

* What gw sends out of gw-2 from s1's hosts has gw's address there as its source.
* gw translates 10.0.1.100 to the backend, port 8080.
* s1 translates 10.0.1.200 to the backend in the zone of the sender's port, and marks the
  connection in that zone afterwards.

After each of these the connection's state shows in the packets: the low byte of ``ct_state``
becomes that of an Ethernet address.
"""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network

from chassis_agent.compile import ConjunctionIds
from chassis_agent.desired.flow_state import FlowState
from chassis_agent.inputs import LocalPort, ThisChassis, WatchedRows, Zone, dnat_zone, snat_zone
from logical_flow.flow_table import Entry, FlowTable, Layout
from logical_flow.payload import encode_flows
from logical_flow.template import LogicalFlow, Pipeline, Stage, Template
from logical_flow.walk_network import Network
from southbound import rows

CLIENT, OTHER, SERVER, BACKEND = "10.0.1.11", "10.0.1.12", "10.0.2.21", "10.0.2.22"
OUTSIDE, ROUTER_VIP, SWITCH_VIP = "10.0.2.1", "10.0.1.100", "10.0.1.200"
HOSTS = {"client": CLIENT, "other": OTHER, "server": SERVER, "backend": BACKEND}

_SHOW = "eth.src[0..7] = ct_state[0..7];"
_SHOW_EARLIER = "eth.dst[0..7] = ct_state[0..7];"


class LsInTranslate(Stage, name="ls_in_translate"):
    """Translates in the zone of the port that a packet came from."""

    to_backend = Template(100, "ip4.dst == {vip:ip4}", "ct_dnat({to:ip4}, {port:int});")
    as_known = Template(50, "inport == {port:lport} && ip4", "ct_next;")


class LsInMark(Stage, name="ls_in_mark"):
    """Marks what was translated, by a packet that no longer has the connection's addresses."""

    mark = Template(100, "ct.dnat", "ct_commit { ct_mark = 7; }; reg0[0] = 1; next;")


class LsInAgain(Stage, name="ls_in_again"):
    """Looks up what was translated here; committing made it untracked."""

    again = Template(100, "reg0[0] == 1 && ip", "ct_next;")


class LsInLookup(Stage, name="ls_in_lookup", default="drop"):
    """Goes by the IP address; shows what was looked up."""

    marked = Template(
        200,
        "ct_mark == 7 && ip4.dst == {net:cidr4}",
        f"eth.dst[8..15] = ct_mark[0..7]; {_SHOW_EARLIER} outport = {{port:lport}}; output;",
    )
    by_address = Template(100, "ip4.dst == {net:cidr4}", "outport = {port:lport}; output;")
    by_host = Template(150, "ip4.dst == {ip:ip4}", "outport = {port:lport}; output;")


class LsOutBack(Stage, name="ls_out_back"):
    """Translates replies back in the zone of the port that they go to."""

    back = Template(100, "outport == {port:lport} && ip4", "ct_dnat;")


class LsOutDeliver(Stage, name="ls_out_deliver", default="drop"):
    """Out of the port."""

    show = Template(100, "ct.trk", f"{_SHOW} output;")
    plain = Template(50, "1", "output;")


class LrInBack(Stage, name="lr_in_back"):
    """Translates what comes to the router's own address back."""

    back = Template(100, "ip4.dst == {ip:ip4}", "ct_snat;")


class LrInTranslate(Stage, name="lr_in_translate"):
    """Translates virtual addresses, and replies from what they stand for."""

    to_backend = Template(100, "ip4.dst == {vip:ip4}", "ct_dnat({to:ip4}, {port:int});")
    from_backend = Template(50, "ip4.src == {from_:ip4}", "ct_dnat;")


class LrInRoute(Stage, name="lr_in_route", default="drop"):
    """Goes by the IP address; shows what was looked up."""

    tracked = Template(
        200,
        "ct.trk && ip4.dst == {net:cidr4}",
        f"{_SHOW_EARLIER} outport = {{port:lport}}; output;",
    )
    plain = Template(100, "ip4.dst == {net:cidr4}", "outport = {port:lport}; output;")


class LrOutTranslate(Stage, name="lr_out_translate"):
    """Gives what leaves the router's own address."""

    own = Template(100, "outport == {port:lport} && ip4.src == {net:cidr4}", "ct_snat({ip:ip4});")


class LrOutDeliver(Stage, name="lr_out_deliver", default="drop"):
    """Out of the port."""

    show = Template(100, "ct.trk", f"{_SHOW} output;")
    plain = Template(50, "1", "output;")


PIPELINES = (
    Pipeline(
        "ls_in",
        kind="ls",
        direction="ingress",
        stages=[LsInTranslate, LsInMark, LsInAgain, LsInLookup],
    ),
    Pipeline("ls_out", kind="ls", direction="egress", stages=[LsOutBack, LsOutDeliver]),
    Pipeline("lr_in", kind="lr", direction="ingress", stages=[LrInBack, LrInTranslate, LrInRoute]),
    Pipeline("lr_out", kind="lr", direction="egress", stages=[LrOutTranslate, LrOutDeliver]),
)


def address(text: str) -> bytes:
    return IPv4Address(text).packed


def network_of(text: str) -> bytes:
    network = IPv4Network(text)
    return network.network_address.packed + network.netmask.packed


NET1, NET2 = network_of("10.0.1.0/24"), network_of("10.0.2.0/24")


FLOWS: Mapping[str, list[LogicalFlow]] = {
    "s1": [
        LsInTranslate.to_backend(vip=address(SWITCH_VIP), to=address(BACKEND), port=9090),
        LsInMark.mark(),
        LsInAgain.again(),
        LsInLookup.marked(net=NET2, port="s1-gw"),
        LsInLookup.by_address(net=NET2, port="s1-gw"),
        LsInLookup.by_host(ip=address(ROUTER_VIP), port="s1-gw"),
        LsInLookup.by_host(ip=address(CLIENT), port="client"),
        LsInLookup.by_host(ip=address(OTHER), port="other"),
        LsOutBack.back(port="client"),
        LsOutBack.back(port="other"),
        LsOutDeliver.show(),
        LsOutDeliver.plain(),
    ],
    "s2": [
        LsInLookup.by_host(ip=address(SERVER), port="server"),
        LsInLookup.by_host(ip=address(BACKEND), port="backend"),
        LsInLookup.by_host(ip=address(OUTSIDE), port="s2-gw"),
        LsInLookup.by_address(net=NET1, port="s2-gw"),
        LsOutDeliver.show(),
        LsOutDeliver.plain(),
    ],
    "gw": [
        LrInBack.back(ip=address(OUTSIDE)),
        LrInTranslate.to_backend(vip=address(ROUTER_VIP), to=address(BACKEND), port=8080),
        LrInTranslate.from_backend(from_=address(BACKEND)),
        LrInRoute.tracked(net=NET1, port="gw-1"),
        LrInRoute.tracked(net=NET2, port="gw-2"),
        LrInRoute.plain(net=NET1, port="gw-1"),
        LrInRoute.plain(net=NET2, port="gw-2"),
        LrOutTranslate.own(port="gw-2", net=NET1, ip=address(OUTSIDE)),
        LrOutDeliver.show(),
        LrOutDeliver.plain(),
    ],
}

DATAPATHS = [
    rows.Datapath("s1", "ls", "s1", 1),
    rows.Datapath("s2", "ls", "s2", 2),
    rows.Datapath("gw", "lr", "gw", 3),
]


def _port(number: int, name: str, datapath: str, peer: str = "") -> rows.PortBinding:
    return rows.PortBinding(
        id=f"id-{name}",
        datapath=datapath,
        name=name,
        tunnel_key=number,
        type="patch" if peer else "vif",
        peer=peer,
        chassis="" if peer else "hv1",
    )


PORTS = [
    _port(1, "client", "s1"),
    _port(2, "other", "s1"),
    _port(3, "s1-gw", "s1", "gw-1"),
    _port(1, "gw-1", "gw", "s1-gw"),
    _port(2, "gw-2", "gw", "s2-gw"),
    _port(3, "s2-gw", "s2", "gw-2"),
    _port(1, "server", "s2"),
    _port(2, "backend", "s2"),
]


class TranslatingHost:
    """The network on one hypervisor, in the form that `PacketLab` takes."""

    hosts: Mapping[str, list[str]] = {"hv1": list(HOSTS)}

    def ofport(self, port: str) -> int:
        return 11 + self.hosts["hv1"].index(port)

    def state(self, chassis: str) -> FlowState:
        """What the agent computes."""
        state = FlowState(ConjunctionIds().allocate)
        zones = [*HOSTS, dnat_zone("gw"), snat_zone("gw")]
        state.apply(
            [
                *WatchedRows(rows.ROW_TYPES).changes(list(self._rows()), []),
                (ThisChassis, "", ThisChassis(chassis, 1)),
                *((LocalPort, port, LocalPort(self.ofport(port))) for port in HOSTS),
                *((Zone, name, Zone(101 + number)) for number, name in enumerate(zones)),
            ]
        )
        assert not state.failures, state.failures
        return state

    @staticmethod
    def _rows() -> Iterator[rows.Row]:
        for pipeline in PIPELINES:
            for template in pipeline.templates:
                yield rows.Template(*template.as_text())
        yield from DATAPATHS
        yield from PORTS
        for number, (datapath, flows) in enumerate(FLOWS.items(), 1):
            yield rows.FlowGroup(number, datapath, "test", "x", 1, encode_flows(flows))


def network() -> Network:
    """Return what walks go through, with no connections yet."""
    return Network(
        datapaths=DATAPATHS,
        ports=PORTS,
        layout=Layout(template for pipeline in PIPELINES for template in pipeline.templates),
        flows={name: FlowTable(map(Entry, flows)) for name, flows in FLOWS.items()},
    )
