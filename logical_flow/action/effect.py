"""How an action takes part in a packet walk: where it runs, what it may ask, what follows."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from logical_flow.action.base import Actions
    from logical_flow.connections import Connections
    from logical_flow.evaluate import Packet
    from logical_flow.flow_table import Entry, StagePlace
    from logical_flow.packet import MutablePacket
    from logical_flow.walk_events import Visit
    from logical_flow.walk_network import Network

ONE_OF = "one of"
"""How the kind of a copy begins that stands for what may become of a packet."""

FLOW_SAYS_SO = "the flow says so"
"""Why a packet was dropped whose flow does nothing with it."""


class Position(NamedTuple):
    """Where a packet is or goes on: a table of a pipeline of a datapath."""

    datapath: str
    pipeline: str
    table: int

    @property
    def after(self) -> Position:
        return self._replace(table=self.table + 1)

    @property
    def is_ingress(self) -> bool:
        return self.pipeline.endswith("_in")


class Scene(NamedTuple):
    """The flow whose actions run; `level` counts the braces around the current one."""

    position: Position
    place: StagePlace | None = None
    entry: Entry | None = None
    visit: Visit | None = None
    level: int = 0


class Course(Enum):
    """How the list of actions goes on."""

    CONTINUE = "the packet's fate is still open"
    HANDLED = "go on, but something was done with the packet"
    ENDED = "the packet ended here"


Effect = Position | Course


class Way(NamedTuple):
    """One of several ways that a packet may take: in words, and what there is then."""

    label: str
    packet: MutablePacket
    connections: Connections


class Walker(Protocol):
    """What actions need of the walk that they are part of."""

    @property
    def network(self) -> Network: ...

    def remark(self, what: str, *values: str) -> None:
        """Add to the walk's events that something was learned, committed or logged."""

    def send(self, scene: Scene, packet: MutablePacket) -> None:
        """Hand the packet to the egress pipeline, or at its end to the port itself."""

    def branch(self, scene: Scene, kind: str, actions: Actions, packet: MutablePacket) -> None:
        """Run nested actions on another packet, of that kind, all the way."""

    def fare_alike(self, packets: Sequence[Packet], position: Position) -> bool:
        """Return whether the packets all end alike there; False if that can't be told."""

    def follow_one_of(self, ways: Sequence[Way], position: Position) -> None:
        """Follow each of the ways, of which the packet takes one, and it isn't known which."""

    def drop(self, scene: Scene, packet: Packet, reason: str, *, certain: bool = True) -> None:
        """End the packet."""
