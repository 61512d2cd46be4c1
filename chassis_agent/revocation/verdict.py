"""Whether the ACLs of a switch let a connection be: its first packet, walked through them again.

A connection tells addresses, protocol, ports and the pipeline that let it in. What it does not
tell (Ethernet addresses, the port at the other end, TCP flags, DSCP, ports of SCTP where the switch
tracks none …) is unknown, and a packet whose verdict depends on that counts as denied: should the
ACLs allow it after all, the next request packet unblocks its connection.

Of a translated connection the ACLs see requests as they come, or as they were translated. That
depends on whether a stage that translates stands before them in their pipeline, or after
them. Where it could be either, the connection goes on only if it may both ways.

ACLs after load balancing stand behind the stages that show what a client asked for. They are asked
by themselves, about the request as it was translated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from chassis_agent.openflow.messages import CtTuple
from chassis_agent.revocation.conntrack import BLOCKED, FROM_EGRESS, TrackedConnection
from logical_flow.action import Action, CtNat, every_action
from logical_flow.connections import ScriptedConnections, State, Tracked
from logical_flow.evaluate import Sets
from logical_flow.flow_table import Entry, FlowTable, Layout
from logical_flow.packet import (
    ETH_IP4,
    ETH_IP6,
    PROTO_ICMP4,
    PROTO_ICMP6,
    PROTO_SCTP,
    PROTO_TCP,
    PROTO_UDP,
    MutablePacket,
)
from logical_flow.roles import Role
from logical_flow.template import LogicalFlow, Template
from logical_flow.walk import walk_from
from logical_flow.walk_network import Network

_INGRESS, _EGRESS = "ls_in", "ls_out"
_DECIDING: Final = frozenset({Role.ACL, Role.ACL_VERDICT})

_UNKNOWN: Final = ("eth.src", "eth.dst", "ip.dscp", "ip.ecn", "ip.ttl", "tcp.flags")
_PORTS: Final = {PROTO_TCP: "tcp", PROTO_UDP: "udp", PROTO_SCTP: "sctp"}
_ICMP: Final = {PROTO_ICMP4: "icmp4", PROTO_ICMP6: "icmp6"}


class _Switch(NamedTuple):
    id: str
    kind: str
    name: str


_SWITCH: Final = _Switch("switch", "ls", "switch")


class _Stages:
    """Stages that are walked through together."""

    def __init__(self, flows: Sequence[LogicalFlow]) -> None:
        self.layout = Layout(flow.template for flow in flows)
        self.flows = FlowTable(map(Entry, flows))


class AclJudge:
    """The ACLs of one switch, ready to be asked.

    ``flows`` may hold other stages' flows of the switch too; ``sets`` are the address sets and
    port groups that the ACLs name, with their sigils. Among ``templates``, all that there are,
    are those that translate.
    """

    def __init__(
        self,
        flows: Iterable[LogicalFlow],
        sets: Mapping[str, Collection[str]] | None = None,
        templates: Iterable[Template] = (),
    ) -> None:
        listed = list(flows)
        self._tracks = {
            flow.template.pipeline
            for flow in listed
            if flow.template.role is Role.CONNECTION_TRACKING
        }
        self._order = {pipeline: _AclOrder() for pipeline in (_INGRESS, _EGRESS)}
        for template in templates:
            if template.pipeline in self._order:
                self._order[template.pipeline].add(template)
        deciding = [flow for flow in listed if flow.template.role in _DECIDING]
        late = [flow for flow in deciding if self._is_late(flow.template)]
        self._first = _Stages([flow for flow in deciding if not self._is_late(flow.template)])
        self._late = _Stages(late)
        self._has_late = any(flow.template.role is Role.ACL for flow in late)
        self._sets = Sets(sets)

    def _is_late(self, template: Template) -> bool:
        order = self._order.get(template.pipeline)
        if order is None or order.last_as_asked is None:
            return False
        return template.table_number > order.last_as_asked

    def denies(self, port: str, connection: TrackedConnection) -> bool:
        """Return whether a connection in the zone of ``port`` may not go on.

        In a pipeline that tracks nothing, connections mean nothing, and none is denied.
        """
        pipeline = _EGRESS if connection.mark & FROM_EGRESS else _INGRESS
        if pipeline not in self._tracks:
            return False
        requests = self._order[pipeline].requests_of(connection)
        asked = [(self._first, request) for request in requests]
        if self._has_late and pipeline == _INGRESS and not connection.has_new_source:
            asked.append((self._late, connection.translated or connection.original))
        return any(
            self._denies(stages, pipeline, port, connection, request) for stages, request in asked
        )

    def _denies(
        self,
        stages: _Stages,
        pipeline: str,
        port: str,
        connection: TrackedConnection,
        request: CtTuple,
    ) -> bool:
        """Return whether the ACLs of a pipeline refuse such requests of the connection."""
        state = _ESTABLISHED
        if connection.translated is not None and request == connection.translated:
            state |= State.SNAT if connection.has_new_source else State.DNAT
        packet = _request_packet(pipeline, port, connection, request) | {"ct_state": int(state)}
        tracked = Tracked(state, connection.mark & ~BLOCKED, connection.label)
        network = Network(
            datapaths=[_SWITCH],
            ports=[],
            layout=stages.layout,
            flows={_SWITCH.id: stages.flows},
            sets=self._sets,
            connections=ScriptedConnections([tracked]),
        )
        walked = walk_from(network, packet, _SWITCH.id, pipeline)
        # A packet that the ACLs let through reaches the end of the stages that are here.
        return not any(drop.place is None and drop.depth == 0 for drop in walked.drops)


class _AclOrder:
    """Where in a pipeline translations stand, seen from its ACLs."""

    def __init__(self) -> None:
        self._translating: list[int] = []
        self._acls: list[int] = []
        self._shows_asked = False
        self.last_as_asked: int | None = None
        """The last table that shows what clients asked for; ACLs behind it see backends."""

    def add(self, template: Template) -> None:
        """Take note of a template of the pipeline."""
        if any(_translates(action) for action in every_action(template.actions)):
            self._translating.append(template.table_number)
        if template.role is Role.AS_ASKED:
            self._shows_asked = True
            self.last_as_asked = max(template.table_number, self.last_as_asked or 0)
        if template.role in _DECIDING:
            self._acls.append(template.table_number)

    def requests_of(self, connection: TrackedConnection) -> list[CtTuple]:
        """Return the requests of a connection as ACLs see them, or may see them."""
        translated = connection.translated
        if translated is None:
            return [connection.original]
        if self._shows_asked:
            # What a client sends to itself was judged as the connection that it asked for.
            return [] if connection.has_new_source else [connection.original]
        if not self._translating or not self._acls:
            # Something else has translated it.
            return [connection.original, translated]
        first = min(self._acls)
        before = any(table < first for table in self._translating)
        after = any(table >= first for table in self._translating)
        return [connection.original] * after + [translated] * before


def _translates(action: Action) -> bool:
    """Return whether an action gives new connections a translation."""
    return isinstance(action, CtNat) and action.commits


_ESTABLISHED: Final = State.EST | State.TRK


def _request_packet(
    pipeline: str, port: str, connection: TrackedConnection, request: CtTuple
) -> MutablePacket:
    """Return a packet of the connection's original direction, as it comes to the first ACL."""
    packet: MutablePacket = dict.fromkeys(_UNKNOWN)
    packet |= {
        "inport": port if pipeline == _INGRESS else None,
        "outport": port if pipeline == _EGRESS else None,
        "ct_mark": connection.mark & ~BLOCKED,
        "ct_label": connection.label,
    }
    return packet | _headers(request)


def _headers(original: CtTuple) -> MutablePacket:
    is_ip4 = original.source.version == 4
    family = "ip4" if is_ip4 else "ip6"
    headers: MutablePacket = {
        "eth.type": ETH_IP4 if is_ip4 else ETH_IP6,
        "ip.proto": original.protocol,
        f"{family}.src": int(original.source),
        f"{family}.dst": int(original.destination),
    }
    if (name := _PORTS.get(original.protocol)) is not None:
        known = not original.lacks_ports
        headers[f"{name}.src"] = original.source_port if known else None
        headers[f"{name}.dst"] = original.destination_port if known else None
    elif (name := _ICMP.get(original.protocol)) is not None:
        headers[f"{name}.type"] = original.source_port
        headers[f"{name}.code"] = original.destination_port
    return headers
