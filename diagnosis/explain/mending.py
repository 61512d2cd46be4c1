"""What to do on a hypervisor, where that is what is in the way: words, and commands to run."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from diagnosis.explain.checks import Obstacle, ObstacleKind
from southbound.port_types import EXTERNAL, NESTED
from southbound.rows import PortBinding

Ports: TypeAlias = Mapping[str, PortBinding]
Advice: TypeAlias = tuple[str, tuple[str, ...]]
"""A sentence, and commands."""


def _plug(obstacle: Obstacle, ports: Ports) -> Advice:
    port = ports[obstacle.detail]
    if port.kind is EXTERNAL and not port.requested_chassis:
        return f"give {port.name} an ha_chassis_group, whose chassis serve it", ()
    if port.kind.leads_outside or port.kind is EXTERNAL:
        where = " or ".join(port.requested_chassis)
        text = f"start the agent on one of the chassis that {port.name} may be on: {where}"
        return text, ("systemctl start treadle-agent",)
    where = " or ".join(port.requested_chassis) or "the hypervisor of its workload"
    name = port.parent_name if port.kind is NESTED else port.name
    command = f"ovs-vsctl set Interface INTERFACE external_ids:iface-id={name}"
    return f"on {where}, tell Open vSwitch which interface is port {name}", (command,)


def _await_flows(obstacle: Obstacle, ports: Ports) -> Advice:
    chassis = ports[obstacle.detail].chassis
    text = f"ask the agent on chassis {chassis} what keeps the port from coming up"
    return text, ("treadle agent status",)


def _revive(obstacle: Obstacle, ports: Ports) -> Advice:
    chassis = ports[obstacle.detail].chassis
    text = f"start the agent on chassis {chassis}, or the workload on another hypervisor"
    return text, ("systemctl start treadle-agent",)


def _ask_agent(obstacle: Obstacle, _: Ports) -> Advice:
    text = f"ask the agent on chassis {obstacle.detail} what keeps it from being up to date"
    return text, ("treadle agent status",)


def _calm(obstacle: Obstacle, _: Ports) -> Advice:
    where = f"on chassis {obstacle.detail} the agent counts what it is handed"
    text = f"find out of what the workload sends so much: {where}, by sender and by kind"
    return text, ("treadle agent status --json",)


def _mend_tunnel(obstacle: Obstacle, _: Ports) -> Advice:
    text = (
        f"mend the underlay between the chassis, or their tunnel addresses; on chassis "
        f"{obstacle.detail} these commands tell more"
    )
    return text, ("treadle show chassis", "treadle agent status")


def _mind_tunnel(obstacle: Obstacle, _: Ports) -> Advice:
    text = (
        f"tell workloads the MTU that is left for them, by DHCP and router advertisements, or "
        f"raise that of the underlay; on chassis {obstacle.detail} these commands tell more"
    )
    return text, ("treadle show chassis", "treadle agent status")


def _map_bridge(obstacle: Obstacle, _: Ports) -> Advice:
    text = (
        f"on {obstacle.detail}, say which bridge leads to the provider network, beside what is "
        "mapped already"
    )
    setting = "external_ids:treadle-bridge-mappings"
    return text, (
        f"ovs-vsctl --if-exists get Open_vSwitch . {setting}",
        f"ovs-vsctl set Open_vSwitch . {setting}=MAPPED,NETWORK:BRIDGE",
    )


MENDING: Final[Mapping[ObstacleKind, Callable[[Obstacle, Ports], Advice]]] = {
    ObstacleKind.UNBOUND: _plug,
    ObstacleKind.NOT_UP: _await_flows,
    ObstacleKind.DEAD_CHASSIS: _revive,
    ObstacleKind.AGENT: _ask_agent,
    ObstacleKind.FLOOD: _calm,
    ObstacleKind.UNREACHABLE: _mend_tunnel,
    ObstacleKind.NO_BRIDGE: _map_bridge,
    ObstacleKind.TUNNEL_MTU: _mind_tunnel,
}
