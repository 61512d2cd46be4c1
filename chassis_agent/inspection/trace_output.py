"""What ``ofproto/trace`` prints, read back: the flows a packet met, and where it left. Pure.

The text is a tree by indentation. Steps of other bridges, which packets get to through
tunnels of a userspace datapath, are passed over: such a bridge's name stands above them,
indented as what it belongs to, and they end where the indentation falls behind theirs.

    bridge("br-int")
    ----------------
     0. in_port=2, priority 100, cookie 0x8000000000020002
        set_field:0x2->metadata
        resubmit(,8)
     8. No match.
        drop

Where its length decides (``check_pkt_larger``) both ways are printed, first what becomes of it
if it is larger. The packets that are traced are small, so that is passed over, too.

Open vSwitch follows a packet beyond connection tracking, but not where it recirculates to
reach the parts of a wide multicast group: these are told as :class:`Fork`.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from chassis_agent import tables
from chassis_agent.openflow.oxm import VLAN_PRESENT
from chassis_agent.physical.multicast import FORK, PART_REGISTER

NO_MATCH: Final = -1
"""The priority of a step in which the packet met no flow."""

_LEVEL: Final = 4
_BRIDGE: Final = re.compile(r'bridge\("(?P<name>[^"]*)"\)')
_STEP: Final = re.compile(
    r"(?P<table>\d+)\. (?:(?P<match>.*?), )?priority (?P<priority>\d+)"
    r"(?:, cookie (?P<cookie>0x[0-9a-f]+))?$"
)
_MISS: Final = re.compile(r"(?P<table>\d+)\. No match\.")
_OUTPUT: Final = re.compile(r"output:(?P<port>\w+)$")
_TUNNEL_END: Final = re.compile(r"set_field:(?P<address>[0-9a-f.:]+)->tun_(?:ipv6_)?dst$")
_TAGGED: Final = re.compile(r"set_field:(?P<tag>\d+)->vlan_vid$")
_UNTAGGED: Final = "pop_vlan"
_SKIPPED: Final = ">> skipping output"
_PUNT: Final = "controller("
_SECTION_ENDS: Final = ("Final flow:", "=====")
_FINAL_FLOW: Final = re.compile(r"Final flow: (?P<flow>.*)$")
_LOOKED_UP: Final = "table="
"""Of what goes on with what the tracker says."""
_TRANSLATION: Final = re.compile(r"\bnat\((?P<end>src|dst)=")
_MEASURED: Final = "check_pkt_larger("
_PART: Final = re.compile(rf"set_field:(?P<part>0x[0-9a-f]+|\d+)->{PART_REGISTER}$")
_FORK: Final = f"group:{FORK}"
_FAILED: Final = re.compile(r"Translation failed \((?P<why>.*)\), packet is dropped\.")
_GROUP_TERMS: Final = re.compile(
    rf"\b(?:{tables.DATAPATH}|{tables.OUTPORT})=(?:0x[0-9a-f]+|\d+)(?![/\w])"
)
"""What of a flow says which group of which datapath a packet is for."""


class TraceStep(NamedTuple):
    """A flow of the integration bridge that the packet met."""

    table: int
    priority: int
    match: str
    cookie: int


class TraceOutput(NamedTuple):
    """A copy that leaves through an OpenFlow port: for a tunnel with its far end, for a port that
    is nested in the one there with its VLAN tag."""

    port: str
    tunnel_end: str
    tag: int = 0


class Fork(NamedTuple):
    """A part of a wide group that gets the packet, and the packet as it gets there."""

    part: int
    flow: str


class TraceText(NamedTuple):
    """All that the text says of the packet.

    `lost` counts forks of which it can't be said how the packet looked there; `failures`
    are the limits of Open vSwitch that made it drop all copies.
    """

    steps: tuple[TraceStep, ...]
    outputs: tuple[TraceOutput, ...]
    punted: bool
    forks: tuple[Fork, ...] = ()
    lost: int = 0
    failures: tuple[str, ...] = ()


def read_trace(text: str, bridge: str) -> TraceText:
    """The trace of a packet that entered `bridge`."""
    reader = _Reader()
    for line in _lines_of(text, bridge):
        reader.take(line)
    return TraceText(
        tuple(reader.steps),
        tuple(reader.outputs),
        reader.punted,
        tuple(reader.forks),
        reader.lost,
        tuple(reader.failures),
    )


def translations(text: str) -> tuple[str, ...]:
    """What each connection lookup of a trace translates: ``snat``, ``dnat``, or nothing.

    Open vSwitch plays translations of addresses, and leaves out that the tracker says so. Lookups
    are followed in the order in which they are met, in both ways that a length may decide on.
    """
    found = []
    for line in map(str.strip, text.splitlines()):
        if line.startswith("ct(") and _LOOKED_UP in line:
            named = _TRANSLATION.search(line)
            found.append("" if named is None else f"{named['end'][0]}nat")
    return tuple(found)


class _Reader:
    """Takes line after line. What a translation comes to is known at its end."""

    def __init__(self) -> None:
        self.steps: list[TraceStep] = []
        self.outputs: list[TraceOutput] = []
        self.punted = False
        self.forks: list[Fork] = []
        self.lost = 0
        self.failures: list[str] = []
        self._tunnel_end = ""
        self._tag = 0
        self._part = 0
        self._pending: list[tuple[int, str]] = []
        self._outputs_before = 0

    def take(self, line: str) -> None:
        if step := _step(line):
            self.steps.append(step)
        elif found := _TUNNEL_END.match(line):
            self._tunnel_end = found["address"]
        elif found := _TAGGED.match(line):
            self._tag = int(found["tag"]) & ~VLAN_PRESENT
        elif line == _UNTAGGED:
            self._tag = 0
        elif found := _OUTPUT.match(line):
            self.outputs.append(TraceOutput(found["port"], self._tunnel_end, self._tag))
        elif line.startswith(_SKIPPED) and self.outputs:
            self.outputs.pop()
        elif found := _PART.match(line):
            self._part = int(found["part"], 0)
        elif line == _FORK:
            self._pending.append((self._part, self.steps[-1].match if self.steps else ""))
        elif found := _FINAL_FLOW.match(line):
            self._end_translation(found["flow"])
        elif found := _FAILED.match(line):
            del self.outputs[self._outputs_before :]
            self.failures.append(found["why"])
        elif line.startswith("====="):
            self._outputs_before = len(self.outputs)
        self.punted |= line.startswith(_PUNT)

    def _end_translation(self, flow: str) -> None:
        """`flow` is the packet at the end: as it was at a fork, unless it went on elsewhere."""
        for part, match in self._pending:
            if set(_GROUP_TERMS.findall(match)) <= set(_GROUP_TERMS.findall(flow)):
                self.forks.append(Fork(part, flow))
            else:
                self.lost += 1
        self._pending = []


def _lines_of(text: str, bridge: str) -> Iterator[str]:
    """The lines of the bridge's own steps that a small packet takes, without their indentation."""
    elsewhere: int | None = None
    heading = False
    larger = _LargerBranch()
    for line in text.splitlines():
        content = line.lstrip()
        if not content:
            continue
        spaces = len(line) - len(content)
        indentation = spaces // _LEVEL
        if content.startswith(_SECTION_ENDS):
            elsewhere = None
        if found := _BRIDGE.match(content):
            heading = found["name"] != bridge
        elif heading and set(content) != {"-"}:
            elsewhere, heading = indentation, False
        if elsewhere is not None and indentation < elsewhere:
            elsewhere = None
        if elsewhere is None and not heading and not larger.has(spaces, content):
            yield content


class _LargerBranch:
    """Tells which lines are of a packet that is larger than what it was compared with.

    Both branches do what follows the comparison, so the second one begins with the line that the
    first one began with, as far indented.
    """

    def __init__(self) -> None:
        self._at: int | None = None
        self._first = ""

    def has(self, spaces: int, content: str) -> bool:
        """Whether a line, the next one of the text, is of such a packet."""
        if content.startswith(_SECTION_ENDS):
            self._at, self._first = None, ""
        elif self._at is not None and not self._first:
            self._first = content
            return True
        elif self._first:
            if (spaces, content) != (self._at, self._first):
                return True
            self._at, self._first = None, ""
        elif content.startswith(_MEASURED):
            self._at = spaces
        return False


def _step(line: str) -> TraceStep | None:
    if found := _STEP.match(line):
        cookie = int(found["cookie"], 16) if found["cookie"] else 0
        match = found["match"] or ""
        return TraceStep(int(found["table"]), int(found["priority"]), match, cookie)
    if found := _MISS.match(line):
        return TraceStep(int(found["table"]), NO_MATCH, "", 0)
    return None
