"""Where the switch's flows differ from those that are wanted, on some datapaths. Pure.

An unwanted flow may concern a packet on any datapath unless its match asks for
another one: flows that were added by hand seldom ask for a datapath.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from chassis_agent import tables
from chassis_agent.desired.flow import Flow, FlowKey
from chassis_agent.openflow.errors import DecodingError
from chassis_agent.openflow.oxm import terms_of
from southbound.cookies import parse_physical_cookie


class FlowDifference(NamedTuple):
    """One flow as it is wanted and as it was found; None where there is none."""

    key: FlowKey
    wanted: Flow | None
    found: Flow | None

    @property
    def cookie(self) -> int:
        """The wanted flow's, or else the found one's."""
        return next((flow.cookie for flow in (self.wanted, self.found) if flow), 0)


def flow_differences(
    wanted: Iterable[Flow], found: Iterable[Flow], datapaths: Collection[int]
) -> dict[FlowKey, FlowDifference]:
    """The differences that concern packets on `datapaths`, by tunnel key, in table order."""
    one = {flow.key: flow for flow in wanted}
    other = {flow.key: flow for flow in found}
    differing = [key for key in one.keys() | other.keys() if one.get(key) != other.get(key)]
    named = (FlowDifference(key, one.get(key), other.get(key)) for key in sorted(differing))
    return {each.key: each for each in named if _concerns(each, datapaths)}


def _concerns(difference: FlowDifference, datapaths: Collection[int]) -> bool:
    _, _, match = difference.key
    try:
        asked = next((t for t in terms_of(match) if t.field.name == tables.DATAPATH), None)
    except DecodingError:
        return True
    if asked is not None:
        mask = asked.field.full_mask if asked.mask is None else asked.mask
        return any(key & mask == asked.value for key in datapaths)
    keys = parse_physical_cookie(difference.cookie)
    if difference.wanted is None or keys is None or not keys.datapath_key:
        return True
    return keys.datapath_key in datapaths
