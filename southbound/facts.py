"""What agents say, checked and joined to intent.

A chassis may write only what is its own: its chassis row, claims of ports, `up` of ports
that are bound to it, and addresses that packets of its ports can have taught: neighbours
of router ports that these reach, addresses behind ports that are bound to it. What isn't
allowed raises :class:`~southbound.errors.NotAllowedError` and changes nothing.

Facts take effect in memory at once and are stored a moment later: an agent repeats what
it knows when it registers, so losing the last moment in a crash loses nothing for long.
"""

import ipaddress
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

import msgspec
import structlog

from southbound.chassis import TunnelAddresses
from southbound.claims import Claims
from southbound.errors import NotAllowedError
from southbound.feed import Feed
from southbound.learned import Learned
from southbound.neighbours import why_no_neighbour
from southbound.port_types import PlacedBy
from southbound.reach import Reach
from southbound.requested import HostNames, Requests, Resolved
from southbound.rows import (
    Chassis,
    FdbEntry,
    MacBinding,
    PortBinding,
    Row,
    RowId,
    port_scope,
)
from southbound.store import PortFact

log = structlog.get_logger(__name__)

Change = Callable[[Iterable[Row], Iterable[RowId]], None]

NOT_BOUND = PortFact("", False)

_SHOWN = 64
"""Characters of what an agent sent that a reason shows."""

_GROUP_BIT = 1
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


class PendingFacts(NamedTuple):
    """Facts that the store hasn't got yet, as :meth:`southbound.store.Store.write_facts`
    takes them."""

    puts: list[Row]
    deletes: list[Row]
    port_facts: dict[str, PortFact | None]


class Facts:
    """All facts. `change` applies rows to the feed and tells the watchers."""

    def __init__(
        self,
        feed: Feed,
        change: Change,
        reach: Reach,
        *,
        clock: Callable[[], float],
        learned_age: float,
        learned_per_port: int,
        takeover: bool = True,
    ) -> None:
        """`takeover`: whether a later plug takes a port from a live chassis that has it."""
        self.learned_age = learned_age
        self.takeovers = 0
        """How often a port that was up on a live chassis went to a later plug."""
        self._takeover = takeover
        self._feed = feed
        self._change = change
        self._reach = reach
        self._clock = clock
        self._claims = Claims()
        self._contested: set[str] = set()
        """The ids of ports that several chassis claim, whatever they call them."""
        self._learned = Learned(age=learned_age, per_port=learned_per_port)
        self._port_facts: dict[str, PortFact] = {}
        self._host_names = HostNames()
        self._addresses = TunnelAddresses()
        self._requests = Requests()
        self._unstored: dict[RowId, Row] = {}
        self._unstored_ports: set[str] = set()

    def load(
        self, rows: Iterable[Row], bindings: Iterable[PortBinding], port_facts: dict[str, PortFact]
    ) -> None:
        """Take over what was stored. What was learned counts as seen just now.

        Facts of ports that are gone are dropped: the server may have ended between
        storing the one and the other.
        """
        now = self._clock()
        places = {binding.name: binding.datapath for binding in bindings}
        orphans = []
        for row in rows:
            if isinstance(row, Chassis):
                self._host_names.put(row)
                self._addresses.put(row)
            elif isinstance(row, MacBinding | FdbEntry):
                self._learned.seen(row.row_id, row.port, now, row.chassis)
                if places.get(row.port) != row.datapath:
                    orphans.append(row.row_id)
        self._port_facts = port_facts
        gone = set(port_facts)
        for binding in bindings:
            gone.discard(binding.id)
            fact = port_facts.get(binding.id)
            if fact is not None:
                self._claims.restore_claim(fact.chassis, binding.name)
        for id_ in gone:
            self._note_port(id_, NOT_BOUND)
        self._drop_learned(orphans)

    # --- chassis

    def check_chassis(self, chassis: Chassis) -> None:
        """Whether a chassis may register as this; raises NotAllowedError with the reason.

        What its row says has to be fit to be kept: see :func:`southbound.chassis.check_chassis`.
        """
        self._addresses.check(chassis)

    def connected(self, chassis: Chassis) -> None:
        """A chassis registered: its row is as it says, and it is alive.

        Ask :meth:`check_chassis` first. Tunnel addresses of a dead chassis become its own.
        """
        for loser in self._addresses.losing(chassis):
            log.warning("tunnel address moved", from_chassis=loser.name, to_chassis=chassis.name)
            self._put_chassis(loser)
        self._put_chassis(msgspec.structs.replace(chassis, alive=True))

    def lapsed(self, name: str) -> None:
        """The chassis' lease ran out. Of its claims those of ports that it has still stand."""
        chassis = self._chassis(name)
        if chassis is not None:
            self._put_chassis(msgspec.structs.replace(chassis, alive=False))
        held = [port for port in self._claims.of(name) if self._is_bound_to(port, name)]
        self.settle(self._claims.replace_claims(name, held))

    def remove_chassis(self, name: str) -> None:
        """The chassis is no more: so are its claims."""
        chassis = self._chassis(name)
        if chassis is None:
            return
        self._put([], [chassis])
        self._addresses.remove(name)
        released = self._claims.replace_claims(name, ())
        requesting = self._requests.ports_naming(self._host_names.remove(name))
        self.settle({*released, *requesting})

    def is_chassis(self, name: str) -> bool:
        """Whether a chassis of that name is known."""
        return self._chassis(name) is not None

    def chassis_called(self, host: str) -> str:
        """Return the chassis that a name in `requested_chassis` stands for; "" for none."""
        return next(iter(self._host_names.resolve([host], self._is_alive).chassis), "")

    def now(self) -> float:
        """Seconds since the epoch, on the clock that facts go by."""
        return self._clock()

    def _put_chassis(self, chassis: Chassis) -> None:
        self._put([chassis])
        self._addresses.put(chassis)
        requesting = self._requests.ports_naming(self._host_names.put(chassis))
        self.settle({*self._claims.of(chassis.name), *requesting})

    def _chassis(self, name: str) -> Chassis | None:
        row = self._feed.get((Chassis.table, name))
        return row if isinstance(row, Chassis) else None

    # --- ports

    def claim_only(self, chassis: str, ports: Iterable[str]) -> None:
        """All ports that a chassis claims."""
        self.settle(self.state_claims(chassis, ports))

    def state_claims(self, chassis: str, ports: Iterable[str]) -> Collection[str]:
        """As :meth:`claim_only`, but returns the ports that have to be settled for it."""
        return self._claims.replace_claims(chassis, ports)

    def claimed_by(self, chassis: str) -> Collection[str]:
        """The names of the ports that a chassis claims."""
        return self._claims.of(chassis)

    def may_have(self, chassis: str, port: str) -> bool:
        """Whether the chassis claims the port and may get it, or could if there were such."""
        if port not in self._claims.of(chassis):
            return False
        binding = self._binding(port)
        if binding is None:
            return True
        if binding.kind.placed_by is not PlacedBy.PLUG:
            return False
        if binding.candidates is not None:
            return chassis in binding.candidates
        return self._takeover or binding.chassis in ("", chassis)

    def claim(self, chassis: str, port: str) -> None:
        """An interface for `port` was plugged in. Another chassis may have the port still."""
        self._claims.plugged(chassis, port)
        self.settle([port])

    def reason_against(self, chassis: str, port: str) -> str:
        """Why a chassis doesn't get a port that it claims, as that chassis may know it."""
        binding = self._binding(port)
        if binding is None or binding.chassis == chassis:
            return ""
        if not binding.kind.has_interface:
            return f"{port}: a port of type {binding.type} takes no interface"
        if binding.candidates is not None and chassis not in binding.candidates:
            return f"{port}: other chassis are requested for it"
        if not self._takeover:
            return f"{port}: another chassis has it, and the server's agents.takeover is off"
        return ""

    def release(self, chassis: str, port: str) -> None:
        self._claims.release(chassis, port)
        self.settle([port])

    def set_up(self, chassis: str, port: str, up: bool) -> None:
        """The flows of a port are in the switch of `chassis`, or no longer are.

        Of a port that is bound elsewhere this changes nothing. It is normal where the port
        has only just moved: that it is down here, or up where it is claimed still.
        """
        binding = self._binding(port)
        if binding is None or binding.chassis != chassis:
            called = (port,) if binding is None else binding.iface_ids
            if up and not any(name in self._claims.of(chassis) for name in called):
                raise NotAllowedError(
                    f"{port[:_SHOWN]} is neither bound to {chassis} nor claimed by it"
                )
            return
        if binding.up != up:
            self._note_port(binding.id, PortFact(chassis, up))
            self._put([self.joined(binding)])

    def joined(self, binding: PortBinding) -> PortBinding:
        """The binding with its facts as they are now."""
        if binding.kind.placed_by is not PlacedBy.PLUG:
            return _unbound(binding)
        self._requests.put(binding)
        before = self._port_facts.get(binding.id, NOT_BOUND)
        candidates = self._candidates(binding, before.chassis)
        chassis = self._claims.holder(
            binding.iface_ids, candidates, self._is_alive, self._keeper(binding)
        )
        self._note_contest(binding)
        fact = self._fact(binding, chassis)
        self._note_port(binding.id, fact)
        if chassis not in ("", before.chassis) and before.up and candidates is None:
            self._note_takeover(binding, before.chassis, chassis)
        return self._at(binding, fact)

    def would_be(self, binding: PortBinding) -> PortBinding:
        """The binding with the facts that it would have, if it were there. Notes nothing."""
        if binding.kind.placed_by is not PlacedBy.PLUG:
            return _unbound(binding)
        candidates = self._candidates(binding, self._holder(binding))
        chassis = self._claims.favourite(
            binding.iface_ids, candidates, self._is_alive, self._keeper(binding)
        )
        return self._at(binding, self._fact(binding, chassis))

    def problems(self, binding: PortBinding) -> tuple[str, ...]:
        """What is wrong with where the port is or shall be, a sentence each.

        Names in its `requested_chassis` that stand for no chassis; other chassis that have an
        interface for it, too.
        """
        found = self._resolved(binding, binding.chassis).problems
        contest = self._contest(binding)
        return (*found, contest) if contest else found

    def problem_ports(self) -> Iterator[tuple[str, str]]:
        """The ports that have :meth:`problems`, with each of them."""
        called = {*self._requests.ports(), *self._contested}
        bindings = {row.name: row for row in map(self._binding, called) if row is not None}
        for name in sorted(bindings):
            for problem in self.problems(bindings[name]):
                yield name, problem

    def _contest(self, binding: PortBinding) -> str:
        if binding.kind.placed_by is not PlacedBy.PLUG:
            return ""
        others = sorted(
            name
            for name in self._claims.on(binding.iface_ids)
            if name != binding.chassis and self._is_alive(name)
        )
        if not others:
            return ""
        return f"there is an interface for it on {' and '.join(others)}, too"

    def _note_contest(self, binding: PortBinding) -> None:
        if len(self._claims.on(binding.iface_ids)) > 1:
            self._contested.add(binding.id)
        else:
            self._contested.discard(binding.id)

    def _keeper(self, binding: PortBinding) -> str:
        """The chassis that doesn't lose the port to a later plug."""
        return "" if self._takeover else self._holder(binding)

    def _note_takeover(self, binding: PortBinding, before: str, now: str) -> None:
        if self._is_alive(before) and before in self._claims.on(binding.iface_ids):
            self.takeovers += 1
            log.warning("port taken over", port=binding.name, from_chassis=before, to_chassis=now)

    def _is_bound_to(self, port: str, chassis: str) -> bool:
        binding = self._binding(port)
        return binding is not None and binding.chassis == chassis

    def _fact(self, binding: PortBinding, chassis: str) -> PortFact:
        """What is known of a binding that is at `chassis`."""
        known = self._port_facts.get(binding.id, NOT_BOUND)
        return known if known.chassis == chassis else PortFact(chassis, False)

    def _at(self, binding: PortBinding, fact: PortFact) -> PortBinding:
        """The binding with its facts; whom it may go to depends on who has it."""
        return msgspec.structs.replace(
            binding,
            chassis=fact.chassis,
            up=fact.up,
            candidates=self._candidates(binding, fact.chassis),
        )

    def port_gone(self, binding: PortBinding) -> None:
        """The translator deleted a port: what is known of it goes, too."""
        self._requests.remove(binding.id)
        self._contested.discard(binding.id)
        self._note_port(binding.id, NOT_BOUND)
        self._drop_learned(self._learned.of_port(binding.name))

    def neighbours_changed(self, binding: PortBinding) -> None:
        """A router port learns in other networks now: what is outside of them goes."""
        for row_id in self._learned.of_port(binding.name):
            row = self._feed.get(row_id)
            if isinstance(row, MacBinding) and why_no_neighbour(binding, row.ip):
                self._drop_learned([row_id])

    def settle(self, ports: Iterable[str]) -> None:
        """Find anew where each port is bound."""
        bindings = filter(None, map(self._binding, ports))
        self._put([self.joined(binding) for binding in bindings])

    def _binding(self, port: str) -> PortBinding | None:
        """Return the port with the id or name `port`; an id always wins."""
        rows = self._feed.snapshot(port_scope(port))
        found = [row for row in rows if isinstance(row, PortBinding)]
        return next((row for row in found if row.id == port), found[0] if found else None)

    def _holder(self, binding: PortBinding) -> str:
        """The chassis that has the port as far as it was settled."""
        return self._port_facts.get(binding.id, NOT_BOUND).chassis

    def _candidates(self, binding: PortBinding, holder: str) -> tuple[str, ...] | None:
        """The chassis that may have the port, the first wish first; None for all."""
        if not binding.requested_chassis:
            return None
        return self._resolved(binding, holder).chassis

    def _resolved(self, binding: PortBinding, holder: str) -> Resolved:
        return self._host_names.resolve(binding.requested_chassis, self._is_alive, holder)

    def _is_alive(self, name: str) -> bool:
        chassis = self._chassis(name)
        return chassis is not None and chassis.alive

    # --- learned addresses

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
        binding = self._known_binding(port)
        if binding.chassis != chassis:
            raise NotAllowedError(f"{port} is not bound to {chassis}")
        _check_mac(mac)
        self._learn(FdbEntry(binding.datapath, mac, binding.name, chassis, self._clock()))

    def expire(self) -> None:
        """Drop what was not seen for the age."""
        self._drop_learned(self._learned.expired(self._clock()))

    def _learn(self, row: MacBinding | FdbEntry) -> None:
        old = self._feed.get(row.row_id)
        surplus = self._learned.seen(row.row_id, row.port, self._clock(), row.chassis)
        if not isinstance(old, MacBinding | FdbEntry) or (old.datapath, old.port, old.mac) != (
            row.datapath,
            row.port,
            row.mac,
        ):
            self._put([row])
        self._drop_learned(surplus)

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

    # --- to be stored

    @property
    def unstored(self) -> bool:
        return bool(self._unstored or self._unstored_ports)

    def take_unstored(self) -> PendingFacts:
        """What changed since the last call."""
        puts: list[Row] = []
        deletes: list[Row] = []
        for row_id, row in self._unstored.items():
            now = self._feed.get(row_id)
            (puts if now is not None else deletes).append(now or row)
        port_facts = {id_: self._port_facts.get(id_) for id_ in self._unstored_ports}
        self._unstored, self._unstored_ports = {}, set()
        return PendingFacts(puts, deletes, port_facts)

    def put_back(self, pending: PendingFacts) -> None:
        """They could not be stored: they are unstored still."""
        for row in (*pending.puts, *pending.deletes):
            self._unstored.setdefault(row.row_id, row)
        self._unstored_ports.update(pending.port_facts)

    def _put(self, puts: Collection[Row], deletes: Collection[Row] = ()) -> None:
        for row in (*puts, *deletes):
            if not isinstance(row, PortBinding):
                self._unstored[row.row_id] = row
        self._change(puts, [row.row_id for row in deletes])

    def _note_port(self, id_: str, fact: PortFact) -> None:
        if self._port_facts.get(id_, NOT_BOUND) != fact:
            self._unstored_ports.add(id_)
            if fact == NOT_BOUND:
                del self._port_facts[id_]
            else:
                self._port_facts[id_] = fact


def _unbound(binding: PortBinding) -> PortBinding:
    """The binding of a port that no plug places: up everywhere, or nowhere if it isn't known."""
    up = binding.kind.placed_by is PlacedBy.NONE_NEEDED
    return msgspec.structs.replace(binding, chassis="", up=up)


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
