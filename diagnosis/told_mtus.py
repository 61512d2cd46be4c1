"""Where workloads are told to send packets that are bigger than what tunnels carry.

The MTU that DHCP options and router advertisements tell is compared with what agents have measured
of the tunnels that are in use (:mod:`chassis_agent.underlay.sizes`). An agent measures where the
interfaces of workloads let bigger packets pass, and says nothing of tunnels that carry all of them.
Where every tunnel does, intent isn't read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, CompoundSelect, Select, select, union

from controller.answers import NarrowTunnel
from diagnosis.sources import Sources
from northbound.models import DhcpOptions, LogicalRouterPort, LogicalSwitch, LogicalSwitchPort
from northbound.names import DEFAULT_PROJECT, qualified_name
from northbound.transaction import Reader

_CHASSIS: Final = "chassis"
_OPTIONS: Final = "dhcp_options"
_ROUTER_PORT: Final = "logical_router_port"
_SENTENCES: Final = {
    _OPTIONS: "the DHCP options {} tell workloads an MTU of {}",
    _ROUTER_PORT: "the router port {} tells workloads an MTU of {}",
}


class MtuProblem(NamedTuple):
    """Workloads that may send bigger packets than a tunnel carries, and what lets them.

    `kind` is that of the object that tells them `mtu`, or ``chassis`` for interfaces on it; then
    `id` is the chassis' name, and `mtu` is 0 where an older agent doesn't tell. `tunnel_mtu` is
    what the tunnel from `chassis` to `peer` carries. All sizes are bytes of IP packets.
    """

    kind: str
    id: str
    name: str
    mtu: int
    tunnel_mtu: int
    chassis: str
    peer: str

    @property
    def text(self) -> str:
        carried = f"the tunnel from {self.chassis} to {self.peer} carries {self.tunnel_mtu}"
        if self.kind == _CHASSIS:
            sent = f"packets of {self.mtu} bytes" if self.mtu else "bigger packets"
            return (
                f"the interfaces of workloads and provider networks on {self.chassis} let {sent} "
                f"pass, and {carried}"
            )
        return f"{_SENTENCES[self.kind].format(self.name, self.mtu)}, and {carried}"


class _Told(NamedTuple):
    """An MTU that workloads of some switches are told."""

    kind: str
    id: str
    name: str
    mtu: int
    switches: frozenset[str]


async def mtu_problems(sources: Sources) -> list[MtuProblem]:
    """Return where too much is told, and the chassis whose interfaces let too much pass."""
    narrow = {each.chassis: each for each in await sources.controller.narrow_tunnels()}
    if not narrow:
        return []
    smallest = min(each.mtu for each in narrow.values())
    told = await sources.read(lambda reader: _told(reader, smallest))
    switches = sorted({switch for each in told for switch in each.switches})
    places = await sources.controller.chassis_of(switches)
    return [
        *(problem for each in told for problem in _exceeding(each, places, narrow)),
        *(_of_interfaces(each) for each in narrow.values()),
    ]


def _exceeding(
    told: _Told, places: Mapping[str, Sequence[str]], narrow: Mapping[str, NarrowTunnel]
) -> Iterable[MtuProblem]:
    """Yield the narrowest tunnel of the chassis concerned, if it is too narrow."""
    chassis = {name for switch in told.switches for name in places.get(switch, ())}
    tunnels = [narrow[name] for name in sorted(chassis & narrow.keys())]
    narrowest = min(tunnels, key=lambda tunnel: tunnel.mtu, default=None)
    if narrowest is not None and narrowest.mtu < told.mtu:
        yield MtuProblem(
            *told[:4], tunnel_mtu=narrowest.mtu, chassis=narrowest.chassis, peer=narrowest.peer
        )


def _of_interfaces(tunnel: NarrowTunnel) -> MtuProblem:
    return MtuProblem(
        _CHASSIS, tunnel.chassis, tunnel.chassis, tunnel.largest, tunnel.mtu, *tunnel[:2]
    )


def _told(reader: Reader, above: int) -> list[_Told]:
    """Return what tells an MTU above that, and the switches whose workloads hear it."""
    by_options = DhcpOptions.dhcpv4["mtu"].as_integer()
    by_router = LogicalRouterPort.ipv6_ra["mtu"].as_integer()
    told = []
    for kind, model, mtu, hearers in (
        (_OPTIONS, DhcpOptions, by_options, _users_of_options(by_options > above)),
        (_ROUTER_PORT, LogicalRouterPort, by_router, _attached(by_router > above)),
    ):
        switches: dict[str, set[str]] = defaultdict(set)
        for teller, switch in reader.session.execute(hearers):
            switches[teller].add(switch)
        rows = reader.session.execute(
            select(model.id, model.project, model.name, mtu)
            .where(mtu > above)
            .order_by(model.name, model.id)
        )
        for id_, project, name, size in rows:
            shown = qualified_name(project, name, DEFAULT_PROJECT)
            told.append(_Told(kind, id_, shown, size, frozenset(switches[id_])))
    return told


def _users_of_options(which: ColumnElement[bool]) -> CompoundSelect[Any]:
    """Select DHCP options with the switches that have them, themselves or for some port."""
    id_ = DhcpOptions.id
    return union(
        select(id_, LogicalSwitchPort.logical_switch_id)
        .join(LogicalSwitchPort, LogicalSwitchPort.dhcpv4_options_id == id_)
        .where(which),
        select(id_, LogicalSwitch.id)
        .join(LogicalSwitch, LogicalSwitch.dhcpv4_options_id == id_)
        .where(which),
    )


def _attached(which: ColumnElement[bool]) -> Select[Any, Any]:
    """Select router ports with the switches that they are on."""
    return (
        select(LogicalRouterPort.id, LogicalSwitchPort.logical_switch_id)
        .join(
            LogicalSwitchPort,
            (LogicalSwitchPort.router_port == LogicalRouterPort.name)
            & (LogicalSwitchPort.project == LogicalRouterPort.project),
        )
        .where(which)
    )
