"""Ends connections that were translated by NATs which are gone, or translate otherwise now.

Open vSwitch translates all packets of a connection as it did the first. What a floating IP is for
would go on to where it was before, as long as its client goes on. Such a connection is forgotten:
what comes next is a new one, for which the NATs decide that there are. Of TCP it is reset by the
end that knows nothing of it.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from chassis_agent.bridge.switch import Switch
from chassis_agent.derivations.translations import translations_of
from chassis_agent.health import Health
from chassis_agent.inputs import dnat_zone, snat_zone
from chassis_agent.revocation.ender import ConnectionEnder, Judge
from chassis_agent.revocation.settling import SETTLING
from chassis_agent.revocation.translations import LostTranslations
from southbound.rows import Datapath, Translation


class EndedTranslations(ConnectionEnder[Translation]):
    """What isn't translated any more, and whose connections are due to be looked at.

    `rows` gives a table, `members` what a group has for a key, `zones` the zones by name.
    """

    condition = "translations"
    ended = "connections_translated_no_more"

    def __init__(
        self,
        switch: Switch,
        control: Callable[[], Path],
        health: Health,
        *,
        rows: Callable[[Any], Mapping[Any, Any]],
        members: Callable[[Any, Any], Iterable[Any]],
        zones: Callable[[], Mapping[str, int]],
        settling: float = SETTLING,
    ) -> None:
        super().__init__(switch, control, health, settling=settling)
        self._rows = rows
        self._members = members
        self._zones = zones

    async def _end(self, due: Collection[Translation]) -> None:
        lost: dict[str, list[Translation]] = defaultdict(list)
        for row in due:
            # A router that isn't known here any more may go on elsewhere.
            if row.datapath in self._rows(Datapath):
                lost[row.datapath].append(row)
        zones = self._zones()
        for datapath, rows in sorted(lost.items()):
            judge = partial(self._judge, datapath, rows)
            for name in (dnat_zone(datapath), snat_zone(datapath)):
                if name in zones:
                    await self._end_in(zones[name], judge)

    def _judge(self, datapath: str, lost: list[Translation]) -> Judge:
        rows = self._rows(Translation)
        current = (rows[key] for key in self._members(translations_of, datapath))
        return LostTranslations(lost, current).has_lost
