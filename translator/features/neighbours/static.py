"""Neighbours with declared MAC addresses, so that no router asks for them."""

from collections.abc import Iterator
from typing import Annotated, NamedTuple

from incremental import Read
from logical_flow.template import LogicalFlow
from translator.addresses import ip_bytes, mac_bytes
from translator.derivations.result import Flows
from translator.features.gateways.relations import redirect_of
from translator.features.neighbours.stages import LrInArpRequest, LrInArpResolve
from translator.inputs import Column, LogicalRouterPort, input_table


class StaticMacBinding(NamedTuple):
    id: str
    port: Annotated[str, Column("logical_router_port_id")]
    ip: Annotated[bytes, Column("ip", ip_bytes)]
    mac: Annotated[bytes, Column("mac", mac_bytes)]
    overrides: Annotated[bool, Column("override_dynamic_mac")]


TABLE = input_table("static_mac_binding", StaticMacBinding)


def static_mac_binding_flows(read: Read, binding_id: str) -> Flows | None:
    """The MAC address of a neighbour: at once, or where the router has learned none.

    >>> from incremental import RecordedFacts
    >>> from translator.addresses import interface
    >>> lrp = LogicalRouterPort("q", "r", "r-web", 1, True, mac_bytes("0a:00:00:00:00:02"),
    ...     (interface("10.0.0.254/24"),), (), "")
    >>> def told(overrides):
    ...     row = StaticMacBinding(
    ...         "b", "q", ip_bytes("10.0.0.7"), mac_bytes("0a:00:00:00:00:07"), overrides)
    ...     facts = RecordedFacts({LogicalRouterPort: {"q": lrp}, StaticMacBinding: {"b": row}})
    ...     (flow,) = static_mac_binding_flows(facts, "b").flows
    ...     return str(flow).partition(", ")[2]
    >>> print(told(overrides=True))
    priority=50, match=(outport == "r-web" && reg9[9] == 1 && reg0 == 10.0.0.7), \
action=(eth.dst = 0a:00:00:00:00:07; next;)
    >>> print(told(overrides=False))
    priority=250, match=(outport == "r-web" && eth.dst == 00:00:00:00:00:00 && reg9[9] == 1 \
&& reg0 == 10.0.0.7), action=(eth.dst = 0a:00:00:00:00:07; output;)
    """
    row = read(StaticMacBinding, binding_id)
    port = None if row is None else read(LogicalRouterPort, row.port)
    if row is None or port is None:
        return None
    flows = tuple(_flows(port, row))
    return Flows(port.router, TABLE.name, binding_id, flows)


def _flows(port: LogicalRouterPort, row: StaticMacBinding) -> Iterator[LogicalFlow]:
    is_ip4 = len(row.ip) == 4
    if row.overrides:
        bound = LrInArpResolve.bound4 if is_ip4 else LrInArpResolve.bound6
        yield bound(port=port.name, ip=row.ip, mac=row.mac)
    else:
        bound = LrInArpRequest.bound4 if is_ip4 else LrInArpRequest.bound6
        yield bound(port=port.name, ip=row.ip, mac=row.mac)
        redirect = redirect_of(port)
        if redirect:
            # What leaves by a gateway port is on its way there by then, if no floating IP keeps it.
            yield bound(port=redirect, ip=row.ip, mac=row.mac)
