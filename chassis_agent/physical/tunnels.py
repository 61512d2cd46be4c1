"""Geneve: how logical metadata travels between chassis.

The VNI is the datapath's key. The option of class 0x0102 and type 0x80, mapped
to `tun_metadata0`, holds the logical input port in 15 bits and the logical
output port, or multicast group, in 16. Its highest bit says that the packet was forwarded
by a chassis that was not in charge of its output port.

One tunnel port carries the traffic with all chassis: where a packet goes is set
a flow. Whatever comes in is dropped unless its sender is a known chassis.
"""

from collections.abc import Iterable
from typing import NamedTuple

from chassis_agent import tables
from chassis_agent.desired.flow import Flow
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.oxm import FIELDS, OxmField, Subfield, Term
from chassis_agent.physical.registers import FLAGS, INPORT, METADATA, OUTPORT, flow
from chassis_agent.punt.meters import TUNNEL_SHARES
from southbound.encaps import Address

OPTION_CLASS = 0x0102
OPTION_TYPE = 0x80
OPTION_LENGTH = 4
OPTION_BYTES = 4 + OPTION_LENGTH
"""Bytes of the option in a packet, with its header."""
ETHERNET_HEADER = 14
"""Bytes of a frame that come on top of its IP packet."""

_TUNNEL_ID = FIELDS["tun_id"]
_OPTION = FIELDS["tun_metadata0"]
_OPTION_OUTPORT = Subfield(_OPTION, 0, 16)
_OPTION_INPORT = Subfield(_OPTION, 16, 15)
_OPTION_FORWARDED = Subfield(_OPTION, 31, 1)
_FORWARDED = Subfield(FLAGS, tables.FORWARDED.bit_length() - 1, 1)
_SENDER_BITS = (TUNNEL_SHARES - 1).bit_length()
_SENDER = Subfield(FLAGS, tables.SENDER_SHIFT, _SENDER_BITS)
_ARRIVED = tables.FROM_TUNNEL | tables.FIRST_SENDER_ELSEWHERE << tables.SENDER_SHIFT
_PRIORITY = 100


class Tunnel(NamedTuple):
    """The way to a chassis: the port, and the address that the port leaves open.

    `largest` is the biggest frame that it carries, 0 where it carries all that is sent.
    """

    ofport: int
    remote: Address | None
    largest: int = 0


def encapsulate(datapath_key: int) -> bytes:
    """Put the logical metadata where the tunnel header is made from."""
    return (
        act.set_field(_TUNNEL_ID, datapath_key)
        + act.move(Subfield(OUTPORT, 0, 16), _OPTION_OUTPORT)
        + act.move(Subfield(INPORT, 0, 15), _OPTION_INPORT)
    )


def forward(datapath_key: int) -> bytes:
    """Do what `encapsulate` does, for a packet that came through a tunnel itself."""
    mark = act.set_field(FLAGS, tables.FORWARDED, tables.FORWARDED)
    return encapsulate(datapath_key) + mark + act.move(_FORWARDED, _OPTION_FORWARDED)


def send(tunnel: Tunnel) -> bytes:
    """Send an encapsulated packet."""
    return address(tunnel) + act.output(tunnel.ofport)


def address(tunnel: Tunnel) -> bytes:
    """Say where an encapsulated packet is sent."""
    if tunnel.remote is None:
        return b""
    field = FIELDS["tun_dst" if tunnel.remote.version == 4 else "tun_ipv6_dst"]
    return act.set_field(field, int(tunnel.remote))


def ingress_flows(ofports: Iterable[int], remotes: Iterable[Address], *, cookie: int) -> list[Flow]:
    """Accept what known chassis send, on any tunnel port, for delivery here."""
    decapsulate = (
        act.move(Subfield(_TUNNEL_ID, 0, 24), Subfield(METADATA, 0, 24))
        + act.move(_OPTION_INPORT, Subfield(INPORT, 0, 15))
        + act.move(_OPTION_OUTPORT, Subfield(OUTPORT, 0, 16))
        + act.set_field(FLAGS, _ARRIVED)
        + act.move(_OPTION_FORWARDED, _FORWARDED)
        + act.move(Subfield(INPORT, 0, _SENDER_BITS), _SENDER)
        + act.set_field(FIELDS["nxm_in_port"], 0)
        + act.resubmit(tables.OUTPUT)
    )
    addresses = sorted(set(remotes), key=lambda address: (address.version, address))
    return [
        flow(
            tables.PHYSICAL_TO_LOGICAL,
            _PRIORITY,
            [Term(FIELDS["in_port"], ofport), Term(_source_field(address), int(address))],
            decapsulate,
            cookie=cookie,
        )
        for ofport in sorted(set(ofports))
        for address in addresses
    ]


def _source_field(address: Address) -> OxmField:
    return FIELDS["tun_src" if address.version == 4 else "tun_ipv6_src"]
