"""The flows of a router: for all of its ports, and for each of them."""

from incremental import Read
from logical_flow.template import LogicalFlow
from translator.derivations.result import Flows
from translator.features.gateways.flows import redirect_flows
from translator.features.gateways.relations import gateway_of, redirect_of
from translator.features.load_balancing.router_flows import (
    answering_flows,
    forced_sources,
    gateway_balancing_flows,
    own_source_flows,
    router_balancing_flows,
)
from translator.features.nat.flows import (
    expired_elsewhere_flows,
    forced_flows,
    gateway_port_error_flows,
    gateway_router_error_flows,
    translating_flows,
)
from translator.features.nat.relations import is_translated, translating_routers
from translator.features.neighbours.flows import peer_flows, router_neighbour_flows
from translator.features.neighbours.learning import learning_flows
from translator.features.router.flows import (
    admission_flows,
    closed_router_flow,
    delivery_flow,
    expiry_again_flows,
    own_address_flows,
    router_input_flows,
)
from translator.features.routing.flows import connected_route_flows, router_routing_flows
from translator.features.routing.replies import reply_flows
from translator.inputs import LogicalRouter, LogicalRouterPort


def router_flows(read: Read, router: str) -> Flows:
    """Return the flows that are the same for every router, and those of all that translate."""
    flows = (*router_input_flows(), *router_neighbour_flows(), *router_routing_flows())
    if gateway_of(read, router):
        flows += tuple(reply_flows(read, router))
    if read.any(translating_routers, router):
        flows += (*translating_flows(), *router_balancing_flows(read, router))
        if gateway_of(read, router):
            flows += (*gateway_router_error_flows(), *forced_flows(read, router))
    return Flows(router, "logical_router", router, flows)


def closed_router_flows(_read: Read, router: str) -> Flows:
    """Return flows for a router that could not be derived, which let nothing enter."""
    return Flows(router, "logical_router", router, (closed_router_flow(),))


def _translated(read: Read, port: LogicalRouterPort) -> frozenset[bytes]:
    """Return the addresses of a port that its router translates to, or from, others."""
    own = [*(network.ip for network in port.networks4), *port.addresses6]
    translated = (ip for ip in own if is_translated(read, port.router, ip))
    return forced_sources(read, port).union(translated)


def router_port_flows(read: Read, lrp: str) -> Flows | None:
    """All flows of one router port; those of a disabled router have none.

    Nothing comes in or leaves through a port that is disabled. But its addresses stay
    the router's own, and what is routed to it takes no other way.
    """
    port = read(LogicalRouterPort, lrp)
    router = None if port is None else read(LogicalRouter, port.router)
    if port is None or router is None:
        return None
    flows: list[LogicalFlow] = []
    if router.enabled:
        if port.enabled:
            flows += admission_flows(port)
            flows += learning_flows(port, always=router.learns_always)
        flows += own_address_flows(port, _translated(read, port))
        flows += connected_route_flows(port)
        flows += peer_flows(read, port)
        flows += redirect_flows(read, port)
        if redirect_of(port):
            flows += expiry_again_flows(port)
        if redirect_of(port) and read.any(translating_routers, port.router):
            flows += gateway_port_error_flows(port.name, redirect_of(port))
            flows += expired_elsewhere_flows(read, port)
            flows += gateway_balancing_flows(read, port)
        flows += own_source_flows(read, port)
        flows += answering_flows(read, port)
        flows.append(delivery_flow(port))
    return Flows(port.router, "logical_router_port", lrp, tuple(flows))
