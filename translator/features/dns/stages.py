"""The stage in which a switch answers DNS queries."""

from logical_flow.roles import Role
from logical_flow.template import Resident, Stage, Template

_BACK = "udp.dst = udp.src; udp.src = 53; outport = inport; flags.loopback = 1; flags[1] = 1;"

_QUERY4 = "ip4 && udp.dst == 53 && !eth.mcast"
_QUERY6 = "ip6 && udp.dst == 53 && !eth.mcast"
_OF_PORT = "inport == {port:lport}"
_ANSWER4 = (
    f"dns_lookup {{ eth.dst <-> eth.src; ip4.dst <-> ip4.src; ip.ttl = 255; {_BACK} output; }};"
)
_ANSWER6 = (
    f"dns_lookup {{ eth.dst <-> eth.src; ip6.dst <-> ip6.src; ip.ttl = 255; {_BACK} output; }};"
)


class LsInDnsLookup(Stage, name="ls_in_dns_lookup", role=Role.ANSWERING):
    """Answers queries for names that are known on the switch, at the asker's chassis.

    A workload on a provider network is answered by the chassis in charge of its port alone, and
    other hosts there by the one in charge of a router port on the switch.
    Queries over TCP, in fragments or to groups go on, as do those for other names.
    """

    in_charge4 = Template(120, f"{_OF_PORT} && {_QUERY4}", _ANSWER4, only=Resident("port"))
    in_charge6 = Template(120, f"{_OF_PORT} && {_QUERY6}", _ANSWER6, only=Resident("port"))
    from_outside4 = Template(120, f"{_OF_PORT} && {_QUERY4}", _ANSWER4, only=Resident("resident"))
    from_outside6 = Template(120, f"{_OF_PORT} && {_QUERY6}", _ANSWER6, only=Resident("resident"))
    elsewhere = Template(110, f"{_OF_PORT} && udp.dst == 53", "next;")
    query4 = Template(100, _QUERY4, _ANSWER4)
    query6 = Template(100, _QUERY6, _ANSWER6)
