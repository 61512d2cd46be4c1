"""Flows of ports that move: copies for each chassis that has the port, and what waits there.

While a port is on several chassis, packets for it are delivered to all of them: the workload runs
on one, and where it does may change at any moment. On those that are not the port's own it may be
blocked until it speaks: its packets are dropped, and so are those for it, until one that tells of
its arrival has come by its interface. That one goes its way at once, and the agent hears of it.
"""

from collections.abc import Iterable, Iterator, Sequence

from chassis_agent import tables
from chassis_agent.desired.flow import Flow
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.oxm import FIELDS, Term
from chassis_agent.physical import tunnels
from chassis_agent.physical.narrow import send_if_fits
from chassis_agent.physical.ports import (
    FROM_INTERFACE,
    UNICAST,
    Side,
    arrive,
    delivery_flows,
    enter_egress,
    leave,
)
from chassis_agent.physical.registers import flag, flow, on
from chassis_agent.physical.shares import sender_flows
from chassis_agent.punt.opcodes import Opcode
from chassis_agent.punt.sending import punt_to
from southbound.rows import PortBinding

_COPIES = UNICAST + 10
_SPEAKING = FROM_INTERFACE + 100

_ARP = 0x0806
_RARP = 0x8035
_IPV6 = 0x86DD
_ICMPV6 = 58
_REQUEST = 1
_REPLY = 2
_ADVERTISEMENT = 136


def copy_flows(side: Side, ways: Sequence[tunnels.Tunnel], *, cookie: int) -> Iterator[Flow]:
    """Yield the flow that sends packets for a port which is here to other chassis as well.

    Not those that came through a tunnel: who sent them has sent them to all. Who sends what is too
    big for a copy is told so, though it arrives here: where the workload runs may change.
    """
    if ways:
        sends = b"".join(map(send_if_fits, ways))
        yield flow(
            tables.OUTPUT,
            _COPIES,
            [*on(side.datapath_key, reg15=side.port_key), flag(tables.FROM_TUNNEL, is_set=False)],
            act.clone(tunnels.encapsulate(side.datapath_key) + sends) + enter_egress(side),
            cookie=cookie,
        )


def blocked_flows(
    side: Side, ofport: int, speaking: Iterable[Sequence[Term]], *, cookie: int
) -> list[Flow]:
    """A port whose workload is not known to run here, and the packets that tell that it does."""
    incoming = Term(FIELDS["in_port"], ofport)
    found = [
        *delivery_flows(side, cookie=cookie),
        leave(side, b"", cookie=cookie),
    ]
    if speaking:
        found += sender_flows(ofport, cookie=cookie)
        found.append(
            flow(tables.PHYSICAL_TO_LOGICAL, FROM_INTERFACE, [incoming], b"", cookie=cookie)
        )
    for terms in speaking:
        found.append(
            flow(
                tables.PHYSICAL_TO_LOGICAL,
                _SPEAKING,
                [incoming, *terms],
                arrive(side, ofport, punt_to(Opcode.ACTIVATION)),
                cookie=cookie,
            )
        )
    return found


def tells_of_arrival(row: PortBinding) -> list[list[Term]]:
    """Return which packets tell that the workload of a port has come: see its `activation`.

    A gratuitous ARP packet is a reply, since none was asked for where nothing arrives, or a
    request for one of the port's own addresses that comes from that.
    """
    found = []
    if "rarp" in row.activation:
        found.append([Term(FIELDS["eth_type"], _RARP)])
    if "garp" in row.activation:
        arp = Term(FIELDS["eth_type"], _ARP)
        found.append([arp, Term(FIELDS["arp_op"], _REPLY)])
        for address in _addresses4(row):
            own = [Term(FIELDS[field], address) for field in ("arp_spa", "arp_tpa")]
            found.append([arp, Term(FIELDS["arp_op"], _REQUEST), *own])
    if "na" in row.activation:
        found.append(
            [
                Term(FIELDS["eth_type"], _IPV6),
                Term(FIELDS["ip_proto"], _ICMPV6),
                Term(FIELDS["icmpv6_type"], _ADVERTISEMENT),
            ]
        )
    return found


def _addresses4(row: PortBinding) -> Iterator[int]:
    words = {word for text in row.addresses for word in text.split()}
    for word in sorted(words):
        if "." in word:
            yield int.from_bytes(bytes(map(int, word.split("."))))
