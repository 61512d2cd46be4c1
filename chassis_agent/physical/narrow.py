"""Flows for tunnels that carry smaller frames than workloads send: see `chassis_agent.underlay`.

Open vSwitch fragments nothing, and what is too big for the underlay vanishes in it. So a frame for
such a tunnel is measured first, and goes on in `TUNNEL_OUTPUT`, with the MTU in `reg0`: what fits
is sent, of an IP packet that doesn't its sender is told by ICMP how big it may be, and all else is
dropped. Tunnels that carry everything have none of this.

The error comes from where the packet was going. On a switch nothing else is known that its sender
would take an error from: there may be no router at all. It goes to the port by which the packet
came, as something that the network has made, which ACLs don't look at. On a router it is routed.
"""

from typing import Final

from chassis_agent import tables
from chassis_agent.desired.flow import Flow
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.oxm import FIELDS, Subfield, Term, whole
from chassis_agent.physical import tunnels
from chassis_agent.physical.registers import CLEAR_GENERAL, FLAGS, INPORT, OUTPORT, flow, on
from chassis_agent.punt.opcodes import Opcode
from chassis_agent.punt.sending import punt_to

_MTU: Final = FIELDS["reg0"]
"""Where the agent's handler reads the MTU."""
_LENGTHS: Final = FIELDS["reg9"]
_IS_LARGER: Final = Subfield(_LENGTHS, 1, 1)
_LARGER: Final = Term(_LENGTHS, 1 << _IS_LARGER.offset, 1 << _IS_LARGER.offset)
_OTHER: Final = FIELDS["reg1"]

_ETHERTYPES: Final = (0x0800, 0x86DD)
_OF_ROUTER, _OF_SWITCH, _NOT_IP, _FITS = 150, 100, 50, 0

_TELL_ON_SWITCH: Final = (
    act.move(whole(INPORT), whole(_OTHER))
    + act.move(whole(OUTPORT), whole(INPORT))
    + act.move(whole(_OTHER), whole(OUTPORT))
    + act.set_field(FLAGS, tables.MADE_BY_NETWORK, tables.MADE_BY_NETWORK)
    + act.resubmit(tables.OUTPUT)
)


def send_if_fits(tunnel: tunnels.Tunnel) -> bytes:
    """Send an encapsulated packet, if it isn't too big for the tunnel."""
    if not tunnel.largest:
        return tunnels.send(tunnel)
    return (
        tunnels.address(tunnel)
        + act.set_field(_MTU, tunnel.largest - tunnels.ETHERNET_HEADER)
        + act.check_pkt_larger(tunnel.largest, _IS_LARGER)
        + act.resubmit(tables.TUNNEL_OUTPUT)
    )


def narrow_tunnel_flows(tunnel_ofport: int, *, cookie: int) -> list[Flow]:
    """What becomes of frames for tunnels that carry too little, on switches."""
    tell = punt_to(Opcode.TUNNEL_TOO_BIG, _TELL_ON_SWITCH)
    return [
        *(
            flow(
                tables.TUNNEL_OUTPUT,
                _OF_SWITCH,
                [_LARGER, Term(FIELDS["eth_type"], ethertype)],
                tell,
                cookie=cookie,
            )
            for ethertype in _ETHERTYPES
        ),
        flow(tables.TUNNEL_OUTPUT, _NOT_IP, [_LARGER], b"", cookie=cookie),
        flow(tables.TUNNEL_OUTPUT, _FITS, [], act.output(tunnel_ofport), cookie=cookie),
    ]


def router_flows(datapath_key: int, routing_table: int, *, cookie: int) -> list[Flow]:
    """What becomes on a router of what is too big: errors go on in `routing_table`."""
    body = (
        CLEAR_GENERAL
        + act.set_field(OUTPORT, 0)
        + act.set_field(FLAGS, tables.LOOPBACK, tables.LOOPBACK)
        + act.resubmit(routing_table)
    )
    return [
        flow(
            tables.TUNNEL_OUTPUT,
            _OF_ROUTER,
            [*on(datapath_key), _LARGER, Term(FIELDS["eth_type"], ethertype)],
            punt_to(Opcode.TUNNEL_TOO_BIG, body),
            cookie=cookie,
        )
        for ethertype in _ETHERTYPES
    ]
