"""What becomes of DNS queries: which record answers, or why the query is passed on.

A switch answers for the names of its record sets whichever server is asked, and asks no ACL. What
it has no answer to goes on to that server.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from sqlalchemy import select

from diagnosis.answers import Assumption, AssumptionKind
from diagnosis.explain import packets
from diagnosis.explain.checks import Obstacle, ObstacleKind
from diagnosis.explain.scene import Scene
from diagnosis.trace.causes import Cause
from logical_flow.action import naming
from logical_flow.names import TYPE_NAMES, A, KnownName, NameTable
from logical_flow.walk_events import Made, Noted, Visit, Walk
from northbound.models import LogicalSwitch
from northbound.models.dns import DnsRecord, DnsRecordSet, DnsRecordSetSwitch
from northbound.names import DEFAULT_PROJECT, qualified_name

_LOOKUP: Final = "dns_lookup"
_MOST_TOLD: Final = 3
"""How many record sets that have a name elsewhere are told."""


class Lookup(NamedTuple):
    """A name that was looked up on a switch, there by `datapath`."""

    datapath: str
    name: str
    kind: int

    @property
    def type(self) -> str:
        return TYPE_NAMES.get(self.kind, str(self.kind))


def is_answered(walk: Walk) -> bool:
    """Whether the network answers a DNS query, if only that there is no such name."""
    return any(isinstance(event, Made) and event.kind == _LOOKUP for event in walk.events)


def told(scene: Scene, walk: Walk) -> tuple[str, Obstacle | None]:
    """What a query is told that the network answers, and that this is of no use, if it isn't."""
    asked = list(_lookups(scene, walk))[-1]
    names = scene.snapshot.names[asked.datapath]
    answer, sources = names.look_up(asked.name, asked.kind), names.sources(asked.name, asked.kind)
    if answer is None or not sources:
        raise ValueError(f"the network has no answer to {asked}")
    causes = [_cause(scene, each) for each in sources]
    by = " and ".join(scene.authored(cause) for cause in causes)
    if answer.addresses or answer.pointers:
        text = f"answered by the network itself, without asking ACLs: {asked.name} is {answer}"
        return f"{text}, by {by}", None
    what = f"with nothing of type {asked.type}" if answer.exists else "that there is no such name"
    if sources[0].covers:
        owner = f"speaks for {sources[0].name}"
        why = f"{owner}, and no DNS record set of {_switch(scene, asked).text} has {asked.name}"
    else:
        known = (value for each in sources for value in (*each.addresses, each.pointer) if value)
        why = f"has {', '.join(known)} alone"
    text = "; ".join([f"answered {what}: {by}, {why}", *_elsewhere(scene, asked)])
    packet = dict(walk.visits[0].packet)
    return text, Obstacle(ObstacleKind.DNS, text, causes[0], packet, detail=asked.datapath)


def passed_on(scene: Scene, walk: Walk) -> Iterator[Assumption]:
    """Yield that the server knows the name that it is asked for, and why no switch does."""
    packet = walk.visits[0].packet
    name, kind, ends = packet.get(naming.NAME), packet.get(naming.TYPE), packets.addresses(packet)
    if not isinstance(name, str) or not isinstance(kind, int) or ends is None:
        return
    lookups = list(_lookups(scene, walk))
    if not lookups and not walk.deliveries:
        return
    first = Lookup(scene.ports[str(packet["inport"])].datapath, name, kind)
    why = [_unknown(scene, each) for each in lookups] or [_unasked(scene, first)]
    text = f"{ends[1]} knows {name}: the query is passed on, as {' and '.join(why)}"
    text = "; ".join([text, *_elsewhere(scene, first)])
    yield Assumption(AssumptionKind.NAME, text)


def sets_elsewhere(scene: Scene, switch: str, name: str) -> list[DnsRecordSet]:
    """Return the record sets that have a name, or speak for it, and aren't known on a switch."""
    here = select(DnsRecordSetSwitch.dns_record_set_id).where(
        DnsRecordSetSwitch.logical_switch_id == switch
    )
    having = select(DnsRecord.dns_record_set_id).where(DnsRecord.hostname == name)
    labels = name.split(".")
    around = [".".join(labels[place:]) for place in range(len(labels))]
    query = (
        select(DnsRecordSet)
        .where(DnsRecordSet.id.in_(having) | DnsRecordSet.domain.in_(around))
        .where(DnsRecordSet.id.not_in(here))
        .order_by(DnsRecordSet.project, DnsRecordSet.name, DnsRecordSet.id)
    )
    return list(scene.reader.session.scalars(query))


def has_record(scene: Scene, row: DnsRecordSet, name: str) -> bool:
    """Whether a record set has a name, and doesn't only speak for it."""
    query = select(DnsRecord.id).where(
        DnsRecord.dns_record_set_id == row.id, DnsRecord.hostname == name
    )
    return scene.reader.session.scalar(query.limit(1)) is not None


def reference_to(row: DnsRecordSet) -> str:
    """Return what refers to a record set from everywhere."""
    return qualified_name(row.project, row.name, DEFAULT_PROJECT)


def _lookups(scene: Scene, walk: Walk) -> Iterator[Lookup]:
    """Yield what was looked up on the switches on the way."""
    place: Visit | None = None
    for event in walk.events:
        if isinstance(event, Visit):
            place = event
        elif isinstance(event, Noted) and event.what == _LOOKUP and place is not None:
            port = scene.ports[str(place.packet["inport"])]
            kind = place.packet.get(naming.TYPE, A)
            yield Lookup(port.datapath, event.values[0], kind if isinstance(kind, int) else A)


def _cause(scene: Scene, source: KnownName) -> Cause:
    return scene.causes.of("dns_record_set" if source.covers else "dns_record", source.id)


def _switch(scene: Scene, asked: Lookup) -> Cause:
    return scene.causes.of("logical_switch", asked.datapath)


def _unknown(scene: Scene, asked: Lookup) -> str:
    """Say why a switch has no answer that has looked the name up."""
    switch = _switch(scene, asked).text
    if scene.snapshot.names.get(asked.datapath, NameTable()).sources(asked.name, asked.kind):
        return f"{switch} knows nothing of type {asked.type} of it"
    return f"no DNS record set of {switch} has it"


def _unasked(scene: Scene, asked: Lookup) -> str:
    """Say why a switch has looked nothing up."""
    switch = _switch(scene, asked).text
    if scene.snapshot.names.get(asked.datapath):
        return f"{switch} looks up nothing for who asks there"
    return f"{switch} knows no names"


def _elsewhere(scene: Scene, asked: Lookup) -> Iterator[str]:
    """Yield which record sets have the name, and why that is of no use on a switch."""
    switch = scene.reader.by_id(LogicalSwitch, asked.datapath)
    found = sets_elsewhere(scene, asked.datapath, asked.name)
    for row in found[:_MOST_TOLD]:
        has = (
            f"DNS record set {reference_to(row)} has it"
            if has_record(scene, row, asked.name)
            else (f"DNS record set {reference_to(row)} speaks for {row.domain}")
        )
        if switch is not None and row.project == switch.project:
            yield f"{has}, and is not known on {_switch(scene, asked).text}"
        else:
            yield f"{has}, which is for switches of its project alone"
    if len(found) > _MOST_TOLD:
        yield f"so have {len(found) - _MOST_TOLD} more"
