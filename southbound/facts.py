"""What agents say, checked and joined to intent.

A chassis may write only what is its own: its chassis row, claims of ports, `up` of ports
that are bound to it, and addresses that packets of its ports can have taught: neighbours
of router ports that these reach, addresses behind ports that are bound to it. What isn't
allowed raises :class:`~southbound.errors.NotAllowedError` and changes nothing.

Facts take effect in memory at once and are stored a moment later: an agent repeats what
it knows when it registers, so losing the last moment in a crash loses nothing for long.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import msgspec
import structlog

from southbound.backends import BackendFacts
from southbound.bfd_facts import BfdFacts
from southbound.chassis import TunnelAddresses
from southbound.claims import Claims
from southbound.errors import NotAllowedError
from southbound.feed import Feed
from southbound.learned import Learned
from southbound.learned_facts import LearnedFacts
from southbound.nesting import Nesting
from southbound.placing import Placing, further_chassis, unbound
from southbound.port_types import PlacedBy
from southbound.reach import Reach
from southbound.requested import HostNames, Requests, Resolved
from southbound.rows import Chassis, PortBinding, Row, RowId, port_scope
from southbound.store import PortFact
from southbound.unstored import Unstored
from southbound.virtual import Spoken

log = structlog.get_logger(__name__)

Change = Callable[[Iterable[Row], Iterable[RowId]], None]

NOT_BOUND = PortFact("", False)

_SHOWN = 64
"""Characters of what an agent sent that a reason shows."""


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
        self._clock = clock
        self._claims = Claims()
        self._contested: set[str] = set()
        """The ids of ports that several chassis claim, whatever they call them."""
        self.learned = LearnedFacts(
            feed,
            self._put,
            reach,
            self._binding,
            clock=clock,
            learned=Learned(age=learned_age, per_port=learned_per_port),
        )
        self.bfd = BfdFacts(feed, self._put, self._binding, clock)
        self.backends = BackendFacts(feed, self._put, self._binding, clock)
        self._port_facts: dict[str, PortFact] = {}
        self._host_names = HostNames()
        self._addresses = TunnelAddresses()
        self._requests = Requests()
        self._nesting = Nesting()
        self._arriving: dict[str, PortBinding] = {}
        """Rows that are being joined, by name: the feed has them once that is done."""
        self._placing = Placing(self._fact)
        self.unstored = Unstored(feed.get, self._port_facts.get)

    def load(
        self,
        rows: Iterable[Row],
        bindings: Iterable[PortBinding],
        port_facts: dict[str, PortFact],
    ) -> None:
        """Take over what was stored. What was learned counts as seen just now.

        Facts of ports that are gone are dropped: the server may have ended between
        storing the one and the other.
        """
        bindings = list(bindings)
        for row in rows:
            if isinstance(row, Chassis):
                self._host_names.put(row)
                self._addresses.put(row)
        self._port_facts.update(port_facts)
        gone = set(port_facts)
        for binding in bindings:
            gone.discard(binding.id)
            fact = port_facts.get(binding.id)
            if fact is not None and binding.kind.placed_by is PlacedBy.PLUG:
                for chassis in fact.all_chassis:
                    self._claims.restore_claim(chassis, binding.name)
        for id_ in gone:
            self._note_port(id_, NOT_BOUND)
        self.learned.load(rows, bindings)
        self.backends.load(rows)

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
        known = self._chassis(chassis.name)
        monitors = () if known is None else known.monitors
        self._put_chassis(msgspec.structs.replace(chassis, alive=True, monitors=monitors))

    def set_monitors(self, name: str, monitors: Iterable[str]) -> None:
        """The chassis that a chassis watches: those of them that there are."""
        chassis = self._chassis(name)
        known = tuple(sorted(filter(self.is_chassis, {*monitors} - {name})))
        if chassis is not None and chassis.monitors != known:
            self._put([msgspec.structs.replace(chassis, monitors=known)])

    def lapsed(self, name: str) -> None:
        """The chassis' lease ran out. Of its claims those of ports that it has still stand."""
        chassis = self._chassis(name)
        if chassis is not None:
            self._put_chassis(msgspec.structs.replace(chassis, alive=False))
            self.backends.chassis_away(name)
        held = [port for port in self._claims.of(name) if self._is_bound_to(port, name)]
        self.settle(self._claims.replace_claims(name, held))

    def remove_chassis(self, name: str) -> None:
        """The chassis is no more: so are its claims."""
        chassis = self._chassis(name)
        if chassis is None:
            return
        self._put([], [chassis])
        self._addresses.remove(name)
        self.bfd.chassis_gone(name)
        self.backends.chassis_away(name)
        released = {
            *self._claims.replace_claims(name, ()),
            *self._placing.moves.forget_chassis(name),
        }
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
        """As :meth:`claim_only`, but return the ports that have to be settled for it."""
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
        if binding.kind.placed_by is PlacedBy.ELECTED:
            return chassis in binding.electorate
        if binding.kind.placed_by is not PlacedBy.PLUG:
            return binding.kind.has_interface and not binding.kind.is_bound
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
        if binding.kind.has_interface and not binding.kind.is_bound:
            return ""
        if binding.kind.placed_by is PlacedBy.ELECTED:
            others = chassis not in binding.electorate
            return f"{port}: other chassis are named for it" if others else ""
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
            if binding is not None and chassis in binding.additional_chassis:
                self._placing.moves.set_ready(binding.id, chassis, up)
            return
        if binding.up != up:
            fact = self._fact(binding.id)
            self._note_port(binding.id, fact._replace(chassis=chassis, up=up))
            self._put(self.joined_all([binding]))

    def joined_all(self, bindings: Iterable[PortBinding]) -> list[PortBinding]:
        """The bindings with their facts as they are now, and those that are where they are."""
        given: dict[str, PortBinding] = {}
        for binding in bindings:
            given[binding.id] = self._arriving[binding.name] = binding
            self._nesting.put(binding)
        inside = {
            id_: row
            for id_ in self._nesting.inside({*given, *self._arriving})
            if id_ not in given and isinstance(row := self._feed.get(_row_id(id_)), PortBinding)
        }
        # What goes by others comes after these, whose places it shares.
        rows = {**given, **inside}.values()
        ordered = sorted(rows, key=lambda row: bool(row.parent or row.virtual_parents))
        joined = [self.joined(binding) for binding in ordered]
        self._arriving = {}
        return joined

    def joined(self, binding: PortBinding) -> PortBinding:
        """The binding with its facts as they are now. Those of its parent are settled."""
        placed_by = binding.kind.placed_by
        if placed_by is PlacedBy.PARENT:
            return self._noted(binding, self._placing.fact_beside(binding))
        if placed_by is PlacedBy.SPEAKER:
            return self._noted(binding, self._placing.fact_spoken(binding, self._coming))
        if placed_by is PlacedBy.ELECTED:
            self._requests.put(binding)
            elected = self._elected(binding)
            self._note_port(binding.id, PortFact(elected.chassis, elected.up))
            return elected
        if placed_by is not PlacedBy.PLUG:
            return unbound(binding)
        self._requests.put(binding)
        before = self._fact(binding.id)
        candidates = self._candidates(binding, before)
        chassis = self._claims.holder(
            binding.iface_ids, candidates, self._is_alive, self._keeper(binding)
        )
        self._note_contest(binding)
        further = self._further(binding, candidates, chassis)
        fact = self._placing.fact(binding, chassis, further)
        self._placing.settled(binding, before, further)
        self._note_port(binding.id, fact)
        if chassis not in ("", before.chassis) and before.up and candidates is None:
            self._note_takeover(binding, before.chassis, chassis)
        return self._at(binding, fact)

    def would_be(self, binding: PortBinding) -> PortBinding:
        """The binding with the facts that it would have, if it were there. Notes nothing."""
        if binding.kind.placed_by is PlacedBy.PARENT:
            return self._at(binding, self._placing.fact_beside(binding))
        if binding.kind.placed_by is PlacedBy.ELECTED:
            return self._elected(binding)
        if binding.kind.placed_by is PlacedBy.SPEAKER:
            return self._at(binding, self._placing.fact_spoken(binding, self._coming))
        if binding.kind.placed_by is not PlacedBy.PLUG:
            return unbound(binding)
        candidates = self._candidates(binding, self._fact(binding.id))
        chassis = self._claims.favourite(
            binding.iface_ids, candidates, self._is_alive, self._keeper(binding)
        )
        further = self._further(binding, candidates, chassis)
        return self._at(binding, self._placing.fact(binding, chassis, further))

    def _elected(self, binding: PortBinding) -> PortBinding:
        """The binding of a port for which chassis are elected, by what they say of the outcome.

        They decide among themselves, the server only hears of it: the last one that said that it
        is in charge has the port, up as long as that one is alive.
        """
        resolved = self._resolved(binding, self._fact(binding.id).all_chassis).chassis
        chassis = self._claims.latest(binding.name, resolved, self._is_alive)
        return msgspec.structs.replace(
            binding, chassis=chassis, up=self._is_alive(chassis), candidates=resolved
        )

    def problems(self, binding: PortBinding) -> tuple[str, ...]:
        """What is wrong with where the port is or shall be, a sentence each.

        Names in its `requested_chassis` that stand for no chassis; other chassis that have an
        interface for it, too.
        """
        found = self._resolved(binding, binding.all_chassis).problems
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
            if name not in binding.all_chassis and self._is_alive(name)
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
        return "" if self._takeover else self._fact(binding.id).chassis

    def _note_takeover(self, binding: PortBinding, before: str, now: str) -> None:
        if self._is_alive(before) and before in self._claims.on(binding.iface_ids):
            self.takeovers += 1
            log.warning("port taken over", port=binding.name, from_chassis=before, to_chassis=now)

    def _is_bound_to(self, port: str, chassis: str) -> bool:
        return (binding := self._binding(port)) is not None and chassis in binding.all_chassis

    def _further(
        self, binding: PortBinding, candidates: tuple[str, ...] | None, chassis: str
    ) -> tuple[str, ...]:
        claiming = self._claims.on(binding.iface_ids) if candidates else ()
        return further_chassis(candidates, chassis, claiming, self._is_alive)

    def _coming(self, name: str) -> PortBinding | None:
        """Return the port of a name, also while it is being joined."""
        return self._arriving.get(name) or self._binding(name)

    def state_virtual(self, chassis: str, spoken: Iterable[tuple[str, Spoken]]) -> None:
        """A chassis says which of its ports speak for which virtual ports, all of them.

        What isn't that chassis' to say is passed over: its port may have moved just now.
        """
        self.settle(self._placing.said_by(chassis, spoken, self._binding))

    def state_activated(self, chassis: str, ports: Collection[str]) -> None:
        """A chassis says, of all ports that moved there, which have become active."""
        self.settle(self._placing.moves.replace_activated(chassis, ports))

    def _at(self, binding: PortBinding, fact: PortFact) -> PortBinding:
        """The binding with its facts; whom it may go to depends on who has it."""
        if fact == NOT_BOUND and not binding.requested_chassis:
            return binding.without_facts()
        return msgspec.structs.replace(
            binding,
            chassis=fact.chassis,
            up=fact.up,
            additional_chassis=fact.additional_chassis,
            activated=fact.activated,
            virtual_parent=fact.virtual_parent,
            candidates=self._candidates(binding, fact),
        )

    def _noted(self, binding: PortBinding, fact: PortFact) -> PortBinding:
        self._note_port(binding.id, fact)
        return self._at(binding, fact)

    def port_gone(self, binding: PortBinding) -> None:
        """The translator deleted a port: what is known of it goes, too."""
        self._requests.remove(binding.id)
        self._nesting.remove(binding.id)
        self._placing.port_gone(binding)
        self._contested.discard(binding.id)
        self._note_port(binding.id, NOT_BOUND)
        self.learned.port_gone(binding)

    def settle(self, ports: Iterable[str]) -> None:
        """Find anew where each port is bound."""
        bindings = filter(None, map(self._binding, ports))
        joined = self.joined_all(bindings)
        left = {name for row in joined if not row.chassis for name in self._chassis_of(row.row_id)}
        self._put(joined)
        self.bfd.charge_changed({row.chassis for row in joined if row.electorate})
        self.backends.settle(left)

    def _binding(self, port: str) -> PortBinding | None:
        """Return the port with the id or name `port`; an id always wins."""
        called = self._feed.get(_row_id(port))
        if isinstance(called, PortBinding):
            return called
        rows = self._feed.snapshot(port_scope(port))
        found = (row for row in rows if isinstance(row, PortBinding) and row.name == port)
        return next(found, None)

    def _chassis_of(self, row_id: RowId) -> tuple[str, ...]:
        """All chassis that have a port, as far as agents know."""
        row = self._feed.get(row_id)
        return row.all_chassis if isinstance(row, PortBinding) else ()

    def _fact(self, id_: str) -> PortFact:
        """What is known of the port of this id as far as it was settled."""
        return self._port_facts.get(id_, NOT_BOUND)

    def _candidates(self, binding: PortBinding, fact: PortFact) -> tuple[str, ...] | None:
        """The chassis that may have the port, the first wish first; None for all."""
        if not binding.requested_chassis:
            return None
        return self._resolved(binding, fact.all_chassis).chassis

    def _resolved(self, binding: PortBinding, holders: Sequence[str]) -> Resolved:
        return self._host_names.resolve(binding.requested_chassis, self._is_alive, holders)

    def _is_alive(self, name: str) -> bool:
        chassis = self._chassis(name)
        return chassis is not None and chassis.alive

    def _put(self, puts: Collection[Row], deletes: Collection[Row] = ()) -> None:
        for row in (*puts, *deletes):
            if not isinstance(row, PortBinding):
                self.unstored.note_row(row)
        self._change(puts, [row.row_id for row in deletes])

    def _note_port(self, id_: str, fact: PortFact) -> None:
        if self._port_facts.get(id_, NOT_BOUND) != fact:
            self.unstored.note_port(id_)
            if fact == NOT_BOUND:
                del self._port_facts[id_]
            else:
                self._port_facts[id_] = fact


def _row_id(id_: str) -> RowId:
    return PortBinding.table, id_
