"""Meters that ACLs name: limits on what they log."""

from typing import NamedTuple

from incremental import Read
from logical_flow.action import LogMeter
from translator.inputs import Acl, input_table


class Meter(NamedTuple):
    id: str
    name: str
    rate: int
    burst: int
    fair: bool
    qualified: str


TABLE = input_table("meter", Meter, names=dict)


def log_meter(read: Read, acl: Acl) -> LogMeter | None:
    """Return the meter of an ACL's lines, None if it names none.

    A fair meter is one for each ACL, on each chassis; another one ACLs share.
    """
    meter = read(Meter, acl.meter) if acl.meter else None
    if meter is None:
        return None
    name = f"{meter.qualified}/{acl.id}" if meter.fair else meter.qualified
    return LogMeter(name, meter.rate, meter.burst or meter.rate)
