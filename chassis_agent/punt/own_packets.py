"""Packets that the agent makes by itself: where they begin, and how they come to ports.

No port has sent them, so ACLs don't look at them.
"""

from __future__ import annotations

from chassis_agent import tables
from chassis_agent.openflow import actions as act
from chassis_agent.openflow import oxm
from chassis_agent.openflow.oxm import FIELDS, Term
from southbound.rows import PortBinding


def made_here(datapath: int, *, inport: int | None = None, outport: int | None = None) -> bytes:
    """Return the match with which such a packet begins in a datapath.

    All are tunnel keys. `inport` is the port by which it came into the datapath, `outport` the
    one by which it leaves, where these are known before it is in a pipeline.
    """
    terms = [
        Term(FIELDS["in_port"], act.CONTROLLER),
        Term(FIELDS[tables.DATAPATH], datapath),
        Term(FIELDS[tables.FLAGS], tables.MADE_BY_NETWORK),
    ]
    if inport is not None:
        terms.append(Term(FIELDS[tables.INPORT], inport))
    if outport is not None:
        terms.append(Term(FIELDS[tables.OUTPORT], outport))
    return oxm.match(terms)


def deliver(port_key: int) -> bytes:
    """Return a copy that enters the egress pipeline of a port, and leaves registers alone."""
    return act.clone(act.set_field(FIELDS[tables.OUTPORT], port_key) + act.resubmit(tables.OUTPUT))


def mac_of(port: PortBinding) -> bytes:
    """Return the MAC address of a router port, or the first one of a switch port."""
    return bytes.fromhex(port.addresses[0].split()[0].replace(":", ""))
