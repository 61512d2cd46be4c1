"""What each action does to the packet at hand, one small function an action.

:data:`EFFECTS` is the table of them. An effect says how the list of actions goes on:
with the next action, no further, or not at all because the packet goes on elsewhere.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from typing import Any, NamedTuple, Protocol

from logical_flow import action as act
from logical_flow.constants import Constant, Integer, String
from logical_flow.errors import WalkError
from logical_flow.evaluate import Packet, Value, read
from logical_flow.fields import FieldSlice, field_slice
from logical_flow.flow_table import Entry, StagePlace
from logical_flow.generated import generate
from logical_flow.packet import MutablePacket, format_value, write
from logical_flow.walk_events import FLOW_SAYS_SO, Event, Made, Noted, Visit
from logical_flow.walk_network import Network

_ETH_DST = field_slice("eth.dst")
_TTL = field_slice("ip.ttl")
_CT_STATE = field_slice("ct_state")
_CT_MARK = field_slice("ct_mark")
_CT_LABEL = field_slice("ct_label")


class Position(NamedTuple):
    """Where a packet is or goes on: a table of a pipeline of a datapath."""

    datapath: str
    pipeline: str
    table: int

    @property
    def after(self) -> "Position":
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


class Walker(Protocol):
    """What effects need of the walk that they are part of."""

    @property
    def network(self) -> Network: ...
    @property
    def depth(self) -> int: ...
    def note(self, event: Event) -> None: ...
    def send(self, scene: Scene, packet: MutablePacket) -> None: ...
    def branch(self, scene: Scene, actions: act.Actions, packet: MutablePacket) -> None: ...
    def drop(self, scene: Scene, packet: Packet, reason: str) -> None: ...


def _next(walker: Walker, scene: Scene, action: act.Next, packet: MutablePacket) -> Effect:
    if action.stage is None:
        return scene.position.after
    place = walker.network.layout.named(action.stage)
    if place is None:
        walker.drop(scene, packet, f"there is no stage {action.stage}")
        return Course.ENDED
    return Position(scene.position.datapath, place.pipeline, place.table)


def _output(walker: Walker, scene: Scene, _action: act.Output, packet: MutablePacket) -> Effect:
    walker.send(scene, packet)
    return Course.HANDLED


def _drop(walker: Walker, scene: Scene, _action: act.Drop, packet: MutablePacket) -> Effect:
    walker.drop(scene, packet, FLOW_SAYS_SO)
    return Course.ENDED


def _assign(_walker: Walker, _scene: Scene, action: act.Assign, packet: MutablePacket) -> Effect:
    _assign_constant(packet, action.target, action.value)
    return Course.CONTINUE


def _assign_constant(packet: MutablePacket, target: FieldSlice, value: Constant) -> None:
    match value:
        case String(text):
            write(packet, target, text)
        case Integer(number, None):
            write(packet, target, number)
        case Integer(number, int(mask)):
            old = read(packet, target)
            write(packet, target, old & ~mask | number if isinstance(old, int) else None)
        case _:
            raise WalkError(f"{value} can't be assigned to {target}")


def _move(_walker: Walker, _scene: Scene, action: act.Move, packet: MutablePacket) -> Effect:
    write(packet, action.target, read(packet, action.source))
    return Course.CONTINUE


def _exchange(
    _walker: Walker, _scene: Scene, action: act.Exchange, packet: MutablePacket
) -> Effect:
    left, right = read(packet, action.left), read(packet, action.right)
    write(packet, action.left, right)
    write(packet, action.right, left)
    return Course.CONTINUE


def _decrement_ttl(
    walker: Walker, scene: Scene, _action: act.DecrementTtl, packet: MutablePacket
) -> Effect:
    ttl = read(packet, _TTL)
    if isinstance(ttl, int) and ttl <= 1:
        walker.drop(scene, packet, "the time to live is over")
        return Course.ENDED
    write(packet, _TTL, ttl - 1 if isinstance(ttl, int) else None)
    return Course.CONTINUE


def _zone(walker: Walker, scene: Scene, packet: Packet) -> str:
    """Switches track by logical port, routers by datapath."""
    datapath = scene.position.datapath
    if walker.network.datapaths[datapath].kind == "lr":
        return datapath
    port = packet.get("inport" if scene.position.is_ingress else "outport", "")
    if not isinstance(port, str):
        raise WalkError("the connection of a packet can't be looked up without its port")
    return port


def _ct_next(walker: Walker, scene: Scene, _action: act.CtNext, packet: MutablePacket) -> Effect:
    tracked = walker.network.connections.look_up(_zone(walker, scene, packet), packet)
    write(packet, _CT_STATE, int(tracked.state))
    write(packet, _CT_MARK, tracked.mark)
    write(packet, _CT_LABEL, tracked.label)
    return scene.position.after


def _ct_commit(walker: Walker, scene: Scene, action: act.CtCommit, packet: MutablePacket) -> Effect:
    """The connection gets the new marks; the packet keeps those that it was looked up with."""
    marked = dict(packet)
    for assignment in action.actions:
        EFFECTS[type(assignment)](walker, scene, assignment, marked)
    mark, label = read(marked, _CT_MARK), read(marked, _CT_LABEL)
    if not isinstance(mark, int) or not isinstance(label, int):
        raise WalkError("a connection can't be committed with marks that aren't known")
    zone = _zone(walker, scene, packet)
    walker.network.connections.commit(zone, packet, mark, label)
    walker.note(Noted(walker.depth, "ct_commit", (zone, f"ct_mark={mark:#x}")))
    return Course.CONTINUE


def _ct_clear(
    _walker: Walker, _scene: Scene, _action: act.CtClear, packet: MutablePacket
) -> Effect:
    for where in (_CT_STATE, _CT_MARK, _CT_LABEL):
        write(packet, where, 0)
    return Course.CONTINUE


def _clone(walker: Walker, scene: Scene, action: act.Clone, packet: MutablePacket) -> Effect:
    walker.note(Made(walker.depth + 1, "clone", dict(packet)))
    walker.branch(scene, action.actions, dict(packet))
    return Course.HANDLED


def _generate(walker: Walker, scene: Scene, action: act.Generate, packet: MutablePacket) -> Effect:
    made = generate(action.kind, packet)
    if made is None:
        walker.drop(scene, packet, f"{action.kind} doesn't answer such a packet")
    else:
        walker.note(Made(walker.depth + 1, action.kind, dict(made)))
        walker.branch(scene, action.actions, made)
    return Course.HANDLED


def _get_neighbour(
    walker: Walker, _scene: Scene, action: act.GetNeighbour, packet: MutablePacket
) -> Effect:
    mac = _neighbour(walker, action.family, packet, action.port, action.address)
    write(packet, _ETH_DST, mac or 0)
    return Course.CONTINUE


def _put_neighbour(
    walker: Walker, _scene: Scene, action: act.PutNeighbour, packet: MutablePacket
) -> Effect:
    values = (
        str(read(packet, action.port)),
        _ip_text(action.family, read(packet, action.address)),
        format_value("eth.src", read(packet, action.mac)),
    )
    walker.note(Noted(walker.depth, {4: "put_arp", 6: "put_nd"}[action.family], values))
    return Course.HANDLED


def _lookup_neighbour(
    walker: Walker, _scene: Scene, action: act.LookupNeighbour, packet: MutablePacket
) -> Effect:
    mac = _neighbour(walker, action.family, packet, action.port, action.address)
    write(packet, action.result, int(mac is not None and mac == read(packet, action.mac)))
    return Course.CONTINUE


def _neighbour(
    walker: Walker, family: act.Family, packet: Packet, port: FieldSlice, address: FieldSlice
) -> int | None:
    key = (str(read(packet, port)), _ip_text(family, read(packet, address)))
    mac = walker.network.neighbours.get(key)
    return None if mac is None else int(mac.replace(":", ""), 16)


def _ip_text(family: act.Family, address: Value) -> str:
    if not isinstance(address, int):
        return "?"
    return str(IPv4Address(address) if family == 4 else IPv6Address(address))


def _get_fdb(walker: Walker, scene: Scene, action: act.GetFdb, packet: MutablePacket) -> Effect:
    write(packet, action.result, _learned_port(walker, scene, packet, action.mac))
    return Course.CONTINUE


def _put_fdb(walker: Walker, _scene: Scene, action: act.PutFdb, packet: MutablePacket) -> Effect:
    mac = format_value("eth.src", read(packet, action.mac))
    walker.note(Noted(walker.depth, "put_fdb", (str(read(packet, action.port)), mac)))
    return Course.HANDLED


def _lookup_fdb(
    walker: Walker, scene: Scene, action: act.LookupFdb, packet: MutablePacket
) -> Effect:
    port = _learned_port(walker, scene, packet, action.mac)
    write(packet, action.result, int(port != "" and port == read(packet, action.port)))
    return Course.CONTINUE


def _learned_port(walker: Walker, scene: Scene, packet: Packet, mac: FieldSlice) -> str:
    text = format_value("eth.src", read(packet, mac))
    return walker.network.learned.get((scene.position.datapath, text), "")


def _log(walker: Walker, _scene: Scene, action: act.Log, _packet: MutablePacket) -> Effect:
    walker.note(Noted(walker.depth, "log", (str(action),)))
    return Course.CONTINUE


def _set_meter(
    _walker: Walker, _scene: Scene, _action: act.SetMeter, _packet: MutablePacket
) -> Effect:
    """A walk is one packet: no rate is exceeded."""
    return Course.CONTINUE


EFFECTS: Mapping[type[act.Action], Callable[[Walker, Scene, Any, MutablePacket], Effect]] = {
    act.Next: _next,
    act.Output: _output,
    act.Drop: _drop,
    act.Assign: _assign,
    act.Move: _move,
    act.Exchange: _exchange,
    act.DecrementTtl: _decrement_ttl,
    act.CtNext: _ct_next,
    act.CtCommit: _ct_commit,
    act.CtClear: _ct_clear,
    act.Clone: _clone,
    act.Generate: _generate,
    act.GetNeighbour: _get_neighbour,
    act.PutNeighbour: _put_neighbour,
    act.LookupNeighbour: _lookup_neighbour,
    act.GetFdb: _get_fdb,
    act.PutFdb: _put_fdb,
    act.LookupFdb: _lookup_fdb,
    act.Log: _log,
    act.SetMeter: _set_meter,
}
