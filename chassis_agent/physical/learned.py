"""What was learned from packets: neighbours of routers, addresses behind switch ports."""

from ipaddress import IPv4Address, IPv6Address

from chassis_agent import tables
from chassis_agent.desired.flow import Flow
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.oxm import FIELDS, Term
from chassis_agent.physical.registers import FLAGS, OUTPORT, flow, on

_PRIORITY = 100
_FOUND = act.set_field(FLAGS, 1 << tables.FOUND_BIT, 1 << tables.FOUND_BIT)


def neighbour_flows(
    datapath_key: int,
    port_key: int,
    address: IPv4Address | IPv6Address,
    mac: bytes,
    *,
    cookie: int,
) -> list[Flow]:
    """A binding of an IP to an Ethernet address behind a router port."""
    if address.version == 4:
        get, lookup, register = tables.ARP_GET, tables.ARP_LOOKUP, "reg0"
    else:
        get, lookup, register = tables.ND_GET, tables.ND_LOOKUP, "xxreg0"
    ethernet = int.from_bytes(mac)
    ip = Term(FIELDS[register], int(address))
    return [
        flow(
            get,
            _PRIORITY,
            [*on(datapath_key, reg15=port_key), ip],
            act.set_field(FIELDS["eth_dst"], ethernet) + _FOUND,
            cookie=cookie,
        ),
        flow(
            lookup,
            _PRIORITY,
            [*on(datapath_key, reg14=port_key), ip, Term(FIELDS["eth_src"], ethernet)],
            _FOUND,
            cookie=cookie,
        ),
    ]


def fdb_flows(datapath_key: int, port_key: int, mac: bytes, *, cookie: int) -> list[Flow]:
    """An Ethernet address behind a switch port."""
    ethernet = int.from_bytes(mac)
    return [
        flow(
            tables.FDB_GET,
            _PRIORITY,
            [*on(datapath_key), Term(FIELDS["eth_dst"], ethernet)],
            act.set_field(OUTPORT, port_key),
            cookie=cookie,
        ),
        flow(
            tables.FDB_LOOKUP,
            _PRIORITY,
            [*on(datapath_key, reg14=port_key), Term(FIELDS["eth_src"], ethernet)],
            _FOUND,
            cookie=cookie,
        ),
    ]
