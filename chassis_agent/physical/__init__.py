"""Flows that no logical flow stands for: between interfaces, tunnels and logical ports.

All of it is pure: rows and numbers in, flows out.
"""

from chassis_agent.physical.learned import fdb_flows, neighbour_flows
from chassis_agent.physical.moves import blocked_flows, copy_flows, tells_of_arrival
from chassis_agent.physical.multicast import group_flows
from chassis_agent.physical.narrow import narrow_tunnel_flows, router_flows
from chassis_agent.physical.ports import (
    Side,
    Zones,
    alias_flow,
    forwarding_flow,
    interface_flows,
    link_here_flows,
    nested_flows,
    patch_flows,
    redirect_flow,
    remote_flows,
)
from chassis_agent.physical.probes import probe_flows
from chassis_agent.physical.provider import external_flows, native_flows, outside_flows
from chassis_agent.physical.shares import elsewhere_flows
from chassis_agent.physical.tunnels import Tunnel, ingress_flows

__all__ = [
    "Side",
    "Tunnel",
    "Zones",
    "alias_flow",
    "blocked_flows",
    "copy_flows",
    "elsewhere_flows",
    "external_flows",
    "fdb_flows",
    "forwarding_flow",
    "group_flows",
    "ingress_flows",
    "interface_flows",
    "link_here_flows",
    "narrow_tunnel_flows",
    "native_flows",
    "neighbour_flows",
    "nested_flows",
    "outside_flows",
    "patch_flows",
    "probe_flows",
    "redirect_flow",
    "remote_flows",
    "router_flows",
    "tells_of_arrival",
]
