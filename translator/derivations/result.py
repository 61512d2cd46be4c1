"""What a flow derivation results in."""

from typing import NamedTuple

from logical_flow.template import LogicalFlow


class Flows(NamedTuple):
    """Logical flows on one datapath, and the northbound object that caused them."""

    datapath: str
    cause_kind: str
    cause_id: str
    flows: tuple[LogicalFlow, ...]
