"""What happens to a packet on a walk, and the walk as the list of that."""

from dataclasses import dataclass, field

from logical_flow.action.effect import FLOW_SAYS_SO as FLOW_SAYS_SO
from logical_flow.action.effect import ONE_OF as ONE_OF
from logical_flow.evaluate import Packet
from logical_flow.flow_table import Entry, StagePlace
from logical_flow.packet import Change, format_packet


@dataclass
class Visit:
    """A stage that a packet visited, and what the chosen flow did to the packet.

    `entry` is None where the stage's default was followed; `packet` is the packet as it
    came there.
    """

    depth: int
    datapath: str
    place: StagePlace
    entry: Entry | None
    changes: list[Change] = field(default_factory=list)
    packet: Packet = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        if self.entry is None:
            what = f"{self.place.default}; by default"
        else:
            cause = f"  # {self.entry.cause}" if self.entry.cause else ""
            what = f"{self.entry.flow}{cause}"
        return f"{self.datapath} {what}"


@dataclass
class Crossing:
    """A packet went over a patch port into another datapath, or to the egress pipeline.

    `port` is where it goes: the port that it enters, or the one that it leaves through.
    `packet` is the packet as it got there; to a multicast group still with that as `outport`.
    """

    depth: int
    text: str
    port: str
    packet: Packet

    def __str__(self) -> str:
        return self.text


@dataclass
class Made:
    """A packet that an action made or copied."""

    depth: int
    kind: str
    packet: Packet

    @property
    def is_copy(self) -> bool:
        """Whether it is the packet itself once more, or one of the ways that it may take."""
        return self.kind == "clone" or self.kind.startswith(ONE_OF)

    def __str__(self) -> str:
        return f"{self.kind}: {format_packet(self.packet)}"


@dataclass
class Noted:
    """Something to learn, to commit or to log: `what` is the action, `values` its arguments."""

    depth: int
    what: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.what}({', '.join(self.values)})"


@dataclass
class Delivery:
    """A packet left through a logical port."""

    depth: int
    port: str
    packet: Packet

    def __str__(self) -> str:
        return f"delivered to {self.port}"


@dataclass
class Drop:
    """A packet ended, and where: `entry` is the flow, None for a stage's default.

    It is not `certain` where it may as well have gone on: the `reason` is then what is not
    known, or not defined. Not defined is which of `entry` and its `rivals` decides, flows of
    the same priority that all fit.
    """

    depth: int
    datapath: str
    place: StagePlace | None
    entry: Entry | None
    reason: str
    packet: Packet
    certain: bool = True
    rivals: tuple[Entry, ...] = ()

    def __str__(self) -> str:
        stage = self.place.name if self.place else "the end of the pipeline"
        return f"dropped in {self.datapath} at {stage}: {self.reason}"


Event = Visit | Crossing | Made | Noted | Delivery | Drop


_METADATA = ("reg", "xreg", "xxreg", "flags", "ct_", "ct.", "pkt.mark")
_NO_TRAFFIC = ("ct_commit", "ct_lb", "ct_snat", "ct_dnat", "log")


@dataclass
class Walk:
    """What happened to a packet, in the order in which it happened."""

    events: list[Event] = field(default_factory=list)

    @property
    def visits(self) -> list[Visit]:
        return [event for event in self.events if isinstance(event, Visit)]

    @property
    def deliveries(self) -> list[Delivery]:
        return [event for event in self.events if isinstance(event, Delivery)]

    @property
    def drops(self) -> list[Drop]:
        return [event for event in self.events if isinstance(event, Drop)]

    @property
    def made(self) -> list[Made]:
        return [event for event in self.events if isinstance(event, Made)]

    @property
    def noted(self) -> list[Noted]:
        return [event for event in self.events if isinstance(event, Noted)]

    def outcome(self) -> list[str]:
        """Return what others notice: what left through which port, and what was learned.

        Walks of the same outcome do the same with a packet, by whatever way. Marks and
        labels of connections, and logs, are not part of it.
        """
        found = [f"{drop.reason}" for drop in self.drops if not drop.certain]
        for event in self.events:
            if isinstance(event, Delivery):
                headers = {k: v for k, v in event.packet.items() if not k.startswith(_METADATA)}
                found.append(f"{event.port} {sorted(headers.items())}")
            elif isinstance(event, Noted) and event.what not in _NO_TRAFFIC:
                found.append(str(event))
        return sorted(found)

    def lines(self) -> list[str]:
        """Return the walk for readers: an event a line, indented by depth, changes below it."""
        found = []
        for event in self.events:
            indent = "  " * event.depth
            found.append(f"{indent}{event}")
            if isinstance(event, Visit):
                found.extend(f"{indent}    {change}" for change in event.changes)
        return found
