"""Where the walk and the switches differ, in sentences that name chassis, table and object.

Two things are told apart. A *difference* is a flow that is not in the switch as the agent
wants it; each that concerns a datapath on the way is told, whether or not the packet meets
it. A *leg* agrees if its switch would let copies leave through the same ports, and to the
same chassis, as the walk. Whether something could not be found out is a third answer.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from diagnosis.live.asking import LiveChassis, LiveJourneys, LiveLeg
from diagnosis.trace.causes import Cause, Causes
from diagnosis.trace.legs import Leg
from logical_flow.packet import format_packet
from southbound.cookies import parse_physical_cookie
from southbound.questions import Difference, Step, Traced
from southbound.rows import Chassis, FlowGroup

Document = dict[str, Any]

_NAMED = 20
"""Ports that a sentence names; the lists beside it have them all."""


@dataclass(frozen=True)
class Background:
    """What is known here of chassis, and of the flow groups behind cookies."""

    causes: Causes
    chassis: Mapping[str, Chassis]
    groups: Mapping[str, FlowGroup]


def live_document(found: LiveJourneys, background: Background) -> Document:
    """Everything that was found, as :class:`diagnosis.live.documents.LiveCheck`."""
    chassis = [_chassis(each, background) for each in found.chassis.values()]
    agrees = _all(each["agrees"] for each in chassis) if chassis else None
    text = _text(found, chassis, agrees)
    if chassis and (outside := _entered_outside(found)):
        agrees = False if agrees is False else None
        text += f"; {outside}"
    return {"agrees": agrees, "text": text, "chassis": chassis}


def _entered_outside(found: LiveJourneys) -> str:
    """Return why some of what provider networks bring is not compared; empty if all of it is."""
    if not found.untaken:
        return ""
    return (
        f"what comes in at {', '.join(found.untaken)} is not compared: a provider network may "
        "bring it to any chassis, and none is the one to take it in; name one as entry_chassis"
    )


def _text(found: LiveJourneys, chassis: list[Document], agrees: bool | None) -> str:
    if not chassis:
        ports = ", ".join(sorted({journey.entry.name for journey in found.journeys}))
        if not ports:
            return "no packet was walked, so no switch was asked"
        if outside := _entered_outside(found):
            return outside
        return f"{ports} is bound to no chassis: there is no switch to ask"
    if agrees:
        names = " and ".join(each["chassis"] for each in chassis)
        return f"{names}: the switches have the flows that are wanted, and do what the walk does"
    return "; ".join(f"{each['chassis']}: {each['text']}" for each in chassis if not each["agrees"])


def _chassis(live: LiveChassis, background: Background) -> Document:
    row = background.chassis.get(live.name)
    compared = live.comparison
    differences = compared.differences if compared else ()
    told = [_difference(each, background.causes) for each in differences]
    legs = [_leg(each, background) for each in live.legs]
    same_flows = None if compared is None else not differences
    sentences = [*(each["text"] for each in told), *(each["text"] for each in legs)]
    if compared is not None and not compared.in_sync:
        sentences.insert(0, f"it is not in sync with revision {compared.revision} yet")
        same_flows = same_flows or None
    if compared is None:
        sentences = [f"it can't be asked: {live.problem}"]
    return {
        "chassis": live.name,
        "alive": bool(row and row.alive),
        "agrees": _all([same_flows, *(each["agrees"] for each in legs)]),
        "text": "; ".join(sentences),
        "problem": live.problem or None,
        "revision": compared.revision if compared else None,
        "in_sync": compared.in_sync if compared else None,
        "differences": told,
        "more_differences": compared.more if compared else 0,
        "legs": legs,
    }


def _difference(difference: Difference, causes: Causes) -> Document:
    cause = None
    if difference.cause_kind:
        cause = causes.of(difference.cause_kind, difference.cause_id)
    return {
        "kind": difference.kind,
        "table": difference.table,
        "datapath": difference.datapath or None,
        "text": _difference_text(difference, cause),
        "wanted": difference.wanted or None,
        "found": difference.found or None,
        "cookie": hex(difference.cookie),
        "logical_flows": list(difference.logical_flows),
        "cause": None if cause is None else cause._asdict(),
    }


def _difference_text(difference: Difference, cause: Cause | None) -> str:
    place = difference.table
    if difference.datapath:
        place += f" of {difference.datapath}"
    flows = " or ".join(difference.logical_flows) or difference.wanted
    owner = cause.sentence if cause else difference.place
    whose = f", of {owner}" if owner else ""
    match difference.kind:
        case "missing":
            return f"in {place} the switch lacks {flows}{whose}"
        case "altered":
            return f"in {place} the switch has altered {flows}{whose}: it has {difference.found}"
        case "extra":
            cookie = f", with the cookie of {owner}" if owner else ""
            return f"in {place} the switch has a flow that nobody wants{cookie}: {difference.found}"


def _leg(live: LiveLeg, background: Background) -> Document:
    leg, traced = live.leg, live.traced
    agrees = None if traced is None else _agrees(leg, traced)
    return {
        "source": leg.source,
        "packet": format_packet(leg.packet),
        "agrees": agrees,
        "text": _leg_text(live, agrees, background),
        "wanted": _copies(leg.ports, leg.onward, leg.punted),
        "found": None
        if traced is None
        else _copies(_ports(traced), _onward(traced), traced.punted),
        "steps": [_step(step) for step in traced.steps] if traced else [],
    }


def _agrees(leg: Leg, traced: Traced) -> bool | None:
    """None where the agent has a say first, which a switch that is only asked can't know.

    Nor is it known where not all copies that the switch makes are, nor what a chassis does with
    those that are another's to take.
    """
    if traced.failure:
        return False
    if (_ports(traced), _onward(traced)) == (leg.ports, leg.onward):
        return traced.punted or not leg.punted
    if leg.left_to:
        has_others = leg.ports <= _ports(traced) and leg.onward <= _onward(traced)
        return None if has_others else False
    is_part = _ports(traced) <= leg.ports and _onward(traced) <= leg.onward
    is_open = bool(traced.unknown) or (traced.punted and not leg.punted)
    return None if is_open and is_part else False


def _leg_text(live: LiveLeg, agrees: bool | None, background: Background) -> str:
    leg, traced = live.leg, live.traced
    what = f"a packet {leg.source}"
    if traced is None:
        return f"what becomes of {what} is not known: {live.problem}"
    found = _goes(_ports(traced), _onward(traced), traced.punted)
    if agrees and leg.left_to:
        return f"{what} {found}; the walk goes on where it is taken in, on chassis {leg.left_to}"
    if agrees:
        return f"{what} {found}, as the walk says{_beside(leg)}"
    if agrees is None and traced.unknown:
        return f"what becomes of {what} is not known as a whole: {traced.unknown}; it {found}"
    if agrees is None and leg.left_to:
        return f"{what} {found}, where the walk goes on by flows that chassis {leg.left_to} has"
    if agrees is None:
        return f"{what} {found} first, for example to find its next hop"
    wanted = _goes(leg.ports, leg.onward, leg.punted)
    if traced.failure:
        limit = f"Open vSwitch drops copies at a limit ({traced.failure})"
        return f"{what} {found}, where the walk says that it {wanted}: {limit}"
    return f"{what} {found}, where the walk says that it {wanted}{_why(leg, traced, background)}"


def _beside(leg: Leg) -> str:
    """Which chassis get the packet, or a copy, from a provider network as this one does."""
    if not leg.beside:
        return ""
    named = [f"chassis {name}" for name in sorted(leg.beside)[:_NAMED]]
    if len(leg.beside) > _NAMED:
        named.append(f"{len(leg.beside) - _NAMED} others")
    return f"; the network brings it to {' and '.join(named)}"


def _why(leg: Leg, traced: Traced, background: Background) -> str:
    """The first flow that the walk does not know, or else where the packet ends."""
    for step in traced.steps:
        if step.priority < 0:
            return f"; no flow of {step.table} fits it"
        if step.cookie not in leg.groups and parse_physical_cookie(step.cookie) is None:
            flow = f"priority={step.priority} {step.match} cookie={step.cookie:#x}"
            return f"; in {step.table} it meets {_owner(step, background)}: {flow}"
    if traced.steps:
        return f"; the last flow that it meets is in {traced.steps[-1].table}"
    return ""


def _owner(step: Step, background: Background) -> str:
    group = background.groups.get(str(step.cookie))
    if group is None:
        return "a flow that no logical flow stands for"
    return f"a flow of {background.causes.of(group.cause_kind, group.cause_id).sentence}"


def _goes(ports: set[str], onward: set[str], punted: bool) -> str:
    """
    >>> _goes({"db-1"}, {"hv2"}, False), _goes(set(), set(), False)
    ('goes to port db-1 and chassis hv2', 'goes nowhere')
    """
    places = [f"port {name}" for name in sorted(ports)[:_NAMED]]
    if len(ports) > _NAMED:
        places.append(f"{len(ports) - _NAMED} other ports")
    places += [f"chassis {name}" for name in sorted(onward)]
    places += ["the agent"] * punted
    return f"goes to {' and '.join(places)}" if places else "goes nowhere"


def _copies(ports: set[str], onward: set[str], punted: bool) -> Document:
    return {"ports": sorted(ports), "chassis": sorted(onward), "agent": punted}


def _ports(traced: Traced) -> set[str]:
    """Logical ports, and other interfaces by their numbers."""
    return {
        output.port or f"interface {output.interface}"
        for output in traced.outputs
        if not output.chassis
    }


def _onward(traced: Traced) -> set[str]:
    return {output.chassis for output in traced.outputs if output.chassis}


def _step(step: Step) -> Document:
    return {
        "table": step.table,
        "priority": None if step.priority < 0 else step.priority,
        "match": step.match,
        "cookie": hex(step.cookie),
    }


def _all(parts: Iterable[bool | None]) -> bool | None:
    """False if any part is, else None if any part isn't known."""
    found = list(parts)
    if False in found:
        return False
    return None if None in found else True
