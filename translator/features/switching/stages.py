"""The stages that choose an output port by Ethernet addresses, and learn where these are."""

from logical_flow.roles import Role
from logical_flow.template import Local, Stage, Template
from translator.features.load_balancing.stages import ERROR4, ERROR6
from translator.features.reasons import DISABLED
from translator.features.switching.reasons import UNKNOWN_DESTINATION

_ROUTED = "inport == {router:lport} && eth.dst == {mac:mac} && "
_BY_CHARGE = "flags.in_charge = 1; outport = {port:lport}; output;"


class LsInLookupFdb(Stage, name="ls_in_lookup_fdb", role=Role.LEARNING):
    """Whether the source MAC address has to be learned, on ports where that is done.

    These are the ports that take unknown destinations and have no port security.
    """

    lookup = Template(
        100, "inport == {port:lport}", "reg0[11] = lookup_fdb(inport, eth.src); next;"
    )


class LsInPutFdb(Stage, name="ls_in_put_fdb", role=Role.LEARNING):
    """Learns the source MAC address if it wasn't known."""

    learn = Template(
        100, "inport == {port:lport} && reg0[11] == 0", "put_fdb(inport, eth.src); next;"
    )


class LsInL2Lookup(
    Stage, name="ls_in_l2_lkup", default="drop", role=Role.FORWARDING, because=UNKNOWN_DESTINATION
):
    """Where the Ethernet destination chooses the logical output port.

    What routers ask of neighbours, or announce, concerns no other router: those are
    known to each other. But addresses that a router translates to others are not its own. Floating
    IPs that are translated where their ports are get to the router there.

    What a distributed router sends to an external port may be a reply to a virtual address, which
    is the client's again where his connection is: on the chassis in charge of the port.
    """

    external_arp = Template(
        80, "eth.mcast && arp.op == 1 && arp.tpa == {ip:ip4}", "outport = {port:lport}; output;"
    )
    external_nd = Template(
        80,
        "nd_ns && ip6.dst == {group:ip6} && nd.target == {ip:ip6}",
        "outport = {port:lport}; output;",
    )
    external_arp_here = Template(
        80,
        "eth.mcast && arp.op == 1 && arp.tpa == {ip:ip4}",
        "flags.here = 1; outport = {port:lport}; output;",
        Local("logical_port"),
    )
    external_nd_here = Template(
        80,
        "nd_ns && ip6.dst == {group:ip6} && nd.target == {ip:ip6}",
        "flags.here = 1; outport = {port:lport}; output;",
        Local("logical_port"),
    )
    router_request = Template(
        75,
        "eth.mcast && eth.src == {mac:mac} && (arp.op == 1 || rarp.op == 3 || nd_ns)",
        'outport = "_MC_flood_l2"; output;',
    )
    multicast = Template(70, "eth.mcast", 'outport = "_MC_flood"; output;')
    balanced4 = Template(60, f"{_ROUTED}ip4.src == {{backends:set}}", _BY_CHARGE)
    balanced6 = Template(60, f"{_ROUTED}ip6.src == {{backends:set}}", _BY_CHARGE)
    error4 = Template(60, f"{_ROUTED}{ERROR4}", _BY_CHARGE)
    error6 = Template(60, f"{_ROUTED}{ERROR6}", _BY_CHARGE)
    unicast = Template(50, "eth.dst == {mac:mac}", "outport = {port:lport}; output;")
    floating = Template(
        50,
        "eth.dst == {mac:mac}",
        "flags.here = 1; outport = {port:lport}; output;",
        Local("logical_port"),
    )
    disabled = Template(50, "eth.dst == {mac:mac}", "drop;", because=DISABLED)
    unknown = Template(0, "1", "outport = get_fdb(eth.dst); next;")


class LsInL2Unknown(
    Stage,
    name="ls_in_l2_unknown",
    default="drop",
    role=Role.FORWARDING,
    because=UNKNOWN_DESTINATION,
):
    """Destinations that no port has: where they were learned, else wherever they may be.

    Only on switches with a port whose addresses include ``unknown``.
    """

    flood = Template(50, 'outport == ""', 'outport = "_MC_unknown"; output;')
    learned = Template(0, "1", "output;")
