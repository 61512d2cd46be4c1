"""A live check from beginning to end: ask the agents, then tell what they said."""

from collections.abc import Iterable
from typing import Any

from diagnosis.live.asking import LiveJourneys, ask_chassis
from diagnosis.live.findings import Background, live_document
from diagnosis.sources import Sources
from diagnosis.trace.causes import Causes
from diagnosis.trace.legs import Journey
from diagnosis.trace.liveness import Hosting
from northbound.transaction import Reader


async def check_live(
    sources: Sources, journeys: Iterable[Journey], hosting: Hosting
) -> dict[str, Any]:
    """Whether the switches do what was walked, with the ports and chassis of the walks."""
    found = await ask_chassis(sources.controller, journeys, hosting.ports)
    groups = await sources.controller.groups_of(sorted(_cookies(found)))
    met = {group.key: group for group in groups}

    def work(reader: Reader) -> dict[str, Any]:
        return live_document(found, Background(Causes(reader), hosting.chassis, met))

    return await sources.read(work)


def _cookies(found: LiveJourneys) -> set[int]:
    """The cookies of all flows that packets meet, which are ids of flow groups."""
    return {
        step.cookie
        for chassis in found.chassis.values()
        for live in chassis.legs
        if live.traced is not None
        for step in live.traced.steps
    }
