"""A live check from beginning to end: ask the agents, then tell what they said."""

from collections.abc import Iterable
from typing import Any

from diagnosis.live.asking import LiveJourneys, ask_chassis
from diagnosis.live.findings import Background, live_document
from diagnosis.sources import Sources
from diagnosis.trace.causes import Causes
from diagnosis.trace.legs import Journey, enters_by_network
from diagnosis.trace.liveness import Hosting
from northbound.errors import InvalidError
from northbound.transaction import Reader


async def check_live(
    sources: Sources,
    journeys: Iterable[Journey],
    hosting: Hosting,
    entry_chassis: str | None = None,
) -> dict[str, Any]:
    """Whether the switches do what was walked, with the ports and chassis of the walks.

    Raises InvalidError where nothing can come in on `entry_chassis`.
    """
    journeys = list(journeys)
    if entry_chassis is not None:
        _check_entry(entry_chassis, journeys, hosting)
    found = await ask_chassis(sources.controller, journeys, hosting.ports, entry_chassis)
    groups = await sources.controller.groups_of(sorted(_cookies(found)))
    met = {group.key: group for group in groups}

    def work(reader: Reader) -> dict[str, Any]:
        return live_document(found, Background(Causes(reader), hosting.chassis, met))

    return await sources.read(work)


def _check_entry(name: str, journeys: Iterable[Journey], hosting: Hosting) -> None:
    if name not in hosting.chassis:
        raise InvalidError.of("entry_chassis", reason="there is no such chassis", value=name)
    entries = [journey.entry for journey in journeys]
    if entries and not any(map(enters_by_network, entries)):
        reason = f"no provider network brings what enters at {entries[0].name}: leave it out"
        raise InvalidError.of("entry_chassis", reason=reason, value=name)


def refuse_unasked(entry_chassis: str | None, *, live: bool) -> None:
    """Refuse to be told of a chassis where no switches are asked. Raises InvalidError."""
    if entry_chassis is not None and not live:
        reason = "says where switches are asked, which takes live"
        raise InvalidError.of("entry_chassis", reason=reason, value=entry_chassis)


def _cookies(found: LiveJourneys) -> set[int]:
    """The cookies of all flows that packets meet, which are ids of flow groups."""
    return {
        step.cookie
        for chassis in found.chassis.values()
        for live in chassis.legs
        if live.traced is not None
        for step in live.traced.steps
    }
