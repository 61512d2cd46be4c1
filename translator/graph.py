"""All wiring of the translation: which derivation runs over what, in which order.

Reading it from top to bottom is reading how intent becomes realised rows. A
derivation is run for each key of what it is `over`; the relations at the top say
which pairs of objects have to do with each other.
"""

from collections.abc import Callable, Mapping
from typing import Any

from incremental import Graph
from translator import inputs
from translator.derivations import bindings, relations, router, sets, switch, switch_port
from translator.features.acl import flows as acl_flows
from translator.features.acl import meters as acl_meters
from translator.features.acl import names
from translator.features.acl import relations as acls
from translator.features.bfd import flows as bfd_flows
from translator.features.bfd import inputs as bfd_inputs
from translator.features.dhcp import flows as dhcp_flows
from translator.features.dhcp import options as dhcp_options
from translator.features.dhcp import relations as dhcp
from translator.features.dns import records as dns
from translator.features.external_ports import relations as externals
from translator.features.gateways import announcements as gateway_announcements
from translator.features.gateways import relations as gateways
from translator.features.gateways import static as gateways_static
from translator.features.load_balancing import announcements as vip_announcements
from translator.features.load_balancing import flows as balancing_flows
from translator.features.load_balancing import health
from translator.features.load_balancing import inputs as balancing_inputs
from translator.features.load_balancing import outside as outside_balancing
from translator.features.load_balancing import relations as balancing
from translator.features.load_balancing import router_flows as router_balancing
from translator.features.load_balancing import variables as chassis_variables
from translator.features.load_balancing.inputs import (
    LoadBalancerBackend,
    LoadBalancerGroupMember,
    LoadBalancerGroupRouter,
    LoadBalancerGroupSwitch,
    LoadBalancerRouter,
    LoadBalancerSwitch,
    LoadBalancerVip,
)
from translator.features.nat import announcements as nat_announcements
from translator.features.nat import flows as nats
from translator.features.nat import relations as translations
from translator.features.nat import rows as nat_rows
from translator.features.nat import translations as nat_translations
from translator.features.neighbours import flows as neighbour_flows
from translator.features.neighbours import learning, static
from translator.features.neighbours import relations as neighbours
from translator.features.path_mtu import flows as path_mtu
from translator.features.policies import flows as policy_flows
from translator.features.policies import inputs as policy_inputs
from translator.features.router_advertisements import flows as advertisements
from translator.features.routing import flows as route_flows
from translator.features.routing import relations as routes
from translator.features.routing import replies
from translator.features.virtual_ports import relations as virtual_ports
from translator.inputs import (
    Acl,
    AddressSet,
    AddressSetAddress,
    InputTable,
    LogicalRouter,
    LogicalRouterPort,
    LogicalSwitch,
    LogicalSwitchPort,
    PortGroup,
    PortGroupPort,
    StaticRoute,
)

Derivations = tuple[Callable[..., Any], ...]

DATAPATHS: Derivations = (bindings.switch_datapath, bindings.router_datapath)
PORTS: Derivations = (
    bindings.switch_port_binding,
    bindings.router_port_binding,
    bindings.redirect_binding,
)
ROWS: Derivations = (
    *DATAPATHS,
    *PORTS,
    advertisements.router_advertisement,
    dns.dns_name,
    gateway_announcements.gateway_announcement,
    nat_announcements.nat_announcement,
    nat_translations.translation,
    vip_announcements.vip_announcement,
    bfd_flows.bfd_session,
    health.virtual_address,
    health.backend_check,
    chassis_variables.chassis_variable,
)
"""Derivations whose results are rows as they are; agents need them in this order."""
FLOWS: Derivations = (
    switch.switch_flows,
    switch_port.switch_port_flows,
    acl_flows.acl_flows,
    dhcp_flows.dhcp_flows,
    dns.dns_flows,
    router.router_flows,
    router.router_port_flows,
    route_flows.static_route_flows,
    route_flows.spreading_flows,
    replies.symmetric_reply_flows,
    policy_flows.router_policy_flows,
    neighbour_flows.neighbour_flows,
    static.static_mac_binding_flows,
    learning.asking_flows,
    advertisements.router_advertisement_flows,
    path_mtu.limit_flows,
    path_mtu.too_big_flows,
    nats.nat_flows,
    nats.nat_switch_flows,
    balancing_flows.switch_vip_flows,
    router_balancing.router_vip_flows,
    router_balancing.asked_vip_flows,
    outside_balancing.outside_answer_flows,
    bfd_flows.bfd_flows,
    health.answer_flows,
)


def translation() -> Graph:
    """The graph from northbound rows to southbound rows and flows."""
    graph = Graph()
    _inputs(graph)
    _relations(graph)
    _rows(graph)
    _flows(graph)
    return graph


INPUTS: Mapping[str, InputTable] = {
    table.name: table
    for table in (
        *inputs.TABLES,
        acl_meters.TABLE,
        bfd_inputs.TABLE,
        dhcp_options.TABLE,
        gateways_static.TABLE,
        static.TABLE,
        nat_rows.TABLE,
        policy_inputs.TABLE,
        *balancing_inputs.TABLES,
        chassis_variables.TABLE,
        *dns.TABLES,
    )
}
"""The northbound tables that translation follows, by name."""


def _inputs(graph: Graph) -> None:
    for table in INPUTS.values():
        graph.table(table.row_type)


def _relations(graph: Graph) -> None:
    graph.group(relations.unknown_ports, over=LogicalSwitchPort)
    graph.group(relations.ports_leading_outside, over=LogicalSwitchPort)
    graph.group(externals.external_ports, over=LogicalSwitchPort)
    graph.group(virtual_ports.workload_ports_named, over=LogicalSwitchPort, on_demand=True)

    graph.group(relations.router_ports_named, over=LogicalRouterPort)
    graph.group(names.address_sets_named, over=AddressSet)
    graph.group(names.port_groups_named, over=PortGroup)
    graph.group(names.switch_ports_named, over=LogicalSwitchPort, on_demand=True)
    graph.group(gateways.gateway_ports, over=LogicalRouterPort)
    graph.group(relations.switch_ports_towards, over=LogicalSwitchPort)
    graph.derive(relations.attachment, over=LogicalSwitchPort, where=relations.leads_to_router_port)
    graph.group(relations.attached_router_ports, over=relations.attachment)
    graph.group(relations.switches_of_router, over=relations.attachment)
    graph.group(relations.router_ports_that_know, over=relations.attachment)
    graph.derive(gateways.residence, over=relations.attachment)
    graph.group(gateways.residents_on_switch, over=gateways.residence)
    graph.derive(neighbours.resolvers, over=LogicalSwitchPort)
    graph.group(neighbours.neighbours, over=neighbours.resolvers)
    graph.derive(neighbours.asked_router_ports, over=relations.unknown_ports)
    graph.group(neighbours.asking, over=neighbours.asked_router_ports)

    graph.group(routes.network_lengths, over=LogicalRouterPort)
    graph.group(routes.ports_by_network, over=LogicalRouterPort)
    graph.group(routes.routes_of_group, over=StaticRoute)
    graph.group(routes.route_groups, over=StaticRoute)
    graph.group(routes.symmetric_groups, over=StaticRoute)
    graph.derive(routes.is_spread, over=routes.route_groups)
    graph.derive(routes.next_hop_beyond, over=StaticRoute)
    graph.group(routes.next_hops_beyond, over=routes.next_hop_beyond)

    graph.group(bfd_inputs.sessions_with, over=bfd_inputs.BfdSession)

    graph.group(chassis_variables.values_of_variable, over=chassis_variables.ChassisTemplateVar)
    graph.derive(translations.external_address, over=nat_rows.Nat)
    graph.group(balancing.vips_of_balancer, over=LoadBalancerVip)
    graph.derive(balancing.front, over=LoadBalancerVip)
    graph.group(balancing.switches_of_group, over=LoadBalancerGroupSwitch)
    graph.group(balancing.routers_of_group, over=LoadBalancerGroupRouter)
    graph.derive(balancing.switch_itself, over=LoadBalancerSwitch)
    graph.derive(balancing.router_itself, over=LoadBalancerRouter)
    graph.derive(balancing.switches_by_group, over=LoadBalancerGroupMember)
    graph.derive(balancing.routers_by_group, over=LoadBalancerGroupMember)
    graph.group(
        balancing.routers_of_balancer, over=[balancing.router_itself, balancing.routers_by_group]
    )
    graph.derive(balancing.switches_by_router, over=balancing.routers_of_balancer)
    graph.group(
        balancing.switches_of_balancer,
        over=[
            balancing.switch_itself,
            balancing.switches_by_group,
            balancing.switches_by_router,
        ],
    )
    graph.derive(balancing.vips_on_router, over=balancing.routers_of_balancer)
    graph.group(balancing.router_vips, over=balancing.vips_on_router)
    graph.derive(balancing.virtual_address, over=balancing.router_vips)
    graph.derive(router_balancing.asked_ports, over=balancing.router_vips)

    for forced in (translations.forced_address4, translations.forced_address6):
        graph.derive(forced, over=LogicalRouter, where=translations.forces_sources)
    translated = [
        translations.external_address,
        translations.forced_address4,
        translations.forced_address6,
        balancing.virtual_address,
    ]
    graph.group(translations.translating_routers, over=translated)
    graph.group(translations.translated_addresses, over=translated)

    graph.derive(dhcp.switch_defaults, over=LogicalSwitch, where=dhcp.has_defaults)
    graph.derive(dhcp.own_options, over=LogicalSwitchPort, where=dhcp.has_own_options)
    graph.group(dhcp.ports_of_switch, over=LogicalSwitchPort, on_demand=True)
    graph.derive(dhcp.inherited_options, over=dhcp.ports_of_switch, within=dhcp.switch_defaults)
    graph.group(dhcp.clients, over=[dhcp.own_options, dhcp.inherited_options])
    graph.group(path_mtu.limited_ports, over=LogicalRouterPort)
    graph.group(dns.switches_of_record_set, over=dns.DnsRecordSetSwitch)
    graph.group(dns.record_sets_of_switch, over=dns.DnsRecordSetSwitch)
    graph.derive(dns.record_placements, over=dns.DnsRecord)
    graph.derive(dns.domain_placements, over=dns.DnsRecordSet)
    graph.group(dns.dns_placements, over=[dns.record_placements, dns.domain_placements])

    graph.derive(acls.membership_switch, over=PortGroupPort)
    graph.group(acls.switches_of_port_group, over=acls.membership_switch)
    graph.group(acls.acls_of_port_group, over=Acl)
    graph.derive(acls.placements_by_switch, over=Acl)
    graph.derive(acls.placements_by_port_group, over=acls.switches_of_port_group)
    graph.group(
        acls.acl_placements,
        over=[acls.placements_by_switch, acls.placements_by_port_group],
    )
    graph.derive(acls.acl_role, over=acls.acl_placements)
    graph.group(acls.stateful_acls, over=acls.acl_role)
    graph.group(acls.acls_after_lb, over=acls.acl_role)
    graph.group(acls.negating_acls, over=acls.acl_role)
    graph.group(acls.acls_in_direction, over=acls.acl_role)

    graph.derive(balancing.vips_on_switch, over=balancing.switches_of_balancer)
    graph.group(balancing.vip_placements, over=balancing.vips_on_switch)
    graph.derive(outside_balancing.asked_from_outside, over=balancing.vip_placements)
    graph.group(outside_balancing.vips_answered_for, over=outside_balancing.asked_from_outside)
    graph.group(
        router_balancing.vips_asked_for,
        over=[router_balancing.asked_ports, outside_balancing.asked_from_outside],
    )
    graph.group(health.places_of_backends, over=LoadBalancerBackend)
    graph.derive(health.checked, over=LoadBalancerVip)
    graph.group(health.checked_members, over=LoadBalancerVip)


def _rows(graph: Graph) -> None:
    graph.derive(bindings.switch_datapath, over=LogicalSwitch, output=True)
    graph.derive(bindings.router_datapath, over=LogicalRouter, output=True)
    graph.derive(bindings.switch_port_binding, over=LogicalSwitchPort, output=True)
    graph.derive(bindings.router_port_binding, over=LogicalRouterPort, output=True)
    graph.derive(
        advertisements.router_advertisement,
        over=LogicalRouterPort,
        where=advertisements.advertises,
        output=True,
    )
    graph.derive(
        bindings.redirect_binding,
        over=LogicalRouterPort,
        where=bindings.may_be_redirected_to,
        output=True,
    )
    graph.derive(dns.dns_name, over=dns.dns_placements, output=True)
    graph.derive(gateway_announcements.gateway_announcement, over=LogicalRouterPort, output=True)
    graph.derive(nat_announcements.nat_announcement, over=nat_rows.Nat, output=True)
    graph.derive(nat_translations.translation, over=nat_rows.Nat, output=True)
    graph.derive(
        vip_announcements.vip_announcement, over=router_balancing.vips_asked_for, output=True
    )
    graph.derive(bfd_flows.bfd_session, over=bfd_inputs.BfdSession, output=True)
    graph.derive(health.virtual_address, over=LoadBalancerVip, output=True)
    graph.derive(health.backend_check, over=health.checked_members, output=True)
    graph.group(chassis_variables.variables_of_chassis, over=chassis_variables.ChassisTemplateVar)
    graph.derive(
        chassis_variables.chassis_variable,
        over=chassis_variables.variables_of_chassis,
        output=True,
    )
    graph.group(health.asked_hosts, over=health.backend_check)
    graph.group(health.asked_backends, over=health.backend_check)
    graph.derive(sets.address_set_members, over=AddressSetAddress)
    graph.derive(sets.port_group_members, over=PortGroupPort)
    graph.derive(balancing.backend_members, over=LoadBalancerVip)
    graph.derive(balancing.answerers, over=balancing.router_vips)
    graph.derive(balancing.outside_addresses, over=balancing.vip_placements)
    graph.derive(balancing.held_vips, over=balancing.router_vips)
    graph.derive(balancing.answered_vips, over=router_balancing.vips_asked_for)
    graph.derive(externals.vips_beside_external_ports, over=router_balancing.vips_asked_for)
    graph.derive(externals.vips_for_everyone, over=balancing.router_vips)
    graph.group(externals.routers_answering_everyone, over=externals.vips_for_everyone)
    graph.group(
        sets.set_members,
        over=[
            sets.address_set_members,
            sets.port_group_members,
            balancing.backend_members,
            balancing.answerers,
            balancing.outside_addresses,
            balancing.held_vips,
            balancing.answered_vips,
            externals.vips_beside_external_ports,
            externals.vips_for_everyone,
        ],
        output=True,
    )


def _flows(graph: Graph) -> None:
    graph.derive(
        switch.switch_flows, over=LogicalSwitch, fallback=switch.closed_switch_flows, output=True
    )
    graph.derive(
        switch_port.switch_port_flows,
        over=LogicalSwitchPort,
        fallback=switch_port.closed_switch_port_flows,
        output=True,
    )
    graph.derive(
        acl_flows.acl_flows,
        over=acls.acl_placements,
        fallback=acl_flows.closed_acl_flows,
        output=True,
    )
    graph.derive(dhcp_flows.dhcp_flows, over=dhcp.clients, output=True)
    graph.derive(
        router.router_flows, over=LogicalRouter, fallback=router.closed_router_flows, output=True
    )
    graph.derive(router.router_port_flows, over=LogicalRouterPort, output=True)
    graph.derive(route_flows.static_route_flows, over=StaticRoute, output=True)
    graph.derive(route_flows.spreading_flows, over=routes.route_groups, output=True)
    graph.derive(replies.symmetric_reply_flows, over=routes.symmetric_groups, output=True)
    graph.derive(
        policy_flows.router_policy_flows,
        over=policy_inputs.RouterPolicy,
        fallback=policy_flows.closed_router_policy_flows,
        output=True,
    )
    graph.derive(neighbour_flows.neighbour_flows, over=neighbours.neighbours, output=True)
    graph.derive(static.static_mac_binding_flows, over=static.StaticMacBinding, output=True)
    graph.derive(learning.asking_flows, over=neighbours.asking, output=True)
    graph.derive(
        advertisements.router_advertisement_flows,
        over=LogicalRouterPort,
        where=advertisements.advertises,
        output=True,
    )
    graph.derive(
        path_mtu.limit_flows, over=LogicalRouterPort, where=path_mtu.is_limited, output=True
    )
    graph.derive(path_mtu.too_big_flows, over=LogicalRouterPort, output=True)
    graph.derive(nats.nat_flows, over=nat_rows.Nat, output=True)
    graph.derive(nats.nat_switch_flows, over=nat_rows.Nat, output=True)
    graph.derive(balancing_flows.switch_vip_flows, over=balancing.vip_placements, output=True)
    graph.derive(router_balancing.router_vip_flows, over=balancing.router_vips, output=True)
    graph.derive(
        router_balancing.asked_vip_flows, over=router_balancing.vips_asked_for, output=True
    )
    graph.derive(
        outside_balancing.outside_answer_flows,
        over=outside_balancing.vips_answered_for,
        output=True,
    )
    graph.derive(health.answer_flows, over=health.asked_hosts, output=True)
    graph.derive(dns.dns_flows, over=LogicalSwitch, output=True)
    graph.derive(bfd_flows.bfd_flows, over=bfd_inputs.BfdSession, output=True)
