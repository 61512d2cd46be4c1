"""The stage in which a switch answers DNS queries."""

from logical_flow.roles import Role
from logical_flow.template import Stage, Template

_BACK = "udp.dst = udp.src; udp.src = 53; outport = inport; flags.loopback = 1; flags[1] = 1;"


class LsInDnsLookup(Stage, name="ls_in_dns_lookup", role=Role.ANSWERING):
    """Answers queries for names that are known on the switch, at the asker's chassis.

    Queries over TCP, in fragments or to groups go on, as do those for other names.
    """

    query4 = Template(
        100,
        "ip4 && udp.dst == 53 && !eth.mcast",
        "dns_lookup { eth.dst <-> eth.src; ip4.dst <-> ip4.src; ip.ttl = 255; "
        f"{_BACK} output; }};",
    )
    query6 = Template(
        100,
        "ip6 && udp.dst == 53 && !eth.mcast",
        "dns_lookup { eth.dst <-> eth.src; ip6.dst <-> ip6.src; ip.ttl = 255; "
        f"{_BACK} output; }};",
    )
