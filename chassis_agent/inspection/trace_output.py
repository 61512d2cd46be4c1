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
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

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
_SKIPPED: Final = ">> skipping output"
_PUNT: Final = "controller("
_SECTION_ENDS: Final = ("Final flow:", "=====")


class TraceStep(NamedTuple):
    """A flow of the integration bridge that the packet met."""

    table: int
    priority: int
    match: str
    cookie: int


class TraceOutput(NamedTuple):
    """A copy that leaves through an OpenFlow port, for a tunnel with its far end."""

    port: str
    tunnel_end: str


class TraceText(NamedTuple):
    """All that the text says of the packet."""

    steps: tuple[TraceStep, ...]
    outputs: tuple[TraceOutput, ...]
    punted: bool


def read_trace(text: str, bridge: str) -> TraceText:
    """The trace of a packet that entered `bridge`."""
    steps: list[TraceStep] = []
    outputs: list[TraceOutput] = []
    punted = False
    tunnel_end = ""
    for line in _lines_of(text, bridge):
        if step := _step(line):
            steps.append(step)
        elif found := _TUNNEL_END.match(line):
            tunnel_end = found["address"]
        elif found := _OUTPUT.match(line):
            outputs.append(TraceOutput(found["port"], tunnel_end))
        elif line.startswith(_SKIPPED) and outputs:
            outputs.pop()
        punted |= line.startswith(_PUNT)
    return TraceText(tuple(steps), tuple(outputs), punted)


def _lines_of(text: str, bridge: str) -> Iterator[str]:
    """The lines of the bridge's own steps, without their indentation."""
    elsewhere: int | None = None
    heading = False
    for line in text.splitlines():
        content = line.lstrip()
        if not content:
            continue
        indentation = (len(line) - len(content)) // _LEVEL
        if content.startswith(_SECTION_ENDS):
            elsewhere = None
        if found := _BRIDGE.match(content):
            heading = found["name"] != bridge
        elif heading and set(content) != {"-"}:
            elsewhere, heading = indentation, False
        if elsewhere is not None and indentation < elsewhere:
            elsewhere = None
        if elsewhere is None and not heading:
            yield content


def _step(line: str) -> TraceStep | None:
    if found := _STEP.match(line):
        cookie = int(found["cookie"], 16) if found["cookie"] else 0
        match = found["match"] or ""
        return TraceStep(int(found["table"]), int(found["priority"]), match, cookie)
    if found := _MISS.match(line):
        return TraceStep(int(found["table"]), NO_MATCH, "", 0)
    return None
