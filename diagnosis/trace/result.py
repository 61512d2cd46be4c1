"""A walk as a document: the tree of what happened, and the verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from diagnosis.trace.causes import Cause, Causes
from diagnosis.trace.legs import Journey
from diagnosis.trace.liveness import Hosting
from diagnosis.trace.stored_flows import StoredEntry
from logical_flow.flow_table import Entry
from logical_flow.packet import format_packet
from logical_flow.roles import Role
from logical_flow.walk_events import (
    FLOW_SAYS_SO,
    Crossing,
    Delivery,
    Drop,
    Event,
    Made,
    Visit,
    Walk,
)

Document = dict[str, Any]
Outcome = Literal["delivered", "answered", "asked", "dropped", "ended", "unknown"]

_ANSWERING = {"arp.op", "icmp4.type", "icmp6.type"}
_ADDRESS_REQUESTS = {"arp", "nd_ns"}


@dataclass(frozen=True)
class Ending:
    """How a walk ended: where that was decided, and what left through which port.

    `deliveries` are all, each with whether it is the packet itself and not one made on
    the way. `answers` are the deliveries to the port where the packet entered, `forwarded` those
    of the packet itself to other ports, `requests` what asks for a next hop's address.
    `uncertain` are the drops of copies that may as well have gone on.
    """

    outcome: Outcome
    place: Event | None
    deliveries: list[tuple[Delivery, bool]]
    forwarded: list[Delivery]
    answers: list[Delivery]
    requests: list[Delivery]
    entry: Entry | None
    """The flow that decided; for what follows from an ACL's verdict, the ACL's."""
    uncertain: list[Drop]


def ending(walk: Walk, inport: str) -> Ending:
    """How `walk` ended for the packet that entered at `inport`."""
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
    place: Event | None = None
    outcome: Outcome = "ended"
    if forwarded:
        outcome = "delivered"
    elif answers:
        outcome, place = "answered", _answering(events, answers[0][0])
    elif requests:
        outcome = "asked"
    elif uncertain:
        outcome, place = "unknown", uncertain[0]
    elif walk.drops:
        outcome, place = "dropped", walk.drops[0]
    return Ending(
        outcome,
        place,
        [(event, made[n] is None) for n, event in delivered],
        forwarded,
        [event for _, event in answers],
        requests,
        None if place is None or _is_undefined(place) else deciding(walk, place),
        uncertain,
    )


def verdict(journey: Journey, causes: Causes, hosting: Hosting) -> Document:
    """How a packet's walk ended, in words."""
    walk, inport = journey.walk, journey.entry.name
    end = ending(walk, inport)
    place = end.place
    match end.outcome:
        case "delivered":
            text = f"delivered to {', '.join(event.port for event in end.forwarded)}"
        case "answered":
            text = "answered"
        case "asked":
            ports = ", ".join(event.port for event in end.requests)
            text = f"held back: the next hop's MAC address is not known, {ports} is asked for it"
        case "dropped":
            reason = walk.drops[0].reason
            text = "dropped" if reason == FLOW_SAYS_SO else f"dropped: {reason},"
        case "unknown":
            text = f"not known, because {doubt(end.uncertain[0], causes)},"
        case "ended":
            text = "nothing left through any port"
    cause = _cause(end.entry, causes)
    if isinstance(place, Visit | Drop):
        stage = place.place.name if place.place else "the end of the pipeline"
        text = f"{text} in {place.datapath} at {stage}"
        text += f", by {cause.sentence}" if cause else ""
    return {
        "outcome": end.outcome,
        "text": text,
        "datapath": place.datapath if isinstance(place, Visit | Drop) else None,
        "stage": place.place.name if isinstance(place, Visit | Drop) and place.place else None,
        "flow": str(end.entry.flow) if end.entry else None,
        "cause": _cause_document(cause),
        "deliveries": [_delivery(event, original) for event, original in end.deliveries],
        "absences": [
            absence._asdict()
            for absence in hosting.absences([inport, *(event.port for event, _ in end.deliveries)])
        ],
        "hindrances": [
            hindrance.document()
            for hindrance in hosting.carriers.hindrances(journey, hosting.ports)
        ],
    }


def doubt(drop: Drop, causes: Causes) -> str:
    """Why it is not known, or not defined, whether a packet was dropped."""
    if not drop.rivals:
        return drop.reason
    found = [_cause(entry, causes) for entry in (drop.entry, *drop.rivals)]
    names = list(dict.fromkeys(cause.text for cause in found if cause is not None))
    if len(names) < 2:
        return drop.reason
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    return (
        f"it is not defined which of {listed} decides: they have the same priority and "
        f"{'both' if len(names) == 2 else 'all'} fit"
    )


def _is_undefined(place: Event) -> bool:
    """Whether no single flow decided at `place`."""
    return isinstance(place, Drop) and bool(place.rivals)


def steps(walk: Walk, causes: Causes) -> list[Document]:
    """The events of `walk` as a tree: below each what happened to the packets it led to."""
    roots: list[Document] = []
    path: list[tuple[int, Document]] = []
    for event in walk.events:
        step = _step(event, causes)
        while path and path[-1][0] >= event.depth:
            path.pop()
        (path[-1][1]["steps"] if path else roots).append(step)
        path.append((event.depth, step))
    return roots


def _step(event: Event, causes: Causes) -> Document:
    entry = event.entry if isinstance(event, Visit | Drop) else None
    place = event.place if isinstance(event, Visit | Drop) else None
    packet = event.packet if isinstance(event, Made | Delivery | Drop) else None
    return {
        "kind": type(event).__name__.lower() if not _is_noted(event) else "noted",
        "text": _text(event),
        "datapath": event.datapath if isinstance(event, Visit | Drop) else None,
        "stage": place.name if place else None,
        "flow": str(entry.flow) if entry else None,
        "group": _cookie(entry),
        "cause": _cause_document(_cause(entry, causes)),
        "changes": [str(each) for each in event.changes] if isinstance(event, Visit) else [],
        "packet": None if packet is None else format_packet(packet),
        "steps": [],
    }


def _cookie(entry: Entry | None) -> str | None:
    """The group of a flow; one that is only proposed has no number that a switch could know."""
    if not isinstance(entry, StoredEntry) or entry.group.id < 0:
        return None
    return hex(entry.group.id)


def _text(event: Event) -> str:
    if isinstance(event, Visit) and event.entry is None:
        return f"{event.datapath} {event.place.name}: {event.place.default}; by default"
    return str(event)


def _is_noted(event: Event) -> bool:
    return not isinstance(event, Visit | Crossing | Made | Delivery | Drop)


def _delivery(event: Delivery, original: bool) -> Document:
    return {"port": event.port, "packet": format_packet(event.packet), "original": original}


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
    return next((e for e in before if isinstance(e, Made) and e.kind != "clone"), None)


def _answering(events: Sequence[Event], place: int) -> Visit | None:
    """Where the packet delivered at `place` became an answer."""
    before = _before(events, place)
    for number, event in enumerate(before):
        if isinstance(event, Made):
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


def _cause(entry: Entry | None, causes: Causes) -> Cause | None:
    if not isinstance(entry, StoredEntry):
        return None
    return causes.of(entry.group.cause_kind, entry.group.cause_id)


def _cause_document(cause: Cause | None) -> Document | None:
    return None if cause is None else cause._asdict()
