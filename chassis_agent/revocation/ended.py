"""Ends connections to backends that have left their virtual address, or don't answer any more.

Those to a virtual address that is gone from a datapath as a whole end likewise. Only what stands at
the same addresses has a say in that: what is looked at doesn't grow with a datapath's other ones.

Such a connection is forgotten where it was translated: in the zone of its client's port, or of
its router. What its client sends next is a new connection, with another backend: of TCP one that
knows nothing of it and resets it. Connections to backends that stay are left alone.

The reconciler names the sets of backends that have changed, once their groups are in the switch.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from chassis_agent.bridge.switch import Switch
from chassis_agent.derivations.live_backends import fronts_at, live_backends, uses_of_backends
from chassis_agent.health import Health
from chassis_agent.inputs import dnat_zone
from chassis_agent.revocation.backends import Fronts
from chassis_agent.revocation.ender import ConnectionEnder, Judge
from chassis_agent.revocation.settling import SETTLING
from southbound.rows import VirtualAddress

_MOST_KEPT: Final = 1000
_NONE: Final[Mapping[tuple[str, str], VirtualAddress]] = {}


class _Place(NamedTuple):
    """What clients of a datapath connected to."""

    datapath: str
    address: str
    port: int
    protocol: str


class GoneFront(NamedTuple):
    """A virtual address that a datapath had."""

    datapath: str
    row: VirtualAddress

    @property
    def place(self) -> _Place:
        return _Place(self.datapath, self.row.address, self.row.port, self.row.protocol)


class EndedBackends(ConnectionEnder[str | GoneFront]):
    """The sets of backends whose connections are due to be looked at, and what is gone as a whole.

    `rows` gives a table or derivation, `members` what a group has for a key, `zones` the zones by
    name, and `ports` the datapaths of the ports that are bound here, by name.
    """

    condition = "backends"
    ended = "connections_to_lost_backends"

    def __init__(
        self,
        switch: Switch,
        control: Callable[[], Path],
        health: Health,
        *,
        rows: Callable[[Any], Mapping[Any, Any]],
        members: Callable[[Any, Any], Iterable[Any]],
        zones: Callable[[], Mapping[str, int]],
        ports: Callable[[], Mapping[str, str]],
        settling: float = SETTLING,
    ) -> None:
        super().__init__(switch, control, health, settling=settling)
        self._rows = rows
        self._members = members
        self._zones = zones
        self._ports = ports
        self._kept: dict[_Place, VirtualAddress] = {}
        """Those that are gone and leave their connections: no other has a say in these.

        It holds until another one has been in the place, and is gone as well.
        """

    def request(
        self, sets: Iterable[str], gone: Mapping[tuple[str, str], VirtualAddress] = _NONE
    ) -> None:
        """Look at the connections to the virtual addresses of these sets, and to those `gone`.

        These are virtual addresses that are no longer what they were, by set and datapath.
        """
        left = [GoneFront(datapath, row) for (_, datapath), row in gone.items()]
        for each in left:
            self._kept.pop(each.place, None)
        self._kept.update((each.place, each.row) for each in left if not each.row.ends_connections)
        for place in list(self._kept)[:-_MOST_KEPT]:
            del self._kept[place]
        self.look_at([*sets, *(each for each in left if each.row.ends_connections)])

    async def _end(self, due: Collection[str | GoneFront]) -> None:
        changed: dict[str, list[str]] = defaultdict(list)
        left: dict[str, list[VirtualAddress]] = defaultdict(list)
        for each in due:
            if isinstance(each, GoneFront):
                left[each.datapath].append(each.row)
            else:
                for datapath in self._members(uses_of_backends, each):
                    changed[datapath].append(each)
        for datapath, zones in sorted(self._zones_of(changed.keys() | left.keys()).items()):
            judge = partial(
                self._judge, datapath, changed.get(datapath, ()), left.get(datapath, ())
            )
            for zone in zones:
                await self._end_in(zone, judge)

    def _zones_of(self, datapaths: Collection[str]) -> dict[str, list[int]]:
        """Return the zones of the ports of each datapath, and of its own."""
        zones = self._zones()
        names: dict[str, list[str]] = {datapath: [] for datapath in datapaths}
        for port, datapath in self._ports().items():
            if datapath in names:
                names[datapath].append(port)
        return {
            datapath: [
                zones[name] for name in (*sorted(ports), dnat_zone(datapath)) if name in zones
            ]
            for datapath, ports in names.items()
        }

    def _judge(
        self, datapath: str, changed: Collection[str], gone: Collection[VirtualAddress]
    ) -> Judge:
        """Return what tells lost connections to the addresses of these sets, and to those gone."""
        live = self._rows(live_backends)
        rows = [each.row for name in changed if (each := live.get(name)) is not None]
        addresses = {row.address for row in (*rows, *gone)}
        places = ((datapath, address) for address in sorted(addresses))
        names = (name for place in places for name in self._members(fronts_at, place))
        kept = (
            row
            for place, row in self._kept.items()
            if place.datapath == datapath and place.address in addresses
        )
        there = (each for each in map(live.get, names) if each is not None)
        return Fronts(there, (*gone, *kept)).has_lost_backend
