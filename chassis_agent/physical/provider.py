"""Flows of ports that lead outside: what comes from a provider network, and what goes there.

In its datapath a packet has no tag of the provider network's: it loses that when it comes in,
and gets it when it leaves. What comes in with any other tag is somebody else's.
"""

from collections.abc import Iterator
from typing import Final

from chassis_agent import tables
from chassis_agent.desired.flow import Flow
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.oxm import FIELDS, VLAN_PRESENT, Term
from chassis_agent.physical.ports import (
    FROM_INTERFACE,
    UNICAST,
    Side,
    arrive,
    delivery_flows,
    leave,
)
from chassis_agent.physical.registers import OUTPORT, flag, flow, on
from chassis_agent.physical.shares import sender_flows

_STAYS: Final = 110
"""What may not leave its chassis doesn't leave it this way either."""
_VLAN = FIELDS["vlan_vid"]
_NO_TAG: Final = 0
_PRIORITY_TAG: Final = VLAN_PRESENT
"""Of a frame that has a priority, and is in no VLAN (IEEE 802.1Q, VID 0)."""


def outside_flows(
    side: Side, ofport: int, tag: int, *, passes_tags: bool = False, cookie: int
) -> list[Flow]:
    """A port behind whose patch port is a provider network, in the VLAN `tag` if that isn't 0.

    With `passes_tags` frames that have tags of their own belong to the datapath, too.
    """
    output = act.output(ofport)
    if tag:
        output = act.push_vlan() + act.set_field(_VLAN, tag | VLAN_PRESENT) + output
        output += act.pop_vlan()
    return [
        *_arrivals(side, ofport, tag, passes_tags=passes_tags, cookie=cookie),
        *sender_flows(ofport, cookie=cookie),
        *delivery_flows(side, cookie=cookie),
        flow(
            tables.OUTPUT,
            _STAYS,
            [*on(side.datapath_key, reg15=side.port_key), flag(tables.FROM_TUNNEL, is_set=True)],
            b"",
            cookie=cookie,
        ),
        leave(side, output, cookie=cookie),
    ]


def native_flows(
    datapath_key: int, port_key: int, outside_key: int, *, cookie: int
) -> Iterator[Flow]:
    """A port on another chassis that is reached by the provider network, not by the tunnel.

    `outside_key` is the port that leads there, 0 if none does from here. A packet that came
    from outside and is for such a port is not sent back.
    """
    if outside_key:
        yield flow(
            tables.OUTPUT,
            UNICAST,
            [*on(datapath_key, reg15=port_key), flag(tables.FROM_TUNNEL, is_set=False)],
            act.set_field(OUTPORT, outside_key) + act.resubmit(tables.OUTPUT),
            cookie=cookie,
        )


def _arrivals(
    side: Side, ofport: int, tag: int, *, passes_tags: bool, cookie: int
) -> Iterator[Flow]:
    enters = arrive(side, ofport, flags=tables.FROM_OUTSIDE)
    if passes_tags and not tag:
        match = [Term(FIELDS["in_port"], ofport)]
        yield flow(tables.PHYSICAL_TO_LOGICAL, FROM_INTERFACE, match, enters, cookie=cookie)
        return
    ways = (
        [(tag | VLAN_PRESENT, act.pop_vlan() + enters)]
        if tag
        else [(_NO_TAG, enters), (_PRIORITY_TAG, act.pop_vlan() + enters)]
    )
    for vid, actions in ways:
        yield flow(
            tables.PHYSICAL_TO_LOGICAL,
            FROM_INTERFACE,
            [Term(FIELDS["in_port"], ofport), Term(_VLAN, vid)],
            actions,
            cookie=cookie,
        )
