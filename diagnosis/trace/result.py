"""A walk as a document: the tree of what happened, and the verdict."""

from typing import Any, Final

from diagnosis.trace.addressing import addresses
from diagnosis.trace.causes import Cause, Causes
from diagnosis.trace.endings import (
    Answered,
    Asked,
    Delivered,
    Dropped,
    Ended,
    How,
    Unknown,
    ending,
)
from diagnosis.trace.legs import Journey
from diagnosis.trace.liveness import Hosting
from diagnosis.trace.routes import ways_of
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
from translator.features.routing.stages import LrInIpRouting

Document = dict[str, Any]

NO_PORTS_SEEN: Final = (
    "fragments show no ports, so an ACL that asks for some lets none through, and drops those "
    "that it may be about unless it allows"
)


def verdict(journey: Journey, causes: Causes, hosting: Hosting) -> Document:
    """How a packet's walk ended, in words."""
    walk, inport = journey.walk, journey.entry.name
    end = ending(walk, inport)
    place = end.place
    text = _unrouted(end.how, causes, hosting) or _how_text(end.how, causes)
    cause = _cause(end.entry, causes)
    if place is not None:
        stage = place.place.name if place.place else "the end of the pipeline"
        text = f"{text} in {place.datapath} at {stage}"
        text += f", by {cause.sentence}" if cause else ""
        if _is_drop_of_acl(place) and place.packet.get("ip.frag"):
            text += f"; {NO_PORTS_SEEN}"
    return {
        "outcome": end.outcome,
        "text": text,
        "datapath": place.datapath if place else None,
        "stage": place.place.name if place and place.place else None,
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


def _is_drop_of_acl(place: Visit | Drop) -> bool:
    """Whether a packet ended by the verdict of an ACL."""
    role = place.place.role if place.place else None
    return isinstance(place, Drop) and role is Role.ACL_VERDICT


def _unrouted(how: How, causes: Causes, hosting: Hosting) -> str | None:
    """Say which router has no route for a packet, and which it has; None of any other end."""
    if not isinstance(how, Dropped) or how.place.entry is not None or how.place.place is None:
        return None
    ends = addresses(how.place.packet)
    port = hosting.ports.get(str(how.place.packet.get("inport", "")))
    if how.place.place.name != LrInIpRouting.name or ends is None or port is None:
        return None
    router = causes.of("logical_router", port.datapath)
    ways = ways_of(causes.reader, port.datapath, port.id, ends[1], causes.changes)
    return f"dropped: {router.text} has no route to {ends[1]}, {ways},"


def _how_text(how: How, causes: Causes) -> str:
    match how:
        case Delivered(deliveries):
            return f"delivered to {', '.join(event.port for event in deliveries)}"
        case Answered():
            return "answered"
        case Asked(requests):
            ports = ", ".join(event.port for event in requests)
            return f"held back: the next hop's MAC address is not known, {ports} is asked for it"
        case Unknown(drop):
            return f"not known, because {doubt(drop, causes)},"
        case Dropped(drop):
            return "dropped" if drop.reason == FLOW_SAYS_SO else f"dropped: {drop.reason},"
        case Ended():
            return "nothing left through any port"


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


def _cause(entry: Entry | None, causes: Causes) -> Cause | None:
    if not isinstance(entry, StoredEntry):
        return None
    return causes.of(entry.group.cause_kind, entry.group.cause_id)


def _cause_document(cause: Cause | None) -> Document | None:
    return None if cause is None else cause._asdict()
