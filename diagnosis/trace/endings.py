"""How a walk ended: one of six ways, each with what decided it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from diagnosis.trace.discovery import answered_mac
from logical_flow.flow_table import Entry
from logical_flow.roles import Role
from logical_flow.walk_events import Crossing, Delivery, Drop, Event, Made, Visit, Walk

Outcome = Literal["delivered", "answered", "asked", "dropped", "ended", "unknown"]

_ANSWERING = {"arp.op", "icmp4.type", "icmp6.type"}
_ADDRESS_REQUESTS = {"arp", "nd_ns"}


@dataclass(frozen=True)
class Delivered:
    """The packet itself left through other ports than the one where it entered."""

    outcome: ClassVar[Outcome] = "delivered"
    deliveries: list[Delivery]


@dataclass(frozen=True)
class Answered:
    """The port where the packet entered got an answer, which was made at `place`."""

    outcome: ClassVar[Outcome] = "answered"
    place: Visit | None


@dataclass(frozen=True)
class Asked:
    """The next hop's address has to be found first."""

    outcome: ClassVar[Outcome] = "asked"
    requests: list[Delivery]


@dataclass(frozen=True)
class Unknown:
    """It is not known whether the packet was dropped."""

    outcome: ClassVar[Outcome] = "unknown"
    place: Drop


@dataclass(frozen=True)
class Dropped:
    """Nothing left, and this is the first drop."""

    outcome: ClassVar[Outcome] = "dropped"
    place: Drop


@dataclass(frozen=True)
class Ended:
    """Nothing left, and nothing was dropped."""

    outcome: ClassVar[Outcome] = "ended"


How: TypeAlias = Delivered | Answered | Asked | Unknown | Dropped | Ended


@dataclass(frozen=True)
class Ending:
    """How a walk ended, and what left through which port.

    `deliveries` are all, each with whether it is the packet itself and not one made on
    the way. `answers` are the deliveries to the port where the packet entered, `forwarded` those
    of the packet itself to other ports, `requests` what asks for a next hop's address.
    `uncertain` are the drops of copies that may as well have gone on.
    """

    how: How
    deliveries: list[tuple[Delivery, bool]]
    forwarded: list[Delivery]
    answers: list[Delivery]
    requests: list[Delivery]
    entry: Entry | None
    """The flow that decided; for what follows from an ACL's verdict, the ACL's."""
    uncertain: list[Drop]

    @property
    def outcome(self) -> Outcome:
        """Which of the six ways, in a word."""
        return self.how.outcome

    @property
    def place(self) -> Visit | Drop | None:
        """Where it was decided, if that is one place."""
        how = self.how
        return how.place if isinstance(how, Answered | Unknown | Dropped) else None


def ending(walk: Walk, inport: str) -> Ending:
    """Return how `walk` ended for the packet that entered at `inport`."""
    events = walk.events
    delivered = [(n, event) for n, event in enumerate(events) if isinstance(event, Delivery)]
    made = {n: _maker(events, n) for n, _ in delivered}
    forwarded = [event for n, event in delivered if event.port != inport and made[n] is None]
    requests = [
        event
        for n, event in delivered
        if (maker := made[n]) is not None and maker.kind in _ADDRESS_REQUESTS
    ]
    answers = [(n, event) for n, event in delivered if event.port == inport]
    answers = [(n, event) for n, event in answers if event not in requests]
    uncertain = [drop for drop in walk.drops if not drop.certain]
    how: How = Ended()
    if forwarded:
        how = Delivered(forwarded)
    elif answers:
        how = Answered(_answering(events, answers[0][0]))
    elif requests:
        how = Asked(requests)
    elif uncertain:
        how = Unknown(uncertain[0])
    elif walk.drops:
        how = Dropped(walk.drops[0])
    return Ending(
        how,
        [(event, made[n] is None) for n, event in delivered],
        forwarded,
        [event for _, event in answers],
        requests,
        _deciding_flow(walk, how),
        uncertain,
    )


def told_by_network(walk: Walk, inport: str) -> int | None:
    """Return the MAC address that a question entering at `inport` was told by the network."""
    told = (answered_mac(each.packet) for each in ending(walk, inport).answers)
    return next((mac for mac in told if mac is not None), None)


def _deciding_flow(walk: Walk, how: How) -> Entry | None:
    """The flow by which it ended so; None where no single one decided."""
    match how:
        case Answered(Visit() as place):
            return deciding(walk, place)
        case Unknown(place) | Dropped(place):
            return None if place.rivals else deciding(walk, place)
        case _:
            return None


def _before(events: Sequence[Event], place: int) -> list[Event]:
    """What led to the event at `place`, the last first: its own copy's, and those it came from."""
    found = []
    depth = events[place].depth
    for event in reversed(events[:place]):
        if event.depth <= depth:
            # A copy begins with how it came about; beyond that are other copies.
            starts = isinstance(event, Crossing | Made)
            depth = event.depth - 1 if starts else event.depth
            found.append(event)
    return found


def _maker(events: Sequence[Event], place: int) -> Made | None:
    """What made the packet delivered at `place`; None if it is the one that entered."""
    before = _before(events, place)
    return next((e for e in before if isinstance(e, Made) and not e.is_copy), None)


def _answering(events: Sequence[Event], place: int) -> Visit | None:
    """Where the packet delivered at `place` became an answer."""
    before = _before(events, place)
    for number, event in enumerate(before):
        if isinstance(event, Made) and not event.is_copy:
            visits = (e for e in before[number:] if isinstance(e, Visit))
            return next(visits, None)
        if isinstance(event, Visit) and any(c.name in _ANSWERING for c in event.changes):
            return event
    return next((e for e in before if isinstance(e, Visit)), None)


def deciding(walk: Walk, place: Event) -> Entry | None:
    """The flow that decided at `place`: for what follows from an ACL's verdict, the ACL's."""
    events = walk.events
    entry = place.entry if isinstance(place, Visit | Drop) else None
    stage = place.place if isinstance(place, Visit | Drop) else None
    if stage is None or stage.role is not Role.ACL_VERDICT:
        return entry
    number = next(n for n, event in enumerate(events) if event is place)
    for event in _before(events, number):
        if isinstance(event, Visit) and event.place.role is Role.ACL and event.entry is not None:
            return event.entry
    return entry
