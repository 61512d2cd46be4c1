"""The OpenFlow tables and registers that Treadle's logical networks live in.

A packet enters at `PHYSICAL_TO_LOGICAL`, which turns where it came from into
logical metadata. It visits the used ingress stages of its datapath, then
`OUTPUT`, which either tunnels it to the chassis of the logical output port or
goes on with the used egress stages, and leaves through `LOGICAL_TO_PHYSICAL`.
A patch port leads from there back to the ingress stages of the peer datapath.

==============================  ===============================================
table                           what its flows do
==============================  ===============================================
`PHYSICAL_TO_LOGICAL`           interface or tunnel to datapath and ports
`INGRESS` + n                   stage n of `ls_in` and `lr_in`
`OUTPUT`                        loopback check; local, remote, multicast output
`MULTICAST_REST`                members of a group that is too wide for one flow
`EGRESS` + n                    stage n of `ls_out` and `lr_out`
`LOGICAL_TO_PHYSICAL`           logical port to interface or peer datapath
`ARP_GET`, `ND_GET`             `get_arp`, `get_nd`: (outport, IP) to `eth.dst`; `lookup_arp_ip`
`ARP_LOOKUP`, `ND_LOOKUP`       `lookup_arp`, `lookup_nd`: is (inport, IP, MAC) known
`FDB_GET`                       `get_fdb`: `eth.dst` to outport
`FDB_LOOKUP`                    `lookup_fdb`: is (inport, `eth.src`) known
`TUNNEL_OUTPUT`                 into a tunnel that carries less than is sent, what fits it
`PUNT_SHARE`, `LOG_SHARE`       the meter of a sender, for what goes to the agent
`NOWHERE`                       nothing: a packet that has no next stage ends here
==============================  ===============================================

Registers follow OVN, so that what operators know of OVN holds here.
"""

from typing import Final, Literal

PHYSICAL_TO_LOGICAL: Final = 0
INGRESS: Final = 8
OUTPUT: Final = 80
MULTICAST_REST: Final = 81
EGRESS: Final = 88
LOGICAL_TO_PHYSICAL: Final = 160
ARP_GET: Final = 161
ND_GET: Final = 162
ARP_LOOKUP: Final = 163
ND_LOOKUP: Final = 164
FDB_GET: Final = 165
FDB_LOOKUP: Final = 166
PUNT_SHARE: Final = 167
LOG_SHARE: Final = 168
TUNNEL_OUTPUT: Final = 169
NOWHERE: Final = 253
"""Never has a flow: where `next;` leads when there is no further stage."""

MAX_STAGES: Final = 72
"""Stages that fit a pipeline: what lies between `INGRESS` and `OUTPUT`."""

DATAPATH: Final = "metadata"
INPORT: Final = "reg14"
OUTPORT: Final = "reg15"
FLAGS: Final = "reg10"
PORT_ZONE: Final = "reg13"
"""Of a switch port; on a router it is that of the ways by which connections came."""
DNAT_ZONE: Final = "reg11"
SNAT_ZONE: Final = "reg12"

LOOPBACK: Final = 1 << 0
"""Bit of `FLAGS`, `flags.loopback`: the packet may leave where it came in."""
MADE_BY_NETWORK: Final = 1 << 1
"""Bit of `FLAGS`, `flags[1]`: no port sent the packet, and ACLs don't look at it."""
FROM_OUTSIDE: Final = 1 << 6
"""Bit of `FLAGS`: the packet came from a provider network."""
FROM_TUNNEL: Final = 1 << 31
"""Bit of `FLAGS`: the packet may not leave this chassis for another one.

It came through a tunnel, or from a port whose packets stay where it is.
"""
HERE: Final = 1 << 26
"""Bit of `FLAGS`, `flags.here`: the packet takes the link of its output port on this chassis, also
where that is elected and another one has it: its floating IP is translated here."""
IN_CHARGE: Final = 1 << 27
"""Bit of `FLAGS`, `flags.in_charge`: the packet leaves by the chassis that is in charge of its
output port, also where this one gets to what is behind that by itself."""
FOUND_BIT: Final = 30
"""Number of the bit of `FLAGS` in which the lookup tables answer."""

FORWARDED: Final = 1 << 29
"""Bit of `FLAGS`: the packet came from a chassis that was not in charge of where it goes, though
its sender thought so; who isn't, either, sends it no further."""

SENDER_SHIFT: Final = 8
SENDER: Final = 0xFFFF << SENDER_SHIFT
"""Bits of `FLAGS`: who sent the packet. That is the OpenFlow port by which it came into this
switch, or, for one from a tunnel, `FIRST_SENDER_ELSEWHERE` and the low bits of its logical input
port. It stays with the packet through all datapaths, and with what the agent answers to it.
"""
FIRST_SENDER_ELSEWHERE: Final = 0xFF00
"""Above the numbers that ports can have (`OFPP_MAX` of OpenFlow 1.0)."""

Direction = Literal["ingress", "egress"]


def direction_of(pipeline: str) -> Direction:
    """`ls_in` and `lr_in` are ingress pipelines, `ls_out` and `lr_out` egress.

    >>> direction_of("lr_out")
    'egress'
    """
    return "ingress" if pipeline.endswith("_in") else "egress"


def stage_table(pipeline: str, number: int) -> int:
    """The OpenFlow table of stage `number` of `pipeline`.

    >>> stage_table("ls_in", 2)
    10
    """
    if not 0 <= number < MAX_STAGES:
        raise ValueError(f"pipeline {pipeline} has no room for a stage {number}")
    return (INGRESS if direction_of(pipeline) == "ingress" else EGRESS) + number


def table_name(table: int) -> str:
    """The name of an OpenFlow table; that of a stage depends on the pipeline.

    >>> table_name(OUTPUT)
    'output'
    """
    fixed = _NAMES.get(table)
    if fixed is not None:
        return fixed
    if INGRESS <= table < INGRESS + MAX_STAGES:
        return f"ingress_{table - INGRESS}"
    if EGRESS <= table < EGRESS + MAX_STAGES:
        return f"egress_{table - EGRESS}"
    return str(table)


_NAMES: Final = {
    PHYSICAL_TO_LOGICAL: "physical_to_logical",
    OUTPUT: "output",
    MULTICAST_REST: "multicast_rest",
    LOGICAL_TO_PHYSICAL: "logical_to_physical",
    ARP_GET: "arp_get",
    ND_GET: "nd_get",
    ARP_LOOKUP: "arp_lookup",
    ND_LOOKUP: "nd_lookup",
    FDB_GET: "fdb_get",
    FDB_LOOKUP: "fdb_lookup",
    PUNT_SHARE: "punt_share",
    LOG_SHARE: "log_share",
    TUNNEL_OUTPUT: "tunnel_output",
    NOWHERE: "nowhere",
}
