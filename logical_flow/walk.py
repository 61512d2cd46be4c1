"""The packet walk: what logical flows do to a packet, step by step.

This is the reference semantics of the language. The compiled OpenFlow has to agree
with it, and traces are made of it. A walk starts where a packet enters a logical port
and follows it through ingress and egress pipelines, over patch ports into other
datapaths, to each member of a multicast group, and along with the packets that
actions make, until all of them were delivered or dropped.

* Entering the egress pipeline clears the general registers and what the connection
  tracker said. Flags stay: they are lost only on the way to another hypervisor.
* Crossing to another datapath clears the flags and the output port as well.
* ``next;`` goes to the next stage that has flows, or that drops by default. Beyond the
  last one a packet is dropped.
* A packet whose fields aren't all known is dropped where it matters what they are.
* Fragments are seen as by a switch, without ports and the like.
* Where several flows of the highest priority fit and do different things, a switch follows
  any of them. Each is tried, and if that makes a difference the packet's fate is undefined.

What happens is a list of *events*, each with its depth in the tree of copies.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy, deepcopy
from dataclasses import dataclass

from logical_flow.action import Actions
from logical_flow.action.effect import FLOW_SAYS_SO, ONE_OF, Course, Position, Scene, Way
from logical_flow.endpoints import TRANSLATION_FIELDS
from logical_flow.errors import WalkError
from logical_flow.evaluate import Packet, read
from logical_flow.fields import field_slice
from logical_flow.flow_table import Entry
from logical_flow.fragments import as_switch_sees
from logical_flow.packet import MutablePacket, changes, format_value
from logical_flow.walk_events import (
    Crossing,
    Delivery,
    Drop,
    Event,
    Made,
    Noted,
    Visit,
    Walk,
)
from logical_flow.walk_network import Network, WalkPort

MAX_DEPTH = 100
"""How many copies, pipelines and datapaths deep a packet may get: a switch has a limit too.

Each level takes up to ten Python calls, which have a limit of their own.
"""
MAX_EVENTS = 100_000
"""How much may happen in one walk: about ten events for each port that a flood gets to."""

MAX_TRIED = 64
"""How many ways to go on are tried where it is not defined which one is taken."""
MAX_TRIED_EVENTS = 100_000
"""How much may happen on all of these together."""

_TRACKED = (
    *("ct_state", "ct_mark", "ct_label", "ct_nw_dst", "ct_ip6_dst", "ct_tp_dst", "ct_proto"),
    *TRANSLATION_FIELDS,
)
_PER_PIPELINE = ("xxreg0", "xxreg1", "xreg4", *_TRACKED)
_PER_DATAPATH = (*_PER_PIPELINE, "flags", "outport")
_UNDEFINED = "flows of the same priority say different things"
_CIRCLES = "the packet goes around in circles"
_LOOPBACK = field_slice("flags.loopback")


def walk(network: Network, packet: Packet, max_depth: int = MAX_DEPTH) -> Walk:
    """Let `packet` enter at its ``inport``.

    Raises :class:`~logical_flow.errors.WalkError`, also where too much happens.
    """
    name = packet.get("inport")
    port = network.ports.get(name) if isinstance(name, str) else None
    if port is None:
        raise WalkError(f"there is no port {name!r} to enter at")
    kind = network.datapaths[port.datapath].kind
    walker = _Walker(network, max_depth)
    walker.follow(as_switch_sees(packet), Position(port.datapath, f"{kind}_in", 0))
    return walker.result


def walk_from(
    network: Network, packet: Packet, datapath: str, pipeline: str, stage: str | None = None
) -> Walk:
    """Let `packet` go on from a stage of a pipeline, or from its beginning."""
    table = 0
    if stage is not None:
        place = network.layout.named(stage)
        if place is None or place.pipeline != pipeline:
            raise WalkError(f"pipeline {pipeline} has no stage {stage}")
        table = place.table
    walker = _Walker(network, MAX_DEPTH)
    walker.follow(as_switch_sees(packet), Position(datapath, pipeline, table))
    return walker.result


class _TooMuchTriedError(WalkError):
    """The trials of a walk are more than it may have."""


@dataclass
class _Trials:
    """All trials of a walk and of its trials: how many, and what happened on them."""

    ways: int = 0
    events: int = 0


class _Walker:
    """Carries the events of one walk, and how deep it is in copies and crossings.

    A walker with `is_trial` finds out what would happen.
    """

    def __init__(
        self,
        network: Network,
        max_depth: int,
        trials: _Trials | None = None,
        *,
        is_trial: bool = False,
    ) -> None:
        self.network = network
        self.max_depth = max_depth
        self.depth = 0
        self.result = Walk()
        self.trials = trials or _Trials()
        self.is_trial = is_trial

    def note(self, event: Event) -> None:
        if self.is_trial:
            self.trials.events += 1
            if self.trials.events > MAX_TRIED_EVENTS:
                raise _TooMuchTriedError(f"more than {MAX_TRIED_EVENTS} steps were tried")
        if len(self.result.events) >= MAX_EVENTS:
            raise WalkError(f"more than {MAX_EVENTS} steps; it may go to too many ports")
        self.result.events.append(event)

    def follow(self, packet: MutablePacket, position: Position | None) -> None:
        """Take the packet from stage to stage until it ends or branches off."""
        while position is not None:
            position = self._visit(packet, position)

    def _visit(self, packet: MutablePacket, position: Position) -> Position | None:
        network = self.network
        flows = network.flows.get(position.datapath)
        place = flows and flows.next_place(network.layout, position.pipeline, position.table)
        if not flows or not place:
            self.drop(Scene(position), packet, "no stage is left")
            return None
        position = position._replace(table=place.table)
        choice = flows.choose(place.name, packet, network.sets)
        entry = choice.entry
        name = network.datapaths[position.datapath].name
        visit = Visit(self.depth, name, place, entry, packet=dict(packet))
        scene = Scene(position, place, entry, visit)
        self.note(visit)
        if not choice.certain:
            reason = "it is not known whether the packet fits the flow"
            if entry is not None and entry.doubt:
                reason = f"{reason}: {entry.doubt}"
            self.drop(scene, packet, reason, certain=False)
            return None
        if entry is not None:
            if choice.rivals and not self._agree((entry, *choice.rivals), scene, packet):
                self.drop(scene, packet, _UNDEFINED, certain=False, rivals=choice.rivals)
                return None
            return self.run(scene, entry.actions, packet)
        if place.default == "next":
            return position.after
        self.drop(scene, packet, "no flow fits")
        return None

    def _agree(self, entries: Sequence[Entry], scene: Scene, packet: Packet) -> bool:
        """Return whether the packet fares the same whichever of the entries is followed.

        Too much to try counts as a difference.
        """
        try:
            first, *others = (self._try(entry, scene, dict(packet)) for entry in entries)
        except _TooMuchTriedError:
            return False
        return all(other == first for other in others)

    def follow_one_of(self, ways: Sequence[Way], position: Position) -> None:
        """Follow each of the ways, of which the packet takes one, and it isn't known which.

        What it does to connections that later packets meet isn't known either: they are
        taken to be as before.
        """
        network = self.network
        with self._deeper():
            for way in ways:
                self.network = copy(network)
                self.network.connections = way.connections
                self.note(Made(self.depth, f"{ONE_OF}: {way.label}", dict(way.packet)))
                self.follow(way.packet, position)
        self.network = network

    def fare_alike(self, packets: Sequence[Packet], position: Position) -> bool:
        """Return whether the packets all end alike if they go on there.

        Too much to try counts as a difference.
        """
        try:
            first, *others = (self._try_from(position, dict(packet)) for packet in packets)
        except _TooMuchTriedError:
            return False
        return all(other == first for other in others)

    def _try_from(self, position: Position, packet: MutablePacket) -> list[str]:
        """Return what would come of it if the packet went on there."""
        walker = self._trial()
        walker.follow(packet, position)
        return walker.result.outcome()

    def _try(self, entry: Entry, scene: Scene, packet: MutablePacket) -> list[str]:
        """Return what would come of it if `entry` was followed."""
        walker = self._trial()
        position = walker.run(scene._replace(entry=entry, visit=None), entry.actions, packet)
        walker.follow(packet, position)
        return walker.result.outcome()

    def _trial(self) -> "_Walker":
        """Make a walker that finds out what would happen, one of not too many."""
        self.trials.ways += 1
        if self.trials.ways > MAX_TRIED:
            raise _TooMuchTriedError(f"more than {MAX_TRIED} ways were tried")
        network = copy(self.network)
        network.connections = deepcopy(self.network.connections)
        walker = _Walker(network, self.max_depth, self.trials, is_trial=True)
        walker.depth = self.depth + 1
        return walker

    def run(self, scene: Scene, actions: Actions, packet: MutablePacket) -> Position | None:
        """Run a list of actions; the result is where the packet goes on."""
        handled = False
        for action in actions:
            before = dict(packet)
            effect = action.run(self, scene, packet)
            if scene.visit is not None and scene.level == 0:
                scene.visit.changes.extend(changes(before, packet))
            if isinstance(effect, Position):
                return effect
            if effect is Course.ENDED:
                return None
            handled |= effect is Course.HANDLED
        if not handled:
            self.drop(scene, packet, FLOW_SAYS_SO)
        return None

    def remark(self, what: str, *values: str) -> None:
        self.note(Noted(self.depth, what, values))

    def branch(self, scene: Scene, kind: str, actions: Actions, packet: MutablePacket) -> None:
        self.note(Made(self.depth + 1, kind, dict(packet)))
        nested = scene._replace(level=scene.level + 1)
        with self._deeper():
            self.follow(packet, self.run(nested, actions, packet))

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    def send(self, scene: Scene, packet: MutablePacket) -> None:
        """``output;``: to the egress pipeline, or out of the port at its end."""
        if scene.position.is_ingress:
            self._send_to_egress(scene, packet)
        else:
            self._send_out(scene, packet)

    def _send_to_egress(self, scene: Scene, packet: MutablePacket) -> None:
        name = packet.get("outport", "")
        if not isinstance(name, str):
            self.drop(scene, packet, "it is not known where the packet goes", certain=False)
            return
        datapath = scene.position.datapath
        port = self.network.ports.get(name)
        if port is not None and port.datapath == datapath:
            if port.virtual_parents and not port.virtual_parent:
                self.drop(scene, packet, f"no port has spoken for virtual port {name}")
                return
            self._enter_egress(scene, packet, port.distributed_port or port.virtual_parent or name)
        elif (datapath, name) in self.network.groups:
            members = self.network.groups[datapath, name]
            for member in members:
                if not _loops_back(packet, member):
                    self._enter_egress(scene, packet, member)
            if all(_loops_back(packet, member) for member in members):
                self.drop(scene, packet, f"nobody else is in group {name}")
        else:
            self.drop(scene, packet, f"there is no port or group {format_value('outport', name)}")

    def _enter_egress(self, scene: Scene, packet: MutablePacket, outport: str) -> None:
        if _loops_back(packet, outport):
            self.drop(scene, packet, "the packet would go back to where it came from")
            return
        if self.depth >= self.max_depth:
            self.drop(scene, packet, _CIRCLES)
            return
        inner = {k: v for k, v in packet.items() if k not in _PER_PIPELINE} | {"outport": outport}
        position = scene.position
        pipeline = f"{position.pipeline.removesuffix('_in')}_out"
        with self._deeper():
            self.note(Crossing(self.depth, f"output to {outport}", outport, dict(packet)))
            self.follow(inner, Position(position.datapath, pipeline, 0))

    def _send_out(self, scene: Scene, packet: MutablePacket) -> None:
        name = packet.get("outport", "")
        port = self.network.ports.get(name) if isinstance(name, str) else None
        if port is None:
            self.drop(scene, packet, f"there is no port {format_value('outport', name)}")
        elif port.joins_datapaths:
            self._cross(scene, packet, port)
        else:
            self.note(Delivery(self.depth, port.name, dict(packet)))

    def _cross(self, scene: Scene, packet: MutablePacket, port: WalkPort) -> None:
        peer = self.network.ports.get(port.peer)
        if peer is None:
            self.drop(scene, packet, f"port {port.name} has no peer")
            return
        if self.depth >= self.max_depth:
            self.drop(scene, packet, _CIRCLES)
            return
        inner = {k: v for k, v in packet.items() if k not in _PER_DATAPATH} | {"inport": peer.name}
        kind = self.network.datapaths[peer.datapath].kind
        with self._deeper():
            text = f"patch from {port.name} to {peer.name}"
            self.note(Crossing(self.depth, text, peer.name, dict(inner)))
            self.follow(inner, Position(peer.datapath, f"{kind}_in", 0))

    def drop(
        self,
        scene: Scene,
        packet: Packet,
        reason: str,
        *,
        certain: bool = True,
        rivals: tuple[Entry, ...] = (),
    ) -> None:
        name = self.network.datapaths[scene.position.datapath].name
        place, entry = scene.place, scene.entry
        self.note(Drop(self.depth, name, place, entry, reason, dict(packet), certain, rivals))


def _loops_back(packet: Packet, outport: str) -> bool:
    """Return whether the packet would leave where it came in without being told to."""
    return packet.get("inport") == outport and read(packet, _LOOPBACK) != 1
