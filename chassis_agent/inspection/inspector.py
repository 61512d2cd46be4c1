"""Answers the server's questions about this switch, and the local user's about its flows.

Flows that are on their way into the switch, or out of it, are no differences: what differs
has to do so at two looks.
"""

import asyncio
import re
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from chassis_agent import tables
from chassis_agent.bridge.switch import SECOND_LOOK_SECONDS, Switch
from chassis_agent.bridge.unixctl import call
from chassis_agent.desired.flow import Flow, FlowKey
from chassis_agent.desired.flow_state import FlowState
from chassis_agent.errors import ControlError, RefusedCommandError
from chassis_agent.inputs import LocalPort, ThisChassis
from chassis_agent.inspection.behind import Behind
from chassis_agent.inspection.compare import FlowDifference, flow_differences
from chassis_agent.inspection.detrace import origin
from chassis_agent.inspection.hits import HitCounters
from chassis_agent.inspection.packet_text import (
    blocked_text,
    lookup_options,
    packet_text,
    tunnel_text,
)
from chassis_agent.inspection.trace_output import (
    Fork,
    TraceOutput,
    TraceStep,
    TraceText,
    read_trace,
    translations,
)
from chassis_agent.openflow.errors import DecodingError, OpenFlowError
from chassis_agent.openflow.oxm import VLAN_PRESENT
from chassis_agent.physical.multicast import KEYS, PART_REGISTER
from chassis_agent.show import Names, format_flow
from southbound.cookies import FlowReference, parse_flow_reference
from southbound.encaps import TUNNEL_TYPE
from southbound.errors import CannotAnswerError
from southbound.questions import (
    MAX_DIFFERENCES,
    MAX_HITS,
    MAX_OUTPUTS,
    MAX_STEPS,
    MAX_TEXT,
    Compare,
    Comparison,
    CountHits,
    Difference,
    HitsCounted,
    Output,
    Question,
    Result,
    Step,
    Traced,
    TracePort,
    TraceTunnel,
    header_values,
)
from southbound.rows import Chassis, Datapath, PortBinding

_PARTS_ASKED: Final = 64
"""Parts of wide groups that a trace follows; each is a question to the switch."""
_TRANSLATIONS: Final = 8
"""How often a trace is repeated, as what a lookup translated leads to further ones."""
_DATAPATH: Final = re.compile(rf"\b{tables.DATAPATH}=(0x[0-9a-f]+)")


class Inspector:
    """Looks, and changes nothing."""

    def __init__(
        self,
        bridge: str,
        state: FlowState,
        switch: Switch,
        control: Callable[[], Path],
        *,
        revision: Callable[[], int],
        in_sync: Callable[[], bool],
        hits: HitCounters,
    ) -> None:
        """`control` finds the switch's control socket."""
        self._bridge = bridge
        self._state = state
        self._switch = switch
        self._control = control
        self._revision = revision
        self._in_sync = in_sync
        self._hits = hits

    async def answer(self, question: Question) -> Result:
        """Raises CannotAnswerError where the host is not as the question takes it to be."""
        try:
            if isinstance(question, Compare):
                return await self._compare(question)
            if isinstance(question, CountHits):
                return HitsCounted(await self._hits.count(question.groups[:MAX_HITS]))
            return await self._trace(self._packet(question), question)
        except (ControlError, OpenFlowError, TimeoutError) as error:
            raise CannotAnswerError(f"its switch does not answer: {error}") from error

    async def detrace(self, text: str) -> dict[str, Any]:
        """What a cookie, or the flow in a line of a dump, is there for."""
        flow = parse_flow_reference(text)
        if flow is None:
            raise RefusedCommandError(f"no cookie in {text!r}")
        found = origin(flow, self._state.rows)
        if found is None:
            raise RefusedCommandError(f"no flow group here has the cookie {flow.cookie:#x}")
        return {**found._asdict(), "cookie": hex(found.cookie)}

    # --- comparing

    async def _compare(self, question: Compare) -> Comparison:
        rows = self._state.rows(Datapath)
        keys = {rows[name].tunnel_key for name in question.datapaths if name in rows}
        first = await self._differences(keys)
        if first:
            await asyncio.sleep(SECOND_LOOK_SECONDS)
            second = await self._differences(keys)
            first = {key: each for key, each in second.items() if first.get(key) == each}
        names = self._state.names()
        shown = list(first.values())[:MAX_DIFFERENCES]
        behind = Behind(self._state)
        return Comparison(
            self._revision(),
            self._in_sync(),
            tuple(self._difference(each, names, behind) for each in shown),
            len(first) - len(shown),
        )

    async def _differences(self, keys: set[int]) -> dict[FlowKey, FlowDifference]:
        found = await self._switch.flows()
        return flow_differences(self._state, found, keys)

    def _difference(self, difference: FlowDifference, names: Names, behind: Behind) -> Difference:
        (table, priority, match), wanted, found = difference
        try:
            datapath = names.datapath_of(match)
        except DecodingError:
            datapath = None
        there_for = origin(
            FlowReference(difference.cookie, table, priority),
            self._state.rows,
            lambda group, logical: (
                wanted is None or behind.is_behind(group, logical, difference.key)
            ),
        )
        return Difference(
            "missing" if found is None else "extra" if wanted is None else "altered",
            names.any_table(table) if datapath is None else names.table(table, datapath),
            "" if datapath is None else names.datapaths.get(datapath, str(datapath)),
            _text(wanted, names),
            _text(found, names),
            difference.cookie,
            () if there_for is None else there_for.flows,
            "" if there_for is None else there_for.cause_kind,
            "" if there_for is None else there_for.cause_id,
            "" if there_for is None or there_for.flows else there_for.text,
        )

    # --- tracing

    async def _trace(self, packet: str, question: TracePort | TraceTunnel) -> Traced:
        options = lookup_options(question.connection)
        printed = ""
        for _ in range(_TRANSLATIONS):
            printed = await call(self._control(), "ofproto/trace", self._bridge, packet, *options)
            translated = lookup_options(question.connection, translations(printed))
            if translated == options:
                break
            options = translated
        found = read_trace(printed, self._bridge)
        asked = found.forks[:_PARTS_ASKED]
        whole = [found, *[await self._part(fork, options) for fork in asked]]
        names = self._state.names()
        steps = [step for each in whole for step in each.steps]
        outputs = [self._output(output) for each in whole for output in each.outputs]
        lost = sum(len(each.forks) + each.lost for each in whole) - len(asked)
        return Traced(
            tuple(_step(step, names) for step in steps[:MAX_STEPS]),
            tuple(outputs[:MAX_OUTPUTS]),
            any(each.punted for each in whole),
            max(0, len(steps) - MAX_STEPS),
            _unknown(lost, len(outputs) - MAX_OUTPUTS),
            ", ".join(sorted({failure for each in whole for failure in each.failures})),
        )

    async def _part(self, fork: Fork, options: list[str]) -> TraceText:
        """What the part of a wide group does that a packet recirculates to."""
        actions = f"set_field:{fork.part}->{PART_REGISTER},resubmit(,{tables.MULTICAST_REST})"
        printed = await call(
            *(self._control(), "ofproto/trace-packet-out", self._bridge, fork.flow),
            *(*options, actions),
        )
        return read_trace(printed, self._bridge)

    def _packet(self, question: TracePort | TraceTunnel) -> str:
        """The packet where it enters the bridge."""
        try:
            headers = packet_text(header_values(question.headers))
        except ValueError as error:
            raise CannotAnswerError(f"not a packet: {error}") from error
        if question.blocked:
            headers = f"{headers},{blocked_text()}"
        if isinstance(question, TraceTunnel):
            return f"{self._out_of_tunnel(question)},{headers}"
        local: LocalPort | None = self._state.rows(LocalPort).get(question.inport)
        if local is None:
            raise CannotAnswerError(f"no interface there stands for port {question.inport}")
        number = self._tag(question.inport, local)
        tag = f",vlan_tci={number | VLAN_PRESENT:#06x}" if number else ""
        return f"in_port={local.ofport},{headers}{tag}"

    def _tag(self, name: str, local: LocalPort) -> int:
        """The VLAN tag that frames of a port have on its interface, 0 for none."""
        row: PortBinding | None = self._state.rows(PortBinding).get(name)
        return row.tag if row is not None and row.kind.leads_outside else local.tag

    def _out_of_tunnel(self, question: TraceTunnel) -> str:
        this: ThisChassis | None = self._state.rows(ThisChassis).get("")
        datapath: Datapath | None = self._state.rows(Datapath).get(question.datapath)
        if this is None or not this.tunnel_ofport or datapath is None:
            raise CannotAnswerError("it has no tunnel port yet, or does not know the datapath")
        remote = self._tunnel_ends(question.sender)
        local = [end for end in self._tunnel_ends(this.name) if remote and _same(end, remote[0])]
        if not remote or not local:
            raise CannotAnswerError(f"it knows no tunnel from {question.sender}")
        keys = (self._port_key(question.inport), self._port_key(question.outport))
        return tunnel_text(this.tunnel_ofport, remote[0], local[0], datapath.tunnel_key, *keys)

    def _tunnel_ends(self, chassis: str) -> list[str]:
        row: Chassis | None = self._state.rows(Chassis).get(chassis)
        return [encap.ip for encap in row.encaps if encap.type == TUNNEL_TYPE] if row else []

    def _port_key(self, name: str) -> int:
        if name in KEYS:
            return KEYS[name]
        port: PortBinding | None = self._state.rows(PortBinding).get(name)
        if port is None:
            raise CannotAnswerError(f"it does not know port {name}")
        return port.tunnel_key

    def _output(self, output: TraceOutput) -> Output:
        this: ThisChassis | None = self._state.rows(ThisChassis).get("")
        if this is not None and output.port == str(this.tunnel_ofport):
            far = (
                name
                for name in self._state.rows(Chassis)
                if output.tunnel_end in self._tunnel_ends(name)
            )
            return Output(chassis=next(far, ""), interface=output.port)
        for name, local in self._state.rows(LocalPort).items():
            if output.port == str(local.ofport) and output.tag == self._tag(name, local):
                return Output(port=name, interface=output.port)
        return Output(interface=output.port)


def _unknown(lost_parts: int, outputs_left_out: int) -> str:
    """Why there may be further copies."""
    reasons = []
    if lost_parts > 0:
        reasons.append(f"{lost_parts} parts of a wide multicast group were not followed")
    if outputs_left_out > 0:
        reasons.append(f"{outputs_left_out} copies are left out")
    return " and ".join(reasons)


def _same(one: str, other: str) -> bool:
    return ip_address(one).version == ip_address(other).version


def _text(flow: Flow | None, names: Names) -> str:
    if flow is None:
        return ""
    try:
        text = format_flow(flow, names)
    except DecodingError:
        text = f"match={flow.match.hex()} instructions={flow.instructions.hex()}"
    return text[:MAX_TEXT]


def _step(step: TraceStep, names: Names) -> Step:
    found = _DATAPATH.search(step.match)
    datapath = int(found[1], 16) if found else None
    table = names.any_table(step.table) if datapath is None else names.table(step.table, datapath)
    return Step(table, step.priority, step.match[:MAX_TEXT], step.cookie)
