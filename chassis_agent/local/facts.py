"""From the picture of the switch and the port rows to the facts that flows are made from. Pure.

:class:`LocalFacts` remembers what it said before, so that it says only what
changed: to the engine (where interfaces and zones are), to the server (claims),
and to the database (zones to remember).
"""

import math
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from chassis_agent.bridge.tunnels import tunnel_ofport
from chassis_agent.gateways.sessions import GatewayHost, TunnelSession, TunnelSessions
from chassis_agent.inputs import (
    Change,
    LocalPort,
    NarrowTunnel,
    OutsidePatch,
    ProviderBridge,
    SpokenFor,
    SwitchPort,
    ThisChassis,
    Zone,
    dnat_zone,
    route_zone,
    snat_zone,
)
from chassis_agent.local.bindings import Bindings, Plugged, plugged_ports, settle
from chassis_agent.local.moves import MovingPorts
from chassis_agent.local.port_names import PortNames
from chassis_agent.local.provider import ProviderBridges, outside_ports
from chassis_agent.local.virtual import VirtualPorts
from chassis_agent.local.zones import Assignment, ZoneAllocator
from chassis_agent.ovsdb.view import Bridge


class LocalChange(NamedTuple):
    """What is new on this host."""

    facts: list[Change]
    zones: Assignment
    plugged: frozenset[str]
    unplugged: frozenset[str]


class LocalFacts:
    """What this host is to its flows."""

    def __init__(
        self,
        chassis: str,
        zones: ZoneAllocator,
        clock: Callable[[], float] = time.monotonic,
        is_connected: Callable[[], bool] = lambda: True,
        last_stall: Callable[[], float] = lambda: -math.inf,
    ) -> None:
        """`is_connected` says whether there is a connection to the server, `last_stall` when the
        switch was last seen not to run."""
        self.tunnel_sessions = TunnelSessions(clock, last_stall)
        self._is_connected = is_connected
        self._chassis = chassis
        self._zones = zones
        self._facts: dict[tuple[type[Any], str], Any] = {}
        self.moves = MovingPorts(chassis)
        self.virtual = VirtualPorts(clock)
        self.narrow_tunnels: Mapping[str, int] = {}
        """The biggest frame for each chassis to which not all that is sent here can go."""
        self.plugged: Mapping[str, Plugged] = {}
        self.bindings = Bindings({}, {}, frozenset())
        self.outside: Mapping[str, str] = {}
        """The ports that lead to provider networks from here, and their datapaths."""

    @property
    def zones(self) -> Mapping[str, int]:
        return self._zones.zones

    @property
    def port_zones(self) -> Mapping[str, int]:
        """The zones of the ports that are bound here, by port."""
        zones = self.zones
        return {name: zones[name] for name in self.bindings.bound if name in zones}

    def update(
        self,
        bridge: Bridge,
        provider: ProviderBridges,
        ports: PortNames,
        routers: Callable[[Bindings], Collection[str]],
        *,
        all_rows_known: bool,
    ) -> LocalChange:
        """Takes the picture of the bridge and the port rows that `ports` has.

        `provider` are the bridges that lead to provider networks.

        `routers` gives the ids of the routers that this host needs for its ports.
        Zones are only given up when all rows are known: a port whose row is on its
        way after a restart keeps its zone, and with it its connections.
        """
        before = self.plugged.keys()
        self.plugged = plugged_ports(bridge.interfaces.values())
        rows = {name: row for name in self.plugged if (row := ports.called(name)) is not None}
        self.bindings = settle(self.plugged, rows, self._chassis, ports.nested)
        leading = {name: ports.called(name) for name, _ in outside_ports(bridge)}
        self.outside = {name: row.datapath for name, row in leading.items() if row is not None}
        self.virtual.retain(self.bindings.bound)
        self.moves.retain(bound.row for bound in self.bindings.bound.values())
        wanted = set(self._zone_names(routers(self.bindings), ports))
        zones = self._zones.assign(wanted if all_rows_known else wanted | self.zones.keys())
        facts = dict(self._wanted(bridge, provider))
        changes: list[Change] = [
            (*key, facts.get(key))
            for key in facts.keys() | self._facts.keys()
            if facts.get(key) != self._facts.get(key)
        ]
        self._facts = facts
        return LocalChange(
            changes,
            zones,
            frozenset(self.plugged.keys() - before),
            frozenset(before - self.plugged.keys()),
        )

    def _zone_names(self, routers: Iterable[str], ports: PortNames) -> Iterator[str]:
        yield from self.bindings.bound
        yield from self.outside
        for router in routers:
            yield dnat_zone(router)
            yield snat_zone(router)
            if ports.is_gateway_router(router):
                yield route_zone(router)

    def _wanted(
        self, bridge: Bridge, provider: ProviderBridges
    ) -> Iterator[tuple[tuple[type[Any], str], Any]]:
        yield (ThisChassis, ""), ThisChassis(self._chassis, tunnel_ofport(bridge), bridge.name)
        for chassis, size in self.narrow_tunnels.items():
            yield (NarrowTunnel, chassis), NarrowTunnel(size)
        for network, name in provider.bridges.items():
            yield (ProviderBridge, network), ProviderBridge(name)
        for patch, name in provider.patches.items():
            yield (OutsidePatch, patch), OutsidePatch(name)
        for name, ofport in outside_ports(bridge):
            yield (LocalPort, name), LocalPort(ofport)
        for chassis, session in self.tunnel_sessions.look(bridge).items():
            yield (TunnelSession, chassis), session
        if self.tunnel_sessions.is_isolated(is_connected=self._is_connected()):
            yield (GatewayHost, ""), GatewayHost(is_isolated=True)
        for name, bound in self.bindings.bound.items():
            plugged = bound.plugged
            yield (
                (LocalPort, name),
                LocalPort(plugged.ofport, bound.row.tag, self.moves.is_blocked(bound.row)),
            )
            yield (SwitchPort, name), SwitchPort(bridge.name, plugged.switch_port, plugged.queues)
        for name, parent in self.virtual.spoken_for.items():
            yield (SpokenFor, name), SpokenFor(parent)
        for name, zone in self._zones.zones.items():
            yield (Zone, name), Zone(zone)
