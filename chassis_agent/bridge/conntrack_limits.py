"""How many connections a port may have tracked: a limit for the conntrack zone of each.

The table of connections is one for the whole host, and a VM that opens connections without
end would fill it for all. Open vSwitch counts them by zone and commits no more than the
limit; a packet of one more connection is not tracked. Limits live in the datapath, and are
gone with it: at every `LOOK_SECONDS` they are read back and set where they are missing.
Zones that are not this agent's are left alone.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from chassis_agent.bridge import unixctl
from chassis_agent.desired.objects import DesiredObjects
from chassis_agent.errors import ControlError
from chassis_agent.health import Health

LOOK_SECONDS: Final = 5.0

_ZONES_AT_ONCE: Final = 200
_NAMED: Final = 5
_ZONE: Final = re.compile(r"^zone=(\d+),limit=(\d+),count=(\d+)$", re.MULTILINE)


class WantedLimit(NamedTuple):
    """The limit that a zone should have, as an object of the switch."""

    zone: int
    limit: int

    @property
    def key(self) -> int:
        return self.zone


class ZoneLimit(NamedTuple):
    """The limit of a zone, and how many connections there are in it."""

    limit: int
    connections: int


def read_limits(text: str) -> dict[int, ZoneLimit]:
    """The zones in what ``dpctl/ct-get-limits`` prints.

    >>> read_limits("default limit=0\\nzone=7,limit=10,count=3\\n")
    {7: ZoneLimit(limit=10, connections=3)}
    """
    return {
        int(zone): ZoneLimit(int(limit), int(count)) for zone, limit, count in _ZONE.findall(text)
    }


def datapath_name(datapath_type: str) -> str:
    """The datapath of bridges of a type, as ``dpctl`` calls it.

    >>> datapath_name(""), datapath_name("netdev")
    ('system@ovs-system', 'netdev@ovs-netdev')
    """
    kind = datapath_type or "system"
    return f"{kind}@ovs-{kind}"


class ConntrackLimits:
    """Keeps the limits of the zones of this host's ports."""

    def __init__(
        self,
        limit: int,
        control: Callable[[], Path],
        health: Health,
        *,
        datapath: Callable[[], str],
        zones: Callable[[], Mapping[str, int]],
    ) -> None:
        """`limit` is of connections in each zone, 0 for none.

        `control` finds the switch's control socket, `zones` are those of ports by name.
        """
        self._limit = limit
        self._control = control
        self._health = health
        self._datapath = datapath
        self._zones = zones
        self._wanted: DesiredObjects[WantedLimit] = DesiredObjects()
        self._limited: set[int] = set()
        self._owners: set[str] = set()
        self._full: dict[str, int] = {}

    async def run(self) -> None:
        while True:
            if self._limit:
                try:
                    await self.look()
                except ControlError as error:
                    self._health.degrade(
                        "conntrack_limits", f"connections can't be limited by port: {error}"
                    )
                else:
                    self._health.clear("conntrack_limits")
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Set the limits that are missing, and note which ports have reached theirs.

        Raises ControlError where the switch can't be asked, or has no such limits.
        """
        zones = dict(self._zones())
        for name in self._owners - zones.keys():
            self._wanted.replace(name, ())
        for name, zone in zones.items():
            self._wanted.replace(name, [WantedLimit(zone, self._limit)])
        self._owners = set(zones)
        wanted = {each.zone for each in self._wanted}
        if not wanted and not self._limited:
            return
        there = read_limits(await self._dpctl("ct-get-limits"))
        ours = self._limited | wanted
        different = self._wanted.difference(
            WantedLimit(zone, limit) for zone, (limit, _) in there.items() if zone in ours
        )
        for some in _batches(sorted(after.zone for _, after in different.put)):
            await self._dpctl(
                "ct-set-limits", *(f"zone={zone},limit={self._limit}" for zone in some)
            )
        self._limited |= wanted
        for some in _batches(sorted(gone.zone for gone in different.removed)):
            await self._dpctl("ct-del-limits", f"zone={','.join(map(str, some))}")
        self._limited = wanted
        self._note_full({name: there[zone] for name, zone in zones.items() if zone in there})

    def report(self) -> dict[str, Any]:
        """The part of the status that concerns connections."""
        return {"limit_a_port": self._limit, "full": dict(self._full)}

    def _note_full(self, ports: Mapping[str, ZoneLimit]) -> None:
        full = {name: count for name, (limit, count) in sorted(ports.items()) if count >= limit}
        self._health.counters["ports_at_connection_limit"] += len(full.keys() - self._full.keys())
        self._full = full
        if not full:
            self._health.clear("connections")
            return
        names = ", ".join(list(full)[:_NAMED])
        more = f" and {len(full) - _NAMED} more" if len(full) > _NAMED else ""
        self._health.degrade(
            "connections",
            f"{names}{more} have the {self._limit} connections that a port may have: "
            "further ones are not tracked",
        )

    async def _dpctl(self, command: str, *arguments: str) -> str:
        datapath = datapath_name(self._datapath())
        return await unixctl.call(self._control(), f"dpctl/{command}", datapath, *arguments)


def _batches(zones: list[int]) -> Iterable[list[int]]:
    for start in range(0, len(zones), _ZONES_AT_ONCE):
        yield zones[start : start + _ZONES_AT_ONCE]
