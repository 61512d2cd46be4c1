"""The flows of a datapath without those that go by BFD sessions which aren't up.

Flows are kept between traces, while sessions go up and down. So what is dead is left out when a
packet gets to it: a flow none of whose members is alive, and of the others the members that are
not. :meth:`LivingFlows.dead` has what a packet would have met otherwise.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from diagnosis.trace.stored_flows import StoredEntry
from logical_flow.action.selection import Member, decode_watched, encode_watched
from logical_flow.evaluate import Packet, Sets, evaluate
from logical_flow.flow_table import Flows, Placed
from logical_flow.template import Alive


class LivingFlows(Flows):
    """The flows of `below`; `alive` are the sessions that are up, by id."""

    def __init__(self, below: Flows, alive: Collection[str]) -> None:
        self._below = below
        self._alive = alive

    def candidates(self, stage: str, packet: Packet) -> Iterable[Placed]:
        for placed in self._below.candidates(stage, packet):
            living = self._living(placed)
            if living is not None:
                yield living

    def dead(self, stage: str, packet: Packet, sets: Sets) -> StoredEntry | None:
        """Return the flow of highest priority that would take the packet, were it alive."""
        found = [
            placed.entry
            for placed in self._below.candidates(stage, packet)
            if isinstance(placed.entry, StoredEntry)
            and self._living(placed) is None
            and evaluate(placed.entry.match, packet, sets) is True
        ]
        return max(found, key=lambda entry: entry.priority, default=None)

    def has_flows(self, stage: str) -> bool:
        return self._below.has_flows(stage)

    def _living(self, placed: Placed) -> Placed | None:
        flow = placed.entry.flow
        only = flow.template.only
        if not isinstance(only, Alive):
            return placed
        members = watched_members(placed.entry)
        living = [each for each in members if not each.session or each.session in self._alive]
        if not living:
            return None
        if len(living) == len(members):
            return placed
        arguments = {**flow.named_args, only.hole: encode_watched(living)}
        entry = replace(placed.entry, flow=flow.template(**arguments))
        return placed._replace(entry=entry)


def watched_members(entry: object) -> tuple[Member, ...]:
    """Return the members that a flow goes by; none where it goes by no BFD session."""
    flow = entry.flow if isinstance(entry, StoredEntry) else None
    only = None if flow is None else flow.template.only
    if flow is None or not isinstance(only, Alive):
        return ()
    return decode_watched(flow.named_args[only.hole])
