"""The schema of live checks."""

from typing import Literal

from diagnosis.trace.documents import ExplainedCause
from northbound.specs.base import StrictModel


class LiveCopies(StrictModel):
    """Where copies of a packet leave a switch."""

    ports: list[str]
    chassis: list[str]
    agent: bool
    """Whether the agent is handed one."""


class LiveStep(StrictModel):
    """A flow of the switch that the packet meets."""

    table: str
    priority: int | None
    """`null` where it meets none."""
    match: str
    cookie: str


class LiveLeg(StrictModel):
    """What one switch would do with the packet, and what the walk has it do."""

    source: str
    """Where the packet enters the switch, in words."""
    packet: str
    agrees: bool | None
    text: str
    wanted: LiveCopies
    found: LiveCopies | None
    """`null` if the agent could not say."""
    steps: list[LiveStep]


class LiveDifference(StrictModel):
    """A flow that is not in the switch as its agent wants it."""

    kind: Literal["missing", "extra", "altered"]
    table: str
    datapath: str | None
    """`null` where the flow asks for none."""
    text: str
    wanted: str | None
    found: str | None
    cookie: str
    logical_flows: list[str]
    """What it comes from; of a foreign flow with a group's cookie, what it could come from."""
    cause: ExplainedCause | None
    """The object behind it; `null` for the agent's own flows, and for foreign ones."""


class LiveChassis(StrictModel):
    """A chassis on the way of a packet."""

    chassis: str
    alive: bool
    agrees: bool | None
    text: str
    problem: str | None
    """Why its agent could not be asked."""
    revision: int | None
    """The revision that the flows which its agent wants realise."""
    in_sync: bool | None
    differences: list[LiveDifference]
    more_differences: int
    """How many are left out."""
    legs: list[LiveLeg]


class LiveCheck(StrictModel):
    """Whether the switches on the way do what the walk says; `null` if not all could be asked."""

    agrees: bool | None
    text: str
    chassis: list[LiveChassis]
