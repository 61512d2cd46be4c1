"""Who sends more to the agent than the switch lets through, as the switch's meters count it.

The meters in front of the agent (:mod:`chassis_agent.punt.meters`) drop what is beyond a
sender's share, and what is beyond the bound of its kind. Every `LOOK_SECONDS` their counters
are read. While any of them rises, and for a minute after it, the condition `floods` names the
senders, and `packets_over_share` counts what was dropped. A packet that was only to be logged
or learned from went on all the same.

A share of an interface is told by the logical ports that have it. One of senders elsewhere is
that of all whose logical input port has the same low bits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from chassis_agent.health import Health
from chassis_agent.openflow.errors import OpenFlowError
from chassis_agent.openflow.multipart import MeterUse
from chassis_agent.punt.meters import LOCAL_SHARES, meter_name, punt_meters, share_of_meter
from chassis_agent.rising import RisingCounters
from southbound.conditions import FLOODS

LOOK_SECONDS: Final = 10.0

_NAMED: Final = 3
_METERS: Final = frozenset(each.meter_id for each in punt_meters())
"""Those in front of the agent; users have meters of their own."""


class MeterCounters(Protocol):
    """A switch that says how much its meters were given and dropped."""

    async def meter_uses(self) -> list[MeterUse]: ...


class Floods:
    """Looks at the meters in front of the agent, and tells whose drop packets."""

    def __init__(
        self,
        switch: MeterCounters,
        health: Health,
        *,
        ports: Callable[[], Mapping[str, int]],
    ) -> None:
        """`ports` are the logical ports of this chassis with their OpenFlow ports."""
        self._switch = switch
        self._ports = ports
        self._dropped: dict[int, int] = {}
        self._rising: RisingCounters[int] = RisingCounters(
            health,
            FLOODS,
            "packets_over_share",
            "packets for the agent were dropped, beyond the share of who sent them",
            lambda meter: what_of(meter, self._ports()),
        )

    async def run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Tell what the meters dropped since the last look."""
        try:
            uses = await self._switch.meter_uses()
        except OpenFlowError:
            # The condition of the switch's connection says that it is away.
            self._rising.begin_anew()
            return
        self._dropped = {use.meter_id: use.dropped for use in uses if use.meter_id in _METERS}
        self._rising.look(self._dropped)

    async def report(self) -> dict[str, int]:
        """What the meters have dropped until now, by whose packets they were.

        Of a switch that is away it is what was seen last.
        """
        await self.look()
        ports = self._ports()
        return {
            what_of(meter, ports): dropped
            for meter, dropped in sorted(self._dropped.items())
            if dropped
        }


def what_of(meter: int, ports: Mapping[str, int]) -> str:
    """What a meter bounds; `ports` are logical ports with their OpenFlow ports.

    >>> what_of(256 + 7, {"vm1": 7, "vm2": 8, "vm3": 7 + 256})
    'of vm1, vm3'
    >>> what_of(1024 + 9, {}), what_of(256 + 256 + 3, {})
    ('to log, of OpenFlow port 9', 'of senders elsewhere, share 3')
    >>> what_of(9, {})
    'of the kind reject, of all senders'
    """
    share = share_of_meter(meter)
    if share is None:
        return f"of the kind {meter_name(meter)}, of all senders"
    kind = "to log, " if share.is_of_log else ""
    if share.number >= LOCAL_SHARES:
        return f"{kind}of senders elsewhere, share {share.number - LOCAL_SHARES}"
    names = sorted(name for name, ofport in ports.items() if ofport % LOCAL_SHARES == share.number)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    told = ", ".join(names[:_NAMED]) or f"OpenFlow port {share.number}"
    return f"{kind}of {told}{more}"
