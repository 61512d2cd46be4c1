"""Flows of a logical port: what comes from it, and what goes to it.

A packet's input port is forgotten once it is logical, so that Open vSwitch lets
it leave where it came from; whether it may is decided by logical ports, in the
loopback check of the `OUTPUT` table. Who sent it stays in `tables.SENDER`.

What a pipeline knows stays in it: general registers and connection state are
cleared on the way to egress, everything else but the sender and the packet's mark on
the way to another datapath. A packet that comes through a tunnel knows no more.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from chassis_agent import tables
from chassis_agent.desired.flow import Flow
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.oxm import FIELDS, VLAN_PRESENT, Term
from chassis_agent.physical import tunnels
from chassis_agent.physical.narrow import send_if_fits
from chassis_agent.physical.registers import (
    CLEAR_GENERAL,
    DNAT_ZONE,
    FLAGS,
    INPORT,
    METADATA,
    OUTPORT,
    PORT_ZONE,
    SNAT_ZONE,
    MatchShape,
    flag,
    flow,
    on,
    set_nonzero,
)
from chassis_agent.physical.shares import sender_flows

FROM_INTERFACE = 100
_NESTED = 150
"""Above what is from an interface: frames with the tag of a port that is nested there."""
_LOOPBACK_CHECK = 100
UNICAST = 50
_BEFORE = 60
"""Before the way that others take to a port: packets with a bit that says so."""

_TO_REMOTE = MatchShape([*on(0, reg15=0), flag(tables.FROM_TUNNEL, is_set=False)])
"""Packets to a port elsewhere. Most ports of a network are, so this is made to be quick."""


class Zones(NamedTuple):
    """Connection tracking zones: a switch port's, and a router's. 0 is none.

    `port` of a router is the zone of the ways by which connections came.
    """

    port: int = 0
    dnat: int = 0
    snat: int = 0


class Side(NamedTuple):
    """A logical port on its datapath, with the tables that its packets visit first."""

    datapath_key: int
    port_key: int
    zones: Zones
    first_ingress: int
    first_egress: int


def interface_flows(side: Side, ofport: int, *, stays: bool = False, cookie: int) -> list[Flow]:
    """A port whose packets come from and go to an interface of this chassis.

    With `stays` what is sent there goes to no other chassis.
    """
    return [
        flow(
            tables.PHYSICAL_TO_LOGICAL,
            FROM_INTERFACE,
            [Term(FIELDS["in_port"], ofport)],
            arrive(side, ofport, flags=tables.FROM_TUNNEL if stays else 0),
            cookie=cookie,
        ),
        *sender_flows(ofport, cookie=cookie),
        *delivery_flows(side, cookie=cookie),
        leave(side, act.output(ofport), cookie=cookie),
    ]


def nested_flows(side: Side, ofport: int, tag: int, *, cookie: int) -> list[Flow]:
    """A port whose packets have the VLAN tag `tag` on the interface of its parent.

    Only outside: in its datapath they have none. Whom they are from, in the switch, is the parent.
    """
    tagged = tag | VLAN_PRESENT
    return [
        flow(
            tables.PHYSICAL_TO_LOGICAL,
            _NESTED,
            [Term(FIELDS["in_port"], ofport), Term(FIELDS["vlan_vid"], tagged)],
            act.pop_vlan() + arrive(side, ofport),
            cookie=cookie,
        ),
        *delivery_flows(side, cookie=cookie),
        leave(
            side,
            act.push_vlan()
            + act.set_field(FIELDS["vlan_vid"], tagged)
            + act.output(ofport)
            + act.pop_vlan(),
            cookie=cookie,
        ),
    ]


def alias_flow(side: Side, port_key: int, *, cookie: int) -> Flow:
    """A port whose packets go on at another one of its datapath."""
    return flow(
        tables.OUTPUT,
        UNICAST,
        on(side.datapath_key, reg15=side.port_key),
        act.set_field(OUTPORT, port_key) + act.resubmit(tables.OUTPUT),
        cookie=cookie,
    )


def patch_flows(side: Side, peer: Side, *, cookie: int) -> list[Flow]:
    """A port whose packets go on at its `peer`, as if they came from there."""
    return [*delivery_flows(side, cookie=cookie), leave(side, _cross(peer), cookie=cookie)]


def link_here_flows(side: Side, peer: Side, *, cookie: int) -> list[Flow]:
    """A link that another chassis has, for the packets that take it here.

    What came by it may leave to the other chassis.
    """
    key = side.port_key
    is_here = flag(tables.HERE, is_set=True)
    loops_back = [*on(side.datapath_key, reg14=key, reg15=key), is_here]
    match = [*on(side.datapath_key, reg15=key), is_here]
    return [
        flow(tables.OUTPUT, _LOOPBACK_CHECK, loops_back, b"", cookie=cookie),
        flow(tables.OUTPUT, _BEFORE, match, enter_egress(side), cookie=cookie),
        leave(side, _cross(peer), cookie=cookie),
    ]


def _cross(peer: Side) -> bytes:
    """The way into another datapath: nothing goes along but the packet, its mark and who sent it.

    The mark is for the kernel, behind the last datapath.
    """
    return act.clone(
        act.ct_clear()
        + CLEAR_GENERAL
        + act.set_field(FLAGS, 0, FLAGS.full_mask ^ tables.SENDER)
        + act.set_field(DNAT_ZONE, 0)
        + act.set_field(SNAT_ZONE, 0)
        + act.set_field(PORT_ZONE, 0)
        + _enter(peer)
        + act.set_field(OUTPORT, 0)
        + _ingress(peer)
    )


def redirect_flow(datapath_key: int, redirect_key: int, port_key: int, *, cookie: int) -> Flow:
    """What stands for a gateway port, on the chassis in charge: packets go on to that port.

    They were routed to it, and so may have come in by it: a tunnel doesn't tell that they may.
    """
    may_return = act.set_field(FLAGS, tables.LOOPBACK, tables.LOOPBACK)
    return flow(
        tables.OUTPUT,
        UNICAST,
        on(datapath_key, reg15=redirect_key),
        act.set_field(OUTPORT, port_key) + may_return + act.resubmit(tables.OUTPUT),
        cookie=cookie,
    )


def remote_flows(
    datapath_key: int, port_key: int, ways: Iterable[tunnels.Tunnel], *, cookie: int
) -> list[Flow]:
    """A port that is bound to another chassis, or to several."""
    match = _TO_REMOTE.fill(metadata=datapath_key, reg15=port_key)
    return [Flow(tables.OUTPUT, UNICAST, match, _sending(datapath_key, tuple(ways)), cookie)]


def by_charge_flow(side: Side, way: tunnels.Tunnel, *, cookie: int) -> Flow:
    """A port that is reached from here, for the packets that leave by the chassis in charge."""
    bits = tables.IN_CHARGE | tables.FROM_TUNNEL
    match = [*on(side.datapath_key, reg15=side.port_key), Term(FLAGS, tables.IN_CHARGE, bits)]
    sending = tunnels.encapsulate(side.datapath_key) + send_if_fits(way)
    return flow(tables.OUTPUT, _BEFORE, match, sending, cookie=cookie)


def forwarding_flow(datapath_key: int, port_key: int, way: tunnels.Tunnel, *, cookie: int) -> Flow:
    """An elected port that another chassis takes this one to have: to the one that has it.

    It is forwarded once: chassis that each take the other to be in charge make no circle.
    """
    bits = tables.FROM_TUNNEL | tables.FORWARDED
    return flow(
        tables.OUTPUT,
        UNICAST,
        [*on(datapath_key, reg15=port_key), Term(FLAGS, tables.FROM_TUNNEL, bits)],
        tunnels.forward(datapath_key) + tunnels.send(way),
        cookie=cookie,
    )


@lru_cache(maxsize=4096)
def _sending(datapath_key: int, ways: tuple[tunnels.Tunnel, ...]) -> bytes:
    """The instructions that are the same for all ports of a datapath on a chassis."""
    sends = b"".join(map(send_if_fits, ways))
    return act.apply_actions(tunnels.encapsulate(datapath_key) + sends)


def arrive(side: Side, ofport: int, before: bytes = b"", *, flags: int = 0) -> bytes:
    """What becomes of a packet that came by an interface; `before` it goes on.

    `flags` are bits of `FLAGS` that it has from then on.
    """
    return (
        act.set_field(FLAGS, ofport << tables.SENDER_SHIFT | flags)
        + _enter(side)
        + before
        + act.set_field(FIELDS["nxm_in_port"], 0)
        + _ingress(side)
    )


def _enter(side: Side) -> bytes:
    return (
        set_nonzero(
            (PORT_ZONE, side.zones.port),
            (DNAT_ZONE, side.zones.dnat),
            (SNAT_ZONE, side.zones.snat),
        )
        + act.set_field(METADATA, side.datapath_key)
        + act.set_field(INPORT, side.port_key)
    )


def _ingress(side: Side) -> bytes:
    return act.resubmit(side.first_ingress)


def delivery_flows(side: Side, *, cookie: int) -> list[Flow]:
    """The loopback check, and the way into the egress pipeline."""
    key = side.port_key
    return [
        flow(
            tables.OUTPUT,
            _LOOPBACK_CHECK,
            [*on(side.datapath_key, reg14=key, reg15=key), flag(tables.LOOPBACK, is_set=False)],
            b"",
            cookie=cookie,
        ),
        flow(
            tables.OUTPUT,
            UNICAST,
            on(side.datapath_key, reg15=key),
            enter_egress(side),
            cookie=cookie,
        ),
    ]


def enter_egress(side: Side) -> bytes:
    """The way into the egress pipeline of a port that is here."""
    zones = set_nonzero(
        (PORT_ZONE, side.zones.port),
        (DNAT_ZONE, side.zones.dnat),
        (SNAT_ZONE, side.zones.snat),
    )
    return act.ct_clear() + zones + CLEAR_GENERAL + act.resubmit(side.first_egress)


def leave(side: Side, actions: bytes, *, cookie: int) -> Flow:
    """What becomes of a packet to the port once it has been through the egress pipeline."""
    return flow(
        tables.LOGICAL_TO_PHYSICAL,
        UNICAST,
        on(side.datapath_key, reg15=side.port_key),
        actions,
        cookie=cookie,
    )
