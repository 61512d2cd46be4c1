"""The flows by which replies go back by the way by which their requests came.

On gateway routers alone: replies on other chassis than that where the requests came in would not
know of them.
"""

from collections.abc import Iterator
from typing import Any

from incremental import Read
from logical_flow.template import LogicalFlow, Template
from translator.derivations.result import Flows
from translator.features.gateways.relations import gateway_of
from translator.features.neighbours.stages import LrInArpResolve
from translator.features.policies.stages import LrInPolicy
from translator.features.routing.flows import output_port
from translator.features.routing.relations import (
    RouteGroup,
    routes_of_group,
    symmetric_groups,
)
from translator.features.routing.stages import LrInEcmpLookup, LrInEcmpStateful, LrInIpRouting
from translator.inputs import LogicalRouter, LogicalRouterPort, StaticRoute


def reply_flows(read: Read, router: str) -> Iterator[LogicalFlow]:
    """Yield the flows that let replies pass policies and neighbours, where a route asks for it."""
    if read.any(symmetric_groups, router):
        yield LrInPolicy.reply()
        yield LrInArpResolve.reply()


def symmetric_reply_flows(read: Read, place: tuple[str, RouteGroup]) -> Flows | None:
    """The flows of the routes of a group that remember by which way connections come.

    A port has them once, however many next hops are behind it; they are those of the oldest route.
    """
    router_id, group = place
    router = read(LogicalRouter, router_id)
    if router is None or not router.enabled or not gateway_of(read, router_id):
        return None
    found = (read(StaticRoute, each) for each in read.members(routes_of_group, group))
    routes = [each for each in found if each is not None and each.symmetric]
    if not routes:
        return None
    oldest = min(routes, key=lambda route: route.number)
    ports = {
        port.id: port
        for route in sorted(routes, key=lambda route: route.number)
        if (port := output_port(read, router_id, route.output_port, route.nexthop)) is not None
    }
    flows = tuple(_flows(group, tuple(ports.values())))
    return Flows(router_id, "static_route", oldest.id, flows)


def _flows(group: RouteGroup, ports: tuple[LogicalRouterPort, ...]) -> Iterator[LogicalFlow]:
    prefix: dict[str, Any] = {"prefix": group.prefix}
    if ports:
        reply = _template(LrInEcmpLookup, "reply", group)
        yield reply(table=group.table, **prefix)
    for port in ports:
        yield _template(LrInEcmpLookup, "request", group)(port=port.name, **prefix)
        remember = _template(LrInEcmpStateful, "request", group)
        yield remember(port=port.name, key=port.tunnel_key, **prefix)
        back = _template(LrInIpRouting, "reply", group)
        yield back(port=port.name, key=port.tunnel_key, mac=port.mac, table=group.table, **prefix)


def _template(stage: type[Any], name: str, group: RouteGroup) -> Template:
    """Return the template for a group: by source or not, and for its family of addresses."""
    family = 4 if len(group.prefix) == 2 * 4 else 6
    by_source = "_by_source" if group.by_source else ""
    template: Template = getattr(stage, f"{name}{by_source}{family}")
    return template
