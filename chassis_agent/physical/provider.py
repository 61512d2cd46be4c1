"""Flows of ports that lead outside: what comes from a provider network, and what goes there.

In its datapath a packet has no tag of the provider network's: it loses that when it comes in,
and gets it when it leaves. What comes in with any other tag is somebody else's.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from chassis_agent import tables
from chassis_agent.desired.flow import Flow
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.oxm import FIELDS, VLAN_PRESENT, Term
from chassis_agent.physical.ports import (
    FROM_INTERFACE,
    UNICAST,
    Side,
    arrive,
    by_charge_flow,
    delivery_flows,
    enter_egress,
    leave,
)
from chassis_agent.physical.registers import FLAGS, OUTPORT, flag, flow, on
from chassis_agent.physical.shares import sender_flows
from chassis_agent.physical.tunnels import Tunnel

CUSTOMER_TAG: Final = 0x8100
"""The Ethernet type of a VLAN tag of IEEE 802.1Q."""
SERVICE_TAG: Final = 0x88A8
"""That of one of IEEE 802.1ad. Open vSwitch takes what comes in with either for the same."""
_STAYS: Final = 110
"""What may not leave its chassis doesn't leave it this way either."""
_FROM_ELSEWHERE: Final = _STAYS + 1
"""What came through a tunnel may leave where other chassis have no way outside."""
_EXCHANGED: Final = UNICAST + 50
"""Before what else comes and goes: packets of distributed routers."""
_SOURCE = FIELDS["eth_src"]
_VLAN = FIELDS["vlan_vid"]
_NO_TAG: Final = 0
_PRIORITY_TAG: Final = VLAN_PRESENT
"""Of a frame that has a priority, and is in no VLAN (IEEE 802.1Q, VID 0)."""


class MacExchange(NamedTuple):
    """MAC addresses in place of distributed routers', on one provider network.

    What leaves from one of the `routers` of the datapath leaves with the chassis' `own` address,
    if it has one; what comes with that of one of the `others` is from the first of the routers.
    What leaves from one of the `gateways`, which are elsewhere, for themselves, does with its
    `own` address, or with `stand_in`: nobody looks at it there.
    """

    own: bytes = b""
    others: tuple[bytes, ...] = ()
    routers: tuple[bytes, ...] = ()
    gateways: tuple[bytes, ...] = ()
    stand_in: bytes = b""


def outside_flows(
    side: Side,
    ofport: int,
    tag: int,
    *,
    passes_tags: bool = False,
    is_native: bool = True,
    ethertype: int = CUSTOMER_TAG,
    exchange: MacExchange,
    cookie: int,
) -> list[Flow]:
    """A port behind whose patch port is a provider network, in the VLAN `tag` if that isn't 0.

    With `passes_tags` frames that have tags of their own belong to the datapath, too. Through one
    that `is_native` nothing leaves that came through a tunnel: it has left elsewhere. What a port
    sends that stays on its chassis leaves through none.
    """
    output = act.output(ofport)
    if tag:
        output = act.push_vlan(ethertype) + act.set_field(_VLAN, tag | VLAN_PRESENT) + output
        output += act.pop_vlan()
    return [
        *_arrivals(side, ofport, tag, passes_tags=passes_tags, cookie=cookie),
        *sender_flows(ofport, cookie=cookie),
        *delivery_flows(side, cookie=cookie),
        *_stay_flows(side, is_native=is_native, cookie=cookie),
        leave(side, output, cookie=cookie),
        *_exchange_flows(side, ofport, tag, output, exchange, cookie=cookie),
    ]


def _stay_flows(side: Side, *, is_native: bool, cookie: int) -> Iterator[Flow]:
    here = on(side.datapath_key, reg15=side.port_key)
    stays = [*here, flag(tables.FROM_TUNNEL, is_set=True)]
    yield flow(tables.OUTPUT, _STAYS, stays, b"", cookie=cookie)
    if not is_native:
        bits = tables.FROM_TUNNEL | tables.FIRST_SENDER_ELSEWHERE << tables.SENDER_SHIFT
        onward = [*here, Term(FLAGS, bits, bits)]
        yield flow(tables.OUTPUT, _FROM_ELSEWHERE, onward, enter_egress(side), cookie=cookie)


def _exchange_flows(
    side: Side, ofport: int, tag: int, output: bytes, exchange: MacExchange, *, cookie: int
) -> Iterator[Flow]:
    replaced = dict.fromkeys(exchange.routers, exchange.own) if exchange.own else {}
    replaced |= dict.fromkeys(exchange.gateways, exchange.own or exchange.stand_in)
    for router, mac in replaced.items():
        yield flow(
            tables.LOGICAL_TO_PHYSICAL,
            _EXCHANGED,
            [
                *on(side.datapath_key, reg15=side.port_key),
                Term(_SOURCE, int.from_bytes(router)),
            ],
            act.set_field(_SOURCE, int.from_bytes(mac)) + output,
            cookie=cookie,
        )
    vid = tag | VLAN_PRESENT if tag else _NO_TAG
    for router in exchange.routers[:1]:
        for other in exchange.others:
            yield flow(
                tables.PHYSICAL_TO_LOGICAL,
                FROM_INTERFACE + _EXCHANGED,
                [
                    Term(FIELDS["in_port"], ofport),
                    Term(_VLAN, vid),
                    Term(_SOURCE, int.from_bytes(other)),
                ],
                (act.pop_vlan() if tag else b"")
                + act.set_field(_SOURCE, int.from_bytes(router))
                + arrive(side, ofport, flags=tables.FROM_OUTSIDE),
                cookie=cookie,
            )


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


def external_flows(
    side: Side, outside_key: int, ways: Iterable[Tunnel], *, cookie: int
) -> Iterator[Flow]:
    """A port of a workload on the network that the port `outside_key` leads to.

    Nothing that came from there is sent back, but for what is answered. `ways` lead to another
    chassis that is in charge of the port, for what has to leave there.
    """
    yield from delivery_flows(side, cookie=cookie)
    for way in ways:
        yield by_charge_flow(side, way, cookie=cookie)
    for fields in (
        {"reg15": side.port_key},
        {"reg14": side.port_key, "reg15": outside_key},
    ):
        bits = tables.FROM_OUTSIDE | tables.LOOPBACK
        came = Term(FLAGS, tables.FROM_OUTSIDE, bits)
        terms = [*on(side.datapath_key, **fields), came]
        yield flow(tables.OUTPUT, _STAYS, terms, b"", cookie=cookie)
    onward = act.set_field(OUTPORT, outside_key) + act.resubmit(tables.LOGICAL_TO_PHYSICAL)
    yield leave(side, onward, cookie=cookie)


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
