"""A declarative document, realised: the OpenFlow flows of each hypervisor.

Takes a network from where :mod:`tests.translated` leaves it to what an agent
would install, without a server, a database or a switch.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from chassis_agent.compile import ConjunctionIds, StageBook
from chassis_agent.desired.flow import Flow, is_conjunction
from chassis_agent.desired.flow_state import FlowState
from chassis_agent.inputs import (
    LocalPort,
    ThisChassis,
    WatchedRows,
    Zone,
    dnat_zone,
    route_zone,
    snat_zone,
)
from chassis_agent.show import Names, format_flow
from logical_flow.payload import encode_flows
from southbound.port_types import L3_GATEWAY, PlacedBy
from southbound.rows import (
    ROW_TYPES,
    Chassis,
    Encap,
    FlowGroup,
    PortBinding,
    Row,
    SetMember,
    Template,
)
from tests.translated import Translated
from translator.graph import FLOWS
from translator.pipeline import PIPELINES

TUNNEL_OFPORT = 1
FIRST_OFPORT = 11
_FIRST_ZONE = 101


class Realised:
    """A network on hypervisors; `hosts` says which ports are on which."""

    def __init__(self, translated: Translated, hosts: Mapping[str, list[str]]) -> None:
        self.translated = translated
        self.hosts = hosts
        self.chassis_of = {port: chassis for chassis, ports in hosts.items() for port in ports}
        self._templates = [
            Template(*template.as_text())
            for pipeline in PIPELINES
            for template in pipeline.templates
        ]

    @classmethod
    def of(cls, document: Mapping[str, Any], hosts: Mapping[str, list[str]]) -> "Realised":
        return cls(Translated.of(document), hosts)

    def address(self, chassis: str) -> str:
        """Where the tunnels of a hypervisor end."""
        return f"192.0.2.{1 + sorted(self.hosts).index(chassis)}"

    def ofport(self, port: str) -> int:
        """The OpenFlow port of a logical port on its hypervisor."""
        return FIRST_OFPORT + self.hosts[self.chassis_of[port]].index(port)

    def rows(self) -> list[Row]:
        """All rows that agents would get."""
        bound = [
            PortBinding(*(getattr(row, name) for name in row.__struct_fields__))
            for row in self.translated.ports
        ]
        return [
            *self._templates,
            *(
                Chassis(chassis, encaps=(Encap("geneve", self.address(chassis)),))
                for chassis in sorted(self.hosts)
            ),
            *self.translated.datapaths,
            *(self._placed(row) for row in bound),
            *self._groups(),
            *(
                SetMember(name, member)
                for name, members in self.translated.sets.items()
                for member in members
            ),
        ]

    def state(self, chassis: str) -> FlowState:
        """What the agent of a hypervisor computes."""
        state = FlowState(ConjunctionIds().allocate)
        state.apply(
            [
                *WatchedRows(ROW_TYPES).changes(self.rows(), []),
                (ThisChassis, "", ThisChassis(chassis, TUNNEL_OFPORT)),
                *((LocalPort, port, LocalPort(self.ofport(port))) for port in self.hosts[chassis]),
                *((Zone, name, Zone(number)) for number, name, _ in self._zones(chassis)),
            ]
        )
        assert not state.failures, state.failures
        assert not state.clashes, state.clashes
        return state

    def names(self, chassis: str) -> Names:
        """Names for the numbers in the flows of a hypervisor."""
        keys = {row.id: row.tunnel_key for row in self.translated.datapaths}
        interfaces = {self.ofport(port): port for port in self.hosts[chassis]}
        return Names(
            stages=StageBook.of(self._templates).names(),
            kinds={row.tunnel_key: row.kind for row in self.translated.datapaths},
            datapaths={row.tunnel_key: row.name for row in self.translated.datapaths},
            ports={(keys[row.datapath], row.tunnel_key): row.name for row in self.translated.ports},
            interfaces={TUNNEL_OFPORT: "geneve", **interfaces},
            zones={number: shown for number, _, shown in self._zones(chassis)},
            conjunctions=_Numbered(),
        )

    def text(self, chassis: str) -> str:
        """The flows of a hypervisor by name, in a fixed order."""
        names = self.names(chassis)
        flows = sorted(self.state(chassis), key=_place)
        return "".join(f"{format_flow(flow, names)}\n" for flow in flows)

    def _placed(self, row: PortBinding) -> PortBinding:
        """A port where the server says it is; chassis are elected among those of its intent."""
        is_elected = row.kind.placed_by is PlacedBy.ELECTED
        requested = tuple(name for name in row.requested_chassis if name in self.hosts)
        return msgspec.structs.replace(
            row,
            chassis=self.chassis_of.get(row.name, ""),
            candidates=requested if is_elected else row.candidates,
        )

    def _zones(self, chassis: str) -> list[tuple[int, str, str]]:
        """The zones of a hypervisor: number, name, and how it is shown."""
        found = [(port, port) for port in self.hosts[chassis]]
        gateway_routers = {
            row.datapath for row in self.translated.ports if row.kind is L3_GATEWAY
        } - {row.id for row in self.translated.datapaths if row.kind == "ls"}
        for datapath in self.translated.datapaths:
            found += [
                (dnat_zone(datapath.id), f"{datapath.name}-dnat"),
                (snat_zone(datapath.id), f"{datapath.name}-snat"),
            ]
            if datapath.id in gateway_routers:
                found.append((route_zone(datapath.id), f"{datapath.name}-route"))
        return [(_FIRST_ZONE + i, name, shown) for i, (name, shown) in enumerate(found)]

    def _groups(self) -> list[FlowGroup]:
        found = [
            (f"{source.__name__}/{key}/{flows.datapath}", flows)
            for source in FLOWS
            for key, flows in self.translated.engine.rows(source).items()
        ]
        return [
            FlowGroup(
                number,
                flows.datapath,
                "test",
                origin,
                1,
                encode_flows(flows.flows),
            )
            for number, (origin, flows) in enumerate(sorted(found, key=lambda pair: pair[0]), 1)
        ]


class _Numbered(Mapping[int, str]):
    """Names numbers in the order in which they are first met: `c1`, `c2`, …"""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def __getitem__(self, number: int) -> str:
        return self._names.setdefault(number, f"c{len(self._names) + 1}")

    def get(self, number: int, _default: object = None) -> str:  # type: ignore[override]
        return self[number]

    def __iter__(self) -> Iterator[int]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _place(flow: Flow) -> tuple[int, int, bytes]:
    """In the order of tables and priorities, conjunctions after their clauses."""
    conjunction = is_conjunction(flow.match)
    return flow.table, -flow.priority, bytes((conjunction,)) + flow.match
