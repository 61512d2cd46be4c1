"""What a packet walk goes through: datapaths, ports, flows, sets, and what was learned.

Ports and datapaths are anything with the right attributes; the rows that agents and
server share are.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Protocol

from logical_flow.connections import Connections, ConnectionTable
from logical_flow.evaluate import Sets
from logical_flow.flow_table import Flows, Layout
from logical_flow.names import NameTable


class WalkPort(Protocol):
    """A logical port; rows of port bindings are such."""

    @property
    def name(self) -> str: ...
    @property
    def datapath(self) -> str: ...
    @property
    def joins_datapaths(self) -> bool:
        """Whether what leaves through the port enters the datapath of its `peer`."""
        ...

    @property
    def peer(self) -> str: ...
    @property
    def distributed_port(self) -> str:
        """The gateway port that it stands for, by which packets to it leave; empty for others."""
        ...

    @property
    def virtual_parents(self) -> Collection[str]:
        """The ports of which one at a time has its address; none for others."""
        ...

    @property
    def virtual_parent(self) -> str:
        """The one of them that packets to it go on to; empty as long as none has spoken."""
        ...

    @property
    def multicast(self) -> Collection[str]: ...


class WalkDatapath(Protocol):
    """A logical switch or router; rows of datapaths are such."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...


class Network:
    """Everything that a packet may meet.

    `neighbours` maps (port, IP address) to MAC addresses, `learned` maps (datapath,
    MAC address) to ports; addresses are canonical text. `names` are those that are known on a
    datapath.
    """

    def __init__(
        self,
        *,
        datapaths: Collection[WalkDatapath],
        ports: Collection[WalkPort],
        layout: Layout,
        flows: Mapping[str, Flows],
        sets: Sets | None = None,
        neighbours: Mapping[tuple[str, str], str] | None = None,
        learned: Mapping[tuple[str, str], str] | None = None,
        connections: Connections | None = None,
        names: Mapping[str, NameTable] | None = None,
    ) -> None:
        self.datapaths = {datapath.id: datapath for datapath in datapaths}
        self.ports = {port.name: port for port in ports}
        self.layout = layout
        self.flows = flows
        self.sets = sets or Sets()
        self.neighbours = neighbours or {}
        self.learned = learned or {}
        self.names = names or {}
        self.connections: Connections = connections or ConnectionTable()
        self.groups: dict[tuple[str, str], list[str]] = defaultdict(list)
        for port in sorted(ports, key=lambda port: port.name):
            for group in port.multicast:
                self.groups[port.datapath, group].append(port.name)
