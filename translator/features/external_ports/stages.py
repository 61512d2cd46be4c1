"""The stage in which packets of workloads on a provider network get the port that is theirs."""

from logical_flow.roles import Role
from logical_flow.template import Resident, Stage, Template
from translator.features.external_ports.reasons import NOT_IN_CHARGE

_FROM = "inport == {outside:lport} && eth.src == {mac:mac}"


class LsInExternalPort(Stage, name="ls_in_external_port", role=Role.LEARNING, failure="drop"):
    """Tells workloads on a provider network by their MAC address, and gives them their port.

    What they ask of routers comes to every chassis that is on the network: it is for the one that
    is in charge of the port.
    """

    in_charge = Template(120, _FROM, "inport = {port:lport}; next;", only=Resident("port"))
    routed = Template(
        110, f"{_FROM} && eth.dst == {{router_mac:mac}}", "drop;", because=NOT_IN_CHARGE
    )
    router_arp = Template(
        110, f"{_FROM} && arp.op == 1 && arp.tpa == {{ip:ip4}}", "drop;", because=NOT_IN_CHARGE
    )
    router_nd = Template(
        110,
        f"{_FROM} && ip6.dst == {{group:ip6}} "
        "&& (ip.is_frag || (nd_ns && nd.target == {ip:ip6}))",
        "drop;",
        because=NOT_IN_CHARGE,
    )
    vip_arp = Template(
        110, f"{_FROM} && arp.op == 1 && arp.tpa == {{vips:set}}", "drop;", because=NOT_IN_CHARGE
    )
    vip_nd = Template(
        110,
        f"{_FROM} && ip6.dst == ff02::1:ff00:0/104 "
        "&& (ip.is_frag || (nd_ns && nd.target == {vips:set}))",
        "drop;",
        because=NOT_IN_CHARGE,
    )
    all_routers = Template(110, f"{_FROM} && ip6.dst == ff02::2", "drop;", because=NOT_IN_CHARGE)
    elsewhere = Template(100, _FROM, "inport = {port:lport}; next;")
