"""The addresses that agents have learned: neighbours of router ports, addresses behind ports.

A chassis may tell only what packets of its ports can have taught. What isn't allowed raises
:class:`~southbound.errors.NotAllowedError` and changes nothing.
"""

import ipaddress
import re
from collections.abc import Callable, Collection, Iterable

from southbound.errors import NotAllowedError
from southbound.feed import Feed
from southbound.learned import Learned
from southbound.neighbours import why_no_neighbour
from southbound.reach import Reach
from southbound.rows import Datapath, FdbEntry, MacBinding, PortBinding, Row, RowId

Put = Callable[[Collection[Row], Collection[Row]], None]

_SHOWN = 64
_GROUP_BIT = 1
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


class LearnedFacts:
    """Addresses that were learned, joined to the ports that they belong to.

    `put` makes rows facts and takes others back; `binding` finds a port by name or id.
    """

    def __init__(
        self,
        feed: Feed,
        put: Put,
        reach: Reach,
        binding: Callable[[str], PortBinding | None],
        *,
        clock: Callable[[], float],
        learned: Learned,
    ) -> None:
        self._feed = feed
        self._put = put
        self._reach = reach
        self._binding = binding
        self._clock = clock
        self._learned = learned

    def load(self, rows: Iterable[Row], bindings: Iterable[PortBinding]) -> None:
        """Take over what was stored, which counts as seen just now."""
        now = self._clock()
        places = {binding.name: binding.datapath for binding in bindings}
        orphans = []
        for row in rows:
            if isinstance(row, MacBinding | FdbEntry):
                self._learned.seen(row.row_id, row.port, now, row.chassis, self._age_of(row))
                if places.get(row.port) != row.datapath:
                    orphans.append(row.row_id)
        self._drop_learned(orphans)

    def port_gone(self, binding: PortBinding) -> None:
        """The port is no more: nor is what was learned of it."""
        self._drop_learned(self._learned.of_port(binding.name))

    def neighbours_changed(self, binding: PortBinding) -> None:
        """A router port learns in other networks now: what is outside of them goes."""
        for row_id in self._learned.of_port(binding.name):
            row = self._feed.get(row_id)
            if isinstance(row, MacBinding) and why_no_neighbour(binding, row.ip):
                self._drop_learned([row_id])

    def learn_mac(self, chassis: str, port: str, ip: str, mac: str) -> None:
        """The last writer wins; the same address again is only noted as seen.

        By whatever the port is called, the row has its name: what is bounded and goes with the
        port goes by that.
        """
        binding = self._known_binding(port)
        if not binding.joins_datapaths or not self._reach.reaches(chassis, binding.datapath):
            raise NotAllowedError(f"{port} is no router port that ports of {chassis} reach")
        _check_mac(mac)
        _check_ip(ip)
        why_not = why_no_neighbour(binding, ip)
        if why_not:
            raise NotAllowedError(f"{ip} can't be a neighbour of {port}: {why_not}")
        self._learn(MacBinding(binding.datapath, binding.name, ip, mac, chassis, self._clock()))

    def learn_fdb(self, chassis: str, port: str, mac: str) -> None:
        """The last writer wins, but who is behind a bound port isn't on a provider network.

        Frames of his come back from there to other chassis.
        """
        binding = self._known_binding(port)
        row = FdbEntry(binding.datapath, mac, binding.name, chassis, self._clock())
        if binding.kind.leads_outside and not binding.kind.is_bound:
            if not self._reach.reaches(chassis, binding.datapath):
                raise NotAllowedError(f"{port} leads out of nothing that ports of {chassis} reach")
            if self._is_behind_another(row):
                return
        elif chassis not in binding.all_chassis:
            raise NotAllowedError(f"{port} is not bound to {chassis}")
        _check_mac(mac)
        self._learn(row)

    def _is_behind_another(self, row: FdbEntry) -> bool:
        """Whether the address was learned behind a port that is bound."""
        known = self._feed.get(row.row_id)
        holder = self._binding(known.port) if isinstance(known, FdbEntry) else None
        return holder is not None and holder.name != row.port and holder.kind.is_bound

    def expire(self) -> None:
        """Drop what was not seen for the age."""
        self._drop_learned(self._learned.expired(self._clock()))

    def _learn(self, row: MacBinding | FdbEntry) -> None:
        old = self._feed.get(row.row_id)
        age = self._age_of(row)
        surplus = self._learned.seen(row.row_id, row.port, self._clock(), row.chassis, age)
        if not isinstance(old, MacBinding | FdbEntry) or (old.datapath, old.port, old.mac) != (
            row.datapath,
            row.port,
            row.mac,
        ):
            self._put([row], [])
        self._drop_learned(surplus)

    def _age_of(self, row: MacBinding | FdbEntry) -> float | None:
        """Return how long a router keeps a neighbour; None where it doesn't say."""
        datapath = self._feed.get((Datapath.table, row.datapath))
        if not isinstance(row, MacBinding) or not isinstance(datapath, Datapath):
            return None
        return None if datapath.neighbour_age < 0 else datapath.neighbour_age

    def _drop_learned(self, row_ids: Iterable[RowId]) -> None:
        gone = []
        for row_id in list(row_ids):
            self._learned.forget(row_id)
            row = self._feed.get(row_id)
            if row is not None:
                gone.append(row)
        if gone:
            self._put([], gone)

    def _known_binding(self, port: str) -> PortBinding:
        binding = self._binding(port)
        if binding is None:
            raise NotAllowedError(f"{port[:_SHOWN]}: no such port")
        return binding


def _check_mac(mac: str) -> None:
    if not _MAC.fullmatch(mac):
        raise NotAllowedError(f"{mac[:_SHOWN]!r} is not a MAC address in canonical form")
    if int(mac[:2], 16) & _GROUP_BIT or not mac.strip("0:"):
        raise NotAllowedError(f"{mac} is no host's MAC address")


def _check_ip(ip: str) -> None:
    try:
        canonical = str(ipaddress.ip_address(ip))
    except ValueError:
        canonical = ""
    if ip != canonical:
        raise NotAllowedError(f"{ip[:_SHOWN]!r} is not an IP address in canonical form")
