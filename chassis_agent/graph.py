"""The wiring of everything that flows are computed from. The order is that of a batch."""

from typing import Any, NamedTuple

from chassis_agent.derivations.acls import (
    acl_groups,
    group_sets,
    port_acls,
    port_groups_of,
    switch_acls,
    switches_with_ports,
)
from chassis_agent.derivations.announcements import (
    addresses_here,
    announced_by_gateway,
    announced_row,
    announced_workload,
    announced_workloads_of,
    announcing_switch,
    elected_ways_of,
    way_in_charge,
)
from chassis_agent.derivations.backends import (
    answering_backends,
    checked_backends,
    checks_here,
)
from chassis_agent.derivations.live_backends import (
    fronts_at,
    live_backends,
    placed_front,
    uses_of_backends,
)
from chassis_agent.derivations.logical import GroupPacker, hit_counters, used_sets
from chassis_agent.derivations.placement import (
    addresses,
    datapath_key,
    multicast_groups,
    multicast_members,
    placement,
    residents,
    tunnel,
)
from chassis_agent.derivations.ports import (
    elsewhere_share_flows,
    has_narrow_tunnel,
    learned_fdb_flows,
    learned_mac_flows,
    multicast_flows,
    port_flows,
    router_size_flows,
    tunnel_flows,
    tunnel_probe_flows,
    tunnel_size_flows,
)
from chassis_agent.derivations.provider import (
    chassis_macs,
    outside_ports_of,
    ports_leading_outside,
    provider_rows,
    redirects_of,
    router_macs,
)
from chassis_agent.derivations.queues import ports_with_queues, queue_rows, queues_by_port
from chassis_agent.derivations.reach import links_of, network_out_of_reach, workloads_here
from chassis_agent.derivations.stages import (
    default_flows,
    group_stages,
    stages_with_flows,
    used_stages,
)
from chassis_agent.derivations.templates import (
    all_stages,
    all_templates,
    compiled_template,
    once,
    stage_book,
    template_shelf,
)
from chassis_agent.derivations.translations import translations, translations_of
from chassis_agent.derivations.variables import (
    address_here,
    expanded_member,
    members_with_variables,
    set_members,
    unresolved_variables,
)
from chassis_agent.desired.identity import Numbering
from chassis_agent.gateways.election import watched_chassis
from chassis_agent.gateways.rows import session_rows
from chassis_agent.gateways.sessions import GatewayHost, TunnelSession
from chassis_agent.inputs import (
    LocalPort,
    NarrowTunnel,
    NeighbourAlive,
    OutsidePatch,
    ProviderBridge,
    SpokenFor,
    SwitchPort,
    ThisChassis,
    Zone,
)
from incremental import Graph
from southbound.rows import (
    ROW_TYPES,
    Announcement,
    BackendCheck,
    BackendStatus,
    Chassis,
    Datapath,
    FdbEntry,
    FlowGroup,
    MacBinding,
    PortBinding,
    SetMember,
    Stage,
    Template,
    Translation,
    VirtualAddress,
)


class Wiring(NamedTuple):
    """The graph, the derivation of flow groups, and the others that the switch is filled from.

    Results of `flow_sources` are plain flows, those of `object_sources` are
    :class:`~chassis_agent.desired.wanted.Wanted`, or None.
    """

    graph: Graph
    group_flows: Any
    flow_sources: tuple[Any, ...]
    object_sources: tuple[Any, ...]


def wire(numbering: Numbering) -> Wiring:
    graph = Graph()
    for row_type in ROW_TYPES.values():
        graph.table(row_type)
    for fact in (
        ThisChassis,
        LocalPort,
        NarrowTunnel,
        SpokenFor,
        SwitchPort,
        ProviderBridge,
        OutsidePatch,
        Zone,
        TunnelSession,
        GatewayHost,
        NeighbourAlive,
    ):
        graph.table(fact)

    graph.group(has_narrow_tunnel, over=NarrowTunnel)
    graph.group(watched_chassis, over=PortBinding)
    graph.group(outside_ports_of, over=PortBinding)
    graph.derive(placement, over=PortBinding)
    graph.derive(datapath_key, over=Datapath)
    graph.group(router_macs, over=PortBinding)
    graph.group(redirects_of, over=PortBinding)
    graph.group(chassis_macs, over=Chassis)
    graph.group(ports_leading_outside, over=PortBinding)
    graph.derive(provider_rows, over=ports_leading_outside, output=True)
    graph.group(links_of, over=PortBinding)
    graph.group(workloads_here, over=placement)
    graph.derive(addresses, over=Chassis)
    graph.derive(tunnel, over=Chassis)
    graph.derive(session_rows, over=Chassis, output=True)

    packer = GroupPacker(numbering)
    graph.derive(compiled_template, over=Template)
    graph.group(all_templates, over=Template)
    graph.group(all_stages, over=Stage)
    graph.group(once, over=Template)
    graph.derive(stage_book, over=once)
    graph.derive(template_shelf, over=once)
    graph.derive(group_stages, over=FlowGroup)
    graph.group(stages_with_flows, over=group_stages)
    graph.derive(used_stages, over=Datapath)

    graph.derive(address_here, over=VirtualAddress)
    graph.group(members_with_variables, over=SetMember)
    graph.derive(expanded_member, over=members_with_variables)
    graph.group(set_members, over=(SetMember, expanded_member))
    graph.group(checked_backends, over=BackendCheck)
    graph.group(answering_backends, over=BackendStatus)
    graph.derive(checks_here, over=BackendCheck)
    graph.derive(packer.group_flows, over=FlowGroup, output=True)
    graph.group(used_sets, over=packer.group_flows, output=True)
    graph.group(uses_of_backends, over=packer.group_flows)
    graph.group(unresolved_variables, over=(address_here, expanded_member, packer.group_flows))
    graph.derive(live_backends, over=VirtualAddress, output=True)
    graph.derive(placed_front, over=uses_of_backends, output=True)
    graph.group(fronts_at, over=placed_front)
    graph.derive(translations, over=Translation, output=True)
    graph.group(translations_of, over=Translation)
    graph.group(hit_counters, over=packer.group_flows)
    graph.group(packer.groups_by_set, over=packer.group_flows)
    graph.derive(packer.member_flows, over=set_members, output=True)
    graph.group(queues_by_port, over=packer.group_flows)
    graph.group(ports_with_queues, over=packer.group_flows)
    graph.derive(queue_rows, over=ports_with_queues, output=True)

    graph.group(acl_groups, over=group_stages)
    graph.group(group_sets, over=packer.group_flows)
    graph.group(port_groups_of, over=SetMember)
    graph.group(switches_with_ports, over=placement)
    graph.derive(switch_acls, over=switches_with_ports)
    graph.derive(port_acls, over=LocalPort, output=True)

    graph.group(multicast_members, over=placement)
    graph.group(residents, over=placement)
    graph.group(multicast_groups, over=placement)
    flow_sources: tuple[Any, ...] = (
        packer.member_flows,
        default_flows,
        port_flows,
        elsewhere_share_flows,
        tunnel_flows,
        tunnel_probe_flows,
        tunnel_size_flows,
        router_size_flows,
        learned_mac_flows,
        learned_fdb_flows,
    )
    object_sources: tuple[Any, ...] = (
        multicast_flows,
        session_rows,
        queue_rows,
        provider_rows,
    )
    graph.derive(announcing_switch, over=Announcement)
    graph.group(addresses_here, over=announcing_switch)
    graph.derive(network_out_of_reach, over=ports_leading_outside)
    graph.derive(announced_row, over=Announcement, output=True)
    graph.derive(announced_workload, over=LocalPort, output=True)
    graph.group(elected_ways_of, over=PortBinding)
    graph.derive(way_in_charge, over=Datapath)
    graph.group(announced_workloads_of, over=PortBinding, on_demand=True)
    graph.derive(
        announced_by_gateway, over=announced_workloads_of, within=way_in_charge, output=True
    )
    graph.derive(default_flows, over=Datapath, output=True)
    graph.derive(port_flows, over=PortBinding, output=True)
    graph.derive(multicast_flows, over=multicast_groups, output=True)
    graph.derive(elsewhere_share_flows, over=ThisChassis, output=True)
    graph.derive(tunnel_flows, over=Chassis, output=True)
    graph.derive(tunnel_probe_flows, over=ThisChassis, output=True)
    graph.derive(tunnel_size_flows, over=ThisChassis, output=True)
    graph.derive(router_size_flows, over=Datapath, output=True)
    graph.derive(learned_mac_flows, over=MacBinding, output=True)
    graph.derive(learned_fdb_flows, over=FdbEntry, output=True)
    return Wiring(graph, packer.group_flows, flow_sources, object_sources)
