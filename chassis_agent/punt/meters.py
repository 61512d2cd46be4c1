"""The meters in front of the agent: what of a flood of punted packets reaches it, and whose.

Two meters judge each punted packet. The first is that of its sender's *share*, in a table of
shares (`tables.PUNT_SHARE`, and `tables.LOG_SHARE` for what is only logged). It keeps one VM's
flood from taking the place of the others' packets. The second is that of the packet's opcode,
and bounds what all senders together cost.

A sender is who `tables.SENDER` says. Those of this chassis are interfaces, whose OpenFlow ports
spread over `LOCAL_SHARES`: with fewer interfaces each has a share of its own. Those elsewhere
are told apart by the logical port at which they enter the datapath, in `TUNNEL_SHARES`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from chassis_agent import tables
from chassis_agent.desired.objects import Meter
from chassis_agent.punt.opcodes import Opcode


class PuntMeter(NamedTuple):
    """How many packets a second may reach the agent, and how many at once."""

    meter_id: int
    rate: int
    burst: int

    def as_object(self) -> Meter:
        """The meter as the switch has it."""
        return Meter(self.meter_id, packets=True, rate=self.rate, burst=self.burst)


PUNT_METERS: Final = {opcode: PuntMeter(int(opcode), 1000, 1000) for opcode in Opcode}
"""What all senders together may have of each opcode."""

PROBE_ECHO_METER: Final = PuntMeter(64, 1000, 1000)
"""In front of the tunnel through which the switch sends other chassis' probes back."""

LOCAL_SHARES: Final = 256
TUNNEL_SHARES: Final = 16
SHARE_RATE: Final = 100
SHARE_BURST: Final = 200

_FIRST_SHARE: Final = 256
_FIRST_LOG_SHARE: Final = 1024


class Shares(NamedTuple):
    """The meters of a sender: for what the agent answers or learns, and for what it logs."""

    punts: int
    logs: int


class Share(NamedTuple):
    """A share of the agent, of packets or of what is logged.

    Those below `LOCAL_SHARES` are of interfaces, by their OpenFlow ports modulo that; the
    others are of senders on other chassis.
    """

    number: int
    is_of_log: bool


def shares_of(sender: int) -> Shares:
    """The meters of a sender, a value of `tables.SENDER`.

    >>> shares_of(3)
    Shares(punts=259, logs=1027)
    >>> shares_of(3 + LOCAL_SHARES) == shares_of(3)
    True
    """
    share = sender % LOCAL_SHARES
    if sender >= tables.FIRST_SENDER_ELSEWHERE:
        share = LOCAL_SHARES + (sender - tables.FIRST_SENDER_ELSEWHERE) % TUNNEL_SHARES
    return Shares(_FIRST_SHARE + share, _FIRST_LOG_SHARE + share)


def punt_meters() -> Iterator[PuntMeter]:
    """All meters in front of the agent, and that of probes; every chassis has them."""
    yield from PUNT_METERS.values()
    yield PROBE_ECHO_METER
    for first in (_FIRST_SHARE, _FIRST_LOG_SHARE):
        for share in range(LOCAL_SHARES + TUNNEL_SHARES):
            yield PuntMeter(first + share, SHARE_RATE, SHARE_BURST)


def share_of_meter(number: int) -> Share | None:
    """Whose share a meter is; None for one that isn't.

    >>> share_of_meter(259), share_of_meter(1024 + 256), share_of_meter(9)
    (Share(number=3, is_of_log=False), Share(number=256, is_of_log=True), None)
    """
    for first, is_of_log in ((_FIRST_LOG_SHARE, True), (_FIRST_SHARE, False)):
        if 0 <= number - first < LOCAL_SHARES + TUNNEL_SHARES:
            return Share(number - first, is_of_log)
    return None


def meter_name(number: int) -> str:
    """What a meter is for, in a word.

    >>> meter_name(9), meter_name(259), meter_name(1024 + 256), meter_name(4000)
    ('reject', 'share_3', 'log_share_elsewhere_0', '4000')
    """
    if number == PROBE_ECHO_METER.meter_id:
        return "probe_echo"
    for opcode, meter in PUNT_METERS.items():
        if number == meter.meter_id:
            return opcode.name.lower()
    share = share_of_meter(number)
    if share is None:
        return str(number)
    name = "log_share" if share.is_of_log else "share"
    if share.number < LOCAL_SHARES:
        return f"{name}_{share.number}"
    return f"{name}_elsewhere_{share.number - LOCAL_SHARES}"
